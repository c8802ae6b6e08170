/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours for the tests of memory objects: one that asks, one that answers
 * after a fixed time and writes down what it was asked. */
#ifndef TESTS_UNIT_MEM_TOY_MEM_H
#define TESTS_UNIT_MEM_TOY_MEM_H

#include "base/addr_range.h"
#include "mem/port.h"
#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct toy_requestor {
    struct sim_object base;
    struct sim_port port;
};

struct toy_responder {
    struct sim_object base;

    /* Parameters. */
    struct addr_range range;
    tick_t latency;
    struct sim_port port;

    /* What it was asked. */
    uint64_t num_asked;
    struct mem_req last_req;
    tick_t last_when;
};

extern const struct sim_type toy_requestor_type, toy_responder_type;

#ifdef __cplusplus
}
#endif

#endif
