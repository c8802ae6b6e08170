/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decimal arithmetic and SALC: AAA AAS AAM AAD DAA DAS, outside 64-bit mode.
 * Flags that the manual leaves undefined are clear.
 * Source: [SDM] Vol. 2, the instructions' pages.
 */
#define X86_EXEC_FULL

#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"

enum { LOW_DIGIT = 15, FLAG_FIXED = 2 << 8 };

static uint8_t al_of(struct x86_core *core)
{
    return GPR(8, X86_RAX);
}

static void set_ax(struct x86_core *core, unsigned value)
{
    GPR(16, X86_RAX) = (uint16_t)value;
}

/* SF, ZF and PF of AL; CF and AF as given. */
static void set_flags(struct x86_core *core, uint32_t carries)
{
    uint8_t al = al_of(core);
    uint32_t flags = carries | FLAG_FIXED;

    if (al & 0x80)
        flags |= FLAG_SF;
    if (!al)
        flags |= FLAG_ZF;
    if (!__builtin_parity(al))
        flags |= FLAG_PF;
    core->flags = (uint16_t)flags;
}

/* The low digit of AL needs adjustment. */
static bool is_low_off(struct x86_core *core)
{
    return (al_of(core) & LOW_DIGIT) > 9 || (core->flags & FLAG_AF);
}

static struct x86_op *adjust_ascii(struct x86_core *core, struct x86_op *op,
                                   unsigned change)
{
    uint32_t carries = 0;

    if (is_low_off(core)) {
        set_ax(core, GPR(16, X86_RAX) + change);
        carries = FLAG_AF | FLAG_CF;
    }
    set_ax(core, GPR(16, X86_RAX) & 0xff0fU);
    set_flags(core, carries);
    return op + 1;
}

EXEC(aaa)
{
    return adjust_ascii(core, op, 0x106);
}

EXEC(aas)
{
    return adjust_ascii(core, op, 0U - 0x106U);
}

EXEC(daa)
{
    uint8_t old = al_of(core);
    bool is_high_off = old > 0x99 || (core->flags & FLAG_CF);
    uint32_t carries = 0;
    unsigned al = old;

    if (is_low_off(core)) {
        al += 6;
        carries |= FLAG_AF;
    }
    if (is_high_off) {
        al += 0x60;
        carries |= FLAG_CF;
    }
    PUT_GPR(8, X86_RAX, (uint8_t)al);
    set_flags(core, carries);
    return op + 1;
}

EXEC(das)
{
    uint8_t old = al_of(core);
    bool is_high_off = old > 0x99 || (core->flags & FLAG_CF);
    uint32_t carries = 0;
    unsigned al = old;

    if (is_low_off(core)) {
        carries |= FLAG_AF | (old < 6 ? FLAG_CF : 0U);
        al -= 6;
    }
    if (is_high_off) {
        al -= 0x60;
        carries |= FLAG_CF;
    }
    PUT_GPR(8, X86_RAX, (uint8_t)al);
    set_flags(core, carries);
    return op + 1;
}

EXEC(aam)
{
    uint8_t al = al_of(core), base = (uint8_t)op->imm;

    if (!base)
        return x86_raise(core, op, X86_DE);
    set_ax(core, (unsigned)(al / base) << 8 | al % base);
    set_flags(core, 0);
    return op + 1;
}

EXEC(aad)
{
    unsigned ax = GPR(16, X86_RAX);

    set_ax(core, ((ax & 0xff) + (ax >> 8) * (uint8_t)op->imm) & 0xff);
    set_flags(core, 0);
    return op + 1;
}

EXEC(salc)
{
    PUT_GPR(8, X86_RAX, core->flags & FLAG_CF ? 0xff : 0);
    return op + 1;
}

#define NONE_ROW(MNEMONIC, NAME)                                               \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, INT_ALU, 0, NAME)

static const struct x86_row decimal_rows[] = {
    NONE_ROW(AAA, aaa),
    NONE_ROW(AAS, aas),
    NONE_ROW(DAA, daa),
    NONE_ROW(DAS, das),
    NONE_ROW(SALC, salc),
    ROW_REG(AAM, (IMM, NONE, NONE, NONE), 0, 0, PLAIN, INT_DIV, 0, aam),
    ROW_REG(AAD, (IMM, NONE, NONE, NONE), 0, 0, PLAIN, INT_MULT, 0, aad),
};

X86_TABLE(decimal);
