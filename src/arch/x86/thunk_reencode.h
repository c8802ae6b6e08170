/* SPDX-License-Identifier: BSD-3-Clause */
/* The same instruction for 64-bit mode, with its memory operand at [RSI] and
 * its general registers renamed. */
#ifndef ARCH_X86_THUNK_REENCODE_H
#define ARCH_X86_THUNK_REENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

#ifdef __cplusplus
extern "C" {
#endif

struct x86_reencode {
    const ZydisDecodedInstruction *insn;
    const ZydisDecodedOperand *operands;
    const uint8_t *bytes;
    uint8_t gpr_map[16]; /* guest's number -> host's, below 8 */
};

/* Number 0-15 of a general register of any size but AH..BH; -1 otherwise. */
int x86_reencode_gpr_id(ZydisRegister reg);

/**
 * x86_reencode_write() - rewrite prefixes, ModRM and what follows
 * Returns: length, or 0 if the result does not decode to the same thing.
 */
size_t x86_reencode_write(const struct x86_reencode *how, uint8_t out[16]);

/**
 * x86_reencode_key() - bytes that are the same for instructions that differ
 * only in where their memory operand is
 * Returns: length, at most 15.
 */
size_t x86_reencode_key(const struct x86_reencode *how, uint8_t out[16]);

#ifdef __cplusplus
}
#endif

#endif
