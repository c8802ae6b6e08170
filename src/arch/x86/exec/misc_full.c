/* SPDX-License-Identifier: BSD-3-Clause */
/* The full handlers of misc.c; see exec.h. */
#define X86_EXEC_FULL
#include "arch/x86/exec/misc.c" /* NOLINT(bugprone-suspicious-include) */
