/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Works on the bytes instead of asking an encoder: whatever bits an encoding
 * leaves open stay as the guest wrote them.  The result is decoded again and
 * compared, so that a mistake here refuses an instruction, never changes it.
 * Source: [SDM] Vol. 2A, "Instruction Format".
 */
#include "arch/x86/thunk_reencode.h"

#include "base/log.h"

#include <string.h>

enum { HOST_MEM_RM = 6 }; /* RSI, without displacement */

struct encoding {
    uint8_t prefix[16]; /* legacy prefixes that stay, then REX, VEX, ... */
    size_t prefix_len;
    uint8_t rex;  /* legacy encoding: REX to write, 0: none */
    uint8_t *vec; /* VEX, EVEX, XOP: first byte in prefix[] */
    uint8_t modrm;
};

int x86_reencode_gpr_id(ZydisRegister reg)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
        if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
            return -1;
        return reg <= ZYDIS_REGISTER_BL ? ZydisRegisterGetId(reg)
                                        : ZydisRegisterGetId(reg) - 4;
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
        return ZydisRegisterGetId(reg);
    default:
        return -1;
    }
}

static bool prefix_is_dropped(const ZydisDecodedInstruction *insn, uint8_t byte)
{
    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x67:
    case 0xf0:
        return true;
    default:
        return insn->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 &&
               (byte & 0xf0) == 0x40;
    }
}

static void encoding_add(struct encoding *enc, const uint8_t *bytes, size_t len)
{
    memcpy(enc->prefix + enc->prefix_len, bytes, len);
    enc->prefix_len += len;
}

/* Length of VEX, EVEX or XOP prefix; 0 for the legacy encoding. */
static size_t vector_prefix_len(const ZydisDecodedInstruction *insn)
{
    switch (insn->encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_VEX:
        return insn->raw.vex.size;
    case ZYDIS_INSTRUCTION_ENCODING_EVEX:
        return 4;
    case ZYDIS_INSTRUCTION_ENCODING_XOP:
        return 3;
    default:
        return 0;
    }
}

/* Copies prefixes; returns where the opcode starts in the guest's bytes. */
static size_t encoding_start(struct encoding *enc,
                             const struct x86_reencode *how)
{
    const ZydisDecodedInstruction *insn = how->insn;
    size_t at = 0;
    size_t vec_len = vector_prefix_len(insn);

    for (; at < insn->raw.prefix_count; at++) {
        if (!prefix_is_dropped(insn, how->bytes[at]))
            encoding_add(enc, how->bytes + at, 1);
    }
    if (vec_len) {
        enc->vec = enc->prefix + enc->prefix_len;
        encoding_add(enc, how->bytes + at, vec_len);
    } else if (insn->attributes & ZYDIS_ATTRIB_HAS_REX) {
        enc->rex = (uint8_t)(0x40 | insn->raw.rex.W << 3 |
                             insn->raw.rex.R << 2 | insn->raw.rex.B);
    }
    return at + vec_len;
}

/* Clear the extension of ModRM.reg (VEX and EVEX keep it inverted). */
static void clear_reg_extension(struct encoding *enc)
{
    enc->rex &= (uint8_t)~4;
    if (!enc->vec)
        return;
    enc->vec[1] |= 0x80;
    if (enc->vec[0] == 0x62)
        enc->vec[1] |= 0x10;
}

/* Clear the extensions of ModRM.rm and of an index. */
static void clear_rm_extension(struct encoding *enc)
{
    enc->rex &= (uint8_t)~3;
    if (enc->vec && enc->vec[0] != 0xc5)
        enc->vec[1] |= 0x60;
}

static void set_vvvv(struct encoding *enc, unsigned reg)
{
    uint8_t *at;

    SIM_ASSERT(enc->vec); /* legacy encodings have no such operand */
    at = enc->vec + (enc->vec[0] == 0xc5 ? 1 : 2);
    *at = (uint8_t)((*at & 0x87u) | (~reg & 15) << 3);
}

