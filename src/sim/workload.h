/* SPDX-License-Identifier: BSD-3-Clause */
/* Base of what a system runs: a program, a kernel, or nothing. */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct workload {
    struct sim_object base;
};

extern const struct sim_type workload_type;      /* "Workload", abstract */
extern const struct sim_type stub_workload_type; /* "StubWorkload" */

#ifdef __cplusplus
}
#endif

#endif
