/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segment registers and selectors: MOV, PUSH, POP, LDS and its kin, LAR, LSL,
 * VERR, VERW, ARPL.
 * Source: [SDM] Vol. 2.
 */
#define X86_EXEC_FULL

#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"
#include "arch/x86/exec/stack.h"
#include "arch/x86/exec/sys.h"
#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"
#include "arch/x86/vmem.h"

enum { ENDS = X86_ROW_ENDS };

/* ------------------------------------------------------------ MOV, PUSH, POP
 */

static struct x86_op *load_seg(struct x86_core *core, struct x86_op *op,
                               uint16_t selector)
{
    enum x86_seg_name name = (enum x86_seg_name)op->reg[0];

    if (name == X86_CS)
        return x86_raise(core, op, X86_UD);
    if (!x86_seg_load(core, name, selector, &core->fault))
        return x86_raise_set(core, op);
    if (name == X86_SS_SEG)
        core->state.events.shadow = 2;
    x86_core_mode_changed(core);
    return x86_sys_finish(core, op);
}

EXEC(mov_sr)
{
    return load_seg(core, op, GET(16, 1));
}

EXEC(mov_sm)
{
    LOAD(16, selector, x86_op_offset(core, op));
    return load_seg(core, op, selector);
}

#define SELECTOR(i) (core->state.seg[op->reg[i]].selector)

EXEC(mov_rs16)
{
    PUT(16, 0, SELECTOR(1));
    return op + 1;
}

EXEC(mov_rs)
{
    PUT(64, 0, SELECTOR(1));
    return op + 1;
}

EXEC(mov_ms)
{
    STORE(16, x86_op_offset(core, op), SELECTOR(0));
    return op + 1;
}

/* The stack moves by the operand size, but only 16 bits are written.
 * [SDM] Vol. 2B, PUSH: "a 16-bit move ... leaving the upper portion
 * unmodified" is what processors do. */
static bool push_selector(struct x86_core *core, uint16_t selector,
                          unsigned size)
{
    uint64_t rsp = core->state.gpr[X86_RSP];
    uint64_t at = (rsp - size) & x86_stack_mask(core);

    if (size == 8)
        return x86_push(core, selector, 8);
    if (!x86_write(core, X86_SS_SEG, at, &selector, 2))
        return false;
    x86_stack_move(core, -(int64_t)size);
    return true;
}

static struct x86_op *push_seg(struct x86_core *core, struct x86_op *op,
                               unsigned size)
{
    return push_selector(core, SELECTOR(0), size) ? op + 1
                                                  : x86_raise_set(core, op);
}

static struct x86_op *pop_seg(struct x86_core *core, struct x86_op *op,
                              unsigned size)
{
    uint64_t rsp = core->state.gpr[X86_RSP];
    uint64_t value = 0;
    struct x86_op *next;

    if (!x86_read(core, X86_SS_SEG, rsp & x86_stack_mask(core), &value,
                  x86_quirks_is_amd() ? size : 2)) /* (measured) */
        return x86_raise_set(core, op);
    next = load_seg(core, op, (uint16_t)value);
    if (!(core->pending & X86_PENDING_FAULT))
        x86_stack_move(core, size);
    return next;
}

