/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache of decoded blocks, shared by the cores of one memory.
 *
 * Blocks are found by (guest physical address, RIP, mode).  A block never
 * leaves its page, except that the last instruction may, and then it is the
 * only one. Memory of blocks is given back only when everything is flushed; a
 * block whose code was overwritten stays as a dead one, whose entry op looks
 * RIP up again. That is why jumps can point straight at entry ops of the same
 * page.
 *
 * Not thread-safe: cores that share a cache run on one host thread.
 */
#ifndef ARCH_X86_BLOCK_H
#define ARCH_X86_BLOCK_H

#include "arch/x86/core_internal.h"
#include "arch/x86/dispatch.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_cache *x86_cache_create(struct physmem *mem);
void x86_cache_destroy(struct x86_cache *cache);
void x86_cache_attach(struct x86_cache *cache, struct x86_core *core);
/** x86_cache_detach() - takes the core's counters with it (folded).
 * Returns: whether other cores still use the cache. */
bool x86_cache_detach(struct x86_cache *cache, struct x86_core *core);

/** x86_cache_has_code() - whether decoded code is on the page of @gpa. */
bool x86_cache_has_code(const struct x86_cache *cache, uint64_t gpa);
/** x86_cache_store() - @core wrote RAM: kill what was decoded from there and
 *  make the core leave its block if something was. */
void x86_cache_store(struct x86_cache *cache, struct x86_core *core,
                     uint64_t gpa, uint64_t len);
/** x86_cache_kill() - @block, alive until now, is never entered again. */
void x86_cache_kill(struct x86_cache *cache, struct x86_block *block);
/** x86_cache_flush() - forget all code.  Only between blocks. */
void x86_cache_flush(struct x86_cache *cache);
/** x86_cache_fold() - add the core's execution counters to its counts. */
void x86_cache_fold(struct x86_cache *cache, struct x86_core *core);

/* Whether @core stops before executing at @linear. */
bool x86_block_has_break(const struct x86_core *core, uint64_t linear);
/* @times executions of one instruction. */
void x86_block_count(struct x86_counts *counts, const struct x86_op_info *info,
                     uint64_t times);

/** x86_block_find() - entry op of the code at RIP, decoded if needed
 *  Returns: NULL with core->fault set. */
struct x86_op *x86_block_find(struct x86_core *core);

/* Continue at @rip (fast code); dispatches. */
struct x86_op *x86_block_goto(struct x86_core *core, uint64_t rip);
/* The same for a direct branch: remembers the target in op->aux if it is on
 * the same page. */
struct x86_op *x86_block_chain(struct x86_core *core, struct x86_op *op,
                               uint64_t rip);

/*
 * Pass control to the entry op of a block.  What x86_block_enter() does in the
 * common case is done on the spot: each jump then has a dispatch of its own,
 * which the host predicts better than one shared by all.
 */
#define X86_ENTER(core, entry)                                                 \
    do {                                                                       \
        struct x86_op *const block_entry = (entry);                            \
        const int64_t block_left = (core)->left - (int64_t)block_entry->imm;   \
        if (SIM_UNLIKELY(block_left < 0 || __atomic_load_n(&(core)->attention, \
                                                           __ATOMIC_RELAXED))) \
            X86_DISPATCH(core, block_entry);                                   \
        (core)->left = block_left;                                             \
        (core)->execs[block_entry->disp]++;                                    \
        X86_DISPATCH(core, block_entry + 1);                                   \
    } while (0)

/* Number of instructions of a block that X86_ENTER must not enter. */
#define X86_NEVER_ENTERED ((uint64_t)INT64_MAX)

/* Handlers of entry and exit ops and of instructions without fast path. */
x86_handler x86_block_enter, x86_block_enter_dead, x86_block_enter_break,
    x86_block_exit, x86_run_full;

#ifdef __cplusplus
}
#endif

#endif
