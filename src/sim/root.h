/* SPDX-License-Identifier: BSD-3-Clause */
/* The root of the tree: settings of the whole simulation, and its totals. */
#ifndef SIM_ROOT_H
#define SIM_ROOT_H

#include "base/types.h"
#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct root {
    struct sim_object base;

    /* Parameters. */
    bool full_system;      /* boots a kernel instead of running a program */
    bool strict;           /* what is not modelled ends the run */
    bool time_sync_enable; /* hold simulated time back to the host's */
    uint64_t seed;
    tick_t sim_quantum; /* slice of each CPU [ticks], 0: the default */
    tick_t time_sync_period;
    tick_t time_sync_spin_threshold;

    /* At the last reset of the statistics. */
    tick_t start_tick;
    uint64_t start_host_ns;
    uint64_t start_insts, start_ops;
    uint64_t start_guest_errors, start_unimplemented;
};

extern const struct sim_type root_type; /* "Root" */

#ifdef __cplusplus
}
#endif

#endif
