/* SPDX-License-Identifier: BSD-3-Clause */
/* The soft TLB: direct-mapped arrays of data translations, one per view, and a
 * small one for fetches.  Device pages are never entered. */
#ifndef ARCH_X86_TLB_H
#define ARCH_X86_TLB_H

#include "arch/x86/core_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline struct x86_tlb_entry *x86_tlb_at(struct x86_core *core,
                                               uint64_t addr)
{
    return &core->tlb[(addr >> X86_PAGE_SHIFT) & (X86_TLB_SIZE - 1)];
}

/* Where a linear address is. */
struct x86_place {
    uint8_t *host; /* NULL: a device */
    uint64_t gpa;
    bool has_code; /* decoded code is on this page */
};

/**
 * x86_tlb_find() - translate for the current view, filling the TLB
 * @access: X86_ACCESS_READ or X86_ACCESS_WRITE
 * Returns: false with core->fault set.
 */
bool x86_tlb_find(struct x86_core *core, uint64_t addr, unsigned access,
                  struct x86_place *out);
/** x86_tlb_fetch() - guest physical address of code; false: core->fault. */
bool x86_tlb_fetch(struct x86_core *core, uint64_t addr, uint64_t *gpa);

/** x86_tlb_flush() - all translations, and the jumps that depend on them. */
void x86_tlb_flush(struct x86_core *core);
void x86_tlb_flush_page(struct x86_core *core, uint64_t addr);
/** x86_tlb_flush_jumps() - forget where code is, not where data is. */
void x86_tlb_flush_jumps(struct x86_core *core);
/** x86_tlb_forget_jumps() - the blocks alone: translations stay. */
void x86_tlb_forget_jumps(struct x86_core *core);
/** x86_tlb_protect() - code was decoded on this physical page: from now on
 *  writes to it take the slow path. */
void x86_tlb_protect(struct x86_core *core, uint64_t gpa);

#ifdef __cplusplus
}
#endif

#endif
