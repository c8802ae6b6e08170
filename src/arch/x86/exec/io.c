/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IN, OUT, INS, OUTS.  A repeated one is left and entered again after each
 * element, so that interrupts and the end of the budget are seen in between.
 * Source: [SDM] Vol. 2; Vol. 1, "I/O Port Addressing", "Protected-Mode I/O".
 */
#define X86_EXEC_FULL

#include "arch/x86/debug.h"
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/sys.h"
#include "arch/x86/segment.h"
#include "arch/x86/task.h"

/* #GP(0) unless IOPL or the TSS's bitmap allows the ports. */
static bool is_allowed(struct x86_core *core, uint16_t port, unsigned size)
{
    unsigned iopl = (unsigned)(core->state.rflags >> 12) & 3;

    if (x86_in_real_mode(&core->state) ||
        (core->cpl <= iopl && !x86_in_v86_mode(&core->state)))
        return true;
    return x86_task_io_allowed(core, port, size, &core->fault);
}

static void note_port(struct x86_core *core, uint16_t port, unsigned size)
{
    if (core->is_watching)
        core->debug_hits |=
            (uint8_t)x86_debug_port_hits(&core->state, port, size);
}

/* Nobody there: all ones. */
static uint32_t port_in(struct x86_core *core, uint16_t port, unsigned size)
{
    uint32_t mask = size == 4 ? UINT32_MAX : (1U << (8 * size)) - 1;

    note_port(core, port, size);
    x86_fpu_leave(&core->fpu);
    if (!core->env->io_read)
        return mask;
    return core->env->io_read(core->env, core, port, size) & mask;
}

static void port_out(struct x86_core *core, uint16_t port, unsigned size,
                     uint32_t value)
{
    note_port(core, port, size);
    x86_fpu_leave(&core->fpu);
    if (core->env->io_write)
        core->env->io_write(core->env, core, port, size, value);
}

static struct x86_op *in(struct x86_core *core, struct x86_op *op,
                         uint16_t port, unsigned size)
{
    uint32_t value;

    if (!is_allowed(core, port, size))
        return x86_raise_set(core, op);
    value = port_in(core, port, size);
    if (size == 1)
        PUT_GPR(8, X86_RAX, (uint8_t)value);
    else if (size == 2)
        PUT_GPR(16, X86_RAX, (uint16_t)value);
    else
        PUT_GPR(32, X86_RAX, value);
    return x86_sys_finish(core, op);
}

static struct x86_op *out(struct x86_core *core, struct x86_op *op,
                          uint16_t port, unsigned size)
{
    uint32_t mask = size == 4 ? UINT32_MAX : (1U << (8 * size)) - 1;

    if (!is_allowed(core, port, size))
        return x86_raise_set(core, op);
    port_out(core, port, size, GPR(32, X86_RAX) & mask);
    return x86_sys_finish(core, op);
}

/* ---------------------------------------------------------------- INS, OUTS */

static uint64_t string_reg(const struct x86_core *core, const struct x86_op *op,
                           enum x86_gpr reg)
{
    return core->state.gpr[reg] & x86_addr_mask(op);
}

static void move_reg(struct x86_core *core, const struct x86_op *op,
                     enum x86_gpr reg, int64_t delta)
{
    uint64_t mask = x86_addr_mask(op);
    uint64_t *value = &core->state.gpr[reg];
    uint64_t moved = (*value + (uint64_t)delta) & mask;

    *value = mask == UINT16_MAX ? (*value & ~mask) | moved : moved;
}

static int64_t direction(const struct x86_core *core, unsigned size)
{
    return core->state.rflags & X86_DF_FLAG ? -(int64_t)size : (int64_t)size;
}

static bool is_repeated(const struct x86_op *op)
{
    return op->flags & (X86_OP_REP | X86_OP_REPNE);
}

/* An element is done: go on, or come back for the next one. */
static struct x86_op *next_element(struct x86_core *core, struct x86_op *op)
{
    if (is_repeated(op)) {
        move_reg(core, op, X86_RCX, -1);
        if (string_reg(core, op, X86_RCX)) {
            (void)x86_rep_pause(core, 1);
            return x86_rep_leave(core, op);
        }
        core->rep_work = 0;
    }
    return x86_sys_finish(core, op);
}

