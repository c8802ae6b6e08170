/* SPDX-License-Identifier: BSD-3-Clause */
/* Classes follow gem5's names; the mnemonic decides. */
#include "arch/x86/thunk_class.h"

#include "arch/x86/core.h"

#include <string.h>

/* ---------------------------------------------------------------- op classes
 */

static const struct {
    const char *part; /* of the mnemonic */
    uint8_t scalar, packed;
} class_rules[] = {
    {"sqrt",   X86_OP_FLOAT_SQRT, X86_OP_SIMD_FLOAT},
    {"cvt",    X86_OP_FLOAT_CVT,  X86_OP_SIMD_FLOAT},
    {"div",    X86_OP_FLOAT_DIV,  X86_OP_SIMD_FLOAT},
    {"mul",    X86_OP_FLOAT_MULT, X86_OP_SIMD_FLOAT},
    {"fmadd",  X86_OP_FLOAT_MULT, X86_OP_SIMD_FLOAT},
    {"fmsub",  X86_OP_FLOAT_MULT, X86_OP_SIMD_FLOAT},
    {"fnmadd", X86_OP_FLOAT_MULT, X86_OP_SIMD_FLOAT},
    {"fnmsub", X86_OP_FLOAT_MULT, X86_OP_SIMD_FLOAT},
    {"com",    X86_OP_FLOAT_CMP,  X86_OP_SIMD_FLOAT},
    {"cmp",    X86_OP_FLOAT_CMP,  X86_OP_SIMD_FLOAT},
    {"min",    X86_OP_FLOAT_CMP,  X86_OP_SIMD_FLOAT},
    {"max",    X86_OP_FLOAT_CMP,  X86_OP_SIMD_FLOAT},
    {"add",    X86_OP_FLOAT_ADD,  X86_OP_SIMD_FLOAT},
    {"sub",    X86_OP_FLOAT_ADD,  X86_OP_SIMD_FLOAT},
};

static bool is_move(const ZydisDecodedInstruction *insn)
{
    return insn->meta.category == ZYDIS_CATEGORY_DATAXFER ||
           strstr(ZydisMnemonicGetString(insn->mnemonic), "mov");
}

static bool is_float(const ZydisDecodedOperand *operand)
{
    return operand->element_type >= ZYDIS_ELEMENT_TYPE_FLOAT16 &&
           operand->element_type <= ZYDIS_ELEMENT_TYPE_FLOAT80;
}

static uint8_t compute_class(const ZydisDecodedInstruction *insn,
                             const ZydisDecodedOperand *operands)
{
    const char *name = ZydisMnemonicGetString(insn->mnemonic);
    bool is_x87 = insn->meta.isa_ext == ZYDIS_ISA_EXT_X87;
    bool is_scalar = is_x87 || operands[0].element_count <= 1;

    if (!is_x87 && !is_float(&operands[0]))
        return X86_OP_SIMD_ALU;
    for (size_t i = 0; i < SIM_ARRAY_LEN(class_rules); i++) {
        if (strstr(name, class_rules[i].part))
            return is_scalar ? class_rules[i].scalar : class_rules[i].packed;
    }
    return is_x87 ? X86_OP_FLOAT_MISC : X86_OP_SIMD_MISC;
}

static uint8_t op_class(const ZydisDecodedInstruction *insn,
                        const ZydisDecodedOperand *operands,
                        const struct x86_thunk *thunk)
{
    if (!is_move(insn))
        return compute_class(insn, operands);
    if (thunk->mem & X86_THUNK_WRITE)
        return X86_OP_MEM_WRITE;
    return thunk->mem ? X86_OP_MEM_READ : X86_OP_SIMD_MISC;
}

/* ----------------------------------------------------------------- x87 */

/* Control instructions leave the x87 pointers alone; [SDM] Vol. 1, "x87 FPU
 * Instruction and Data (Operand) Pointers". */
static bool is_x87_control(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FNINIT:
    case ZYDIS_MNEMONIC_FNCLEX:
    case ZYDIS_MNEMONIC_FLDCW:
    case ZYDIS_MNEMONIC_FNSTCW:
    case ZYDIS_MNEMONIC_FNSTSW:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FWAIT:
        return true;
    default:
        return false;
    }
}

static bool is_waiting(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FNINIT:
    case ZYDIS_MNEMONIC_FNCLEX:
    case ZYDIS_MNEMONIC_FNSTCW:
    case ZYDIS_MNEMONIC_FNSTSW:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FWAIT: /* its helper looks itself, after #NM */
        return false;
    default:
        return true;
    }
}

static void classify_x87(const ZydisDecodedInstruction *insn,
                         const uint8_t *bytes, struct x86_thunk *thunk)
{
    if (!is_waiting(insn->mnemonic))
        thunk->attrs &= (uint8_t)~X86_THUNK_WAITING;
    if (is_x87_control(insn->mnemonic))
        return;
    thunk->attrs |= X86_THUNK_POINTERS;
    thunk->fop =
        (uint16_t)((insn->opcode & 7) << 8 | bytes[insn->raw.modrm.offset]);
}

/* ---------------------------------------------------------------- moves */

enum move_kind { MOVE_FULL = 1, MOVE_LOW, MOVE_XOR };

