/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects for the tests of the kernel: every kind of parameter, ports of two
 * kinds, and ops that write down that they were called. */
#ifndef TESTS_UNIT_SIM_TOY_H
#define TESTS_UNIT_SIM_TOY_H

#include "sim/field.h"
#include "sim/object.h"
#include "sim/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The host's ctx in tests that use toys: the calls, "path.op " each. */
struct toy_log {
    char calls[4096];
};

struct toy {
    struct sim_object base;

    /* Parameters. */
    bool is_red;
    uint8_t small;
    uint16_t first_port;
    uint32_t colour; /* enum */
    uint64_t size;
    uint64_t latency;
    int64_t offset;
    double ratio;
    const char *label;
    struct toy *friend_toy;
    struct addr_range range;
    struct sim_vec_u64 numbers;
    struct sim_vec_f64 ratios;
    struct sim_vec_str words;
    struct sim_vec_obj friends;
    struct sim_vec_range ranges;

    /* Ports. */
    struct sim_port out, in, irq, maybe;
    struct sim_port_vec many;

    /* Set by a test. */
    bool is_draining;
};

extern const struct sim_type toy_type;        /* "Toy" */
extern const struct sim_type clever_toy_type; /* "CleverToy", derived */
extern const struct sim_type plain_type;      /* "Plain": nothing required */

#ifdef __cplusplus
}
#endif

#endif
