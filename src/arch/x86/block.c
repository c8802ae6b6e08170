/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The block cache: look-up, construction, invalidation, and the ops that are no
 * instructions (entry, exit, the way into a full handler).
 */
#include "arch/x86/block.h"

#include <string.h>

#include "arch/x86/code_page.h"
#include "arch/x86/decode.h"
#include "arch/x86/dispatch.h"
#include "arch/x86/exec/branch.h"
#include "arch/x86/tlb.h"
#include "base/alloc.h"
#include "base/log.h"
#include "mem/physmem.h"

enum {
    HASH_SIZE = 1 << 15,
    CHUNK_BYTES = 1 << 20,
    MAX_CHUNKS = 32, /* then everything is flushed */
    MAX_BLOCKS = 1 << 18,
    LINE = 64,
};

struct x86_cache {
    struct x86_decoder *decoder;
    struct x86_core *cores;
    struct x86_block **blocks; /* by id */
    size_t num_blocks, room;
    uint8_t *chunks[MAX_CHUNKS];
    size_t num_chunks, used; /* used: of the last chunk [bytes] */
    uint64_t num_flushes;
    struct x86_block *hash[HASH_SIZE];
    struct x86_code_pages pages;
};

struct x86_cache *x86_cache_create(struct physmem *mem)
{
    struct x86_cache *cache = alloc_zeroed(1, sizeof(*cache));

    cache->pages.mem = mem;
    cache->pages.cache = cache;
    cache->decoder = x86_decoder_create();
    return cache;
}

static void free_code(struct x86_cache *cache)
{
    for (size_t i = 0; i < cache->num_chunks; i++)
        mem_free(cache->chunks[i]);
    x86_code_pages_free(&cache->pages);
    memset(cache->hash, 0, sizeof(cache->hash));
    cache->num_chunks = 0;
    cache->num_blocks = 0;
}

void x86_cache_destroy(struct x86_cache *cache)
{
    if (!cache)
        return;
    SIM_ASSERT(!cache->cores);
    free_code(cache);
    x86_decoder_destroy(cache->decoder);
    mem_free(cache->blocks);
    mem_free(cache);
}

static void fit_counters(struct x86_core *core, size_t num)
{
    if (num <= core->num_execs)
        return;
    core->execs = alloc_resize(core->execs, num, sizeof(*core->execs));
    memset(core->execs + core->num_execs, 0,
           (num - core->num_execs) * sizeof(*core->execs));
    core->num_execs = num;
}

void x86_cache_attach(struct x86_cache *cache, struct x86_core *core)
{
    core->next_in_cache = cache->cores;
    cache->cores = core;
    fit_counters(core, cache->room);
}

bool x86_cache_detach(struct x86_cache *cache, struct x86_core *core)
{
    struct x86_core **link = &cache->cores;

    x86_cache_fold(cache, core);
    while (*link != core)
        link = &(*link)->next_in_cache;
    *link = core->next_in_cache;
    return cache->cores;
}

/* ------------------------------------------------------------------ counting
 */

void x86_block_count(struct x86_counts *counts, const struct x86_op_info *info,
                     uint64_t times)
{
    counts->insts += times;
    counts->loads += info->loads * times;
    counts->stores += info->stores * times;
    counts->by_class[info->op_class] += times;
    if (info->flags & X86_ROW_BRANCH)
        counts->branches += times;
    if (info->flags & X86_ROW_CALL)
        counts->calls += times;
    if (info->flags & X86_ROW_RETURN)
        counts->returns += times;
    if (info->flags & X86_ROW_SYSCALL)
        counts->syscalls += times;
}

void x86_cache_fold(struct x86_cache *cache, struct x86_core *core)
{
    for (size_t id = 0; id < cache->num_blocks; id++) {
        const struct x86_block *block = cache->blocks[id];
        uint64_t times = core->execs[id];

        if (!times)
            continue;
        core->execs[id] = 0;
        for (unsigned i = 0; i < block->num_insts; i++)
            x86_block_count(&core->counts, &block->info[i], times);
    }
}

/* -------------------------------------------------------------------- memory
 */

void x86_cache_flush(struct x86_cache *cache)
{
    for (struct x86_core *core = cache->cores; core;
         core = core->next_in_cache) {
        x86_cache_fold(cache, core);
        core->counts.blocks_flushed += cache->num_blocks;
        x86_tlb_flush_jumps(core);
    }
    free_code(cache);
    cache->num_flushes++;
}

