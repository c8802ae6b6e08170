/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segment descriptors and the registers they are loaded into.
 * Sources: [SDM] Vol. 3A, "Protected-Mode Memory Management" and "Protection";
 * [SDM] Vol. 2, MOV, LAR, LSL, VERR/VERW, LLDT, LTR.
 */
#include "arch/x86/segment.h"

#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/vmem.h"

enum { SELECTOR_RPL = 3, SELECTOR_TI = 4, SELECTOR_ERROR = 0xfffc };

bool x86_is_canonical(uint64_t addr)
{
    return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

void x86_desc_decode(uint64_t raw, uint16_t selector, struct x86_seg *seg)
{
    uint32_t limit = (uint32_t)((raw & 0xffff) | ((raw >> 32) & 0xf0000));

    *seg = (struct x86_seg){
        .base = ((raw >> 16) & 0xffffff) | ((raw >> 32) & 0xff000000),
        .selector = selector,
        .type = (raw >> 40) & 0xf,
        .s = (raw >> 44) & 1,
        .dpl = (raw >> 45) & 3,
        .present = (raw >> 47) & 1,
        .avl = (raw >> 52) & 1,
        .l = (raw >> 53) & 1,
        .db = (raw >> 54) & 1,
        .g = (raw >> 55) & 1,
    };
    seg->limit = seg->g ? (limit << 12) | 0xfff : limit;
}

/* Linear address of the descriptor, or false if outside its table. */
static bool desc_addr(const struct x86_state *state, uint16_t selector,
                      unsigned size, uint64_t *addr)
{
    uint32_t offset = selector & ~7U;
    uint64_t base = state->gdtr.base;
    uint32_t limit = state->gdtr.limit;

    if (selector & SELECTOR_TI) {
        if (state->ldtr.unusable)
            return false;
        base = state->ldtr.base;
        limit = state->ldtr.limit;
    }
    *addr = base + offset;
    return offset + size - 1 <= limit;
}

bool x86_desc_read(struct x86_core *core, uint16_t selector, uint8_t vector,
                   uint64_t *raw, uint64_t *high, struct x86_fault *fault)
{
    uint64_t words[2] = {0};
    unsigned size = high ? 16 : 8;
    uint64_t addr;

    if (!desc_addr(x86_core_state(core), selector, size, &addr))
        return x86_fail(fault, vector, selector & SELECTOR_ERROR);
    if (x86_vmem_read(core, (gva_t){addr}, words, size, X86_ACCESS_IMPLICIT,
                      fault) != size)
        return false;
    *raw = words[0];
    if (high)
        *high = words[1];
    return true;
}

bool x86_desc_write_type(struct x86_core *core, uint16_t selector, uint8_t type,
                         struct x86_fault *fault)
{
    uint64_t addr;
    uint8_t byte;

    if (!desc_addr(x86_core_state(core), selector, 8, &addr))
        return x86_fail(fault, X86_GP, selector & SELECTOR_ERROR);
    addr += 5; /* type, S, DPL, P */
    if (x86_vmem_read(core, (gva_t){addr}, &byte, 1, X86_ACCESS_IMPLICIT,
                      fault) != 1)
        return false;
    if ((byte & 0xf) == type)
        return true;
    byte = (uint8_t)((byte & 0xf0) | type);
    return x86_vmem_write(core, (gva_t){addr}, &byte, 1, X86_ACCESS_IMPLICIT,
                          fault) == 1;
}

/* [SDM] Vol. 3A, "Segment Loading Instructions in IA-32e Mode": a null SS is
 * allowed in 64-bit mode below CPL 3. */
static bool load_null(struct x86_state *state, enum x86_seg_name name,
                      uint16_t selector, struct x86_fault *fault)
{
    struct x86_seg *seg = &state->seg[name];

    if (name == X86_SS_SEG &&
        (!x86_in_64bit_mode(state) || x86_cpl(state) == 3 ||
         (selector & SELECTOR_RPL) != x86_cpl(state)))
        return x86_fail(fault, X86_GP, 0);
    *seg = (struct x86_seg){.selector = selector,
                            .base = name >= X86_FS ? seg->base : 0,
                            .dpl = (uint8_t)(selector & SELECTOR_RPL),
                            .unusable = 1};
    if (name >= X86_FS)
        seg->base = 0;
    return true;
}

static bool check_data(const struct x86_state *state, const struct x86_seg *seg,
                       struct x86_fault *fault)
{
    unsigned cpl = x86_cpl(state), rpl = seg->selector & SELECTOR_RPL;
    uint32_t error = seg->selector & SELECTOR_ERROR;
    bool is_code = seg->type & X86_SEG_CODE;

    if (!seg->s || (is_code && !(seg->type & X86_SEG_READABLE)))
        return x86_fail(fault, X86_GP, error);
    if (!(is_code && (seg->type & X86_SEG_CONFORMING)) &&
        (rpl > seg->dpl || cpl > seg->dpl))
        return x86_fail(fault, X86_GP, error);
    if (!seg->present)
        return x86_fail(fault, X86_NP, error);
    return true;
}

bool x86_seg_check_stack(struct x86_core *core, uint16_t selector, unsigned cpl,
                         uint8_t vector, struct x86_seg *out,
                         struct x86_fault *fault)
{
    uint32_t error = selector & SELECTOR_ERROR;
    uint64_t raw;

    if (!(selector & SELECTOR_ERROR))
        return x86_fail(fault, vector, 0);
    if (!x86_desc_read(core, selector, vector, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, selector, out);
    if ((selector & SELECTOR_RPL) != cpl || out->dpl != cpl || !out->s ||
        (out->type & X86_SEG_CODE) || !(out->type & X86_SEG_WRITABLE))
        return x86_fail(fault, vector, error);
    if (!out->present)
        return x86_fail(fault, X86_SS, error);
    if (!x86_desc_write_type(core, selector, out->type | X86_SEG_ACCESSED,
                             fault))
        return false;
    out->type |= X86_SEG_ACCESSED;
    return true;
}

bool x86_seg_load(struct x86_core *core, enum x86_seg_name name,
                  uint16_t selector, struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    struct x86_seg seg;
    uint64_t raw;

    if (x86_in_8086_mode(state)) {
        x86_seg_load_8086(state, name, selector);
        return true;
    }
    if (!(selector & SELECTOR_ERROR))
        return load_null(state, name, selector, fault);
    if (name == X86_SS_SEG) {
        if (!x86_seg_check_stack(core, selector, x86_cpl(state), X86_GP, &seg,
                                 fault))
            return false;
        state->seg[name] = seg;
        return true;
    }
    if (!x86_desc_read(core, selector, X86_GP, &raw, NULL, fault))
        return false;
    x86_desc_decode(raw, selector, &seg);
    if (!check_data(state, &seg, fault) ||
        !x86_desc_write_type(core, selector, seg.type | X86_SEG_ACCESSED,
                             fault))
        return false;
    seg.type |= X86_SEG_ACCESSED;
    state->seg[name] = seg;
    return true;
}

void x86_seg_load_8086(struct x86_state *state, enum x86_seg_name name,
                       uint16_t selector)
{
    struct x86_seg *seg = &state->seg[name];

    seg->selector = selector;
    seg->base = (uint64_t)selector << 4;
    seg->unusable = 0;
    if (!x86_in_v86_mode(state)) {
        /* Real mode keeps limit and rights ("unreal mode"); CS is writable.
         * [SDM] Vol. 3A, "Real-Address Mode Operation". */
        seg->present = 1;
        return;
    }
    *seg = (struct x86_seg){.base = seg->base,
                            .limit = 0xffff,
                            .selector = selector,
                            .type = 3,
                            .s = 1,
                            .dpl = 3,
                            .present = 1};
}

void x86_seg_drop_inner(struct x86_state *state, unsigned cpl)
{
    static const enum x86_seg_name names[] = {X86_ES, X86_DS, X86_FS, X86_GS};

    for (unsigned i = 0; i < SIM_ARRAY_LEN(names); i++) {
        struct x86_seg *seg = &state->seg[names[i]];
        bool is_free =
            (seg->type & X86_SEG_CODE) && (seg->type & X86_SEG_CONFORMING);

        /* The base stays: 64-bit mode uses those of FS and GS even so. */
        if (!seg->unusable && !is_free && seg->dpl < cpl)
            *seg = (struct x86_seg){.base = seg->base, .unusable = 1};
    }
}

/* A system segment that needs 16 bytes in long mode: LDT or TSS. */
static bool load_system(struct x86_core *core, uint16_t selector,
                        unsigned wanted, struct x86_seg *out,
                        struct x86_fault *fault)
{
    uint32_t error = selector & SELECTOR_ERROR;
    bool is_long = x86_in_long_mode(x86_core_state(core));
    uint64_t raw, high = 0;

    if (selector & SELECTOR_TI)
        return x86_fail(fault, X86_GP, error);
    if (!x86_desc_read(core, selector, X86_GP, &raw, is_long ? &high : NULL,
                       fault))
        return false;
    x86_desc_decode(raw, selector, out);
    out->base |= high << 32;
    if (out->s || !(wanted & (1U << out->type)) ||
        (is_long && !x86_is_canonical(out->base)))
        return x86_fail(fault, X86_GP, error);
    if (!out->present)
        return x86_fail(fault, X86_NP, error);
    return true;
}

bool x86_load_ldtr(struct x86_core *core, uint16_t selector,
                   struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    struct x86_seg seg;

    if (!(selector & SELECTOR_ERROR)) {
        state->ldtr = (struct x86_seg){.selector = selector, .unusable = 1};
        return true;
    }
    if (!load_system(core, selector, 1U << X86_LDT, &seg, fault))
        return false;
    state->ldtr = seg;
    return true;
}

bool x86_load_tr(struct x86_core *core, uint16_t selector,
                 struct x86_fault *fault)
{
    struct x86_state *state = x86_core_state(core);
    unsigned wanted = 1U << X86_TSS_AVAIL;
    struct x86_seg seg;

    if (!(selector & SELECTOR_ERROR))
        return x86_fail(fault, X86_GP, 0);
    if (!x86_in_long_mode(state))
        wanted |= 1U << X86_TSS16_AVAIL;
    if (!load_system(core, selector, wanted, &seg, fault))
        return false;
    seg.type |= 2; /* busy */
    if (!x86_desc_write_type(core, selector, seg.type, fault))
        return false;
    state->tr = seg;
    return true;
}

/* The descriptor of a selector that LAR and its kin inspect; no faults other
 * than a page fault exist, and the instruction then reports "not accessible".
 */
static bool inspect(struct x86_core *core, uint16_t selector,
                    struct x86_seg *seg, uint64_t *raw)
{
    struct x86_fault ignored;

    if (!(selector & SELECTOR_ERROR) ||
        !x86_desc_read(core, selector, X86_GP, raw, NULL, &ignored))
        return false;
    x86_desc_decode(*raw, selector, seg);
    return true;
}

static bool is_visible(const struct x86_state *state, const struct x86_seg *seg)
{
    unsigned rpl = seg->selector & SELECTOR_RPL;

    if (seg->s && (seg->type & X86_SEG_CODE) &&
        (seg->type & X86_SEG_CONFORMING))
        return true;
    return x86_cpl(state) <= seg->dpl && rpl <= seg->dpl;
}

/* System types that LAR and LSL accept.  [SDM] Vol. 2A, LAR, table 3-53. */
static unsigned inspectable_types(const struct x86_state *state,
                                  bool with_gates)
{
    unsigned types = 1U << X86_LDT | 1U << X86_TSS_AVAIL | 1U << X86_TSS_BUSY;

    if (!x86_in_long_mode(state))
        types |= 1U << X86_TSS16_AVAIL | 1U << X86_TSS16_BUSY;
    if (with_gates) {
        types |= 1U << X86_CALL_GATE;
        if (!x86_in_long_mode(state))
            types |= 1U << X86_CALL_GATE16 | 1U << X86_TASK_GATE;
    }
    return types;
}

bool x86_lar(struct x86_core *core, uint16_t selector, uint32_t *rights)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_seg seg;
    uint64_t raw;

    if (!inspect(core, selector, &seg, &raw) || !is_visible(state, &seg))
        return false;
    if (!seg.s && !(inspectable_types(state, true) & (1U << seg.type)))
        return false;
    *rights = (uint32_t)(raw >> 32) & 0x00ffff00;
    return true;
}

bool x86_lsl(struct x86_core *core, uint16_t selector, uint32_t *limit)
{
    const struct x86_state *state = x86_core_state(core);
    struct x86_seg seg;
    uint64_t raw;

    if (!inspect(core, selector, &seg, &raw) || !is_visible(state, &seg))
        return false;
    if (!seg.s && !(inspectable_types(state, false) & (1U << seg.type)))
        return false;
    *limit = seg.limit;
    return true;
}

bool x86_verify(struct x86_core *core, uint16_t selector, unsigned access)
{
    struct x86_seg seg;
    uint64_t raw;
    bool is_code;

    if (!inspect(core, selector, &seg, &raw) || !seg.s ||
        !is_visible(x86_core_state(core), &seg))
        return false;
    is_code = seg.type & X86_SEG_CODE;
    if (access & X86_ACCESS_WRITE)
        return !is_code && (seg.type & X86_SEG_WRITABLE);
    return !is_code || (seg.type & X86_SEG_READABLE);
}
