/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions and interrupts.  Leaves out: shadow stacks (CET), SMM, and the
 * redirection of INT n in V86 mode by CR4.VME.
 * Sources: [SDM] Vol. 3A, "Interrupt and Exception Handling", "Task
 * Management"; [SDM] Vol. 2A, INT n.
 */
#include "arch/x86/deliver.h"

#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/debug.h"
#include "arch/x86/segment.h"
#include "arch/x86/stack.h"
#include "arch/x86/task.h"
#include "arch/x86/vmem.h"

enum { ERROR_EXT = 1, ERROR_IDT = 2 };

struct gate {
    uint64_t offset;
    uint16_t selector;
    uint8_t type; /* enum x86_sys_type */
    uint8_t dpl;
    uint8_t ist;
    bool is_present;
};

/* A delivery in progress. */
struct delivery {
    struct x86_core *core;
    const struct x86_fault *event;
    struct gate gate;
    struct x86_seg cs; /* of the handler */
    unsigned cpl;      /* of the handler */
    unsigned width;    /* of a stack slot [bytes] */
};

/* INT n, INT3 and INTO are subject to the gate's DPL; INT1 is not. */
static bool is_software(const struct x86_fault *event)
{
    return event->source == X86_FROM_INT_N ||
           (event->source == X86_FROM_TRAP &&
            (event->vector == X86_BP || event->vector == X86_OF));
}

/* Error code that blames the gate of the event; EXT is added to all error codes
 * at the end. */
static uint32_t gate_error(const struct x86_fault *event)
{
    return (uint32_t)event->vector << 3 | ERROR_IDT;
}

static uint32_t selector_error(uint16_t selector)
{
    return selector & 0xfffcU;
}

static bool read_gate(struct delivery *d, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(d->core);
    unsigned size = x86_in_long_mode(state) ? 16 : 8;
    uint32_t offset = d->event->vector * size;
    uint64_t raw[2] = {0};

    if (offset + size - 1 > state->idtr.limit)
        return x86_fail(fault, X86_GP, gate_error(d->event));
    if (x86_vmem_read(d->core, (gva_t){state->idtr.base + offset}, raw, size,
                      X86_ACCESS_IMPLICIT, fault) != size)
        return false;
    d->gate = (struct gate){
        .offset = (raw[0] & 0xffff) | ((raw[0] >> 32) & 0xffff0000) |
                  (raw[1] & UINT32_MAX) << 32,
        .selector = (uint16_t)(raw[0] >> 16),
        .type = (raw[0] >> 40) & 0x1f, /* with S, which must be 0 */
        .dpl = (raw[0] >> 45) & 3,
        .ist = size == 16 ? (raw[0] >> 32) & 7 : 0,
        .is_present = (raw[0] >> 47) & 1,
    };
    return true;
}

static bool is_gate_type(const struct x86_state *state, uint8_t type)
{
    if (type == X86_INT_GATE || type == X86_TRAP_GATE)
        return true;
    if (x86_in_long_mode(state))
        return false;
    return type == X86_INT_GATE16 || type == X86_TRAP_GATE16 ||
           type == X86_TASK_GATE;
}

static bool check_gate(struct delivery *d, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(d->core);

    if (!is_gate_type(state, d->gate.type))
        return x86_fail(fault, X86_GP, gate_error(d->event));
    if (is_software(d->event) && d->gate.dpl < x86_cpl(state))
        return x86_fail(fault, X86_GP, gate_error(d->event));
    if (!d->gate.is_present)
        return x86_fail(fault, X86_NP, gate_error(d->event));
    return true;
}

