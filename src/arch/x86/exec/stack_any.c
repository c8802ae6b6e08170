/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PUSH POP PUSHA POPA PUSHF POPF ENTER LEAVE in all widths, without shortcuts.
 * Source: [SDM] Vol. 2; Vol. 1, "Stacks".
 */
#define X86_EXEC_FULL

#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"
#include "arch/x86/exec/stack.h"
#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"

uint64_t x86_stack_mask(const struct x86_core *core)
{
    if ((core->mode & X86_MODE_SIZE) == X86_MODE_64)
        return UINT64_MAX;
    return core->mode & X86_MODE_STACK32 ? UINT32_MAX : UINT16_MAX;
}

static void set_sp(struct x86_core *core, uint64_t value)
{
    uint64_t *rsp = &core->state.gpr[X86_RSP];

    if ((core->mode & X86_MODE_SIZE) == X86_MODE_64)
        *rsp = value;
    else if (core->mode & X86_MODE_STACK32)
        *rsp = (uint32_t)value;
    else
        *rsp = (*rsp & ~UINT64_C(0xffff)) | (value & 0xffff);
}

void x86_stack_move(struct x86_core *core, int64_t delta)
{
    set_sp(core, core->state.gpr[X86_RSP] + (uint64_t)delta);
}

bool x86_push(struct x86_core *core, uint64_t value, unsigned size)
{
    uint64_t top = (core->state.gpr[X86_RSP] - size) & x86_stack_mask(core);

    if (!x86_write(core, X86_SS_SEG, top, &value, size))
        return false;
    set_sp(core, top);
    return true;
}

bool x86_pop(struct x86_core *core, uint64_t *value, unsigned size)
{
    uint64_t top = core->state.gpr[X86_RSP] & x86_stack_mask(core);

    *value = 0;
    if (!x86_read(core, X86_SS_SEG, top, value, size))
        return false;
    set_sp(core, top + size);
    return true;
}

static void put_sized(struct x86_core *core, unsigned reg, uint64_t value,
                      unsigned size)
{
    if (size == 8)
        PUT_GPR(64, reg, value);
    else if (size == 4)
        PUT_GPR(32, reg, (uint32_t)value);
    else
        PUT_GPR(16, reg, (uint16_t)value);
}

bool x86_leave_frame(struct x86_core *core, unsigned size)
{
    uint64_t frame = core->state.gpr[X86_RBP] & x86_stack_mask(core);
    uint64_t value = 0;

    if (!x86_read(core, X86_SS_SEG, frame, &value, size))
        return false;
    set_sp(core, frame + size);
    put_sized(core, X86_RBP, value, size);
    return true;
}

#define DONE_IF(ok) return (ok) ? op + 1 : x86_raise_set(core, op)

