/* SPDX-License-Identifier: BSD-3-Clause */
/* Control, debug and extended control registers. */
#include "arch/x86/sysreg.h"

#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/segment.h"
#include "arch/x86/vmem.h"

enum { DR7_GD = 1 << 13, DR7_FIXED1 = 1 << 10, DR_BD = 1 << 13 };

/* Feature bits of CR4 and what the CPU must offer for them. */
struct cr4_rule {
    uint64_t bit;
    enum x86_feature feature;
};
static const struct cr4_rule cr4_rules[] = {
    {X86_CR4_VME,        X86_FEAT_VME     },
    {X86_CR4_PVI,        X86_FEAT_VME     },
    {X86_CR4_TSD,        X86_FEAT_TSC     },
    {X86_CR4_DE,         X86_FEAT_DE      },
    {X86_CR4_PSE,        X86_FEAT_PSE     },
    {X86_CR4_PAE,        X86_FEAT_PAE     },
    {X86_CR4_MCE,        X86_FEAT_MCE     },
    {X86_CR4_PGE,        X86_FEAT_PGE     },
    {X86_CR4_OSFXSR,     X86_FEAT_FXSR    },
    {X86_CR4_OSXMMEXCPT, X86_FEAT_SSE     },
    {X86_CR4_UMIP,       X86_FEAT_UMIP    },
    {X86_CR4_FSGSBASE,   X86_FEAT_FSGSBASE},
    {X86_CR4_PCIDE,      X86_FEAT_PCID    },
    {X86_CR4_OSXSAVE,    X86_FEAT_XSAVE   },
    {X86_CR4_SMEP,       X86_FEAT_SMEP    },
    {X86_CR4_SMAP,       X86_FEAT_SMAP    },
    {X86_CR4_PKE,        X86_FEAT_PKU     },
};

static uint64_t cr4_allowed(const struct x86_cpuid *cpuid)
{
    uint64_t allowed = X86_CR4_PCE;

    for (unsigned i = 0; i < SIM_ARRAY_LEN(cr4_rules); i++) {
        if (!cpuid || x86_cpuid_has(cpuid, cr4_rules[i].feature))
            allowed |= cr4_rules[i].bit;
    }
    return allowed;
}

static bool gp0(struct x86_fault *fault)
{
    return x86_fail(fault, X86_GP, 0);
}

bool x86_load_pdptes(struct x86_core *core, uint64_t cr3,
                     struct x86_fault *fault)
{
    struct x86_paging paging;

    x86_core_paging(core, &paging);
    return x86_mmu_read_pdptes(x86_core_mem(core), cr3, paging.phys_bits,
                               x86_core_state(core)->pdpte) ||
           gp0(fault);
}

/* [SDM] Vol. 3A, "Initializing IA-32e Mode". */
static bool enable_paging(struct x86_core *core, uint64_t *efer,
                          struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);

    if (*efer & X86_EFER_LME) {
        if (!(state->cr4 & X86_CR4_PAE) || state->seg[X86_CS].l)
            return gp0(fault);
        *efer |= X86_EFER_LMA;
        return true;
    }
    return !(state->cr4 & X86_CR4_PCIDE) || gp0(fault);
}

static bool write_cr0(struct x86_core *core, uint64_t value,
                      struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint64_t changed, efer = state->efer;

    if (value >> 32)
        return gp0(fault);
    value = (value & 0xe005003f) | X86_CR0_ET;
    if (((value & X86_CR0_PG) && !(value & X86_CR0_PE)) ||
        ((value & X86_CR0_NW) && !(value & X86_CR0_CD)))
        return gp0(fault);
    changed = value ^ state->cr0;
    if (changed & value & X86_CR0_PG) {
        if (!enable_paging(core, &efer, fault))
            return false;
    } else if (changed & X86_CR0_PG) {
        if (x86_in_64bit_mode(state) || (state->cr4 & X86_CR4_PCIDE))
            return gp0(fault);
        efer &= ~(uint64_t)X86_EFER_LMA;
    }
    if ((changed & (X86_CR0_CD | X86_CR0_NW | X86_CR0_PG)) &&
        x86_is_pae(value, state->cr4, efer) &&
        !x86_load_pdptes(core, state->cr3, fault))
        return false;
    state->cr0 = value;
    state->efer = efer;
    if (changed & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE))
        x86_core_flush_tlb(core);
    x86_core_mode_changed(core);
    return true;
}

static bool write_cr3(struct x86_core *core, uint64_t value,
                      struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    const struct x86_cpuid *cpuid = x86_core_cpuid(core);
    unsigned bits = cpuid ? x86_cpuid_phys_bits(cpuid) : 46;

    if (state->cr4 & X86_CR4_PCIDE)
        value &= ~(UINT64_C(1) << 63); /* keep translations: a hint */
    if (x86_in_long_mode(state) && (value >> bits))
        return gp0(fault);
    if (x86_is_pae(state->cr0, state->cr4, state->efer) &&
        !x86_load_pdptes(core, value, fault))
        return false;
    state->cr3 = value;
    x86_core_flush_tlb(core);
    return true;
}

