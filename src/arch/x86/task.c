/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Task state segments.
 * Source: [SDM] Vol. 3A, "Task Management": figures "32-Bit Task-State
 * Segment", "16-Bit TSS Format", "64-Bit TSS Format"; "Task Switching".
 */
#include "arch/x86/task.h"

#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/debug.h"
#include "arch/x86/segment.h"
#include "arch/x86/stack.h"
#include "arch/x86/sysreg.h"
#include "arch/x86/vmem.h"

/* Offsets in the TSS formats [bytes]. */
enum {
    TSS64_RSP0 = 4,
    TSS64_IST1 = 36,
    TSS32_ESP0 = 4,
    TSS16_SP0 = 2,
    TSS_IOMAP = 102,
    TSS32_CR3 = 28,
    TSS32_SIZE = 104,
    TSS16_SIZE = 44,
};

/* A legacy TSS as numbers, for both sizes. */
struct task {
    uint32_t link, cr3, eip, eflags, gpr[8], seg[X86_NUM_SEGS], ldt, trap;
};

static bool is_tss32(uint8_t type)
{
    return type & 8;
}

static bool tss_read(struct x86_core *core, uint32_t offset, void *data,
                     unsigned len, struct x86_fault *fault)
{
    const struct x86_seg *tr = &x86_core_state(core)->tr;

    if (offset + len - 1 > tr->limit)
        return x86_fail(fault, X86_TS, tr->selector & 0xfffc);
    return x86_vmem_read(core, (gva_t){tr->base + offset}, data, len,
                         X86_ACCESS_IMPLICIT, fault) == len;
}

static bool read_canonical(struct x86_core *core, uint32_t offset,
                           uint64_t *rsp, struct x86_fault *fault)
{
    if (!tss_read(core, offset, rsp, 8, fault))
        return false;
    return x86_is_canonical(*rsp) || x86_fail(fault, X86_SS, 0);
}

bool x86_task_rsp(struct x86_core *core, unsigned level, uint64_t *rsp,
                  struct x86_fault *fault)
{
    return read_canonical(core, TSS64_RSP0 + 8 * level, rsp, fault);
}

bool x86_task_ist(struct x86_core *core, unsigned index, uint64_t *rsp,
                  struct x86_fault *fault)
{
    return read_canonical(core, TSS64_IST1 + 8 * (index - 1), rsp, fault);
}

bool x86_task_stack(struct x86_core *core, unsigned level, uint16_t *ss,
                    uint64_t *sp, struct x86_fault *fault)
{
    unsigned width = is_tss32(x86_core_state(core)->tr.type) ? 4 : 2;
    uint32_t first = width == 4 ? TSS32_ESP0 : TSS16_SP0;
    uint32_t offset = first + level * 2 * width;

    *sp = 0;
    return tss_read(core, offset, sp, width, fault) &&
           tss_read(core, offset + width, ss, 2, fault);
}

/* [SDM] Vol. 1, "I/O Permission Bit Map": two bytes are always read. */
bool x86_task_io_allowed(struct x86_core *core, uint16_t port, unsigned size,
                         struct x86_fault *fault)
{
    const struct x86_seg *tr = &x86_core_state(core)->tr;
    uint16_t base, bits;
    uint32_t offset;

    if (tr->unusable || !is_tss32(tr->type) || tr->limit < TSS_IOMAP + 1)
        return x86_fail(fault, X86_GP, 0);
    if (!tss_read(core, TSS_IOMAP, &base, 2, fault))
        return false;
    offset = base + port / 8U;
    if (offset + 1 > tr->limit)
        return x86_fail(fault, X86_GP, 0);
    if (!tss_read(core, offset, &bits, 2, fault))
        return false;
    if ((bits >> (port & 7)) & ((1U << size) - 1))
        return x86_fail(fault, X86_GP, 0);
    return true;
}

/* ------------------------------------------------------------ task switches */

static void task_capture(struct x86_core *core, struct task *task)
{
    const struct x86_state *state = x86_core_state(core);

    memset(task, 0, sizeof *task);
    task->eip = (uint32_t)state->rip;
    task->eflags = (uint32_t)x86_core_rflags(core);
    for (unsigned i = 0; i < 8; i++)
        task->gpr[i] = (uint32_t)state->gpr[i];
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        task->seg[i] = state->seg[i].selector;
}

/* Dynamic fields of a 32-bit TSS: EIP at 32 to GS at 92. */
static void encode32(const struct task *task, uint32_t words[16])
{
    words[0] = task->eip;
    words[1] = task->eflags;
    memcpy(&words[2], task->gpr, sizeof task->gpr);
    memcpy(&words[10], task->seg, sizeof task->seg);
}

static void encode16(const struct task *task, uint16_t words[14])
{
    words[0] = (uint16_t)task->eip;
    words[1] = (uint16_t)task->eflags;
    for (unsigned i = 0; i < 8; i++)
        words[2 + i] = (uint16_t)task->gpr[i];
    for (unsigned i = 0; i < 4; i++)
        words[10 + i] = (uint16_t)task->seg[i];
}

