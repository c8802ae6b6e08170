/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same with 32-bit offsets.
 *
 * guest-flags: -m32 -static -O1 -D_GNU_SOURCE
 */
#include "c/locks.c"
