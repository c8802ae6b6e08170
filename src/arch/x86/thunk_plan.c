/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads operands and attributes off the decoder's tables.
 * Source: [SDM] Vol. 2A, "SIMD Exception Classification" (alignment, fault
 * suppression).
 */
#include "arch/x86/thunk_plan.h"

#include "arch/x86/thunk_reencode.h"
#include "base/log.h"

#include <string.h>

enum { NUM_POOL = 3 };
/* Host registers that need no extension bit: RAX, RCX, RDX. */
static const uint8_t host_pool[NUM_POOL] = {0, 1, 2};

static unsigned gpr_of(const ZydisDecodedOperand *operand)
{
    return (unsigned)x86_reencode_gpr_id(operand->reg.value);
}

static bool is_gpr(const ZydisDecodedOperand *operand)
{
    switch (ZydisRegisterGetClass(operand->reg.value)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
        return true;
    default:
        return false;
    }
}

static bool operand_is_written(const ZydisDecodedOperand *operand)
{
    return operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
}

static bool operand_is_fixed(const ZydisDecodedOperand *operand)
{
    return operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT;
}

/* ---------------------------------------------------------------- registers */

static void plan_vec(const ZydisDecodedOperand *operand, unsigned width,
                     struct x86_thunk_plan *plan)
{
    unsigned id = (unsigned)ZydisRegisterGetId(operand->reg.value);
    uint32_t bit = UINT32_C(1) << id;
    bool is_load = operand->actions != ZYDIS_OPERAND_ACTION_WRITE;

    /* Legacy encodings merge into what was there, unless they write it all. */
    if (plan->is_legacy && operand->size != 128)
        is_load = true;
    if (is_load)
        plan->vec_load[width] |= bit;
    if (operand_is_written(operand))
        plan->vec_store |= bit;
    if (width > 0)
        plan->is_wide = true;
    plan->has_vec = true;
}

static void plan_opmask(const ZydisDecodedOperand *operand,
                        struct x86_thunk_plan *plan)
{
    unsigned id = (unsigned)ZydisRegisterGetId(operand->reg.value);

    if (operand->encoding == ZYDIS_OPERAND_ENCODING_MASK && id == 0)
        return; /* no mask */
    if (operand->actions != ZYDIS_OPERAND_ACTION_WRITE)
        plan->opmask_load |= (uint8_t)(1 << id);
    if (operand_is_written(operand))
        plan->opmask_store |= (uint8_t)(1 << id);
    plan->has_vec = true;
}

static bool host_gpr_is_taken(const struct x86_thunk_plan *plan, unsigned host)
{
    for (unsigned i = 0; i < 16; i++) {
        if (plan->gpr_map[i] == host)
            return true;
    }
    return false;
}

static bool plan_map_gpr(struct x86_thunk_plan *plan, unsigned id)
{
    if (plan->gpr_map[id] != 0xff)
        return true;
    for (unsigned i = 0; i < NUM_POOL; i++) {
        if (!host_gpr_is_taken(plan, host_pool[i])) {
            plan->gpr_map[id] = host_pool[i];
            return true;
        }
    }
    return false;
}

static const char *plan_gpr(const ZydisDecodedOperand *operand,
                            struct x86_thunk_plan *plan)
{
    unsigned id = gpr_of(operand);
    uint16_t bit;

    if (id > 15)
        return "high byte register";
    bit = (uint16_t)(1 << id);
    if (!plan_map_gpr(plan, id))
        return "too many general registers";
    /* A write of less than 32 bits keeps the rest. */
    if (operand->actions != ZYDIS_OPERAND_ACTION_WRITE || operand->size < 32)
        plan->gpr_load |= bit;
    if (operand_is_written(operand))
        plan->gpr_store |= bit;
    return NULL;
}

