/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/base_cpu.h"

#include <stddef.h>
#include <string.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/se_workload.h"
#include "cpu/base_cpu_ckpt.h"
#include "cpu/exec_trace.h"
#include "mem/port.h"
#include "mem/system.h"
#include "sim/checkpoint.h"
#include "sim/debug.h"
#include "sim/param.h"
#include "sim/report.h"

struct base_cpu *base_cpu_of(struct sim_object *obj)
{
    return SIM_CAST(struct base_cpu, base_cpu_type, obj);
}

/* ------------------------------------------------------------------------ time
 */

tick_t base_cpu_catch_up(struct base_cpu *cpu)
{
    uint64_t insts = x86_core_insts(cpu->core) - cpu->run_insts;

    cpu->runner.now = cpu->run_start + insts * clock_period(&cpu->base);
    return cpu->runner.now;
}

static tick_t base_cpu_now(struct linux_cpu *linux_cpu)
{
    return base_cpu_catch_up(
        SIM_CONTAINER_OF(linux_cpu, struct base_cpu, linux_cpu));
}

static void base_cpu_wake(struct linux_cpu *linux_cpu)
{
    struct base_cpu *cpu =
        SIM_CONTAINER_OF(linux_cpu, struct base_cpu, linux_cpu);

    if (!cpu->switched_out)
        sim_runner_activate(cpu->base.base.sim, &cpu->runner);
}

uint64_t base_cpu_budget(const struct base_cpu *cpu, tick_t until)
{
    tick_t period = clock_period(&cpu->base);
    tick_t now = cpu->runner.now;
    tick_t horizon = cpu->runner.horizon;
    uint64_t budget;

    if (horizon < until)
        until = horizon;
    if (until <= now)
        return 0;
    budget = (until - now - 1) / period + 1;
    if (cpu->stop_insts - cpu->num_insts < budget)
        budget = cpu->stop_insts - cpu->num_insts;
    if (cpu->is_in_se && cpu->linux_cpu.slice_left < budget)
        budget = cpu->linux_cpu.slice_left;
    return budget;
}

static void base_cpu_charge(struct base_cpu *cpu)
{
    uint64_t insts = x86_core_insts(cpu->core) - cpu->run_insts;

    cpu->num_insts += insts;
    cpu->num_cycles += insts;
    cpu->runner.now = cpu->run_start + insts * clock_period(&cpu->base);
    cpu->run_insts += insts;
    cpu->run_start = cpu->runner.now;
    sim_count_insts(cpu->base.base.sim, insts, insts);
    if (cpu->is_in_se)
        sched_ran(&cpu->linux_cpu, insts);
    if (cpu->num_insts >= cpu->stop_insts) {
        cpu->stop_insts = UINT64_MAX;
        sim_exit_at(cpu->base.base.sim, EXIT_MAX_INSTS, 0, cpu->runner.now, 0);
    }
}

bool base_cpu_has_work(struct base_cpu *cpu)
{
    if (!cpu->is_in_se)
        return x86_core_state(cpu->core)->mp_state == X86_RUNNABLE;
    return sched_run_next(&cpu->linux_cpu);
}

void base_cpu_begin(struct base_cpu *cpu)
{
    cpu->run_start = cpu->runner.now;
    cpu->run_insts = x86_core_insts(cpu->core);
}

void base_cpu_run_core(struct base_cpu *cpu, uint64_t budget)
{
    (void)x86_core_run(cpu->core, budget);
    base_cpu_charge(cpu);
}

void base_cpu_charge_time(struct base_cpu *cpu, tick_t ticks)
{
    uint64_t cycles = ticks / clock_period(&cpu->base);

    cpu->num_cycles += cycles;
    cpu->runner.now += ticks;
    base_cpu_begin(cpu);
    cpu->slice_used += cycles;
}

void base_cpu_settle_slice(struct base_cpu *cpu)
{
    uint64_t used = cpu->slice_used;

    cpu->slice_used = 0;
    if (cpu->is_in_se)
        sched_ran(&cpu->linux_cpu, used);
}

