/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SHL SHR SAR ROL ROR RCL RCR SHLD SHRD.  The host shifts, with the guest's
 * flags loaded before, so that flags a shift leaves alone or undefined are
 * right.
 * Source: [SDM] Vol. 2, "SAL/SAR/SHL/SHR", "RCL/RCR/ROL/ROR", "SHLD", "SHRD".
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { PURE = X86_ROW_NO_FAULT };

FOR_SIZES(FLAGS_SHIFT, shl, "shl")
FOR_SIZES(FLAGS_SHIFT, shr, "shr")
FOR_SIZES(FLAGS_SHIFT, sar, "sar")
FOR_SIZES(FLAGS_SHIFT, rol, "rol")
FOR_SIZES(FLAGS_SHIFT, ror, "ror")
FOR_SIZES(FLAGS_SHIFT, rcl, "rcl")
FOR_SIZES(FLAGS_SHIFT, rcr, "rcr")

#define SHIFT(N, NAME)                                                         \
    EXEC(NAME##_rr##N)                                                         \
    {                                                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 0), GET(8, 1)));             \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_ri##N)                                                         \
    {                                                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 0), (uint8_t)op->imm));      \
        NEXT();                                                                \
    }
#define SHIFT_MEM(N, NAME, S, EA)                                              \
    EXEC(NAME##_mr##N##S)                                                      \
    {                                                                          \
        MODIFY(N, ptr, EA(core, op));                                          \
        *ptr = flags_##NAME##_##N(core, *ptr, GET(8, 0));                      \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mi##N##S)                                                      \
    {                                                                          \
        MODIFY(N, ptr, EA(core, op));                                          \
        *ptr = flags_##NAME##_##N(core, *ptr, (uint8_t)op->imm);               \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }
#define SHIFT_MEMS(N, NAME) FOR_ADDR(SHIFT_MEM, N, NAME)

#define FOR_SHIFTS(DEFINE)                                                     \
    FOR_SIZES(DEFINE, shl)                                                     \
    FOR_SIZES(DEFINE, shr)                                                     \
    FOR_SIZES(DEFINE, sar)                                                     \
    FOR_SIZES(DEFINE, rol)                                                     \
    FOR_SIZES(DEFINE, ror)                                                     \
    FOR_SIZES(DEFINE, rcl)                                                     \
    FOR_SIZES(DEFINE, rcr)
FOR_SHIFTS(SHIFT)
FOR_SHIFTS(SHIFT_MEMS)

/* By an immediate where nobody reads the flags; count masked by decode. */
#define DEAD_SHIFT(N, NAME, EXPR)                                              \
    EXEC(NAME##_dead_ri##N)                                                    \
    {                                                                          \
        const uint##N##_t a = GET(N, 0);                                       \
        const unsigned count = (unsigned)op->imm & (N - 1);                    \
        PUT(N, 0, (uint##N##_t)(EXPR));                                        \
        NEXT();                                                                \
    }
DEAD_SHIFT(32, shl, a << count)
DEAD_SHIFT(64, shl, a << count)
DEAD_SHIFT(32, shr, a >> count)
DEAD_SHIFT(64, shr, a >> count)
DEAD_SHIFT(32, sar, (int32_t)a >> count)
DEAD_SHIFT(64, sar, (int64_t)a >> count)
DEAD_SHIFT(32, rol, a << count | a >> (-count & 31))
DEAD_SHIFT(64, rol, a << count | a >> (-count & 63))
DEAD_SHIFT(32, ror, a >> count | a << (-count & 31))
DEAD_SHIFT(64, ror, a >> count | a << (-count & 63))

#define FLAGS_DOUBLE(N, NAME, INSN)                                            \
    static inline uint##N##_t flags_##NAME##_##N(                              \
        struct x86_core *core, uint##N##_t a, uint##N##_t b, uint8_t count)    \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        __asm__(LOAD_FLAGS INSN SUFFIX_##N " %%cl, %2, %0" SAVE_FLAGS          \
                : "+q"(a), "+&a"(flags)                                        \
                : "q"(b), "c"(count)                                           \
                : "cc");                                                       \
        core->flags = flags;                                                   \
        return a;                                                              \
    }
FOR_WIDE_SIZES(FLAGS_DOUBLE, shld, "shld")
FOR_WIDE_SIZES(FLAGS_DOUBLE, shrd, "shrd")

#define DOUBLE(N, NAME)                                                        \
    EXEC(NAME##_rrr##N)                                                        \
    {                                                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 0), GET(N, 1), GET(8, 2)));  \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_rri##N)                                                        \
    {                                                                          \
        PUT(N, 0,                                                              \
            flags_##NAME##_##N(core, GET(N, 0), GET(N, 1), (uint8_t)op->imm)); \
        NEXT();                                                                \
    }
#define DOUBLE_MEM(N, NAME, S, EA)                                             \
    EXEC(NAME##_mrr##N##S)                                                     \
    {                                                                          \
        MODIFY(N, ptr, EA(core, op));                                          \
        *ptr = flags_##NAME##_##N(core, *ptr, GET(N, 0), GET(8, 1));           \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_mri##N##S)                                                     \
    {                                                                          \
        MODIFY(N, ptr, EA(core, op));                                          \
        *ptr = flags_##NAME##_##N(core, *ptr, GET(N, 0), (uint8_t)op->imm);    \
        MODIFY_END();                                                          \
        NEXT();                                                                \
    }
#define DOUBLE_MEMS(N, NAME) FOR_ADDR(DOUBLE_MEM, N, NAME)
FOR_WIDE_SIZES(DOUBLE, shld)
FOR_WIDE_SIZES(DOUBLE, shrd)
FOR_WIDE_SIZES(DOUBLE_MEMS, shld)
FOR_WIDE_SIZES(DOUBLE_MEMS, shrd)

#define SHIFT_ROWS(N, MNEMONIC, NAME)                                          \
    ROW_REG(MNEMONIC, (REG, REG, NONE, NONE), N / 8, 1, PLAIN, INT_ALU, PURE,  \
            NAME##_rr##N),                                                     \
        ROW_REG(MNEMONIC, (REG, IMM, NONE, NONE), N / 8, 0, PLAIN, INT_ALU,    \
                PURE, NAME##_ri##N),                                           \
        ROW_MEM(MNEMONIC, (MEM, REG, NONE, NONE), N / 8, 1, PLAIN, MEM_WRITE,  \
                0, NAME##_mr##N),                                              \
        ROW_MEM(MNEMONIC, (MEM, IMM, NONE, NONE), N / 8, 0, PLAIN, MEM_WRITE,  \
                0, NAME##_mi##N),
#define DEAD_ROW(N, MNEMONIC, NAME)                                            \
    ROW_REG(MNEMONIC, (REG, IMM, NONE, NONE), N / 8, 0, DEAD_FLAGS, INT_ALU,   \
            PURE, NAME##_dead_ri##N),
#define DEAD_ROWS(MNEMONIC, NAME)                                              \
    DEAD_ROW(32, MNEMONIC, NAME)                                               \
    DEAD_ROW(64, MNEMONIC, NAME)
#define DOUBLE_ROWS(N, MNEMONIC, NAME)                                         \
    ROW_REG(MNEMONIC, (REG, REG, REG, NONE), N / 8, N / 8, PLAIN, INT_ALU,     \
            PURE, NAME##_rrr##N),                                              \
        ROW_REG(MNEMONIC, (REG, REG, IMM, NONE), N / 8, N / 8, PLAIN, INT_ALU, \
                PURE, NAME##_rri##N),                                          \
        ROW_MEM(MNEMONIC, (MEM, REG, REG, NONE), N / 8, N / 8, PLAIN,          \
                MEM_WRITE, 0, NAME##_mrr##N),                                  \
        ROW_MEM(MNEMONIC, (MEM, REG, IMM, NONE), N / 8, N / 8, PLAIN,          \
                MEM_WRITE, 0, NAME##_mri##N),

static const struct x86_row shift_rows[] = {
    FOR_SIZES(SHIFT_ROWS, SHL, shl) FOR_SIZES(SHIFT_ROWS, SHR, shr)
        FOR_SIZES(SHIFT_ROWS, SAR, sar) FOR_SIZES(SHIFT_ROWS, ROL, rol)
            FOR_SIZES(SHIFT_ROWS, ROR, ror) FOR_SIZES(SHIFT_ROWS, RCL, rcl)
                FOR_SIZES(SHIFT_ROWS, RCR, rcr) DEAD_ROWS(SHL, shl)
                    DEAD_ROWS(SHR, shr) DEAD_ROWS(SAR, sar) DEAD_ROWS(ROL, rol)
                        DEAD_ROWS(ROR, ror)
                            FOR_WIDE_SIZES(DOUBLE_ROWS, SHLD, shld)
                                FOR_WIDE_SIZES(DOUBLE_ROWS, SHRD, shrd)};

X86_TABLE(shift);
