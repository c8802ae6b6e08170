/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MUL IMUL DIV IDIV MULX.
 * Source: [SDM] Vol. 2.
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { PURE = X86_ROW_NO_FAULT };

FOR_WIDE_SIZES(FLAGS_KEEPING, imul, "imul")

#define A_16 "ax"
#define A_32 "eax"
#define A_64 "rax"

/* RDX:RAX and an operand, by the host; it takes the guest's flags along. */
#define WIDE(N, NAME)                                                          \
    static inline void wide_##NAME##_##N(struct x86_core *core,                \
                                         uint##N##_t value)                    \
    {                                                                          \
        uint##N##_t low = GPR(N, X86_RAX), high = GPR(N, X86_RDX);             \
        __asm__("movzwl %[flags], %%eax\n\t" LOAD_FLAGS "mov %[low], %%" A_##N \
                "\n\t" #NAME SUFFIX_##N " %[value]\n\t"                        \
                                        "mov %%" A_##N ", %[low]" SAVE_FLAGS   \
                                                       "\n\t"                  \
                                                       "movw %%ax, %[flags]"   \
                : [low] "+&r"(low), "+&d"(high), [flags] "+m"(core->flags)     \
                : [value] "r"(value)                                           \
                : "rax", "cc");                                                \
        PUT_GPR(N, X86_RAX, low);                                              \
        PUT_GPR(N, X86_RDX, high);                                             \
    }
FOR_WIDE_SIZES(WIDE, mul)
FOR_WIDE_SIZES(WIDE, imul)
FOR_WIDE_SIZES(WIDE, div)
FOR_WIDE_SIZES(WIDE, idiv)

/* AX and an operand. */
#define BYTE(NAME)                                                             \
    static inline void wide_##NAME##_8(struct x86_core *core, uint8_t value)   \
    {                                                                          \
        uint16_t result = GPR(16, X86_RAX);                                    \
        __asm__("movzwl %[flags], %%eax\n\t" LOAD_FLAGS                        \
                "movw %[result], %%ax\n\t" #NAME "b %[value]\n\t"              \
                "movw %%ax, %[result]" SAVE_FLAGS "\n\t"                       \
                "movw %%ax, %[flags]"                                          \
                : [result] "+&r"(result), [flags] "+m"(core->flags)            \
                : [value] "q"(value)                                           \
                : "rax", "cc");                                                \
        PUT_GPR(16, X86_RAX, result);                                          \
    }
BYTE(mul)
BYTE(imul)
BYTE(div)
BYTE(idiv)

/* A multiplication always fits, a division may not: #DE.  The host must not
 * fault, so that is found out before. */
#define ALWAYS_FITS(N, NAME)                                                   \
    static inline bool fits_##NAME##_##N(struct x86_core *core,                \
                                         uint##N##_t value)                    \
    {                                                                          \
        (void)core;                                                            \
        (void)value;                                                           \
        return true;                                                           \
    }
FOR_SIZES(ALWAYS_FITS, mul)
FOR_SIZES(ALWAYS_FITS, imul)

__extension__ typedef unsigned __int128 x86_u128;
__extension__ typedef __int128 x86_s128;
#define DOUBLE_8   uint16_t
#define DOUBLE_16  uint32_t
#define DOUBLE_32  uint64_t
#define DOUBLE_64  x86_u128
#define SDOUBLE_8  int16_t
#define SDOUBLE_16 int32_t
#define SDOUBLE_32 int64_t
#define SDOUBLE_64 x86_s128

static inline uint16_t dividend_8(struct x86_core *core)
{
    return GPR(16, X86_RAX);
}

#define DIVIDEND(N, NAME)                                                      \
    static inline DOUBLE_##N dividend_##N(struct x86_core *core)               \
    {                                                                          \
        return (DOUBLE_##N)((DOUBLE_##N)GPR(N, X86_RDX) << N |                 \
                            GPR(N, X86_RAX));                                  \
    }
FOR_WIDE_SIZES(DIVIDEND, dividend)

/* Signed: a dividend of N bits fits unless it is the smallest by -1; a wider
 * one is divided the long way. */