static void encoding_set_gpr(struct encoding *enc,
                             const ZydisDecodedOperand *operand, unsigned reg)
{
    switch (operand->encoding) {
    case ZYDIS_OPERAND_ENCODING_MODRM_REG:
        enc->modrm = (uint8_t)((enc->modrm & 0xc7u) | reg << 3);
        clear_reg_extension(enc);
        break;
    case ZYDIS_OPERAND_ENCODING_MODRM_RM:
        enc->modrm = (uint8_t)((enc->modrm & 0xf8u) | reg);
        clear_rm_extension(enc);
        break;
    case ZYDIS_OPERAND_ENCODING_NDSNDD:
        set_vvvv(enc, reg);
        break;
    default:
        break; /* implicit: the verification refuses a renamed one */
    }
}

/* Outside 64-bit mode W does not select 64-bit general registers and there are
 * only eight of everything. */
static void encoding_leave_narrow_mode(struct encoding *enc)
{
    if (!enc->vec)
        return;
    if (enc->vec[0] == 0xc5) {
        enc->vec[1] |= 0x40;
        return;
    }
    enc->vec[1] |= enc->vec[0] == 0x62 ? 0xf0 : 0xe0;
    enc->vec[2] |= 0x40;
}

static bool has_gpr_operand(const struct x86_reencode *how)
{
    for (unsigned i = 0; i < how->insn->operand_count_visible; i++) {
        if (how->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            x86_reencode_gpr_id(how->operands[i].reg.value) >= 0)
            return true;
    }
    return false;
}

static bool w_selects_gpr_size(const struct x86_reencode *how)
{
    switch (how->insn->mnemonic) {
    case ZYDIS_MNEMONIC_VMOVD: /* with a memory operand, too */
    case ZYDIS_MNEMONIC_VPEXTRD:
    case ZYDIS_MNEMONIC_VPINSRD:
    case ZYDIS_MNEMONIC_VCVTSI2SS:
    case ZYDIS_MNEMONIC_VCVTSI2SD:
    case ZYDIS_MNEMONIC_VCVTUSI2SS:
    case ZYDIS_MNEMONIC_VCVTUSI2SD:
    case ZYDIS_MNEMONIC_VPCMPESTRI: /* of the lengths in RAX and RDX */
    case ZYDIS_MNEMONIC_VPCMPESTRM:
        return true;
    default:
        return has_gpr_operand(how);
    }
}

static void encoding_rename(struct encoding *enc,
                            const struct x86_reencode *how)
{
    for (unsigned i = 0; i < how->insn->operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &how->operands[i];
        int id;

        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            enc->modrm = (uint8_t)((enc->modrm & 0x38) | HOST_MEM_RM);
            clear_rm_extension(enc);
        }
        if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        id = x86_reencode_gpr_id(operand->reg.value);
        if (id >= 0)
            encoding_set_gpr(enc, operand, how->gpr_map[id]);
    }
    if (how->insn->machine_mode == ZYDIS_MACHINE_MODE_LONG_64)
        return;
    encoding_leave_narrow_mode(enc);
    if (enc->vec && enc->vec[0] != 0xc5 && w_selects_gpr_size(how))
        enc->vec[2] &= 0x7f;
}

static bool same_register(const struct x86_reencode *how, ZydisRegister old,
                          ZydisRegister new)
{
    int id = x86_reencode_gpr_id(old);

    if (id >= 0)
        return x86_reencode_gpr_id(new) == how->gpr_map[id] &&
               ZydisRegisterGetClass(old) == ZydisRegisterGetClass(new);
    return old == new;
}

static bool same_operand(const struct x86_reencode *how,
                         const ZydisDecodedOperand *old,
                         const ZydisDecodedOperand *new)
{
    if (old->type != new->type || old->size != new->size ||
        old->element_size != new->element_size)
        return false;
    switch (old->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return same_register(how, old->reg.value, new->reg.value);
    case ZYDIS_OPERAND_TYPE_MEMORY:
        return new->mem.base == ZYDIS_REGISTER_RSI &&new->mem.index ==
               ZYDIS_REGISTER_NONE &&new->mem.disp.value == 0;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        return old->imm.value.u == new->imm.value.u;
    default:
        return false;
    }
}