static enum move_kind move_kind(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOVAPS:
    case ZYDIS_MNEMONIC_MOVAPD:
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQA:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_VMOVAPS:
    case ZYDIS_MNEMONIC_VMOVAPD:
    case ZYDIS_MNEMONIC_VMOVUPS:
    case ZYDIS_MNEMONIC_VMOVUPD:
    case ZYDIS_MNEMONIC_VMOVDQA:
    case ZYDIS_MNEMONIC_VMOVDQU:
    case ZYDIS_MNEMONIC_VMOVDQA32:
    case ZYDIS_MNEMONIC_VMOVDQA64:
    case ZYDIS_MNEMONIC_VMOVDQU8:
    case ZYDIS_MNEMONIC_VMOVDQU16:
    case ZYDIS_MNEMONIC_VMOVDQU32:
    case ZYDIS_MNEMONIC_VMOVDQU64:
        return MOVE_FULL;
    case ZYDIS_MNEMONIC_MOVD:
    case ZYDIS_MNEMONIC_MOVQ:
    case ZYDIS_MNEMONIC_MOVSS:
    case ZYDIS_MNEMONIC_MOVSD:
    case ZYDIS_MNEMONIC_VMOVD:
    case ZYDIS_MNEMONIC_VMOVQ:
    case ZYDIS_MNEMONIC_VMOVSS:
    case ZYDIS_MNEMONIC_VMOVSD:
        return MOVE_LOW; /* memory forms only: they zero the rest */
    case ZYDIS_MNEMONIC_PXOR:
    case ZYDIS_MNEMONIC_XORPS:
    case ZYDIS_MNEMONIC_XORPD:
    case ZYDIS_MNEMONIC_VPXOR:
    case ZYDIS_MNEMONIC_VXORPS:
    case ZYDIS_MNEMONIC_VXORPD:
    case ZYDIS_MNEMONIC_VPXORD:
    case ZYDIS_MNEMONIC_VPXORQ:
        return MOVE_XOR;
    default:
        return 0;
    }
}

static bool is_vec(const ZydisDecodedOperand *operand)
{
    ZydisRegisterClass cls;

    if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
        return false;
    cls = ZydisRegisterGetClass(operand->reg.value);
    return cls >= ZYDIS_REGCLASS_XMM && cls <= ZYDIS_REGCLASS_ZMM;
}

static uint8_t vec_id(const ZydisDecodedOperand *operand)
{
    return (uint8_t)ZydisRegisterGetId(operand->reg.value);
}

static void classify_xor(const ZydisDecodedInstruction *insn,
                         const ZydisDecodedOperand *operands,
                         struct x86_thunk *thunk)
{
    unsigned last = insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX  ? 3
                    : insn->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ? 2
                                                                       : 1;

    if (thunk->mem || !is_vec(&operands[0]) || !is_vec(&operands[last]))
        return;
    if (last > 1 && operands[last].reg.value != operands[last - 1].reg.value)
        return;
    if (last == 1 && operands[0].reg.value != operands[1].reg.value)
        return;
    thunk->move = X86_MOVE_ZERO;
    thunk->reg = vec_id(&operands[0]);
}

static void classify_move(const ZydisDecodedOperand *operands, unsigned source,
                          enum move_kind kind, struct x86_thunk *thunk)
{
    const ZydisDecodedOperand *to = &operands[0];
    const ZydisDecodedOperand *from = &operands[source];

    if (to->type == ZYDIS_OPERAND_TYPE_MEMORY && is_vec(from)) {
        thunk->move = X86_MOVE_STORE;
        thunk->reg = vec_id(from);
    } else if (from->type == ZYDIS_OPERAND_TYPE_MEMORY && is_vec(to)) {
        thunk->move = X86_MOVE_LOAD;
        thunk->reg = vec_id(to);
    } else if (kind == MOVE_FULL && is_vec(to) && is_vec(from)) {
        thunk->move = X86_MOVE_COPY;
        thunk->reg = vec_id(to);
        thunk->rm = vec_id(from);
    }
}

static void classify_moves(const ZydisDecodedInstruction *insn,
                           const ZydisDecodedOperand *operands,
                           struct x86_thunk *thunk)
{
    enum move_kind kind = move_kind(insn->mnemonic);
    bool is_evex = insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX;

    thunk->zero = insn->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ? 16 : 64;
    thunk->vec_size =
        insn->avx.vector_length ? (uint8_t)(insn->avx.vector_length / 8) : 16;
    if (!kind || (thunk->needs & (X86_NEED_MMX | X86_NEED_X87)))
        return;
    if (is_evex && insn->avx.mask.mode != ZYDIS_MASK_MODE_DISABLED &&
        insn->avx.mask.reg != ZYDIS_REGISTER_K0)
        return;
    if (kind == MOVE_XOR)
        classify_xor(insn, operands, thunk);
    else
        classify_move(operands,
                      is_evex && insn->operand_count_visible > 2 ? 2 : 1, kind,
                      thunk);
}

void x86_thunk_classify(const ZydisDecodedInstruction *insn,
                        const ZydisDecodedOperand *operands,
                        const uint8_t *bytes, struct x86_thunk *thunk)
{
    thunk->op_class = op_class(insn, operands, thunk);
    if (insn->meta.isa_ext == ZYDIS_ISA_EXT_X87)
        classify_x87(insn, bytes, thunk);
    else
        classify_moves(insn, operands, thunk);
}
