/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decoding by Zydis and the choice of a row: rows of one mnemonic are tried in
 * the order of their tables, so that special forms stand before general ones.
 * What no row takes is offered to the thunks; what they do not take raises #UD.
 * Left out: CET, MPX.
 * Source: [SDM] Vol. 2, "Instruction Format".
 */
#include "arch/x86/decode.h"

#include <string.h>

#include <Zydis/Zydis.h>

#include "arch/x86/block.h"
#include "arch/x86/cpuid_isa.h"
#include "arch/x86/exec/native.h"
#include "arch/x86/exec/rows.h"
#include "arch/x86/exec/undefined.h"
#include "arch/x86/quirks.h"
#include "arch/x86/thunk.h"
#include "base/alloc.h"
#include "base/log.h"

enum { NUM_MACHINES = 4, MAX_INSN_BYTES = 15 };

struct x86_decoder {
    ZydisDecoder machines[NUM_MACHINES]; /* by enum machine */
    struct x86_thunks *thunks;
    struct x86_form *forms;
    size_t num_forms;
    struct { /* forms of a mnemonic */
        uint16_t first, num;
    } ranges[ZYDIS_MNEMONIC_MAX_VALUE + 1];
};

enum machine { MACHINE_16, MACHINE_32, MACHINE_64, MACHINE_REAL };

/* The instruction being decoded. */
struct decoding {
    struct x86_decoder *decoder;
    const struct x86_decode_in *in;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    const ZydisDecodedOperand *mem; /* the visible memory operand, or NULL */
    uint16_t kinds;
    uint8_t size[2];
    uint8_t addr; /* enum x86_addr_kind */
    bool is_locked;
};

/* ------------------------------------------------------------------ set-up */

struct pair {
    const struct x86_row_table *fast, *full;
};

#define FAST_PAIR(group) {&x86_rows_##group, &x86_rows_##group##_full},
#define FULL_PAIR(group) {&x86_rows_##group##_full, &x86_rows_##group##_full},
static const struct pair fast_groups[] = {X86_FAST_GROUPS(FAST_PAIR)};
static const struct pair full_groups[] = {X86_FULL_GROUPS(FULL_PAIR)};

static void add_forms(struct x86_decoder *decoder, const struct pair *pair)
{
    bool is_fast = pair->fast != pair->full;

    SIM_ASSERT(pair->fast->num == pair->full->num);
    for (size_t i = 0; i < pair->fast->num; i++)
        decoder->forms[decoder->num_forms++] = (struct x86_form){
            .fn = is_fast ? pair->fast->rows[i].fn : x86_run_full,
            .full = pair->full->rows[i].fn,
            .row = &pair->full->rows[i]};
}

static size_t count_rows(const struct pair *pairs, size_t num)
{
    size_t rows = 0;

    for (size_t i = 0; i < num; i++)
        rows += pairs[i].full->num;
    return rows;
}

/* Stable sort by mnemonic: count, then place. */
static void sort_forms(struct x86_decoder *decoder)
{
    struct x86_form *sorted = alloc_zeroed(decoder->num_forms, sizeof(*sorted));
    uint16_t next = 0;

    for (size_t i = 0; i < decoder->num_forms; i++)
        decoder->ranges[decoder->forms[i].row->mnemonic].num++;
    for (size_t m = 0; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) {
        decoder->ranges[m].first = next;
        next = (uint16_t)(next + decoder->ranges[m].num);
        decoder->ranges[m].num = 0;
    }
    for (size_t i = 0; i < decoder->num_forms; i++) {
        uint16_t m = decoder->forms[i].row->mnemonic;

        sorted[decoder->ranges[m].first + decoder->ranges[m].num++] =
            decoder->forms[i];
    }
    mem_free(decoder->forms);
    decoder->forms = sorted;
}