static bool write_cr4(struct x86_core *core, uint64_t value,
                      struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint64_t changed = value ^ state->cr4;

    if (value & ~cr4_allowed(x86_core_cpuid(core)))
        return gp0(fault);
    if (x86_in_long_mode(state) && !(value & X86_CR4_PAE))
        return gp0(fault);
    if ((changed & value & X86_CR4_PCIDE) &&
        (!x86_in_long_mode(state) || (state->cr3 & 0xfff)))
        return gp0(fault);
    if ((changed & (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)) &&
        x86_is_pae(state->cr0, value, state->efer) &&
        !x86_load_pdptes(core, state->cr3, fault))
        return false;
    state->cr4 = value;
    if (changed & (X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE |
                   X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE))
        x86_core_flush_tlb(core);
    x86_core_mode_changed(core);
    return true;
}

bool x86_cr_write(struct x86_core *core, unsigned index, uint64_t value,
                  struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);

    switch (index) {
    case 0:
        return write_cr0(core, value, fault);
    case 2:
        state->cr2 = value;
        return true;
    case 3:
        return write_cr3(core, value, fault);
    case 4:
        return write_cr4(core, value, fault);
    case 8:
        if (value >> 4)
            return gp0(fault);
        state->cr8 = value;
        x86_core_poke(core); /* a lower priority may admit an interrupt */
        return true;
    default:
        return x86_fail_plain(fault, X86_UD);
    }
}

bool x86_cr_read(struct x86_core *core, unsigned index, uint64_t *value,
                 struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);

    switch (index) {
    case 0:
        *value = state->cr0;
        return true;
    case 2:
        *value = state->cr2;
        return true;
    case 3:
        *value = state->cr3;
        return true;
    case 4:
        *value = state->cr4;
        return true;
    case 8:
        *value = state->cr8;
        return true;
    default:
        return x86_fail_plain(fault, X86_UD);
    }
}

bool x86_lmsw(struct x86_core *core, uint16_t value, struct x86_fault *fault)
{
    uint64_t cr0 = x86_core_state(core)->cr0;

    cr0 = (cr0 & ~UINT64_C(0xe)) | (value & 0xf);
    return x86_cr_write(core, 0, cr0, fault);
}

/* DR4 and DR5 are DR6 and DR7, or #UD with CR4.DE.  General detect (DR7.GD)
 * raises #DB before the access. */
static bool map_dr(struct x86_core *core, unsigned *index,
                   struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);

    if (*index > 7)
        return x86_fail_plain(fault, X86_UD);
    if (*index == 4 || *index == 5) {
        if (state->cr4 & X86_CR4_DE)
            return x86_fail_plain(fault, X86_UD);
        *index += 2;
    }
    if (state->dr[7] & DR7_GD) {
        (void)x86_fail_plain(fault, X86_DB);
        fault->addr = DR_BD;
        return false;
    }
    return true;
}

bool x86_dr_write(struct x86_core *core, unsigned index, uint64_t value,
                  struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);

    if (!map_dr(core, &index, fault))
        return false;
    if (index >= 6 && (value >> 32))
        return gp0(fault);
    if (index == 6)
        value = (value & 0xe00f) | 0xffff0ff0;
    if (index == 7)
        value = (value & 0xffff2bff) | DR7_FIXED1;
    state->dr[index] = value;
    x86_core_mode_changed(core);
    return true;
}

bool x86_dr_read(struct x86_core *core, unsigned index, uint64_t *value,
                 struct x86_fault *fault)
{
    if (!map_dr(core, &index, fault))
        return false;
    *value = x86_core_state(core)->dr[index];
    return true;
}

bool x86_efer_write(struct x86_core *core, uint64_t value,
                    struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    uint64_t allowed =
        X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE;

    if (value & ~allowed)
        return gp0(fault);
    if (((value ^ state->efer) & X86_EFER_LME) && (state->cr0 & X86_CR0_PG))
        return gp0(fault);
    /* LMA is read-only. */
    value = (value & ~(uint64_t)X86_EFER_LMA) | (state->efer & X86_EFER_LMA);
    if ((value ^ state->efer) & X86_EFER_NXE)
        x86_core_flush_tlb(core);
    state->efer = value;
    x86_core_mode_changed(core);
    return true;
}

/* [SDM] Vol. 1, "Enabling the XSAVE Feature Set and XSAVE-Enabled Features". */
bool x86_xcr_write(struct x86_core *core, uint32_t index, uint64_t value,
                   struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    const struct x86_cpuid *cpuid = x86_core_cpuid(core);
    uint64_t allowed = cpuid ? x86_cpuid_xcr0_mask(cpuid) : 7;
    uint64_t avx512 = value & 0xe0;

    if (x86_cpl(state) != 0 || index != 0 || (value & ~allowed) ||
        !(value & 1) || ((value & 4) && !(value & 2)) ||
        (avx512 && (avx512 != 0xe0 || !(value & 4))))
        return gp0(fault);
    state->xcr0 = value;
    x86_core_mode_changed(core);
    return true;
}
