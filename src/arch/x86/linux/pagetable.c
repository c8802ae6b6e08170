/* SPDX-License-Identifier: BSD-3-Clause */
/* Walks and builds the four levels; entries of tables are always writable and
 * user-accessible, rights are decided at the leaf. */
#include "arch/x86/linux/pagetable.h"

#include <stddef.h>

#include "arch/x86/linux/frames.h"

enum { LEVELS = 4, ENTRIES = 512 };

/* There are no canonical addresses in between. */
#define LOWER_HALF_END   UINT64_C(0x0000800000000000)
#define UPPER_HALF_START UINT64_C(0xffff800000000000)

static const uint64_t table_bits = PTE_PRESENT | PTE_WRITE | PTE_USER;

/* Bytes that one entry of a table at @level (1 to 4) covers. */
static uint64_t pagetable_span(unsigned level)
{
    return UINT64_C(1) << (FRAME_SHIFT + 9 * (level - 1));
}

static uint64_t *pagetable_table(const struct pagetable *pt, gpa_t addr)
{
    return (uint64_t *)(void *)frames_host(pt->frames, addr);
}

static unsigned pagetable_index(uint64_t addr, unsigned level)
{
    return (unsigned)(addr / pagetable_span(level)) % ENTRIES;
}

bool pagetable_create(struct pagetable *pt, struct frames *frames)
{
    pt->frames = frames;
    pt->retire = NULL;
    return frames_alloc(frames, &pt->root);
}

struct pagetable_taker {
    void (*take)(void *ctx, gpa_t table);
    void *ctx;
};

static void pagetable_take_level(struct pagetable *pt, gpa_t addr,
                                 unsigned level,
                                 const struct pagetable_taker *taker)
{
    uint64_t *table = pagetable_table(pt, addr);

    for (unsigned i = 0; level > 1 && i < ENTRIES; i++) {
        uint64_t entry = pagetable_swap(&table[i], 0);

        if ((entry & PTE_PRESENT) && !(entry & PTE_LARGE))
            pagetable_take_level(pt, pagetable_frame(entry), level - 1, taker);
    }
    taker->take(taker->ctx, addr);
}

void pagetable_take_tables(struct pagetable *pt,
                           void (*take)(void *ctx, gpa_t table), void *ctx)
{
    const struct pagetable_taker taker = {take, ctx};

    pagetable_take_level(pt, pt->root, LEVELS, &taker);
    pt->root.v = 0;
}

static void pagetable_unref_table(void *ctx, gpa_t table)
{
    frames_unref(ctx, table);
}

void pagetable_destroy(struct pagetable *pt)
{
    pagetable_take_tables(pt, pagetable_unref_table, pt->frames);
}

static bool pagetable_is_leaf(uint64_t entry, unsigned level)
{
    if (level == 1)
        return (entry & (PTE_PRESENT | PTE_HELD)) != 0;
    return level == 2 && (entry & PTE_LARGE) &&
           (entry & (PTE_PRESENT | PTE_HELD));
}

bool pagetable_next(const struct pagetable *pt, uint64_t addr, uint64_t end,
                    struct pagetable_leaf *leaf)
{
    while (addr < end) {
        uint64_t *table = pagetable_table(pt, pt->root);
        unsigned level = LEVELS;
        uint64_t *entry = &table[pagetable_index(addr, level)];
        uint64_t span;

        while (level > 1 && (*entry & PTE_PRESENT) && !(*entry & PTE_LARGE)) {
            table = pagetable_table(pt, pagetable_frame(*entry));
            level--;
            entry = &table[pagetable_index(addr, level)];
        }
        span = pagetable_span(level);
        if (pagetable_is_leaf(*entry, level)) {
            leaf->addr = addr & ~(span - 1);
            leaf->size = span;
            leaf->entry = entry;
            return true;
        }
        if ((addr & ~(span - 1)) > UINT64_MAX - span)
            return false; /* the last entry of the address space */
        addr = (addr & ~(span - 1)) + span;
        if (addr == LOWER_HALF_END)
            addr = UPPER_HALF_START;
    }
    return false;
}

bool pagetable_find(const struct pagetable *pt, uint64_t addr,
                    struct pagetable_leaf *leaf)
{
    return pagetable_next(pt, addr, addr + 1, leaf);
}

/* Free an empty level-1 table that is in the way of a large page. */
static bool pagetable_clear_table(struct pagetable *pt, uint64_t addr,
                                  uint64_t *entry)
{
    const uint64_t *table;
    gpa_t frame;

    if (*entry & PTE_LARGE)
        return true;
    if (!(*entry & PTE_PRESENT))
        return true;
    table = pagetable_table(pt, pagetable_frame(*entry));
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (table[i])
            return false;
    }
    frame = pagetable_frame(pagetable_swap(entry, 0));
    if (pt->retire)
        pt->retire(pt, addr, frame);
    else
        frames_unref(pt->frames, frame);
    return true;
}

uint64_t *pagetable_slot(struct pagetable *pt, uint64_t addr, uint64_t size)
{
    unsigned target = size == FRAME_HUGE_SIZE ? 2 : 1;
    uint64_t *table = pagetable_table(pt, pt->root);
    uint64_t *entry = &table[pagetable_index(addr, LEVELS)];

    for (unsigned level = LEVELS; level > target; level--) {
        if (*entry & PTE_LARGE)
            return NULL;
        if (!(*entry & PTE_PRESENT)) {
            gpa_t frame;

            if (!frames_alloc(pt->frames, &frame))
                return NULL;
            pagetable_set(entry, frame.v | table_bits);
        }
        table = pagetable_table(pt, pagetable_frame(*entry));
        entry = &table[pagetable_index(addr, level - 1)];
    }
    if (target == 2 && !pagetable_clear_table(pt, addr, entry))
        return NULL;
    return entry;
}

bool pagetable_split(struct pagetable *pt, const struct pagetable_leaf *leaf)
{
    uint64_t bits = *leaf->entry & ~(PTE_ADDR | PTE_LARGE);
    uint64_t base = pagetable_frame(*leaf->entry).v;
    uint64_t *table;
    gpa_t frame;

    if (!frames_alloc(pt->frames, &frame))
        return false;
    table = pagetable_table(pt, frame);
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = (base + (uint64_t)i * FRAME_SIZE) | bits;
    /* The dirty bit may be late; only shared pages use it, which are small. */
    pagetable_set(leaf->entry, frame.v | table_bits);
    return true;
}

static bool pagetable_claim_level(const struct pagetable *pt, gpa_t addr,
                                  unsigned level)
{
    const uint64_t *table;

    /* A table is in one place of one address space. */
    if ((addr.v & (FRAME_SIZE - 1)) || !frames_claim(pt->frames, addr, 1) ||
        !frames_is_sole(pt->frames, addr, 1))
        return false;
    table = pagetable_table(pt, addr);
    for (unsigned i = 0; i < ENTRIES; i++) {
        gpa_t frame = pagetable_frame(table[i]);
        bool is_good = true;

        if (pagetable_is_leaf(table[i], level))
            is_good = /* devices are not counted */
                !frames_is_ram(pt->frames, frame) ||
                frames_claim(pt->frames, frame,
                             (uint32_t)(pagetable_span(level) / FRAME_SIZE));
        else if (table[i] & PTE_PRESENT)
            is_good = level > 1 && !(table[i] & PTE_LARGE) &&
                      pagetable_claim_level(pt, frame, level - 1);
        if (!is_good)
            return false;
    }
    return true;
}

bool pagetable_claim(const struct pagetable *pt)
{
    return pagetable_claim_level(pt, pt->root, LEVELS);
}
