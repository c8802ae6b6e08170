/* SPDX-License-Identifier: BSD-3-Clause */
/* Gathers, scatters and byte-masked stores, element by element. */
#ifndef ARCH_X86_THUNK_GATHER_H
#define ARCH_X86_THUNK_GATHER_H

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

bool x86_thunk_gather(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call);
bool x86_thunk_scatter(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call);
/* MASKMOVDQU and MASKMOVQ, at DS:RDI. */
bool x86_thunk_maskmov(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call);

#ifdef __cplusplus
}
#endif

#endif
