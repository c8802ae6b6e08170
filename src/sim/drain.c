/* SPDX-License-Identifier: BSD-3-Clause */
/* Draining: asking all objects, and counting those that need more time. */
#include "sim/debug.h"
#include "sim/object.h"
#include "sim/sim_private.h"

bool sim_drain(struct sim *sim)
{
    struct sim_object *obj;

    sim->num_draining = 0;
    for (obj = sim->root; obj; obj = sim_object_next(sim->root, obj)) {
        if (sim_object_drain(obj) == SIM_DRAINED)
            continue;
        TRACE(Drain, obj, "draining");
        sim->num_draining++;
    }
    return sim->num_draining == 0;
}

void sim_drain_done(struct sim_object *obj)
{
    struct sim *sim = obj->sim;

    TRACE(Drain, obj, "drained");
    if (sim->num_draining && --sim->num_draining == 0)
        sim_exit_now(sim, EXIT_DRAINED, 0);
}
