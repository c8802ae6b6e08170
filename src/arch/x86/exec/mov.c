/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MOV MOVZX MOVSX MOVSXD MOVBE BSWAP LEA XCHG(registers) CBW..CQO XLAT.
 * Source: [SDM] Vol. 2.
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { PURE = X86_ROW_NO_FAULT };

#define MOV(N, NAME)                                                           \
    EXEC(NAME##_rr##N)                                                         \
    {                                                                          \
        PUT(N, 0, GET(N, 1));                                                  \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_ri##N)                                                         \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)op->imm);                                       \
        NEXT();                                                                \
    }                                                                          \
    EXEC(x##NAME##_rr##N)                                                      \
    {                                                                          \
        const uint##N##_t first = GET(N, 0), second = GET(N, 1);               \
        PUT(N, 0, second);                                                     \
        PUT(N, 1, first);                                                      \
        NEXT();                                                                \
    }

#define MOV_MEM(N, NAME, S, EA)                                                \
    EXEC(NAME##_rm##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, value);                                                      \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mr##N##S)                                                      \
    {                                                                          \
        STORE(N, EA(core, op), GET(N, 0));                                     \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mi##N##S)                                                      \
    {                                                                          \
        STORE(N, EA(core, op), (uint##N##_t)op->imm);                          \
        NEXT();                                                                \
    }
#define MOV_MEMS(N, NAME) FOR_ADDR(MOV_MEM, N, NAME)

FOR_SIZES(MOV, mov)
FOR_SIZES(MOV_MEMS, mov)

/* Widening moves: N bits from M bits. */
#define FOR_WIDENINGS(DEFINE)                                                  \
    DEFINE(16, 8)                                                              \
    DEFINE(32, 8)                                                              \
    DEFINE(64, 8)                                                              \
    DEFINE(16, 16)                                                             \
    DEFINE(32, 16)                                                             \
    DEFINE(64, 16)

#define WIDEN(N, M)                                                            \
    EXEC(movzx_rr##N##_##M)                                                    \
    {                                                                          \
        PUT(N, 0, GET(M, 1));                                                  \
        NEXT();                                                                \
    }                                                                          \
    EXEC(movsx_rr##N##_##M)                                                    \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)(int##M##_t)GET(M, 1));                         \
        NEXT();                                                                \
    }

#define WIDEN_MEM(N, M, S, EA)                                                 \
    EXEC(movzx_rm##N##_##M##S)                                                 \
    {                                                                          \
        LOAD(M, value, EA(core, op));                                          \
        PUT(N, 0, value);                                                      \
        NEXT();                                                                \
    }                                                                          \
    EXEC(movsx_rm##N##_##M##S)                                                 \
    {                                                                          \
        LOAD(M, value, EA(core, op));                                          \
        PUT(N, 0, (uint##N##_t)(int##M##_t)value);                             \
        NEXT();                                                                \
    }
#define WIDEN_MEMS(N, M) FOR_ADDR(WIDEN_MEM, N, M)

FOR_WIDENINGS(WIDEN)
FOR_WIDENINGS(WIDEN_MEMS)

#define MOVSXD(N)                                                              \
    EXEC(movsxd_rr##N)                                                         \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)(int32_t)GET(32, 1));                           \
        NEXT();                                                                \
    }
/* With 16- and 32-bit operands it is a plain MOV. */
MOVSXD(16)
MOVSXD(32)
MOVSXD(64)

#define MOVSXD_MEM(N, M, S, EA)                                                \
    EXEC(movsxd_rm##N##S)                                                      \
    {                                                                          \
        LOAD(M, value, EA(core, op));                                          \
        PUT(N, 0, (uint##N##_t)(int##M##_t)value);                             \
        NEXT();                                                                \
    }
FOR_ADDR(MOVSXD_MEM, 16, 32)
FOR_ADDR(MOVSXD_MEM, 32, 32)
FOR_ADDR(MOVSXD_MEM, 64, 32)
/* The decoder calls the source 16 bits wide when a REX prefix is there. */
#define MOVSXD_MEM16(W, S, EA)                                                 \
    EXEC(movsxd_rm##W##S)                                                      \
    {                                                                          \
        LOAD(16, value, EA(core, op));                                         \
        PUT(16, 0, value);                                                     \
        NEXT();                                                                \
    }
FOR_ADDR(MOVSXD_MEM16, w)

/* LEA: addresses without access; segments do not matter. */
#define LEA(N, NAME)                                                           \
    EXEC(NAME##_base##N)                                                       \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)(X86_AT(64, op->base) + op->disp));             \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_index##N)                                                      \
    {                                                                          \
        PUT(N, 0,                                                              \
            (uint##N##_t)(X86_AT(64, op->base) + op->disp +                    \
                          (X86_AT(64, op->index) << op->scale)));              \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_general##N)                                                    \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)x86_op_offset(core, op));                       \
        NEXT();                                                                \
    }
FOR_WIDE_SIZES(LEA, lea)

#define SWAP_8(v)  (v)
#define SWAP_16(v) __builtin_bswap16(v)
#define SWAP_32(v) __builtin_bswap32(v)
#define SWAP_64(v) __builtin_bswap64(v)

EXEC(bswap_r32)
{
    PUT(32, 0, SWAP_32(GET(32, 0)));
    NEXT();
}

EXEC(bswap_r64)
{
    PUT(64, 0, SWAP_64(GET(64, 0)));
    NEXT();
}

/* Undefined by the manual; processors clear the register. */
EXEC(bswap_r16)
{
    PUT(16, 0, 0);
    NEXT();
}

#define MOVBE_MEM(N, NAME, S, EA)                                              \
    EXEC(NAME##_rm##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, SWAP_##N(value));                                            \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mr##N##S)                                                      \
    {                                                                          \
        STORE(N, EA(core, op), SWAP_##N(GET(N, 0)));                           \
        NEXT();                                                                \
    }
#define MOVBE_MEMS(N, NAME) FOR_ADDR(MOVBE_MEM, N, NAME)
FOR_WIDE_SIZES(MOVBE_MEMS, movbe)

#define MOVNTI_ROWS(N)                                                         \
    ROW_MEM(MOVNTI, (MEM, REG, NONE, NONE), N / 8, N / 8, PLAIN, MEM_WRITE, 0, \
            mov_mr##N)

#define EXTEND(NAME, N, EXPR, REG)                                             \
    EXEC(NAME)                                                                 \
    {                                                                          \
        PUT_GPR(N, REG, (uint##N##_t)(EXPR));                                  \
        NEXT();                                                                \
    }
EXTEND(cbw, 16, (int8_t)GPR(8, X86_RAX), X86_RAX)
EXTEND(cwde, 32, (int16_t)GPR(16, X86_RAX), X86_RAX)
EXTEND(cdqe, 64, (int32_t)GPR(32, X86_RAX), X86_RAX)
EXTEND(cwd, 16, (int16_t)GPR(16, X86_RAX) >> 15, X86_RDX)
EXTEND(cdq, 32, (int32_t)GPR(32, X86_RAX) >> 31, X86_RDX)
EXTEND(cqo, 64, (int64_t)GPR(64, X86_RAX) >> 63, X86_RDX)

#define MOV_ROWS(N, MNEMONIC, NAME)                                            \
    ROW_REG(MNEMONIC, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU,    \
            PURE, NAME##_rr##N),                                               \
        ROW_REG(MNEMONIC, (REG, IMM, NONE, NONE), N / 8, 0, PLAIN, INT_ALU,    \
                PURE, NAME##_ri##N),                                           \
        ROW_REG(X##CHG, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU,  \
                PURE, x##NAME##_rr##N),                                        \
        ROW_MEM(MNEMONIC, (REG, MEM, NONE, NONE), N / 8, N / 8, PLAIN,         \
                MEM_READ, 0, NAME##_rm##N),                                    \
        ROW_MEM(MNEMONIC, (MEM, REG, NONE, NONE), N / 8, N / 8, PLAIN,         \
                MEM_WRITE, 0, NAME##_mr##N),                                   \
        ROW_MEM(MNEMONIC, (MEM, IMM, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE,  \
                0, NAME##_mi##N),
#define WIDEN_ROWS(N, M)                                                       \
    ROW_REG(MOVZX, (REG, REG, NONE, NONE), N / 8, M / 8, PLAIN, INT_ALU, PURE, \
            movzx_rr##N##_##M),                                                \
        ROW_REG(MOVSX, (REG, REG, NONE, NONE), N / 8, M / 8, PLAIN, INT_ALU,   \
                PURE, movsx_rr##N##_##M),                                      \
        ROW_MEM(MOVZX, (REG, MEM, NONE, NONE), N / 8, M / 8, PLAIN, MEM_READ,  \
                0, movzx_rm##N##_##M),                                         \
        ROW_MEM(MOVSX, (REG, MEM, NONE, NONE), N / 8, M / 8, PLAIN, MEM_READ,  \
                0, movsx_rm##N##_##M),
#define MOVSXD_ROWS(N, M)                                                      \
    ROW_REG(MOVSXD, (REG, REG, NONE, NONE), N / 8, M / 8, PLAIN, INT_ALU,      \
            PURE, movsxd_rr##N),                                               \
        ROW_MEM(MOVSXD, (REG, MEM, NONE, NONE), N / 8, M / 8, PLAIN, MEM_READ, \
                0, movsxd_rm##N),
#define LEA_ROWS(N, MNEMONIC, NAME)                                            \
    ROW(MNEMONIC, (REG, MEM, NONE, NONE), N / 8, 0, BASE, PLAIN, INT_ALU,      \
        PURE, NAME##_base##N),                                                 \
        ROW(MNEMONIC, (REG, MEM, NONE, NONE), N / 8, 0, INDEX, PLAIN, INT_ALU, \
            PURE, NAME##_index##N),                                            \
        ROW(MNEMONIC, (REG, MEM, NONE, NONE), N / 8, 0, ANY, PLAIN, INT_ALU,   \
            PURE, NAME##_general##N),
#define MOVBE_ROWS(N, MNEMONIC, NAME)                                          \
    ROW_MEM(MNEMONIC, (REG, MEM, NONE, NONE), N / 8, N / 8, PLAIN, MEM_READ,   \
            0, NAME##_rm##N),                                                  \
        ROW_MEM(MNEMONIC, (MEM, REG, NONE, NONE), N / 8, N / 8, PLAIN,         \
                MEM_WRITE, 0, NAME##_mr##N),
#define BSWAP_ROW(N)                                                           \
    ROW_REG(BSWAP, (REG, NONE, NONE, NONE), N / 8, 0, PLAIN, INT_ALU, PURE,    \
            bswap_r##N)
#define EXTEND_ROW(MNEMONIC, NAME)                                             \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, INT_ALU, PURE,    \
            NAME)

static const struct x86_row mov_rows[] = {
    ROW_REG(MOVSXD, (REG, REG, NONE, NONE), 2, 2, PLAIN, INT_ALU, PURE,
            movsxd_rr16),
    ROW_MEM(MOVSXD, (REG, MEM, NONE, NONE), 2, 2, PLAIN, MEM_READ, 0,
            movsxd_rmw),
    FOR_SIZES(MOV_ROWS, MOV, mov) FOR_WIDENINGS(WIDEN_ROWS) MOVSXD_ROWS(16, 32)
        MOVSXD_ROWS(32, 32) MOVSXD_ROWS(64, 32)
            FOR_WIDE_SIZES(LEA_ROWS, LEA, lea)
                FOR_WIDE_SIZES(MOVBE_ROWS, MOVBE, movbe) MOVNTI_ROWS(32),
    MOVNTI_ROWS(64),
    BSWAP_ROW(16),
    BSWAP_ROW(32),
    BSWAP_ROW(64),
    EXTEND_ROW(CBW, cbw),
    EXTEND_ROW(CWDE, cwde),
    EXTEND_ROW(CDQE, cdqe),
    EXTEND_ROW(CWD, cwd),
    EXTEND_ROW(CDQ, cdq),
    EXTEND_ROW(CQO, cqo),
};

X86_TABLE(mov);
