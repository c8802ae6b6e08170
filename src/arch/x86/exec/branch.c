/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Jcc JMP CALL RET.  Direct branches have fast handlers in every mode where
 * limits of CS do not matter; the others in 64-bit mode.
 * Source: [SDM] Vol. 2.
 */
#include "arch/x86/exec/branch.h"
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum {
    JUMP = X86_ROW_ENDS | X86_ROW_BRANCH,
    CALL = JUMP | X86_ROW_CALL,
    RETURN = JUMP | X86_ROW_RETURN,
};

#ifdef X86_EXEC_FULL

#define JUMP_DIRECT(to)   return x86_jump(core, op, to)
#define JUMP_INDIRECT(to) return x86_jump(core, op, to)
#define CHECK_TARGET(to)                                                       \
    if (!x86_is_target_valid(core, to))                                        \
    return x86_raise_error(core, op, X86_GP, 0)
#define CHECK_CALL(to, top)                                                    \
    if (!x86_is_target_valid(core, to))                                        \
    return x86_bad_call(core, op, top, 8)

#else

#define JUMP_DIRECT(to)                                                        \
    do {                                                                       \
        struct x86_op *target = op->aux;                                       \
        core->taken++;                                                         \
        if (SIM_UNLIKELY(!target))                                             \
            return x86_block_chain(core, op, to);                              \
        X86_ENTER(core, target);                                               \
    } while (0)
/* A target that was executed before is valid; the full handler looks at all
 * others. */
#define CHECK_TARGET(to)                                                       \
    const struct x86_jump *jump = x86_jump_at(core, to);                       \
    if (SIM_UNLIKELY(jump->tag != ((to) ^ core->salt)))                        \
    RUN_FULL()
#define CHECK_CALL(to, top) CHECK_TARGET(to)
#define JUMP_INDIRECT(to)                                                      \
    do {                                                                       \
        core->taken++;                                                         \
        X86_ENTER(core, jump->op);                                             \
    } while (0)

#endif

#define JCC(UPPER, CC)                                                         \
    EXEC(j##CC)                                                                \
    {                                                                          \
        const uint32_t flags = core->flags;                                    \
        if (COND_##CC(flags))                                                  \
            JUMP_DIRECT(op->imm);                                              \
        NEXT();                                                                \
    }
FOR_CONDITIONS(JCC)

EXEC(jmp_i)
{
    JUMP_DIRECT(op->imm);
}

EXEC(jmp_r64)
{
    const uint64_t to = GET(64, 0);

    CHECK_TARGET(to);
    JUMP_INDIRECT(to);
}

#define JMP_MEM(N, S, EA)                                                      \
    EXEC(jmp_m##N##S)                                                          \
    {                                                                          \
        LOAD(N, to, EA(core, op));                                             \
        CHECK_TARGET(to);                                                      \
        JUMP_INDIRECT(to);                                                     \
    }
FOR_ADDR(JMP_MEM, 64)

EXEC(call_i64)
{
    const uint64_t top = GPR(64, X86_RSP) - 8;

    STORE_STACK(64, top, op->next_rip);
    GPR(64, X86_RSP) = top;
    JUMP_DIRECT(op->imm);
}

EXEC(call_r64)
{
    const uint64_t to = GET(64, 0), top = GPR(64, X86_RSP) - 8;

    CHECK_CALL(to, top);
    STORE_STACK(64, top, op->next_rip);
    GPR(64, X86_RSP) = top;
    JUMP_INDIRECT(to);
}

#define CALL_MEM(N, S, EA)                                                     \
    EXEC(call_m##N##S)                                                         \
    {                                                                          \
        const uint64_t top = GPR(64, X86_RSP) - 8;                             \
        LOAD(N, to, EA(core, op));                                             \
        CHECK_CALL(to, top);                                                   \
        STORE_STACK(64, top, op->next_rip);                                    \
        GPR(64, X86_RSP) = top;                                                \
        JUMP_INDIRECT(to);                                                     \
    }
FOR_ADDR(CALL_MEM, 64)

EXEC(ret_64)
{
    const uint64_t top = GPR(64, X86_RSP);
    LOAD_STACK(64, to, top);

    CHECK_TARGET(to);
    GPR(64, X86_RSP) = top + 8;
    JUMP_INDIRECT(to);
}

EXEC(ret_i64)
{
    const uint64_t top = GPR(64, X86_RSP);
    LOAD_STACK(64, to, top);

    CHECK_TARGET(to);
    GPR(64, X86_RSP) = top + 8 + (uint16_t)op->imm;
    JUMP_INDIRECT(to);
}

#define JCC_ROW(UPPER, CC)                                                     \
    ROW_REG(J##UPPER, (IMM, NONE, NONE, NONE), 0, 0, PLAIN, BRANCH, JUMP,      \
            j##CC),

static const struct x86_row branch_rows[] = {
    FOR_CONDITIONS(JCC_ROW)
        ROW_REG(JMP, (IMM, NONE, NONE, NONE), 0, 0, PLAIN, BRANCH, JUMP, jmp_i),
    ROW_REG(JMP, (REG, NONE, NONE, NONE), 8, 0, PLAIN, BRANCH, JUMP, jmp_r64),
    ROW_MEM(JMP, (MEM, NONE, NONE, NONE), 8, 0, PLAIN, BRANCH, JUMP, jmp_m64),
    ROW_REG(CALL, (IMM, NONE, NONE, NONE), 8, 0, PLAIN, BRANCH, CALL, call_i64),
    ROW_REG(CALL, (REG, NONE, NONE, NONE), 8, 0, PLAIN, BRANCH, CALL, call_r64),
    ROW_MEM(CALL, (MEM, NONE, NONE, NONE), 8, 0, PLAIN, BRANCH, CALL, call_m64),
    ROW_REG(RET, (NONE, NONE, NONE, NONE), 8, 0, PLAIN, BRANCH, RETURN, ret_64),
    ROW_REG(RET, (IMM, NONE, NONE, NONE), 8, 0, PLAIN, BRANCH, RETURN, ret_i64),
};

X86_TABLE(branch);
