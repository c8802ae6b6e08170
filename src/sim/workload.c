/* SPDX-License-Identifier: BSD-3-Clause */
/* The base of all workloads, and the one of systems that run no software. */
#include "sim/workload.h"

SIM_CHECK_BASE(struct workload);

const struct sim_type workload_type = {
    .name = "Workload",
    .doc = "What a system runs",
    .base = &sim_object_type,
    .size = sizeof(struct workload),
    .is_abstract = true,
};

const struct sim_type stub_workload_type = {
    .name = "StubWorkload",
    .doc = "No software: the system's traffic comes from generators",
    .base = &workload_type,
    .size = sizeof(struct workload),
};
