/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Voltage and clock domains.  Leaves out changes of frequency and voltage at
 * run time: the performance level is the one the script starts with.
 */
#include "sim/clock.h"

#include "sim/param.h"
#include "sim/report.h"
#include "sim/stat.h"

struct voltage_domain {
    struct sim_object base;

    /* Parameters. */
    struct sim_vec_f64 voltage; /* one per performance level [V] */
};
SIM_CHECK_BASE(struct voltage_domain);

struct src_clock_domain {
    struct clock_domain base;

    /* Parameters. */
    struct sim_vec_u64 clock; /* period per performance level [ticks] */
    struct voltage_domain *voltage_domain;
    int64_t domain_id;
    uint32_t init_perf_level; /* index into clock */
};
SIM_CHECK_BASE(struct src_clock_domain);

struct derived_clock_domain {
    struct clock_domain base;

    /* Parameters. */
    struct clock_domain *clk_domain;
    uint64_t clk_divider;
};
SIM_CHECK_BASE(struct derived_clock_domain);
SIM_CHECK_BASE(struct clock_domain);
SIM_CHECK_BASE(struct clocked_object);

/* ------------------------------------------------------------------ periods */

static tick_t src_period(struct clock_domain *domain)
{
    const struct src_clock_domain *src =
        SIM_CAST(struct src_clock_domain, src_clock_domain_type, &domain->base);

    if (src->init_perf_level >= src->clock.len)
        sim_fatal_param(&domain->base, "init_perf_level",
                        "performance level %u, but the clock has %u levels",
                        src->init_perf_level, src->clock.len);
    return src->clock.data[src->init_perf_level];
}

/* A domain may come before its parent in the tree, so that the order of init
 * does not help: each period is computed when somebody first needs it. */
static void resolve(struct clock_domain *domain)
{
    const struct derived_clock_domain *derived;

    if (domain->period)
        return;
    if (sim_object_is_a(&domain->base, &src_clock_domain_type)) {
        domain->period = src_period(domain);
        return;
    }
    derived = SIM_CAST(struct derived_clock_domain, derived_clock_domain_type,
                       &domain->base);
    if (domain->is_resolving)
        sim_fatal_param(&domain->base, "clk_domain",
                        "the clock domain is derived from itself");
    domain->is_resolving = true;
    resolve(derived->clk_domain);
    domain->is_resolving = false;
    if (__builtin_mul_overflow(derived->clk_domain->period,
                               derived->clk_divider, &domain->period))
        sim_fatal_param(&domain->base, "clk_divider",
                        "the period does not fit into 64 bits");
}

static void clock_domain_init(struct sim_object *obj)
{
    resolve(SIM_CAST(struct clock_domain, clock_domain_type, obj));
}

static void clocked_object_init(struct sim_object *obj)
{
    resolve(
        SIM_CAST(struct clocked_object, clocked_object_type, obj)->clk_domain);
}

tick_t clock_edge(const struct clocked_object *obj, tick_t now, cycles_t cycles)
{
    tick_t period = clock_period(obj);
    tick_t over = now % period;

    return now + (over ? period - over : 0) + cycles * period;
}

cycles_t clock_ticks_to_cycles(const struct clocked_object *obj, tick_t ticks)
{
    tick_t period = clock_period(obj);

    return ticks / period + (ticks % period != 0);
}

/* --------------------------------------------------------------- statistics */

static double stat_clock(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)SIM_CAST(struct clock_domain, clock_domain_type, obj)
        ->period;
}

static double stat_voltage(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return SIM_CAST(struct voltage_domain, voltage_domain_type, obj)
        ->voltage.data[0];
}

static const struct sim_stat clock_domain_stats[] = {
    SIM_STAT_FORMULA("clock", "Tick", stat_clock, "Clock period in ticks"),
    SIM_END_STAT,
};

static const struct sim_stat voltage_domain_stats[] = {
    SIM_STAT_FORMULA("voltage", "Volt", stat_voltage, "Voltage in Volts"),
    SIM_END_STAT,
};

/* --------------------------------------------------------------- parameters */

static const struct sim_param voltage_domain_params[] = {
    SIM_PARAM(struct voltage_domain, voltage, "1V", "V",
              "Operational voltages, highest first", .nonempty = true),
    SIM_END_PARAM,
};

static const struct sim_param src_clock_domain_params[] = {
    SIM_PARAM(struct src_clock_domain, clock, NULL, "period",
              "Clock periods, fastest first", .min = 1, .nonempty = true),
    SIM_PARAM_OBJ(struct src_clock_domain, voltage_domain, NULL,
                  voltage_domain_type, "Voltage domain that feeds the clock"),
    SIM_PARAM(struct src_clock_domain, domain_id, "-1", "",
              "Number of the domain for a frequency controller; -1: none"),
    SIM_PARAM(struct src_clock_domain, init_perf_level, "0", "",
              "Position in the list of periods to start with"),
    SIM_END_PARAM,
};

static const struct sim_param derived_clock_domain_params[] = {
    SIM_PARAM_OBJ(struct derived_clock_domain, clk_domain, NULL,
                  clock_domain_type, "Domain whose clock is divided"),
    SIM_PARAM(struct derived_clock_domain, clk_divider, "1", "",
              "How many times slower than its parent", .min = 1),
    SIM_END_PARAM,
};

static const struct sim_param clocked_object_params[] = {
    SIM_PARAM_OBJ(struct clocked_object, clk_domain, "Parent.clk_domain",
                  clock_domain_type, "Clock domain"),
    SIM_END_PARAM,
};

/* -------------------------------------------------------------------- types */

static const struct sim_ops clock_domain_ops = {.init = clock_domain_init};
static const struct sim_ops clocked_object_ops = {.init = clocked_object_init};

const struct sim_type voltage_domain_type = {
    .name = "VoltageDomain",
    .doc = "Supply voltage of clock domains",
    .base = &sim_object_type,
    .size = sizeof(struct voltage_domain),
    .params = voltage_domain_params,
    .stats = voltage_domain_stats,
};

const struct sim_type clock_domain_type = {
    .name = "ClockDomain",
    .doc = "Base of the clocks",
    .base = &sim_object_type,
    .size = sizeof(struct clock_domain),
    .is_abstract = true,
    .ops = &clock_domain_ops,
    .stats = clock_domain_stats,
};

const struct sim_type src_clock_domain_type = {
    .name = "SrcClockDomain",
    .doc = "Clock with a period of its own",
    .base = &clock_domain_type,
    .size = sizeof(struct src_clock_domain),
    .params = src_clock_domain_params,
};

const struct sim_type derived_clock_domain_type = {
    .name = "DerivedClockDomain",
    .doc = "Clock that divides the frequency of another one",
    .base = &clock_domain_type,
    .size = sizeof(struct derived_clock_domain),
    .params = derived_clock_domain_params,
};

const struct sim_type clocked_object_type = {
    .name = "ClockedObject",
    .doc = "Base of everything that has a clock",
    .base = &sim_object_type,
    .size = sizeof(struct clocked_object),
    .is_abstract = true,
    .ops = &clocked_object_ops,
    .params = clocked_object_params,
};
