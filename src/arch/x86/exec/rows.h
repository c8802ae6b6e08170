/* SPDX-License-Identifier: BSD-3-Clause */
/* All groups of instructions.  Those with fast handlers are compiled twice. */
#ifndef ARCH_X86_EXEC_ROWS_H
#define ARCH_X86_EXEC_ROWS_H

#include "arch/x86/op.h"

#define X86_FAST_GROUPS(GROUP)                                                 \
    GROUP(alu)                                                                 \
    GROUP(alu_mem)                                                             \
    GROUP(mov)                                                                 \
    GROUP(cond)                                                                \
    GROUP(shift)                                                               \
    GROUP(mul)                                                                 \
    GROUP(bits)                                                                \
    GROUP(stack)                                                               \
    GROUP(branch)                                                              \
    GROUP(misc)

#define X86_FULL_GROUPS(GROUP)                                                 \
    GROUP(stack_any)                                                           \
    GROUP(branch_any)                                                          \
    GROUP(locked)                                                              \
    GROUP(string)                                                              \
    GROUP(user)                                                                \
    GROUP(system)                                                              \
    GROUP(segments)                                                            \
    GROUP(transfer)                                                            \
    GROUP(io)                                                                  \
    GROUP(decimal)

#define X86_DECLARE_FAST(group)                                                \
    extern const struct x86_row_table x86_rows_##group, x86_rows_##group##_full;
#define X86_DECLARE_FULL(group)                                                \
    extern const struct x86_row_table x86_rows_##group##_full;
X86_FAST_GROUPS(X86_DECLARE_FAST)
X86_FULL_GROUPS(X86_DECLARE_FULL)

#endif
