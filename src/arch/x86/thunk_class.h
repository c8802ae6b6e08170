/* SPDX-License-Identifier: BSD-3-Clause */
/* What kind of instruction a thunk is: for statistics, x87 pointers and plain
 * moves. */
#ifndef ARCH_X86_THUNK_CLASS_H
#define ARCH_X86_THUNK_CLASS_H

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

/** x86_thunk_classify() - set op_class, fop, move and pointer attributes. */
void x86_thunk_classify(const ZydisDecodedInstruction *insn,
                        const ZydisDecodedOperand *operands,
                        const uint8_t *bytes, struct x86_thunk *thunk);

#ifdef __cplusplus
}
#endif

#endif