static const char *plan_register(const ZydisDecodedOperand *operand,
                                 struct x86_thunk_plan *plan)
{
    switch (ZydisRegisterGetClass(operand->reg.value)) {
    case ZYDIS_REGCLASS_XMM:
        plan_vec(operand, 0, plan);
        return NULL;
    case ZYDIS_REGCLASS_YMM:
        plan_vec(operand, 1, plan);
        return NULL;
    case ZYDIS_REGCLASS_ZMM:
        plan_vec(operand, 2, plan);
        return NULL;
    case ZYDIS_REGCLASS_MASK:
        plan_opmask(operand, plan);
        return NULL;
    case ZYDIS_REGCLASS_X87:
        plan->has_x87 = true;
        return NULL;
    case ZYDIS_REGCLASS_MMX:
        plan->has_mmx = true;
        return NULL;
    default:
        return is_gpr(operand) ? plan_gpr(operand, plan) : NULL;
    }
}

/* Fixed registers first, so that renamed ones keep out of their way. */
static const char *plan_registers(const ZydisDecodedInstruction *insn,
                                  const ZydisDecodedOperand *operands,
                                  struct x86_thunk_plan *plan)
{
    memset(plan->gpr_map, 0xff, sizeof(plan->gpr_map));
    for (unsigned i = 0; i < insn->operand_count; i++) {
        const ZydisDecodedOperand *operand = &operands[i];

        if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER || !is_gpr(operand) ||
            !operand_is_fixed(operand))
            continue;
        if (gpr_of(operand) > 2)
            return "implicit register that holds a pointer";
        plan->gpr_map[gpr_of(operand)] = (uint8_t)gpr_of(operand);
    }
    for (unsigned i = 0; i < insn->operand_count; i++) {
        const char *why = NULL;

        if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
            why = plan_register(&operands[i], plan);
        if (why)
            return why;
    }
    return NULL;
}

/* Classes of instructions that raise SIMD floating-point exceptions. */
static bool raises_exceptions(const ZydisDecodedInstruction *insn)
{
    switch (insn->meta.exception_class) {
    case ZYDIS_EXCEPTION_CLASS_SSE2:
    case ZYDIS_EXCEPTION_CLASS_SSE3:
    case ZYDIS_EXCEPTION_CLASS_AVX2:
    case ZYDIS_EXCEPTION_CLASS_AVX3:
    case ZYDIS_EXCEPTION_CLASS_AVX11:
    case ZYDIS_EXCEPTION_CLASS_E2:
    case ZYDIS_EXCEPTION_CLASS_E2NF:
    case ZYDIS_EXCEPTION_CLASS_E3:
    case ZYDIS_EXCEPTION_CLASS_E3NF:
    case ZYDIS_EXCEPTION_CLASS_E11:
    case ZYDIS_EXCEPTION_CLASS_E11NF:
        return true;
    default:
        return false;
    }
}

/* ------------------------------------------------------------------- memory */

static bool may_be_unaligned(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_PCMPESTRI:
    case ZYDIS_MNEMONIC_PCMPESTRM:
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPISTRM:
        return true;
    default:
        return false;
    }
}

static bool is_aligned_move(const ZydisDecodedInstruction *insn)
{
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_VMOVAPS:
    case ZYDIS_MNEMONIC_VMOVAPD:
    case ZYDIS_MNEMONIC_VMOVDQA:
    case ZYDIS_MNEMONIC_VMOVDQA32:
    case ZYDIS_MNEMONIC_VMOVDQA64:
    case ZYDIS_MNEMONIC_VMOVNTPS:
    case ZYDIS_MNEMONIC_VMOVNTPD:
    case ZYDIS_MNEMONIC_VMOVNTDQ:
    case ZYDIS_MNEMONIC_VMOVNTDQA:
        return true;
    default:
        return false;
    }
}

/* Moves stay aligned even with MXCSR.MM; [APM] Vol. 1, "Misaligned Memory
 * Accesses". */
static bool is_legacy_aligned_move(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOVAPS:
    case ZYDIS_MNEMONIC_MOVAPD:
    case ZYDIS_MNEMONIC_MOVDQA:
    case ZYDIS_MNEMONIC_MOVNTPS:
    case ZYDIS_MNEMONIC_MOVNTPD:
    case ZYDIS_MNEMONIC_MOVNTDQ:
    case ZYDIS_MNEMONIC_MOVNTDQA:
        return true;
    default:
        return false;
    }
}

