/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core: creation, the run loop, faults on their way out of handlers, and
 * stepping.  Handlers are in exec/, code look-up in block.c.
 */
#include "arch/x86/core.h"

#include <string.h>

#include "arch/x86/access.h"
#include "arch/x86/block.h"
#include "arch/x86/core_internal.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/debug.h"
#include "arch/x86/deliver.h"
#include "arch/x86/segment.h"
#include "arch/x86/step.h"
#include "arch/x86/sysreg.h"
#include "arch/x86/tlb.h"
#include "base/alloc.h"
#include "base/log.h"
#include "mem/physmem.h"

/* ------------------------------------------------------------------ life cycle
 */

enum { CORE_ALIGN = 64 };

static struct x86_core *allocate(void)
{
    char *allocation = alloc_zeroed(1, sizeof(struct x86_core) + CORE_ALIGN);
    struct x86_core *core =
        (void *)(allocation + (-(uintptr_t)allocation & (CORE_ALIGN - 1)));

    core->allocation = allocation;
    return core;
}

struct x86_core *x86_core_create(const struct x86_core_cfg *cfg)
{
    struct x86_core *core = allocate();

    core->mem = cfg->mem;
    core->env = cfg->env ? cfg->env : &core->no_env;
    core->cpuid = cfg->cpuid;
    core->owner = cfg->owner;
    core->id = cfg->id;
    core->cache = cfg->cache ? cfg->cache : x86_cache_create(cfg->mem);
    core->fault.vector = X86_NO_FAULT;
    core->views_used = (1u << X86_NUM_VIEWS) - 1;
    core->tlb = core->tlbs[0];
    x86_cache_attach(core->cache, core);
    x86_state_reset(&core->state);
    x86_fpu_init(&core->fpu, &(struct x86_fpu_cfg){.core = core,
                                                   .state = &core->state,
                                                   .cpuid = core->cpuid,
                                                   .mem = &x86_access_fpu_mem});
    x86_core_state_changed(core);
    return core;
}

void x86_core_destroy(struct x86_core *core)
{
    if (!core)
        return;
    if (!x86_cache_detach(core->cache, core))
        x86_cache_destroy(core->cache);
    mem_free(core->execs);
    mem_free(core->allocation);
}

/* ---------------------------------------------------------------------- state
 */

struct x86_state *x86_core_state(struct x86_core *core)
{
    return &core->state;
}

struct x86_env *x86_core_env(struct x86_core *core)
{
    return core->env;
}

struct physmem *x86_core_mem(struct x86_core *core)
{
    return core->mem;
}

const struct x86_cpuid *x86_core_cpuid(const struct x86_core *core)
{
    return core->cpuid;
}

struct x86_cache *x86_core_cache(struct x86_core *core)
{
    return core->cache;
}

uint64_t x86_core_rflags(const struct x86_core *core)
{
    return (core->state.rflags & ~(uint64_t)X86_ARITH_FLAGS) | X86_RF_FIXED1 |
           (core->flags >> 8 & (X86_ARITH_FLAGS & 0xff)) |
           (core->flags & 1u ? X86_OF_FLAG : 0u);
}

static void set_arith_flags(struct x86_core *core, uint64_t rflags)
{
    core->flags = (uint16_t)((rflags & X86_ARITH_FLAGS & 0xff) << 8 |
                             (rflags & X86_OF_FLAG ? 1 : 0));
}

void x86_core_set_rflags(struct x86_core *core, uint64_t value)
{
    const uint64_t modes = X86_TF | X86_VM | X86_AC_FLAG;
    const uint64_t defined = 0x3f7fd5;
    uint64_t changed = core->state.rflags ^ value;

    core->state.rflags = (value & defined) | X86_RF_FIXED1;
    set_arith_flags(core, value);
    if (changed & modes)
        x86_core_mode_changed(core);
    if (changed & value & X86_IF)
        x86_core_poke(core);
}

static bool is_flat(const struct x86_seg *seg)
{
    return seg->base == 0 && seg->limit == UINT32_MAX && !seg->unusable &&
           (seg->type & 14) != 4; /* not expand-down */
}

