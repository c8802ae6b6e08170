/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bits of registers: BT BTS BTR BTC, BSF BSR LZCNT TZCNT POPCNT, BMI1, BMI2,
 * ADX and CRC32, by the host's instructions.  Bit tests in memory are in
 * locked.c. Which of them the host has is the CPUID model's business. Source:
 * [SDM] Vol. 2.
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { PURE = X86_ROW_NO_FAULT };

/* ------------------------------------------------------------- two operands */

#define FOR_SCANS(DEFINE)                                                      \
    FOR_WIDE_SIZES(DEFINE, BSF, bsf)                                           \
    FOR_WIDE_SIZES(DEFINE, BSR, bsr)                                           \
    FOR_WIDE_SIZES(DEFINE, LZCNT, lzcnt)                                       \
    FOR_WIDE_SIZES(DEFINE, TZCNT, tzcnt)                                       \
    FOR_WIDE_SIZES(DEFINE, POPCNT, popcnt)
#define FOR_ISOLATIONS(DEFINE)                                                 \
    DEFINE(32, BLSI, blsi)                                                     \
    DEFINE(64, BLSI, blsi)                                                     \
    DEFINE(32, BLSR, blsr)                                                     \
    DEFINE(64, BLSR, blsr)                                                     \
    DEFINE(32, BLSMSK, blsmsk)                                                 \
    DEFINE(64, BLSMSK, blsmsk)
#define FOR_CARRIES(DEFINE)                                                    \
    DEFINE(32, ADCX, adcx)                                                     \
    DEFINE(64, ADCX, adcx)                                                     \
    DEFINE(32, ADOX, adox)                                                     \
    DEFINE(64, ADOX, adox)
#define FOR_TWO(DEFINE)                                                        \
    FOR_SCANS(DEFINE)                                                          \
    FOR_ISOLATIONS(DEFINE)                                                     \
    FOR_CARRIES(DEFINE)

/* BSF and BSR of zero leave all of the register alone. */
#define WRITES_bsf(value)    ((value) != 0)
#define WRITES_bsr(value)    ((value) != 0)
#define WRITES_lzcnt(value)  true
#define WRITES_tzcnt(value)  true
#define WRITES_popcnt(value) true
#define WRITES_blsi(value)   true
#define WRITES_blsr(value)   true
#define WRITES_blsmsk(value) true
#define WRITES_adcx(value)   true
#define WRITES_adox(value)   true

