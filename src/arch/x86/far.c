/* SPDX-License-Identifier: BSD-3-Clause */
/* Far jumps, calls and returns, call gates and IRET. */
#include "arch/x86/far.h"

#include <stddef.h>

#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"
#include "arch/x86/stack.h"
#include "arch/x86/task.h"

enum { RPL = 3, ERROR_MASK = 0xfffc };

static uint64_t size_mask(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

static void set_cs_rip(struct x86_core *core, const struct x86_seg *cs,
                       uint64_t rip)
{
    struct x86_state *state = x86_core_state(core);

    state->seg[X86_CS] = *cs;
    state->rip = rip;
    x86_core_mode_changed(core);
}

static void set_cs_rip_8086(struct x86_core *core, uint16_t selector,
                            uint64_t rip)
{
    struct x86_state *state = x86_core_state(core);

    x86_seg_load_8086(state, X86_CS, selector);
    state->rip = rip;
    x86_core_mode_changed(core);
}

/* RIP must lie in the segment: limit, or canonical in 64-bit code. */
static bool check_rip(const struct x86_state *state, const struct x86_seg *cs,
                      uint64_t rip, struct x86_fault *fault)
{
    if (x86_in_long_mode(state) && cs->l)
        return x86_is_canonical(rip) || x86_fail(fault, X86_GP, 0);
    return rip <= cs->limit || x86_fail(fault, X86_GP, 0);
}

/* Intel's processors ignore the upper half of RIP on the way to code that is
 * not 64-bit (measured). */
static void narrow_rip(uint64_t *rip, const struct x86_seg *cs)
{
    if (!cs->l && !x86_quirks_is_amd())
        *rip = (uint32_t)*rip;
}

static bool check_code(const struct x86_state *state, const struct x86_seg *cs,
                       struct x86_fault *fault)
{
    uint32_t error = cs->selector & ERROR_MASK;

    if (!cs->s || !(cs->type & X86_SEG_CODE))
        return x86_fail(fault, X86_GP, error);
    /* L and D together are reserved in IA-32e mode. */
    if (x86_in_long_mode(state) && cs->l && cs->db)
        return x86_fail(fault, X86_GP, error);
    return true;
}

/* Direct transfer to a code segment: CPL stays. */
static bool check_direct(const struct x86_state *state,
                         const struct x86_seg *cs, struct x86_fault *fault)
{
    unsigned cpl = x86_cpl(state);
    uint32_t error = cs->selector & ERROR_MASK;

    if (!check_code(state, cs, fault))
        return false;
    if (cs->type & X86_SEG_CONFORMING) {
        if (cs->dpl > cpl)
            return x86_fail(fault, X86_GP, error);
    } else if ((cs->selector & RPL) > cpl || cs->dpl != cpl) {
        return x86_fail(fault, X86_GP, error);
    }
    return cs->present || x86_fail(fault, X86_NP, error);
}

static bool mark_accessed(struct x86_core *core, struct x86_seg *cs,
                          unsigned cpl, struct x86_fault *fault)
{
    if (!x86_desc_write_type(core, cs->selector, cs->type | X86_SEG_ACCESSED,
                             fault))
        return false;
    cs->type |= X86_SEG_ACCESSED;
    cs->selector = (uint16_t)((cs->selector & ~3U) | cpl);
    return true;
}

/* ------------------------------------------------------------------- gates */

struct call_gate {
    uint64_t offset;
    uint16_t selector;
    uint8_t num_params;
    unsigned size; /* of a stack slot [bytes] */
};

static bool read_call_gate(struct x86_core *core, uint16_t selector,
                           uint64_t raw, struct call_gate *gate,
                           struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    uint32_t error = selector & ERROR_MASK;
    uint64_t high = 0;
    struct x86_seg desc;

    x86_desc_decode(raw, selector, &desc);
    if (desc.dpl < x86_cpl(state) || desc.dpl < (selector & RPL))
        return x86_fail(fault, X86_GP, error);
    if (!desc.present)
        return x86_fail(fault, X86_NP, error);
    if (x86_in_long_mode(state)) {
        if (!x86_desc_read(core, selector, X86_GP, &raw, &high, fault))
            return false;
        if ((high >> 40) & 0x1f)
            return x86_fail(fault, X86_GP, error);
    }
    *gate = (struct call_gate){
        .offset = (raw & 0xffff) | ((raw >> 32) & 0xffff0000) |
                  (high & UINT32_MAX) << 32,
        .selector = (uint16_t)(raw >> 16),
        .num_params = (raw >> 32) & 0x1f,
        .size = x86_in_long_mode(state) ? 8
                : desc.type & 8         ? 4
                                        : 2,
    };
    gate->offset &= size_mask(gate->size);
    return true;
}

/* The gate's code segment; @cs keeps the gate's selector. */
static bool gate_target(struct x86_core *core, const struct call_gate *gate,
                        struct x86_seg *cs, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    uint32_t error = gate->selector & ERROR_MASK;
    uint64_t raw;

    if (!error)
        return x86_fail(fault, X86_GP, 0);
    if (!x86_desc_read(core, gate->selector, X86_GP, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, gate->selector, cs);
    if (!check_code(state, cs, fault))
        return false;
    if (cs->dpl > x86_cpl(state) ||
        (x86_in_long_mode(state) && (!cs->l || cs->db)))
        return x86_fail(fault, X86_GP, error);
    return cs->present || x86_fail(fault, X86_NP, error);
}

static bool jump_gate(struct x86_core *core, const struct call_gate *gate,
                      struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_seg cs;

    if (!gate_target(core, gate, &cs, fault))
        return false;
    if (!(cs.type & X86_SEG_CONFORMING) && cs.dpl != x86_cpl(state))
        return x86_fail(fault, X86_GP, cs.selector & ERROR_MASK);
    if (!check_rip(state, &cs, gate->offset, fault) ||
        !mark_accessed(core, &cs, x86_cpl(state), fault))
        return false;
    set_cs_rip(core, &cs, gate->offset);
    return true;
}

/* Push the caller's return address (and old stack if @old is given). */
static bool push_return(struct x86_core *core, struct x86_stack *stack,
                        unsigned size, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);

    return x86_stack_push(stack, size, state->seg[X86_CS].selector, fault) &&
           x86_stack_push(stack, size, state->rip, fault);
}

static bool copy_params(struct x86_core *core, struct x86_stack *to,
                        const struct call_gate *gate, struct x86_fault *fault)
{
    struct x86_stack from = x86_stack_current(core);
    uint64_t values[31];

    for (unsigned i = 0; i < gate->num_params; i++) {
        if (!x86_stack_pop(&from, gate->size, &values[i], fault))
            return false;
    }
    for (unsigned i = gate->num_params; i-- > 0;) {
        if (!x86_stack_push(to, gate->size, values[i], fault))
            return false;
    }
    return true;
}

static bool inner_stack(struct x86_core *core, unsigned cpl,
                        struct x86_stack *stack, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_seg ss = {
        .selector = (uint16_t)cpl, .dpl = (uint8_t)cpl, .unusable = 1};
    uint16_t selector;
    uint64_t sp;

    if (x86_in_long_mode(state)) {
        if (!x86_task_rsp(core, cpl, &sp, fault))
            return false;
        *stack = x86_stack_make(core, &ss, sp, cpl);
        stack->is_flat = true;
        stack->mask = UINT64_MAX;
        return true;
    }
    if (!x86_task_stack(core, cpl, &selector, &sp, fault) ||
        !x86_seg_check_stack(core, selector, cpl, X86_TS, &ss, fault))
        return false;
    *stack = x86_stack_make(core, &ss, sp, cpl);
    stack->fault_error = selector & ERROR_MASK;
    return true;
}

static bool call_inner(struct x86_core *core, const struct call_gate *gate,
                       struct x86_seg *cs, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    unsigned cpl = cs->dpl;
    struct x86_stack stack;

    if (!inner_stack(core, cpl, &stack, fault) ||
        !check_rip(state, cs, gate->offset, fault) ||
        !x86_stack_push(&stack, gate->size, state->seg[X86_SS_SEG].selector,
                        fault) ||
        !x86_stack_push(&stack, gate->size, state->gpr[X86_RSP], fault))
        return false;
    if (gate->size != 8 && !copy_params(core, &stack, gate, fault))
        return false;
    if (!push_return(core, &stack, gate->size, fault) ||
        !mark_accessed(core, cs, cpl, fault))
        return false;
    state->seg[X86_SS_SEG] = stack.seg;
    x86_stack_commit(&stack);
    set_cs_rip(core, cs, gate->offset);
    return true;
}

static bool call_same(struct x86_core *core, struct x86_seg *cs, uint64_t rip,
                      unsigned size, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_stack stack = x86_stack_current(core);
    bool is_pushed_first = !x86_quirks_is_amd(); /* measured */

    narrow_rip(&rip, cs);
    if ((!is_pushed_first && !check_rip(state, cs, rip, fault)) ||
        !push_return(core, &stack, size, fault) ||
        !check_rip(state, cs, rip, fault) ||
        !mark_accessed(core, cs, x86_cpl(state), fault))
        return false;
    x86_stack_commit(&stack);
    set_cs_rip(core, cs, rip);
    return true;
}

static bool call_gate(struct x86_core *core, const struct call_gate *gate,
                      struct x86_fault *fault)
{
    struct x86_seg cs;

    if (!gate_target(core, gate, &cs, fault))
        return false;
    if (!(cs.type & X86_SEG_CONFORMING) &&
        cs.dpl < x86_cpl(x86_core_state(core)))
        return call_inner(core, gate, &cs, fault);
    return call_same(core, &cs, gate->offset, gate->size, fault);
}

/* Far JMP or CALL to something that is not a code segment. */
static bool system_transfer(struct x86_core *core, uint16_t selector,
                            uint64_t raw, enum x86_task_cause cause,
                            struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct call_gate gate;
    struct x86_seg desc;
    unsigned cpl = x86_cpl(state);

    x86_desc_decode(raw, selector, &desc);
    if (desc.type == X86_CALL_GATE ||
        (desc.type == X86_CALL_GATE16 && !x86_in_long_mode(state))) {
        if (!read_call_gate(core, selector, raw, &gate, fault))
            return false;
        return cause == X86_TASK_JUMP ? jump_gate(core, &gate, fault)
                                      : call_gate(core, &gate, fault);
    }
    if (x86_in_long_mode(state) || desc.dpl < cpl ||
        desc.dpl < (selector & RPL))
        return x86_fail(fault, X86_GP, selector & ERROR_MASK);
    if (desc.type == X86_TASK_GATE) {
        if (!desc.present)
            return x86_fail(fault, X86_NP, selector & ERROR_MASK);
        return x86_task_switch(core, (uint16_t)(raw >> 16), cause, fault);
    }
    return x86_task_switch(core, selector, cause, fault);
}

/* ------------------------------------------------------------ JMP and CALL */

bool x86_far_jump(struct x86_core *core, uint16_t selector, uint64_t offset,
                  unsigned size, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_seg cs;
    uint64_t raw;

    offset &= size_mask(size);
    if (x86_in_8086_mode(state)) {
        if (!check_rip(state, &state->seg[X86_CS], offset, fault))
            return false;
        set_cs_rip_8086(core, selector, offset);
        return true;
    }
    if (!(selector & ERROR_MASK))
        return x86_fail(fault, X86_GP, 0);
    if (!x86_desc_read(core, selector, X86_GP, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, selector, &cs);
    if (!cs.s)
        return system_transfer(core, selector, raw, X86_TASK_JUMP, fault);
    narrow_rip(&offset, &cs);
    if (!check_direct(state, &cs, fault) ||
        !check_rip(state, &cs, offset, fault) ||
        !mark_accessed(core, &cs, x86_cpl(state), fault))
        return false;
    set_cs_rip(core, &cs, offset);
    return true;
}

bool x86_far_call(struct x86_core *core, uint16_t selector, uint64_t offset,
                  unsigned size, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_stack stack = x86_stack_current(core);
    struct x86_seg cs;
    uint64_t raw;

    offset &= size_mask(size);
    if (x86_in_8086_mode(state)) {
        if (!check_rip(state, &state->seg[X86_CS], offset, fault) ||
            !push_return(core, &stack, size, fault))
            return false;
        x86_stack_commit(&stack);
        set_cs_rip_8086(core, selector, offset);
        return true;
    }
    if (!(selector & ERROR_MASK))
        return x86_fail(fault, X86_GP, 0);
    if (!x86_desc_read(core, selector, X86_GP, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, selector, &cs);
    if (!cs.s)
        return system_transfer(core, selector, raw, X86_TASK_CALL, fault);
    return check_direct(state, &cs, fault) &&
           call_same(core, &cs, offset, size, fault);
}

/* ------------------------------------------------------------ RET and IRET */

/* CS of a return: RPL is the level returned to. */
static bool return_target(struct x86_core *core, uint16_t selector,
                          struct x86_seg *cs, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    uint32_t error = selector & ERROR_MASK;
    unsigned rpl = selector & RPL;
    uint64_t raw;

    if (!error)
        return x86_fail(fault, X86_GP, 0);
    if (!x86_desc_read(core, selector, X86_GP, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, selector, cs);
    if (!check_code(state, cs, fault))
        return false;
    if (rpl < x86_cpl(state) ||
        (cs->type & X86_SEG_CONFORMING ? cs->dpl > rpl : cs->dpl != rpl))
        return x86_fail(fault, X86_GP, error);
    if (!cs->present)
        return x86_fail(fault, X86_NP, error);
    cs->type |= X86_SEG_ACCESSED;
    return x86_desc_write_type(core, selector, cs->type, fault);
}

/* SS of a return to an outer level (or of any return in 64-bit mode). */
static bool return_stack(struct x86_core *core, const struct x86_seg *cs,
                         uint16_t selector, struct x86_seg *ss,
                         struct x86_fault *fault)
{
    unsigned cpl = cs->selector & RPL;

    if (!(selector & ERROR_MASK) && x86_in_long_mode(x86_core_state(core)) &&
        cs->l && cpl != 3) {
        if ((selector & RPL) != cpl)
            return x86_fail(fault, X86_GP, 0);
        *ss = (struct x86_seg){
            .selector = selector, .dpl = (uint8_t)cpl, .unusable = 1};
        return true;
    }
    return x86_seg_check_stack(core, selector, cpl, X86_GP, ss, fault);
}

/* A return's frame, popped but not yet in force. */
struct frame {
    uint64_t rip, cs, rflags, sp, ss;
};

static void switch_stack(struct x86_core *core, const struct x86_seg *cs,
                         const struct x86_seg *ss, uint64_t sp)
{
    struct x86_state *state = x86_core_state(core);

    state->seg[X86_SS_SEG] = *ss;
    if (x86_in_long_mode(state) && cs->l)
        state->gpr[X86_RSP] = sp;
    else if (ss->db)
        state->gpr[X86_RSP] = (uint32_t)sp;
    else
        state->gpr[X86_RSP] =
            (state->gpr[X86_RSP] & ~UINT64_C(0xffff)) | (sp & 0xffff);
}

static bool far_return_8086(struct x86_core *core, unsigned size,
                            uint16_t release, struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_stack stack = x86_stack_current(core);
    struct frame frame;

    if (!x86_stack_pop(&stack, size, &frame.rip, fault) ||
        !x86_stack_pop(&stack, size, &frame.cs, fault) ||
        !check_rip(state, &state->seg[X86_CS], frame.rip, fault))
        return false;
    stack.sp += release;
    x86_stack_commit(&stack);
    set_cs_rip_8086(core, (uint16_t)frame.cs, frame.rip);
    return true;
}

/* Which slot of a frame is read first shows when the stack ends inside it. */
static bool read_ahead(const struct x86_stack *stack, unsigned size,
                       unsigned slot, struct x86_fault *fault)
{
    struct x86_stack ahead = *stack;
    uint64_t ignored;

    ahead.sp += (uint64_t)slot * size;
    return x86_stack_pop(&ahead, size, &ignored, fault);
}

/* Intel's processors read only two bytes of its slot (measured). */
static bool pop_selector(struct x86_stack *stack, unsigned size,
                         uint64_t *selector, struct x86_fault *fault)
{
    struct x86_stack slot = *stack;
    unsigned used = x86_quirks_is_amd() ? size : 2;

    if (!x86_stack_pop(&slot, used, selector, fault))
        return false;
    x86_stack_skip(stack, size);
    return true;
}

/* Offset and selector; the latter is read first (measured). */
static bool pop_pointer(struct x86_stack *stack, unsigned size,
                        uint64_t *offset, uint64_t *selector,
                        struct x86_fault *fault)
{
    struct x86_stack behind = *stack;

    x86_stack_skip(&behind, size);
    if (!pop_selector(&behind, size, selector, fault) ||
        !x86_stack_pop(stack, size, offset, fault))
        return false;
    *stack = behind;
    return true;
}

/* The stack of an outer level, behind the return address. */
static bool pop_outer_stack(struct x86_stack stack, unsigned size,
                            uint16_t release, struct frame *frame,
                            struct x86_fault *fault)
{
    stack.sp += release;
    return pop_pointer(&stack, size, &frame->sp, &frame->ss, fault);
}

static bool far_return_outer(struct x86_core *core, struct x86_seg *cs,
                             const struct frame *frame, uint16_t release,
                             struct x86_fault *fault)
{
    struct x86_seg ss;

    if (!return_stack(core, cs, (uint16_t)frame->ss, &ss, fault))
        return false;
    switch_stack(core, cs, &ss, frame->sp + release);
    set_cs_rip(core, cs, frame->rip);
    x86_seg_drop_inner(x86_core_state(core), cs->selector & RPL);
    return true;
}

bool x86_far_return(struct x86_core *core, unsigned size, uint16_t release,
                    struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    struct x86_stack stack = x86_stack_current(core);
    struct x86_seg cs;
    struct frame frame;
    bool is_same_level;

    if (x86_in_8086_mode(state))
        return far_return_8086(core, size, release, fault);
    if (!pop_pointer(&stack, size, &frame.rip, &frame.cs, fault))
        return false;
    is_same_level = (frame.cs & RPL) == x86_cpl(state);
    /* AMD reads the outer stack before it looks at the descriptor.
     * [APM] Vol. 3, "RET (Far)". */
    if (!is_same_level && x86_quirks_is_amd() &&
        !pop_outer_stack(stack, size, release, &frame, fault))
        return false;
    if (!return_target(core, (uint16_t)frame.cs, &cs, fault))
        return false;
    narrow_rip(&frame.rip, &cs);
    if (!check_rip(state, &cs, frame.rip, fault))
        return false;
    if (!is_same_level)
        return pop_outer_stack(stack, size, release, &frame, fault) &&
               far_return_outer(core, &cs, &frame, release, fault);
    stack.sp += release;
    x86_stack_commit(&stack);
    set_cs_rip(core, &cs, frame.rip);
    return true;
}

/* Which RFLAGS bits IRET may change at this privilege.
 * [SDM] Vol. 2A, IRET; CPL is that before the return. */
static uint64_t iret_flags(struct x86_core *core, uint64_t wanted,
                           unsigned size)
{
    const struct x86_state *state = x86_core_state(core);
    uint64_t old = x86_core_rflags(core);
    unsigned cpl = x86_cpl(state), iopl = (unsigned)(old >> 12) & 3;
    uint64_t mask = X86_ARITH_FLAGS | X86_TF | X86_DF_FLAG | X86_NT;

    if (size != 2)
        mask |= X86_RF | X86_AC_FLAG | X86_ID;
    if (cpl <= iopl)
        mask |= X86_IF;
    if (cpl == 0) {
        mask |= X86_IOPL;
        if (size != 2)
            mask |= X86_VIF | X86_VIP;
    }
    return (old & ~mask) | (wanted & mask) | X86_RF_FIXED1;
}

static bool iret_8086(struct x86_core *core, unsigned size,
                      struct x86_fault *fault)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_stack stack = x86_stack_current(core);
    uint64_t flags, mask;
    struct frame frame;

    if (x86_in_v86_mode(state) && (state->rflags & X86_IOPL) != X86_IOPL)
        return x86_fail(fault, X86_GP, 0);
    if (!x86_stack_pop(&stack, size, &frame.rip, fault) ||
        !x86_stack_pop(&stack, size, &frame.cs, fault) ||
        !x86_stack_pop(&stack, size, &frame.rflags, fault) ||
        !check_rip(state, &state->seg[X86_CS], frame.rip, fault))
        return false;
    mask = X86_ARITH_FLAGS | X86_TF | X86_IF | X86_DF_FLAG | X86_NT;
    if (!x86_in_v86_mode(state))
        mask |= X86_IOPL;
    if (size == 4)
        mask |= X86_RF | X86_AC_FLAG | X86_ID;
    flags = x86_core_rflags(core);
    flags = (flags & ~mask) | (frame.rflags & mask) | X86_RF_FIXED1;
    x86_stack_commit(&stack);
    x86_core_set_rflags(core, flags);
    set_cs_rip_8086(core, (uint16_t)frame.cs, frame.rip);
    return true;
}

/* Protected mode at CPL 0 to V86: all segments come from the frame. */
static bool iret_to_v86(struct x86_core *core, struct x86_stack *stack,
                        const struct frame *frame, struct x86_fault *fault)
{
    static const enum x86_seg_name order[] = {X86_ES, X86_DS, X86_FS, X86_GS};
    struct x86_state *state = x86_core_state(core);
    uint64_t sp, ss, selectors[4];

    if (!x86_stack_pop(stack, 4, &sp, fault) ||
        !x86_stack_pop(stack, 4, &ss, fault))
        return false;
    for (unsigned i = 0; i < 4; i++) {
        if (!x86_stack_pop(stack, 4, &selectors[i], fault))
            return false;
    }
    if (frame->rip > UINT16_MAX)
        return x86_fail(fault, X86_GP, 0);
    x86_core_set_rflags(core, (frame->rflags & UINT32_MAX) | X86_RF_FIXED1);
    for (unsigned i = 0; i < 4; i++)
        x86_seg_load_8086(state, order[i], (uint16_t)selectors[i]);
    x86_seg_load_8086(state, X86_SS_SEG, (uint16_t)ss);
    state->gpr[X86_RSP] = (uint32_t)sp;
    set_cs_rip_8086(core, (uint16_t)frame->cs, frame->rip);
    return true;
}

static bool iret_outer(struct x86_core *core, struct x86_seg *cs,
                       const struct frame *frame, unsigned size,
                       struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    unsigned cpl = x86_cpl(state);
    uint64_t rflags;
    struct x86_seg ss;

    if (!return_stack(core, cs, (uint16_t)frame->ss, &ss, fault) ||
        !check_rip(state, cs, frame->rip, fault))
        return false;
    rflags = iret_flags(core, frame->rflags, size);
    switch_stack(core, cs, &ss, frame->sp);
    x86_core_set_rflags(core, rflags);
    set_cs_rip(core, cs, frame->rip);
    if ((cs->selector & RPL) != cpl)
        x86_seg_drop_inner(state, cs->selector & RPL);
    return true;
}

bool x86_iret(struct x86_core *core, unsigned size, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    struct x86_stack stack = x86_stack_current(core);
    struct x86_seg cs;
    struct frame frame;
    bool is_outer;

    if (x86_in_8086_mode(state))
        return iret_8086(core, size, fault);
    if (state->rflags & X86_NT) {
        if (x86_in_long_mode(state))
            return x86_fail(fault, X86_GP, 0);
        return x86_task_return(core, fault);
    }
    if (!read_ahead(&stack, size, 2, fault) || /* the flags first (measured) */
        !pop_pointer(&stack, size, &frame.rip, &frame.cs, fault) ||
        !x86_stack_pop(&stack, size, &frame.rflags, fault))
        return false;
    if ((frame.rflags & X86_VM) && size == 4 && x86_cpl(state) == 0 &&
        !x86_in_long_mode(state))
        return iret_to_v86(core, &stack, &frame, fault);
    /* 64-bit mode always pops SS:RSP. */
    is_outer = x86_in_64bit_mode(state) || (frame.cs & RPL) != x86_cpl(state);
    if (is_outer && x86_quirks_is_amd() &&
        !pop_outer_stack(stack, size, 0, &frame, fault))
        return false;
    if (!return_target(core, (uint16_t)frame.cs, &cs, fault))
        return false;
    narrow_rip(&frame.rip, &cs);
    /* Intel's processors look at SS before RIP (measured). */
    if ((!is_outer || x86_quirks_is_amd()) &&
        !check_rip(state, &cs, frame.rip, fault))
        return false;
    if (is_outer)
        return pop_outer_stack(stack, size, 0, &frame, fault) &&
               iret_outer(core, &cs, &frame, size, fault);
    x86_stack_commit(&stack);
    x86_core_set_rflags(core, iret_flags(core, frame.rflags, size));
    set_cs_rip(core, &cs, frame.rip);
    return true;
}