static void init_machine(ZydisDecoder *machine, ZydisMachineMode mode,
                         ZydisStackWidth width)
{
    bool ok = ZYAN_SUCCESS(ZydisDecoderInit(machine, mode, width)) &&
              ZYAN_SUCCESS(ZydisDecoderEnableMode(
                  machine, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE)) &&
              ZYAN_SUCCESS(ZydisDecoderEnableMode(
                  machine, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE)) &&
              x86_quirks_set_up(machine);

    SIM_ASSERT(ok);
}

struct x86_decoder *x86_decoder_create(void)
{
    struct x86_decoder *decoder = alloc_zeroed(1, sizeof(*decoder));
    size_t num = count_rows(fast_groups, SIM_ARRAY_LEN(fast_groups)) +
                 count_rows(full_groups, SIM_ARRAY_LEN(full_groups));

    decoder->thunks =
        x86_thunks_create((ptrdiff_t)offsetof(struct x86_core, state.gpr) -
                          (ptrdiff_t)offsetof(struct x86_core, fpu));
    decoder->forms = alloc_zeroed(num, sizeof(*decoder->forms));
    for (size_t i = 0; i < SIM_ARRAY_LEN(fast_groups); i++)
        add_forms(decoder, &fast_groups[i]);
    for (size_t i = 0; i < SIM_ARRAY_LEN(full_groups); i++)
        add_forms(decoder, &full_groups[i]);
    sort_forms(decoder);
    init_machine(&decoder->machines[MACHINE_16], ZYDIS_MACHINE_MODE_LEGACY_16,
                 ZYDIS_STACK_WIDTH_16);
    init_machine(&decoder->machines[MACHINE_32], ZYDIS_MACHINE_MODE_LEGACY_32,
                 ZYDIS_STACK_WIDTH_32);
    init_machine(&decoder->machines[MACHINE_64], ZYDIS_MACHINE_MODE_LONG_64,
                 ZYDIS_STACK_WIDTH_64);
    init_machine(&decoder->machines[MACHINE_REAL], ZYDIS_MACHINE_MODE_REAL_16,
                 ZYDIS_STACK_WIDTH_16);
    return decoder;
}

void x86_decoder_destroy(struct x86_decoder *decoder)
{
    if (!decoder)
        return;
    x86_thunks_destroy(decoder->thunks);
    mem_free(decoder->forms);
    mem_free(decoder);
}

/* ---------------------------------------------------------------- operands */

static uint16_t gpr_offset(unsigned number)
{
    return (uint16_t)(8 * number);
}

/* AL CL DL BL AH CH DH BH SPL BPL SIL DIL R8B ... */
static uint16_t byte_offset(unsigned id)
{
    if (id < 4)
        return gpr_offset(id);
    if (id < 8)
        return (uint16_t)(gpr_offset(id - 4) + 1);
    return gpr_offset(id - 4);
}

static uint16_t reg_offset(ZydisRegister reg)
{
    if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_R15B)
        return byte_offset((unsigned)(reg - ZYDIS_REGISTER_AL));
    if (reg >= ZYDIS_REGISTER_AX && reg <= ZYDIS_REGISTER_R15W)
        return gpr_offset((unsigned)(reg - ZYDIS_REGISTER_AX));
    if (reg >= ZYDIS_REGISTER_EAX && reg <= ZYDIS_REGISTER_R15D)
        return gpr_offset((unsigned)(reg - ZYDIS_REGISTER_EAX));
    if (reg >= ZYDIS_REGISTER_RAX && reg <= ZYDIS_REGISTER_R15)
        return gpr_offset((unsigned)(reg - ZYDIS_REGISTER_RAX));
    return X86_OFFSET(zero); /* none, RIP, EIP */
}

static enum x86_kind reg_kind(ZydisRegister reg)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
        return X86_K_REG;
    case ZYDIS_REGCLASS_SEGMENT:
        return X86_K_SEG;
    case ZYDIS_REGCLASS_CONTROL:
        return X86_K_CR;
    case ZYDIS_REGCLASS_DEBUG:
        return X86_K_DR;
    default:
        return X86_K_OTHER;
    }
}

