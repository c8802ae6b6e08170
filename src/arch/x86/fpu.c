/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Moves SIMD and x87 state between the architectural image, the core's register
 * file and the host.
 * Source: [SDM] Vol. 1, "Programming with the x87 FPU"; "MXCSR Control and
 * Status Register"; "Managing State Using the XSAVE Feature Set".
 */
#include "arch/x86/fpu.h"

#include "arch/x86/cpuid.h"

#include <cpuid.h>
#include <string.h>

enum {
    CR0_PE = 1 << 0,
    CR0_EM = 1 << 2,
    CR0_TS = 1 << 3,
    CR4_OSFXSR = 1 << 9,
    CR4_OSXSAVE = 1 << 18,
    XCR0_AVX = 0x6,
    XCR0_AVX512 = 0xe6,
};

static void host_set_mxcsr(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static uint32_t host_get_mxcsr(void)
{
    uint32_t value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

/* What the fast path must not pass over, from `denied`, `live` and MXCSR. */
static void fpu_update_unready(struct x86_fpu *fpu)
{
    uint32_t unready = fpu->denied;

    if (!(fpu->live & X86_LIVE_MXCSR))
        unready |= X86_NEED_MXCSR;
    if (!(fpu->live & X86_LIVE_X87))
        unready |= X86_NEED_LIVE_X87;
    if (fpu->mxcsr & X86_MXCSR_MM)
        unready |= X86_NEED_ALIGN;
    fpu->unready = unready;
}

/* [SDM] Vol. 3A, "System Programming for Instruction Set Extensions and
 * Processor Extended States"; [SDM] Vol. 1, "Detection of AVX Instructions". */
static uint32_t denied_avx(const struct x86_state *state)
{
    bool is_protected = (state->cr0 & CR0_PE) && !(state->rflags & X86_VM);
    uint32_t denied = 0;

    if (!(state->cr4 & CR4_OSXSAVE) || !is_protected)
        return X86_NEED_AVX | X86_NEED_AVX512;
    if ((state->xcr0 & XCR0_AVX) != XCR0_AVX)
        denied |= X86_NEED_AVX;
    if ((state->xcr0 & XCR0_AVX512) != XCR0_AVX512)
        denied |= X86_NEED_AVX512;
    return denied;
}

void x86_fpu_update_access(struct x86_fpu *fpu)
{
    const struct x86_state *state = fpu->state;
    uint32_t denied = denied_avx(state);

    if (state->cr0 & CR0_TS)
        denied |= X86_NEED_CLASSES;
    if (state->cr0 & CR0_EM)
        denied |= X86_NEED_X87 | X86_NEED_MMX | X86_NEED_SSE;
    if (!(state->cr4 & CR4_OSFXSR))
        denied |= X86_NEED_SSE;
    fpu->denied = denied;
    fpu_update_unready(fpu);
}

static bool fault_simple(struct x86_fault *fault, uint8_t vector)
{
    *fault = (struct x86_fault){.vector = vector, .source = X86_FROM_FAULT};
    return false;
}

bool x86_fpu_check(const struct x86_fpu *fpu, uint32_t needs,
                   struct x86_fault *fault)
{
    const struct x86_state *state = fpu->state;
    uint32_t classes = needs & X86_NEED_CLASSES;

    if (!(classes & fpu->denied))
        return true;
    if (classes & denied_avx(state))
        return fault_simple(fault, X86_UD);
    if ((classes & (X86_NEED_SSE | X86_NEED_MMX)) && (state->cr0 & CR0_EM))
        return fault_simple(fault, X86_UD);
    if ((classes & X86_NEED_SSE) && !(state->cr4 & CR4_OSFXSR))
        return fault_simple(fault, X86_UD);
    return fault_simple(fault, X86_NM);
}

uint32_t x86_fpu_mxcsr(const struct x86_fpu *fpu)
{
    return fpu->live & X86_LIVE_MXCSR ? host_get_mxcsr() : fpu->mxcsr;
}

/* MM is AMD's; the host decides, since thunks run with it. */
uint32_t x86_fpu_mxcsr_mask(const struct x86_fpu *fpu)
{
    return fpu->cpuid && !x86_cpuid_has(fpu->cpuid, X86_FEAT_MISALIGNSSE)
               ? 0xffff
               : fpu->host_mxcsr_mask;
}

static void fpu_leave_mxcsr(struct x86_fpu *fpu)
{
    fpu->mxcsr = host_get_mxcsr();
    host_set_mxcsr(fpu->host_mxcsr);
    fpu->live &= ~(uint32_t)X86_LIVE_MXCSR;
}

void x86_fpu_set_mxcsr(struct x86_fpu *fpu, uint32_t value)
{
    if (fpu->live & X86_LIVE_MXCSR) {
        if ((value & X86_MXCSR_MASKS) == X86_MXCSR_MASKS)
            host_set_mxcsr(value);
        else
            fpu_leave_mxcsr(fpu);
    }
    fpu->mxcsr = value;
    fpu_update_unready(fpu);
}

/* FXRSTOR loads XMM0-15 and MXCSR as well: what the image holds for them is
 * irrelevant, but MXCSR must survive. */
void x86_fpu_load_host_x87(struct x86_fpu *fpu)
{
    uint32_t mxcsr = host_get_mxcsr();

    __asm__ volatile("fnstcw %0" : "=m"(fpu->host_fcw));
    memcpy(fpu->x87 + X86_FX_MXCSR, &mxcsr, sizeof(mxcsr));
    __asm__ volatile("fxrstor64 %0"
                     :
                     : "m"(fpu->x87)
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15");
}

void x86_fpu_save_host_x87(struct x86_fpu *fpu)
{
    __asm__ volatile("fxsave64 %0\n\tfninit" : "=m"(fpu->x87));
    __asm__ volatile("fldcw %0" : : "m"(fpu->host_fcw));
}

void x86_fpu_drop_host_x87(struct x86_fpu *fpu)
{
    __asm__ volatile("fninit\n\tfldcw %0" : : "m"(fpu->host_fcw));
}

static bool x87_is_masked(const struct x86_fpu *fpu)
{
    return (fpu->x87[X86_FX_FCW] & X86_FCW_MASKS) == X86_FCW_MASKS;
}

void x86_fpu_enter(struct x86_fpu *fpu, uint32_t units)
{
    units &= ~fpu->live;
    if ((units & X86_LIVE_MXCSR) &&
        (fpu->mxcsr & X86_MXCSR_MASKS) == X86_MXCSR_MASKS) {
        fpu->host_mxcsr = host_get_mxcsr();
        host_set_mxcsr(fpu->mxcsr);
        fpu->live |= X86_LIVE_MXCSR;
    }
    if ((units & X86_LIVE_X87) && x87_is_masked(fpu)) {
        x86_fpu_load_host_x87(fpu);
        fpu->live |= X86_LIVE_X87;
    }
    fpu_update_unready(fpu);
}

void x86_fpu_leave_x87(struct x86_fpu *fpu)
{
    if (!(fpu->live & X86_LIVE_X87))
        return;
    x86_fpu_save_host_x87(fpu);
    fpu->live &= ~(uint32_t)X86_LIVE_X87;
    fpu_update_unready(fpu);
}

void x86_fpu_leave(struct x86_fpu *fpu)
{
    if (!fpu->live)
        return;
    x86_fpu_leave_x87(fpu);
    if (fpu->live & X86_LIVE_MXCSR)
        fpu_leave_mxcsr(fpu);
    fpu_update_unready(fpu);
}

static void load_pointers(struct x86_fpu *fpu, const uint8_t *image)
{
    /* 64-bit layout; FCS and FDS live where the upper halves would be only in
     * the 32-bit one, so they are lost across a hand-over, as on processors
     * that deprecate them. */
    memcpy(&fpu->fip, image + X86_FX_FIP, 8);
    memcpy(&fpu->fdp, image + X86_FX_FDP, 8);
    fpu->fop = x86_fx_u16(image, X86_FX_FOP);
    fpu->fcs = 0;
    fpu->fds = 0;
}

/* Initial configurations; [SDM] Vol. 1, "XSAVE-Managed Features". */
static void load_x87(struct x86_fpu *fpu, const uint8_t *image, bool is_used)
{
    memset(fpu->x87, 0, sizeof(fpu->x87));
    x86_fx_set_u16(fpu->x87, X86_FX_FCW, X86_FCW_DEFAULT);
    if (is_used)
        memcpy(fpu->x87, image, X86_FX_XMM);
    load_pointers(fpu, fpu->x87);
}

static void load_vectors(struct x86_fpu *fpu, const uint8_t *image,
                         uint64_t used)
{
    memset(fpu->vec, 0, sizeof(fpu->vec));
    memset(fpu->opmask, 0, sizeof(fpu->opmask));
    for (unsigned i = 0; i < 16; i++) {
        if (used & 1 << 1)
            memcpy(fpu->vec[i], image + X86_FX_XMM + (size_t)16 * i, 16);
        if (used & 1 << 2)
            memcpy(fpu->vec[i] + 16, image + X86_XSAVE_YMM + (size_t)16 * i,
                   16);
        if (used & 1 << 6)
            memcpy(fpu->vec[i] + 32, image + X86_XSAVE_ZMM_HI + (size_t)32 * i,
                   32);
        if (used & 1 << 7)
            memcpy(fpu->vec[16 + i],
                   image + X86_XSAVE_HI16_ZMM + (size_t)64 * i, 64);
    }
    if (used & 1 << 5)
        memcpy(fpu->opmask, image + X86_XSAVE_OPMASK, sizeof(fpu->opmask));
}

void x86_fpu_load(struct x86_fpu *fpu)
{
    const uint8_t *image = fpu->state->xsave;
    uint64_t used;

    x86_fpu_leave(fpu);
    memcpy(&used, image + 512, sizeof(used));
    load_x87(fpu, image, used & 1);
    load_vectors(fpu, image, used);
    memcpy(&fpu->mxcsr, image + X86_FX_MXCSR, sizeof(fpu->mxcsr));
    fpu->mxcsr &= x86_fpu_mxcsr_mask(fpu);
    x86_fpu_update_access(fpu);
}

static bool is_zero(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i])
            return false;
    }
    return true;
}