#define SIZED_STACK(N)                                                         \
    EXEC(push_s##N)                                                            \
    {                                                                          \
        return push_seg(core, op, N / 8);                                      \
    }                                                                          \
    EXEC(pop_s##N)                                                             \
    {                                                                          \
        return pop_seg(core, op, N / 8);                                       \
    }
SIZED_STACK(16)
SIZED_STACK(32)
SIZED_STACK(64)

/* ------------------------------------------------------ LDS LES LFS LGS LSS */

static struct x86_op *load_far(struct x86_core *core, struct x86_op *op,
                               enum x86_seg_name name, unsigned size)
{
    const uint64_t ea = x86_op_offset(core, op);
    uint64_t offset = 0;
    uint16_t selector;

    if (!x86_read(core, x86_op_seg(op), ea, &offset, size) ||
        !x86_read(core, x86_op_seg(op), ea + size, &selector, 2) ||
        !x86_seg_load(core, name, selector, &core->fault))
        return x86_raise_set(core, op);
    if (size == 2)
        PUT(16, 0, (uint16_t)offset);
    else
        PUT(64, 0, offset);
    x86_core_mode_changed(core);
    return x86_sys_finish(core, op);
}

#define LOAD_FAR(NAME, SEG)                                                    \
    EXEC(NAME##_16)                                                            \
    {                                                                          \
        return load_far(core, op, SEG, 2);                                     \
    }                                                                          \
    EXEC(NAME##_32)                                                            \
    {                                                                          \
        return load_far(core, op, SEG, 4);                                     \
    }                                                                          \
    EXEC(NAME##_64)                                                            \
    {                                                                          \
        return load_far(core, op, SEG, 8);                                     \
    }
LOAD_FAR(lds, X86_DS)
LOAD_FAR(les, X86_ES)
LOAD_FAR(lfs, X86_FS)
LOAD_FAR(lgs, X86_GS)
LOAD_FAR(lss, X86_SS_SEG)

/* -------------------------------------------------------- LAR LSL VERR VERW */

static void set_zf(struct x86_core *core, uint32_t value)
{
    core->flags = (uint16_t)((core->flags & ~FLAG_ZF) | (value ? FLAG_ZF : 0));
}

/* The 16-bit source operand, register or memory. */
static bool source(struct x86_core *core, struct x86_op *op, unsigned which,
                   uint16_t *selector)
{
    if ((op->form->row->kinds >> (4 * which) & 15) == X86_K_MEM)
        return x86_read(core, x86_op_seg(op), x86_op_offset(core, op), selector,
                        2);
    *selector = GET(16, which);
    return true;
}

static struct x86_op *inspect(struct x86_core *core, struct x86_op *op,
                              bool (*look)(struct x86_core *, uint16_t,
                                           uint32_t *))
{
    uint16_t selector;
    uint32_t value = 0;
    bool is_ok;

    REQUIRE_PROTECTED();
    if (!source(core, op, 1, &selector))
        return x86_raise_set(core, op);
    is_ok = look(core, selector, &value);
    set_zf(core, is_ok);
    if (is_ok && (op->flags & X86_OP_SIZE16))
        PUT(16, 0, (uint16_t)value);
    else if (is_ok)
        PUT(32, 0, value);
    return op + 1;
}

EXEC(lar)
{
    return inspect(core, op, x86_lar);
}

EXEC(lsl)
{
    return inspect(core, op, x86_lsl);
}

static struct x86_op *verify(struct x86_core *core, struct x86_op *op,
                             enum x86_access access)
{
    uint16_t selector;

    REQUIRE_PROTECTED();
    if (!source(core, op, 0, &selector))
        return x86_raise_set(core, op);
    set_zf(core, x86_verify(core, selector, access));
    return op + 1;
}

EXEC(verr)
{
    return verify(core, op, X86_ACCESS_READ);
}

EXEC(verw)
{
    return verify(core, op, X86_ACCESS_WRITE);
}

EXEC(arpl_r)
{
    uint16_t to = GET(16, 0), from = GET(16, 1);
    bool is_lower = (to & 3) < (from & 3);

    REQUIRE_PROTECTED();
    if (is_lower)
        PUT(16, 0, (uint16_t)((to & ~3U) | (from & 3)));
    set_zf(core, is_lower);
    return op + 1;
}

EXEC(arpl_m)
{
    uint16_t from = GET(16, 0);

    REQUIRE_PROTECTED();
    if (!x86_quirks_is_amd()) { /* reads, and writes only a change (measured) */
        LOAD(16, before, x86_op_offset(core, op));
        if ((before & 3) >= (from & 3)) {
            set_zf(core, 0);
            return op + 1;
        }
    }
    MODIFY(16, to, x86_op_offset(core, op));
    if ((*to & 3) < (from & 3)) {
        *to = (uint16_t)((*to & ~3U) | (from & 3));
        set_zf(core, 1);
    } else {
        set_zf(core, 0);
    }
    MODIFY_END();
    return op + 1;
}

#define TWO_ROW(MNEMONIC, A, B, SIZE, FLAGS, NAME)                             \
    ROW_REG(MNEMONIC, (A, B, NONE, NONE), SIZE, 0, PLAIN, SYSTEM, FLAGS, NAME)
#define ONE_ROW(MNEMONIC, A, SIZE, FLAGS, NAME)                                \
    ROW_REG(MNEMONIC, (A, NONE, NONE, NONE), SIZE, 0, PLAIN, SYSTEM, FLAGS,    \
            NAME)
#define STACK_ROWS(N)                                                          \
    ONE_ROW(PUSH, SEG, N / 8, 0, push_s##N),                                   \
        ONE_ROW(POP, SEG, N / 8, ENDS, pop_s##N)
#define FAR_ROWS(MNEMONIC, NAME)                                               \
    TWO_ROW(MNEMONIC, REG, MEM, 2, ENDS, NAME##_16),                           \
        TWO_ROW(MNEMONIC, REG, MEM, 4, ENDS, NAME##_32),                       \
        TWO_ROW(MNEMONIC, REG, MEM, 8, ENDS, NAME##_64)
#define INSPECT_ROWS(MNEMONIC, NAME)                                           \
    TWO_ROW(MNEMONIC, REG, REG, 0, 0, NAME),                                   \
        TWO_ROW(MNEMONIC, REG, MEM, 0, 0, NAME)

static const struct x86_row segments_rows[] = {
    TWO_ROW(MOV, SEG, REG, 0, ENDS, mov_sr),
    TWO_ROW(MOV, SEG, MEM, 0, ENDS, mov_sm),
    TWO_ROW(MOV, REG, SEG, 2, 0, mov_rs16),
    TWO_ROW(MOV, REG, SEG, 0, 0, mov_rs),
    TWO_ROW(MOV, MEM, SEG, 0, 0, mov_ms),
    STACK_ROWS(16),
    STACK_ROWS(32),
    STACK_ROWS(64),
    FAR_ROWS(LDS, lds),
    FAR_ROWS(LES, les),
    FAR_ROWS(LFS, lfs),
    FAR_ROWS(LGS, lgs),
    FAR_ROWS(LSS, lss),
    INSPECT_ROWS(LAR, lar),
    INSPECT_ROWS(LSL, lsl),
    ONE_ROW(VERR, REG, 0, 0, verr),
    ONE_ROW(VERR, MEM, 0, 0, verr),
    ONE_ROW(VERW, REG, 0, 0, verw),
    ONE_ROW(VERW, MEM, 0, 0, verw),
    TWO_ROW(ARPL, REG, REG, 0, 0, arpl_r),
    TWO_ROW(ARPL, MEM, REG, 0, 0, arpl_m),
};

X86_TABLE(segments);
