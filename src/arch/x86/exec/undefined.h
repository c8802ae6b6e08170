/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers of what is no instruction, for the decoder. */
#ifndef ARCH_X86_EXEC_UNDEFINED_H
#define ARCH_X86_EXEC_UNDEFINED_H

#include "arch/x86/op.h"

x86_handler x86_exec_undefined; /* #UD */
x86_handler x86_exec_too_long;  /* more than 15 bytes: #GP(0) */
x86_handler x86_exec_unknown;   /* #UD and a report; op->aux is the mnemonic */
x86_handler x86_exec_pseudo_op; /* 0F 04; op->imm is the operation */
x86_handler x86_exec_hypercall; /* VMCALL, VMMCALL */

#endif
