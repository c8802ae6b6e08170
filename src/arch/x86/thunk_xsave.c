/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State moves between struct x86_fpu and an area in guest memory by way of a
 * buffer, component by component.
 *
 * Choices where the manual leaves one: XINUSE follows content; XSAVEOPT and
 * XSAVES use the init optimisation, not the modified one; supervisor components
 * do not exist (IA32_XSS = 0).
 * Source: [SDM] Vol. 1, "Managing State Using the XSAVE Feature Set"; Vol. 2A,
 * "FXSAVE"; [APM] Vol. 2, "FXSAVE and FXRSTOR Instructions" (x87 pointers).
 */
#include "arch/x86/thunk_xsave.h"

#include "arch/x86/access.h"

#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"
#include "arch/x86/thunk_run.h"

#include <string.h>

enum {
    AREA_MAX = 4096,
    FX_BYTES = 512,
    HEADER_BYTES = 64,
    CR4_OSXSAVE = 1 << 18,
    BIT_X87 = 1 << X86_XCOMP_X87,
    BIT_SSE = 1 << X86_XCOMP_SSE,
    BIT_AVX = 1 << X86_XCOMP_AVX,
};
#define COMPACT_BIT (UINT64_C(1) << 63)

/* One area under way. */
struct area {
    struct x86_fpu *fpu;
    const struct x86_thunk *thunk;
    struct x86_thunk_call *call;
    unsigned num_regs; /* 16, or 8 outside 64-bit mode */
    bool is_wide;      /* 64-bit pointers: FXSAVE64 and the like */
    bool is_compact;
    uint64_t comps; /* RFBM */
    uint64_t used;  /* XSTATE_BV */
    uint64_t xcomp; /* XCOMP_BV */
    SIM_ALIGNAS(64) uint8_t data[AREA_MAX];
};

static bool is_wide_form(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEOPT64:
    case ZYDIS_MNEMONIC_XSAVEC64:
    case ZYDIS_MNEMONIC_XSAVES64:
    case ZYDIS_MNEMONIC_XRSTOR64:
    case ZYDIS_MNEMONIC_XRSTORS64:
        return true;
    default:
        return false;
    }
}

static void area_init(struct area *area, struct x86_fpu *fpu,
                      const struct x86_thunk *thunk,
                      struct x86_thunk_call *call)
{
    area->fpu = fpu;
    area->thunk = thunk;
    area->call = call;
    area->num_regs = thunk->mode_bits == 64 ? 16 : 8;
    area->is_wide = is_wide_form(thunk->mnemonic);
    area->is_compact = false;
    area->comps = 0;
    area->used = 0;
    area->xcomp = 0;
    memset(area->data, 0, sizeof(area->data));
    x86_fpu_leave(fpu);
}

static bool check_address(const struct area *area, unsigned align)
{
    const struct x86_mem_operand *at = &area->call->mem;
    bool is_aligned =
        x86_thunk_check_aligned(area->fpu, area->thunk, area->call, align);

    bool is_valid =
        area->thunk->mode_bits == 64
            ? x86_is_canonical(at->offset)
            : x86_seg_holds(&area->fpu->state->seg[at->seg], at->offset, 1);

    /* Intel's processors look at the address first. */
    if (!is_aligned && at->seg == X86_SS_SEG && !is_valid &&
        !x86_quirks_is_amd())
        return x86_thunk_fault(area->call, X86_SS);
    return is_aligned;
}

static bool area_touch(struct area *area, unsigned from, unsigned size,
                       enum x86_thunk_mem what)
{
    struct x86_mem_operand at = area->call->mem;
    struct x86_mem_span span;

    at.offset += from;
    span = (struct x86_mem_span){at, size, area->data + from};
    return what == X86_THUNK_READ
               ? x86_span_read(area->fpu, &span, &area->call->fault)
               : x86_span_write(area->fpu, &span, &area->call->fault);
}

/* --------------------------------------------------------------- legacy region
 */

