/* SPDX-License-Identifier: BSD-3-Clause */
/* The full handlers of branch.c; see exec.h. */
#define X86_EXEC_FULL
#include "arch/x86/exec/branch.c" /* NOLINT(bugprone-suspicious-include) */
