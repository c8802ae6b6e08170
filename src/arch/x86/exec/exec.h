/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What handlers are written in.  Each exec/<group>.c is compiled twice: as it
 * is, giving fast handlers, and through exec/<group>_full.c with X86_EXEC_FULL
 * defined, giving full ones (see op.h).  The same text serves both:
 *
 *   EXEC(name)             a handler; `core` and `op` are its parameters
 *   GET(N, i), PUT(N, i)   register operand i, N bits; 32-bit results are
 *                          zero-extended
 *   LOAD(N, var, ea)       declare var and read memory into it
 *   STORE(N, ea, value)    write memory
 *   MODIFY(N, ptr, ea)     declare ptr to memory that will be read and written;
 *                          ends with MODIFY_END()
 *   NEXT()                 go on with the next instruction
 *
 * LOAD, STORE and MODIFY leave the handler when the access is not possible (or
 * not fast); so a handler must access memory before it changes a register.
 * Addresses: ea_b, ea_x and ea_g by enum x86_addr_kind.
 */
#ifndef ARCH_X86_EXEC_EXEC_H
#define ARCH_X86_EXEC_EXEC_H

#include <Zydis/Mnemonic.h>

#include "arch/x86/block.h"
#include "arch/x86/core_internal.h"
#include "arch/x86/dispatch.h"
#include "arch/x86/exec/rows.h"
#include "arch/x86/tlb.h"

#define EXEC(name)                                                             \
    static struct x86_op *name(__attribute__((unused)) struct x86_core *core,  \
                               struct x86_op *op)

/* ---------------------------------------------------------------- registers */

#define X86_AT(N, offset) (*(x86_u##N *)(void *)((char *)core + (offset)))
#define GET(N, i)         X86_AT(N, op->reg[i])
#define PUT(N, i, value)  x86_put_##N(core, op->reg[i], value)

static inline void x86_put_8(struct x86_core *core, unsigned offset,
                             uint8_t value)
{
    X86_AT(8, offset) = value;
}

static inline void x86_put_16(struct x86_core *core, unsigned offset,
                              uint16_t value)
{
    X86_AT(16, offset) = value;
}

static inline void x86_put_32(struct x86_core *core, unsigned offset,
                              uint32_t value)
{
    X86_AT(64, offset) = value;
}

static inline void x86_put_64(struct x86_core *core, unsigned offset,
                              uint64_t value)
{
    X86_AT(64, offset) = value;
}

/* Registers by number instead of operand. */
#define GPR(N, r)            X86_AT(N, 8 * (r))
#define PUT_GPR(N, r, value) x86_put_##N(core, 8 * (r), value)

/* ---------------------------------------------------------------- addresses */

static inline uint64_t x86_addr_mask(const struct x86_op *op)
{
    static const uint64_t masks[4] = {UINT64_MAX, UINT32_MAX, UINT16_MAX, 0};

    return masks[op->flags & X86_OP_ADDR_MASK];
}

/* Offset in the segment. */
static inline uint64_t x86_op_offset(struct x86_core *core,
                                     const struct x86_op *op)
{
    return (X86_AT(64, op->base) + (X86_AT(64, op->index) << op->scale) +
            op->disp) &
           x86_addr_mask(op);
}

static inline enum x86_seg_name x86_op_seg(const struct x86_op *op)
{
    return (enum x86_seg_name)((op->flags & X86_OP_SEG_MASK) >>
                               X86_OP_SEG_SHIFT);
}

#ifdef X86_EXEC_FULL

#include "arch/x86/access.h"

/* NOLINTBEGIN(readability-identifier-naming): stands for a function */
#define ea_b x86_op_offset
#define ea_x x86_op_offset
#define ea_g x86_op_offset
/* NOLINTEND(readability-identifier-naming) */

#define NEXT() return op + 1

#define LOAD_SEG(N, var, seg, ea)                                              \
    uint##N##_t var;                                                           \
    if (!x86_read(core, seg, ea, &var, N / 8))                                 \
    return x86_raise_set(core, op)
#define STORE_SEG(N, seg, ea, value)                                           \
    do {                                                                       \
        const uint##N##_t stored = (value);                                    \
        if (!x86_write(core, seg, ea, &stored, N / 8))                         \
            return x86_raise_set(core, op);                                    \
    } while (0)
