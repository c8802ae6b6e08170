/* SPDX-License-Identifier: BSD-3-Clause */
/* SYSCALL, SYSRET, SYSENTER, SYSEXIT.  Declared in far.h with the other far
 * transfers.  Source: [SDM] Vol. 2B, the instructions' pages. */
#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/far.h"
#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"

enum { EFER_SCE = 1 };

static struct x86_seg flat(uint16_t selector, unsigned cpl, bool is_code)
{
    return (struct x86_seg){
        .limit = UINT32_MAX,
        .selector = (uint16_t)((selector & ~3U) | cpl),
        .type = is_code ? 11 : 3,
        .s = 1,
        .dpl = (uint8_t)cpl,
        .present = 1,
        .db = 1,
        .g = 1,
    };
}

/* CS of 64-bit code has L set and D clear. */
static struct x86_seg flat_code(uint16_t selector, unsigned cpl, bool is_64)
{
    struct x86_seg cs = flat(selector, cpl, true);

    cs.l = is_64;
    cs.db = !is_64;
    return cs;
}

bool x86_has_syscall(const struct x86_state *state)
{
    return (state->efer & EFER_SCE) && !x86_in_real_mode(state) &&
           (x86_in_64bit_mode(state) || x86_quirks_is_amd());
}

bool x86_has_sysenter(const struct x86_state *state)
{
    return !x86_in_long_mode(state) || !x86_quirks_is_amd();
}

bool x86_syscall(struct x86_core *core, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint64_t star = state->msr[X86_MSR_STAR], rflags;
    uint16_t selector = (uint16_t)(star >> 32);

    if (!x86_has_syscall(state))
        return x86_fail_plain(fault, X86_UD);
    rflags = x86_core_rflags(core);
    if (x86_in_long_mode(state)) {
        bool is_64 = state->seg[X86_CS].l;

        state->gpr[X86_RCX] = state->rip;
        state->gpr[X86_R11] = rflags & ~(uint64_t)X86_RF;
        state->rip = state->msr[is_64 ? X86_MSR_LSTAR : X86_MSR_CSTAR];
        rflags &= ~state->msr[X86_MSR_SFMASK];
    } else {
        state->gpr[X86_RCX] = (uint32_t)state->rip;
        state->rip = (uint32_t)star;
        rflags &= ~(uint64_t)(X86_IF | X86_VM);
    }
    rflags &= ~(uint64_t)X86_RF;
    state->seg[X86_CS] = flat_code(selector, 0, x86_in_long_mode(state));
    state->seg[X86_SS_SEG] = flat((uint16_t)(selector + 8), 0, false);
    x86_core_set_rflags(core, rflags);
    x86_core_mode_changed(core);
    return true;
}

bool x86_sysret(struct x86_core *core, unsigned size, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint16_t selector = (uint16_t)(state->msr[X86_MSR_STAR] >> 48);
    uint64_t keep = X86_RF | X86_VM;

    if (!x86_has_syscall(state))
        return x86_fail_plain(fault, X86_UD);
    if (x86_cpl(state) != 0)
        return x86_fail(fault, X86_GP, 0);
    /* On AMD's processors the first fetch faults, in user mode. */
    if (size == 8 && !x86_is_canonical(state->gpr[X86_RCX]) &&
        !x86_quirks_is_amd())
        return x86_fail(fault, X86_GP, 0);
    if (x86_in_long_mode(state))
        x86_core_set_rflags(core, (state->gpr[X86_R11] & 0x3c7fd7 & ~keep) |
                                      X86_RF_FIXED1);
    else
        x86_core_set_rflags(core, x86_core_rflags(core) | X86_IF);
    state->rip =
        size == 8 ? state->gpr[X86_RCX] : (uint32_t)state->gpr[X86_RCX];
    state->seg[X86_CS] =
        flat_code((uint16_t)(selector + (size == 8 ? 16 : 0)), 3, size == 8);
    state->seg[X86_SS_SEG] = flat((uint16_t)(selector + 8), 3, false);
    x86_core_mode_changed(core);
    return true;
}

bool x86_sysenter(struct x86_core *core, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint16_t selector = (uint16_t)state->msr[X86_MSR_SYSENTER_CS];
    bool is_long = x86_in_long_mode(state);

    if (!x86_has_sysenter(state))
        return x86_fail_plain(fault, X86_UD);
    if (x86_in_real_mode(state) || !(selector & 0xfffc))
        return x86_fail(fault, X86_GP, 0);
    x86_core_set_rflags(core, x86_core_rflags(core) &
                                  ~(uint64_t)(X86_VM | X86_IF | X86_RF));
    state->seg[X86_CS] = flat_code(selector, 0, is_long);
    state->seg[X86_SS_SEG] = flat((uint16_t)(selector + 8), 0, false);
    state->rip = state->msr[X86_MSR_SYSENTER_EIP];
    state->gpr[X86_RSP] = state->msr[X86_MSR_SYSENTER_ESP];
    if (!is_long) {
        state->rip = (uint32_t)state->rip;
        state->gpr[X86_RSP] = (uint32_t)state->gpr[X86_RSP];
    }
    x86_core_mode_changed(core);
    return true;
}

bool x86_sysexit(struct x86_core *core, unsigned size, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint16_t selector = (uint16_t)state->msr[X86_MSR_SYSENTER_CS];
    uint64_t rip = state->gpr[X86_RDX], rsp = state->gpr[X86_RCX];
    uint16_t offset = size == 8 ? 32 : 16;

    if (!x86_has_sysenter(state))
        return x86_fail_plain(fault, X86_UD);
    if (x86_in_real_mode(state) || x86_cpl(state) != 0 || !(selector & 0xfffc))
        return x86_fail(fault, X86_GP, 0);
    if (size == 8 && (!x86_is_canonical(rip) || !x86_is_canonical(rsp)))
        return x86_fail(fault, X86_GP, 0);
    state->rip = size == 8 ? rip : (uint32_t)rip;
    state->gpr[X86_RSP] = size == 8 ? rsp : (uint32_t)rsp;
    state->seg[X86_CS] = flat_code((uint16_t)(selector + offset), 3, size == 8);
    state->seg[X86_SS_SEG] = flat((uint16_t)(selector + offset + 8), 3, false);
    x86_core_mode_changed(core);
    return true;
}