static bool is_flat_legacy(const struct x86_state *state)
{
    return is_flat(&state->seg[X86_CS]) && is_flat(&state->seg[X86_DS]) &&
           is_flat(&state->seg[X86_ES]) && is_flat(&state->seg[X86_SS_SEG]) &&
           (state->seg[X86_DS].type & 10) == 2 &&
           (state->seg[X86_ES].type & 10) == 2;
}

static uint8_t mode_of(const struct x86_state *state)
{
    unsigned mode = X86_MODE_16;

    if (x86_in_64bit_mode(state))
        return X86_MODE_64;
    if (state->seg[X86_CS].db && !x86_in_v86_mode(state))
        mode = X86_MODE_32;
    if (state->seg[X86_SS_SEG].db)
        mode |= X86_MODE_STACK32;
    if (x86_in_8086_mode(state))
        mode |= X86_MODE_REAL;
    else if (is_flat_legacy(state))
        mode |= X86_MODE_FLAT;
    return (uint8_t)mode;
}

static uint8_t view_of(const struct x86_core *core)
{
    if (core->cpl == 3)
        return X86_VIEW_USER;
    return core->state.rflags & X86_AC_FLAG ? X86_VIEW_SUPERVISOR_AC
                                            : X86_VIEW_SUPERVISOR;
}

/* What decides about #AC and so about what the TLB may hold. */
static bool checks_alignment(const struct x86_core *core)
{
    return core->cpl == 3 && (core->state.cr0 & X86_CR0_AM) &&
           (core->state.rflags & X86_AC_FLAG);
}

/*
 * The salt keeps jumps of different modes apart.  Bit 55 makes it nonzero, so
 * that no tag is that of an empty entry.  With a CS base RIP no longer is the
 * linear address: nothing cached can be kept.
 */
void x86_core_mode_changed(struct x86_core *core)
{
    const uint64_t cs_base = core->state.seg[X86_CS].base;
    uint64_t salt;

    core->cpl = (uint8_t)x86_cpl(&core->state);
    core->mode = mode_of(&core->state);
    core->view = view_of(core);
    core->tlb = core->tlbs[core->view];
    if (checks_alignment(core))
        x86_tlb_flush(core);
    salt = UINT64_C(1) << 55 | (uint64_t)core->mode << 48 |
           (uint64_t)core->view << 53;
    if (core->mode != X86_MODE_64 && core->salt_base != cs_base) {
        x86_tlb_flush_jumps(core);
        core->salt_base = cs_base;
    }
    core->salt = salt;
    core->is_trapping = core->state.rflags & X86_TF;
    core->is_watching = x86_debug_is_armed(&core->state);
    x86_fpu_update_access(&core->fpu);
}

/* Derive from the state whatever is kept beside it. */
static void adopt_state(struct x86_core *core)
{
    set_arith_flags(core, core->state.rflags);
    x86_fpu_load(&core->fpu);
    x86_core_mode_changed(core);
    x86_tlb_flush(core);
    x86_core_poke(core); /* it may admit what was pending */
}

void x86_core_state_changed(struct x86_core *core)
{
    SIM_ASSERT(!core->fetch);
    core->is_changed = true;
    adopt_state(core);
}

void x86_core_lend(struct x86_core *core, x86_fetch_fn *fetch, void *ctx)
{
    SIM_ASSERT(!core->is_running);
    core->fetch = fetch;
    core->fetch_ctx = ctx;
}

static void take_back(struct x86_core *core)
{
    x86_fetch_fn *fetch = core->fetch;

    if (!fetch)
        return;
    core->fetch = NULL;
    fetch(core->fetch_ctx, core);
    adopt_state(core);
}

void x86_core_sync(struct x86_core *core)
{
    take_back(core);
    core->state.rflags = x86_core_rflags(core);
    x86_fpu_store(&core->fpu);
}

bool x86_core_take_changed(struct x86_core *core)
{
    bool is_changed = core->is_changed;

    core->is_changed = false;
    return is_changed;
}

void x86_core_take_over(struct x86_core *core, struct x86_core *old)
{
    SIM_ASSERT(!core->is_running && !old->is_running);
    x86_core_sync(old);
    core->fetch = NULL; /* all of it is replaced */
    core->state = old->state;
    core->debug_hits = old->debug_hits;
    old->debug_hits = 0;
    x86_core_state_changed(core);
}

