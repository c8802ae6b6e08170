/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Root: seed, quantum and strictness, and the totals that gem5 puts at the top
 * of stats.txt.  Leaves out the coupling to real time (time_sync_enable).
 */
#include "sim/root.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/host_clock.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim_private.h"
#include "sim/stat.h"

SIM_CHECK_BASE(struct root);

static const struct root *root_of(const struct sim_object *obj)
{
    return SIM_CAST(struct root, root_type, obj);
}

static void root_reset_stats(struct sim_object *obj)
{
    struct root *root = SIM_CAST(struct root, root_type, obj);

    root->start_tick = sim_now(obj->sim);
    root->start_host_ns = host_clock_ns();
    root->start_insts = sim_insts(obj->sim);
    root->start_ops = sim_ops_count(obj->sim);
    root->start_guest_errors = sim_guest_errors(obj->sim);
    root->start_unimplemented = sim_unimplemented_uses(obj->sim);
}

static void root_init(struct sim_object *obj)
{
    const struct root *root = root_of(obj);

    sim_set_seed(obj->sim, root->seed);
    obj->sim->is_strict = root->strict;
    if (root->sim_quantum)
        sim_set_slice(obj->sim, root->sim_quantum);
    root_reset_stats(obj);
}

static void root_startup(struct sim_object *obj)
{
    if (root_of(obj)->time_sync_enable)
        sim_unimplemented(obj, "time_sync_enable: simulated time runs freely");
}

/* --------------------------------------------------------------- statistics */

static double per_second(double amount, const struct sim_object *obj)
{
    uint64_t ns = host_clock_ns() - root_of(obj)->start_host_ns;

    return ns ? amount / ((double)ns * 1e-9) : 0.0;
}

static double sim_ticks(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)(sim_now(obj->sim) - root_of(obj)->start_tick);
}

static double sim_seconds(const struct sim_object *obj, uint32_t index)
{
    return sim_ticks(obj, index) / (double)TICKS_PER_SECOND;
}

static double final_tick(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)sim_now(obj->sim);
}

static double sim_freq(const struct sim_object *obj, uint32_t index)
{
    (void)obj;
    (void)index;
    return (double)TICKS_PER_SECOND;
}

static double host_seconds(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)(host_clock_ns() - root_of(obj)->start_host_ns) * 1e-9;
}

static double host_tick_rate(const struct sim_object *obj, uint32_t index)
{
    return per_second(sim_ticks(obj, index), obj);
}

/* Resident memory: guest RAM that was never touched does not count. */
static double host_memory(const struct sim_object *obj, uint32_t index)
{
    uint64_t all_pages = 0, resident_pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    int found = 0;

    (void)obj;
    (void)index;
    if (file) {
        found =
            fscanf(/* NOLINT(cert-err34-c): the kernel's own numbers */
                   file, "%" SCNu64 "%" SCNu64, &all_pages, &resident_pages);
        (void)fclose(file);
    }
    if (found != 2)
        return 0.0;
    return (double)resident_pages * (double)sysconf(_SC_PAGESIZE);
}

static double stat_insts(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)(sim_insts(obj->sim) - root_of(obj)->start_insts);
}

static double stat_ops(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)(sim_ops_count(obj->sim) - root_of(obj)->start_ops);
}

static double host_inst_rate(const struct sim_object *obj, uint32_t index)
{
    return per_second(stat_insts(obj, index), obj);
}

static double host_op_rate(const struct sim_object *obj, uint32_t index)
{
    return per_second(stat_ops(obj, index), obj);
}

static double guest_errors(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)(sim_guest_errors(obj->sim) -
                    root_of(obj)->start_guest_errors);
}

static double unimplemented_uses(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)(sim_unimplemented_uses(obj->sim) -
                    root_of(obj)->start_unimplemented);
}

static const struct sim_stat root_stats[] = {
    SIM_STAT_FORMULA("simSeconds", "Second", sim_seconds, "Simulated time"),
    SIM_STAT_FORMULA("simTicks", "Tick", sim_ticks, "Simulated ticks"),
    SIM_STAT_FORMULA("finalTick", "Tick", final_tick,
                     "Tick at the time of the dump, counted from the beginning "
                     "of simulated time (never reset)"),
    SIM_STAT_FORMULA("simFreq", "(Tick/Second)", sim_freq,
                     "Ticks in a simulated second"),
    SIM_STAT_FORMULA("hostSeconds", "Second", host_seconds,
                     "Time that passed on the host", .flags = STAT_HOST,
                     .precision = STAT_PRECISION(2)),
    SIM_STAT_FORMULA("hostTickRate", "(Tick/Second)", host_tick_rate,
                     "Ticks simulated per second on the host",
                     .flags = STAT_HOST, .precision = STAT_PRECISION(0)),
    SIM_STAT_FORMULA("hostMemory", "Byte", host_memory,
                     "Resident memory of the simulator", .flags = STAT_HOST),
    SIM_STAT_FORMULA("simInsts", "Count", stat_insts, "Simulated instructions"),
    SIM_STAT_FORMULA("simOps", "Count", stat_ops,
                     "Simulated ops (micro-ops included)"),
    SIM_STAT_FORMULA("hostInstRate", "(Count/Second)", host_inst_rate,
                     "Instructions simulated per second on the host",
                     .flags = STAT_HOST, .precision = STAT_PRECISION(0)),
    SIM_STAT_FORMULA("hostOpRate", "(Count/Second)", host_op_rate,
                     "Ops simulated per second on the host", .flags = STAT_HOST,
                     .precision = STAT_PRECISION(0)),
    SIM_STAT_FORMULA("guestErrors", "Count", guest_errors,
                     "Mistakes of the guest that were reported",
                     .flags = STAT_NO_ZERO),
    SIM_STAT_FORMULA("unimplemented", "Count", unimplemented_uses,
                     "Uses of features that are not modelled",
                     .flags = STAT_NO_ZERO),
    SIM_END_STAT,
};

/* --------------------------------------------------------------- parameters */

static const struct sim_param root_params[] = {
    SIM_PARAM(struct root, full_system, "False", "",
              "Whether a kernel boots, instead of one program that runs"),
    SIM_PARAM(struct root, sim_quantum, "0", "ticks",
              "How long each CPU runs before the next one; 0: 1us"),
    SIM_PARAM(struct root, seed, "1", "",
              "Beginning of the sequence of random numbers"),
    SIM_PARAM(struct root, strict, "False", "",
              "Whether the use of a feature that is not modelled ends the run"),
    SIM_PARAM(struct root, time_sync_enable, "False", "",
              "Whether simulated time waits for the host's"),
    SIM_PARAM(struct root, time_sync_period, "100ms", "period",
              "How often simulated time waits for the host's", .min = 1,
              .ignored = "simulated time runs freely"),
    SIM_PARAM(struct root, time_sync_spin_threshold, "100us", "period",
              "Shorter waits spin instead of sleeping", .min = 1,
              .ignored = "simulated time runs freely"),
    SIM_END_PARAM,
};

static const struct sim_ops root_ops = {
    .init = root_init,
    .startup = root_startup,
    .reset_stats = root_reset_stats,
};

const struct sim_type root_type = {
    .name = "Root",
    .doc = "Root of the tree of objects",
    .base = &sim_object_type,
    .size = sizeof(struct root),
    .ops = &root_ops,
    .params = root_params,
    .stats = root_stats,
};
