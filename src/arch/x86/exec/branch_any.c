/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LOOP, JCXZ, and JMP CALL RET of 16 and 32 bits, without shortcuts.
 * Source: [SDM] Vol. 2.
 */
#define X86_EXEC_FULL

#include "arch/x86/exec/branch.h"
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"
#include "arch/x86/exec/stack.h"
#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"

enum {
    JUMP = X86_ROW_ENDS | X86_ROW_BRANCH,
    CALL = JUMP | X86_ROW_CALL,
    RETURN = JUMP | X86_ROW_RETURN,
};

bool x86_is_target_valid(const struct x86_core *core, uint64_t rip)
{
    if ((core->mode & X86_MODE_SIZE) == X86_MODE_64)
        return x86_is_canonical(rip);
    return rip <= core->state.seg[X86_CS].limit;
}

struct x86_op *x86_jump(struct x86_core *core, struct x86_op *op, uint64_t rip)
{
    if (!x86_is_target_valid(core, rip))
        return x86_raise_error(core, op, X86_GP, 0);
    core->state.rip = rip;
    core->taken++;
    if (core->record)
        core->record->is_taken = true;
    return NULL;
}

/* RCX in the width of addresses. */
static uint64_t counter(const struct x86_core *core, const struct x86_op *op)
{
    return core->state.gpr[X86_RCX] & x86_addr_mask(op);
}

static void set_counter(struct x86_core *core, const struct x86_op *op,
                        uint64_t value)
{
    uint64_t mask = x86_addr_mask(op);
    uint64_t *rcx = &core->state.gpr[X86_RCX];

    if (mask == UINT16_MAX)
        *rcx = (*rcx & ~mask) | (value & mask);
    else
        *rcx = value & mask;
}

static struct x86_op *loop_if(struct x86_core *core, struct x86_op *op,
                              uint32_t wanted)
{
    uint64_t left = counter(core, op) - 1;

    if ((left & x86_addr_mask(op)) == 0 || !wanted) {
        set_counter(core, op, left);
        return op + 1;
    }
    if (!x86_is_target_valid(core, op->imm))
        return x86_raise_error(core, op, X86_GP, 0);
    set_counter(core, op, left);
    return x86_jump(core, op, op->imm);
}

EXEC(loop_always)
{
    return loop_if(core, op, 1);
}

EXEC(loop_equal)
{
    return loop_if(core, op, core->flags & FLAG_ZF);
}

EXEC(loop_unequal)
{
    return loop_if(core, op, ~(uint32_t)core->flags & FLAG_ZF);
}

EXEC(jump_if_zero)
{
    return counter(core, op) == 0 ? x86_jump(core, op, op->imm) : op + 1;
}

struct x86_op *x86_bad_call(struct x86_core *core, struct x86_op *op,
                            uint64_t top, unsigned size)
{
    uint64_t linear;

    top &= x86_stack_mask(core);
    if (!x86_linear_addr(core, X86_SS_SEG, top, size, X86_ACCESS_WRITE,
                         &linear) ||
        (x86_quirks_is_amd()
             ? !x86_check_write(core, linear, size)
             : !x86_write(core, X86_SS_SEG, top, &op->next_rip, size)))
        return x86_raise_set(core, op);
    return x86_raise_error(core, op, X86_GP, 0);
}

static struct x86_op *call_to(struct x86_core *core, struct x86_op *op,
                              uint64_t to, unsigned size)
{
    if (!x86_is_target_valid(core, to))
        return x86_bad_call(core, op, core->state.gpr[X86_RSP] - size, size);
    if (!x86_push(core, op->next_rip, size))
        return x86_raise_set(core, op);
    return x86_jump(core, op, to);
}

static struct x86_op *return_near(struct x86_core *core, struct x86_op *op,
                                  unsigned size, unsigned extra)
{
    uint64_t rsp = core->state.gpr[X86_RSP], to;

    if (!x86_pop(core, &to, size))
        return x86_raise_set(core, op);
    if (!x86_is_target_valid(core, to)) {
        core->state.gpr[X86_RSP] = rsp;
        return x86_raise_error(core, op, X86_GP, 0);
    }
    x86_stack_move(core, extra);
    return x86_jump(core, op, to);
}

#define SIZED(N)                                                               \
    EXEC(jmp_r##N)                                                             \
    {                                                                          \
        return x86_jump(core, op, GET(N, 0));                                  \
    }                                                                          \
    EXEC(jmp_m##N)                                                             \
    {                                                                          \
        LOAD(N, to, x86_op_offset(core, op));                                  \
        return x86_jump(core, op, to);                                         \
    }                                                                          \
    EXEC(call_i##N)                                                            \
    {                                                                          \
        return call_to(core, op, op->imm, N / 8);                              \
    }                                                                          \
    EXEC(call_r##N)                                                            \
    {                                                                          \
        return call_to(core, op, GET(N, 0), N / 8);                            \
    }                                                                          \
    EXEC(call_m##N)                                                            \
    {                                                                          \
        LOAD(N, to, x86_op_offset(core, op));                                  \
        return call_to(core, op, to, N / 8);                                   \
    }                                                                          \
    EXEC(ret_##N)                                                              \
    {                                                                          \
        return return_near(core, op, N / 8, 0);                                \
    }                                                                          \
    EXEC(ret_i##N)                                                             \
    {                                                                          \
        return return_near(core, op, N / 8, (uint16_t)op->imm);                \
    }
SIZED(16)
SIZED(32)

#define BRANCH_ROW(MNEMONIC, KIND, SIZE, FLAGS, NAME)                          \
    ROW_REG(MNEMONIC, (KIND, NONE, NONE, NONE), SIZE, 0, PLAIN, BRANCH, FLAGS, \
            NAME)
#define SIZED_ROWS(N)                                                          \
    BRANCH_ROW(JMP, REG, N / 8, JUMP, jmp_r##N),                               \
        BRANCH_ROW(JMP, MEM, N / 8, JUMP, jmp_m##N),                           \
        BRANCH_ROW(CALL, IMM, N / 8, CALL, call_i##N),                         \
        BRANCH_ROW(CALL, REG, N / 8, CALL, call_r##N),                         \
        BRANCH_ROW(CALL, MEM, N / 8, CALL, call_m##N),                         \
        BRANCH_ROW(RET, NONE, N / 8, RETURN, ret_##N),                         \
        BRANCH_ROW(RET, IMM, N / 8, RETURN, ret_i##N)

static const struct x86_row branch_any_rows[] = {
    SIZED_ROWS(16),
    SIZED_ROWS(32),
    BRANCH_ROW(LOOP, IMM, 0, JUMP, loop_always),
    BRANCH_ROW(LOOPE, IMM, 0, JUMP, loop_equal),
    BRANCH_ROW(LOOPNE, IMM, 0, JUMP, loop_unequal),
    BRANCH_ROW(JCXZ, IMM, 0, JUMP, jump_if_zero),
    BRANCH_ROW(JECXZ, IMM, 0, JUMP, jump_if_zero),
    BRANCH_ROW(JRCXZ, IMM, 0, JUMP, jump_if_zero),
};

X86_TABLE(branch_any);
