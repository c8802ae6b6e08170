/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same for a 32-bit program.
 *
 * guest-flags: -m32 -static -O1 -D_GNU_SOURCE
 */
#include "c/policies.c"