static bool task_store(struct x86_core *core, const struct x86_seg *tr,
                       const struct task *task, struct x86_fault *fault)
{
    uint32_t words32[16];
    uint16_t words16[14];
    bool is_32 = is_tss32(tr->type);
    unsigned len = is_32 ? sizeof words32 : sizeof words16;
    gva_t addr = {tr->base + (is_32 ? 32U : 14U)};

    encode32(task, words32);
    encode16(task, words16);
    return x86_vmem_write(core, addr, is_32 ? (const void *)words32 : words16,
                          len, X86_ACCESS_IMPLICIT, fault) == len;
}

static void decode32(const uint8_t *raw, struct task *task)
{
    uint32_t words[26];

    memcpy(words, raw, sizeof words);
    task->link = words[0] & 0xffff;
    task->cr3 = words[7];
    task->eip = words[8];
    task->eflags = words[9];
    memcpy(task->gpr, &words[10], sizeof task->gpr);
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        task->seg[i] = words[18 + i] & 0xffff;
    task->ldt = words[24] & 0xffff;
    task->trap = words[25] & 1;
}

static void decode16(const uint8_t *raw, struct task *task)
{
    uint16_t words[22];

    memcpy(words, raw, sizeof words);
    memset(task, 0, sizeof *task);
    task->link = words[0];
    task->eip = words[7];
    task->eflags = words[8];
    for (unsigned i = 0; i < 8; i++)
        task->gpr[i] = words[9 + i];
    for (unsigned i = 0; i < 4; i++)
        task->seg[i] = words[17 + i];
    task->ldt = words[21];
}

static bool task_fetch(struct x86_core *core, const struct x86_seg *tss,
                       struct task *task, struct x86_fault *fault)
{
    unsigned len = is_tss32(tss->type) ? TSS32_SIZE : TSS16_SIZE;
    uint8_t raw[TSS32_SIZE];

    if (x86_vmem_read(core, (gva_t){tss->base}, raw, len, X86_ACCESS_IMPLICIT,
                      fault) != len)
        return false;
    if (is_tss32(tss->type))
        decode32(raw, task);
    else
        decode16(raw, task);
    return true;
}

static bool read_tss_desc(struct x86_core *core, uint16_t selector,
                          enum x86_task_cause cause, struct x86_seg *tss,
                          struct x86_fault *fault)
{
    uint8_t vector = cause == X86_TASK_IRET ? X86_TS : X86_GP;
    uint32_t error = selector & 0xfffcU;
    bool wants_busy = cause == X86_TASK_IRET;
    uint64_t raw;
    uint32_t least;

    if ((selector & 4) || !error)
        return x86_fail(fault, vector, error);
    if (!x86_desc_read(core, selector, vector, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, selector, tss);
    if (tss->s || (tss->type & 5) != 1 || !!(tss->type & 2) != wants_busy)
        return x86_fail(fault, vector, error);
    if (!tss->present)
        return x86_fail(fault, X86_NP, error);
    least = is_tss32(tss->type) ? TSS32_SIZE - 1 : TSS16_SIZE - 1;
    return tss->limit >= least || x86_fail(fault, X86_TS, error);
}

/* The segment registers of the new task; a fault belongs to the new task. */
static bool task_load_segments(struct x86_core *core, const struct task *task,
                               struct x86_fault *fault)
{
    static const enum x86_seg_name data[] = {X86_DS, X86_ES, X86_FS, X86_GS};
    struct x86_state *state = x86_core_state(core);
    uint16_t cs = (uint16_t)task->seg[X86_CS];
    struct x86_seg seg;
    uint64_t raw;

    if (!x86_load_ldtr(core, (uint16_t)task->ldt, fault)) {
        fault->vector = X86_TS;
        return false;
    }
    if (state->rflags & X86_VM) {
        for (unsigned i = 0; i < X86_NUM_SEGS; i++)
            x86_seg_load_8086(state, i, (uint16_t)task->seg[i]);
        return true;
    }
    if (!(cs & 0xfffc))
        return x86_fail(fault, X86_TS, 0);
    if (!x86_desc_read(core, cs, X86_TS, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, cs, &seg);
    if (!seg.s || !(seg.type & X86_SEG_CODE) ||
        (seg.type & X86_SEG_CONFORMING ? seg.dpl > (cs & 3U)
                                       : seg.dpl != (cs & 3U)))
        return x86_fail(fault, X86_TS, cs & 0xfffc);
    if (!seg.present)
        return x86_fail(fault, X86_NP, cs & 0xfffc);
    if (!x86_desc_write_type(core, cs, seg.type | X86_SEG_ACCESSED, fault))
        return false;
    seg.type |= X86_SEG_ACCESSED;
    state->seg[X86_CS] = seg;
    if (!x86_seg_check_stack(core, (uint16_t)task->seg[X86_SS_SEG], cs & 3,
                             X86_TS, &state->seg[X86_SS_SEG], fault))
        return false;
    for (unsigned i = 0; i < SIM_ARRAY_LEN(data); i++) {
        if (!x86_seg_load(core, data[i], (uint16_t)task->seg[data[i]], fault)) {
            fault->vector = fault->vector == X86_GP ? X86_TS : fault->vector;
            return false;
        }
    }
    return true;
}

/* A 16-bit TSS has no CR3.  [SDM] Vol. 3A, "PDPTE Registers": a change of CR3
 * loads them. */
static bool task_load_cr3(struct x86_core *core, const struct task *task,
                          struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);

