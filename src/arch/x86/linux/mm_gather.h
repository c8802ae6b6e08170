/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes to page tables that take something away, in the order that struct
 * mm_watch promises: entries first, then the watch is told, then frames are
 * given back.
 *
 *   start -> (replace | change | clean | table)* -> finish
 *
 * Many changes are told at once; very many in several portions.
 */
#ifndef ARCH_X86_LINUX_MM_GATHER_H
#define ARCH_X86_LINUX_MM_GATHER_H

#include <stdint.h>

#include "arch/x86/linux/pagetable.h"
#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mm;
struct mm_gone;

struct mm_gather {
    struct mm *mm;
    uint64_t start, end;  /* to be told; start >= end: nothing */
    struct mm_gone *gone; /* to be done after that */
    uint32_t num_gone, max_gone;
    int error; /* first one of writing to a file */
};

void mm_gather_start(struct mm_gather *gather, struct mm *mm);
/** mm_gather_replace() - a new value for the entry; the reference on the old
 *  frame is given back, a page that was written through a shared mapping goes
 *  to its file. */
void mm_gather_replace(struct mm_gather *gather,
                       const struct pagetable_leaf *leaf, uint64_t value);
/** mm_gather_change() - change bits, as pagetable_change(); references stay.
 *  Returns: the old value. */
uint64_t mm_gather_change(struct mm_gather *gather,
                          const struct pagetable_leaf *leaf, uint64_t keep,
                          uint64_t bits);
/** mm_gather_clean() - the page is not dirty any more and goes to its file. */
void mm_gather_clean(struct mm_gather *gather,
                     const struct pagetable_leaf *leaf);
/** mm_gather_table() - a table that covered @addr was taken out. */
void mm_gather_table(struct mm_gather *gather, uint64_t addr, gpa_t table);
/** mm_gather_finish() - tell, then let go.
 *  Returns: 0, or -errno of the first page that could not be written. */
int mm_gather_finish(struct mm_gather *gather);

#ifdef __cplusplus
}
#endif

#endif