static uint8_t plan_alignment(const ZydisDecodedInstruction *insn,
                              const struct x86_thunk_plan *plan,
                              struct x86_thunk *thunk)
{
    if (!plan->has_vec && !plan->has_mmx)
        return 1;
    if (!plan->is_legacy)
        return is_aligned_move(insn) ? (uint8_t)thunk->mem_size : 1;
    if (thunk->mem_size != 16 || may_be_unaligned(insn->mnemonic))
        return 1;
    if (!is_legacy_aligned_move(insn->mnemonic))
        thunk->needs |= X86_NEED_ALIGN;
    return 16;
}

/* [SDM] Vol. 2A, "EVEX Exceptions": classes without fault suppression. */
static bool suppresses_faults(const ZydisDecodedInstruction *insn)
{
    switch (insn->mnemonic) { /* bytes of memory meet several mask bits */
    case ZYDIS_MNEMONIC_VDBPSADBW:
    case ZYDIS_MNEMONIC_VGF2P8AFFINEQB:
    case ZYDIS_MNEMONIC_VGF2P8AFFINEINVQB:
    case ZYDIS_MNEMONIC_VCVTNE2PS2BF16:
        return false;
    default:
        break;
    }
    switch (insn->meta.exception_class) {
    case ZYDIS_EXCEPTION_CLASS_E1NF:
    case ZYDIS_EXCEPTION_CLASS_E2NF:
    case ZYDIS_EXCEPTION_CLASS_E3NF:
    case ZYDIS_EXCEPTION_CLASS_E4NF:
    case ZYDIS_EXCEPTION_CLASS_E5NF:
    case ZYDIS_EXCEPTION_CLASS_E6NF:
    case ZYDIS_EXCEPTION_CLASS_E9NF:
    case ZYDIS_EXCEPTION_CLASS_E10NF:
    case ZYDIS_EXCEPTION_CLASS_E11NF:
        return false;
    default:
        return true;
    }
}

/* Expand and compress touch as many elements as the mask has bits. */
static bool is_compact(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_VEXPANDPS:
    case ZYDIS_MNEMONIC_VEXPANDPD:
    case ZYDIS_MNEMONIC_VPEXPANDB:
    case ZYDIS_MNEMONIC_VPEXPANDW:
    case ZYDIS_MNEMONIC_VPEXPANDD:
    case ZYDIS_MNEMONIC_VPEXPANDQ:
    case ZYDIS_MNEMONIC_VCOMPRESSPS:
    case ZYDIS_MNEMONIC_VCOMPRESSPD:
    case ZYDIS_MNEMONIC_VPCOMPRESSB:
    case ZYDIS_MNEMONIC_VPCOMPRESSW:
    case ZYDIS_MNEMONIC_VPCOMPRESSD:
    case ZYDIS_MNEMONIC_VPCOMPRESSQ:
        return true;
    default:
        return false;
    }
}

static bool is_vector_operand(const ZydisDecodedOperand *operand)
{
    return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(operand->reg.value) != ZYDIS_REGCLASS_MASK;
}

static void plan_elements(const ZydisDecodedInstruction *insn,
                          const ZydisDecodedOperand *first,
                          const ZydisDecodedOperand *memory,
                          struct x86_thunk *thunk)
{
    bool is_vector = is_vector_operand(first);
    unsigned elems = memory->element_count ? memory->element_count : 1;
    unsigned bits;

    /* Dot products take several elements of memory per bit of the mask. */
    if (is_vector && first->element_count < elems)
        elems = first->element_count;
    SIM_ASSERT(elems > 0);
    thunk->num_elems = (uint8_t)elems;
    thunk->elem_size = (uint8_t)(thunk->mem_size / elems);
    bits = elems;
    if (insn->avx.broadcast.mode != ZYDIS_BROADCAST_MODE_INVALID) {
        bits = insn->avx.vector_length / 8u / thunk->elem_size;
        if (is_vector && first->element_count < bits)
            bits = first->element_count;
    }
    thunk->num_mask_bits = (uint8_t)bits;
}