void base_cpu_execute(struct base_cpu *cpu, tick_t until)
{
    struct sim *sim = cpu->base.base.sim;

    exec_trace_update(cpu);
    for (;;) {
        uint64_t budget;

        base_cpu_begin(cpu);
        if (!base_cpu_has_work(cpu)) {
            sim_runner_suspend(sim, &cpu->runner);
            return;
        }
        budget = base_cpu_budget(cpu, until);
        if (!budget)
            return;
        base_cpu_run_core(cpu, budget);
    }
}

void base_cpu_stop_after(struct base_cpu *cpu, uint64_t insts)
{
    cpu->stop_insts = insts < UINT64_MAX - cpu->num_insts
                          ? cpu->num_insts + insts
                          : UINT64_MAX;
}

void base_cpu_limit_insts(struct base_cpu *cpu)
{
    cpu->stop_insts = UINT64_MAX;
    if (cpu->max_insts_any_thread)
        base_cpu_stop_after(cpu, cpu->max_insts_any_thread);
    if (cpu->max_insts_all_threads)
        base_cpu_stop_after(cpu, cpu->max_insts_all_threads);
}

/* ------------------------------------------------------------------ life cycle
 */

static uint32_t base_cpu_count(const struct sim_object *obj)
{
    uint32_t count = sim_object_is_a(obj, &base_cpu_type) ? 1 : 0;

    for (const struct sim_object *child = obj->first_child; child;
         child = child->next_sibling)
        count += base_cpu_count(child);
    return count;
}

static void base_cpu_make_core(struct base_cpu *cpu)
{
    struct sim_object *self = &cpu->base.base;
    struct x86_cpuid_cfg cpuid_cfg = {
        .model = cpu->model,
        .num_cpus = base_cpu_count(&cpu->system->base),
        .tsc_hz = TICKS_PER_SECOND / clock_period(&cpu->base),
    };
    struct x86_core_cfg cfg = {
        .mem = cpu->system->physmem,
        .env = &cpu->linux_cpu.env,
        .owner = self,
        .id = (uint32_t)cpu->cpu_id,
    };
    char why[256] = "";

    if (x86_cpuid_create(&cpuid_cfg, &cpu->cpuid, why))
        sim_fatal_param(self, "model", "%s", why);
    cfg.cpuid = cpu->cpuid;
    if (cpu->is_in_se) {
        struct se_workload *workload = SIM_CAST(
            struct se_workload, se_workload_type, &cpu->system->workload->base);
        const struct kernel *kernel = se_workload_kernel(workload, cpu->cpuid);

        linux_env_init(&cpu->linux_cpu);
        if (kernel->num_cpus)
            cfg.cache = x86_core_cache(kernel->cpus[0]->core);
    }
    cpu->core = x86_core_create(&cfg);
}

static void base_cpu_join_kernel(struct base_cpu *cpu)
{
    struct se_workload *workload = SIM_CAST(
        struct se_workload, se_workload_type, &cpu->system->workload->base);

    cpu->linux_cpu.core = cpu->core;
    cpu->linux_cpu.period = clock_period(&cpu->base);
    cpu->linux_cpu.now = base_cpu_now;
    cpu->linux_cpu.wake = base_cpu_wake;
    kernel_add_cpu(workload->kernel, &cpu->linux_cpu);
}

static void base_cpu_init(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);

    cpu->system = system_of(obj);
    cpu->is_in_se =
        cpu->system->workload &&
        sim_object_is_a(&cpu->system->workload->base, &se_workload_type);
    if (cpu->workload.len && !cpu->is_in_se)
        sim_fatal_param(obj, "workload",
                        "the System has no SEWorkload; set system.workload = "
                        "SEWorkload.init_compatible(program)");
    stat_vector_init(&cpu->op_class, X86_NUM_OP_CLASSES, x86_op_class_names);
    cpu->runner.owner = obj;
    base_cpu_make_core(cpu);
    if (cpu->is_in_se)
        base_cpu_join_kernel(cpu);
    base_cpu_limit_insts(cpu);
}

