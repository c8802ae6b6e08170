/* SPDX-License-Identifier: BSD-3-Clause */
/* The full handlers of stack.c; see exec.h. */
#define X86_EXEC_FULL
#include "arch/x86/exec/stack.c" /* NOLINT(bugprone-suspicious-include) */
