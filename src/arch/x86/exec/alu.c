/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG NOT on registers.
 * Source: [SDM] Vol. 2.
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { PURE = X86_ROW_NO_FAULT, SETS = X86_ROW_NO_FAULT | X86_ROW_SETS_FLAGS };

FOR_SIZES(FLAGS_BINARY, add, "add")
FOR_SIZES(FLAGS_BINARY, or, "or")
FOR_SIZES(FLAGS_CARRY, adc, "adc")
FOR_SIZES(FLAGS_CARRY, sbb, "sbb")
FOR_SIZES(FLAGS_BINARY, and, "and")
FOR_SIZES(FLAGS_BINARY, sub, "sub")
FOR_SIZES(FLAGS_BINARY, xor, "xor")
FOR_SIZES(FLAGS_UNARY, inc, "inc")
FOR_SIZES(FLAGS_UNARY, dec, "dec")
FOR_SIZES(FLAGS_UNARY, neg, "neg")

#define BINARY(N, NAME)                                                        \
    EXEC(NAME##_rr##N)                                                         \
    {                                                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 0), GET(N, 1)));             \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_ri##N)                                                         \
    {                                                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 0), (uint##N##_t)op->imm));  \
        NEXT();                                                                \
    }

#define UNARY(N, NAME)                                                         \
    EXEC(NAME##_r##N)                                                          \
    {                                                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 0)));                        \
        NEXT();                                                                \
    }

