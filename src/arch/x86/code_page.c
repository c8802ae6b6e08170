/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which physical pages hold decoded code, and whether it is still what was
 * decoded.  Sources: [SDM] Vol. 3A, "Self-Modifying Code"; [XXH].
 */
#include "arch/x86/code_page.h"

#include <xxhash.h>

#include "arch/x86/block.h"
#include "base/alloc.h"
#include "base/compiler.h"
#include "mem/physmem.h"

enum { GRANULE_SHIFT = 6, GRANULE = 1 << GRANULE_SHIFT };

static struct x86_code_page **slot_of(const struct x86_code_pages *pages,
                                      uint64_t gpa)
{
    size_t index = (gpa >> X86_PAGE_SHIFT) & (X86_CODE_PAGE_SLOTS - 1);
    struct x86_code_page **link = (struct x86_code_page **)&pages->slots[index];

    while (*link && (*link)->gpa != (gpa & X86_PAGE_MASK))
        link = &(*link)->next;
    return link;
}

void x86_code_pages_free(struct x86_code_pages *pages)
{
    for (size_t i = 0; i < X86_CODE_PAGE_SLOTS; i++) {
        while (pages->slots[i]) {
            struct x86_code_page *page = pages->slots[i];

            pages->slots[i] = page->next;
            mem_free(page);
        }
    }
    pages->unsummed = NULL;
}

bool x86_code_pages_have(const struct x86_code_pages *pages, uint64_t gpa)
{
    const struct x86_code_page *page = *slot_of(pages, gpa);

    return page && page->blocks;
}

/* ----------------------------------------------------------------- granules */

static uint64_t granules_of(uint64_t gpa, uint64_t len)
{
    unsigned first = (gpa & ~X86_PAGE_MASK) >> GRANULE_SHIFT;
    unsigned last = ((gpa + len - 1) & ~X86_PAGE_MASK) >> GRANULE_SHIFT;

    return (UINT64_MAX >> (63 - last)) & (UINT64_MAX << first);
}

static uint64_t first_part(const struct x86_block *block)
{
    uint64_t room = X86_PAGE_SIZE - (block->gpa & ~X86_PAGE_MASK);

    return block->num_bytes < room ? block->num_bytes : room;
}

static unsigned which_page(const struct x86_block *block, uint64_t page)
{
    return block->next_page == page && (block->gpa & X86_PAGE_MASK) != page;
}

/* The bytes of @block on one of its pages. */
static void part_on(const struct x86_block *block, unsigned which,
                    uint64_t *start, uint64_t *len)
{
    *start = which ? block->next_page : block->gpa;
    *len = which ? block->num_bytes - first_part(block) : first_part(block);
}

/* ---------------------------------------------------------------- checksums */

/* The bytes or what of them matters changed. */
static void drop_sum(struct x86_code_pages *pages, struct x86_code_page *page)
{
    if (page->is_unsummed)
        return;
    page->is_unsummed = true;
    page->next_unsummed = pages->unsummed;
    pages->unsummed = page;
}

/* One hash per run of granules; what is not code may change. */
static uint64_t sum_of(const struct x86_code_pages *pages,
                       const struct x86_code_page *page)
{
    const uint8_t *host =
        physmem_host(pages->mem, (gpa_t){page->gpa}, X86_PAGE_SIZE);
    uint64_t left = page->granules, sum = 0;

    while (host && left) {
        unsigned first = (unsigned)__builtin_ctzll(left);
        uint64_t behind = ~(left >> first); /* 0: all granules are code */
        unsigned num = behind ? (unsigned)__builtin_ctzll(behind) : 64;

        sum =
            (sum << 7 | sum >> 57) ^
            XXH3_64bits(host + (size_t)first * GRANULE, (size_t)num * GRANULE);
        left &= num == 64 ? 0 : ~(((UINT64_C(1) << num) - 1) << first);
    }
    return sum;
}

/* ------------------------------------------------------------------- blocks */

/* Kill the blocks that overlap [start, end); rebuild the list. */
static bool kill_overlapping(struct x86_code_pages *pages,
                             struct x86_code_page *page, uint64_t start,
                             uint64_t end)
{
    struct x86_block **link = &page->blocks;
    bool found = false;

    page->granules = 0;
    while (*link) {
        struct x86_block *block = *link;
        unsigned which = which_page(block, page->gpa);
        uint64_t from, len;

        part_on(block, which, &from, &len);
        if (!block->is_dead && from < end && start < from + len) {
            x86_cache_kill(pages->cache, block);
            found = true;
        }
        if (block->is_dead) {
            *link = block->page_next[which];
        } else {
            page->granules |= granules_of(from, len);
            link = &block->page_next[which];
        }
    }
    return found;
}

static bool kill_all(struct x86_code_pages *pages, struct x86_code_page *page)
{
    drop_sum(pages, page);
    page->epoch = pages->epoch;
    return kill_overlapping(pages, page, page->gpa, page->gpa + X86_PAGE_SIZE);
}

static bool check(struct x86_code_pages *pages, struct x86_code_page *page)
{
    if (page->is_unsummed || sum_of(pages, page) != page->sum)
        return kill_all(pages, page);
    page->epoch = pages->epoch;
    return false;
}

void x86_code_page_check(struct x86_code_pages *pages, uint64_t gpa)
{
    struct x86_code_page *page = *slot_of(pages, gpa);

    if (page && page->epoch != pages->epoch)
        (void)check(pages, page);
}

static struct x86_code_page *make_page(struct x86_code_pages *pages,
                                       uint64_t gpa)
{
    struct x86_code_page **slot = slot_of(pages, gpa);
    struct x86_code_page *page = *slot;

    if (page)
        return page;
    page = alloc_zeroed(1, sizeof(*page));
    page->gpa = gpa & X86_PAGE_MASK;
    page->epoch = pages->epoch;
    *slot = page;
    return page;
}

bool x86_code_page_add(struct x86_code_pages *pages, struct x86_block *block,
                       unsigned which)
{
    struct x86_code_page *page;
    uint64_t start, len, granules;
    bool is_first;

    part_on(block, which, &start, &len);
    page = make_page(pages, start);
    if (page->epoch != pages->epoch)
        (void)check(pages, page);
    granules = page->granules | granules_of(start, len);
    if (granules != page->granules)
        drop_sum(pages, page);
    is_first = !page->blocks;
    page->granules = granules;
    block->page_next[which] = page->blocks;
    page->blocks = block;
    return is_first;
}

bool x86_code_page_written(struct x86_code_pages *pages, uint64_t gpa,
                           uint64_t len)
{
    struct x86_code_page *page = *slot_of(pages, gpa);

    if (!page || !(page->granules & granules_of(gpa, len)))
        return false;
    if (page->epoch != pages->epoch) /* it is too late to compare */
        return kill_all(pages, page);
    drop_sum(pages, page);
    return kill_overlapping(pages, page, gpa, gpa + len);
}

/* ------------------------------------------------------ changes of executors
 */

void x86_code_pages_leave(struct x86_code_pages *pages)
{
    while (pages->unsummed) {
        struct x86_code_page *page = pages->unsummed;

        pages->unsummed = page->next_unsummed;
        if (page->epoch != pages->epoch)
            (void)kill_all(pages, page);
        page->sum = sum_of(pages, page);
        page->is_unsummed = false;
    }
}

void x86_code_pages_enter(struct x86_code_pages *pages)
{
    pages->epoch++;
}
