/* SPDX-License-Identifier: BSD-3-Clause */
/* What a decoded instruction needs around itself: which registers to load and
 * to store, where its flags go, what its memory operand is. */
#ifndef ARCH_X86_THUNK_PLAN_H
#define ARCH_X86_THUNK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

enum x86_host_simd { X86_HOST_SSE, X86_HOST_AVX, X86_HOST_AVX512 };

struct x86_thunk_plan {
    uint32_t vec_load[3]; /* registers to load, by width: 16, 32, 64 bytes */
    uint32_t vec_store;   /* registers to store */
    uint8_t opmask_load, opmask_store;
    uint16_t gpr_load, gpr_store; /* guest numbers */
    uint8_t gpr_map[16];          /* guest -> host */
    bool is_legacy;               /* stores 16 bytes, keeps the rest */
    bool is_wide;                 /* leaves dirty upper halves: VZEROUPPER */
    bool has_x87, has_mmx, has_vec;
};

/**
 * x86_thunk_plan_make() - analyse
 * @thunk: descriptive members are set
 * Returns: NULL, or why it is not for thunks.
 */
const char *x86_thunk_plan_make(const ZydisDecodedInstruction *insn,
                                const ZydisDecodedOperand *operands,
                                struct x86_thunk_plan *plan,
                                struct x86_thunk *thunk);

#ifdef __cplusplus
}
#endif

#endif