/* Processors that keep pointers for pending exceptions only write zeros. */
static bool pointers_are_kept(const struct x86_fpu *fpu)
{
    return fpu->saves_pointers || (fpu->x87[X86_FX_FSW] & X86_FSW_ES);
}

static void put_pointers(struct area *area)
{
    const struct x86_fpu *fpu = area->fpu;
    uint8_t *data = area->data;

    memset(data + X86_FX_FOP, 0, 18);
    if (!pointers_are_kept(fpu))
        return;
    x86_fx_set_u16(data, X86_FX_FOP, fpu->fop);
    memcpy(data + X86_FX_FIP, &fpu->fip, area->is_wide ? 8 : 4);
    memcpy(data + X86_FX_FDP, &fpu->fdp, area->is_wide ? 8 : 4);
    if (area->is_wide || !fpu->has_selectors)
        return;
    x86_fx_set_u16(data, X86_FX_FCS, fpu->state->seg[X86_CS].selector);
    x86_fx_set_u16(data, X86_FX_FDS, fpu->fds);
}

static void put_x87(struct area *area)
{
    memcpy(area->data, area->fpu->x87, 5);
    area->data[5] = 0;
    put_pointers(area);
    memcpy(area->data + X86_FX_ST, area->fpu->x87 + X86_FX_ST, 128);
}

static void put_mxcsr(struct area *area)
{
    uint32_t mask = x86_fpu_mxcsr_mask(area->fpu);

    memcpy(area->data + X86_FX_MXCSR, &area->fpu->mxcsr, 4);
    memcpy(area->data + X86_FX_MXCSR_MASK, &mask, 4);
}

static void put_xmm(struct area *area)
{
    for (unsigned i = 0; i < area->num_regs; i++)
        memcpy(area->data + X86_FX_XMM + (size_t)16 * i, area->fpu->vec[i], 16);
}

static bool mxcsr_is_valid(const struct area *area)
{
    uint32_t mxcsr;

    memcpy(&mxcsr, area->data + X86_FX_MXCSR, 4);
    return !(mxcsr & ~x86_fpu_mxcsr_mask(area->fpu));
}

static void get_mxcsr(struct area *area)
{
    uint32_t mxcsr;

    memcpy(&mxcsr, area->data + X86_FX_MXCSR, 4);
    x86_fpu_set_mxcsr(area->fpu, mxcsr);
}

static void get_pointers(struct area *area)
{
    struct x86_fpu *fpu = area->fpu;
    size_t size = area->is_wide ? 8 : 4;

    if (!pointers_are_kept(fpu))
        return;
    fpu->fip = 0;
    fpu->fdp = 0;
    memcpy(&fpu->fip, area->data + X86_FX_FIP, size);
    memcpy(&fpu->fdp, area->data + X86_FX_FDP, size);
    fpu->fop = x86_fx_u16(area->data, X86_FX_FOP) & 0x7ff;
}

/* The upper 48 bits of each 16-byte register slot are reserved. */
static void get_x87(struct area *area)
{
    uint8_t *x87 = area->fpu->x87;
    uint16_t fsw = x86_fx_u16(area->data, X86_FX_FSW) & 0x7f7f;
    uint16_t fcw = x86_fx_u16(area->data, X86_FX_FCW);

    fcw = (fcw & 0x1f3f) | 0x40;
    if (fsw & ~fcw & X86_FCW_MASKS)
        fsw |= 0x8080;
    x86_fx_set_u16(x87, X86_FX_FCW, fcw);
    x86_fx_set_u16(x87, X86_FX_FSW, fsw);
    x87[X86_FX_FTW] = area->data[X86_FX_FTW];
    for (unsigned i = 0; i < 8; i++)
        memcpy(x87 + X86_FX_ST + (size_t)16 * i,
               area->data + X86_FX_ST + (size_t)16 * i, 10);
    get_pointers(area);
}