static void base_cpu_startup(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);
    struct se_workload *workload;

    if (!cpu->is_in_se) {
        if (!cpu->switched_out && cpu->runner.run)
            sim_runner_activate(obj->sim, &cpu->runner);
        return;
    }
    if (cpu->wakes_at_startup)
        sim_runner_activate(obj->sim, &cpu->runner);
    workload = SIM_CAST(struct se_workload, se_workload_type,
                        &cpu->system->workload->base);
    for (uint32_t i = 0; !workload->is_restored && i < cpu->workload.len; i++)
        process_object_start(SIM_CAST(struct process_object, process_type,
                                      cpu->workload.data[i]),
                             workload->kernel);
}

/* The first CPU to go takes the kernel along, which refers to all cores, and
 * the cores, which share what the first of them owns. */
static void base_cpu_leave_kernel(struct se_workload *workload)
{
    struct kernel *kernel = workload->kernel;
    struct linux_cpu *cpus[KERNEL_MAX_CPUS];
    uint32_t count = kernel ? kernel->num_cpus : 0;

    for (uint32_t i = 0; i < count; i++)
        cpus[i] = kernel->cpus[i];
    se_workload_drop(workload);
    while (count) {
        struct base_cpu *cpu =
            SIM_CONTAINER_OF(cpus[--count], struct base_cpu, linux_cpu);

        x86_core_destroy(cpu->core);
        cpu->core = NULL;
    }
}

static void base_cpu_fini(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);

    stat_vector_fini(&cpu->op_class);
    if (cpu->is_in_se)
        base_cpu_leave_kernel(SIM_CAST(struct se_workload, se_workload_type,
                                       &cpu->system->workload->base));
    x86_core_destroy(cpu->core);
    x86_cpuid_destroy(cpu->cpuid);
}

/* ------------------------------------------------------------------ statistics
 */

/* Differences of the core's totals since the last reset. */
static void base_cpu_pre_dump(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);
    const struct x86_counts *old = &cpu->base_counts;
    struct x86_counts *now = &cpu->stats;

    if (!cpu->core)
        return;
    x86_core_counts(cpu->core, now);
    now->insts -= old->insts;
    now->branches -= old->branches;
    now->taken -= old->taken;
    now->calls -= old->calls;
    now->returns -= old->returns;
    now->loads -= old->loads;
    now->stores -= old->stores;
    for (int i = 0; i < X86_NUM_OP_CLASSES; i++)
        cpu->op_class.data[i] = now->by_class[i] - old->by_class[i];
    cpu->num_syscalls = cpu->linux_cpu.num_syscalls - cpu->base_syscalls;
}

static void base_cpu_reset_stats(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);

    if (cpu->core)
        x86_core_counts(cpu->core, &cpu->base_counts);
    memset(&cpu->stats, 0, sizeof(cpu->stats));
    cpu->base_syscalls = cpu->linux_cpu.num_syscalls;
}

static double base_cpu_ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

static const struct base_cpu *base_cpu_const(const struct sim_object *obj)
{
    return (const struct base_cpu *)(const void *)sim_object_cast(
        obj, &base_cpu_type);
}

static double base_cpu_cpi(const struct sim_object *obj, uint32_t index)
{
    const struct base_cpu *cpu = base_cpu_const(obj);

    (void)index;
    return base_cpu_ratio(cpu->num_cycles, cpu->stats.insts);
}

static double base_cpu_ipc(const struct sim_object *obj, uint32_t index)
{
    const struct base_cpu *cpu = base_cpu_const(obj);

    (void)index;
    return base_cpu_ratio(cpu->stats.insts, cpu->num_cycles);
}