#define DIV_FITS(N, NAME)                                                      \
    static inline bool fits_div_##N(struct x86_core *core, uint##N##_t value)  \
    {                                                                          \
        return (uint##N##_t)(dividend_##N(core) >> N) < value;                 \
    }                                                                          \
    static inline bool fits_idiv_##N(struct x86_core *core, uint##N##_t value) \
    {                                                                          \
        const SDOUBLE_##N dividend = (SDOUBLE_##N)dividend_##N(core);          \
        const int##N##_t divisor = (int##N##_t)value;                          \
        SDOUBLE_##N quotient;                                                  \
                                                                               \
        if (divisor == 0)                                                      \
            return false;                                                      \
        if (dividend == (int##N##_t)dividend)                                  \
            return divisor != -1 || dividend != INT##N##_MIN;                  \
        if (divisor == -1)                                                     \
            return dividend == (SDOUBLE_##N)INT##N##_MAX + 1;                  \
        quotient = (SDOUBLE_##N)(dividend / divisor);                          \
        return quotient == (int##N##_t)quotient;                               \
    }
FOR_SIZES(DIV_FITS, div)

#define ONE_OPERAND(N, NAME)                                                   \
    EXEC(NAME##_r##N)                                                          \
    {                                                                          \
        const uint##N##_t value = GET(N, 0);                                   \
        if (!fits_##NAME##_##N(core, value))                                   \
            return x86_raise(core, op, X86_DE);                                \
        wide_##NAME##_##N(core, value);                                        \
        NEXT();                                                                \
    }
#define ONE_OPERAND_MEM(N, NAME, S, EA)                                        \
    EXEC(NAME##_m##N##S)                                                       \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        if (!fits_##NAME##_##N(core, value))                                   \
            return x86_raise(core, op, X86_DE);                                \
        wide_##NAME##_##N(core, value);                                        \
        NEXT();                                                                \
    }
#define ONE_OPERAND_MEMS(N, NAME) FOR_ADDR(ONE_OPERAND_MEM, N, NAME)
#define FOR_ONE_OPERAND(DEFINE)                                                \
    FOR_SIZES(DEFINE, mul)                                                     \
    FOR_SIZES(DEFINE, imul)                                                    \
    FOR_SIZES(DEFINE, div)                                                     \
    FOR_SIZES(DEFINE, idiv)
FOR_ONE_OPERAND(ONE_OPERAND)
FOR_ONE_OPERAND(ONE_OPERAND_MEMS)

#define IMUL(N, NAME)                                                          \
    EXEC(NAME##_rr##N)                                                         \
    {                                                                          \
        PUT(N, 0, flags_imul_##N(core, GET(N, 0), GET(N, 1)));                 \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_rri##N)                                                        \
    {                                                                          \
        PUT(N, 0, flags_imul_##N(core, GET(N, 1), (uint##N##_t)op->imm));      \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_dead_rr##N)                                                    \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)((uint64_t)GET(N, 0) * GET(N, 1)));             \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_dead_rri##N)                                                   \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)(GET(N, 1) * op->imm));                         \
        NEXT();                                                                \
    }
#define IMUL_MEM(N, NAME, S, EA)                                               \
    EXEC(NAME##_rm##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, flags_imul_##N(core, GET(N, 0), value));                     \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_rmi##N##S)                                                     \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, flags_imul_##N(core, value, (uint##N##_t)op->imm));          \
        NEXT();                                                                \
    }
#define IMUL_MEMS(N, NAME) FOR_ADDR(IMUL_MEM, N, NAME)
FOR_WIDE_SIZES(IMUL, imul)
FOR_WIDE_SIZES(IMUL_MEMS, imul)

/* The high half wins if both destinations are one register. */
#define MULX_PUT(N, value)                                                     \
    do {                                                                       \
        const DOUBLE_##N product =                                             \
            (DOUBLE_##N)GPR(N, X86_RDX) * (uint##N##_t)(value);                \
        PUT(N, 1, (uint##N##_t)product);                                       \
        PUT(N, 0, (uint##N##_t)(product >> N));                                \
    } while (0)
#define MULX(N)                                                                \
    EXEC(mulx_rrr##N)                                                          \
    {                                                                          \
        MULX_PUT(N, GET(N, 2));                                                \
        NEXT();                                                                \
    }
#define MULX_MEM(N, S, EA)                                                     \
    EXEC(mulx_rrm##N##S)                                                       \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        MULX_PUT(N, value);                                                    \
        NEXT();                                                                \
    }
MULX(32)
MULX(64)
FOR_ADDR(MULX_MEM, 32)
FOR_ADDR(MULX_MEM, 64)

#define ONE_ROWS(N, MNEMONIC, NAME, CLASS, FLAGS)                              \
    ROW_REG(MNEMONIC, (REG, NONE, NONE, NONE), N / 8, 0, PLAIN, CLASS, FLAGS,  \
            NAME##_r##N),                                                      \
        ROW_MEM(MNEMONIC, (MEM, NONE, NONE, NONE), N / 8, 0, PLAIN, CLASS, 0,  \
                NAME##_m##N),
#define IMUL_ROWS(N, MNEMONIC, NAME)                                           \
    ROW_REG(MNEMONIC, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_MULT,   \
            PURE, NAME##_rr##N),                                               \
        ROW_REG(MNEMONIC, (REG, REG, IMM, NONE), N / 8, N / 8, PLAIN,          \
                INT_MULT, PURE, NAME##_rri##N),                                \
        ROW_REG(MNEMONIC, (REG, REG, NONE, NONE), N / 8, N / 8, DEAD_FLAGS,    \
                INT_MULT, PURE, NAME##_dead_rr##N),                            \
        ROW_REG(MNEMONIC, (REG, REG, IMM, NONE), N / 8, N / 8, DEAD_FLAGS,     \
                INT_MULT, PURE, NAME##_dead_rri##N),                           \
        ROW_MEM(MNEMONIC, (REG, MEM, NONE, NONE), N / 8, N / 8, PLAIN,         \
                INT_MULT, 0, NAME##_rm##N),                                    \
        ROW_MEM(MNEMONIC, (REG, MEM, IMM, NONE), N / 8, N / 8, PLAIN,          \
                INT_MULT, 0, NAME##_rmi##N),
#define MULX_ROWS(N)                                                           \
    ROW_REG(MULX, (REG, REG, REG, NONE), N / 8, N / 8, PLAIN, INT_MULT, PURE,  \
            mulx_rrr##N),                                                      \
        ROW_MEM(MULX, (REG, REG, MEM, NONE), N / 8, N / 8, PLAIN, INT_MULT, 0, \
                mulx_rrm##N),

static const struct x86_row mul_rows[] = {
    FOR_SIZES(ONE_ROWS, MUL, mul, INT_MULT, PURE)
        FOR_SIZES(ONE_ROWS, IMUL, imul, INT_MULT, PURE)
            FOR_SIZES(ONE_ROWS, DIV, div, INT_DIV, 0)
                FOR_SIZES(ONE_ROWS, IDIV, idiv, INT_DIV, 0)
                    FOR_WIDE_SIZES(IMUL_ROWS, IMUL, imul) MULX_ROWS(32)
                        MULX_ROWS(64)};

X86_TABLE(mul);