#define TWO(N, UPPER, NAME)                                                    \
    FLAGS_KEEPING(N, NAME, #NAME)                                              \
    EXEC(NAME##_rr##N)                                                         \
    {                                                                          \
        const uint##N##_t value = GET(N, 1);                                   \
        const uint##N##_t result = flags_##NAME##_##N(core, GET(N, 0), value); \
        if (WRITES_##NAME(value))                                              \
            PUT(N, 0, result);                                                 \
        NEXT();                                                                \
    }
#define TWO_MEM(N, NAME, S, EA)                                                \
    EXEC(NAME##_rm##N##S)                                                      \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        const uint##N##_t result = flags_##NAME##_##N(core, GET(N, 0), value); \
        if (WRITES_##NAME(value))                                              \
            PUT(N, 0, result);                                                 \
        NEXT();                                                                \
    }
#define TWO_MEMS(N, UPPER, NAME) FOR_ADDR(TWO_MEM, N, NAME)
FOR_TWO(TWO)
FOR_TWO(TWO_MEMS)

/* ----------------------------------------------------------- three operands */

/* a = b INSN c in Intel's order, flags kept where it keeps them. */
#define FLAGS_THREE(N, NAME)                                                   \
    static inline uint##N##_t flags_##NAME##_##N(struct x86_core *core,        \
                                                 uint##N##_t b, uint##N##_t c) \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        uint##N##_t a;                                                         \
        __asm__(LOAD_FLAGS #NAME " %3, %2, %0" SAVE_FLAGS                      \
                : "=&r"(a), "+&a"(flags)                                       \
                : "r"(b), "r"(c)                                               \
                : "cc");                                                       \
        core->flags = flags;                                                   \
        return a;                                                              \
    }

/* Second operand a register, third register or memory. */
#define FOR_RRM(DEFINE)                                                        \
    DEFINE(32, ANDN, andn)                                                     \
    DEFINE(64, ANDN, andn)                                                     \
    DEFINE(32, PDEP, pdep)                                                     \
    DEFINE(64, PDEP, pdep)                                                     \
    DEFINE(32, PEXT, pext)                                                     \
    DEFINE(64, PEXT, pext)
/* Second operand register or memory, third a register. */
#define FOR_RMR(DEFINE)                                                        \
    DEFINE(32, BEXTR, bextr)                                                   \
    DEFINE(64, BEXTR, bextr)                                                   \
    DEFINE(32, BZHI, bzhi)                                                     \
    DEFINE(64, BZHI, bzhi)                                                     \
    DEFINE(32, SHLX, shlx)                                                     \
    DEFINE(64, SHLX, shlx)                                                     \
    DEFINE(32, SHRX, shrx)                                                     \
    DEFINE(64, SHRX, shrx)                                                     \
    DEFINE(32, SARX, sarx)                                                     \
    DEFINE(64, SARX, sarx)

#define THREE(N, UPPER, NAME)                                                  \
    FLAGS_THREE(N, NAME)                                                       \
    EXEC(NAME##_rrr##N)                                                        \
    {                                                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 1), GET(N, 2)));             \
        NEXT();                                                                \
    }
#define RRM(N, NAME, S, EA)                                                    \
    EXEC(NAME##_mem##N##S)                                                     \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, flags_##NAME##_##N(core, GET(N, 1), value));                 \
        NEXT();                                                                \
    }
#define RMR(N, NAME, S, EA)                                                    \
    EXEC(NAME##_mem##N##S)                                                     \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, flags_##NAME##_##N(core, value, GET(N, 1)));                 \
        NEXT();                                                                \
    }
#define RRM_ALL(N, UPPER, NAME) FOR_ADDR(RRM, N, NAME)
#define RMR_ALL(N, UPPER, NAME) FOR_ADDR(RMR, N, NAME)
FOR_RRM(THREE)
FOR_RMR(THREE)
FOR_RRM(RRM_ALL)
FOR_RMR(RMR_ALL)

#define RORX(N)                                                                \
    static inline uint##N##_t rotate_right_##N(uint##N##_t a, unsigned count)  \
    {                                                                          \
        count &= N - 1;                                                        \
        return a >> count | a << (-count & (N - 1));                           \
    }                                                                          \
    EXEC(rorx_rri##N)                                                          \
    {                                                                          \
        PUT(N, 0, rotate_right_##N(GET(N, 1), (unsigned)op->imm));             \
        NEXT();                                                                \
    }
#define RORX_MEM(N, S, EA)                                                     \
    EXEC(rorx_rmi##N##S)                                                       \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        PUT(N, 0, rotate_right_##N(value, (unsigned)op->imm));                 \
        NEXT();                                                                \
    }
RORX(32)
RORX(64)
FOR_ADDR(RORX_MEM, 32)
FOR_ADDR(RORX_MEM, 64)

/* ---------------------------------------------------------------- bit tests */

#define FOR_BIT_TESTS(DEFINE)                                                  \
    FOR_WIDE_SIZES(DEFINE, BT, bt)                                             \
    FOR_WIDE_SIZES(DEFINE, BTS, bts)                                           \
    FOR_WIDE_SIZES(DEFINE, BTR, btr)                                           \
    FOR_WIDE_SIZES(DEFINE, BTC, btc)

#define BIT_TEST(N, UPPER, NAME)                                               \
    FLAGS_KEEPING(N, NAME, #NAME)                                              \
    EXEC(NAME##_rr##N)                                                         \
    {                                                                          \
        PUT_##NAME(N, flags_##NAME##_##N(core, GET(N, 0), GET(N, 1)));         \
        NEXT();                                                                \
    }                                                                          \
    EXEC(NAME##_ri##N)                                                         \
    {                                                                          \
        PUT_##NAME(N, flags_##NAME##_##N(core, GET(N, 0), (uint8_t)op->imm));  \
        NEXT();                                                                \
    }
#define PUT_bt(N, value)  ((void)(value))
#define PUT_bts(N, value) PUT(N, 0, value)
#define PUT_btr(N, value) PUT(N, 0, value)
#define PUT_btc(N, value) PUT(N, 0, value)
FOR_BIT_TESTS(BIT_TEST)

/* -------------------------------------------------------------------- CRC32 */

#define FOR_CRCS(DEFINE)                                                       \
    DEFINE(32, 8, k)                                                           \
    DEFINE(32, 16, k)                                                          \
    DEFINE(32, 32, k)                                                          \
    DEFINE(64, 8, q)                                                           \
    DEFINE(64, 64, q)
#define CRC(N, M, MODIFIER)                                                    \
    static inline uint##N##_t crc_##N##_##M(uint##N##_t a, uint##M##_t b)      \
    {                                                                          \
        __asm__("crc32" SUFFIX_##M " %1, %" #MODIFIER "0" : "+r"(a) : "q"(b)); \
        return a;                                                              \
    }                                                                          \
    EXEC(crc32_rr##N##_##M)                                                    \
    {                                                                          \
        PUT(N, 0, crc_##N##_##M(GET(N, 0), GET(M, 1)));                        \
        NEXT();                                                                \
    }
#define CRC_MEM(N, M, S, EA)                                                   \
    EXEC(crc32_rm##N##_##M##S)                                                 \
    {                                                                          \
        LOAD(M, value, EA(core, op));                                          \
        PUT(N, 0, crc_##N##_##M(GET(N, 0), value));                            \
        NEXT();                                                                \
    }
#define CRC_MEMS(N, M, MODIFIER) FOR_ADDR(CRC_MEM, N, M)
FOR_CRCS(CRC)
FOR_CRCS(CRC_MEMS)

/* -------------------------------------------------------------------- table */

#define TWO_ROWS(N, UPPER, NAME)                                               \
    ROW_REG(UPPER, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU, PURE, \
            NAME##_rr##N),                                                     \
        ROW_MEM(UPPER, (REG, MEM, NONE, NONE), N / 8, N / 8, PLAIN, MEM_READ,  \
                0, NAME##_rm##N),
#define THREE_ROW(N, UPPER, NAME)                                              \
    ROW_REG(UPPER, (REG, REG, REG, NONE), N / 8, N / 8, PLAIN, INT_ALU, PURE,  \
            NAME##_rrr##N),
#define RRM_ROWS(N, UPPER, NAME)                                               \
    THREE_ROW(N, UPPER, NAME)                                                  \
    ROW_MEM(UPPER, (REG, REG, MEM, NONE), N / 8, N / 8, PLAIN, MEM_READ, 0,    \
            NAME##_mem##N),
#define RMR_ROWS(N, UPPER, NAME)                                               \
    THREE_ROW(N, UPPER, NAME)                                                  \
    ROW_MEM(UPPER, (REG, MEM, REG, NONE), N / 8, N / 8, PLAIN, MEM_READ, 0,    \
            NAME##_mem##N),
#define RORX_ROWS(N)                                                           \
    ROW_REG(RORX, (REG, REG, IMM, NONE), N / 8, N / 8, PLAIN, INT_ALU, PURE,   \
            rorx_rri##N),                                                      \
        ROW_MEM(RORX, (REG, MEM, IMM, NONE), N / 8, N / 8, PLAIN, MEM_READ, 0, \
                rorx_rmi##N)
#define BIT_TEST_ROWS(N, UPPER, NAME)                                          \
    ROW_REG(UPPER, (REG, REG, NONE, NONE), N / 8, N / 8, PLAIN, INT_ALU, PURE, \
            NAME##_rr##N),                                                     \
        ROW_REG(UPPER, (REG, IMM, NONE, NONE), N / 8, 0, PLAIN, INT_ALU, PURE, \
                NAME##_ri##N),
#define CRC_ROWS(N, M, MODIFIER)                                               \
    ROW_REG(CRC32, (REG, REG, NONE, NONE), N / 8, M / 8, PLAIN, INT_ALU, PURE, \
            crc32_rr##N##_##M),                                                \
        ROW_MEM(CRC32, (REG, MEM, NONE, NONE), N / 8, M / 8, PLAIN, MEM_READ,  \
                0, crc32_rm##N##_##M),

static const struct x86_row bits_rows[] = {
    FOR_TWO(TWO_ROWS) FOR_RRM(RRM_ROWS) FOR_RMR(RMR_ROWS) RORX_ROWS(32),
    RORX_ROWS(64), FOR_BIT_TESTS(BIT_TEST_ROWS) FOR_CRCS(CRC_ROWS)};

X86_TABLE(bits);
