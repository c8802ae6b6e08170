/* SPDX-License-Identifier: BSD-3-Clause */
#include "clocked_toy.h"

static void clocked_toy_init(struct sim_object *obj)
{
    struct clocked_toy *toy =
        SIM_CAST(struct clocked_toy, clocked_toy_type, obj);

    toy->period_at_init = clock_period(&toy->base);
}

static const struct sim_ops clocked_toy_ops = {.init = clocked_toy_init};

const struct sim_type clocked_toy_type = {
    .name = "ClockedToy",
    .doc = "For tests",
    .base = &clocked_object_type,
    .size = sizeof(struct clocked_toy),
    .ops = &clocked_toy_ops,
};
