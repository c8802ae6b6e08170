/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions that do little: NOP, hints, fences, single flags, XLAT.
 * Prefetches never fault; cache control does not matter without cached data,
 * but CLFLUSH and its like check their address as a read.
 * Source: [SDM] Vol. 2.
 */
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { PURE = X86_ROW_NO_FAULT };

EXEC(nothing)
{
    NEXT();
}

/* Order is that of the program anyway. */
EXEC(fence)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT();
}

#define TOUCH(N, S, EA)                                                        \
    EXEC(touch##S)                                                             \
    {                                                                          \
        LOAD(N, value, EA(core, op));                                          \
        (void)value;                                                           \
        NEXT();                                                                \
    }
FOR_ADDR(TOUCH, 8)

#define FLAG_CHANGE(NAME, EXPR)                                                \
    EXEC(NAME)                                                                 \
    {                                                                          \
        const uint32_t flags = core->flags;                                    \
        core->flags = (uint16_t)(EXPR);                                        \
        NEXT();                                                                \
    }
FLAG_CHANGE(clc, flags & ~(uint32_t)FLAG_CF)
FLAG_CHANGE(stc, flags | FLAG_CF)
FLAG_CHANGE(cmc, flags ^ FLAG_CF)
FLAG_CHANGE(sahf, (GPR(16, X86_RAX) & 0xd500u) | (flags & FLAG_OF))

EXEC(cld)
{
    core->state.rflags &= ~(uint64_t)X86_DF_FLAG;
    NEXT();
}

EXEC(std)
{
    core->state.rflags |= X86_DF_FLAG;
    NEXT();
}

EXEC(lahf)
{
    X86_AT(8, 8 * X86_RAX + 1) =
        (uint8_t)((core->flags >> 8 & 0xd5) | X86_RF_FIXED1);
    NEXT();
}

#define NOP_ROW(MNEMONIC, KINDS)                                               \
    ROW_REG(MNEMONIC, KINDS, 0, 0, PLAIN, INT_ALU, PURE, nothing)
#define HINT_ROW(MNEMONIC) NOP_ROW(MNEMONIC, (MEM, NONE, NONE, NONE))
#define NONE_ROW(MNEMONIC, NAME)                                               \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, INT_ALU, PURE,    \
            NAME)
#define TOUCH_ROWS(MNEMONIC)                                                   \
    ROW_MEM(MNEMONIC, (MEM, NONE, NONE, NONE), 0, 0, PLAIN, SYSTEM, 0, touch)

static const struct x86_row misc_rows[] = {
    NOP_ROW(NOP, (NONE, NONE, NONE, NONE)),
    NOP_ROW(NOP, (REG, NONE, NONE, NONE)),
    NOP_ROW(NOP, (MEM, NONE, NONE, NONE)),
    NOP_ROW(NOP, (REG, REG, NONE, NONE)),
    NOP_ROW(NOP, (MEM, REG, NONE, NONE)),
    NOP_ROW(NOP, (REG, MEM, NONE, NONE)),
    NONE_ROW(ENDBR32, nothing),
    NONE_ROW(ENDBR64, nothing),
    NONE_ROW(PAUSE, nothing),
    HINT_ROW(PREFETCH),
    HINT_ROW(PREFETCHNTA),
    HINT_ROW(PREFETCHT0),
    HINT_ROW(PREFETCHT1),
    HINT_ROW(PREFETCHT2),
    HINT_ROW(PREFETCHW),
    HINT_ROW(PREFETCHWT1),
    HINT_ROW(CLDEMOTE),
    NONE_ROW(LFENCE, nothing),
    NONE_ROW(SFENCE, fence),
    NONE_ROW(MFENCE, fence),
    NONE_ROW(SERIALIZE, fence),
    TOUCH_ROWS(CLFLUSH),
    TOUCH_ROWS(CLFLUSHOPT),
    TOUCH_ROWS(CLWB),
    NONE_ROW(CLC, clc),
    NONE_ROW(STC, stc),
    NONE_ROW(CMC, cmc),
    NONE_ROW(CLD, cld),
    NONE_ROW(STD, std),
    NONE_ROW(LAHF, lahf),
    NONE_ROW(SAHF, sahf),
};

X86_TABLE(misc);
