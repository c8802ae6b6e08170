/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Elements are taken from the lowest up.  A fault leaves those before it done
 * and their mask bits clear, so that a restart goes on where it stopped.
 * Source: [SDM] Vol. 2C, "VPGATHERDD, VPGATHERDQ"; "VPSCATTERDD, ..."; Vol. 2B,
 * "MASKMOVDQU".
 */
#include "arch/x86/thunk_gather.h"

#include "arch/x86/quirks.h"
#include "arch/x86/thunk_run.h"

#include <string.h>

static int64_t index_of(const struct x86_fpu *fpu,
                        const struct x86_thunk *thunk, unsigned i)
{
    const uint8_t *at = fpu->vec[thunk->index] + (size_t)i * thunk->index_size;
    int32_t narrow;
    int64_t wide;

    if (thunk->index_size == 4) {
        memcpy(&narrow, at, 4);
        return narrow;
    }
    memcpy(&wide, at, 8);
    return wide;
}

static struct x86_mem_operand element_at(const struct x86_fpu *fpu,
                                         const struct x86_thunk *thunk,
                                         const struct x86_thunk_call *call,
                                         unsigned i)
{
    struct x86_mem_operand at = call->mem;
    uint64_t index = (uint64_t)index_of(fpu, thunk, i);

    at.offset =
        x86_thunk_truncate(at.offset + index * thunk->scale, at.addr_bits);
    return at;
}

static bool is_vex(const struct x86_thunk *thunk)
{
    return thunk->mask & X86_THUNK_VEX_MASK;
}

static uint64_t gather_mask(const struct x86_fpu *fpu,
                            const struct x86_thunk *thunk)
{
    if (is_vex(thunk))
        return x86_thunk_vex_mask(fpu, thunk->mask & 31, thunk->elem_size,
                                  thunk->num_elems);
    return fpu->opmask[thunk->mask];
}

static void clear_mask_bit(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                           unsigned i)
{
    if (is_vex(thunk))
        memset(fpu->vec[thunk->mask & 31] + (size_t)i * thunk->elem_size, 0,
               thunk->elem_size);
    else
        fpu->opmask[thunk->mask] &= ~(UINT64_C(1) << i);
}

static void clear_mask(struct x86_fpu *fpu, const struct x86_thunk *thunk)
{
    if (is_vex(thunk))
        memset(fpu->vec[thunk->mask & 31], 0, 64);
    else
        fpu->opmask[thunk->mask] = 0;
}

/* Intel's processors make a vector mask all zeros and ones before they begin,
 * which a fault shows (measured). */
static void spread_mask(struct x86_fpu *fpu, const struct x86_thunk *thunk)
{
    uint8_t *vec = fpu->vec[thunk->mask & 31];
    size_t size = thunk->elem_size;
    unsigned num = (unsigned)(thunk->vec_size / size);
    uint64_t mask;

    if (!is_vex(thunk) || x86_quirks_is_amd())
        return;
    mask = x86_thunk_vex_mask(fpu, thunk->mask & 31, thunk->elem_size, num);
    memset(vec, 0, 64);
    for (unsigned i = 0; i < num; i++)
        if (mask >> i & 1)
            memset(vec + i * size, 0xff, size);
}

static bool gather_element(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                           struct x86_thunk_call *call, unsigned i)
{
    struct x86_mem_operand at = element_at(fpu, thunk, call, i);
    unsigned size = thunk->elem_size;
    uint8_t data[8];

    if (!fpu->mem->read(fpu->core, &at, data, size, &call->fault))
        return false;
    memcpy(fpu->vec[thunk->reg] + (size_t)i * size, data, size);
    return true;
}

static void clear_from(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       unsigned from)
{
    memset(fpu->vec[thunk->reg] + from, 0, 64 - from);
}

bool x86_thunk_gather(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call)
{
    uint64_t mask = gather_mask(fpu, thunk);
    bool is_begun = false;

    spread_mask(fpu, thunk);
    for (unsigned i = 0; i < thunk->num_elems; i++) {
        if ((mask >> i & 1) && !gather_element(fpu, thunk, call, i)) {
            /* as processors do */
            if (is_begun && (!is_vex(thunk) || !x86_quirks_is_amd()))
                clear_from(fpu, thunk, thunk->vec_size);
            return false;
        }
        is_begun |= mask >> i & 1;
        clear_mask_bit(fpu, thunk, i);
    }
    clear_from(fpu, thunk, (unsigned)thunk->elem_size * thunk->num_elems);
    clear_mask(fpu, thunk);
    return true;
}