static bool is_full(const struct x86_cache *cache)
{
    return cache->num_blocks == MAX_BLOCKS ||
           (cache->num_chunks == MAX_CHUNKS &&
            cache->used + CHUNK_BYTES / 16 > CHUNK_BYTES);
}

/* Memory that lives until the next flush, aligned to a line. */
static void *take_memory(struct x86_cache *cache, size_t bytes)
{
    size_t size = (bytes + LINE - 1) & ~(size_t)(LINE - 1);
    uint8_t *start;

    if (cache->num_chunks == 0 || cache->used + size + LINE > CHUNK_BYTES) {
        cache->chunks[cache->num_chunks++] = alloc_zeroed(1, CHUNK_BYTES);
        cache->used = 0;
    }
    start = cache->chunks[cache->num_chunks - 1] + cache->used;
    start += -(uintptr_t)start & (LINE - 1);
    cache->used = (size_t)(start - cache->chunks[cache->num_chunks - 1]) + size;
    return start;
}

static void add_id(struct x86_cache *cache, struct x86_block *block)
{
    if (cache->num_blocks == cache->room) {
        cache->room = cache->room ? 2 * cache->room : 1024;
        cache->blocks =
            alloc_resize(cache->blocks, cache->room, sizeof(*cache->blocks));
        for (struct x86_core *core = cache->cores; core;
             core = core->next_in_cache)
            fit_counters(core, cache->room);
    }
    block->id = (uint32_t)cache->num_blocks;
    block->ops[0].disp = block->id;
    cache->blocks[cache->num_blocks++] = block;
}

/* --------------------------------------------------------------------- pages
 */

bool x86_cache_has_code(const struct x86_cache *cache, uint64_t gpa)
{
    return x86_code_pages_have(&cache->pages, gpa);
}

void x86_cache_kill(struct x86_cache *cache, struct x86_block *block)
{
    size_t index = (block->gpa ^ block->gpa >> 15) & (HASH_SIZE - 1);
    struct x86_block **link = &cache->hash[index];

    while (*link != block)
        link = &(*link)->hash_next;
    *link = block->hash_next;
    block->is_dead = true;
    block->ops[0].fn = x86_block_enter_dead;
    block->ops[0].imm = X86_NEVER_ENTERED;
}

/* [gpa, gpa + len) of one page was written. */
static void written(struct x86_cache *cache, uint64_t gpa, uint64_t len)
{
    if (!x86_code_page_written(&cache->pages, gpa, len))
        return;
    for (struct x86_core *core = cache->cores; core; core = core->next_in_cache)
        core->smc_hit = true;
}

void x86_cache_store(struct x86_cache *cache, struct x86_core *core,
                     uint64_t gpa, uint64_t len)
{
    (void)core;
    written(cache, gpa, len);
}

void x86_cache_invalidate(struct x86_cache *cache, gpa_t addr, uint64_t len)
{
    uint64_t end = addr.v + len;

    if (cache->num_blocks == 0)
        return;
    for (uint64_t gpa = addr.v; gpa < end;) {
        uint64_t next = (gpa & X86_PAGE_MASK) + X86_PAGE_SIZE;

        written(cache, gpa, (next < end ? next : end) - gpa);
        gpa = next;
    }
}

void x86_cache_leave(struct x86_cache *cache)
{
    x86_code_pages_leave(&cache->pages);
}

void x86_cache_enter(struct x86_cache *cache)
{
    x86_code_pages_enter(&cache->pages);
    for (struct x86_core *core = cache->cores; core; core = core->next_in_cache)
        x86_tlb_forget_jumps(core);
}

/* -------------------------------------------------------------- construction
 */

/* A block before it has memory. */
struct draft {
    struct x86_core *core;
    uint64_t gpa, rip, linear;
    uint64_t next_page;
    unsigned num_insts;
    size_t num_bytes;
    uint8_t crossing[32];
    struct x86_insn insns[X86_BLOCK_MAX_OPS - 2];
};

static uint64_t linear_of(const struct x86_core *core, uint64_t rip)
{
    if ((core->mode & X86_MODE_SIZE) == X86_MODE_64)
        return rip;
    return (core->state.seg[X86_CS].base + rip) & UINT32_MAX;
}

bool x86_block_has_break(const struct x86_core *core, uint64_t linear)
{
    for (size_t i = 0; i < core->num_breaks; i++)
        if (core->breaks[i] == linear)
            return true;
    return false;
}