static bool encoding_is_same(const struct x86_reencode *how, const uint8_t *out,
                             size_t len)
{
    const ZydisDecodedInstruction *old = how->insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction new;
    ZydisDecoder decoder;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                     ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&decoder, out, len, &new, operands)))
        return false;
    if (new.length != len || new.mnemonic != old->mnemonic ||
        new.operand_count_visible != old->operand_count_visible ||
        new.avx.vector_length != old->avx.vector_length ||
        new.avx.mask.reg != old->avx.mask.reg ||
        new.avx.mask.mode != old->avx.mask.mode ||
        new.avx.rounding.mode != old->avx.rounding.mode ||
        new.avx.broadcast.mode != old->avx.broadcast.mode)
        return false;
    for (unsigned i = 0; i < old->operand_count_visible; i++) {
        if (!same_operand(how, &how->operands[i], &operands[i]))
            return false;
    }
    return true;
}

/* Opcode, ModRM and what follows the memory operand. */
static size_t write_body(const struct x86_reencode *how,
                         const struct encoding *enc, size_t opcode_at,
                         uint8_t *out)
{
    const ZydisDecodedInstruction *insn = how->insn;
    size_t end = insn->length;
    size_t rest, len;

    if (!(insn->attributes & ZYDIS_ATTRIB_HAS_MODRM)) {
        memcpy(out, how->bytes + opcode_at, end - opcode_at);
        return end - opcode_at;
    }
    len = insn->raw.modrm.offset - opcode_at;
    memcpy(out, how->bytes + opcode_at, len);
    out[len++] = enc->modrm;
    rest = (size_t)insn->raw.modrm.offset + 1;
    if (insn->attributes & ZYDIS_ATTRIB_HAS_SIB)
        rest = (size_t)insn->raw.sib.offset + 1;
    rest += insn->raw.disp.size / 8;
    memcpy(out + len, how->bytes + rest, end - rest);
    return len + end - rest;
}

/* The fourth register of VEX encodings is the upper half of an immediate. */
static bool has_immediate_register(const struct x86_reencode *how)
{
    for (unsigned i = 0; i < how->insn->operand_count_visible; i++) {
        if (how->operands[i].encoding == ZYDIS_OPERAND_ENCODING_IS4)
            return true;
    }
    return false;
}

static bool has_plain_memory(const struct x86_reencode *how)
{
    for (unsigned i = 0; i < how->insn->operand_count; i++) {
        if (how->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            return how->operands[i].mem.type == ZYDIS_MEMOP_TYPE_MEM &&
                   how->operands[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM;
    }
    return false;
}

size_t x86_reencode_key(const struct x86_reencode *how, uint8_t out[16])
{
    const ZydisDecodedInstruction *insn = how->insn;
    struct encoding enc = {0};
    size_t opcode_at, len;

    /* The x87 opcode that FNSTENV shows includes the addressing mode. */
    if (!has_plain_memory(how) || insn->meta.isa_ext == ZYDIS_ISA_EXT_X87) {
        memcpy(out, how->bytes, insn->length);
        return insn->length;
    }
    opcode_at = encoding_start(&enc, how);
    enc.modrm =
        (uint8_t)((how->bytes[insn->raw.modrm.offset] & 0x38) | HOST_MEM_RM);
    clear_rm_extension(&enc);
    memcpy(out, enc.prefix, enc.prefix_len);
    len = enc.prefix_len;
    if (enc.rex & 15)
        out[len++] = enc.rex;
    return len + write_body(how, &enc, opcode_at, out + len);
}

size_t x86_reencode_write(const struct x86_reencode *how, uint8_t out[16])
{
    struct encoding enc = {0};
    size_t opcode_at = encoding_start(&enc, how);
    size_t len = 0;

    if (how->insn->attributes & ZYDIS_ATTRIB_HAS_MODRM)
        enc.modrm = how->bytes[how->insn->raw.modrm.offset];
    encoding_rename(&enc, how);
    memcpy(out, enc.prefix, enc.prefix_len);
    len = enc.prefix_len;
    if (enc.rex)
        out[len++] = enc.rex;
    len += write_body(how, &enc, opcode_at, out + len);
    if (how->insn->machine_mode != ZYDIS_MACHINE_MODE_LONG_64 &&
        has_immediate_register(how))
        out[len - 1] &= 0x7f;
    return encoding_is_same(how, out, len) ? len : 0;
}