static void get_xmm(struct area *area)
{
    for (unsigned i = 0; i < area->num_regs; i++)
        memcpy(area->fpu->vec[i], area->data + X86_FX_XMM + (size_t)16 * i, 16);
}

/* FXSAVE and FXRSTOR touch the last byte before all others; its address wraps
 * in 16-bit code (measured). */
static struct x86_mem_span fx_last_byte(struct area *area)
{
    struct x86_mem_operand at = area->call->mem;

    at.offset += FX_BYTES - 1;
    if (area->thunk->mode_bits != 64 && !x86_quirks_is_amd())
        at.offset = x86_thunk_truncate(at.offset, at.addr_bits);
    return (struct x86_mem_span){at, 1, area->data + FX_BYTES - 1};
}

static bool check_fxsave(struct area *area)
{
    struct x86_mem_span span = {area->call->mem, FX_BYTES, area->data};
    struct x86_mem_span last = fx_last_byte(area);
    struct x86_fault *fault = &area->call->fault;

    return check_address(area, 16) &&
           x86_span_check_write(area->fpu, &last, fault) &&
           x86_span_check_write(area->fpu, &span, fault);
}

static bool read_fxrstor(struct area *area)
{
    struct x86_mem_span last = fx_last_byte(area);

    return check_address(area, 16) &&
           x86_span_read(area->fpu, &last, &area->call->fault) &&
           area_touch(area, 0, FX_BYTES, X86_THUNK_READ);
}

bool x86_thunk_fxsave(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call)
{
    struct area area;

    area_init(&area, fpu, thunk, call);
    if (!check_fxsave(&area))
        return false;
    put_x87(&area);
    put_mxcsr(&area);
    put_xmm(&area);
    return area_touch(&area, 0, area.num_regs * 16 + X86_FX_XMM,
                      X86_THUNK_WRITE);
}

bool x86_thunk_fxrstor(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call)
{
    struct area area;

    area_init(&area, fpu, thunk, call);
    if (!read_fxrstor(&area))
        return false;
    if (!mxcsr_is_valid(&area))
        return x86_thunk_fault(call, X86_GP);
    get_x87(&area);
    get_mxcsr(&area);
    get_xmm(&area);
    return true;
}

/* ------------------------------------------------------------ extended region
 */

/* Components that are pieces of each vector register. */
static const struct piece {
    uint8_t first, at, size; /* register, byte in it, bytes */
} pieces[X86_NUM_XCOMPS] = {
    [X86_XCOMP_AVX] = {0,  16, 16},
    [X86_XCOMP_ZMM_HI] = {0,  32, 32},
    [X86_XCOMP_HI16_ZMM] = {16, 0,  64},
};

static uint8_t *comp_at(struct area *area, unsigned index)
{
    const struct x86_xsave_layout *layout = &area->fpu->layout;
    uint32_t at = area->is_compact
                      ? x86_xsave_compact_offset(layout, area->xcomp, index)
                      : layout->comp[index].offset;

    return area->data + at;
}

enum { TO_AREA, FROM_AREA, TO_INITIAL };

static void move(uint8_t *state, uint8_t *area, size_t size, int direction)
{
    if (direction == TO_AREA)
        memcpy(area, state, size);
    else if (direction == FROM_AREA)
        memcpy(state, area, size);
    else
        memset(state, 0, size);
}

static void move_pieces(struct area *area, unsigned index, int direction)
{
    const struct piece *piece = &pieces[index];
    uint8_t *at = comp_at(area, index);
    unsigned num = area->num_regs;

    if (index == X86_XCOMP_HI16_ZMM && num < 16)
        return;
    for (unsigned i = 0; i < num; i++)
        move(area->fpu->vec[piece->first + i] + piece->at,
             at + (size_t)i * piece->size, piece->size, direction);
}

