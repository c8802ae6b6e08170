/* SPDX-License-Identifier: BSD-3-Clause */
/* Instructions that touch vector or x87 state but are not thunks: done in C. */
#ifndef ARCH_X86_THUNK_HELPERS_H
#define ARCH_X86_THUNK_HELPERS_H

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_thunk_helper_row {
    uint16_t mnemonic; /* ZydisMnemonic */
    uint32_t needs;    /* enum x86_fpu_need, beside what the operands say */
    x86_thunk_helper fn;
    x86_thunk_code code; /* quick form for 64-bit mode, or NULL */
};

/* NULL if the instruction has no helper. */
const struct x86_thunk_helper_row *x86_thunk_helper_find(uint16_t mnemonic);

#ifdef __cplusplus
}
#endif

#endif