static bool cache_has_break(const struct x86_cache *cache, uint64_t linear)
{
    for (const struct x86_core *core = cache->cores; core;
         core = core->next_in_cache)
        if (x86_block_has_break(core, linear))
            return true;
    return false;
}

/* Up to 15 bytes from @gpa on; devices give no code. */
static size_t read_code(const struct draft *draft, uint64_t gpa, uint8_t *bytes,
                        size_t len)
{
    const void *host = physmem_host(draft->core->mem, (gpa_t){gpa}, len);

    if (!host)
        return 0;
    memcpy(bytes, host, len);
    return len;
}

static bool add_insn(struct draft *draft, const uint8_t *bytes, size_t len)
{
    struct x86_insn *insn = &draft->insns[draft->num_insts];
    const struct x86_decode_in in = {.bytes = bytes,
                                     .num_bytes = len,
                                     .rip = draft->rip + draft->num_bytes,
                                     .core = draft->core};

    if (x86_decode(draft->core->cache->decoder, &in, insn) != X86_DECODED)
        return false;
    draft->num_insts++;
    draft->num_bytes += insn->op.len;
    return true;
}

/* Decode up to the end of the page, of the block, or a breakpoint. */
static void decode_page(struct draft *draft)
{
    size_t room = X86_PAGE_SIZE - (draft->gpa & ~X86_PAGE_MASK);
    uint8_t code[X86_PAGE_SIZE];
    size_t len = read_code(draft, draft->gpa, code, room);

    while (draft->num_insts < SIM_ARRAY_LEN(draft->insns) &&
           draft->num_bytes < len) {
        if (!add_insn(draft, code + draft->num_bytes, len - draft->num_bytes))
            return;
        if (draft->insns[draft->num_insts - 1].info.flags & X86_ROW_ENDS)
            return;
        if (cache_has_break(draft->core->cache,
                            draft->linear + draft->num_bytes))
            return;
    }
}

/* An instruction that needs the next page, or code outside RAM. */
static bool decode_crossing(struct draft *draft)
{
    struct x86_core *core = draft->core;
    size_t room = X86_PAGE_SIZE - (draft->gpa & ~X86_PAGE_MASK);
    size_t len = room < 15 ? room : 15;
    uint64_t gpa;

    memset(draft->crossing, 0xff, sizeof(draft->crossing));
    len = read_code(draft, draft->gpa, draft->crossing, len);
    if (len < 15 && len == room) {
        if (!x86_tlb_fetch(core, linear_of(core, draft->rip + room), &gpa))
            return false;
        draft->next_page = gpa & X86_PAGE_MASK;
        (void)read_code(draft, gpa, draft->crossing + len, 15 - len);
    }
    if (!add_insn(draft, draft->crossing, 15))
        log_abort("an instruction of more than 15 bytes was decoded");
    return true;
}

/* An op's flags are dead if all are written before anybody can look. */
static void drop_dead_flags(struct draft *draft)
{
    bool are_live = true;

    for (unsigned i = draft->num_insts; i-- > 0;) {
        struct x86_insn *insn = &draft->insns[i];

        if (!are_live && insn->dead_fn)
            insn->op.fn = insn->dead_fn;
        if (insn->reads_flags || !insn->is_pure)
            are_live = true;
        else if (insn->sets_all_flags)
            are_live = false;
    }
}

static void fill_ops(struct x86_block *block, const struct draft *draft)
{
    struct x86_op *ops = block->ops;
    unsigned num = draft->num_insts;

    ops[0] = (struct x86_op){
        .fn = x86_block_enter, .imm = num, .aux = block, .len = 0};
    if (cache_has_break(draft->core->cache, draft->linear)) {
        ops[0].fn = x86_block_enter_break;
        ops[0].imm = X86_NEVER_ENTERED;
    }
    for (unsigned i = 0; i < num; i++) {
        ops[i + 1] = draft->insns[i].op;
        ops[i + 1].slot = (uint8_t)(i + 1);
        block->info[i] = draft->insns[i].info;
    }
    ops[num + 1] = (struct x86_op){.fn = x86_block_exit,
                                   .imm = ops[num].next_rip,
                                   .slot = (uint8_t)(num + 1)};
}

