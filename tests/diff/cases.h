/* SPDX-License-Identifier: BSD-3-Clause */
/* Random states for an instruction, chosen so that its memory operands mostly
 * hit the data pages and its inputs mostly matter. */
#ifndef TESTS_DIFF_CASES_H
#define TESTS_DIFF_CASES_H

#include "machine.h"
#include "shapes.h"

struct decoded {
    ZydisDecodedInstruction inst;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

bool case_decode(enum diff_mode mode, const uint8_t *bytes, unsigned len,
                 struct decoded *out);

/**
 * case_fill() - registers, vectors and memory for the instruction in @decoded
 * @out:        its mode is set
 * @xsave_mask: components to fill
 */
void case_fill(struct diff_case *out, const struct decoded *decoded,
               uint64_t xsave_mask, struct rng_state *rng);

/**
 * case_exclusion() - why a mnemonic is not run at all, or NULL
 *
 * Only what belongs to the environment and not to the CPU: system calls, the
 * clock, the machine's identity.
 */
const char *case_exclusion(ZydisMnemonic mnemonic);

#endif