/* The handler's code segment and privilege level. */
static bool check_target(struct delivery *d, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(d->core);
    uint16_t selector = d->gate.selector;
    unsigned cpl = x86_cpl(state);
    uint64_t raw;

    if (!(selector & 0xfffc))
        return x86_fail(fault, X86_GP, 0);
    if (!x86_desc_read(d->core, selector, X86_GP, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, selector, &d->cs);
    if (!d->cs.s || !(d->cs.type & X86_SEG_CODE) || d->cs.dpl > cpl)
        return x86_fail(fault, X86_GP, selector_error(selector));
    if (x86_in_long_mode(state) && (!d->cs.l || d->cs.db))
        return x86_fail(fault, X86_GP, selector_error(selector));
    if (!d->cs.present)
        return x86_fail(fault, X86_NP, selector_error(selector));
    d->cpl = d->cs.type & X86_SEG_CONFORMING ? cpl : d->cs.dpl;
    if (x86_in_v86_mode(state) && d->cpl != 0)
        return x86_fail(fault, X86_GP, selector_error(selector));
    d->cs.selector = (uint16_t)((selector & ~3U) | d->cpl);
    return true;
}

/* The last checks, after those of the stack. */
static bool check_entry(struct delivery *d, struct x86_fault *fault)
{
    bool is_long = x86_in_long_mode(x86_core_state(d->core));

    if (is_long ? !x86_is_canonical(d->gate.offset)
                : d->gate.offset > d->cs.limit)
        return x86_fail(fault, X86_GP, 0);
    d->cs.type |= X86_SEG_ACCESSED;
    return x86_desc_write_type(d->core, d->cs.selector, d->cs.type, fault);
}

/* RFLAGS for the frame.  [SDM] Vol. 3B, "Debug Exceptions", on RF: faults push
 * it set, so that the instruction does not break again; breakpoints do not. */
static uint64_t frame_rflags(const struct delivery *d)
{
    uint64_t rflags = x86_core_rflags(d->core);

    if (d->event->source == X86_FROM_FAULT &&
        (d->event->vector != X86_DB || (d->event->addr & X86_DR6_BD)))
        rflags |= X86_RF;
    return rflags;
}

static bool push_frame(struct delivery *d, struct x86_stack *stack,
                       bool with_stack, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(d->core);
    unsigned width = d->width;

    if (with_stack &&
        (!x86_stack_push(stack, width, state->seg[X86_SS_SEG].selector,
                         fault) ||
         !x86_stack_push(stack, width, state->gpr[X86_RSP], fault)))
        return false;
    if (!x86_stack_push(stack, width, frame_rflags(d), fault) ||
        !x86_stack_push(stack, width, state->seg[X86_CS].selector, fault) ||
        !x86_stack_push(stack, width, state->rip, fault))
        return false;
    if (d->event->has_error &&
        !x86_stack_push(stack, width, d->event->error, fault))
        return false;
    return check_entry(d, fault);
}

static void enter_handler(const struct delivery *d)
{
    struct x86_state *state = x86_core_state(d->core);
    uint64_t rflags = x86_core_rflags(d->core);
    bool is_trap =
        d->gate.type == X86_TRAP_GATE || d->gate.type == X86_TRAP_GATE16;

    rflags &= ~(uint64_t)(X86_TF | X86_NT | X86_RF | X86_VM);
    if (!is_trap)
        rflags &= ~(uint64_t)X86_IF;
    state->seg[X86_CS] = d->cs;
    state->rip = d->gate.offset;
    x86_core_set_rflags(d->core, rflags);
    x86_core_mode_changed(d->core);
}

/* [SDM] Vol. 3A, "64-Bit Mode Stack Frame", "Interrupt Stack Table". */
static bool deliver_long(struct delivery *d, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(d->core);
    bool is_inner = d->cpl < x86_cpl(state);
    struct x86_stack stack = x86_stack_current(d->core);

    stack.is_flat = true;
    stack.mask = UINT64_MAX;
    stack.access = d->cpl == 3 ? X86_ACCESS_USER : 0;
    if (d->gate.ist) {
        if (!x86_task_ist(d->core, d->gate.ist, &stack.sp, fault))
            return false;
    } else if (is_inner) {
        if (!x86_task_rsp(d->core, d->cpl, &stack.sp, fault))
            return false;
    }
    stack.sp &= ~UINT64_C(15);
    d->width = 8;
    if (!push_frame(d, &stack, true, fault))
        return false;
    if (is_inner)
        state->seg[X86_SS_SEG] = (struct x86_seg){.selector = (uint16_t)d->cpl,
                                                  .dpl = (uint8_t)d->cpl,
                                                  .unusable = 1};
    state->gpr[X86_RSP] = stack.sp;
    enter_handler(d);
    return true;
}

static bool push_v86_segments(const struct delivery *d, struct x86_stack *stack,
                              struct x86_fault *fault)
{
    static const enum x86_seg_name names[] = {X86_GS, X86_FS, X86_DS, X86_ES};
    const struct x86_state *state = x86_core_state(d->core);

    for (unsigned i = 0; i < SIM_ARRAY_LEN(names); i++) {
        if (!x86_stack_push(stack, d->width, state->seg[names[i]].selector,
                            fault))
            return false;
    }
    return true;
}

static bool deliver_inner(struct delivery *d, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(d->core);
    bool is_v86 = x86_in_v86_mode(state);
    struct x86_stack stack;
    struct x86_seg ss;
    uint16_t selector;
    uint64_t sp;

    if (!x86_task_stack(d->core, d->cpl, &selector, &sp, fault) ||
        !x86_seg_check_stack(d->core, selector, d->cpl, X86_TS, &ss, fault))
        return false;
    stack = x86_stack_make(d->core, &ss, sp, d->cpl);
    stack.fault_error = selector_error(selector);
    if ((is_v86 && !push_v86_segments(d, &stack, fault)) ||
        !push_frame(d, &stack, true, fault))
        return false;
    if (is_v86) {
        static const enum x86_seg_name names[] = {X86_GS, X86_FS, X86_DS,
                                                  X86_ES};

        for (unsigned i = 0; i < SIM_ARRAY_LEN(names); i++)
            state->seg[names[i]] = (struct x86_seg){.unusable = 1};
    }
    state->seg[X86_SS_SEG] = ss;
    state->gpr[X86_RSP] =
        stack.mask == UINT32_MAX
            ? (uint32_t)stack.sp
            : (state->gpr[X86_RSP] & ~stack.mask) | (stack.sp & stack.mask);
    enter_handler(d);
    return true;
}

static bool deliver_protected(struct delivery *d, struct x86_fault *fault)
{
    struct x86_stack stack;

    d->width = d->gate.type & 8 ? 4 : 2;
    if (d->width == 2)
        d->gate.offset &= 0xffff;
    if (d->cpl < x86_cpl(x86_core_state(d->core)))
        return deliver_inner(d, fault);
    stack = x86_stack_current(d->core);
    if (!push_frame(d, &stack, false, fault))
        return false;
    x86_stack_commit(&stack);
    enter_handler(d);
    return true;
}

/* [SDM] Vol. 3B, "Interrupt and Exception Handling" in real-address mode. */
static bool deliver_real(struct delivery *d, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(d->core);
    struct x86_stack stack = x86_stack_current(d->core);
    uint32_t offset = d->event->vector * 4U;
    uint16_t entry[2];
    uint64_t rflags = x86_core_rflags(d->core);

    if (offset + 3 > state->idtr.limit)
        return x86_fail(fault, X86_GP, 0);
    if (x86_vmem_read(d->core, (gva_t){state->idtr.base + offset}, entry, 4,
                      X86_ACCESS_IMPLICIT, fault) != 4 ||
        !x86_stack_push(&stack, 2, rflags, fault) ||
        !x86_stack_push(&stack, 2, state->seg[X86_CS].selector, fault) ||
        !x86_stack_push(&stack, 2, state->rip, fault))
        return false;
    x86_stack_commit(&stack);
    x86_seg_load_8086(state, X86_CS, entry[1]);
    state->rip = entry[0];
    x86_core_set_rflags(
        d->core, rflags & ~(uint64_t)(X86_IF | X86_TF | X86_AC_FLAG | X86_RF));
    x86_core_mode_changed(d->core);
    return true;
}

/* CR2 and DR6 are written even if the delivery then fails. */
static void note_event(struct x86_core *core, const struct x86_fault *event)
{
    struct x86_state *state = x86_core_state(core);

    if (event->source == X86_FROM_INT_N)
        return;
    if (event->vector == X86_PF)
        state->cr2 = event->addr;
    if (event->vector == X86_DB) {
        state->dr[6] = (state->dr[6] & ~(uint64_t)X86_DR6_HITS) | event->addr;
        state->dr[7] &= ~(UINT64_C(1) << 13); /* GD */
    }
}

static bool deliver_gate(struct x86_core *core, const struct x86_fault *event,
                         struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct delivery d = {.core = core, .event = event};

    if (!read_gate(&d, fault) || !check_gate(&d, fault))
        return false;
    if (d.gate.type == X86_TASK_GATE)
        return x86_task_interrupt(core, d.gate.selector, event, fault);
    if (!check_target(&d, fault))
        return false;
    return x86_in_long_mode(state) ? deliver_long(&d, fault)
                                   : deliver_protected(&d, fault);
}

/* [SDM] Vol. 3A, "Error Code": EXT tells that the event was not a software
 * interrupt. */
static void add_ext(const struct x86_fault *event, struct x86_fault *fault)
{
    if (!is_software(event) && fault->vector >= X86_TS &&
        fault->vector <= X86_GP)
        fault->error |= ERROR_EXT;
}

bool x86_deliver_once(struct x86_core *core, const struct x86_fault *event,
                      struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);

    note_event(core, event);
    if (x86_in_real_mode(state)) {
        struct delivery d = {.core = core, .event = event};

        return deliver_real(&d, fault);
    }
    /* [SDM] Vol. 2A, INT n: in V86 mode with IOPL < 3 it is #GP(0). */
    if (x86_in_v86_mode(state) && event->source == X86_FROM_INT_N &&
        (state->rflags & X86_IOPL) != X86_IOPL)
        return x86_fail(fault, X86_GP, 0);
    if (deliver_gate(core, event, fault))
        return true;
    add_ext(event, fault);
    return false;
}

