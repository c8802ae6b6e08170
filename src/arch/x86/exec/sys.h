/* SPDX-License-Identifier: BSD-3-Clause */
/* What the groups of system instructions share. */
#ifndef ARCH_X86_EXEC_SYS_H
#define ARCH_X86_EXEC_SYS_H

#include "arch/x86/core_internal.h"
#include "arch/x86/op.h"

/* Offset of the instruction behind @op, in the width of the mode. */
static inline uint64_t x86_sys_next_rip(const struct x86_core *core,
                                        const struct x86_op *op)
{
    switch (core->mode & X86_MODE_SIZE) {
    case X86_MODE_64:
        return op->next_rip;
    case X86_MODE_32:
        return (uint32_t)op->next_rip;
    default:
        return (uint16_t)op->next_rip;
    }
}

/* Behind an instruction that may have changed anything. */
static inline struct x86_op *x86_sys_finish(struct x86_core *core,
                                            const struct x86_op *op)
{
    core->state.rip = x86_sys_next_rip(core, op);
    return x86_leave(core);
}

/* The same if @OK; else core->fault is set. */
#define SYS_FINISH_IF(OK)                                                      \
    ((OK) ? x86_sys_finish(core, op) : x86_raise_set(core, op))

/* #GP(0) unless CPL is 0. */
#define REQUIRE_CPL0()                                                         \
    do {                                                                       \
        if (core->cpl != 0)                                                    \
            return x86_raise_error(core, op, X86_GP, 0);                       \
    } while (0)

/* #UD in real and virtual-8086 mode. */
#define REQUIRE_PROTECTED()                                                    \
    do {                                                                       \
        if (x86_in_8086_mode(&core->state))                                    \
            return x86_raise(core, op, X86_UD);                                \
    } while (0)

#endif
