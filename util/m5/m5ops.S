/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ways to ask, for each operation: arguments stay where the caller put
 * them, the result comes back in RAX.
 */
#include <gem5/asm/generic/m5ops.h>

        .text

.macro  by_instruction name, func
        .globl \name
        .type \name, @function
\name:
        .byte 0x0f, 0x04
        .word \func
        ret
        .size \name, . - \name
.endm

.macro  by_address name, func
        .globl \name
        .type \name, @function
\name:
        mov m5_mem@GOTPCREL(%rip), %rax
        mov (%rax), %rax
        mov (\func << 8)(%rax), %rax
        ret
        .size \name, . - \name
.endm

#define M5OP(name, func) by_instruction name, func;
        M5OP_FOREACH
#undef M5OP
#define M5OP(name, func) by_address M5OP_MERGE_TOKENS(name, _addr), func;
        M5OP_FOREACH
#undef M5OP

        .section .note.GNU-stack, "", @progbits