static bool x87_is_initial(const struct x86_fpu *fpu)
{
    return x86_fx_u16(fpu->x87, X86_FX_FCW) == X86_FCW_DEFAULT &&
           is_zero(fpu->x87 + X86_FX_FSW, 3) && !fpu->fop && !fpu->fip &&
           !fpu->fdp && is_zero(fpu->x87 + X86_FX_ST, 128);
}

uint64_t x86_fpu_in_use(const struct x86_fpu *fpu)
{
    uint64_t used = x87_is_initial(fpu) ? 0 : 1;

    for (unsigned i = 0; i < 16; i++) {
        if (!is_zero(fpu->vec[i], 16))
            used |= 1 << 1;
        if (!is_zero(fpu->vec[i] + 16, 16))
            used |= 1 << 2;
        if (!is_zero(fpu->vec[i] + 32, 32))
            used |= 1 << 6;
        if (!is_zero(fpu->vec[i + 16], 64))
            used |= 1 << 7;
    }
    if (!is_zero((const uint8_t *)fpu->opmask, sizeof(fpu->opmask)))
        used |= 1 << 5;
    return used;
}

static void store_vectors(const struct x86_fpu *fpu, uint8_t *image)
{
    for (unsigned i = 0; i < 16; i++) {
        memcpy(image + X86_FX_XMM + (size_t)16 * i, fpu->vec[i], 16);
        memcpy(image + X86_XSAVE_YMM + (size_t)16 * i, fpu->vec[i] + 16, 16);
        memcpy(image + X86_XSAVE_ZMM_HI + (size_t)32 * i, fpu->vec[i] + 32, 32);
        memcpy(image + X86_XSAVE_HI16_ZMM + (size_t)64 * i, fpu->vec[16 + i],
               64);
    }
    memcpy(image + X86_XSAVE_OPMASK, fpu->opmask, sizeof(fpu->opmask));
}

