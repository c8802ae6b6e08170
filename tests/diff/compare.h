/* SPDX-License-Identifier: BSD-3-Clause */
/* What two results may differ in, and telling the difference. */
#ifndef TESTS_DIFF_COMPARE_H
#define TESTS_DIFF_COMPARE_H

#include <stdio.h>

#include "cases.h"
#include "machine.h"

/**
 * compare_results() - first architectural difference, as text
 *
 * Masks only what the manual leaves undefined: the flags that the decoder's
 * tables (taken from the manual's "Flags Affected") call undefined, and the
 * cases that compare.c lists with their sources.
 *
 * Returns: false if equal.
 */
bool compare_results(const struct diff_case *test,
                     const struct decoded *decoded,
                     const struct diff_result *native,
                     const struct diff_result *model, char text[256]);

/* Everything one needs to look into a difference. */
void compare_print(FILE *out, const struct diff_case *test,
                   const struct decoded *decoded,
                   const struct diff_result *native,
                   const struct diff_result *model);

#endif