    if (!is_tss32(state->tr.type) || !(state->cr0 & X86_CR0_PG))
        return true;
    if (task->cr3 != state->cr3 &&
        x86_is_pae(state->cr0, state->cr4, state->efer) &&
        !x86_load_pdptes(core, task->cr3, fault))
        return false;
    state->cr3 = task->cr3;
    x86_core_flush_tlb(core);
    return true;
}

static void task_install(struct x86_core *core, const struct x86_seg *tss,
                         const struct task *task)
{
    struct x86_state *state = x86_core_state(core);

    x86_core_flush_tlb(core);
    state->tr = *tss;
    state->tr.type |= 2;
    state->cr0 |= 8;                  /* TS */
    state->dr[7] &= ~UINT64_C(0x155); /* local breakpoints */
    state->rip = task->eip;
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = task->gpr[i];
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        state->seg[i] =
            (struct x86_seg){.selector = (uint16_t)task->seg[i], .unusable = 1};
    x86_core_set_rflags(core, task->eflags | X86_RF_FIXED1);
}

/* Mark the old task and link the new one to it. */
static bool task_leave(struct x86_core *core, const struct x86_seg *tss,
                       enum x86_task_cause cause, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    struct x86_seg old = state->tr;
    struct task now;

    task_capture(core, &now);
    if (cause == X86_TASK_IRET)
        now.eflags &= ~(uint32_t)X86_NT;
    if (!task_store(core, &old, &now, fault))
        return false;
    if (cause != X86_TASK_CALL &&
        !x86_desc_write_type(core, old.selector, (uint8_t)(old.type & 0xd),
                             fault))
        return false;
    if (cause == X86_TASK_CALL &&
        x86_vmem_write(core, (gva_t){tss->base}, &old.selector, 2,
                       X86_ACCESS_IMPLICIT, fault) != 2)
        return false;
    return cause == X86_TASK_IRET ||
           x86_desc_write_type(core, tss->selector, tss->type | 2, fault);
}

bool x86_task_switch(struct x86_core *core, uint16_t selector,
                     enum x86_task_cause cause, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    struct x86_seg tss;
    struct task task;
    bool is_ok;

    if (x86_in_long_mode(state))
        return x86_fail(fault, X86_GP, selector & 0xfffc);
    if (!read_tss_desc(core, selector, cause, &tss, fault) ||
        !task_fetch(core, &tss, &task, fault) ||
        !task_leave(core, &tss, cause, fault))
        return false;
    if (cause == X86_TASK_CALL)
        task.eflags |= X86_NT;
    task_install(core, &tss, &task);
    is_ok = task_load_cr3(core, &task, fault) &&
            task_load_segments(core, &task, fault);
    x86_core_mode_changed(core);
    if (is_ok && state->rip > state->seg[X86_CS].limit)
        is_ok = x86_fail(fault, X86_GP, 0);
    if (is_ok && task.trap) {
        is_ok = x86_fail_plain(fault, X86_DB);
        fault->addr = X86_DR6_BT;
    }
    if (!is_ok)
        fault->source = X86_FROM_TRAP; /* at the RIP of the new task */
    return is_ok;
}

bool x86_task_interrupt(struct x86_core *core, uint16_t selector,
                        const struct x86_fault *event, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    struct x86_stack stack;
    unsigned width;

    if (event->source == X86_FROM_FAULT && event->vector != X86_DB)
        state->rflags |= X86_RF;
    if (!x86_task_switch(core, selector, X86_TASK_CALL, fault))
        return false;
    if (!event->has_error)
        return true;
    stack = x86_stack_current(core);
    width = is_tss32(state->tr.type) ? 4 : 2;
    if (!x86_stack_push(&stack, width, event->error, fault)) {
        fault->source = X86_FROM_TRAP;
        return false;
    }
    x86_stack_commit(&stack);
    return true;
}

bool x86_task_return(struct x86_core *core, struct x86_fault *fault)
{
    uint16_t link;

    return tss_read(core, 0, &link, 2, fault) &&
           x86_task_switch(core, link, X86_TASK_IRET, fault);
}