static void move_comp(struct area *area, unsigned index, int direction)
{
    struct x86_fpu *fpu = area->fpu;
    uint8_t *at = comp_at(area, index);

    if (index == X86_XCOMP_OPMASK)
        move((uint8_t *)fpu->opmask, at, sizeof(fpu->opmask), direction);
    else if (index == X86_XCOMP_PKRU)
        move(fpu->state->xsave + X86_XSAVE_PKRU, at, 4, direction);
    else if (pieces[index].size)
        move_pieces(area, index, direction);
}

/* --------------------------------------------------------------------- XSAVE
 */

static bool pkru_in_use(const struct x86_fpu *fpu)
{
    uint32_t pkru;

    memcpy(&pkru, fpu->state->xsave + X86_XSAVE_PKRU, 4);
    return pkru;
}

static uint64_t in_use(const struct x86_fpu *fpu)
{
    return x86_fpu_in_use(fpu) | (uint64_t)pkru_in_use(fpu) << X86_XCOMP_PKRU;
}

/* Reasons to refuse that all of the family share. */
static bool check_xsave(struct area *area, bool is_supervisor)
{
    struct x86_fpu *fpu = area->fpu;
    const uint64_t *gpr = fpu->state->gpr;

    if (!(fpu->state->cr4 & CR4_OSXSAVE))
        return x86_thunk_fault(area->call, X86_UD);
    if (fpu->state->cr0 & 8)
        return x86_thunk_fault(area->call, X86_NM);
    if (is_supervisor && fpu->state->seg[X86_SS_SEG].dpl)
        return x86_thunk_fault(area->call, X86_GP);
    area->comps =
        (gpr[X86_RDX] << 32 | (uint32_t)gpr[X86_RAX]) & fpu->state->xcr0;
    return check_address(area, 64);
}

static bool is_compacting(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_XSAVEC ||
           mnemonic == ZYDIS_MNEMONIC_XSAVEC64 ||
           mnemonic == ZYDIS_MNEMONIC_XSAVES ||
           mnemonic == ZYDIS_MNEMONIC_XSAVES64;
}

static bool is_supervisor(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_XSAVES ||
           mnemonic == ZYDIS_MNEMONIC_XSAVES64 ||
           mnemonic == ZYDIS_MNEMONIC_XRSTORS ||
           mnemonic == ZYDIS_MNEMONIC_XRSTORS64;
}

static bool is_plain(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_XSAVE ||
           mnemonic == ZYDIS_MNEMONIC_XSAVE64;
}

static bool write_part(struct area *area, unsigned from, unsigned size)
{
    return area_touch(area, from, size, X86_THUNK_WRITE);
}

static bool write_legacy(struct area *area, uint64_t written)
{
    if ((written & BIT_X87) &&
        (!write_part(area, 0, 24) || !write_part(area, X86_FX_ST, 128)))
        return false;
    if ((written & BIT_SSE) &&
        !write_part(area, X86_FX_XMM, area->num_regs * 16))
        return false;
    return true;
}

/* Legacy parts first, the header last; everything was checked before. */
static bool write_area(struct area *area, uint64_t written, bool has_mxcsr)
{
    if (has_mxcsr && !write_part(area, X86_FX_MXCSR, 8))
        return false;
    if (!write_legacy(area, written))
        return false;
    for (unsigned i = 2; i < X86_NUM_XCOMPS; i++) {
        unsigned at = (unsigned)(comp_at(area, i) - area->data);
        unsigned size = area->fpu->layout.comp[i].size;

        if (pieces[i].size && i != X86_XCOMP_HI16_ZMM)
            size = size / 16 * area->num_regs;
        if (i == X86_XCOMP_HI16_ZMM && area->num_regs < 16)
            continue;
        if ((written >> i & 1) && !write_part(area, at, size))
            return false;
    }
    return write_part(area, X86_XSAVE_HEADER, area->is_compact ? 16 : 8);
}

/* Intel's processors begin with the last byte that may be accessed
 * (measured). */
static bool check_last_byte(struct area *area, unsigned size,
                            enum x86_thunk_mem what)
{
    struct x86_mem_operand at = area->call->mem;
    struct x86_fault *fault = &area->call->fault;
    uint8_t byte;

