/* SPDX-License-Identifier: BSD-3-Clause */
/* FXSAVE, FXRSTOR and the XSAVE family. */
#ifndef ARCH_X86_THUNK_XSAVE_H
#define ARCH_X86_THUNK_XSAVE_H

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

bool x86_thunk_fxsave(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call);
bool x86_thunk_fxrstor(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call);
/* XSAVE, XSAVEOPT, XSAVEC, XSAVES. */
bool x86_thunk_xsave(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call);
/* XRSTOR, XRSTORS. */
bool x86_thunk_xrstor(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call);

#ifdef __cplusplus
}
#endif

#endif
