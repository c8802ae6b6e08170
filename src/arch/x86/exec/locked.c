/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read-modify-write as one step: LOCK forms, XCHG with memory, XADD, CMPXCHG,
 * CMPXCHG8B/16B, and bit tests in memory.  With LOCK (implied by XCHG) the host
 * executes the locked instruction on guest RAM, so that other host threads see
 * it happen at once.  Operands in two pages or in devices are a plain
 * read-modify-write.
 * Source: [SDM] Vol. 2; Vol. 3A, "Locked Atomic Operations".
 */
#define X86_EXEC_FULL

#include <string.h>

#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"
#include "arch/x86/quirks.h"

/* ----------------------------------------------- LOCK ADD and its relatives */

#define FOR_LOCKED(DEFINE)                                                     \
    FOR_SIZES(DEFINE, ADD, add)                                                \
    FOR_SIZES(DEFINE, OR, or)                                                  \
    FOR_SIZES(DEFINE, ADC, adc)                                                \
    FOR_SIZES(DEFINE, SBB, sbb)                                                \
    FOR_SIZES(DEFINE, AND, and)                                                \
    FOR_SIZES(DEFINE, SUB, sub)                                                \
    FOR_SIZES(DEFINE, XOR, xor)

#define LOCKED_BINARY(N, UPPER, NAME)                                          \
    static void lock_##NAME##_##N(struct x86_core *core, x86_u##N *ptr,        \
                                  uint##N##_t b)                               \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        __asm__ volatile(LOAD_FLAGS "lock " #NAME SUFFIX_##N                   \
                         " %2, %1" SAVE_FLAGS                                  \
                         : "+&a"(flags), "+m"(*ptr)                            \
                         : "q"(b)                                              \
                         : "cc", "memory");                                    \
        core->flags = flags;                                                   \
    }                                                                          \
    EXEC(lock_##NAME##_mr##N)                                                  \
    {                                                                          \
        MODIFY(N, ptr, x86_op_offset(core, op));                               \
        lock_##NAME##_##N(core, ptr, GET(N, 0));                               \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }                                                                          \
    EXEC(lock_##NAME##_mi##N)                                                  \
    {                                                                          \
        MODIFY(N, ptr, x86_op_offset(core, op));                               \
        lock_##NAME##_##N(core, ptr, (uint##N##_t)op->imm);                    \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }
FOR_LOCKED(LOCKED_BINARY)

#define FOR_LOCKED_UNARY(DEFINE)                                               \
    FOR_SIZES(DEFINE, INC, inc)                                                \
    FOR_SIZES(DEFINE, DEC, dec)                                                \
    FOR_SIZES(DEFINE, NEG, neg)                                                \
    FOR_SIZES(DEFINE, NOT, not )

#define LOCKED_UNARY(N, UPPER, NAME)                                           \
    EXEC(lock_##NAME##_m##N)                                                   \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        MODIFY(N, ptr, x86_op_offset(core, op));                               \
        __asm__ volatile(LOAD_FLAGS "lock " #NAME SUFFIX_##N " %1" SAVE_FLAGS  \
                         : "+&a"(flags), "+m"(*ptr)                            \
                         :                                                     \
                         : "cc", "memory");                                    \
        core->flags = flags;                                                   \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }
FOR_LOCKED_UNARY(LOCKED_UNARY)

/* ------------------------------------------------------------- XCHG and XADD
 */

#define EXCHANGE(N, NAME)                                                      \
    EXEC(xchg_mr##N)                                                           \
    {                                                                          \
        uint##N##_t old;                                                       \
        MODIFY(N, ptr, x86_op_offset(core, op));                               \
        old = GET(N, 0);                                                       \
        __asm__ volatile("xchg" SUFFIX_##N " %0, %1"                           \
                         : "+q"(old), "+m"(*ptr)                               \
                         :                                                     \
                         : "memory");                                          \
        MODIFY_END();                                                          \
        PUT(N, 0, old);                                                        \
        NEXT();                                                                \
    }                                                                          \
    static uint##N##_t add_to_##N(struct x86_core *core, x86_u##N *ptr,        \
                                  uint##N##_t b)                               \
    {                                                                          \
        uint16_t flags;                                                        \
        __asm__ volatile("lock xadd" SUFFIX_##N " %2, %1" SAVE_FLAGS           \
                         : "=&a"(flags), "+m"(*ptr), "+q"(b)                   \
                         :                                                     \
                         : "cc", "memory");                                    \
        core->flags = flags;                                                   \
        return b;                                                              \
    }                                                                          \
    EXEC(xadd_mr##N)                                                           \
    {                                                                          \
        uint##N##_t old;                                                       \
        MODIFY(N, ptr, x86_op_offset(core, op));                               \
        old = add_to_##N(core, ptr, GET(N, 0));                                \
        MODIFY_END();                                                          \
        PUT(N, 0, old);                                                        \
        NEXT();                                                                \
    }                                                                          \
    EXEC(xadd_rr##N)                                                           \
    {                                                                          \
        x86_u##N sum = GET(N, 0);                                              \
        const uint##N##_t old = add_to_##N(core, &sum, GET(N, 1));             \
        PUT(N, 1, old);                                                        \
        PUT(N, 0, sum);                                                        \
        NEXT();                                                                \
    }
FOR_SIZES(EXCHANGE, xchg)

/* ------------------------------------------------------------------- CMPXCHG
 */

/* RAX is the accumulator in the operand's size; it takes the old value if that
 * is another one. */
#define COMPARE(N, NAME)                                                       \
    static uint##N##_t compare_##N(struct x86_core *core, x86_u##N *ptr,       \
                                   uint##N##_t value)                          \
    {                                                                          \
        uint64_t rax = core->state.gpr[X86_RAX], old;                          \
        __asm__ volatile("lock cmpxchg" SUFFIX_##N                             \
                         " %[value], %[memory]\n\t"                            \
                         "movq %%rax, %[old]" SAVE_FLAGS                       \
                         : "+&a"(rax), [old] "=&r"(old), [memory] "+m"(*ptr)   \
                         : [value] "q"(value)                                  \
                         : "cc", "memory");                                    \
        core->flags = (uint16_t)rax;                                           \
        return (uint##N##_t)old;                                               \
    }                                                                          \
    EXEC(cmpxchg_mr##N)                                                        \
    {                                                                          \
        uint##N##_t old;                                                       \
        MODIFY(N, ptr, x86_op_offset(core, op));                               \
        old = compare_##N(core, ptr, GET(N, 0));                               \
        MODIFY_END();                                                          \
        if (!(core->flags & FLAG_ZF))                                          \
            PUT_GPR(N, X86_RAX, old);                                          \
        NEXT();                                                                \
    }                                                                          \
    EXEC(cmpxchg_rr##N)                                                        \
    {                                                                          \
        x86_u##N value = GET(N, 0);                                            \
        const uint##N##_t old = compare_##N(core, &value, GET(N, 1));          \
        if (core->flags & FLAG_ZF)                                             \
            PUT(N, 0, value);                                                  \
        else                                                                   \
            PUT_GPR(N, X86_RAX, old);                                          \
        NEXT();                                                                \
    }
FOR_SIZES(COMPARE, cmpxchg)

static void set_zero_flag(struct x86_core *core, bool is_set)
{
    core->flags =
        (uint16_t)((core->flags & ~(unsigned)FLAG_ZF) | (is_set ? FLAG_ZF : 0));
}

EXEC(cmpxchg8b)
{
    uint64_t expected = (uint64_t)GPR(32, X86_RDX) << 32 | GPR(32, X86_RAX);
    const uint64_t value = (uint64_t)GPR(32, X86_RCX) << 32 | GPR(32, X86_RBX);
    uint64_t old = expected;
    MODIFY(64, ptr, x86_op_offset(core, op));

    __asm__ volatile("lock cmpxchgq %2, %1"
                     : "+a"(old), "+m"(*ptr)
                     : "r"(value)
                     : "cc", "memory");
    MODIFY_END();
    set_zero_flag(core, old == expected);
    if (old != expected) {
        PUT_GPR(32, X86_RAX, (uint32_t)old);
        PUT_GPR(32, X86_RDX, (uint32_t)(old >> 32));
    }
    NEXT();
}

EXEC(cmpxchg16b)
{
    const uint64_t offset = x86_op_offset(core, op);
    uint64_t low = GPR(64, X86_RAX), high = GPR(64, X86_RDX), linear;
    bool is_equal;
    void *ptr;

    /* Intel's processors look at the alignment first (measured). */
    if (((X86_AT(64, op->seg) + offset) & 15) && !x86_quirks_is_amd())
        return x86_raise_error(core, op, X86_GP, 0);
    if (!x86_linear_addr(core, x86_op_seg(op), offset, 16, X86_ACCESS_WRITE,
                         &linear))
        return x86_raise_set(core, op);
    if (linear & 15)
        return x86_raise_error(core, op, X86_GP, 0);
    ptr = x86_rmw_begin(core, x86_op_seg(op), offset, 16);
    if (!ptr)
        return x86_raise_set(core, op);
    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(is_equal), "+m"(*(x86_u64(*)[2])ptr), "+a"(low),
                       "+d"(high)
                     : "b"(GPR(64, X86_RBX)), "c"(GPR(64, X86_RCX))
                     : "memory");
    x86_rmw_end(core);
    set_zero_flag(core, is_equal);
    if (!is_equal) {
        PUT_GPR(64, X86_RAX, low);
        PUT_GPR(64, X86_RDX, high);
    }
    return op + 1;
}

/* -------------------------------------------------------- bit tests in memory
 */

#define FOR_BIT_TESTS(DEFINE)                                                  \
    FOR_WIDE_SIZES(DEFINE, BTS, bts)                                           \
    FOR_WIDE_SIZES(DEFINE, BTR, btr)                                           \
    FOR_WIDE_SIZES(DEFINE, BTC, btc)

FOR_WIDE_SIZES(FLAGS_KEEPING, bt, "bt")

/* A register offset is signed and selects the word too. */
#define BIT_OFFSET(N, NAME)                                                    \
    static uint64_t bit_offset_##N(struct x86_core *core, struct x86_op *op)   \
    {                                                                          \
        const int64_t words =                                                  \
            (int##N##_t)GET(N, 0) / N - ((int##N##_t)GET(N, 0) % N < 0);       \
        return (x86_op_offset(core, op) + (uint64_t)words * (N / 8)) &         \
               x86_addr_mask(op);                                              \
    }                                                                          \
    EXEC(bt_mr##N)                                                             \
    {                                                                          \
        LOAD(N, value, bit_offset_##N(core, op));                              \
        (void)flags_bt_##N(core, value, GET(N, 0));                            \
        NEXT();                                                                \
    }                                                                          \
    EXEC(bt_mi##N)                                                             \
    {                                                                          \
        LOAD(N, value, x86_op_offset(core, op));                               \
        (void)flags_bt_##N(core, value, (uint8_t)op->imm);                     \
        NEXT();                                                                \
    }
FOR_WIDE_SIZES(BIT_OFFSET, bt)

#define BIT_TEST(N, UPPER, NAME)                                               \
    static void lock_##NAME##_##N(struct x86_core *core, x86_u##N *ptr,        \
                                  uint##N##_t bit)                             \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        bit &= N - 1;                                                          \
        __asm__ volatile(LOAD_FLAGS "lock " #NAME SUFFIX_##N                   \
                         " %2, %1" SAVE_FLAGS                                  \
                         : "+&a"(flags), "+m"(*ptr)                            \
                         : "q"(bit)                                            \
                         : "cc", "memory");                                    \
        core->flags = flags;                                                   \
    }                                                                          \
    EXEC(NAME##_mr##N)                                                         \
    {                                                                          \
        MODIFY(N, ptr, bit_offset_##N(core, op));                              \
        lock_##NAME##_##N(core, ptr, GET(N, 0));                               \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mi##N)                                                         \
    {                                                                          \
        MODIFY(N, ptr, x86_op_offset(core, op));                               \
        lock_##NAME##_##N(core, ptr, (uint8_t)op->imm);                        \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }
FOR_BIT_TESTS(BIT_TEST)

/* --------------------------------------------------------------------- table
 */

#define MR_ROW(N, UPPER, VARIANT, NAME)                                        \
    ROW_REG(UPPER, (MEM, REG, NONE, NONE), N / 8, N / 8, VARIANT, MEM_WRITE,   \
            0, NAME)
#define MI_ROW(N, UPPER, VARIANT, NAME)                                        \
    ROW_REG(UPPER, (MEM, IMM, NONE, NONE), N / 8, 0, VARIANT, MEM_WRITE, 0,    \
            NAME)
#define M_ROW(N, UPPER, VARIANT, NAME)                                         \
    ROW_REG(UPPER, (MEM, NONE, NONE, NONE), N / 8, 0, VARIANT, MEM_WRITE, 0,   \
            NAME)
#define LOCKED_ROWS(N, UPPER, NAME)                                            \
    MR_ROW(N, UPPER, LOCKED, lock_##NAME##_mr##N),                             \
        MI_ROW(N, UPPER, LOCKED, lock_##NAME##_mi##N),
#define LOCKED_UNARY_ROWS(N, UPPER, NAME)                                      \
    M_ROW(N, UPPER, LOCKED, lock_##NAME##_m##N),
#define EXCHANGE_ROWS(N, NAME)                                                 \
    MR_ROW(N, XCHG, PLAIN, xchg_mr##N), MR_ROW(N, XCHG, LOCKED, xchg_mr##N),   \
        ROW_REG(XCHG, (REG, MEM, NONE, NONE), N / 8, N / 8, PLAIN, MEM_WRITE,  \
                0, xchg_mr##N),                                                \
        MR_ROW(N, XADD, PLAIN, xadd_mr##N),                                    \
        MR_ROW(N, XADD, LOCKED, xadd_mr##N),                                   \
        ROW_REG(XADD, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU, 0, \
                xadd_rr##N),                                                   \
        MR_ROW(N, CMPXCHG, PLAIN, cmpxchg_mr##N),                              \
        MR_ROW(N, CMPXCHG, LOCKED, cmpxchg_mr##N),                             \
        ROW_REG(CMPXCHG, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU, \
                0, cmpxchg_rr##N),
#define BT_ROWS(N, UPPER, NAME)                                                \
    MR_ROW(N, UPPER, PLAIN, NAME##_mr##N),                                     \
        MI_ROW(N, UPPER, PLAIN, NAME##_mi##N),
#define BIT_TEST_ROWS(N, UPPER, NAME)                                          \
    BT_ROWS(N, UPPER, NAME)                                                    \
    MR_ROW(N, UPPER, LOCKED, NAME##_mr##N),                                    \
        MI_ROW(N, UPPER, LOCKED, NAME##_mi##N),

static const struct x86_row locked_rows[] = {
    FOR_LOCKED(LOCKED_ROWS) FOR_LOCKED_UNARY(LOCKED_UNARY_ROWS)
        FOR_SIZES(EXCHANGE_ROWS, xchg) FOR_WIDE_SIZES(BT_ROWS, BT, bt)
            FOR_BIT_TESTS(BIT_TEST_ROWS) M_ROW(0, CMPXCHG8B, PLAIN, cmpxchg8b),
    M_ROW(0, CMPXCHG8B, LOCKED, cmpxchg8b),
    M_ROW(0, CMPXCHG16B, PLAIN, cmpxchg16b),
    M_ROW(0, CMPXCHG16B, LOCKED, cmpxchg16b),
};

X86_TABLE(locked);
