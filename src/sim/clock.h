/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Voltage and clock domains, and the base of all objects that have a clock.
 * A source domain has a period; a derived one divides its parent's frequency.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "base/types.h"
#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct clock_domain {
    struct sim_object base;
    tick_t period;     /* of one cycle [ticks], known after init */
    bool is_resolving; /* its period is being computed: finds cycles */
};

struct clocked_object {
    struct sim_object base;
    struct clock_domain *clk_domain;
};

static inline tick_t clock_period(const struct clocked_object *obj)
{
    return obj->clk_domain->period;
}
/** clock_edge() - first edge at or after @now, plus @cycles cycles [ticks]. */
tick_t clock_edge(const struct clocked_object *obj, tick_t now,
                  cycles_t cycles);
static inline tick_t clock_cycles_to_ticks(const struct clocked_object *obj,
                                           cycles_t cycles)
{
    return cycles * obj->clk_domain->period;
}
/** clock_ticks_to_cycles() - whole cycles, rounded up. */
cycles_t clock_ticks_to_cycles(const struct clocked_object *obj, tick_t ticks);

extern const struct sim_type clock_domain_type;     /* "ClockDomain" */
extern const struct sim_type src_clock_domain_type; /* "SrcClockDomain" */
extern const struct sim_type
    derived_clock_domain_type;                    /* "DerivedClockDomain" */
extern const struct sim_type voltage_domain_type; /* "VoltageDomain" */
extern const struct sim_type clocked_object_type; /* "ClockedObject" */

#ifdef __cplusplus
}
#endif

#endif
