/* SPDX-License-Identifier: BSD-3-Clause */
/* Executing one thunk with SIMD exceptions unmasked on the host. */
#ifndef ARCH_X86_THUNK_TRAP_H
#define ARCH_X86_THUNK_TRAP_H

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_trap {
    x86_thunk_code code;
    void *mem;
    uint64_t flags; /* in and out */
    uint32_t mxcsr; /* in and out */
};

/**
 * x86_thunk_trap() - run with exactly this MXCSR
 *
 * Context: SIGFPE's disposition is the process's; it is replaced for the
 * duration of one instruction.
 * Returns: false if an exception was raised: nothing was written, trap->mxcsr
 * tells its flags.
 */
bool x86_thunk_trap(struct x86_fpu *fpu, struct x86_trap *trap);

#ifdef __cplusplus
}
#endif

#endif