#define SIZED(N, NAME)                                                         \
    EXEC(push_r##N)                                                            \
    {                                                                          \
        DONE_IF(x86_push(core, GET(N, 0), N / 8));                             \
    }                                                                          \
    EXEC(push_i##N)                                                            \
    {                                                                          \
        DONE_IF(x86_push(core, op->imm, N / 8));                               \
    }                                                                          \
    EXEC(push_m##N)                                                            \
    {                                                                          \
        LOAD(N, value, x86_op_offset(core, op));                               \
        DONE_IF(x86_push(core, value, N / 8));                                 \
    }                                                                          \
    EXEC(pop_r##N)                                                             \
    {                                                                          \
        uint64_t value;                                                        \
        if (!x86_pop(core, &value, N / 8))                                     \
            return x86_raise_set(core, op);                                    \
        PUT(N, 0, (uint##N##_t)value);                                         \
        return op + 1;                                                         \
    }                                                                          \
    EXEC(pop_m##N)                                                             \
    {                                                                          \
        return pop_memory(core, op, N / 8);                                    \
    }                                                                          \
    EXEC(leave_##N)                                                            \
    {                                                                          \
        DONE_IF(x86_leave_frame(core, N / 8));                                 \
    }                                                                          \
    EXEC(pushf_##N)                                                            \
    {                                                                          \
        return push_flags(core, op, N / 8);                                    \
    }                                                                          \
    EXEC(popf_##N)                                                             \
    {                                                                          \
        return pop_flags(core, op, N / 8);                                     \
    }                                                                          \
    EXEC(enter_##N)                                                            \
    {                                                                          \
        return enter(core, op, N / 8);                                         \
    }

/* An address based on RSP uses its value after the increment. */
static struct x86_op *pop_memory(struct x86_core *core, struct x86_op *op,
                                 unsigned size)
{
    uint64_t rsp = core->state.gpr[X86_RSP], value;

    if (!x86_pop(core, &value, size))
        return x86_raise_set(core, op);
    if (!x86_write(core, x86_op_seg(op), x86_op_offset(core, op), &value,
                   size)) {
        core->state.gpr[X86_RSP] = rsp;
        return x86_raise_set(core, op);
    }
    return op + 1;
}

static bool is_flags_access_trapped(const struct x86_core *core)
{
    uint64_t rflags = core->state.rflags;

    return (rflags & X86_VM) && (rflags & X86_IOPL) != X86_IOPL;
}

static struct x86_op *push_flags(struct x86_core *core, struct x86_op *op,
                                 unsigned size)
{
    if (is_flags_access_trapped(core))
        return x86_raise_error(core, op, X86_GP, 0);
    DONE_IF(x86_push(core, x86_core_rflags(core) & ~(uint64_t)(X86_RF | X86_VM),
                     size));
}

/* Which flags POPF may change here. */
static uint64_t writable_flags(const struct x86_core *core, unsigned size)
{
    uint64_t mask = X86_ARITH_FLAGS | X86_TF | X86_DF_FLAG | X86_NT | X86_RF |
                    X86_AC_FLAG | X86_ID;
    unsigned iopl = (unsigned)(core->state.rflags >> 12) & 3;

    if (core->cpl == 0)
        mask |= X86_IOPL;
    if (core->cpl <= iopl)
        mask |= X86_IF;
    return size == 2 ? mask & 0xffff : mask;
}

static struct x86_op *pop_flags(struct x86_core *core, struct x86_op *op,
                                unsigned size)
{
    uint64_t mask = writable_flags(core, size), value;

    if (is_flags_access_trapped(core))
        return x86_raise_error(core, op, X86_GP, 0);
    if (!x86_pop(core, &value, size))
        return x86_raise_set(core, op);
    value &= ~(uint64_t)X86_RF;
    x86_core_set_rflags(core, (x86_core_rflags(core) & ~mask) | (value & mask));
    core->state.rip = op->next_rip;
    return x86_leave(core);
}

/* Copy @level - 1 frame pointers and push the new one. */
static bool push_frames(struct x86_core *core, unsigned level, unsigned size,
                        uint64_t frame)
{
    uint64_t mask = x86_stack_mask(core);
    uint64_t from = core->state.gpr[X86_RBP];

    for (unsigned i = 1; i < level; i++) {
        uint64_t value = 0;

        from -= size;
        if (!x86_read(core, X86_SS_SEG, from & mask, &value, size) ||
            !x86_push(core, value, size))
            return false;
    }
    return level == 0 || x86_push(core, frame, size);
}

/* The last write is to the new top of the stack, which must be accessible. */
static bool enter_frame(struct x86_core *core, const struct x86_op *op,
                        unsigned size)
{
    unsigned level = (unsigned)(op->imm >> 16) & 31;
    uint64_t frame, addr, top;

    if (!x86_push(core, core->state.gpr[X86_RBP], size))
        return false;
    frame = core->state.gpr[X86_RSP];
    if (!push_frames(core, level, size, frame))
        return false;
    top =
        (core->state.gpr[X86_RSP] - (op->imm & 0xffff)) & x86_stack_mask(core);
    if (!x86_linear_addr(core, X86_SS_SEG, top, size, X86_ACCESS_WRITE,
                         &addr) ||
        !x86_check_write(core, addr, size))
        return false;
    set_sp(core, top);
    put_sized(core, X86_RBP, frame, size);
    return true;
}

static struct x86_op *enter(struct x86_core *core, struct x86_op *op,
                            unsigned size)
{
    uint64_t rsp = core->state.gpr[X86_RSP];

    if (enter_frame(core, op, size))
        return op + 1;
    core->state.gpr[X86_RSP] = rsp;
    return x86_raise_set(core, op);
}

FOR_WIDE_SIZES(SIZED, stack)

/* Returns: how many of the eight could be read. */
static unsigned read_all(struct x86_core *core, uint64_t values[8],
                         unsigned size)
{
    uint64_t mask = x86_stack_mask(core), top = core->state.gpr[X86_RSP];
    unsigned i;

    for (i = 0; i < 8; i++) {
        values[i] = 0;
        if (!x86_read(core, X86_SS_SEG, (top + i * size) & mask, &values[i],
                      size))
            break;
    }
    return i;
}

static struct x86_op *pop_all(struct x86_core *core, struct x86_op *op,
                              unsigned size)
{
    uint64_t values[8];
    unsigned num = read_all(core, values, size);

    if (num < 8 && x86_quirks_is_amd())
        return x86_raise_set(core, op);
    for (unsigned i = 0; i < num; i++)
        if (7 - i != X86_RSP)
            put_sized(core, 7 - i, values[i], size);
    if (num < 8) /* Intel's processors keep what was popped (measured) */
        return x86_raise_set(core, op);
    x86_stack_move(core, 8 * (int64_t)size);
    return op + 1;
}

static struct x86_op *push_all(struct x86_core *core, struct x86_op *op,
                               unsigned size)
{
    uint64_t rsp = core->state.gpr[X86_RSP];

    for (unsigned i = 0; i < 8; i++) {
        uint64_t value = i == X86_RSP ? rsp : core->state.gpr[i];

        if (!x86_push(core, value, size)) {
            core->state.gpr[X86_RSP] = rsp;
            return x86_raise_set(core, op);
        }
    }
    return op + 1;
}

#define ALL(N, SUFFIX)                                                         \
    EXEC(pusha_##N)                                                            \
    {                                                                          \
        return push_all(core, op, N / 8);                                      \
    }                                                                          \
    EXEC(popa_##N)                                                             \
    {                                                                          \
        return pop_all(core, op, N / 8);                                       \
    }
ALL(16, a)
ALL(32, a)

#define SIZED_ROWS(N, NAME)                                                    \
    ROW_REG(PUSH, (REG, NONE, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE, 0,      \
            push_r##N),                                                        \
        ROW_REG(PUSH, (IMM, NONE, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE, 0,  \
                push_i##N),                                                    \
        ROW_REG(PUSH, (MEM, NONE, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE, 0,  \
                push_m##N),                                                    \
        ROW_REG(POP, (REG, NONE, NONE, NONE), N / 8, 0, PLAIN, MEM_READ, 0,    \
                pop_r##N),                                                     \
        ROW_REG(POP, (MEM, NONE, NONE, NONE), N / 8, 0, PLAIN, MEM_READ, 0,    \
                pop_m##N),                                                     \
        ROW_REG(LEAVE, (NONE, NONE, NONE, NONE), N / 8, 0, PLAIN, MEM_READ, 0, \
                leave_##N),                                                    \
        ROW_REG(ENTER, (IMM, IMM, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE, 0,  \
                enter_##N),
#define PLAIN_ROW(MNEMONIC, CLASS, FLAGS, NAME)                                \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, CLASS, FLAGS, NAME)

static const struct x86_row stack_any_rows[] = {
    FOR_WIDE_SIZES(SIZED_ROWS, stack) PLAIN_ROW(PUSHF, MEM_WRITE, 0, pushf_16),
    PLAIN_ROW(PUSHFD, MEM_WRITE, 0, pushf_32),
    PLAIN_ROW(PUSHFQ, MEM_WRITE, 0, pushf_64),
    PLAIN_ROW(POPF, MEM_READ, X86_ROW_ENDS, popf_16),
    PLAIN_ROW(POPFD, MEM_READ, X86_ROW_ENDS, popf_32),
    PLAIN_ROW(POPFQ, MEM_READ, X86_ROW_ENDS, popf_64),
    PLAIN_ROW(PUSHA, MEM_WRITE, 0, pusha_16),
    PLAIN_ROW(PUSHAD, MEM_WRITE, 0, pusha_32),
    PLAIN_ROW(POPA, MEM_READ, 0, popa_16),
    PLAIN_ROW(POPAD, MEM_READ, 0, popa_32),
};

X86_TABLE(stack_any);