/* Writes to one of the pages of @block are for the cache from now on. */
static void cover_page(struct x86_cache *cache, struct x86_block *block,
                       unsigned which)
{
    uint64_t gpa = which ? block->next_page : block->gpa & X86_PAGE_MASK;

    if (!x86_code_page_add(&cache->pages, block, which))
        return;
    for (struct x86_core *core = cache->cores; core; core = core->next_in_cache)
        x86_tlb_protect(core, gpa);
}

static struct x86_block *finish_block(struct draft *draft)
{
    struct x86_cache *cache = draft->core->cache;
    size_t ops_bytes = (draft->num_insts + 2) * sizeof(struct x86_op);
    struct x86_block *block =
        take_memory(cache, sizeof(*block) + ops_bytes +
                               draft->num_insts * sizeof(*block->info));
    size_t index = (draft->gpa ^ draft->gpa >> 15) & (HASH_SIZE - 1);

    block->gpa = draft->gpa;
    block->rip = draft->rip;
    block->next_page = draft->next_page;
    block->mode = draft->core->mode;
    block->num_insts = (uint16_t)draft->num_insts;
    block->num_bytes = (uint16_t)draft->num_bytes;
    block->info = (void *)((char *)block->ops + ops_bytes);
    block->epoch = cache->pages.epoch;
    memcpy(block->bytes, draft->crossing, sizeof(block->bytes));
    fill_ops(block, draft);
    add_id(cache, block);
    block->hash_next = cache->hash[index];
    cache->hash[index] = block;
    cover_page(cache, block, 0);
    if (block->num_bytes > X86_PAGE_SIZE - (block->gpa & ~X86_PAGE_MASK))
        cover_page(cache, block, 1);
    return block;
}

static struct x86_block *make_block(struct x86_core *core, uint64_t gpa)
{
    struct draft draft = {.core = core,
                          .gpa = gpa,
                          .rip = core->state.rip,
                          .linear = linear_of(core, core->state.rip),
                          .next_page = X86_NO_PAGE};

    decode_page(&draft);
    if (draft.num_insts == 0 && !decode_crossing(&draft))
        return NULL;
    drop_dead_flags(&draft);
    if (is_full(core->cache))
        x86_cache_flush(core->cache);
    core->counts.blocks_decoded++;
    return finish_block(&draft);
}

/* ------------------------------------------------------------------- look-up
 */

/* The second page of a block that has one may be mapped elsewhere by now. */
static bool is_next_page_same(struct x86_core *core,
                              const struct x86_block *block, bool *failed)
{
    uint64_t gpa;

    if (block->next_page == X86_NO_PAGE)
        return true;
    *failed = !x86_tlb_fetch(
        core, linear_of(core, (block->rip | ~X86_PAGE_MASK) + 1), &gpa);
    return !*failed && (gpa & X86_PAGE_MASK) == block->next_page;
}

/* Whether @block is still what is in memory; see x86_cache_enter(). */
static bool is_trusted(struct x86_cache *cache, struct x86_block *block)
{
    if (SIM_LIKELY(block->epoch == cache->pages.epoch))
        return true;
    x86_code_page_check(&cache->pages, block->gpa);
    if (block->next_page != X86_NO_PAGE)
        x86_code_page_check(&cache->pages, block->next_page);
    block->epoch = cache->pages.epoch;
    return !block->is_dead;
}

static struct x86_block *look_up(struct x86_core *core, uint64_t gpa,
                                 bool *failed)
{
    size_t index = (gpa ^ gpa >> 15) & (HASH_SIZE - 1);
    struct x86_block *block = core->cache->hash[index];

    for (; block; block = block->hash_next) {
        if (block->gpa != gpa || block->rip != core->state.rip ||
            block->mode != core->mode ||
            !is_next_page_same(core, block, failed))
            continue;
        return is_trusted(core->cache, block) ? block : NULL;
    }
    return NULL;
}

struct x86_op *x86_block_find(struct x86_core *core)
{
    uint64_t rip = core->state.rip, gpa;
    struct x86_jump *jump = x86_jump_at(core, rip);
    struct x86_block *block;
    bool failed = false;

    if (jump->tag == (rip ^ core->salt) && jump->op->fn != x86_block_enter_dead)
        return jump->op;
    if (!x86_is_target_valid(core, rip)) {
        core->fault = (struct x86_fault){.vector = X86_GP, .has_error = true};
        return NULL;
    }
    if (!x86_tlb_fetch(core, linear_of(core, rip), &gpa))
        return NULL;
    block = look_up(core, gpa, &failed);
    if (!block && !failed)
        block = make_block(core, gpa);
    if (!block)
        return NULL;
    jump->tag = rip ^ core->salt;
    jump->op = block->ops;
    return block->ops;
}

