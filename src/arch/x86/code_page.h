/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical pages that decoded code was taken from.
 *
 * Three parties change such a page: cores (their stores take the slow path and
 * end here), the simulator (x86_cache_invalidate), and another executor that
 * runs the guest on the host's processor and tells nobody.  For the last one a
 * page keeps a checksum of the bytes that blocks were decoded from:
 *
 *   x86_code_pages_leave   before it runs: sums what has changed since the last
 *                          time
 *   x86_code_pages_enter   after it ran: an epoch ends, no page is trusted
 *   x86_code_page_check    before the first block of a page is executed in the
 *                          new epoch: the page is trusted again or loses its
 *                          blocks
 *
 * so that each change of executors costs what is new and what is used, not what
 * is cached.
 */
#ifndef ARCH_X86_CODE_PAGE_H
#define ARCH_X86_CODE_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct physmem;
struct x86_block;
struct x86_cache;

struct x86_code_page {
    uint64_t gpa;
    uint64_t granules; /* bit per 64 bytes that blocks cover */
    uint64_t sum;      /* of those, if it is not among the unsummed */
    uint64_t epoch;    /* the last one in which it was trusted */
    bool is_unsummed;
    struct x86_block *blocks;
    struct x86_code_page *next; /* of its slot */
    struct x86_code_page *next_unsummed;
};

enum { X86_CODE_PAGE_SLOTS = 1 << 12 };

struct x86_code_pages {
    struct physmem *mem;
    struct x86_cache *cache; /* x86_cache_kill() takes its blocks */
    uint64_t epoch;
    struct x86_code_page *unsummed;
    struct x86_code_page *slots[X86_CODE_PAGE_SLOTS];
};

void x86_code_pages_free(struct x86_code_pages *pages);

/** x86_code_pages_have() - whether a live block was decoded on @gpa's page. */
bool x86_code_pages_have(const struct x86_code_pages *pages, uint64_t gpa);
/** x86_code_page_add() - [gpa, gpa + len) of one page holds code of @block
 *  @which: its first or second page
 *  Returns: whether it is the first block there. */
bool x86_code_page_add(struct x86_code_pages *pages, struct x86_block *block,
                       unsigned which);
/** x86_code_page_written() - [gpa, gpa + len) of one page changed: kill the
 *  blocks that overlap it, to the byte.
 *  Returns: whether there were any. */
bool x86_code_page_written(struct x86_code_pages *pages, uint64_t gpa,
                           uint64_t len);
/** x86_code_page_check() - trust the page of @gpa again if the code there is
 *  what it was, kill its blocks if not. */
void x86_code_page_check(struct x86_code_pages *pages, uint64_t gpa);

void x86_code_pages_leave(struct x86_code_pages *pages);
void x86_code_pages_enter(struct x86_code_pages *pages);

#ifdef __cplusplus
}
#endif

#endif
