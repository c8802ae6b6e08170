/* SPDX-License-Identifier: BSD-3-Clause */
/* Transfers of control inside a code segment. */
#ifndef ARCH_X86_EXEC_BRANCH_H
#define ARCH_X86_EXEC_BRANCH_H

#include "arch/x86/core_internal.h"

/** x86_is_target_valid() - may RIP become @rip?  Otherwise #GP(0). */
bool x86_is_target_valid(const struct x86_core *core, uint64_t rip);
/** x86_jump() - full handlers: take the branch, or #GP(0).
 *  Returns: what the handler has to return. */
struct x86_op *x86_jump(struct x86_core *core, struct x86_op *op, uint64_t rip);

/** x86_bad_call() - full handlers: CALL to a target that RIP may not have
 *  @top: where the return address would go.  A fault of the stack wins; Intel's
 *  processors have written the address when they look at the target, AMD's have
 *  not (measured).
 *  Returns: what the handler has to return. */
struct x86_op *x86_bad_call(struct x86_core *core, struct x86_op *op,
                            uint64_t top, unsigned size);

static inline struct x86_jump *x86_jump_at(struct x86_core *core, uint64_t rip)
{
    return &core->jumps[(rip ^ rip >> 12) & (X86_JUMPS - 1)];
}

#endif
