/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated core as the other side of a case. */
#ifndef TESTS_DIFF_MODEL_H
#define TESTS_DIFF_MODEL_H

#include <Zydis/Zydis.h>

#include "machine.h"

struct model;

/* @xsave_mask: XCR0 that the core runs with */
struct model *model_create(uint64_t xsave_mask);
void model_destroy(struct model *model);
/* Whether the simulated processor has the instruction. */
bool model_offers(const struct model *model,
                  const ZydisDecodedInstruction *inst);
void model_run(struct model *model, const struct diff_case *test,
               struct diff_result *result);

#endif
