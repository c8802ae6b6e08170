/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vector, opmask, x87 and MMX registers of one core while it runs.
 *
 * Where the guest's state is:
 *
 *   vec[], opmask[]  always here (thunks load and store them)
 *   MXCSR            in `mxcsr`; while X86_LIVE_MXCSR its rounding, DAZ, FTZ
 *                    and sticky flags are in the host's MXCSR
 *   x87 and MMX      in `x87` (an FXSAVE image); while X86_LIVE_X87 in the
 *                    host's x87 unit
 *   x87 pointers     always in fip, fdp, fcs, fds, fop: the host's own point
 *                    into thunks
 *
 * Rules for C code that runs between x86_fpu_enter and x86_fpu_leave (that is,
 * inside x86_core_run): no floating-point arithmetic, since the guest's
 * rounding mode, DAZ and FTZ rule; no long double.  Moves through XMM registers
 * are harmless.  Everything else - hooks of struct x86_env first of all - runs
 * after x86_fpu_leave().  Both directions are lazy: a thunk that finds its unit
 * not live enters on the spot; leaving when nothing is live costs a test.
 *
 * No host exception can occur: SIMD exceptions are always masked on the host,
 * and x87 state with unmasked exceptions is loaded only around one instruction
 * (an x87 exception is raised by the *next* waiting instruction, which never
 * comes).
 */
#ifndef ARCH_X86_FPU_H
#define ARCH_X86_FPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/fault.h"
#include "arch/x86/state.h"
#include "arch/x86/xsave_layout.h"
#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;
struct x86_cpuid;
struct x86_fpu;

/* What an instruction needs (x86_thunk.needs) and what is not to be had
 * without a look (x86_fpu.unready): one AND decides for the fast path. */
enum x86_fpu_need {
    X86_NEED_X87 = 1,     /* refused: CR0.EM or TS */
    X86_NEED_MMX = 2,     /* refused: CR0.EM or TS */
    X86_NEED_SSE = 4,     /* refused: CR0.EM, TS, or CR4.OSFXSR clear */
    X86_NEED_AVX = 8,     /* refused: CR0.TS, CR4.OSXSAVE or XCR0 */
    X86_NEED_AVX512 = 16, /* the same */
    X86_NEED_CLASSES = 31,
    X86_NEED_MXCSR = 32,    /* computes: not live, or exceptions unmasked */
    X86_NEED_LIVE_X87 = 64, /* not live, or exceptions unmasked */
    X86_NEED_ALIGN = 128,   /* MXCSR.MM allows what usually is #GP */
};

enum x86_fpu_live { X86_LIVE_MXCSR = 1, X86_LIVE_X87 = 2 };

/* A guest memory operand before translation. */
struct x86_mem_operand {
    uint64_t offset;   /* in the segment, truncated to the address size */
    uint8_t seg;       /* enum x86_seg_name */
    uint8_t addr_bits; /* 16, 32 or 64 */
};

/*
 * How helpers reach guest memory; the engine implements it.  Offsets are
 * segment offsets; segmentation, paging, traces and invalidation of decoded
 * code are the engine's.  Accesses are at most 64 bytes, may cross pages and
 * are all or nothing.  On failure *fault is set.
 */
struct x86_fpu_mem {
    bool (*read)(struct x86_core *core, const struct x86_mem_operand *from,
                 void *data, unsigned size, struct x86_fault *fault);
    bool (*write)(struct x86_core *core, const struct x86_mem_operand *to,
                  const void *data, unsigned size, struct x86_fault *fault);
    /* Would write() succeed?  Changes nothing but accessed and dirty bits. */
    bool (*check_write)(struct x86_core *core, const struct x86_mem_operand *to,
                        unsigned size, struct x86_fault *fault);
};

struct x86_fpu {
    SIM_ALIGNAS(64) uint8_t vec[32][64]; /* XMM, YMM, ZMM */
    uint64_t opmask[8];
    uint32_t mxcsr;
    uint32_t unready; /* enum x86_fpu_need */
    uint32_t live;    /* enum x86_fpu_live */
    uint32_t denied;  /* those of X86_NEED_CLASSES that fault */
    /* x87 pointers: of the last x87 instruction that is not control. */
    uint16_t fop;
    uint16_t fcs, fds;
    uint64_t fip, fdp;
    uint32_t host_mxcsr; /* what leave restores */
    uint32_t host_mxcsr_mask;
    uint32_t trapped; /* MXCSR of a SIMD exception; thunk_trap.c */
    uint16_t host_fcw;
    bool saves_pointers; /* FXSAVE keeps x87 pointers without an exception */
    bool has_selectors;  /* FCS and FDS are not deprecated */
    struct x86_xsave_layout layout;
    SIM_ALIGNAS(16) uint8_t x87[512];