void x86_core_flush_tlb(struct x86_core *core)
{
    x86_tlb_flush(core);
}

void x86_core_flush_page(struct x86_core *core, gva_t addr)
{
    x86_tlb_flush_page(core, addr.v);
}

void x86_core_paging(struct x86_core *core, struct x86_paging *out)
{
    const struct x86_state *state = &core->state;

    *out = (struct x86_paging){
        .cr0 = state->cr0,
        .cr3 = state->cr3,
        .cr4 = state->cr4,
        .efer = state->efer,
        .pdpte = {state->pdpte[0], state->pdpte[1], state->pdpte[2],
                  state->pdpte[3]},
        .ac = state->rflags & X86_AC_FLAG,
        .phys_bits = core->cpuid ? x86_cpuid_phys_bits(core->cpuid) : 46,
    };
    memcpy(&out->pkru, state->xsave + X86_XSAVE_PKRU, sizeof(out->pkru));
}

/* ---------------------------------------------------------------- breakpoints
 */

static void remake_code_at(struct x86_core *core)
{
    x86_cache_flush(core->cache); /* blocks end before breakpoints */
}

void x86_core_add_break(struct x86_core *core, gva_t addr)
{
    if (core->num_breaks == X86_MAX_BREAKS)
        return;
    core->breaks[core->num_breaks++] = addr.v;
    remake_code_at(core);
}

void x86_core_remove_break(struct x86_core *core, gva_t addr)
{
    for (size_t i = 0; i < core->num_breaks; i++) {
        if (core->breaks[i] != addr.v)
            continue;
        core->breaks[i] = core->breaks[--core->num_breaks];
        remake_code_at(core);
        return;
    }
}

/* ------------------------------------------------------- leaving of handlers
 */

void x86_core_uncount(struct x86_core *core, struct x86_op *first)
{
    const struct x86_block *block = x86_op_block(first);

    if (core->is_stepping)
        return;
    for (unsigned slot = first->slot; slot <= block->num_insts; slot++) {
        core->left++;
        x86_block_count(&core->counts, &block->info[slot - 1], UINT64_MAX);
    }
}

/* In the width of the instruction pointer. */
static uint64_t wrap_rip(const struct x86_core *core, uint64_t rip)
{
    if ((core->mode & X86_MODE_SIZE) == X86_MODE_64)
        return rip;
    return rip & ((core->mode & X86_MODE_SIZE) == X86_MODE_16 ? UINT16_MAX
                                                              : UINT32_MAX);
}

struct x86_op *x86_restart(struct x86_core *core, struct x86_op *op)
{
    core->state.rip = wrap_rip(core, op->next_rip - op->len);
    x86_core_uncount(core, op);
    core->is_retired = false;
    return NULL;
}

bool x86_rep_pause(struct x86_core *core, uint64_t elements)
{
    core->rep_work += (uint32_t)elements;
    return core->rep_work >= X86_REP_SLICE ||
           __atomic_load_n(&core->attention, __ATOMIC_RELAXED);
}

struct x86_op *x86_rep_leave(struct x86_core *core, struct x86_op *op)
{
    (void)x86_restart(core, op);
    return core->rep_work < X86_REP_SLICE ? NULL
                                          : x86_stop_with(core, X86_STOP_REP);
}

struct x86_op *x86_raise_set(struct x86_core *core, struct x86_op *op)
{
    core->fault.source = X86_FROM_FAULT;
    core->pending |= X86_PENDING_FAULT;
    return x86_restart(core, op);
}

struct x86_op *x86_raise(struct x86_core *core, struct x86_op *op,
                         enum x86_vector vector)
{
    core->fault = (struct x86_fault){.vector = (uint8_t)vector};
    return x86_raise_set(core, op);
}

struct x86_op *x86_raise_error(struct x86_core *core, struct x86_op *op,
                               enum x86_vector vector, uint32_t error)
{
    core->fault = (struct x86_fault){
        .vector = (uint8_t)vector, .has_error = true, .error = error};
    return x86_raise_set(core, op);
}

struct x86_op *x86_trap(struct x86_core *core, struct x86_op *op,
                        enum x86_vector vector, enum x86_fault_source source)
{
    core->fault = (struct x86_fault){.vector = (uint8_t)vector,
                                     .source = (uint8_t)source,
                                     .insn_len = op->len};
    core->state.rip = wrap_rip(core, op->next_rip);
    core->pending |= X86_PENDING_FAULT;
    return NULL;
}

