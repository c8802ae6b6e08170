/* SPDX-License-Identifier: BSD-3-Clause */
/* Power-on state of a processor. */
#include "arch/x86/state.h"

#include <string.h>

#include "arch/x86/fault.h"

static struct x86_seg reset_seg(uint8_t type, uint8_t s)
{
    return (struct x86_seg){
        .limit = 0xffff, .type = type, .s = s, .present = 1};
}

/* x87 as after FNINIT, MXCSR default, all components in their initial state.
 * [SDM] Vol. 1, "XSAVE-Managed State". */
static void reset_xsave(uint8_t xsave[X86_XSAVE_SIZE])
{
    static const uint8_t fcw[] = {0x40, 0x00}; /* RESET, not FNINIT */
    static const uint8_t mxcsr[] = {0x80, 0x1f};

    memset(xsave, 0, X86_XSAVE_SIZE);
    memcpy(xsave, fcw, sizeof fcw);
    memcpy(xsave + 24, mxcsr, sizeof mxcsr);
    xsave[512] = 1; /* XSTATE_BV: x87 differs from its initial state */
}

void x86_state_reset(struct x86_state *state)
{
    memset(state, 0, sizeof *state);
    state->gpr[X86_RDX] = 0x600; /* family 6 */
    state->rip = 0xfff0;
    state->rflags = X86_RF_FIXED1;
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        state->seg[i] = reset_seg(3, 1);
    state->seg[X86_CS].selector = 0xf000;
    state->seg[X86_CS].base = 0xffff0000;
    state->ldtr = reset_seg(2, 0);
    state->tr = reset_seg(11, 0);
    state->gdtr.limit = 0xffff;
    state->idtr.limit = 0xffff;
    state->cr0 = 0x60000010;
    state->xcr0 = 1;
    state->apic_base = 0xfee00900;
    state->dr[6] = 0xffff0ff0;
    state->dr[7] = 0x400;
    state->msr[X86_MSR_PAT] = UINT64_C(0x0007040600070406);
    state->msr[X86_MSR_MISC_ENABLE] = 1; /* fast strings */
    state->events.exception_vector = X86_NO_FAULT;
    reset_xsave(state->xsave);
}

void x86_state_init(struct x86_state *state)
{
    enum { CR0_CACHE = 0x60000000 };
    struct x86_state old = *state;

    x86_state_reset(state);
    state->cr0 = (state->cr0 & ~(uint64_t)CR0_CACHE) | (old.cr0 & CR0_CACHE);
    state->cr2 = 0;
    state->xcr0 = old.xcr0;
    state->apic_base = old.apic_base;
    state->tsc_offset = old.tsc_offset;
    memcpy(state->msr, old.msr, sizeof state->msr);
    memcpy(state->xsave, old.xsave, sizeof state->xsave);
}

void x86_state_start(struct x86_state *state, uint8_t vector)
{
    state->seg[X86_CS].selector = (uint16_t)(vector << 8);
    state->seg[X86_CS].base = (uint64_t)vector << 12;
    state->rip = 0;
    state->mp_state = X86_RUNNABLE;
}
