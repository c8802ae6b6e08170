/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CMOVcc and SETcc.
 * Source: [SDM] Vol. 2, "CMOVcc", "SETcc".
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { PURE = X86_ROW_NO_FAULT };

/* A 32-bit CMOV zero-extends also when it does not move. */
#define CMOV(N, CC)                                                            \
    EXEC(cmov##CC##_rr##N)                                                     \
    {                                                                          \
        const uint32_t flags = core->flags;                                    \
        PUT(N, 0, COND_##CC(flags) ? GET(N, 1) : GET(N, 0));                   \
        NEXT();                                                                \
    }
#define CMOV_MEM(N, CC, S, EA)                                                 \
    EXEC(cmov##CC##_rm##N##S)                                                  \
    {                                                                          \
        const uint32_t flags = core->flags;                                    \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, COND_##CC(flags) ? value : GET(N, 0));                       \
        NEXT();                                                                \
    }
#define CMOV_MEMS(N, CC) FOR_ADDR(CMOV_MEM, N, CC)

#define SET_MEM(CC, S, EA)                                                     \
    EXEC(set##CC##_m##S)                                                       \
    {                                                                          \
        const uint32_t flags = core->flags;                                    \
        STORE(8, EA(core, op), (uint8_t)(COND_##CC(flags)));                   \
        NEXT();                                                                \
    }

#define CONDITION(UPPER, CC)                                                   \
    FOR_WIDE_SIZES(CMOV, CC)                                                   \
    FOR_WIDE_SIZES(CMOV_MEMS, CC)                                              \
    FOR_ADDR(SET_MEM, CC)                                                      \
    EXEC(set##CC##_r)                                                          \
    {                                                                          \
        const uint32_t flags = core->flags;                                    \
        PUT(8, 0, (uint8_t)(COND_##CC(flags)));                                \
        NEXT();                                                                \
    }
FOR_CONDITIONS(CONDITION)

#define CMOV_ROWS(N, UPPER, CC)                                                \
    ROW_REG(CMOV##UPPER, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU, \
            PURE, cmov##CC##_rr##N),                                           \
        ROW_MEM(CMOV##UPPER, (REG, MEM, NONE, NONE), N / 8, N / 8, PLAIN,      \
                MEM_READ, 0, cmov##CC##_rm##N),
#define CONDITION_ROWS(UPPER, CC)                                              \
    FOR_WIDE_SIZES(CMOV_ROWS, UPPER, CC)                                       \
    ROW_REG(SET##UPPER, (REG, NONE, NONE, NONE), 1, 0, PLAIN, INT_ALU, PURE,   \
            set##CC##_r),                                                      \
        ROW_MEM(SET##UPPER, (MEM, NONE, NONE, NONE), 1, 0, PLAIN, MEM_WRITE,   \
                0, set##CC##_m),

static const struct x86_row cond_rows[] = {FOR_CONDITIONS(CONDITION_ROWS)};

X86_TABLE(cond);
