/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 4-level page tables in guest RAM, written by the simulator in the place of a
 * kernel and read by the core's walker and by KVM.
 * Sources: [SDM] Vol. 3A, "4-Level Paging and 5-Level Paging".
 */
#ifndef ARCH_X86_LINUX_PAGETABLE_H
#define ARCH_X86_LINUX_PAGETABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct frames;

#define PTE_PRESENT UINT64_C(0x001)
#define PTE_WRITE   UINT64_C(0x002)
#define PTE_USER    UINT64_C(0x004)
#define PTE_ACCESS  UINT64_C(0x020)
#define PTE_DIRTY   UINT64_C(0x040)
#define PTE_LARGE   UINT64_C(0x080) /* in a level-2 entry: maps 2 MiB */
/* Ignored by hardware: the entry owns a frame although it is not present
 * (a page without access rights keeps its content). */
#define PTE_HELD UINT64_C(0x400)
#define PTE_NX   (UINT64_C(1) << 63)
#define PTE_ADDR UINT64_C(0x000ffffffffff000)

struct pagetable {
    struct frames *frames;
    gpa_t root; /* value for CR3 */
};

/* An entry that owns a frame or a large page. */
struct pagetable_leaf {
    uint64_t addr; /* linear address of the page */
    uint64_t size; /* 4 KiB or 2 MiB */
    uint64_t *entry;
};

/** pagetable_create() - false if guest RAM is full. */
bool pagetable_create(struct pagetable *pt, struct frames *frames);
/* Frees the tables; the pages they map must be gone. */
void pagetable_destroy(struct pagetable *pt);

/** pagetable_find() - the leaf that covers @addr; false if there is none. */
bool pagetable_find(const struct pagetable *pt, uint64_t addr,
                    struct pagetable_leaf *leaf);
/** pagetable_next() - the first leaf that reaches beyond @addr, below @end. */
bool pagetable_next(const struct pagetable *pt, uint64_t addr, uint64_t end,
                    struct pagetable_leaf *leaf);
/**
 * pagetable_slot() - the entry for a page of @size at @addr, made if needed
 *
 * For 2 MiB an empty level-1 table in the way is freed.
 * Returns: NULL if guest RAM is full, or if 4 KiB pages are in the way of a
 * large page, or a large page in the way of a small one.
 */
uint64_t *pagetable_slot(struct pagetable *pt, uint64_t addr, uint64_t size);
/** pagetable_split() - replace a large page by 512 small ones.
 *  Returns: false if guest RAM is full. */
bool pagetable_split(struct pagetable *pt, const struct pagetable_leaf *leaf);

/** pagetable_claim() - count the references of the tables to frames, and to
 *  the tables themselves: frames_claim().
 *  Returns: false if they cannot be page tables of this allocator. */
bool pagetable_claim(const struct pagetable *pt);

static inline gpa_t pagetable_frame(uint64_t entry)
{
    gpa_t addr = {entry & PTE_ADDR};

    return addr;
}

#ifdef __cplusplus
}
#endif

#endif
