/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of model-specific registers.  IA32_SPEC_CTRL has none: CPUID does
 * not offer it. */
#include "arch/x86/msr.h"

#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/segment.h"
#include "arch/x86/sysreg.h"

/* Numbers with a function of their own; beyond the range of an enum. */
#define MSR_TSC     0x10U
#define MSR_EFER    0xc0000080U
#define MSR_FS_BASE 0xc0000100U
#define MSR_GS_BASE 0xc0000101U

enum msr_rule {
    MSR_ANY,       /* every value */
    MSR_CANONICAL, /* #GP for a non-canonical address */
    MSR_LOW32,     /* upper half must be zero */
    MSR_PAT,       /* eight memory types */
    MSR_MTRR_DEF,  /* a memory type in the lowest byte */
    MSR_MTRR_BASE, /* a page's physical address and a memory type */
    MSR_MTRR_MASK, /* bits of a page's physical address, and bit 11 */
    MSR_READ_ONLY,
    MSR_ZERO,    /* what it controls is absent: reads as zero, keeps nothing */
    MSR_SPECIAL, /* has a function below */
};

struct msr_row {
    uint32_t index;
    uint8_t rule;
    uint16_t offset; /* in struct x86_state; unused if special */
    const char *name;
    uint64_t allowed; /* bits that may be written; 0: all */
};

#define MSR_SLOT(number, slot, name_, rule_, ...)                              \
    {                                                                          \
        .index = number, .rule = rule_, .name = name_,                         \
        .offset = offsetof(struct x86_state, msr) + 8 * (slot), __VA_ARGS__    \
    }
#define MSR_MEMBER(number, member, name_, rule_)                               \
    {                                                                          \
        .index = number, .rule = rule_, .name = name_,                         \
        .offset = offsetof(struct x86_state, member)                           \
    }
#define MSR_ABSENT(number, name_)                                              \
    {                                                                          \
        .index = number, .rule = MSR_ZERO, .name = name_                       \
    }