/* [SDM] Vol. 3A, table "Interrupt and Exception Classes". */
static bool is_contributory(const struct x86_fault *fault)
{
    return fault->vector == X86_DE ||
           (fault->vector >= X86_TS && fault->vector <= X86_GP);
}

static bool makes_double_fault(const struct x86_fault *first,
                               const struct x86_fault *second)
{
    if (first->source == X86_FROM_INT_N || first->source == X86_FROM_EXTERNAL)
        return false;
    if (first->vector == X86_PF)
        return second->vector == X86_PF || is_contributory(second);
    return is_contributory(first) && is_contributory(second);
}

/* The fault is that of INT n itself, unless it belongs to a new task. */
static void rewind_rip(struct x86_core *core, const struct x86_fault *event,
                       const struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);

    if (fault->source != X86_FROM_FAULT)
        return;
    state->rip -= event->insn_len;
    if (!x86_in_64bit_mode(state))
        state->rip &= state->seg[X86_CS].db ? UINT32_MAX : UINT16_MAX;
}

bool x86_deliver(struct x86_core *core, const struct x86_fault *event)
{
    struct x86_fault now = *event, next;

    x86_core_state(core)->events.shadow = 0;
    while (!x86_deliver_once(core, &now, &next)) {
        if (now.vector == X86_DF && now.source == X86_FROM_FAULT)
            return false;
        rewind_rip(core, &now, &next);
        if (makes_double_fault(&now, &next))
            (void)x86_fail(&now, X86_DF, 0);
        else
            now = next;
    }
    return true;
}
