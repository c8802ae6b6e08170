/* SPDX-License-Identifier: BSD-3-Clause */
/* Stack accesses of far transfers, interrupts and returns.
 * Source: [SDM] Vol. 1, "Procedure Calls, Interrupts, and Exceptions". */
#include "arch/x86/stack.h"

#include "arch/x86/core_internal.h"
#include "arch/x86/segment.h"
#include "arch/x86/vmem.h"

struct x86_stack x86_stack_make(struct x86_core *core,
                                const struct x86_seg *seg, uint64_t sp,
                                unsigned cpl)
{
    struct x86_stack stack = {
        .core = core,
        .seg = *seg,
        .sp = sp,
        .mask = seg->db ? UINT32_MAX : UINT16_MAX,
        .fault_vector = X86_SS,
        .access = cpl == 3 ? X86_ACCESS_USER : 0,
    };

    return stack;
}

struct x86_stack x86_stack_current(struct x86_core *core)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_stack stack = x86_stack_make(
        core, &state->seg[X86_SS_SEG], state->gpr[X86_RSP], x86_cpl(state));

    if (x86_in_64bit_mode(state)) {
        stack.is_flat = true;
        stack.mask = UINT64_MAX;
    }
    return stack;
}

static bool out_of_segment(const struct x86_stack *stack,
                           struct x86_fault *fault)
{
    return x86_fail(fault, stack->fault_vector, stack->fault_error);
}

/* Linear address of [offset, offset + size) after the limit check. */
static bool stack_addr(const struct x86_stack *stack, uint64_t offset,
                       unsigned size, uint64_t *addr, struct x86_fault *fault)
{
    uint64_t last = offset + size - 1;
    const struct x86_seg *seg = &stack->seg;

    if (stack->is_flat) {
        *addr = offset;
        return x86_is_canonical(offset) || out_of_segment(stack, fault);
    }
    if (seg->type & X86_SEG_DOWN) {
        uint64_t top = seg->db ? UINT32_MAX : UINT16_MAX;

        if (offset <= seg->limit || last > top)
            return out_of_segment(stack, fault);
    } else if (last > seg->limit && seg->limit != UINT32_MAX) {
        return out_of_segment(stack, fault);
    }
    *addr = (uint32_t)(seg->base + offset);
    return true;
}

static void set_sp(struct x86_stack *stack, uint64_t sp)
{
    stack->sp = (stack->sp & ~stack->mask) | (sp & stack->mask);
}

bool x86_stack_push(struct x86_stack *stack, unsigned size, uint64_t value,
                    struct x86_fault *fault)
{
    uint64_t offset = (stack->sp - size) & stack->mask, addr = 0;

    if (!stack_addr(stack, offset, size, &addr, fault) ||
        x86_vmem_write(stack->core, (gva_t){addr}, &value, size, stack->access,
                       fault) != size)
        return false;
    x86_debug_note_data(stack->core, addr, size, X86_ACCESS_WRITE);
    set_sp(stack, offset);
    return true;
}

bool x86_stack_pop(struct x86_stack *stack, unsigned size, uint64_t *value,
                   struct x86_fault *fault)
{
    uint64_t offset = stack->sp & stack->mask, addr = 0;

    *value = 0;
    if (!stack_addr(stack, offset, size, &addr, fault) ||
        x86_vmem_read(stack->core, (gva_t){addr}, value, size, stack->access,
                      fault) != size)
        return false;
    x86_debug_note_data(stack->core, addr, size, X86_ACCESS_READ);
    set_sp(stack, offset + size);
    return true;
}

void x86_stack_skip(struct x86_stack *stack, uint64_t bytes)
{
    set_sp(stack, stack->sp + bytes);
}

void x86_stack_commit(const struct x86_stack *stack)
{
    uint64_t *rsp = &x86_core_state(stack->core)->gpr[X86_RSP];

    /* A write of ESP in 32-bit code clears nothing above: the upper half is
     * not visible outside 64-bit mode. */
    *rsp = (*rsp & ~stack->mask) | (stack->sp & stack->mask);
}
