/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Far JMP, CALL and RET, IRET, SYSRET, SYSEXIT.
 * Source: [SDM] Vol. 2.
 */
#define X86_EXEC_FULL

#include "arch/x86/debug.h"
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/sys.h"
#include "arch/x86/far.h"
#include "arch/x86/segment.h"

enum {
    JUMP = X86_ROW_ENDS | X86_ROW_BRANCH,
    CALL = JUMP | X86_ROW_CALL,
    RETURN = JUMP | X86_ROW_RETURN,
};

typedef bool far_transfer(struct x86_core *core, uint16_t selector,
                          uint64_t offset, unsigned size,
                          struct x86_fault *fault);

static struct x86_op *finish(struct x86_core *core, struct x86_op *op,
                             bool is_ok)
{
    if (!is_ok && core->fault.source == X86_FROM_FAULT)
        return x86_raise_set(core, op);
    if (!is_ok) /* in the task that was switched to */
        core->pending |= X86_PENDING_FAULT;
    core->taken++;
    if (core->record)
        core->record->is_taken = true;
    return x86_leave(core);
}

/* The pointer is in the instruction. */
static struct x86_op *direct(struct x86_core *core, struct x86_op *op,
                             far_transfer *transfer)
{
    unsigned size = op->flags & X86_OP_SIZE16 ? 2 : 4;

    core->state.rip = x86_sys_next_rip(core, op);
    return finish(
        core, op,
        transfer(core, (uint16_t)op->disp, op->imm, size, &core->fault));
}

/* The pointer is in memory. */
static struct x86_op *indirect(struct x86_core *core, struct x86_op *op,
                               far_transfer *transfer, unsigned size)
{
    const uint64_t ea = x86_op_offset(core, op);
    uint64_t offset = 0;
    uint16_t selector;

    if (!x86_read(core, x86_op_seg(op), ea, &offset, size) ||
        !x86_read(core, x86_op_seg(op), ea + size, &selector, 2))
        return x86_raise_set(core, op);
    core->state.rip = x86_sys_next_rip(core, op);
    return finish(core, op,
                  transfer(core, selector, offset, size, &core->fault));
}

#define FAR(NAME, TRANSFER)                                                    \
    EXEC(NAME##_direct)                                                        \
    {                                                                          \
        return direct(core, op, TRANSFER);                                     \
    }                                                                          \
    EXEC(NAME##_16)                                                            \
    {                                                                          \
        return indirect(core, op, TRANSFER, 2);                                \
    }                                                                          \
    EXEC(NAME##_32)                                                            \
    {                                                                          \
        return indirect(core, op, TRANSFER, 4);                                \
    }                                                                          \
    EXEC(NAME##_64)                                                            \
    {                                                                          \
        return indirect(core, op, TRANSFER, 8);                                \
    }
FAR(jmp_far, x86_far_jump)
FAR(call_far, x86_far_call)

static struct x86_op *far_return(struct x86_core *core, struct x86_op *op,
                                 unsigned size, uint16_t release)
{
    return finish(core, op, x86_far_return(core, size, release, &core->fault));
}

#define SIZED(N)                                                               \
    EXEC(ret_far_##N)                                                          \
    {                                                                          \
        return far_return(core, op, N / 8, 0);                                 \
    }                                                                          \
    EXEC(ret_far_i##N)                                                         \
    {                                                                          \
        return far_return(core, op, N / 8, (uint16_t)op->imm);                 \
    }                                                                          \
    EXEC(iret_##N)                                                             \
    {                                                                          \
        bool is_ok;                                                            \
                                                                               \
        core->state.rip = x86_sys_next_rip(core, op);                          \
        is_ok = x86_iret(core, N / 8, &core->fault);                           \
        if (is_ok && core->state.events.nmi_masked) {                          \
            core->state.events.nmi_masked = 0;                                 \
            x86_core_poke(core);                                               \
        }                                                                      \
        return finish(core, op, is_ok);                                        \
    }
SIZED(16)
SIZED(32)
SIZED(64)

/* Unlike other instructions that set TF, SYSRET is followed by a single-step
 * trap itself.  [SDM] Vol. 2B, SYSRET. */
static struct x86_op *sysret(struct x86_core *core, struct x86_op *op,
                             unsigned size)
{
    bool is_ok = x86_sysret(core, size, &core->fault);
    struct x86_op *next = finish(core, op, is_ok);

    if (is_ok && core->is_trapping) {
        core->fault = (struct x86_fault){
            .vector = X86_DB, .source = X86_FROM_TRAP, .addr = X86_DR6_BS};
        core->pending |= X86_PENDING_FAULT;
    }
    return next;
}

/* REX.W tells the size of the return. */
EXEC(sysret_32)
{
    return sysret(core, op, 4);
}

EXEC(sysret_64)
{
    return sysret(core, op, 8);
}

EXEC(sysexit_32)
{
    return finish(core, op, x86_sysexit(core, 4, &core->fault));
}

EXEC(sysexit_64)
{
    return finish(core, op, x86_sysexit(core, 8, &core->fault));
}

#define FAR_ROW(MNEMONIC, KIND, SIZE, FLAGS, NAME)                             \
    ROW_REG(MNEMONIC, (KIND, NONE, NONE, NONE), SIZE, 0, FAR, BRANCH, FLAGS,   \
            NAME)
#define FAR_ROWS(MNEMONIC, FLAGS, NAME)                                        \
    FAR_ROW(MNEMONIC, FAR, 0, FLAGS, NAME##_direct),                           \
        FAR_ROW(MNEMONIC, MEM, 4, FLAGS, NAME##_16),                           \
        FAR_ROW(MNEMONIC, MEM, 6, FLAGS, NAME##_32),                           \
        FAR_ROW(MNEMONIC, MEM, 10, FLAGS, NAME##_64)
#define RETURN_ROWS(N)                                                         \
    FAR_ROW(RET, NONE, N / 8, RETURN, ret_far_##N),                            \
        FAR_ROW(RET, IMM, N / 8, RETURN, ret_far_i##N)
#define PLAIN_ROW(MNEMONIC, SIZE, NAME)                                        \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), SIZE, 0, PLAIN, BRANCH, JUMP,  \
            NAME)

static const struct x86_row transfer_rows[] = {
    FAR_ROWS(JMP, JUMP, jmp_far),
    FAR_ROWS(CALL, CALL, call_far),
    RETURN_ROWS(16),
    RETURN_ROWS(32),
    RETURN_ROWS(64),
    PLAIN_ROW(IRET, 0, iret_16),
    PLAIN_ROW(IRETD, 0, iret_32),
    PLAIN_ROW(IRETQ, 0, iret_64),
    PLAIN_ROW(SYSRET, 8, sysret_64),
    PLAIN_ROW(SYSRET, 0, sysret_32),
    PLAIN_ROW(SYSEXIT, 8, sysexit_64),
    PLAIN_ROW(SYSEXIT, 0, sysexit_32),
};

X86_TABLE(transfer);
