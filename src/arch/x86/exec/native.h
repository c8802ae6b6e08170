/* SPDX-License-Identifier: BSD-3-Clause */
/* Instructions that the host executes: from thunks to handlers. */
#ifndef ARCH_X86_EXEC_NATIVE_H
#define ARCH_X86_EXEC_NATIVE_H

#include "arch/x86/op.h"

struct x86_thunk;

/**
 * x86_native_form() - how to execute @thunk
 * @addr: enum x86_addr_kind of its memory operand
 * @op:   aux is set to the thunk, reg[] to what moves need
 */
const struct x86_form *x86_native_form(const struct x86_thunk *thunk,
                                       unsigned addr, struct x86_op *op);

#endif