/* CMP and TEST: the flags only. */
#define COMPARE(N, NAME, LIKE)                                                 \
    EXEC(NAME##_rr##N)                                                         \
    {                                                                          \
        (void)flags_##LIKE##_##N(core, GET(N, 0), GET(N, 1));                  \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_ri##N)                                                         \
    {                                                                          \
        (void)flags_##LIKE##_##N(core, GET(N, 0), (uint##N##_t)op->imm);       \
        NEXT();                                                                \
    }

#define NOT(N, NAME)                                                           \
    EXEC(NAME##_r##N)                                                          \
    {                                                                          \
        PUT(N, 0, (uint##N##_t) ~GET(N, 0));                                   \
        NEXT();                                                                \
    }

FOR_SIZES(BINARY, add)
FOR_SIZES(BINARY, or)
FOR_SIZES(BINARY, adc)
FOR_SIZES(BINARY, sbb)
FOR_SIZES(BINARY, and)
FOR_SIZES(BINARY, sub)
FOR_SIZES(BINARY, xor)
FOR_SIZES(COMPARE, cmp, sub)
FOR_SIZES(COMPARE, test, and)
FOR_SIZES(UNARY, inc)
FOR_SIZES(UNARY, dec)
FOR_SIZES(UNARY, neg)
FOR_SIZES(NOT, not )

/* The same where nobody reads the flags. */
#define DEAD_BINARY(N, NAME, OPERATOR)                                         \
    EXEC(NAME##_dead_rr##N)                                                    \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)(GET(N, 0) OPERATOR GET(N, 1)));                \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_dead_ri##N)                                                    \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)(GET(N, 0) OPERATOR(uint##N##_t) op->imm));     \
        NEXT();                                                                \
    }
#define DEAD_UNARY(N, NAME, EXPR)                                              \
    EXEC(NAME##_dead_r##N)                                                     \
    {                                                                          \
        const uint##N##_t a = GET(N, 0);                                       \
        PUT(N, 0, (uint##N##_t)(EXPR));                                        \
        NEXT();                                                                \
    }

FOR_SIZES(DEAD_BINARY, add, +)
FOR_SIZES(DEAD_BINARY, or, |)
FOR_SIZES(DEAD_BINARY, and, &)
FOR_SIZES(DEAD_BINARY, sub, -)
FOR_SIZES(DEAD_BINARY, xor, ^)
FOR_SIZES(DEAD_UNARY, inc, a + 1u)
FOR_SIZES(DEAD_UNARY, dec, a - 1u)
FOR_SIZES(DEAD_UNARY, neg, 0u - a)

/* XOR same, same. */
#define ZERO(N, NAME)                                                          \
    EXEC(NAME##_zero_rr##N)                                                    \
    {                                                                          \
        core->flags = FLAG_ZF | FLAG_PF;                                       \
        PUT(N, 0, 0);                                                          \
        NEXT();                                                                \
    }
FOR_SIZES(ZERO, xor)

#define BINARY_ROWS(N, MNEMONIC, NAME, FLAGS)                                  \
    ROW_REG(MNEMONIC, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU,    \
            FLAGS, NAME##_rr##N),                                              \
        ROW_REG(MNEMONIC, (REG, IMM, NONE, NONE), N / 8, 0, PLAIN, INT_ALU,    \
                FLAGS, NAME##_ri##N),
#define DEAD_BINARY_ROWS(N, MNEMONIC, NAME)                                    \
    ROW_REG(MNEMONIC, (REG, REG, NONE, NONE), N / 8, N / 8, DEAD_FLAGS,        \
            INT_ALU, PURE, NAME##_dead_rr##N),                                 \
        ROW_REG(MNEMONIC, (REG, IMM, NONE, NONE), N / 8, 0, DEAD_FLAGS,        \
                INT_ALU, PURE, NAME##_dead_ri##N),
#define UNARY_ROWS(N, MNEMONIC, NAME, FLAGS)                                   \
    ROW_REG(MNEMONIC, (REG, NONE, NONE, NONE), N / 8, 0, PLAIN, INT_ALU,       \
            FLAGS, NAME##_r##N),
#define DEAD_UNARY_ROWS(N, MNEMONIC, NAME)                                     \
    ROW_REG(MNEMONIC, (REG, NONE, NONE, NONE), N / 8, 0, DEAD_FLAGS, INT_ALU,  \
            PURE, NAME##_dead_r##N),
#define ZERO_ROWS(N, MNEMONIC, NAME)                                           \
    ROW_REG(MNEMONIC, (REG, REG, NONE, NONE), N / 8, N / 8, SAME_REG, INT_ALU, \
            SETS, NAME##_zero_rr##N),

static const struct x86_row alu_rows[] = {
    FOR_SIZES(BINARY_ROWS, ADD, add, SETS) FOR_SIZES(BINARY_ROWS, OR, or, SETS)
        FOR_SIZES(BINARY_ROWS, ADC, adc, PURE) FOR_SIZES(
            BINARY_ROWS, SBB, sbb, PURE) FOR_SIZES(BINARY_ROWS, AND, and, SETS)
            FOR_SIZES(BINARY_ROWS, SUB, sub, SETS) FOR_SIZES(
                BINARY_ROWS, XOR, xor, SETS) FOR_SIZES(ZERO_ROWS, XOR, xor)
                FOR_SIZES(BINARY_ROWS, CMP, cmp, SETS) FOR_SIZES(
                    BINARY_ROWS, TEST, test,
                    SETS) FOR_SIZES(UNARY_ROWS, INC, inc,
                                    PURE) FOR_SIZES(UNARY_ROWS, DEC, dec, PURE)
                    FOR_SIZES(UNARY_ROWS, NEG, neg,
                              SETS) FOR_SIZES(UNARY_ROWS, NOT, not, PURE)
                        FOR_SIZES(DEAD_BINARY_ROWS, ADD,
                                  add) FOR_SIZES(DEAD_BINARY_ROWS, OR, or)
                            FOR_SIZES(DEAD_BINARY_ROWS, AND, and)
                                FOR_SIZES(DEAD_BINARY_ROWS, SUB, sub)
                                    FOR_SIZES(DEAD_BINARY_ROWS, XOR, xor)
                                        FOR_SIZES(DEAD_UNARY_ROWS, INC, inc)
                                            FOR_SIZES(DEAD_UNARY_ROWS, DEC, dec)
                                                FOR_SIZES(DEAD_UNARY_ROWS, NEG,
                                                          neg)};

X86_TABLE(alu);
