/* SPDX-License-Identifier: BSD-3-Clause */
/* A clocked object that asks for its period in its own init. */
#ifndef TESTS_UNIT_SIM_CLOCKED_TOY_H
#define TESTS_UNIT_SIM_CLOCKED_TOY_H

#include "sim/clock.h"

#ifdef __cplusplus
extern "C" {
#endif

struct clocked_toy {
    struct clocked_object base;
    tick_t period_at_init;
};

extern const struct sim_type clocked_toy_type;

#ifdef __cplusplus
}
#endif

#endif