static void plan_mask(const ZydisDecodedInstruction *insn,
                      const ZydisDecodedOperand *operands,
                      const ZydisDecodedOperand *memory,
                      struct x86_thunk *thunk)
{
    if (insn->avx.mask.reg == ZYDIS_REGISTER_NONE ||
        insn->avx.mask.reg == ZYDIS_REGISTER_K0)
        return;
    if (!suppresses_faults(insn)) {
        if (!operand_is_written(memory))
            return;
        thunk->attrs |= X86_THUNK_FULL_CHECK;
    }
    thunk->attrs |= X86_THUNK_MASKED;
    thunk->mask = (uint8_t)ZydisRegisterGetId(insn->avx.mask.reg);
    plan_elements(insn, &operands[0], memory, thunk);
    if (is_compact(insn->mnemonic))
        thunk->attrs |= X86_THUNK_COMPACT;
}

/* The mask is the second operand in both directions. */
static void plan_vex_mask(const ZydisDecodedInstruction *insn,
                          const ZydisDecodedOperand *operands,
                          struct x86_thunk *thunk)
{
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VPMASKMOVD:
        thunk->elem_size = 4;
        break;
    case ZYDIS_MNEMONIC_VMASKMOVPD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ:
        thunk->elem_size = 8;
        break;
    default:
        return;
    }
    thunk->attrs |= X86_THUNK_MASKED;
    thunk->mask = (uint8_t)(ZydisRegisterGetId(operands[1].reg.value) |
                            X86_THUNK_VEX_MASK);
    thunk->num_elems = (uint8_t)(thunk->mem_size / thunk->elem_size);
    thunk->num_mask_bits = thunk->num_elems;
}

/* VGATHERDPD: D is the index, PD the data. */
static void plan_vsib_sizes(const char *name, struct x86_thunk *thunk)
{
    const char *at = strstr(name, "gather");

    at = at ? at + strlen("gather") : strstr(name, "scatter");
    if (at && *at == 's')
        at += strlen("scatter");
    if (!at)
        return;
    thunk->index_size = at[0] == 'd' ? 4 : 8;
    thunk->elem_size = at[strlen(at) - 1] == 'd' && at[1] != 'p' ? 4 : 8;
    if (!strcmp(at + 1, "ps"))
        thunk->elem_size = 4;
}

static void plan_vsib(const ZydisDecodedInstruction *insn,
                      const ZydisDecodedOperand *operands,
                      const ZydisDecodedOperand *memory,
                      struct x86_thunk *thunk)
{
    bool is_store = operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY;
    const ZydisDecodedOperand *data = &operands[is_store ? 2 : 0];
    unsigned widest;

    plan_vsib_sizes(ZydisMnemonicGetString(insn->mnemonic), thunk);
    widest = thunk->index_size > thunk->elem_size ? thunk->index_size
                                                  : thunk->elem_size;
    thunk->num_elems = (uint8_t)(insn->avx.vector_length / 8u / widest);
    thunk->reg = (uint8_t)ZydisRegisterGetId(data->reg.value);
    thunk->index = (uint8_t)ZydisRegisterGetId(memory->mem.index);
    thunk->scale = memory->mem.scale;
    if (insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
        thunk->mask = (uint8_t)ZydisRegisterGetId(operands[1].reg.value);
    else
        thunk->mask = (uint8_t)(ZydisRegisterGetId(operands[2].reg.value) |
                                X86_THUNK_VEX_MASK);
}

/* MASKMOVDQU and MASKMOVQ. */
static void plan_implicit(const ZydisDecodedInstruction *insn,
                          const ZydisDecodedOperand *operands,
                          struct x86_thunk *thunk)
{
    const ZydisDecodedOperand *memory = &operands[2];