/* A fault of the instruction after the last one that may be executed is not
 * for this run. */
static struct x86_op *fetch_failed(struct x86_core *core)
{
    if (core->left > 0)
        core->pending |= X86_PENDING_FAULT;
    return NULL;
}

struct x86_op *x86_block_goto(struct x86_core *core, uint64_t rip)
{
    struct x86_op *entry;

    core->state.rip = rip;
    entry = x86_block_find(core);
    if (!entry)
        return fetch_failed(core);
    X86_DISPATCH_ANY(core, entry);
}

/* Both on one page, and neither reaches into the next one, so that one
 * translation holds for both. */
static bool may_chain(const struct x86_block *from, const struct x86_block *to)
{
    return from->next_page == X86_NO_PAGE && to->next_page == X86_NO_PAGE &&
           !((from->gpa ^ to->gpa) & X86_PAGE_MASK) &&
           from->rip - from->gpa == to->rip - to->gpa;
}

struct x86_op *x86_block_chain(struct x86_core *core, struct x86_op *op,
                               uint64_t rip)
{
    uint64_t flushes = core->cache->num_flushes;
    struct x86_op *entry;

    core->state.rip = rip;
    entry = x86_block_find(core);
    if (!entry)
        return fetch_failed(core);
    if (core->cache->num_flushes == flushes &&
        may_chain(x86_op_block(op), entry->aux))
        op->aux = entry;
    X86_DISPATCH_ANY(core, entry);
}

/* ------------------------------------------- ops that are not instructions */

static struct x86_op *leave_at_entry(struct x86_core *core, struct x86_op *op,
                                     uint32_t why)
{
    core->state.rip = ((struct x86_block *)op->aux)->rip;
    core->pending |= why;
    return NULL;
}

struct x86_op *x86_block_enter(struct x86_core *core, struct x86_op *op)
{
    const struct x86_block *block = op->aux;
    int64_t left = core->left - block->num_insts;

    if (SIM_UNLIKELY(__atomic_load_n(&core->attention, __ATOMIC_RELAXED)))
        return leave_at_entry(core, op, X86_PENDING_ATTEND);
    if (SIM_UNLIKELY(left < 0))
        return leave_at_entry(core, op, X86_PENDING_PARTIAL);
    core->left = left;
    core->execs[block->id]++;
    X86_DISPATCH(core, op + 1);
}

struct x86_op *x86_block_enter_dead(struct x86_core *core, struct x86_op *op)
{
    return x86_block_goto(core, ((struct x86_block *)op->aux)->rip);
}

struct x86_op *x86_block_enter_break(struct x86_core *core, struct x86_op *op)
{
    const struct x86_block *block = op->aux;

    if (x86_block_has_break(core, linear_of(core, block->rip)) &&
        !core->skip_break) {
        core->stop = X86_STOP_BREAK;
        return leave_at_entry(core, op, X86_PENDING_STOP);
    }
    if (core->left >= block->num_insts &&
        !__atomic_load_n(&core->attention, __ATOMIC_RELAXED))
        core->skip_break = false;
    return x86_block_enter(core, op);
}

struct x86_op *x86_block_exit(struct x86_core *core, struct x86_op *op)
{
    struct x86_op *next = op->aux;

    if (SIM_UNLIKELY(!next))
        return x86_block_chain(core, op, op->imm);
    X86_ENTER(core, next);
}

/* The block of @op was overwritten: it ends here. */
static struct x86_op *leave_dead_block(struct x86_core *core, struct x86_op *op)
{
    core->smc_hit = false;
    if (op->slot == x86_op_block(op)->num_insts)
        return x86_block_goto(core, op->next_rip);
    core->state.rip = op->next_rip;
    x86_core_uncount(core, op + 1);
    return NULL;
}

struct x86_op *x86_run_full(struct x86_core *core, struct x86_op *op)
{
    struct x86_op *next;

    core->full_op = op;
    next = op->form->full(core, op);
    core->full_op = NULL;
    if (SIM_UNLIKELY(!next))
        return core->pending ? NULL : x86_block_goto(core, core->state.rip);
    if (SIM_UNLIKELY(core->smc_hit))
        return leave_dead_block(core, op);
    X86_DISPATCH(core, next);
}
