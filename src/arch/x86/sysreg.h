/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control, debug and extended control registers: what may be written, and what
 * follows from a write.  Each returns false with the fault and nothing changed.
 * Source: [SDM] Vol. 3A, "Control Registers"; Vol. 3B, "Debug Registers".
 */
#ifndef ARCH_X86_SYSREG_H
#define ARCH_X86_SYSREG_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;

enum x86_cr0_bit {
    X86_CR0_PE = 1 << 0,
    X86_CR0_MP = 1 << 1,
    X86_CR0_EM = 1 << 2,
    X86_CR0_TS = 1 << 3,
    X86_CR0_ET = 1 << 4,
    X86_CR0_NE = 1 << 5,
    X86_CR0_WP = 1 << 16,
    X86_CR0_AM = 1 << 18,
    X86_CR0_NW = 1 << 29,
    X86_CR0_CD = 1 << 30,
};
#define X86_CR0_PG (UINT64_C(1) << 31)

enum x86_cr4_bit {
    X86_CR4_VME = 1 << 0,
    X86_CR4_PVI = 1 << 1,
    X86_CR4_TSD = 1 << 2,
    X86_CR4_DE = 1 << 3,
    X86_CR4_PSE = 1 << 4,
    X86_CR4_PAE = 1 << 5,
    X86_CR4_MCE = 1 << 6,
    X86_CR4_PGE = 1 << 7,
    X86_CR4_PCE = 1 << 8,
    X86_CR4_OSFXSR = 1 << 9,
    X86_CR4_OSXMMEXCPT = 1 << 10,
    X86_CR4_UMIP = 1 << 11,
    X86_CR4_FSGSBASE = 1 << 16,
    X86_CR4_PCIDE = 1 << 17,
    X86_CR4_OSXSAVE = 1 << 18,
    X86_CR4_SMEP = 1 << 20,
    X86_CR4_SMAP = 1 << 21,
    X86_CR4_PKE = 1 << 22,
};

enum x86_efer_bit {
    X86_EFER_SCE = 1 << 0,
    X86_EFER_LME = 1 << 8,
    X86_EFER_LMA = 1 << 10,
    X86_EFER_NXE = 1 << 11,
    X86_EFER_FFXSR = 1 << 14,
};

static inline bool x86_is_pae(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
    return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & X86_EFER_LMA);
}

/** x86_load_pdptes() - PAE paging's registers from the table at @cr3; false
 *  with #GP(0) and the old ones kept. [SDM] Vol. 3A, "PDPTE Registers". */
bool x86_load_pdptes(struct x86_core *core, uint64_t cr3,
                     struct x86_fault *fault);

/* @index: 0, 2, 3, 4 or 8; others are #UD */
bool x86_cr_write(struct x86_core *core, unsigned index, uint64_t value,
                  struct x86_fault *fault);
bool x86_cr_read(struct x86_core *core, unsigned index, uint64_t *value,
                 struct x86_fault *fault);
bool x86_dr_write(struct x86_core *core, unsigned index, uint64_t value,
                  struct x86_fault *fault);
bool x86_dr_read(struct x86_core *core, unsigned index, uint64_t *value,
                 struct x86_fault *fault);
bool x86_efer_write(struct x86_core *core, uint64_t value,
                    struct x86_fault *fault);
/* XSETBV; @index 0 is XCR0 */
bool x86_xcr_write(struct x86_core *core, uint32_t index, uint64_t value,
                   struct x86_fault *fault);
/* LMSW: PE may be set but not cleared. */
bool x86_lmsw(struct x86_core *core, uint16_t value, struct x86_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