#define LOAD(N, var, ea)          LOAD_SEG(N, var, x86_op_seg(op), ea)
#define STORE(N, ea, value)       STORE_SEG(N, x86_op_seg(op), ea, value)
#define LOAD_STACK(N, v, ea)      LOAD_SEG(N, v, X86_SS_SEG, ea)
#define STORE_STACK(N, ea, value) STORE_SEG(N, X86_SS_SEG, ea, value)
#define MODIFY(N, ptr, ea)                                                     \
    x86_u##N *ptr = x86_rmw_begin(core, x86_op_seg(op), ea, N / 8);            \
    if (!ptr)                                                                  \
    return x86_raise_set(core, op)
#define MODIFY_END() x86_rmw_end(core)

/* One handler serves all kinds of addresses. */
#define FOR_ADDR(DEFINE, ...) DEFINE(__VA_ARGS__, _b, ea_b)
#define X86_ROWS_NAME(group)  x86_rows_##group##_full
#define ROW_MEM(m, k, s0, s1, v, c, f, fn)                                     \
    ROW(m, k, s0, s1, BASE, v, c, f, fn##_b),                                  \
        ROW(m, k, s0, s1, INDEX, v, c, f, fn##_b),                             \
        ROW(m, k, s0, s1, GENERAL, v, c, f, fn##_b)

#else /* fast */

static inline uint64_t ea_b(struct x86_core *core, const struct x86_op *op)
{
    return X86_AT(64, op->base) + op->disp;
}

static inline uint64_t ea_x(struct x86_core *core, const struct x86_op *op)
{
    return X86_AT(64, op->base) + (X86_AT(64, op->index) << op->scale) +
           op->disp;
}

static inline uint64_t ea_g(struct x86_core *core, const struct x86_op *op)
{
    return X86_AT(64, op->seg) + x86_op_offset(core, op);
}

#define NEXT()     X86_DISPATCH(core, op + 1)
#define RUN_FULL() return x86_run_full(core, op)

#define FAST_PTR(N, CONST, ptr, ea, tag)                                       \
    CONST x86_u##N *ptr;                                                       \
    do {                                                                       \
        const uint64_t addr = (ea);                                            \
        const struct x86_tlb_entry *entry = x86_tlb_at(core, addr);            \
        if (SIM_UNLIKELY(addr - entry->tag > X86_PAGE_SIZE - N / 8))           \
            RUN_FULL();                                                        \
        ptr = (CONST x86_u##N *)(addr + entry->addend);                        \
    } while (0)

#define LOAD(N, var, ea)                                                       \
    FAST_PTR(N, const, var##_ptr, ea, read);                                   \
    const uint##N##_t var = *var##_ptr
#define STORE(N, ea, value)                                                    \
    do {                                                                       \
        FAST_PTR(N, , store_ptr, ea, write);                                   \
        *store_ptr = (value);                                                  \
    } while (0)
#define MODIFY(N, ptr, ea)        FAST_PTR(N, , ptr, ea, write)
#define MODIFY_END()              ((void)0)
#define LOAD_STACK(N, var, ea)    LOAD(N, var, ea)
#define STORE_STACK(N, ea, value) STORE(N, ea, value)

#define FOR_ADDR(DEFINE, ...)                                                  \
    DEFINE(__VA_ARGS__, _b, ea_b)                                              \
    DEFINE(__VA_ARGS__, _x, ea_x)                                              \
    DEFINE(__VA_ARGS__, _g, ea_g)
#define X86_ROWS_NAME(group) x86_rows_##group
#define ROW_MEM(m, k, s0, s1, v, c, f, fn)                                     \
    ROW(m, k, s0, s1, BASE, v, c, f, fn##_b),                                  \
        ROW(m, k, s0, s1, INDEX, v, c, f, fn##_x),                             \
        ROW(m, k, s0, s1, GENERAL, v, c, f, fn##_g)

#endif

/* ------------------------------------------------------------------- tables */

#define ROW(m, k, s0, s1, a, v, c, f, handler)                                 \
    {                                                                          \
        .mnemonic = ZYDIS_MNEMONIC_##m, .kinds = X86_KINDS k,                  \
        .size = {s0, s1}, .addr = X86_ADDR_##a, .variant = X86_##v,            \
        .op_class = X86_OP_##c, .flags = (f), .fn = (handler)                  \
    }
/* No memory operand. */
#define ROW_REG(m, k, s0, s1, v, c, f, fn) ROW(m, k, s0, s1, ANY, v, c, f, fn)

#define X86_TABLE(group)                                                       \
    const struct x86_row_table X86_ROWS_NAME(group) = {                        \
        group##_rows, SIM_ARRAY_LEN(group##_rows)}

#endif