struct x86_op *x86_leave(struct x86_core *core)
{
    core->pending |= X86_PENDING_ATTEND;
    return NULL;
}

struct x86_op *x86_stop_with(struct x86_core *core, enum x86_stop stop)
{
    core->stop = stop;
    core->pending |= X86_PENDING_STOP;
    return NULL;
}

/* ------------------------------------------------------------------ run loop
 */

static bool stop_with(struct x86_core *core, enum x86_stop stop)
{
    core->stop = stop;
    return false;
}

/* The guest's own handler, or the environment's. */
static bool deliver_fault(struct x86_core *core)
{
    struct x86_fault fault = core->fault;

    core->fault.vector = X86_NO_FAULT;
    x86_fpu_leave(&core->fpu);
    if (core->env->exception && core->env->exception(core->env, core, &fault))
        return true;
    if (fault.vector == X86_PF)
        core->state.cr2 = fault.addr;
    return x86_deliver(core, &fault) || stop_with(core, X86_STOP_SHUTDOWN);
}

/* An event from outside; it ends HLT. */
static bool accept(struct x86_core *core, int vector)
{
    const struct x86_fault event = {.vector = (uint8_t)vector,
                                    .source = X86_FROM_EXTERNAL};

    core->state.mp_state = X86_RUNNABLE;
    x86_core_poke(core); /* there may be another one */
    return x86_deliver(core, &event) || stop_with(core, X86_STOP_SHUTDOWN);
}

/* Behind STI and MOV SS one instruction is executed first.  Whatever else
 * forbids an interrupt pokes the core when it no longer does. */
static bool take_interrupt(struct x86_core *core)
{
    struct x86_events *events = &core->state.events;
    int vector = -1;

    if (events->shadow)
        return true;
    x86_fpu_leave(&core->fpu);
    __atomic_fetch_and(&core->attention, ~(uint32_t)X86_ATTEND_INTERRUPT,
                       __ATOMIC_ACQUIRE);
    if (events->nmi_pending && !events->nmi_masked) {
        events->nmi_pending = 0;
        events->nmi_masked = 1;
        return accept(core, X86_NMI);
    }
    if ((core->state.rflags & X86_IF) && core->env->take_interrupt)
        vector = core->env->take_interrupt(core->env, core);
    return vector < 0 || accept(core, vector);
}

static bool attend(struct x86_core *core)
{
    uint32_t attention = __atomic_load_n(&core->attention, __ATOMIC_ACQUIRE);

    __atomic_fetch_and(&core->attention, ~(uint32_t)X86_ATTEND_LOOK,
                       __ATOMIC_RELAXED);
    if (attention & X86_ATTEND_STOP) {
        __atomic_fetch_and(&core->attention, ~(uint32_t)X86_ATTEND_STOP,
                           __ATOMIC_RELAXED);
        return stop_with(core, X86_STOP_REQUEST);
    }
    if (!(attention & X86_ATTEND_INTERRUPT) ||
        core->state.mp_state == X86_WAIT_INIT ||
        core->state.mp_state == X86_WAIT_SIPI)
        return true;
    return take_interrupt(core);
}

static void run_blocks(struct x86_core *core)
{
    struct x86_op *op = x86_block_find(core);

    if (!op) {
        core->pending |= X86_PENDING_FAULT;
        return;
    }
    while (op) /* once, if handlers call each other */
        op = op->fn(core, op);
}

/* See to what is pending; false: stop. */
static bool settle(struct x86_core *core)
{
    uint32_t pending = core->pending;

    core->pending = 0;
    if ((pending & X86_PENDING_FAULT) && !deliver_fault(core))
        return false;
    if (pending & X86_PENDING_STOP)
        return false;
    if (__atomic_load_n(&core->attention, __ATOMIC_RELAXED) && !attend(core))
        return false;
    if (core->state.mp_state != X86_RUNNABLE)
        return stop_with(core, X86_STOP_HALT);
    return core->left > 0 || stop_with(core, X86_STOP_BUDGET);
}