void x86_fpu_store(struct x86_fpu *fpu)
{
    uint8_t *image = fpu->state->xsave;
    uint32_t mask = x86_fpu_mxcsr_mask(fpu);
    uint64_t used;

    x86_fpu_leave(fpu);
    memcpy(image, fpu->x87, X86_FX_XMM);
    x86_fx_set_u16(image, X86_FX_FOP, fpu->fop);
    memcpy(image + X86_FX_FIP, &fpu->fip, 8);
    memcpy(image + X86_FX_FDP, &fpu->fdp, 8);
    memcpy(image + X86_FX_MXCSR, &fpu->mxcsr, 4);
    memcpy(image + X86_FX_MXCSR_MASK, &mask, 4);
    store_vectors(fpu, image);
    memcpy(&used, image + 512, sizeof(used));
    used = (used & ~(uint64_t)0xe7) | x86_fpu_in_use(fpu);
    memcpy(image + 512, &used, sizeof(used));
}

static uint32_t host_mxcsr_mask(void)
{
    SIM_ALIGNAS(16) uint8_t image[512] = {0};
    uint32_t mask;

    __asm__ volatile("fxsave64 %0" : "+m"(image));
    memcpy(&mask, image + X86_FX_MXCSR_MASK, sizeof(mask));
    return mask ? mask : 0xffbf; /* [SDM]: what a zero means */
}

/* [APM] Vol. 2: AMD's processors save the pointers only with a pending
 * exception. */
static bool host_saves_pointers(void)
{
    SIM_ALIGNAS(16) uint8_t image[512] = {0};
    uint64_t fip;
    uint16_t fcw;

    __asm__ volatile("fnstcw %0" : "=m"(fcw));
    __asm__ volatile("fninit\n\tfld1\n\tfxsave64 %0\n\tfninit" : "+m"(image));
    __asm__ volatile("fldcw %0" : : "m"(fcw));
    memcpy(&fip, image + X86_FX_FIP, sizeof(fip));
    return fip;
}

/* [SDM] Vol. 2A, "CPUID", leaf 07H: EBX bit 13. */
static bool host_has_selectors(void)
{
    uint32_t a, b, c, d;

    return !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b >> 13 & 1);
}

void x86_fpu_init(struct x86_fpu *fpu, const struct x86_fpu_cfg *cfg)
{
    memset(fpu, 0, sizeof(*fpu));
    fpu->core = cfg->core;
    fpu->state = cfg->state;
    fpu->cpuid = cfg->cpuid;
    fpu->mem = cfg->mem;
    fpu->host_mxcsr_mask = host_mxcsr_mask();
    fpu->saves_pointers = host_saves_pointers();
    fpu->has_selectors = host_has_selectors();
    x86_xsave_layout_get(&fpu->layout);
    x86_fpu_load(fpu);
}
