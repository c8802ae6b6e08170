/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gem5's AtomicSimpleCPU: the functional core at one instruction per cycle.
 * Memory takes no time.
 */
#include "cpu/base_cpu.h"
#include "cpu/core_vcpu.h"
#include "sim/param.h"

extern const struct sim_type atomic_simple_cpu_type;

struct atomic_simple_cpu {
    struct base_cpu base;

    /* Parameters. */
    uint32_t width;
    bool simulate_data_stalls, simulate_inst_stalls;
};
SIM_CHECK_BASE(struct atomic_simple_cpu);

static void atomic_run(struct sim_runner *runner, tick_t until)
{
    base_cpu_execute(base_cpu_of(runner->owner), until);
}

static void atomic_init(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);

    base_cpu_add_vcpu(cpu, NULL);
    cpu->runner.run = atomic_run;
    sim_add_runner(obj->sim, &cpu->runner);
}

static const struct sim_ops atomic_ops = {
    .init = atomic_init,
};

static const struct sim_param atomic_params[] = {
    SIM_PARAM(struct atomic_simple_cpu, width, "1", "",
              "Instructions per cycle; only 1", .min = 1, .max = 1),
    SIM_PARAM(struct atomic_simple_cpu, simulate_data_stalls, "False", "",
              "Whether the CPU waits for loads and stores",
              .ignored = "memory takes no time in this CPU"),
    SIM_PARAM(struct atomic_simple_cpu, simulate_inst_stalls, "False", "",
              "Whether the CPU waits for instruction fetches",
              .ignored = "memory takes no time in this CPU"),
    SIM_END_PARAM,
};

const struct sim_type atomic_simple_cpu_type = {
    .name = "X86AtomicSimpleCPU",
    .doc = "Functional CPU: one instruction per cycle, memory takes no time",
    .base = &base_cpu_type,
    .size = sizeof(struct atomic_simple_cpu),
    .ops = &atomic_ops,
    .params = atomic_params,
};
