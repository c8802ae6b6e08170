/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scalars that carry a unit.  Addresses are one-member structs so that a guest
 * virtual address can never be passed where a physical one is meant.
 */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdint.h>

typedef uint64_t tick_t;   /* simulated time [1 ps] */
typedef uint64_t cycles_t; /* cycles of one clock domain */

typedef struct {
    uint64_t v;
} gpa_t; /* guest physical address */

typedef struct {
    uint64_t v;
} gva_t; /* guest virtual (linear) address */

/* gem5's MaxTick: no time limit. */
#define TICK_MAX         UINT64_MAX
#define TICKS_PER_SECOND UINT64_C(1000000000000)

#endif