    if (x86_quirks_is_amd())
        return true;
    at.offset += size - 1;
    return what == X86_THUNK_READ
               ? area->fpu->mem->read(area->fpu->core, &at, &byte, 1, fault)
               : area->fpu->mem->check_write(area->fpu->core, &at, 1, fault);
}

static bool check_area(struct area *area, uint64_t comps)
{
    const struct x86_xsave_layout *layout = &area->fpu->layout;
    struct x86_mem_span span = {
        area->call->mem,
        area->is_compact ? x86_xsave_compact_size(layout, comps)
                         : x86_xsave_size(layout, comps),
        area->data,
    };

    return check_last_byte(area, span.size, X86_THUNK_WRITE) &&
           x86_span_check_write(area->fpu, &span, &area->call->fault);
}

static bool xsave_standard(struct area *area)
{
    uint64_t written = area->comps;
    uint64_t old;

    if (!check_area(area, written))
        return false;
    if (!area_touch(area, X86_XSAVE_HEADER, 8, X86_THUNK_READ))
        return false;
    memcpy(&old, area->data + X86_XSAVE_HEADER, 8);
    old = (old & ~area->comps) | (area->used & area->comps);
    memcpy(area->data + X86_XSAVE_HEADER, &old, 8);
    if (!is_plain(area->thunk->mnemonic))
        written &= area->used;
    return write_area(area, written, area->comps & (BIT_SSE | BIT_AVX));
}

static bool xsave_compact(struct area *area)
{
    uint64_t used = area->used & area->comps;
    uint64_t xcomp = area->comps | COMPACT_BIT;

    /* MXCSR belongs to SSE here, and counts for its being in use. */
    if ((area->comps & BIT_SSE) && area->fpu->mxcsr != X86_MXCSR_DEFAULT)
        used |= BIT_SSE;
    memcpy(area->data + X86_XSAVE_HEADER, &used, 8);
    memcpy(area->data + X86_XSAVE_HEADER + 8, &xcomp, 8);
    return check_area(area, area->comps) &&
           write_area(area, used, used & BIT_SSE);
}

bool x86_thunk_xsave(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call)
{
    struct area area;

    area_init(&area, fpu, thunk, call);
    if (!check_xsave(&area, is_supervisor(thunk->mnemonic)))
        return false;
    area.is_compact = is_compacting(thunk->mnemonic);
    area.xcomp = area.comps;
    area.used = in_use(fpu);
    if (area.num_regs < 16 && !x86_quirks_is_amd()) /* measured */
        area.used &= ~(UINT64_C(1) << X86_XCOMP_HI16_ZMM);
    put_x87(&area);
    put_mxcsr(&area);
    put_xmm(&area);
    for (unsigned i = 2; i < X86_NUM_XCOMPS; i++) {
        if (area.comps >> i & 1)
            move_comp(&area, i, TO_AREA);
    }
    return area.is_compact ? xsave_compact(&area) : xsave_standard(&area);
}

/* --------------------------------------------------------------------- XRSTOR
 */

static bool header_is_zero(const struct area *area, unsigned from)
{
    for (unsigned i = from; i < HEADER_BYTES; i++) {
        if (area->data[X86_XSAVE_HEADER + i])
            return false;
    }
    return true;
}

static bool header_is_valid(struct area *area)
{
    uint64_t xcr0 = area->fpu->state->xcr0;

    memcpy(&area->used, area->data + X86_XSAVE_HEADER, 8);
    memcpy(&area->xcomp, area->data + X86_XSAVE_HEADER + 8, 8);
    area->is_compact = area->xcomp & COMPACT_BIT;
    area->xcomp &= ~COMPACT_BIT;
    if (area->used & ~xcr0)
        return false;
    if (!area->is_compact)
        return !area->xcomp && header_is_zero(area, 8) &&
               !is_supervisor(area->thunk->mnemonic);
    return !(area->xcomp & ~xcr0) && !(area->used & ~area->xcomp) &&
           header_is_zero(area, 16);
}

