/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system calls that change mappings: mmap, munmap, mprotect, mremap, brk,
 * madvise.  All return an address or 0, or -errno.
 * Sources: mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2).
 */
#ifndef ARCH_X86_LINUX_MM_MAP_H
#define ARCH_X86_LINUX_MM_MAP_H

#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mm;
struct vm_object;

struct mm_map_request {
    uint64_t addr, len;
    uint32_t prot;            /* PROT_* */
    uint32_t map_flags;       /* MAP_* */
    uint32_t vma_flags;       /* extra enum vma_flag bits */
    struct vm_object *object; /* NULL: anonymous */
    uint64_t offset;
};

int64_t mm_map(struct mm *mm, const struct mm_map_request *asked);
SIM_MUST_CHECK int mm_unmap(struct mm *mm, uint64_t addr, uint64_t len);
SIM_MUST_CHECK int mm_protect(struct mm *mm, uint64_t addr, uint64_t len,
                              uint32_t prot);
int64_t mm_remap(struct mm *mm, uint64_t addr, const uint64_t asked[2],
                 uint32_t flags, uint64_t new_addr);
/* Returns the new break, or the old one if it cannot move. */
uint64_t mm_brk(struct mm *mm, uint64_t addr);
/** mm_set_flags() - set and clear enum vma_flag bits of what is mapped in
 *  [start, end), page boundaries. */
void mm_set_flags(struct mm *mm, uint64_t start, uint64_t end,
                  const uint32_t set_clear[2]);
/** mm_populate_range() - page in mappings of [start, end), which has no hole,
 *  as far as that works. */
void mm_populate_range(struct mm *mm, uint64_t start, uint64_t end);
/** mm_locked() - how much of [start, end) is locked [bytes]. */
uint64_t mm_locked(const struct mm *mm, uint64_t start, uint64_t end);
SIM_MUST_CHECK int mm_advise(struct mm *mm, uint64_t addr, uint64_t len,
                             int advice);

#ifdef __cplusplus
}
#endif

#endif
