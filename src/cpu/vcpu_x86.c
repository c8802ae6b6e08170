/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/vcpu_x86.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/x86/state.h"
#include "cpu/vcpu.h"

enum { CR0_PE = 1, EFER_LMA = 1 << 10 };

/* ---------------------------------------------------------------- registers
 */

#define ROW(name, member, group)                                               \
    {                                                                          \
        name, offsetof(struct x86_state, member),                              \
            sizeof(((struct x86_state *)0)->member), VCPU_STATE_##group        \
    }
#define GPR(name, index) ROW(name, gpr[X86_##index], REGS)
#define SEG(name, index)                                                       \
    ROW(name, seg[X86_##index].selector, SREGS),                               \
        ROW(name "_base", seg[X86_##index].base, SREGS),                       \
        ROW(name "_limit", seg[X86_##index].limit, SREGS)
#define MSR(name, slot) ROW(name, msr[X86_MSR_##slot], MSRS)

/* clang-format off */
const struct vcpu_x86_reg vcpu_x86_regs[] = {
    GPR("rax", RAX), GPR("rcx", RCX), GPR("rdx", RDX), GPR("rbx", RBX),
    GPR("rsp", RSP), GPR("rbp", RBP), GPR("rsi", RSI), GPR("rdi", RDI),
    GPR("r8", R8), GPR("r9", R9), GPR("r10", R10), GPR("r11", R11),
    GPR("r12", R12), GPR("r13", R13), GPR("r14", R14), GPR("r15", R15),
    ROW("rip", rip, REGS), ROW("rflags", rflags, REGS),
    SEG("es", ES), SEG("cs", CS), SEG("ss", SS_SEG), SEG("ds", DS),
    SEG("fs", FS), SEG("gs", GS),
    ROW("ldtr", ldtr.selector, SREGS), ROW("ldtr_base", ldtr.base, SREGS),
    ROW("ldtr_limit", ldtr.limit, SREGS),
    ROW("tr", tr.selector, SREGS), ROW("tr_base", tr.base, SREGS),
    ROW("tr_limit", tr.limit, SREGS),
    ROW("gdtr_base", gdtr.base, SREGS), ROW("gdtr_limit", gdtr.limit, SREGS),
    ROW("idtr_base", idtr.base, SREGS), ROW("idtr_limit", idtr.limit, SREGS),
    ROW("cr0", cr0, SREGS), ROW("cr2", cr2, SREGS), ROW("cr3", cr3, SREGS),
    ROW("cr4", cr4, SREGS), ROW("cr8", cr8, SREGS),
    ROW("pdpte0", pdpte[0], SREGS), ROW("pdpte1", pdpte[1], SREGS),
    ROW("pdpte2", pdpte[2], SREGS), ROW("pdpte3", pdpte[3], SREGS),
    ROW("efer", efer, SREGS), ROW("apic_base", apic_base, SREGS),
    ROW("dr0", dr[0], DEBUG), ROW("dr1", dr[1], DEBUG),
    ROW("dr2", dr[2], DEBUG), ROW("dr3", dr[3], DEBUG),
    ROW("dr6", dr[6], DEBUG), ROW("dr7", dr[7], DEBUG),
    ROW("xcr0", xcr0, XCRS),
    ROW("tsc_offset", tsc_offset, MSRS),
    MSR("star", STAR), MSR("lstar", LSTAR), MSR("cstar", CSTAR),
    MSR("sfmask", SFMASK), MSR("kernel_gs_base", KERNEL_GS_BASE),
    MSR("sysenter_cs", SYSENTER_CS), MSR("sysenter_esp", SYSENTER_ESP),
    MSR("sysenter_eip", SYSENTER_EIP), MSR("tsc_aux", TSC_AUX),
    MSR("tsc_adjust", TSC_ADJUST), MSR("pat", PAT),
    MSR("misc_enable", MISC_ENABLE), MSR("debugctl", DEBUGCTL),
    MSR("xss", XSS), MSR("spec_ctrl", SPEC_CTRL),
    MSR("tsc_deadline", TSC_DEADLINE),
    ROW("exception", events.exception_vector, EVENTS),
    ROW("exception_error", events.exception_error, EVENTS),
    ROW("nmi_pending", events.nmi_pending, EVENTS),
    ROW("nmi_masked", events.nmi_masked, EVENTS),
    ROW("interrupt_shadow", events.shadow, EVENTS),
    ROW("mp_state", mp_state, MP),
};
/* clang-format on */

const size_t vcpu_x86_num_regs = SIM_ARRAY_LEN(vcpu_x86_regs);

const struct vcpu_x86_reg *vcpu_x86_find_reg(const char *name)
{
    for (size_t i = 0; i < vcpu_x86_num_regs; i++)
        if (!strcmp(vcpu_x86_regs[i].name, name))
            return &vcpu_x86_regs[i];
    return NULL;
}

uint64_t vcpu_x86_read_reg(const struct x86_state *state,
                           const struct vcpu_x86_reg *reg)
{
    uint64_t value = 0;

    memcpy(&value, (const char *)state + reg->offset, reg->size);
    return value;
}

void vcpu_x86_write_reg(struct x86_state *state, const struct vcpu_x86_reg *reg,
                        uint64_t value)
{
    memcpy((char *)state + reg->offset, &value, reg->size);
}

int vcpu_get_gpr(struct vcpu *vcpu, unsigned index, uint64_t *value)
{
    struct x86_state state;
    int error;

    if (index >= X86_NUM_GPRS)
        return -EINVAL;
    error = vcpu_get_state(vcpu, VCPU_STATE_REGS, &state);
    if (!error)
        *value = state.gpr[index];
    return error;
}

int vcpu_set_gpr(struct vcpu *vcpu, unsigned index, uint64_t value)
{
    struct x86_state state;
    int error;

    if (index >= X86_NUM_GPRS)
        return -EINVAL;
    error = vcpu_get_state(vcpu, VCPU_STATE_REGS, &state);
    if (error)
        return error;
    state.gpr[index] = value;
    return vcpu_set_state(vcpu, VCPU_STATE_REGS, &state);
}

int vcpu_set_return_value(struct vcpu *vcpu, uint64_t value)
{
    return vcpu_set_gpr(vcpu, X86_RAX, value);
}

int vcpu_get_rip(struct vcpu *vcpu, uint64_t *value)
{
    struct x86_state state;
    int error = vcpu_get_state(vcpu, VCPU_STATE_REGS, &state);

    if (!error)
        *value = state.rip;
    return error;
}

int vcpu_get_pc(struct vcpu *vcpu, uint64_t *value)
{
    struct x86_state state;
    int error =
        vcpu_get_state(vcpu, VCPU_STATE_REGS | VCPU_STATE_SREGS, &state);

    if (error)
        return error;
    *value = state.seg[X86_CS].base + state.rip;
    if (!(state.efer & EFER_LMA))
        *value = (uint32_t)*value;
    return 0;
}

int vcpu_get_mode(struct vcpu *vcpu, enum vcpu_x86_mode *mode)
{
    struct x86_state state;
    int error =
        vcpu_get_state(vcpu, VCPU_STATE_REGS | VCPU_STATE_SREGS, &state);

    if (!error)
        *mode = vcpu_x86_mode_of(&state);
    return error;
}

/* ------------------------------------------------------------------- modes */

static const char *const mode_names[VCPU_NUM_MODES] = {
    [VCPU_MODE_REAL] = "real",
    [VCPU_MODE_V86] = "virtual-8086",
    [VCPU_MODE_PROTECTED] = "protected",
    [VCPU_MODE_COMPATIBILITY] = "compatibility",
    [VCPU_MODE_64] = "64-bit",
};

const char *vcpu_x86_mode_name(enum vcpu_x86_mode mode)
{
    return (unsigned)mode < VCPU_NUM_MODES ? mode_names[mode] : "?";
}

enum vcpu_x86_mode vcpu_x86_mode_of(const struct x86_state *state)
{
    if (!(state->cr0 & CR0_PE))
        return VCPU_MODE_REAL;
    if (state->efer & EFER_LMA)
        return state->seg[X86_CS].l ? VCPU_MODE_64 : VCPU_MODE_COMPATIBILITY;
    return state->rflags & X86_VM ? VCPU_MODE_V86 : VCPU_MODE_PROTECTED;
}

/* RIP's width follows the size of the code segment. */
static uint64_t rip_mask(const struct x86_state *state)
{
    if (vcpu_x86_mode_of(state) == VCPU_MODE_64)
        return UINT64_MAX;
    return state->seg[X86_CS].db ? UINT32_MAX : UINT16_MAX;
}

int vcpu_advance_rip(struct vcpu *vcpu, unsigned len)
{
    static const uint32_t groups =
        VCPU_STATE_REGS | VCPU_STATE_SREGS | VCPU_STATE_EVENTS;
    struct x86_state state;
    int error = vcpu_get_state(vcpu, groups, &state);

    if (error)
        return error;
    state.rip = (state.rip + len) & rip_mask(&state);
    state.rflags &= ~(uint64_t)X86_RF;
    state.events.shadow = 0;
    return vcpu_set_state(vcpu, VCPU_STATE_REGS | VCPU_STATE_EVENTS, &state);
}

void vcpu_x86_start(struct x86_state *state, uint64_t entry, uint64_t arg)
{
    if (vcpu_x86_mode_of(state) == VCPU_MODE_REAL) {
        state->seg[X86_CS].selector = (uint16_t)(entry >> 4);
        state->seg[X86_CS].base = entry & ~UINT64_C(15);
        state->rip = entry & 15;
    } else {
        state->rip = (entry - state->seg[X86_CS].base) & rip_mask(state);
    }
    state->gpr[X86_RAX] = arg;
    state->events.shadow = 0;
    state->mp_state = X86_RUNNABLE;
}

/* ------------------------------------------------------------------- groups */

static void copy_sregs(struct x86_state *to, const struct x86_state *from)
{
    memcpy(to->seg, from->seg, sizeof to->seg);
    to->ldtr = from->ldtr;
    to->tr = from->tr;
    to->gdtr = from->gdtr;
    to->idtr = from->idtr;
    to->cr0 = from->cr0;
    to->cr2 = from->cr2;
    to->cr3 = from->cr3;
    to->cr4 = from->cr4;
    to->cr8 = from->cr8;
    memcpy(to->pdpte, from->pdpte, sizeof to->pdpte);
    to->efer = from->efer;
    to->apic_base = from->apic_base;
}

void vcpu_x86_copy(struct x86_state *to, const struct x86_state *from,
                   uint32_t groups)
{
    if (groups & VCPU_STATE_REGS) {
        memcpy(to->gpr, from->gpr, sizeof to->gpr);
        to->rip = from->rip;
        to->rflags = from->rflags;
    }
    if (groups & VCPU_STATE_SREGS)
        copy_sregs(to, from);
    if (groups & VCPU_STATE_XSAVE)
        memcpy(to->xsave, from->xsave, sizeof to->xsave);
    if (groups & VCPU_STATE_XCRS)
        to->xcr0 = from->xcr0;
    if (groups & VCPU_STATE_MSRS) {
        memcpy(to->msr, from->msr, sizeof to->msr);
        to->tsc_offset = from->tsc_offset;
    }
    if (groups & VCPU_STATE_DEBUG)
        memcpy(to->dr, from->dr, sizeof to->dr);
    if (groups & VCPU_STATE_EVENTS)
        to->events = from->events;
    if (groups & VCPU_STATE_MP)
        to->mp_state = from->mp_state;
}

/* --------------------------------------------------------------------- text
 */

static const struct {
    const char *title;
    uint32_t group;
} sections[] = {
    {"registers",            VCPU_STATE_REGS  },
    {"segments and control", VCPU_STATE_SREGS },
    {"debug",                VCPU_STATE_DEBUG },
    {"XCRs",                 VCPU_STATE_XCRS  },
    {"MSRs",                 VCPU_STATE_MSRS  },
    {"events",               VCPU_STATE_EVENTS},
    {"multiprocessor",       VCPU_STATE_MP    },
};

static void dump_group(const struct x86_state *state, uint32_t group, FILE *out)
{
    unsigned column = 0;

    for (size_t i = 0; i < vcpu_x86_num_regs; i++) {
        const struct vcpu_x86_reg *reg = &vcpu_x86_regs[i];

        if (reg->group != group)
            continue;
        (void)fprintf(out, "  %-16s %016" PRIx64, reg->name,
                      vcpu_x86_read_reg(state, reg));
        if (++column % 3 == 0)
            (void)fputc('\n', out);
    }
    if (column % 3)
        (void)fputc('\n', out);
}

/* Lines of zeros are left out. */
static void dump_xsave(const struct x86_state *state, FILE *out)
{
    static const uint8_t zero[16];

    (void)fprintf(out, "xsave\n");
    for (unsigned at = 0; at < X86_XSAVE_SIZE; at += sizeof zero) {
        if (!memcmp(state->xsave + at, zero, sizeof zero))
            continue;
        (void)fprintf(out, "  %04x ", at);
        for (unsigned i = 0; i < sizeof zero; i++)
            (void)fprintf(out, " %02x", state->xsave[at + i]);
        (void)fputc('\n', out);
    }
}

void vcpu_x86_dump_groups(const struct x86_state *state, uint32_t groups,
                          FILE *out)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(sections); i++) {
        if (!(groups & sections[i].group))
            continue;
        (void)fprintf(out, "%s\n", sections[i].title);
        dump_group(state, sections[i].group, out);
    }
    if (groups & VCPU_STATE_XSAVE)
        dump_xsave(state, out);
}

void vcpu_x86_dump(const struct x86_state *state, FILE *out)
{
    (void)fprintf(out, "mode %s\n",
                  vcpu_x86_mode_name(vcpu_x86_mode_of(state)));
    vcpu_x86_dump_groups(state, UINT32_MAX, out);
}

unsigned vcpu_x86_diff(const struct x86_state *before,
                       const struct x86_state *after, char *line, size_t size)
{
    unsigned changed = 0;
    size_t used = 0;

    line[0] = '\0';
    for (size_t i = 0; i < vcpu_x86_num_regs; i++) {
        const struct vcpu_x86_reg *reg = &vcpu_x86_regs[i];
        uint64_t from = vcpu_x86_read_reg(before, reg);
        uint64_t to = vcpu_x86_read_reg(after, reg);
        int len;

        if (from == to)
            continue;
        changed++;
        len = snprintf(line + used, size - used, "%s%s %" PRIx64 " -> %" PRIx64,
                       used ? ", " : "", reg->name, from, to);
        used = (size_t)len < size - used ? used + (size_t)len : size - 1;
    }
    return changed;
}