static bool read_bytes(struct area *area, unsigned from, unsigned size)
{
    struct x86_mem_operand at = area->call->mem;

    at.offset += from;
    return area->fpu->mem->read(area->fpu->core, &at, area->data + from, size,
                                &area->call->fault);
}

/* Intel's processors read XCOMP_BV and, in the standard format, the last byte
 * of the area before all else (measured). */
static bool read_xcomp(struct area *area)
{
    const struct x86_xsave_layout *layout = &area->fpu->layout;
    uint64_t xcomp;

    if (x86_quirks_is_amd())
        return true;
    if (!read_bytes(area, X86_XSAVE_HEADER + 8, 8))
        return false;
    memcpy(&xcomp, area->data + X86_XSAVE_HEADER + 8, 8);
    return (xcomp & COMPACT_BIT) ||
           check_last_byte(area, x86_xsave_size(layout, area->comps),
                           X86_THUNK_READ);
}

/* The area's first byte, then the header: the order of page faults. */
static bool read_header(struct area *area)
{
    return read_xcomp(area) && area_touch(area, 0, 1, X86_THUNK_READ) &&
           read_bytes(area, X86_XSAVE_HEADER, HEADER_BYTES);
}

/* All that the header promises; more is not touched. */
static bool read_area(struct area *area)
{
    const struct x86_xsave_layout *layout = &area->fpu->layout;
    uint64_t wanted = area->comps & area->used;
    unsigned end = area->is_compact
                       ? x86_xsave_compact_size(layout, area->xcomp)
                       : x86_xsave_size(layout, wanted);

    return area_touch(area, 0, X86_XSAVE_HEADER, X86_THUNK_READ) &&
           (end <= X86_XSAVE_EXTENDED ||
            area_touch(area, X86_XSAVE_EXTENDED, end - X86_XSAVE_EXTENDED,
                       X86_THUNK_READ));
}

static bool mxcsr_is_loaded(const struct area *area)
{
    if (area->is_compact)
        return area->comps & area->used & BIT_SSE;
    return area->comps & (BIT_SSE | BIT_AVX);
}

static void restore_x87(struct area *area)
{
    if (!(area->used & BIT_X87)) {
        memset(area->data, 0, X86_FX_MXCSR);
        memset(area->data + X86_FX_ST, 0, 128);
        x86_fx_set_u16(area->data, X86_FX_FCW, X86_FCW_DEFAULT);
        area->fpu->fip = 0;
        area->fpu->fdp = 0;
        area->fpu->fop = 0;
    }
    get_x87(area);
}

static void restore_sse(struct area *area)
{
    if (!(area->used & BIT_SSE)) {
        memset(area->data + X86_FX_XMM, 0, 256);
        if (area->is_compact)
            x86_fpu_set_mxcsr(area->fpu, X86_MXCSR_DEFAULT);
    }
    get_xmm(area);
}

bool x86_thunk_xrstor(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call)
{
    struct area area;

    area_init(&area, fpu, thunk, call);
    if (!check_xsave(&area, is_supervisor(thunk->mnemonic)) ||
        !read_header(&area))
        return false;
    if (!header_is_valid(&area))
        return x86_thunk_fault(call, X86_GP);
    if (!read_area(&area))
        return false;
    if (mxcsr_is_loaded(&area) && !mxcsr_is_valid(&area))
        return x86_thunk_fault(call, X86_GP);
    if (mxcsr_is_loaded(&area))
        get_mxcsr(&area);
    if (area.comps & BIT_X87)
        restore_x87(&area);
    if (area.comps & BIT_SSE)
        restore_sse(&area);
    for (unsigned i = 2; i < X86_NUM_XCOMPS; i++) {
        if (area.comps >> i & 1)
            move_comp(&area, i, area.used >> i & 1 ? FROM_AREA : TO_INITIAL);
    }
    return true;
}
