/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources: [SDM] Vol. 3B, "Debug Exceptions": breakpoints, single steps and
 * the resume flag. */
#include "arch/x86/step.h"

#include <string.h>

#include "arch/x86/access.h"
#include "arch/x86/block.h"
#include "arch/x86/core_internal.h"
#include "arch/x86/debug.h"
#include "arch/x86/quirks.h"
#include "arch/x86/tlb.h"
#include "mem/physmem.h"

/* The instruction's bytes, from where the block was decoded. */
static void copy_bytes(struct x86_core *core, const struct x86_block *block,
                       const struct x86_op *op, uint8_t bytes[15])
{
    uint64_t offset = op->next_rip - op->len - block->rip;
    const uint8_t *host;

    if (block->next_page != X86_NO_PAGE) {
        memcpy(bytes, block->bytes, op->len);
        return;
    }
    host = physmem_host(core->mem, (gpa_t){block->gpa + offset}, op->len);
    if (host)
        memcpy(bytes, host, op->len);
}

static void begin_record(struct x86_core *core, struct x86_op *op,
                         struct x86_trace_record *record)
{
    const struct x86_block *block = x86_op_block(op);
    const struct x86_op_info *info = &block->info[op->slot - 1];

    memset(record, 0, sizeof(*record));
    record->rip = op->next_rip - op->len;
    record->len = op->len;
    record->op_class = info->op_class;
    record->is_branch = info->flags & X86_ROW_BRANCH;
    copy_bytes(core, block, op, record->bytes);
    core->record = record;
}

static void end_record(struct x86_core *core)
{
    struct x86_trace_record *record = core->record;

    core->record = NULL;
    if (!core->is_retired || !core->trace)
        return;
    record->next_rip = core->state.rip;
    x86_fpu_leave(&core->fpu);
    core->trace(core->trace_ctx, core, record);
}

static void count_one(struct x86_core *core, struct x86_op *op)
{
    const struct x86_block *block = x86_op_block(op);

    core->left--;
    x86_block_count(&core->counts, &block->info[op->slot - 1], 1);
}

/* ---------------------------------------------------------- debug exceptions
 */

static void raise_debug(struct x86_core *core, enum x86_fault_source source,
                        uint32_t dr6)
{
    core->fault = (struct x86_fault){
        .vector = X86_DB, .source = (uint8_t)source, .addr = dr6};
    core->pending |= X86_PENDING_FAULT;
    core->debug_hits = 0;
}

/* A breakpoint on the instruction at RIP, or what the one before left behind.
 * Returns: the instruction is not to be executed now. */
static bool break_before(struct x86_core *core)
{
    uint64_t base =
        core->mode == X86_MODE_64 ? 0 : core->state.seg[X86_CS].base;
    bool is_behind_mov_ss = core->state.events.shadow == 2;
    unsigned hits = 0;

    if (core->debug_hits && !is_behind_mov_ss) {
        raise_debug(core, X86_FROM_TRAP, core->debug_hits);
        return true;
    }
    /* RF protects the instruction that IRET went to; on Intel's processors MOV
     * SS does that for the one behind it, on AMD's it does not. */
    if (core->is_watching && !(core->state.rflags & X86_RF) &&
        (!is_behind_mov_ss || x86_quirks_is_amd()))
        hits = x86_debug_code_hits(&core->state, base + core->state.rip);
    if (hits)
        raise_debug(core, X86_FROM_FAULT, hits);
    return hits;
}

/* Whether the instruction that was executed is followed by a single-step trap:
 * TF was set when it began.  INT n clears TF and is not followed by one, nor is
 * a SYSCALL whose mask clears it. */
static bool is_step_over(const struct x86_core *core, struct x86_op *op)
{
    const struct x86_block *block = x86_op_block(op);
    bool is_call = block->info[op->slot - 1].flags & X86_ROW_SYSCALL;

    return !is_call || core->is_trapping;
}