    if (insn->operand_count < 3 || memory->type != ZYDIS_OPERAND_TYPE_MEMORY ||
        memory->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
        return;
    thunk->reg = (uint8_t)ZydisRegisterGetId(operands[0].reg.value);
    thunk->rm = (uint8_t)ZydisRegisterGetId(operands[1].reg.value);
    thunk->addr_bits = insn->address_width;
    thunk->seg = (uint8_t)ZydisRegisterGetId(memory->mem.segment);
}

static const char *plan_memory(const ZydisDecodedInstruction *insn,
                               const ZydisDecodedOperand *operands,
                               const struct x86_thunk_plan *plan,
                               struct x86_thunk *thunk)
{
    for (unsigned i = 0; i < insn->operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &operands[i];

        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        if (operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
            return "address only";
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
            thunk->mem |= X86_THUNK_READ;
        if (operand_is_written(operand))
            thunk->mem |= X86_THUNK_WRITE;
        thunk->mem_size = (uint16_t)(operand->size / 8);
        if (operand->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
            plan_vsib(insn, operands, operand, thunk);
        else if (insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
            plan_mask(insn, operands, operand, thunk);
        else
            plan_vex_mask(insn, operands, thunk);
        thunk->align = plan_alignment(insn, plan, thunk);
    }
    return NULL;
}

/* -------------------------------------------------------------------- needs */

/* Elements alone do not tell: some tables call them integers. */
static bool has_float(const ZydisDecodedInstruction *insn,
                      const ZydisDecodedOperand *operands)
{
    if (raises_exceptions(insn))
        return true;
    for (unsigned i = 0; i < insn->operand_count_visible; i++) {
        ZydisElementType type = operands[i].element_type;

        if (type >= ZYDIS_ELEMENT_TYPE_FLOAT16 &&
            type <= ZYDIS_ELEMENT_TYPE_FLOAT64)
            return true;
    }
    return false;
}

static uint32_t need_class(const ZydisDecodedInstruction *insn,
                           const struct x86_thunk_plan *plan)
{
    if (insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
        return X86_NEED_AVX512;
    if (insn->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX)
        return plan->opmask_load | plan->opmask_store ? X86_NEED_AVX512
                                                      : X86_NEED_AVX;
    return X86_NEED_SSE;
}

static void plan_needs(const ZydisDecodedInstruction *insn,
                       const ZydisDecodedOperand *operands,
                       const struct x86_thunk_plan *plan,
                       struct x86_thunk *thunk)
{
    if (plan->has_vec)
        thunk->needs |= need_class(insn, plan);
    if (plan->has_vec && has_float(insn, operands))
        thunk->needs |= X86_NEED_MXCSR;
    if (plan->has_mmx)
        thunk->needs |= X86_NEED_MMX | X86_NEED_LIVE_X87;
    if (plan->has_x87 && insn->mnemonic != ZYDIS_MNEMONIC_FWAIT)
        thunk->needs |= X86_NEED_X87 | X86_NEED_LIVE_X87;
    if (plan->has_mmx || plan->has_x87)
        thunk->attrs |= X86_THUNK_WAITING;
    /* CVTPD2PI mm, m128 and the like name no XMM register. */
    if (plan->has_mmx && has_float(insn, operands))
        thunk->needs |= X86_NEED_SSE | X86_NEED_MXCSR;
}

static void plan_flags(const ZydisDecodedInstruction *insn,
                       struct x86_thunk *thunk)
{
    const ZydisAccessedFlags *flags = insn->cpu_flags;

    if (!flags)
        return;
    thunk->reads_flags = (uint16_t)(flags->tested & X86_ARITH_FLAGS);
    /* All of them: the decoder's tables do not list those that are cleared. */
    if ((flags->modified | flags->set_0) & X86_ARITH_FLAGS)
        thunk->writes_flags = X86_ARITH_FLAGS;
}

static bool is_x87(const ZydisDecodedInstruction *insn)
{
    return insn->meta.isa_ext == ZYDIS_ISA_EXT_X87;
}

static const char *plan_kind(const ZydisDecodedInstruction *insn,
                             struct x86_thunk_plan *plan)
{
    if (is_x87(insn))
        plan->has_x87 = true;
    if (insn->mnemonic == ZYDIS_MNEMONIC_EMMS ||
        insn->mnemonic == ZYDIS_MNEMONIC_FEMMS)
        plan->has_mmx = true;
    /* CVTSD2SI r64, m64 names no vector register. */
    if (raises_exceptions(insn))
        plan->has_vec = true;
    if (insn->attributes & ZYDIS_ATTRIB_HAS_LOCK)
        return "locked";
    if (!plan->has_vec && !plan->has_mmx && !plan->has_x87 &&
        insn->mnemonic != ZYDIS_MNEMONIC_MOVNTI)
        return "not a vector or x87 instruction";
    return NULL;
}

/* Half-precision instructions ignore FTZ, VREDUCE obeys it also with unmasked
 * underflow.  [SDM] Vol. 1, "FP16 Support"; the latter measured. */
static bool has_own_ftz(const ZydisDecodedInstruction *insn)
{
    switch (insn->meta.isa_set) {
    case ZYDIS_ISA_SET_AVX512_FP16_128:
    case ZYDIS_ISA_SET_AVX512_FP16_128N:
    case ZYDIS_ISA_SET_AVX512_FP16_256:
    case ZYDIS_ISA_SET_AVX512_FP16_512:
    case ZYDIS_ISA_SET_AVX512_FP16_SCALAR:
        return true;
    default:
        return insn->mnemonic == ZYDIS_MNEMONIC_VREDUCEPS ||
               insn->mnemonic == ZYDIS_MNEMONIC_VREDUCEPD ||
               insn->mnemonic == ZYDIS_MNEMONIC_VREDUCESS ||
               insn->mnemonic == ZYDIS_MNEMONIC_VREDUCESD;
    }
}

static uint8_t mode_bits(ZydisMachineMode mode)
{
    switch (mode) {
    case ZYDIS_MACHINE_MODE_LONG_64:
        return 64;
    case ZYDIS_MACHINE_MODE_LONG_COMPAT_32:
    case ZYDIS_MACHINE_MODE_LEGACY_32:
        return 32;
    default:
        return 16;
    }
}

const char *x86_thunk_plan_make(const ZydisDecodedInstruction *insn,
                                const ZydisDecodedOperand *operands,
                                struct x86_thunk_plan *plan,
                                struct x86_thunk *thunk)
{
    const char *why;

    memset(plan, 0, sizeof(*plan));
    plan->is_legacy = insn->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
                      insn->encoding == ZYDIS_INSTRUCTION_ENCODING_3DNOW;
    thunk->align = 1;
    thunk->mnemonic = (uint16_t)insn->mnemonic;
    thunk->operand_width = insn->operand_width;
    thunk->mode_bits = mode_bits(insn->machine_mode);
    why = plan_registers(insn, operands, plan);
    if (!why)
        why = plan_kind(insn, plan);
    if (!why)
        why = plan_memory(insn, operands, plan, thunk);
    if (why)
        return why;
    plan_implicit(insn, operands, thunk);
    plan_needs(insn, operands, plan, thunk);
    plan_flags(insn, thunk);
    /* MMX conversions are in no class, but raise exceptions. */
    if (insn->avx.has_sae ||
        (insn->meta.exception_class != ZYDIS_EXCEPTION_CLASS_NONE &&
         !raises_exceptions(insn)))
        thunk->attrs |= X86_THUNK_SAE;
    if (has_own_ftz(insn))
        thunk->attrs |= X86_THUNK_OWN_FTZ;
    thunk->writes_vec = plan->vec_store;
    if (insn->mnemonic == ZYDIS_MNEMONIC_VP2INTERSECTD ||
        insn->mnemonic == ZYDIS_MNEMONIC_VP2INTERSECTQ) /* even and odd */
        plan->opmask_store |= (uint8_t)((plan->opmask_store & 0x55) << 1 |
                                        (plan->opmask_store & 0xaa) >> 1);
    thunk->writes_mask = plan->opmask_store;
    for (unsigned i = 0; i < 16; i++) {
        if (plan->gpr_store & 1u << i)
            thunk->writes_gpr = (uint8_t)(i + 1);
    }
    return NULL;
}
