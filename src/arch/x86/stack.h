/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stack that a transfer of control pushes onto or pops from.  Works on a
 * copy of the stack pointer; the caller commits it when all accesses are done,
 * so that a fault leaves the registers as they were.
 */
#ifndef ARCH_X86_STACK_H
#define ARCH_X86_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/fault.h"
#include "arch/x86/state.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;

struct x86_stack {
    struct x86_core *core;
    struct x86_seg seg; /* SS as it will be */
    uint64_t sp;
    uint64_t mask;        /* bits of the stack pointer in use */
    uint8_t fault_vector; /* raised outside the segment: #SS, or #TS */
    uint32_t fault_error;
    unsigned access; /* X86_ACCESS_USER or 0 */
    bool is_flat;    /* 64-bit: no limit, canonical check instead */
};

/** x86_stack_current() - the stack that SS:RSP describes now */
struct x86_stack x86_stack_current(struct x86_core *core);
/** x86_stack_make() - a stack that is about to be switched to, at @cpl */
struct x86_stack x86_stack_make(struct x86_core *core,
                                const struct x86_seg *seg, uint64_t sp,
                                unsigned cpl);

/* @size: 2, 4 or 8 bytes */
bool x86_stack_push(struct x86_stack *stack, unsigned size, uint64_t value,
                    struct x86_fault *fault);
bool x86_stack_pop(struct x86_stack *stack, unsigned size, uint64_t *value,
                   struct x86_fault *fault);
void x86_stack_skip(struct x86_stack *stack, uint64_t bytes);
/* Write SP (of the stack's width) back to RSP; leaves SS alone. */
void x86_stack_commit(const struct x86_stack *stack);

#ifdef __cplusplus
}
#endif

#endif