static struct x86_op *ins(struct x86_core *core, struct x86_op *op,
                          unsigned size)
{
    uint16_t port = GPR(16, X86_RDX);
    uint64_t addr = string_reg(core, op, X86_RDI), linear;
    uint32_t value;

    if (!is_allowed(core, port, size))
        return x86_raise_set(core, op);
    if (is_repeated(op) && !string_reg(core, op, X86_RCX))
        return op + 1;
    if (!x86_linear_addr(core, X86_ES, addr, size, X86_ACCESS_WRITE, &linear) ||
        !x86_check_write(core, linear, size))
        return x86_raise_set(core, op);
    value = port_in(core, port, size);
    if (!x86_write(core, X86_ES, addr, &value, size))
        return x86_raise_set(core, op);
    move_reg(core, op, X86_RDI, direction(core, size));
    return next_element(core, op);
}

static struct x86_op *outs(struct x86_core *core, struct x86_op *op,
                           unsigned size)
{
    uint16_t port = GPR(16, X86_RDX);
    uint32_t value = 0;

    if (!is_allowed(core, port, size))
        return x86_raise_set(core, op);
    if (is_repeated(op) && !string_reg(core, op, X86_RCX))
        return op + 1;
    if (!x86_read(core, x86_op_seg(op), string_reg(core, op, X86_RSI), &value,
                  size))
        return x86_raise_set(core, op);
    port_out(core, port, size, value);
    move_reg(core, op, X86_RSI, direction(core, size));
    return next_element(core, op);
}

#define SIZED(N)                                                               \
    EXEC(in_i##N)                                                              \
    {                                                                          \
        return in(core, op, (uint8_t)op->imm, N / 8);                          \
    }                                                                          \
    EXEC(in_r##N)                                                              \
    {                                                                          \
        return in(core, op, GPR(16, X86_RDX), N / 8);                          \
    }                                                                          \
    EXEC(out_i##N)                                                             \
    {                                                                          \
        return out(core, op, (uint8_t)op->imm, N / 8);                         \
    }                                                                          \
    EXEC(out_r##N)                                                             \
    {                                                                          \
        return out(core, op, GPR(16, X86_RDX), N / 8);                         \
    }                                                                          \
    EXEC(ins_##N)                                                              \
    {                                                                          \
        return ins(core, op, N / 8);                                           \
    }                                                                          \
    EXEC(outs_##N)                                                             \
    {                                                                          \
        return outs(core, op, N / 8);                                          \
    }
SIZED(8)
SIZED(16)
SIZED(32)

#define ENDS X86_ROW_ENDS
#define IN_ROWS(N)                                                             \
    ROW_REG(IN, (REG, IMM, NONE, NONE), N / 8, 0, PLAIN, SYSTEM, ENDS,         \
            in_i##N),                                                          \
        ROW_REG(IN, (REG, REG, NONE, NONE), N / 8, 0, PLAIN, SYSTEM, ENDS,     \
                in_r##N)
#define OUT_ROWS(N)                                                            \
    ROW_REG(OUT, (IMM, REG, NONE, NONE), 0, N / 8, PLAIN, SYSTEM, ENDS,        \
            out_i##N),                                                         \
        ROW_REG(OUT, (REG, REG, NONE, NONE), 0, N / 8, PLAIN, SYSTEM, ENDS,    \
                out_r##N)
#define STRING_ROW(MNEMONIC, NAME)                                             \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, STRING, ENDS, NAME)

static const struct x86_row io_rows[] = {
    IN_ROWS(8),
    IN_ROWS(16),
    IN_ROWS(32),
    OUT_ROWS(8),
    OUT_ROWS(16),
    OUT_ROWS(32),
    STRING_ROW(INSB, ins_8),
    STRING_ROW(INSW, ins_16),
    STRING_ROW(INSD, ins_32),
    STRING_ROW(OUTSB, outs_8),
    STRING_ROW(OUTSW, outs_16),
    STRING_ROW(OUTSD, outs_32),
};

X86_TABLE(io);
