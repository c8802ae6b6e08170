/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a change of executors costs the cache of decoded code: 500 pages, 40 %
 * of each code, about what an interpreter like python3 leaves behind.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/state.h"
#include "base/host_clock.h"
#include "base/log.h"
#include "mem/physmem.h"

enum {
    RAM_BYTES = 16 << 20,
    CODE = 0x400000,
    NUM_PAGES = 500,
    PAGE_BYTES = 4096,
    CODE_BYTES = 1600, /* per page */
    BLOCK_BYTES = 20,
    BLOCK_INSTS = 6,
    INSTS = NUM_PAGES * (CODE_BYTES / BLOCK_BYTES) * BLOCK_INSTS,
    ROUNDS = 200,
};

/* add eax, ecx (five times); jmp to the next block.  Six pieces of a page hold
 * code, as functions do. */
static void fill_page(uint8_t *page, int is_last)
{
    static const uint8_t adds[10] = {1,    0xc8, 1,    0xc8, 1,
                                     0xc8, 1,    0xc8, 1,    0xc8};
    unsigned num = CODE_BYTES / BLOCK_BYTES, gap = PAGE_BYTES / num;

    for (unsigned i = 0; i < num; i++) {
        unsigned at = i / 14 * 14 * gap + i % 14 * BLOCK_BYTES;
        unsigned to = (i + 1) / 14 * 14 * gap + (i + 1) % 14 * BLOCK_BYTES;
        int32_t jump;

        if (i + 1 == num)
            to = PAGE_BYTES;
        jump = (int32_t)(to - (at + 15));
        if (i + 1 == num && is_last)
            jump = -(int32_t)((NUM_PAGES - 1) * PAGE_BYTES + at + 15);
        memcpy(page + at, adds, sizeof(adds));
        page[at + 10] = 0xe9;
        memcpy(page + at + 11, &jump, 4);
    }
}

/* 32-bit protected mode without paging. */
static struct x86_core *make_core(struct physmem *mem)
{
    struct x86_core *core = x86_core_create(&(struct x86_core_cfg){.mem = mem});
    struct x86_state *state = x86_core_state(core);

    state->cr0 = 0x33;
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        state->seg[i] = (struct x86_seg){.limit = UINT32_MAX,
                                         .selector = 0x10,
                                         .type = i == X86_CS ? 11 : 3,
                                         .s = 1,
                                         .present = 1,
                                         .db = 1,
                                         .g = 1};
    state->rip = CODE;
    x86_core_state_changed(core);
    for (unsigned i = 0; i < NUM_PAGES; i++)
        fill_page(physmem_host(mem, (gpa_t){CODE + i * PAGE_BYTES}, PAGE_BYTES),
                  i + 1 == NUM_PAGES);
    return core;
}

struct times {
    uint64_t leave, enter, run; /* [ns], smallest */
};

static void keep_smallest(uint64_t *smallest, uint64_t value)
{
    if (value < *smallest)
        *smallest = value;
}

/* @insts of the loop through all pages between two changes of executors. */
static struct times measure(struct x86_core *core, uint64_t insts)
{
    struct x86_cache *cache = x86_core_cache(core);
    struct times best = {UINT64_MAX, UINT64_MAX, UINT64_MAX};

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = host_clock_ns(), left, entered;

        x86_cache_leave(cache);
        left = host_clock_ns();
        x86_cache_enter(cache);
        entered = host_clock_ns();
        (void)x86_core_run(core, insts);
        keep_smallest(&best.leave, left - start);
        keep_smallest(&best.enter, entered - left);
        keep_smallest(&best.run, host_clock_ns() - entered);
    }
    return best;
}

/* The same when a block of each page is new. */
static uint64_t measure_new(struct x86_core *core)
{
    struct x86_cache *cache = x86_core_cache(core);
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < ROUNDS / 10; i++) {
        uint64_t start;

        for (unsigned page = 0; page < NUM_PAGES; page++)
            x86_cache_invalidate(cache, (gpa_t){CODE + page * PAGE_BYTES}, 1);
        (void)x86_core_run(core, INSTS);
        start = host_clock_ns();
        x86_cache_leave(cache);
        keep_smallest(&best, host_clock_ns() - start);
    }
    return best;
}

static double us(uint64_t ns)
{
    return (double)ns / 1e3;
}

int main(void)
{
    struct physmem *mem = physmem_create();
    struct x86_core *core;
    uint64_t start, first, plain = UINT64_MAX;
    struct times all, one;
    struct x86_counts counts;

    if (physmem_add(mem, 0, RAM_BYTES))
        return 1;
    core = make_core(mem);
    (void)x86_core_run(core, INSTS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        start = host_clock_ns();
        (void)x86_core_run(core, INSTS);
        keep_smallest(&plain, host_clock_ns() - start);
    }
    first = measure_new(core);
    all = measure(core, INSTS);
    one = measure(core, BLOCK_INSTS);
    x86_core_counts(core, &counts);
    printf("%u code pages, %llu blocks\n", NUM_PAGES,
           (unsigned long long)counts.blocks_decoded);
    printf("leave, all checksums anew       %8.1f us\n", us(first));
    printf("leave, enter, nothing new       %8.1f us, %.1f us\n", us(all.leave),
           us(all.enter));
    printf("execute all of it: plain, after %8.1f us, %.1f us\n", us(plain),
           us(all.run));
    printf("execute one block after         %8.1f us\n", us(one.run));
    x86_core_destroy(core);
    physmem_destroy(mem);
    return 0;
}
