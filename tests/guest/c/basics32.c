/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same for a 32-bit program.
 *
 * guest-flags: -m32 -O1 -static -lm
 */
#include "c/basics.c"