    struct x86_core *core;
    struct x86_state *state;       /* gpr, cr0, cr4, xcr0, xsave */
    const struct x86_cpuid *cpuid; /* may be NULL: everything is offered */
    const struct x86_fpu_mem *mem;
};

struct x86_fpu_cfg {
    struct x86_core *core;
    struct x86_state *state;
    const struct x86_cpuid *cpuid;
    const struct x86_fpu_mem *mem;
};

/** x86_fpu_init() - set up and x86_fpu_load(). */
void x86_fpu_init(struct x86_fpu *fpu, const struct x86_fpu_cfg *cfg);

/** x86_fpu_load() - take everything from state->xsave (it was changed). */
void x86_fpu_load(struct x86_fpu *fpu);
/** x86_fpu_store() - bring state->xsave up to date; leaves the unit. */
void x86_fpu_store(struct x86_fpu *fpu);

/** x86_fpu_update_access() - call after CR0, CR4, XCR0 or the mode changed. */
void x86_fpu_update_access(struct x86_fpu *fpu);

/** x86_fpu_enter() - make units live on the host
 * @units: enum x86_fpu_live, or-ed.  A unit whose exceptions the guest has
 *         unmasked stays where it is.
 */
void x86_fpu_enter(struct x86_fpu *fpu, uint32_t units);
/** x86_fpu_leave_x87() - the x87 unit alone: its image is then complete. */
void x86_fpu_leave_x87(struct x86_fpu *fpu);
/** x86_fpu_leave() - give the host its own MXCSR and x87 unit back. */
void x86_fpu_leave(struct x86_fpu *fpu);

/** x86_fpu_in_use() - XINUSE by content, bits 0-2 and 5-7; call after
 *  x86_fpu_leave_x87(). */
uint64_t x86_fpu_in_use(const struct x86_fpu *fpu);

/** x86_fpu_mxcsr() - the guest's MXCSR now, sticky flags included. */
uint32_t x86_fpu_mxcsr(const struct x86_fpu *fpu);
/** x86_fpu_set_mxcsr() - the caller has checked reserved bits. */
void x86_fpu_set_mxcsr(struct x86_fpu *fpu, uint32_t value);
/* Bits of MXCSR that may be set. */
uint32_t x86_fpu_mxcsr_mask(const struct x86_fpu *fpu);

/**
 * x86_fpu_check() - may an instruction with these needs execute?
 *
 * Returns: true; false with #UD or #NM in @fault.
 * Source:  [SDM] Vol. 3A, "System Programming for Instruction Set Extensions".
 */
bool x86_fpu_check(const struct x86_fpu *fpu, uint32_t needs,
                   struct x86_fault *fault);

/** x86_fpu_load_host_x87() - put the image into the host's x87 unit, whatever
 *  exceptions it unmasks; the caller executes one instruction, then calls
 *  x86_fpu_save_host_x87(), which makes the unit the host's again. */
void x86_fpu_load_host_x87(struct x86_fpu *fpu);
void x86_fpu_save_host_x87(struct x86_fpu *fpu);
/* The same, leaving the image as it was. */
void x86_fpu_drop_host_x87(struct x86_fpu *fpu);

/* Fields of an FXSAVE image. */
static inline uint16_t x86_fx_u16(const uint8_t *image, unsigned at)
{
    return (uint16_t)(image[at] | image[at + 1] << 8);
}

static inline void x86_fx_set_u16(uint8_t *image, unsigned at, unsigned value)
{
    image[at] = (uint8_t)value;
    image[at + 1] = (uint8_t)(value >> 8);
}

enum { /* offsets in it; [SDM] Vol. 1, "FXSAVE Area" */
       X86_FX_FCW = 0,
       X86_FX_FSW = 2,
       X86_FX_FTW = 4,
       X86_FX_FOP = 6,
       X86_FX_FIP = 8,
       X86_FX_FCS = 12,
       X86_FX_FDP = 16,
       X86_FX_FDS = 20,
       X86_FX_MXCSR = 24,
       X86_FX_MXCSR_MASK = 28,
       X86_FX_ST = 32,
       X86_FX_XMM = 160,
};

enum {
    X86_MXCSR_FLAGS = 0x3f,
    X86_MXCSR_MASKS = 0x1f80,
    X86_MXCSR_DEFAULT = 0x1f80,
    X86_MXCSR_MM = 1 << 17, /* misaligned operands allowed; [APM] Vol. 1 */
    X86_FCW_DEFAULT = 0x37f,
    X86_FCW_MASKS = 0x3f,
    X86_FSW_ES = 0x80,
};

#ifdef __cplusplus
}
#endif

#endif
