/* SPDX-License-Identifier: BSD-3-Clause */
/* x87 control instructions that load or store the environment, and MXCSR. */
#ifndef ARCH_X86_THUNK_X87_H
#define ARCH_X86_THUNK_X87_H

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

bool x86_thunk_fldcw(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call);
/* The same while the unit is live; x86_thunk_code. */
uint64_t x86_thunk_fldcw_code(struct x86_fpu *fpu, void *mem, uint64_t flags);
bool x86_thunk_fwait(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call);
bool x86_thunk_fninit(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call);
/* FNSTENV and FNSAVE. */
bool x86_thunk_fnstenv(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call);
/* FLDENV and FRSTOR. */
bool x86_thunk_fldenv(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call);
bool x86_thunk_ldmxcsr(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call);
bool x86_thunk_stmxcsr(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call);
uint64_t x86_thunk_stmxcsr_code(struct x86_fpu *fpu, void *mem, uint64_t flags);
uint64_t x86_thunk_vzeroupper_code(struct x86_fpu *fpu, void *mem,
                                   uint64_t flags);
/* VZEROUPPER and VZEROALL. */
bool x86_thunk_vzero(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call);

#ifdef __cplusplus
}
#endif

#endif