static const struct sim_stat base_cpu_stats[] = {
    SIM_STAT(struct base_cpu, num_cycles, "numCycles", "Cycle",
             "Number of cpu cycles simulated"),
    SIM_STAT_FORMULA("cpi", "(Cycle/Count)", base_cpu_cpi,
                     "CPI: cycles per instruction"),
    SIM_STAT_FORMULA("ipc", "(Count/Cycle)", base_cpu_ipc,
                     "IPC: instructions per cycle"),
    SIM_STAT(struct base_cpu, stats.insts, "commitStats0.numInsts", "Count",
             "Number of instructions committed"),
    SIM_STAT(struct base_cpu, stats.insts, "commitStats0.numOps", "Count",
             "Number of ops committed: instructions, as they are not split"),
    SIM_STAT(struct base_cpu, stats.loads, "commitStats0.numLoadInsts", "Count",
             "Number of load instructions"),
    SIM_STAT(struct base_cpu, stats.stores, "commitStats0.numStoreInsts",
             "Count", "Number of store instructions"),
    SIM_STAT(struct base_cpu, op_class, "commitStats0.committedInstType",
             "Count", "Class of committed instruction",
             .flags = STAT_TOTAL | STAT_PDF),
    SIM_STAT(struct base_cpu, stats.calls, "commitStats0.functionCalls",
             "Count", "Number of function calls committed"),
    SIM_STAT(struct base_cpu, stats.branches, "executeStats0.numBranches",
             "Count", "Number of branches"),
    SIM_STAT(struct base_cpu, stats.taken, "executeStats0.numTakenBranches",
             "Count", "Number of branches taken"),
    SIM_STAT(struct base_cpu, num_syscalls, "workload.numSyscalls", "Count",
             "Number of system calls"),
    SIM_END_STAT,
};

/* ---------------------------------------------------------------------- tables
 */

static const struct sim_ops base_cpu_ops = {
    .init = base_cpu_init,
    .startup = base_cpu_startup,
    .save = base_cpu_save,
    .load = base_cpu_load,
    .reset_stats = base_cpu_reset_stats,
    .pre_dump = base_cpu_pre_dump,
    .fini = base_cpu_fini,
};

static const struct sim_param base_cpu_params[] = {
    SIM_PARAM(struct base_cpu, cpu_id, "0", "", "Number of the CPU; APIC id"),
    SIM_PARAM(struct base_cpu, socket_id, "0", "", "Number of its socket"),
    SIM_PARAM_NAMED(struct base_cpu, num_threads, "numThreads", "1", "",
                    "Hardware threads; only 1", .min = 1, .max = 1),
    SIM_PARAM_OBJS(struct base_cpu, workload, "[]", process_type,
                   "Processes that start with this CPU"),
    SIM_PARAM_OBJS(struct base_cpu, isa, "[]", sim_object_type,
                   "Accepted for gem5's scripts"),
    SIM_PARAM_OBJS(struct base_cpu, interrupts, "[]", sim_object_type,
                   "Interrupt controllers"),
    SIM_PARAM_OBJ(struct base_cpu, mmu, "NULL", sim_object_type,
                  "Accepted for gem5's scripts"),
    SIM_PARAM_OBJ(struct base_cpu, tracer, "NULL", sim_object_type,
                  "Accepted for gem5's scripts"),
    SIM_PARAM(struct base_cpu, max_insts_any_thread, "0", "",
              "Leave simulate() after so many instructions; 0: never"),
    SIM_PARAM(struct base_cpu, max_insts_all_threads, "0", "",
              "The same: there is one thread"),
    SIM_PARAM(struct base_cpu, progress_interval, "0Hz", "Hz",
              "Accepted for gem5's scripts"),
    SIM_PARAM(struct base_cpu, switched_out, "False", "",
              "Does not run until the script switches to it"),
    SIM_PARAM(struct base_cpu, model, "host", "",
              "What CPUID tells, within what this host can execute"),
    SIM_END_PARAM,
};

static const struct sim_port_desc base_cpu_ports[] = {
    MEM_REQUESTOR(struct base_cpu, icache_port, "Instruction fetches",
                  .is_optional = true),
    MEM_REQUESTOR(struct base_cpu, dcache_port, "Loads and stores",
                  .is_optional = true),
    SIM_END_PORT,
};

static const struct sim_field base_cpu_state[] = {
    SIM_FIELD(struct base_cpu, num_insts, "", "Instructions executed"),
    SIM_END,
};

const struct sim_type base_cpu_type = {
    .name = "BaseCPU",
    .doc = "What all CPU models have in common",
    .base = &clocked_object_type,
    .size = sizeof(struct base_cpu),
    .version = 1,
    .is_abstract = true,
    .ops = &base_cpu_ops,
    .params = base_cpu_params,
    .state = base_cpu_state,
    .stats = base_cpu_stats,
    .ports = base_cpu_ports,
};