/* Traps behind an instruction.  Behind MOV SS they wait for the next one. */
static void break_behind(struct x86_core *core, struct x86_op *op,
                         bool was_trapping)
{
    uint32_t dr6 = core->debug_hits;

    if ((core->pending & X86_PENDING_FAULT) && core->fault.vector == X86_DB &&
        core->fault.source != X86_FROM_INT_N) {
        core->fault.addr |= dr6; /* one exception for all causes */
        core->debug_hits = 0;
    }
    if ((core->pending & X86_PENDING_FAULT) || core->state.events.shadow == 2)
        return;
    if (was_trapping && is_step_over(core, op))
        dr6 |= X86_DR6_BS;
    if (!dr6)
        return;
    raise_debug(core, X86_FROM_TRAP, dr6);
    core->state.mp_state = X86_RUNNABLE;
}

/* ------------------------------------------------------------------- stepping
 */

static struct x86_op *execute(struct x86_core *core, struct x86_op *op)
{
    struct x86_op *next;

    core->is_retired = true;
    core->is_stepping = true;
    core->full_op = op;
    next = op->form->full(core, op);
    core->full_op = NULL;
    core->is_stepping = false;
    if (next)
        core->state.rip = op->next_rip;
    return next;
}

/* The instruction was executed. */
static void retire(struct x86_core *core, struct x86_op *op, uint8_t shadow)
{
    count_one(core, op);
    if (core->state.events.shadow == shadow)
        core->state.events.shadow = 0;
    core->skip_break = false;
}

/* It was not: a fault discards what it met, a repeated instruction goes on
 * without meeting its own breakpoint again. */
static void suspend(struct x86_core *core, uint64_t resume)
{
    if (core->pending & X86_PENDING_FAULT)
        core->debug_hits = 0;
    else if (core->is_watching)
        resume = X86_RF;
    core->state.rflags |= resume;
}

/* Execute one instruction; RIP is that of the next one afterwards.
 * Returns: the next op of the block, or NULL. */
static struct x86_op *step(struct x86_core *core, struct x86_op *op)
{
    struct x86_trace_record record;
    bool was_trapping = core->is_trapping;
    uint8_t shadow = core->state.events.shadow;
    uint64_t resume = core->state.rflags & X86_RF;
    struct x86_op *next;

    if ((core->is_watching || core->debug_hits) && break_before(core))
        return NULL;
    if (core->trace)
        begin_record(core, op, &record);
    core->state.rflags &= ~(uint64_t)X86_RF;
    next = execute(core, op);
    if (core->is_retired)
        retire(core, op, shadow);
    else
        suspend(core, resume);
    if (core->record)
        end_record(core);
    if (was_trapping || core->debug_hits)
        break_behind(core, op, was_trapping);
    return next;
}

static bool may_go_on(struct x86_core *core)
{
    return core->left > 0 && !core->pending && !core->smc_hit &&
           !__atomic_load_n(&core->attention, __ATOMIC_RELAXED);
}

static bool is_stopped_by_break(const struct x86_core *core)
{
    uint64_t base =
        core->mode == X86_MODE_64 ? 0 : core->state.seg[X86_CS].base;

    return !core->skip_break && core->num_breaks &&
           x86_block_has_break(core, base + core->state.rip);
}

void x86_step_block(struct x86_core *core)
{
    struct x86_op *op = x86_block_find(core);
    unsigned num_insts;

    if (!op) {
        core->pending |= X86_PENDING_FAULT;
        return;
    }
    if (is_stopped_by_break(core)) {
        (void)x86_stop_with(core, X86_STOP_BREAK);
        return;
    }
    num_insts = x86_op_block(op)->num_insts;
    core->smc_hit = false;
    for (op++; op && op->slot <= num_insts;) {
        op = step(core, op);
        if (!may_go_on(core))
            return;
    }
}
