/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PUSH POP PUSHA POPA PUSHF POPF ENTER LEAVE.  Fast handlers exist for 64-bit
 * operands in 64-bit mode; all else goes through full ones, which know the
 * three widths of the stack pointer. Source: [SDM] Vol. 2; Vol. 1, "Stacks".
 */
#include "arch/x86/exec/stack.h"
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

#ifdef X86_EXEC_FULL

#define PUSH_64(name, value)                                                   \
    EXEC(name)                                                                 \
    {                                                                          \
        const uint64_t pushed = (value);                                       \
        if (!x86_push(core, pushed, 8))                                        \
            return x86_raise_set(core, op);                                    \
        NEXT();                                                                \
    }

EXEC(pop_r64)
{
    uint64_t value;

    if (!x86_pop(core, &value, 8))
        return x86_raise_set(core, op);
    PUT(64, 0, value);
    NEXT();
}

EXEC(leave_64)
{
    return x86_leave_frame(core, 8) ? op + 1 : x86_raise_set(core, op);
}

#else

#define PUSH_64(name, value)                                                   \
    EXEC(name)                                                                 \
    {                                                                          \
        const uint64_t top = GPR(64, X86_RSP) - 8;                             \
        STORE(64, top, value);                                                 \
        GPR(64, X86_RSP) = top;                                                \
        NEXT();                                                                \
    }

EXEC(pop_r64)
{
    const uint64_t top = GPR(64, X86_RSP);
    LOAD(64, value, top);

    GPR(64, X86_RSP) = top + 8;
    PUT(64, 0, value);
    NEXT();
}

EXEC(leave_64)
{
    const uint64_t frame = GPR(64, X86_RBP);
    LOAD(64, value, frame);

    GPR(64, X86_RSP) = frame + 8;
    GPR(64, X86_RBP) = value;
    NEXT();
}

#endif

PUSH_64(push_r64, GET(64, 0))
PUSH_64(push_i64, op->imm)

#define PUSH_MEM_64(NAME, S, EA)                                               \
    EXEC(NAME##S)                                                              \
    {                                                                          \
        const uint64_t top = GPR(64, X86_RSP) - 8;                             \
        LOAD(64, value, EA(core, op));                                         \
        STORE_STACK(64, top, value);                                           \
        GPR(64, X86_RSP) = top;                                                \
        NEXT();                                                                \
    }
FOR_ADDR(PUSH_MEM_64, push_m64)

static const struct x86_row stack_rows[] = {
    ROW_REG(PUSH, (REG, NONE, NONE, NONE), 8, 0, PLAIN, MEM_WRITE, 0, push_r64),
    ROW_REG(PUSH, (IMM, NONE, NONE, NONE), 8, 0, PLAIN, MEM_WRITE, 0, push_i64),
    ROW_MEM(PUSH, (MEM, NONE, NONE, NONE), 8, 0, PLAIN, MEM_WRITE, 0, push_m64),
    ROW_REG(POP, (REG, NONE, NONE, NONE), 8, 0, PLAIN, MEM_READ, 0, pop_r64),
    ROW_REG(LEAVE, (NONE, NONE, NONE, NONE), 8, 0, PLAIN, MEM_READ, 0,
            leave_64),
};

X86_TABLE(stack);