static bool must_step(const struct x86_core *core, uint32_t pending)
{
    return core->trace || core->is_trapping || core->is_watching ||
           core->debug_hits || core->state.events.shadow ||
           (core->state.rflags & X86_RF) || (pending & X86_PENDING_PARTIAL) ||
           (__atomic_load_n(&core->attention, __ATOMIC_RELAXED) &
            X86_ATTEND_INTERRUPT);
}

static void run(struct x86_core *core)
{
    uint32_t pending = core->pending;

    while (settle(core)) {
        if (must_step(core, pending))
            x86_step_block(core);
        else
            run_blocks(core);
        pending = core->pending;
    }
}

static bool is_at_break(const struct x86_core *core)
{
    for (size_t i = 0; i < core->num_breaks; i++)
        if (core->breaks[i] == core->state.seg[X86_CS].base + core->state.rip)
            return true;
    return false;
}

enum x86_stop x86_core_run(struct x86_core *core, uint64_t max_insts)
{
    SIM_ASSERT(!core->is_running);
    take_back(core);
    core->is_changed = true;
    core->is_running = true;
    core->given = max_insts < INT64_MAX - 1 ? max_insts : INT64_MAX - 1;
    core->left = (int64_t)core->given;
    core->pending = 0;
    core->rep_work = 0;
    core->smc_hit = false;
    core->skip_break = is_at_break(core);
    run(core);
    x86_fpu_leave(&core->fpu);
    core->insts_base += core->given - (uint64_t)core->left;
    core->given = 0;
    core->left = 0;
    core->is_running = false;
    return core->stop;
}

bool x86_core_is_running(const struct x86_core *core)
{
    return core->is_running;
}

void x86_core_stop(struct x86_core *core)
{
    __atomic_fetch_or(&core->attention, X86_ATTEND_STOP, __ATOMIC_RELEASE);
}

void x86_core_poke(struct x86_core *core)
{
    __atomic_fetch_or(&core->attention, X86_ATTEND_INTERRUPT, __ATOMIC_RELEASE);
}

/* -------------------------------------------------------------------- counts
 */

/* Inside a full handler the rest of its block is already subtracted. */
uint64_t x86_core_insts(const struct x86_core *core)
{
    uint64_t insts = core->insts_base + (core->given - (uint64_t)core->left);
    struct x86_op *op = core->full_op;

    if (op && !core->is_stepping)
        insts -= x86_op_block(op)->num_insts - op->slot + 1u;
    return insts;
}

void x86_core_counts(struct x86_core *core, struct x86_counts *out)
{
    x86_cache_fold(core->cache, core);
    *out = core->counts;
    out->taken = core->taken;
    out->insts = x86_core_insts(core);
}

const char *const x86_op_class_names[X86_NUM_OP_CLASSES + 1] = {
    [X86_OP_INT_ALU] = "IntAlu",       [X86_OP_INT_MULT] = "IntMult",
    [X86_OP_INT_DIV] = "IntDiv",       [X86_OP_FLOAT_ADD] = "FloatAdd",
    [X86_OP_FLOAT_CMP] = "FloatCmp",   [X86_OP_FLOAT_CVT] = "FloatCvt",
    [X86_OP_FLOAT_MULT] = "FloatMult", [X86_OP_FLOAT_DIV] = "FloatDiv",
    [X86_OP_FLOAT_SQRT] = "FloatSqrt", [X86_OP_FLOAT_MISC] = "FloatMisc",
    [X86_OP_SIMD_ALU] = "SimdAlu",     [X86_OP_SIMD_FLOAT] = "SimdFloatAlu",
    [X86_OP_SIMD_MISC] = "SimdMisc",   [X86_OP_MEM_READ] = "MemRead",
    [X86_OP_MEM_WRITE] = "MemWrite",   [X86_OP_BRANCH] = "Branch",
    [X86_OP_STRING] = "String",        [X86_OP_SYSTEM] = "System",
};

/* ------------------------------------------------------------------- tracing
 */

void x86_core_set_trace(struct x86_core *core, x86_trace_fn fn, void *ctx)
{
    core->trace = fn;
    core->trace_ctx = ctx;
    if (core->is_running) /* out of the block being executed */
        __atomic_fetch_or(&core->attention, X86_ATTEND_LOOK, __ATOMIC_RELAXED);
}