bool x86_thunk_scatter(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call)
{
    uint64_t mask = gather_mask(fpu, thunk);
    unsigned size = thunk->elem_size;

    for (unsigned i = 0; i < thunk->num_elems; i++) {
        struct x86_mem_operand at = element_at(fpu, thunk, call, i);
        const uint8_t *data = fpu->vec[thunk->reg] + (size_t)i * size;

        if (!(mask >> i & 1))
            continue;
        if (!fpu->mem->write(fpu->core, &at, data, size, &call->fault))
            return false;
        clear_mask_bit(fpu, thunk, i);
    }
    clear_mask(fpu, thunk);
    return true;
}

/* ------------------------------------------------------------------- MASKMOV
 */

/* Bytes of an MMX or XMM register. */
static const uint8_t *maskmov_register(const struct x86_fpu *fpu,
                                       const struct x86_thunk *thunk,
                                       unsigned reg)
{
    if (thunk->mnemonic == ZYDIS_MNEMONIC_MASKMOVQ) {
        unsigned top = fpu->x87[X86_FX_FSW + 1] >> 3 & 7;

        return fpu->x87 + X86_FX_ST + (size_t)16 * ((reg - top) & 7);
    }
    return fpu->vec[reg];
}

/* MMX instructions leave all registers valid and the stack top at 0. */
static void enter_mmx(struct x86_fpu *fpu)
{
    unsigned top = fpu->x87[X86_FX_FSW + 1] >> 3 & 7;
    uint8_t old[128];

    memcpy(old, fpu->x87 + X86_FX_ST, sizeof(old));
    for (unsigned i = 0; i < 8; i++)
        memcpy(fpu->x87 + X86_FX_ST + (size_t)16 * i,
               old + (size_t)16 * ((i - top) & 7), 16);
    fpu->x87[X86_FX_FSW + 1] &= 0xc7;
    fpu->x87[X86_FX_FTW] = 0xff;
}

static bool maskmov_bytes(struct x86_fpu *fpu, struct x86_mem_operand to,
                          const uint8_t *data, uint64_t mask,
                          struct x86_thunk_call *call)
{
    for (unsigned i = 0; mask >> i && i < 16; i++) {
        struct x86_mem_operand at = to;

        at.offset += i;
        if ((mask >> i & 1) &&
            !fpu->mem->write(fpu->core, &at, data + i, 1, &call->fault))
            return false;
    }
    return true;
}

/* Faults are those of the whole operand, whatever the mask; Intel's processors
 * begin with the upper half. */
static bool check_maskmov(struct x86_fpu *fpu, const struct x86_mem_operand *to,
                          unsigned num, struct x86_fault *fault)
{
    struct x86_mem_operand half = *to;

    half.offset = x86_thunk_truncate(to->offset + 8, to->addr_bits);
    if (num == 16 && !x86_quirks_is_amd() &&
        !fpu->mem->check_write(fpu->core, &half, 8, fault))
        return false;
    return fpu->mem->check_write(fpu->core, to, num, fault);
}

bool x86_thunk_maskmov(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call)
{
    unsigned num = thunk->mnemonic == ZYDIS_MNEMONIC_MASKMOVQ ? 8 : 16;
    struct x86_mem_operand to = {
        .offset =
            x86_thunk_truncate(fpu->state->gpr[X86_RDI], thunk->addr_bits),
        .seg = thunk->seg,
        .addr_bits = thunk->addr_bits,
    };
    const uint8_t *select;
    uint8_t data[16];
    uint64_t mask = 0;

    if (num == 8) {
        x86_fpu_leave_x87(fpu);
        enter_mmx(fpu);
    }
    select = maskmov_register(fpu, thunk, thunk->rm);
    for (unsigned i = 0; i < num; i++)
        mask |= (uint64_t)(select[i] >> 7) << i;
    memcpy(data, maskmov_register(fpu, thunk, thunk->reg), num);
    if (!check_maskmov(fpu, &to, num, &call->fault))
        return false;
    return maskmov_bytes(fpu, to, data, mask, call);
}