#define MSR_VAR_RANGE(n)                                                       \
    MSR_SLOT(0x200 + 2 * (n), X86_MSR_MTRR_VAR + 2 * (n),                      \
             "IA32_MTRR_PHYSBASE" #n, MSR_MTRR_BASE, .allowed = 0),            \
        MSR_SLOT(0x201 + 2 * (n), X86_MSR_MTRR_VAR + 2 * (n) + 1,              \
                 "IA32_MTRR_PHYSMASK" #n, MSR_MTRR_MASK, .allowed = 0)

/* clang-format off */
static const struct msr_row msr_table[] = {
    {.index = MSR_TSC, .rule = MSR_SPECIAL, .name = "IA32_TIME_STAMP_COUNTER"},
    MSR_MEMBER(0x1b, apic_base, "IA32_APIC_BASE", MSR_SPECIAL),
    MSR_SLOT(0x3b, X86_MSR_TSC_ADJUST, "IA32_TSC_ADJUST", MSR_SPECIAL, .allowed = 0),
    MSR_ABSENT(0x8b, "IA32_BIOS_SIGN_ID"),
    {.index = 0xfe, .rule = MSR_SPECIAL, .name = "IA32_MTRRCAP"},
    MSR_SLOT(0x174, X86_MSR_SYSENTER_CS, "IA32_SYSENTER_CS", MSR_LOW32, .allowed = 0),
    MSR_SLOT(0x175, X86_MSR_SYSENTER_ESP, "IA32_SYSENTER_ESP", MSR_CANONICAL, .allowed = 0),
    MSR_SLOT(0x176, X86_MSR_SYSENTER_EIP, "IA32_SYSENTER_EIP", MSR_CANONICAL, .allowed = 0),
    {.index = 0x179, .rule = MSR_SPECIAL, .name = "IA32_MCG_CAP"},
    MSR_ABSENT(0x17a, "IA32_MCG_STATUS"),
    MSR_SLOT(0x1a0, X86_MSR_MISC_ENABLE, "IA32_MISC_ENABLE", MSR_ANY, .allowed = 0),
    MSR_SLOT(0x1d9, X86_MSR_DEBUGCTL, "IA32_DEBUGCTL", MSR_ANY, .allowed = 3),
    MSR_VAR_RANGE(0), MSR_VAR_RANGE(1), MSR_VAR_RANGE(2), MSR_VAR_RANGE(3),
    MSR_VAR_RANGE(4), MSR_VAR_RANGE(5), MSR_VAR_RANGE(6), MSR_VAR_RANGE(7),
    MSR_SLOT(0x250, X86_MSR_MTRR_FIXED + 0, "IA32_MTRR_FIX64K_00000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x258, X86_MSR_MTRR_FIXED + 1, "IA32_MTRR_FIX16K_80000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x259, X86_MSR_MTRR_FIXED + 2, "IA32_MTRR_FIX16K_A0000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x268, X86_MSR_MTRR_FIXED + 3, "IA32_MTRR_FIX4K_C0000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x269, X86_MSR_MTRR_FIXED + 4, "IA32_MTRR_FIX4K_C8000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x26a, X86_MSR_MTRR_FIXED + 5, "IA32_MTRR_FIX4K_D0000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x26b, X86_MSR_MTRR_FIXED + 6, "IA32_MTRR_FIX4K_D8000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x26c, X86_MSR_MTRR_FIXED + 7, "IA32_MTRR_FIX4K_E0000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x26d, X86_MSR_MTRR_FIXED + 8, "IA32_MTRR_FIX4K_E8000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x26e, X86_MSR_MTRR_FIXED + 9, "IA32_MTRR_FIX4K_F0000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x26f, X86_MSR_MTRR_FIXED + 10, "IA32_MTRR_FIX4K_F8000", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x277, X86_MSR_PAT, "IA32_PAT", MSR_PAT, .allowed = 0),
    MSR_SLOT(0x2ff, X86_MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE", MSR_MTRR_DEF, .allowed = 0xcff),
    MSR_SLOT(0x6e0, X86_MSR_TSC_DEADLINE, "IA32_TSC_DEADLINE", MSR_ANY, .allowed = 0),
    MSR_SLOT(0xda0, X86_MSR_XSS, "IA32_XSS", MSR_READ_ONLY, .allowed = 0),
    {.index = MSR_EFER, .rule = MSR_SPECIAL, .name = "IA32_EFER"},
    MSR_SLOT(0xc0000081, X86_MSR_STAR, "IA32_STAR", MSR_ANY, .allowed = 0),
    MSR_SLOT(0xc0000082, X86_MSR_LSTAR, "IA32_LSTAR", MSR_CANONICAL, .allowed = 0),
    MSR_SLOT(0xc0000083, X86_MSR_CSTAR, "IA32_CSTAR", MSR_CANONICAL, .allowed = 0),
    MSR_SLOT(0xc0000084, X86_MSR_SFMASK, "IA32_FMASK", MSR_LOW32, .allowed = 0),
    {.index = MSR_FS_BASE, .rule = MSR_SPECIAL, .name = "IA32_FS_BASE"},
    {.index = MSR_GS_BASE, .rule = MSR_SPECIAL, .name = "IA32_GS_BASE"},
    MSR_SLOT(0xc0000102, X86_MSR_KERNEL_GS_BASE, "IA32_KERNEL_GS_BASE", MSR_CANONICAL, .allowed = 0),
    MSR_SLOT(0xc0000103, X86_MSR_TSC_AUX, "IA32_TSC_AUX", MSR_LOW32, .allowed = 0),
    MSR_ABSENT(0xc0010000, "PERF_CTL0"), MSR_ABSENT(0xc0010001, "PERF_CTL1"),
    MSR_ABSENT(0xc0010002, "PERF_CTL2"), MSR_ABSENT(0xc0010003, "PERF_CTL3"),
    MSR_ABSENT(0xc0010004, "PERF_CTR0"), MSR_ABSENT(0xc0010005, "PERF_CTR1"),
    MSR_ABSENT(0xc0010006, "PERF_CTR2"), MSR_ABSENT(0xc0010007, "PERF_CTR3"),
    MSR_ABSENT(0xc0010010, "SYSCFG"), MSR_ABSENT(0xc0010015, "HWCR"),
    MSR_ABSENT(0xc0011029, "DE_CFG"),
};
/* clang-format on */

static const struct msr_row *msr_find(uint32_t index)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(msr_table); i++) {
        if (msr_table[i].index == index)
            return &msr_table[i];
    }
    return NULL;
}

static uint64_t *msr_storage(struct x86_core *core, const struct msr_row *row)
{
    return (uint64_t *)(void *)((char *)x86_core_state(core) + row->offset);
}

uint64_t x86_tsc_read(struct x86_core *core)
{
    struct x86_env *env = x86_core_env(core);
    uint64_t base =
        env && env->read_tsc ? env->read_tsc(env, core) : x86_core_insts(core);

    return base + x86_core_state(core)->tsc_offset;
}

static uint64_t special_read(struct x86_core *core, uint32_t index)
{
    const struct x86_state *state = x86_core_state(core);

    switch (index) {
    case MSR_TSC:
        return x86_tsc_read(core);
    case 0x1b:
        return state->apic_base;
    case 0x3b:
        return state->msr[X86_MSR_TSC_ADJUST];
    case 0xfe: /* 8 variable ranges, fixed ranges, write combining */
        return 0x508;
    case MSR_EFER:
        return state->efer;
    case MSR_FS_BASE:
        return state->seg[X86_FS].base;
    case MSR_GS_BASE:
        return state->seg[X86_GS].base;
    default: /* IA32_MCG_CAP: no banks */
        return 0;
    }
}

bool x86_msr_read(struct x86_core *core, uint32_t index, uint64_t *value,
                  struct x86_fault *fault)
{
    struct x86_env *env = x86_core_env(core);

    if (env && env->msr_read && env->msr_read(env, core, index, value))
        return true;
    return x86_msr_read_own(core, index, value, fault);
}

bool x86_msr_read_own(struct x86_core *core, uint32_t index, uint64_t *value,
                      struct x86_fault *fault)
{
    const struct msr_row *row = msr_find(index);

    if (!row)
        return x86_fail(fault, X86_GP, 0);
    if (row->rule == MSR_SPECIAL)
        *value = special_read(core, index);
    else
        *value = row->rule == MSR_ZERO ? 0 : *msr_storage(core, row);
    return true;
}

/* [SDM] Vol. 3A, "Memory Type Range Registers": 2 and 3 are reserved, and so is
 * everything above 7; 7 (UC-) exists in PAT only. */
static bool is_memory_types(uint64_t value, uint32_t index)
{
    for (unsigned i = 0; i < 64; i += 8) {
        unsigned type = (unsigned)(value >> i) & 0xff;

        if (type > 7 || type == 2 || type == 3 || (type == 7 && index != 0x277))
            return false;
    }
    return true;
}

/* [SDM] Vol. 3A, "Variable Range MTRRs": reserved bits, those from MAXPHYADDR
 * on among them, are #GP. */
static bool is_in_page_frame(const struct x86_core *core, uint64_t value,
                             uint64_t flags)
{
    const struct x86_cpuid *cpuid = x86_core_cpuid(core);
    uint64_t limit = UINT64_C(1) << (cpuid ? x86_cpuid_phys_bits(cpuid) : 46);

    return value < limit && !(value & 0xfff & ~flags);
}

static bool is_value_allowed(const struct x86_core *core,
                             const struct msr_row *row, uint64_t value)
{
    if (row->allowed && (value & ~row->allowed))
        return false;
    switch ((enum msr_rule)row->rule) {
    case MSR_CANONICAL:
        return x86_is_canonical(value);
    case MSR_LOW32:
        return !(value >> 32);
    case MSR_PAT:
        return is_memory_types(value, row->index);
    case MSR_MTRR_DEF:
        return is_memory_types(value & 0xff, row->index);
    case MSR_MTRR_BASE:
        return is_memory_types(value & 0xff, row->index) &&
               is_in_page_frame(core, value, 0xff);
    case MSR_MTRR_MASK:
        return is_in_page_frame(core, value, 1 << 11);
    case MSR_READ_ONLY:
        return value == 0;
    case MSR_ANY:
    case MSR_ZERO:
    case MSR_SPECIAL:
        return true;
    }
    return false;
}

static bool write_seg_base(struct x86_core *core, enum x86_seg_name name,
                           uint64_t value, struct x86_fault *fault)
{
    if (!x86_is_canonical(value))
        return x86_fail(fault, X86_GP, 0);
    x86_core_state(core)->seg[name].base = value;
    x86_core_mode_changed(core);
    return true;
}

/* [SDM] Vol. 3A, "x2APIC State Transitions": x2APIC mode is entered from xAPIC
 * mode and left by disabling the APIC. */
static bool write_apic_base(struct x86_core *core, uint64_t value,
                            struct x86_fault *fault)
{
    enum { BSP = 1 << 8, X2 = 1 << 10, ENABLED = 1 << 11, FLAGS = 0xfff };
    const struct x86_cpuid *cpuid = x86_core_cpuid(core);
    uint64_t *base = &x86_core_state(core)->apic_base;
    uint64_t limit = UINT64_C(1) << (cpuid ? x86_cpuid_phys_bits(cpuid) : 46);

    if ((value & FLAGS & ~(uint64_t)(BSP | X2 | ENABLED)) || value >= limit ||
        ((value & X2) && !(value & ENABLED)) ||
        ((value & X2) && cpuid && !x86_cpuid_has(cpuid, X86_FEAT_X2APIC)) ||
        ((value & X2) && !(*base & ENABLED)) ||
        ((value & ENABLED) && (*base & X2) && !(value & X2)))
        return x86_fail(fault, X86_GP, 0);
    *base = value;
    x86_core_flush_tlb(core); /* another page may be the APIC's */
    x86_core_poke(core);
    return true;
}

static bool special_write(struct x86_core *core, uint32_t index, uint64_t value,
                          struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint64_t delta;

    switch (index) {
    case MSR_TSC: /* moves IA32_TSC_ADJUST along */
        delta = value - x86_tsc_read(core);
        state->tsc_offset += delta;
        state->msr[X86_MSR_TSC_ADJUST] += delta;
        return true;
    case 0x1b:
        return write_apic_base(core, value, fault);
    case 0x3b:
        state->tsc_offset += value - state->msr[X86_MSR_TSC_ADJUST];
        state->msr[X86_MSR_TSC_ADJUST] = value;
        return true;
    case MSR_EFER:
        return x86_efer_write(core, value, fault);
    case MSR_FS_BASE:
        return write_seg_base(core, X86_FS, value, fault);
    case MSR_GS_BASE:
        return write_seg_base(core, X86_GS, value, fault);
    default:
        return x86_fail(fault, X86_GP, 0); /* read-only */
    }
}

bool x86_msr_write(struct x86_core *core, uint32_t index, uint64_t value,
                   struct x86_fault *fault)
{
    struct x86_env *env = x86_core_env(core);

    if (env && env->msr_write && env->msr_write(env, core, index, value))
        return true;
    return x86_msr_write_own(core, index, value, fault);
}

bool x86_msr_write_own(struct x86_core *core, uint32_t index, uint64_t value,
                       struct x86_fault *fault)
{
    const struct msr_row *row = msr_find(index);

    if (!row || !is_value_allowed(core, row, value))
        return x86_fail(fault, X86_GP, 0);
    if (row->rule == MSR_SPECIAL)
        return special_write(core, index, value, fault);
    if (row->rule != MSR_ZERO)
        *msr_storage(core, row) = value;
    return true;
}

size_t x86_msr_count(void)
{
    return SIM_ARRAY_LEN(msr_table);
}

uint32_t x86_msr_index(size_t row)
{
    return msr_table[row].index;
}

const char *x86_msr_name(size_t row)
{
    return msr_table[row].name;
}
