/* SPDX-License-Identifier: BSD-3-Clause */
/* The full handlers of bits.c; see exec.h. */
#define X86_EXEC_FULL
#include "arch/x86/exec/bits.c" /* NOLINT(bugprone-suspicious-include) */