static enum x86_kind kind_of(const ZydisDecodedOperand *operand)
{
    switch (operand->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return reg_kind(operand->reg.value);
    case ZYDIS_OPERAND_TYPE_MEMORY:
        if (operand->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
            return X86_K_OTHER;
        return X86_K_MEM;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        return X86_K_IMM;
    case ZYDIS_OPERAND_TYPE_POINTER:
        return X86_K_FAR;
    default:
        return X86_K_NONE;
    }
}

static bool is_mode_64(const struct x86_core *core)
{
    return (core->mode & X86_MODE_SIZE) == X86_MODE_64;
}

static enum x86_seg_name seg_of(ZydisRegister reg)
{
    return (enum x86_seg_name)(reg - ZYDIS_REGISTER_ES);
}

static bool has_base(const struct decoding *d)
{
    ZydisRegister seg = d->mem->mem.segment;

    if (!is_mode_64(d->in->core))
        return false; /* flat */
    return seg == ZYDIS_REGISTER_FS || seg == ZYDIS_REGISTER_GS;
}

static enum x86_addr_kind addr_kind_of(const struct decoding *d)
{
    if (!is_mode_64(d->in->core) || d->insn.address_width != 64 || has_base(d))
        return X86_ADDR_GENERAL;
    return d->mem->mem.index == ZYDIS_REGISTER_NONE ? X86_ADDR_BASE
                                                    : X86_ADDR_INDEX;
}

/* Sizes of the first operands; without one, or for an immediate alone, what the
 * instruction works on. */
static void find_sizes(struct decoding *d)
{
    enum x86_kind first = d->kinds & 15, second = (d->kinds >> 4) & 15;

    d->size[0] = (uint8_t)(d->insn.operand_width / 8);
    if (first == X86_K_REG || first == X86_K_MEM)
        d->size[0] = (uint8_t)(d->operands[0].size / 8);
    if (second == X86_K_REG || second == X86_K_MEM)
        d->size[1] = (uint8_t)(d->operands[1].size / 8);
}

static void look_at_operands(struct decoding *d)
{
    for (unsigned i = 0; i < d->insn.operand_count_visible && i < 4; i++) {
        enum x86_kind kind = kind_of(&d->operands[i]);

        d->kinds |= (uint16_t)(kind << (4 * i));
        if (d->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            d->mem = &d->operands[i];
    }
    d->addr = X86_ADDR_ANY;
    if (d->mem)
        d->addr = (uint8_t)addr_kind_of(d);
    d->is_locked = d->insn.attributes & ZYDIS_ATTRIB_HAS_LOCK;
    find_sizes(d);
}

static void set_memory(const struct decoding *d, struct x86_op *op)
{
    const ZydisDecodedOperandMem *mem = &d->mem->mem;
    enum x86_seg_name seg = seg_of(mem->segment);

    op->base = reg_offset(mem->base);
    op->index = reg_offset(mem->index);
    op->scale = (uint8_t)(mem->scale > 1 ? __builtin_ctz(mem->scale) : 0);
    op->disp = (uint64_t)mem->disp.value;
    if (mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP)
        op->disp += op->next_rip;
    if (!is_mode_64(d->in->core) || seg == X86_FS || seg == X86_GS)
        op->seg = (uint16_t)(offsetof(struct x86_core, state.seg) +
                             (size_t)seg * sizeof(struct x86_seg) +
                             offsetof(struct x86_seg, base));
    op->flags = (uint8_t)(op->flags | seg << X86_OP_SEG_SHIFT);
}

static uint64_t rip_mask(const struct decoding *d)
{
    if (d->insn.operand_width == 16)
        return UINT16_MAX; /* in 64-bit mode: see quirks.h */
    return is_mode_64(d->in->core) ? UINT64_MAX : UINT32_MAX;
}

/* Two immediates (ENTER, EXTRQ): the second above the first's 16 bits. */
static void add_immediate(const struct decoding *d,
                          const ZydisDecodedOperand *operand, struct x86_op *op,
                          unsigned which)
{
    uint64_t value = operand->imm.value.u;

    if (operand->imm.is_relative)
        value = (op->next_rip + value) & rip_mask(d);
    op->imm = which == 0 ? value : (op->imm & 0xffff) | value << 16;
}

static void set_operands(const struct decoding *d, struct x86_op *op)
{
    unsigned regs = 0, imms = 0;

    for (unsigned i = 0; i < d->insn.operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &d->operands[i];

        switch (kind_of(operand)) {
        case X86_K_REG:
            if (regs < 3)
                op->reg[regs++] = reg_offset(operand->reg.value);
            break;
        case X86_K_SEG:
        case X86_K_CR:
        case X86_K_DR: /* a number instead of an offset */
            if (regs < 3)
                op->reg[regs++] =
                    (uint16_t)ZydisRegisterGetId(operand->reg.value);
            break;
        case X86_K_IMM:
            add_immediate(d, operand, op, imms++);
            break;
        case X86_K_FAR:
            op->imm = operand->ptr.offset;
            op->disp = operand->ptr.segment;
            break;
        default:
            break;
        }
    }
}

static uint8_t prefix_flags(const ZydisDecodedInstruction *insn)
{
    unsigned flags = insn->address_width == 64   ? 0
                     : insn->address_width == 32 ? 1
                                                 : 2;

    if (insn->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
        flags |= X86_OP_REP;
    if (insn->attributes & ZYDIS_ATTRIB_HAS_REPNE)
        flags |= X86_OP_REPNE;
    if (insn->operand_width == 16)
        flags |= X86_OP_SIZE16;
    return (uint8_t)flags;
}

/* CLZERO: the decoder does not list its memory operand. */
static enum x86_seg_name prefixed_segment(const struct decoding *d)
{
    enum x86_seg_name seg = X86_DS;

    for (unsigned i = 0; i < d->insn.raw.prefix_count; i++) {
        if (d->insn.raw.prefixes[i].value == 0x64)
            seg = X86_FS;
        if (d->insn.raw.prefixes[i].value == 0x65)
            seg = X86_GS;
    }
    return seg;
}

/* String instructions have hidden memory operands; the segment of the source
 * may be overridden. */
static void set_hidden_segment(const struct decoding *d, struct x86_op *op)
{
    enum x86_seg_name seg = X86_DS;

    if (d->insn.mnemonic == ZYDIS_MNEMONIC_CLZERO)
        seg = prefixed_segment(d);
    for (unsigned i = d->insn.operand_count_visible; i < d->insn.operand_count;
         i++) {
        const ZydisDecodedOperand *operand = &d->operands[i];

        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            operand->mem.segment != ZYDIS_REGISTER_ES &&
            operand->mem.segment != ZYDIS_REGISTER_NONE)
            seg = seg_of(operand->mem.segment);
    }
    op->flags = (uint8_t)(op->flags | seg << X86_OP_SEG_SHIFT);
}

static void set_op(const struct decoding *d, struct x86_op *op)
{
    const uint16_t zero = X86_OFFSET(zero);
    uint64_t mask = is_mode_64(d->in->core) ? UINT64_MAX : UINT32_MAX;

    *op = (struct x86_op){
        .next_rip = (d->in->rip + d->insn.length) & mask,
        .reg = {zero, zero, zero},
        .base = zero,
        .index = zero,
        .seg = zero,
        .len = d->insn.length,
        .flags = prefix_flags(&d->insn)
    };
    if ((d->in->core->mode & X86_MODE_SIZE) == X86_MODE_16)
        op->next_rip &= UINT16_MAX;
    if (d->mem)
        set_memory(d, op);
    else
        set_hidden_segment(d, op);
    set_operands(d, op);
}

/* --------------------------------------------------------------------- rows */

static bool is_same_reg(const struct decoding *d)
{
    return d->operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           d->operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           d->operands[0].reg.value == d->operands[1].reg.value;
}

static bool is_shape_right(const struct decoding *d, const struct x86_row *row)
{
    return row->kinds == d->kinds &&
           (row->size[0] == 0 || row->size[0] == d->size[0]) &&
           (row->size[1] == 0 || row->size[1] == d->size[1]) &&
           (row->addr == X86_ADDR_ANY || row->addr == d->addr) &&
           (row->variant == X86_LOCKED) == d->is_locked;
}

/* The first row of @variant, or NULL. */
static const struct x86_form *find_form(const struct decoding *d,
                                        enum x86_variant variant)
{
    size_t first = d->decoder->ranges[d->insn.mnemonic].first;
    size_t num = d->decoder->ranges[d->insn.mnemonic].num;

    for (size_t i = first; i < first + num; i++) {
        const struct x86_form *form = &d->decoder->forms[i];

        if (form->row->variant == variant && is_shape_right(d, form->row))
            return form;
    }
    return NULL;
}

static const struct x86_form *choose_form(const struct decoding *d)
{
    const struct x86_form *form = NULL;

    if (d->is_locked)
        return find_form(d, X86_LOCKED);
    if (d->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return find_form(d, X86_FAR);
    if (is_same_reg(d))
        form = find_form(d, X86_SAME_REG);
    return form ? form : find_form(d, X86_PLAIN);
}

/* ----------------------------------------------------------- undecodable code
 */

static const struct x86_row undefined_row = {.op_class = X86_OP_SYSTEM,
                                             .flags = X86_ROW_ENDS};
static const struct x86_form undefined_form = {
    .fn = x86_run_full, .full = x86_exec_undefined, .row = &undefined_row};
static const struct x86_form unknown_form = {
    .fn = x86_run_full, .full = x86_exec_unknown, .row = &undefined_row};
static const struct x86_form too_long_form = {
    .fn = x86_run_full, .full = x86_exec_too_long, .row = &undefined_row};

static const struct x86_form pseudo_form = {
    .fn = x86_run_full, .full = x86_exec_pseudo_op, .row = &undefined_row};
static const struct x86_form hypercall_form = {
    .fn = x86_run_full, .full = x86_exec_hypercall, .row = &undefined_row};

static enum x86_decode_status use_form(const struct x86_form *form,
                                       struct x86_insn *out)
{
    out->op.form = form;
    out->op.fn = form->fn;
    out->info.op_class = form->row->op_class;
    out->info.flags = form->row->flags;
    return X86_DECODED;
}

/* gem5's 0F 04 and a number of 16 bits, a hole in the opcode map. */
static enum x86_decode_status decode_pseudo_op(const struct x86_decode_in *in,
                                               struct x86_insn *out)
{
    enum { LEN = 4 };

    if (in->num_bytes < LEN)
        return X86_DECODE_MORE;
    *out = (struct x86_insn){
        .op = {.next_rip = in->rip + LEN, .len = LEN}
    };
    out->op.imm = in->bytes[2] | (uint64_t)in->bytes[3] << 8;
    return use_form(&pseudo_form, out);
}

static enum x86_decode_status decode_failed(ZyanStatus status,
                                            const struct x86_decode_in *in,
                                            struct x86_insn *out)
{
    if (in->num_bytes >= 2 && in->bytes[0] == 0x0f && in->bytes[1] == 0x04)
        return decode_pseudo_op(in, out);
    if (status == ZYDIS_STATUS_NO_MORE_DATA && in->num_bytes < MAX_INSN_BYTES)
        return X86_DECODE_MORE;
    *out = (struct x86_insn){
        .op = {.next_rip = in->rip + 1, .len = 1}
    };
    return use_form(status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG
                        ? &too_long_form
                        : &undefined_form,
                    out);
}

/* ------------------------------------------------------------------- decode */

static void count_accesses(const struct decoding *d, struct x86_op_info *info)
{
    for (unsigned i = 0; i < d->insn.operand_count; i++) {
        const ZydisDecodedOperand *operand = &d->operands[i];

        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
            info->loads++;
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            info->stores++;
    }
}

static bool touches_flags(const ZydisDecodedInstruction *insn)
{
    const ZydisAccessedFlags *flags = insn->cpu_flags;

    return flags && (flags->tested | flags->modified | flags->set_0 |
                     flags->set_1 | flags->undefined);
}

/* Segments whose limits matter have no fast path. */
static bool needs_full(const struct decoding *d)
{
    return !is_mode_64(d->in->core) && !(d->in->core->mode & X86_MODE_FLAT);
}

static void set_form(const struct decoding *d, const struct x86_form *form,
                     struct x86_insn *out)
{
    const struct x86_form *dead = find_form(d, X86_DEAD_FLAGS);
    uint8_t flags = form->row->flags;

    use_form(form, out);
    out->is_pure = flags & X86_ROW_NO_FAULT;
    out->sets_all_flags = flags & X86_ROW_SETS_FLAGS;
    out->reads_flags = touches_flags(&d->insn) && !out->sets_all_flags;
    if (dead && !d->is_locked)
        out->dead_fn = dead->fn;
    if (needs_full(d) && (!out->is_pure || (flags & X86_ROW_BRANCH)))
        out->op.fn = x86_run_full;
}

/* The host executes it. */
static bool set_native(const struct decoding *d, struct x86_insn *out)
{
    const struct x86_thunk *thunk = x86_thunks_get(
        d->decoder->thunks, &d->insn, d->operands, d->in->bytes, NULL);

    if (!thunk || d->is_locked)
        return false;
    use_form(x86_native_form(thunk, d->addr, &out->op), out);
    if (needs_full(d) && d->mem)
        out->op.fn = x86_run_full;
    out->info.op_class = thunk->op_class;
    out->reads_flags = thunk->reads_flags | thunk->writes_flags;
    return true;
}

static void set_unknown(const struct decoding *d, struct x86_insn *out)
{
    out->op.aux = (void *)ZydisMnemonicGetString(d->insn.mnemonic);
    use_form(&unknown_form, out);
}

static ZydisDecoder *machine_for(struct x86_decoder *decoder, unsigned mode)
{
    if ((mode & X86_MODE_SIZE) == X86_MODE_64)
        return &decoder->machines[MACHINE_64];
    if ((mode & X86_MODE_SIZE) == X86_MODE_32)
        return &decoder->machines[MACHINE_32];
    return &decoder->machines[mode & X86_MODE_REAL ? MACHINE_REAL : MACHINE_16];
}

enum x86_decode_status x86_decode(struct x86_decoder *decoder,
                                  const struct x86_decode_in *in,
                                  struct x86_insn *out)
{
    struct decoding d = {.decoder = decoder, .in = in};
    const struct x86_form *form;
    ZyanStatus status =
        x86_quirks_decode(machine_for(decoder, in->core->mode), in->bytes,
                          in->num_bytes, &d.insn, d.operands);

    if (!ZYAN_SUCCESS(status))
        return decode_failed(status, in, out);
    look_at_operands(&d);
    *out = (struct x86_insn){.op = {.fn = NULL}};
    set_op(&d, &out->op);
    count_accesses(&d, &out->info);
    if (d.insn.mnemonic == ZYDIS_MNEMONIC_VMCALL ||
        d.insn.mnemonic == ZYDIS_MNEMONIC_VMMCALL)
        return use_form(&hypercall_form, out);
    if (!x86_cpuid_offers(in->core->cpuid, &d.insn))
        return use_form(&undefined_form, out);
    form = choose_form(&d);
    if (form)
        set_form(&d, form, out);
    else if (!set_native(&d, out))
        set_unknown(&d, out);
    return X86_DECODED;
}
