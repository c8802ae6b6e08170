/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's CPU as oracle: a child process executes single instructions with
 * RFLAGS.TF set.  Signal frames carry the whole state in and out, so no stub
 * code disturbs it.
 */
#ifndef TESTS_DIFF_NATIVE_H
#define TESTS_DIFF_NATIVE_H

#include "machine.h"

enum { NATIVE_BATCH = 64 };

struct native;

/* @xsave_mask: components that the host's signal frames carry */
struct native *native_create(uint64_t *xsave_mask);
void native_destroy(struct native *native);

/* Run up to NATIVE_BATCH cases. */
void native_run(struct native *native, const struct diff_case *cases,
                unsigned count, struct diff_result *results);

#endif
