/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG NOT with a memory operand,
 * without LOCK.
 * Source: [SDM] Vol. 2.
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { SETS = X86_ROW_SETS_FLAGS };

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

#define flags_not_8(core, a)  ((uint8_t) ~(a))
#define flags_not_16(core, a) ((uint16_t) ~(a))
#define flags_not_32(core, a) (~(a))
#define flags_not_64(core, a) (~(a))

#define BINARY_MEM(N, NAME, S, EA)                                             \
    EXEC(NAME##_rm##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 0), value));                 \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mr##N##S)                                                      \
    {                                                                          \
        MODIFY(N, ptr, EA(core, op));                                          \
        *ptr = flags_##NAME##_##N(core, *ptr, GET(N, 0));                      \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mi##N##S)                                                      \
    {                                                                          \
        MODIFY(N, ptr, EA(core, op));                                          \
        *ptr = flags_##NAME##_##N(core, *ptr, (uint##N##_t)op->imm);           \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }

#define COMPARE_MEM(N, NAME, LIKE, S, EA)                                      \
    EXEC(NAME##_rm##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        (void)flags_##LIKE##_##N(core, GET(N, 0), value);                      \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mr##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        (void)flags_##LIKE##_##N(core, value, GET(N, 0));                      \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mi##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        (void)flags_##LIKE##_##N(core, value, (uint##N##_t)op->imm);           \
        NEXT();                                                                \
    }

#define UNARY_MEM(N, NAME, S, EA)                                              \
    EXEC(NAME##_m##N##S)                                                       \
    {                                                                          \
        MODIFY(N, ptr, EA(core, op));                                          \
        *ptr = flags_##NAME##_##N(core, *ptr);                                 \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }

#define BINARY(N, NAME)        FOR_ADDR(BINARY_MEM, N, NAME)
#define COMPARE(N, NAME, LIKE) FOR_ADDR(COMPARE_MEM, N, NAME, LIKE)
#define UNARY(N, NAME)         FOR_ADDR(UNARY_MEM, N, NAME)

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
FOR_SIZES(UNARY, not )

#define BINARY_ROWS(N, MNEMONIC, NAME, FLAGS)                                  \
    ROW_MEM(MNEMONIC, (REG, MEM, NONE, NONE), N / 8, N / 8, PLAIN, MEM_READ,   \
            FLAGS, NAME##_rm##N),                                              \
        ROW_MEM(MNEMONIC, (MEM, REG, NONE, NONE), N / 8, N / 8, PLAIN,         \
                MEM_WRITE, FLAGS, NAME##_mr##N),                               \
        ROW_MEM(MNEMONIC, (MEM, IMM, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE,  \
                FLAGS, NAME##_mi##N),
#define UNARY_ROWS(N, MNEMONIC, NAME, FLAGS)                                   \
    ROW_MEM(MNEMONIC, (MEM, NONE, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE,     \
            FLAGS, NAME##_m##N),

static const struct x86_row alu_mem_rows[] = {
    FOR_SIZES(BINARY_ROWS, ADD, add, SETS) FOR_SIZES(BINARY_ROWS, OR, or, SETS)
        FOR_SIZES(BINARY_ROWS, ADC, adc, 0) FOR_SIZES(BINARY_ROWS, SBB, sbb, 0)
            FOR_SIZES(BINARY_ROWS, AND, and, SETS)
                FOR_SIZES(BINARY_ROWS, SUB, sub, SETS)
                    FOR_SIZES(BINARY_ROWS, XOR, xor, SETS)
                        FOR_SIZES(BINARY_ROWS, CMP, cmp, SETS)
                            FOR_SIZES(BINARY_ROWS, TEST, test, SETS)
                                FOR_SIZES(UNARY_ROWS, INC, inc, 0)
                                    FOR_SIZES(UNARY_ROWS, DEC, dec, 0)
                                        FOR_SIZES(UNARY_ROWS, NEG, neg, SETS)
                                            FOR_SIZES(UNARY_ROWS, NOT, not, 0)};

X86_TABLE(alu_mem);
