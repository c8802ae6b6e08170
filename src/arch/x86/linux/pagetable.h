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
    /* Gives back a table that was taken out at @addr, once no processor walks
     * it any more; NULL: nobody does. */
    void (*retire)(struct pagetable *pt, uint64_t addr, gpa_t table);
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
/** pagetable_take_tables() - take all tables apart and hand over their frames,
 *  in the place of pagetable_destroy(). */
void pagetable_take_tables(struct pagetable *pt,
                           void (*take)(void *ctx, gpa_t table), void *ctx);

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

/* Processors on other host threads may walk the tables and set bits in them
 * while they change: entries are written whole.
 * Source: [SDM] Vol. 3A, "Accessed and Dirty Flags". */

/* What the entry points to must be complete before. */
static inline void pagetable_set(uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/** pagetable_swap() - Returns: the old value, with its last dirty bit. */
static inline uint64_t pagetable_swap(uint64_t *entry, uint64_t value)
{
    return __atomic_exchange_n(entry, value, __ATOMIC_ACQ_REL);
}

/** pagetable_change() - leave the bits of @keep, then set @bits.
 *  Returns: the old value. */
static inline uint64_t pagetable_change(uint64_t *entry, uint64_t keep,
                                        uint64_t bits)
{
    uint64_t old = __atomic_load_n(entry, __ATOMIC_RELAXED);

    while (!__atomic_compare_exchange_n(entry, &old, (old & keep) | bits, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
    return old;
}

#ifdef __cplusplus
}
#endif

#endif
