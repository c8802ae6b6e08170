/* SPDX-License-Identifier: BSD-3-Clause */
/* Differences between vendors in decoding. */
#include "arch/x86/quirks.h"

#include <string.h>

enum {
    MAX_BYTES = 15,
    OPCODE_PREFETCH = 0x0d,
    PREFIX_REPNE = 0xf2,
    PREFIX_REP = 0xf3,
};

/* Asked for each instruction: the compiler's own record is used, since CPUID is
 * slow, above all in a virtual machine, where it leaves the guest. */
bool x86_quirks_is_amd(void)
{
    return __builtin_cpu_is("amd");
}

bool x86_quirks_set_up(ZydisDecoder *machine)
{
    return ZYAN_SUCCESS(
        ZydisDecoderEnableMode(machine, ZYDIS_DECODER_MODE_AMD_BRANCHES,
                               x86_quirks_is_amd() ? ZYAN_TRUE : ZYAN_FALSE));
}

static bool is_undefined_on_amd(const ZydisDecodedInstruction *insn)
{
    return insn->mnemonic == ZYDIS_MNEMONIC_NOP &&
           insn->opcode_map == ZYDIS_OPCODE_MAP_0F &&
           insn->opcode == OPCODE_PREFETCH && insn->raw.modrm.mod == 3;
}

static bool is_far_pointer(const ZydisDecodedInstruction *insn,
                           const ZydisDecodedOperand *operand)
{
    if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->size != 80)
        return false;
    return insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
           insn->mnemonic == ZYDIS_MNEMONIC_LFS ||
           insn->mnemonic == ZYDIS_MNEMONIC_LGS ||
           insn->mnemonic == ZYDIS_MNEMONIC_LSS;
}

/* A pointer of 16 + 64 bits becomes one of 16 + 32. */
static void shorten_pointers(const ZydisDecodedInstruction *insn,
                             ZydisDecodedOperand *operands)
{
    for (unsigned i = 0; i < insn->operand_count_visible; i++) {
        if (!is_far_pointer(insn, &operands[i]))
            continue;
        operands[i].size = 48;
        if (i > 0) /* LFS and so on: the register is written as 32 bits */
            operands[0].size = 32;
    }
}

static bool is_near_branch(const ZydisDecodedInstruction *insn)
{
    return insn->meta.branch_type == ZYDIS_BRANCH_TYPE_SHORT ||
           insn->meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;
}

/* 16-bit near branches in 64-bit mode: the decoder knows the length of their
 * displacement, but not that target and stack slot are 16 bits wide. */
static void narrow_branch(ZydisDecodedInstruction *insn,
                          ZydisDecodedOperand *operands)
{
    if (insn->machine_mode != ZYDIS_MACHINE_MODE_LONG_64 ||
        !is_near_branch(insn) || insn->raw.rex.W ||
        !(insn->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE))
        return;
    insn->operand_width = 16;
    if (!insn->operand_count_visible ||
        operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return;
    operands[0].size = 16;
    if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
        operands[0].reg.value = ZydisRegisterEncode(
            ZYDIS_REGCLASS_GPR16,
            (ZyanU8)ZydisRegisterGetId(operands[0].reg.value));
}

/* A repeat prefix decides about ZF instead of the opcode. */
static void turn_loop(ZydisDecodedInstruction *insn)
{
    for (unsigned i = 0; i < insn->raw.prefix_count; i++) {
        uint8_t prefix = insn->raw.prefixes[i].value;

        if (insn->mnemonic == ZYDIS_MNEMONIC_LOOPE && prefix == PREFIX_REPNE)
            insn->mnemonic = ZYDIS_MNEMONIC_LOOPNE;
        else if (insn->mnemonic == ZYDIS_MNEMONIC_LOOPNE &&
                 prefix == PREFIX_REP)
            insn->mnemonic = ZYDIS_MNEMONIC_LOOPE;
    }
}

/* The same instruction without its REP prefix. */
static ZyanStatus decode_without_rep(const ZydisDecoder *machine,
                                     const uint8_t *bytes, size_t len,
                                     ZydisDecodedInstruction *insn,
                                     ZydisDecodedOperand *operands)
{
    uint8_t shorter[MAX_BYTES];
    size_t count = 0;
    ZyanStatus status;

    for (size_t i = 0; i < len && count < sizeof shorter; i++) {
        if (bytes[i] != PREFIX_REP || count != i)
            shorter[count++] = bytes[i];
    }
    status = ZydisDecoderDecodeFull(machine, shorter, count, insn, operands);
    if (ZYAN_SUCCESS(status))
        insn->length++;
    return status;
}

/* Base 5 without a displacement size means no base, also in R13D's half; with
 * 32-bit addresses the decoder overlooks that. */
static void drop_false_base(const ZydisDecodedInstruction *insn,
                            ZydisDecodedOperand *operands)
{
    if (insn->address_width != 32 || insn->raw.modrm.mod != 0 ||
        insn->raw.modrm.rm != 4 || insn->raw.sib.base != 5)
        return;
    for (unsigned i = 0; i < insn->operand_count_visible; i++) {
        if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
            operands[i].mem.base != ZYDIS_REGISTER_R13D)
            continue;
        operands[i].mem.base = ZYDIS_REGISTER_NONE;
        operands[i].mem.segment = ZYDIS_REGISTER_DS;
        operands[i].mem.disp.has_displacement = ZYAN_TRUE;
        operands[i].mem.disp.value = insn->raw.disp.value;
    }
}

/* Scalar instructions of a discontinued vector extension. */
static bool is_withdrawn(const ZydisDecodedInstruction *insn)
{
    return insn->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX &&
           (insn->mnemonic == ZYDIS_MNEMONIC_LZCNT ||
            insn->mnemonic == ZYDIS_MNEMONIC_TZCNT ||
            insn->mnemonic == ZYDIS_MNEMONIC_POPCNT);
}

ZyanStatus x86_quirks_decode(const ZydisDecoder *machine, const uint8_t *bytes,
                             size_t len, ZydisDecodedInstruction *insn,
                             ZydisDecodedOperand *operands)
{
    ZyanStatus status =
        ZydisDecoderDecodeFull(machine, bytes, len, insn, operands);

    if (!ZYAN_SUCCESS(status))
        return status;
    if (insn->mnemonic == ZYDIS_MNEMONIC_PAUSE && insn->raw.rex.B &&
        x86_quirks_is_amd())
        return decode_without_rep(machine, bytes, insn->length, insn, operands);
    if (is_withdrawn(insn))
        return ZYDIS_STATUS_DECODING_ERROR;
    drop_false_base(insn, operands);
    if (!x86_quirks_is_amd())
        return status;
    if (is_undefined_on_amd(insn))
        return ZYDIS_STATUS_DECODING_ERROR;
    shorten_pointers(insn, operands);
    narrow_branch(insn, operands);
    turn_loop(insn);
    return status;
}
