/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/base_cpu.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "arch/x86/boot/boot.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/se_workload.h"
#include "base/alloc.h"
#include "cpu/base_cpu_ckpt.h"
#include "cpu/core_vcpu.h"
#include "cpu/exec_trace.h"
#include "mem/port.h"
#include "mem/system.h"
#include "sim/checkpoint.h"
#include "sim/debug.h"
#include "sim/eventq.h"
#include "sim/param.h"
#include "sim/report.h"

/* X86_REP_SLICE elements at 16 per cycle, as for fast strings of bytes. */
enum { REP_PART_CYCLES = X86_REP_SLICE / 16 };

struct base_cpu *base_cpu_of(struct sim_object *obj)
{
    return SIM_CAST(struct base_cpu, base_cpu_type, obj);
}

struct base_cpu *base_cpu_next(const struct system *system,
                               const struct base_cpu *cpu)
{
    const struct sim_object *root = &system->base;
    struct sim_object *obj =
        sim_object_next(root, cpu ? &cpu->base.base : root);

    while (obj && !sim_object_is_a(obj, &base_cpu_type))
        obj = sim_object_next(root, obj);
    return obj ? base_cpu_of(obj) : NULL;
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

void base_cpu_activate(struct base_cpu *cpu)
{
    if (cpu->is_switched_out)
        cpu->was_active = true;
    else
        sim_runner_activate(cpu->base.base.sim, &cpu->runner);
}

static void base_cpu_wake(struct linux_cpu *linux_cpu)
{
    base_cpu_activate(SIM_CONTAINER_OF(linux_cpu, struct base_cpu, linux_cpu));
}

uint64_t base_cpu_budget(struct base_cpu *cpu, tick_t until)
{
    tick_t period = clock_period(&cpu->base);
    tick_t now = cpu->runner.now;
    tick_t horizon = cpu->runner.horizon;
    uint64_t budget;

    if (horizon < until)
        until = horizon;
    cpu->run_until = until;
    if (until <= now)
        return 0;
    budget = (until - now - 1) / period + 1;
    if (cpu->stop_insts - cpu->num_insts < budget)
        budget = cpu->stop_insts - cpu->num_insts;
    if (cpu->is_in_se && cpu->linux_cpu.slice_left < budget)
        budget = cpu->linux_cpu.slice_left;
    return budget;
}

static void base_cpu_next_inst_stop(struct base_cpu *cpu)
{
    cpu->stop_insts = cpu->inst_stops ? cpu->inst_stops->at : UINT64_MAX;
}

static void base_cpu_drop_inst_stop(struct base_cpu_inst_stop **link)
{
    struct base_cpu_inst_stop *stop = *link;

    *link = stop->next;
    mem_free(stop->cause);
    mem_free(stop);
}

/* The count is reached. */
static void base_cpu_inst_stop(struct base_cpu *cpu)
{
    while (cpu->inst_stops && cpu->inst_stops->at <= cpu->num_insts) {
        sim_exit_at(cpu->base.base.sim, cpu->inst_stops->cause, 0,
                    cpu->runner.now, 0);
        base_cpu_drop_inst_stop(&cpu->inst_stops);
    }
    base_cpu_next_inst_stop(cpu);
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
    if (cpu->num_insts >= cpu->stop_insts)
        base_cpu_inst_stop(cpu);
}

bool base_cpu_has_work(struct base_cpu *cpu)
{
    if (!cpu->is_in_se || cpu->io.is_quiesced)
        return cpu_io_may_run(cpu);
    return sched_run_next(&cpu->linux_cpu);
}

void base_cpu_shut_down(struct base_cpu *cpu)
{
    struct sim_object *self = &cpu->base.base;

    sim_guest_error(self, "the processor shut down after a triple fault");
    x86_core_state(cpu->core)->mp_state = X86_WAIT_INIT;
    sim_exit_at(self->sim, EXIT_SHUTDOWN, 1, cpu->runner.now, 0);
}

void base_cpu_begin(struct base_cpu *cpu)
{
    cpu->run_start = cpu->runner.now;
    cpu->run_insts = x86_core_insts(cpu->core);
}

/* A REP instruction goes on for long: so does time, for everybody else.  The
 * same for each part, whatever budget it met: two runs take the same course. */
static void base_cpu_pass_rep(struct base_cpu *cpu)
{
    base_cpu_charge_time(cpu, REP_PART_CYCLES * clock_period(&cpu->base));
    base_cpu_settle_slice(cpu);
}

void base_cpu_run_core(struct base_cpu *cpu, uint64_t budget)
{
    uint64_t rip = x86_core_state(cpu->core)->rip;
    uint64_t before = x86_core_insts(cpu->core);
    enum x86_stop stop;

    if (cpu->stops.is_in_use && core_stops_end(cpu))
        return;
    stop = base_cpu_enter(cpu, budget);
    base_cpu_charge(cpu);
    if (cpu->stops.is_in_use && x86_core_insts(cpu->core) != before)
        core_stops_passed(cpu, rip);
    if (stop == X86_STOP_REP)
        base_cpu_pass_rep(cpu);
    if (stop == X86_STOP_SHUTDOWN)
        base_cpu_shut_down(cpu);
}

void base_cpu_charge_time(struct base_cpu *cpu, tick_t ticks)
{
    uint64_t cycles = ticks / clock_period(&cpu->base);

    cpu->num_cycles += cycles;
    cpu->runner.now += ticks;
    base_cpu_begin(cpu);
    cpu->slice_used += cycles;
}

void base_cpu_count_insts(struct base_cpu *cpu, uint64_t insts)
{
    cpu->num_insts += insts;
    cpu->other_insts += insts;
    sim_count_insts(cpu->base.base.sim, insts, insts);
    if (cpu->num_insts >= cpu->stop_insts)
        base_cpu_inst_stop(cpu);
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
        if (!base_cpu_has_work(cpu) && !base_cpu_has_event(cpu)) {
            sim_runner_suspend(sim, &cpu->runner);
            return;
        }
        budget = base_cpu_budget(cpu, until);
        if (!budget)
            return;
        base_cpu_run_core(cpu, budget);
    }
}

const char *base_cpu_inst_stop_refusal(const struct base_cpu *cpu)
{
    return cpu->ops && cpu->ops->inst_stop_refusal
               ? cpu->ops->inst_stop_refusal(cpu)
               : NULL;
}

void base_cpu_stop_after(struct base_cpu *cpu, uint64_t insts,
                         const char *cause)
{
    struct base_cpu_inst_stop **link = &cpu->inst_stops;
    struct base_cpu_inst_stop *stop;
    const char *why = base_cpu_inst_stop_refusal(cpu);

    if (why)
        sim_fatal(&cpu->base.base,
                  "cannot stop after %" PRIu64 " instructions: %s", insts, why);
    stop = alloc_zeroed(1, sizeof(*stop));
    stop->at = insts < UINT64_MAX - cpu->num_insts ? cpu->num_insts + insts
                                                   : UINT64_MAX;
    stop->cause = alloc_strdup(cause);
    while (*link && (*link)->at <= stop->at)
        link = &(*link)->next;
    stop->next = *link;
    *link = stop;
    base_cpu_next_inst_stop(cpu);
}

void base_cpu_forget_stops(struct base_cpu *cpu)
{
    while (cpu->inst_stops)
        base_cpu_drop_inst_stop(&cpu->inst_stops);
    base_cpu_next_inst_stop(cpu);
}

void base_cpu_cancel_stops(struct base_cpu *cpu, const char *cause)
{
    struct base_cpu_inst_stop **link = &cpu->inst_stops;

    while (*link) {
        if (strcmp((*link)->cause, cause) == 0)
            base_cpu_drop_inst_stop(link);
        else
            link = &(*link)->next;
    }
    base_cpu_next_inst_stop(cpu);
}

bool base_cpu_is_idle(const struct base_cpu *cpu)
{
    return cpu->is_switched_out || !cpu->runner.is_active;
}

void base_cpu_limit_insts(struct base_cpu *cpu)
{
    base_cpu_forget_stops(cpu);
    if (cpu->max_insts_any_thread)
        base_cpu_stop_after(cpu, cpu->max_insts_any_thread, EXIT_MAX_INSTS);
    if (cpu->max_insts_all_threads)
        base_cpu_stop_after(cpu, cpu->max_insts_all_threads, EXIT_MAX_INSTS);
}

/* ------------------------------------------------------------------ life cycle
 */

/* The CPUs of the machine: those that are switched out only stand by. */
static uint32_t base_cpu_count(const struct system *system)
{
    uint32_t count = 0;

    for (const struct base_cpu *cpu = base_cpu_next(system, NULL); cpu;
         cpu = base_cpu_next(system, cpu))
        count += !cpu->switched_out;
    return count ? count : 1;
}

/* One rate for all CPUs of the machine, whoever runs in their place. */
static tick_t base_cpu_tsc_period(struct base_cpu *cpu)
{
    struct base_cpu *first = base_cpu_next(cpu->system, NULL);

    while (first && first->switched_out)
        first = base_cpu_next(cpu->system, first);
    return clock_period(first ? &first->base : &cpu->base);
}

/* Decoded blocks belong to the memory that holds the code. */
static struct x86_cache *base_cpu_shared_cache(const struct base_cpu *cpu)
{
    struct base_cpu *other = base_cpu_next(cpu->system, NULL);

    while (other && !other->core)
        other = base_cpu_next(cpu->system, other);
    return other ? x86_core_cache(other->core) : NULL;
}

static void base_cpu_make_core(struct base_cpu *cpu)
{
    struct sim_object *self = &cpu->base.base;
    struct x86_cpuid_cfg cpuid_cfg = {
        .model = cpu->model,
        .num_cpus = base_cpu_count(cpu->system),
        .tsc_hz = TICKS_PER_SECOND / cpu->linux_cpu.period,
    };
    struct x86_core_cfg cfg = {
        .mem = cpu->system->physmem,
        .cache = base_cpu_shared_cache(cpu),
        .env = &cpu->linux_cpu.env,
        .owner = self,
        .id = (uint32_t)cpu->cpu_id,
    };
    char why[256] = "";

    if (x86_cpuid_create(&cpuid_cfg, &cpu->cpuid, why))
        sim_fatal_param(self, "model", "%s", why);
    cfg.cpuid = cpu->cpuid;
    cpu_io_set_env(cpu);
    if (cpu->is_in_se)
        linux_env_init(&cpu->linux_cpu);
    cpu->core = x86_core_create(&cfg);
    cpu->linux_cpu.core = cpu->core;
    cpu->linux_cpu.now = base_cpu_now;
    cpu->linux_cpu.wake = base_cpu_wake;
    core_stops_init(cpu);
}

static struct se_workload *base_cpu_workload(const struct base_cpu *cpu)
{
    return SIM_CAST(struct se_workload, se_workload_type,
                    &cpu->system->workload->base);
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
    cpu->is_switched_out = cpu->switched_out;
    cpu->linux_cpu.period = base_cpu_tsc_period(cpu);
    base_cpu_make_core(cpu);
    cpu_io_init(cpu);
    if (cpu->is_in_se && !cpu->is_switched_out)
        kernel_add_cpu(se_workload_kernel(base_cpu_workload(cpu), cpu->cpuid),
                       &cpu->linux_cpu);
    base_cpu_limit_insts(cpu);
}

/* Power on. */
static void base_cpu_reset(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);

    if (cpu->is_in_se || cpu->is_switched_out)
        return;
    boot_cpu(cpu->system->workload, (uint32_t)cpu->cpu_id,
             x86_core_state(cpu->core));
    x86_core_state_changed(cpu->core);
}

static void base_cpu_schedule_progress(struct base_cpu *cpu)
{
    struct sim *sim = cpu->base.base.sim;
    tick_t interval = TICKS_PER_SECOND / cpu->progress_interval;

    eventq_schedule(sim_eventq(sim), &cpu->progress,
                    sim_now(sim) + (interval ? interval : 1));
}

/* gem5's words. */
static void base_cpu_tell_progress(struct sim_event *event, tick_t now)
{
    struct base_cpu *cpu = SIM_CONTAINER_OF(event, struct base_cpu, progress);

    if (!cpu->is_switched_out)
        sim_inform(&cpu->base.base,
                   "%" PRIu64 ": progress event, total committed:%" PRIu64
                   ", progress insts committed: %" PRIu64,
                   now, cpu->num_insts, cpu->num_insts - cpu->progress_insts);
    cpu->progress_insts = cpu->num_insts;
    base_cpu_schedule_progress(cpu);
}

static void base_cpu_startup(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);
    struct se_workload *workload;

    if (!cpu->is_switched_out && !sim_log_depth(obj->sim))
        (void)sim_log_push(obj);
    cpu_io_startup(cpu);
    event_init(&cpu->progress, "progress", EVENT_PRI_PROGRESS,
               base_cpu_tell_progress);
    cpu->progress_insts = cpu->num_insts;
    if (cpu->progress_interval)
        base_cpu_schedule_progress(cpu);
    base_cpu_start_vcpu(cpu);
    if (!cpu->is_in_se) {
        if (!cpu->is_switched_out && cpu->runner.run)
            sim_runner_activate(obj->sim, &cpu->runner);
        return;
    }
    if (cpu->wakes_at_startup)
        sim_runner_activate(obj->sim, &cpu->runner);
    workload = base_cpu_workload(cpu);
    for (uint32_t i = 0; !workload->is_restored && i < cpu->workload.len; i++)
        process_object_start(SIM_CAST(struct process_object, process_type,
                                      cpu->workload.data[i]),
                             workload->kernel);
}

static void base_cpu_fini(struct sim_object *obj)
{
    struct base_cpu *cpu = base_cpu_of(obj);

    eventq_deschedule(sim_eventq(obj->sim), &cpu->progress);
    stat_vector_fini(&cpu->op_class);
    cpu_io_fini(cpu);
    base_cpu_forget_stops(cpu);
    /* The first CPU to go takes the kernel along, which refers to all cores. */
    base_cpu_drop_vcpu(cpu);
    if (cpu->is_in_se)
        se_workload_drop(base_cpu_workload(cpu));
    x86_core_destroy(cpu->core);
    cpu->core = NULL;
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
    now->insts += cpu->other_insts;
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
    cpu->other_insts = 0;
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
    SIM_STAT(struct base_cpu, io.work_started, "numWorkItemsStarted", "Count",
             "Number of work items this cpu started"),
    SIM_STAT(struct base_cpu, io.work_completed, "numWorkItemsCompleted",
             "Count", "Number of work items this cpu completed"),
    SIM_STAT(struct base_cpu, io.num_io, "io.portAccesses", "Count",
             "Number of accesses to I/O ports", .flags = STAT_NO_ZERO),
    SIM_STAT(struct base_cpu, io.num_mmio, "io.memoryAccesses", "Count",
             "Number of memory accesses outside RAM", .flags = STAT_NO_ZERO),
    SIM_STAT(struct base_cpu, io.num_unclaimed, "io.unconnected", "Count",
             "Number of accesses for which no bus was connected",
             .flags = STAT_NO_ZERO),
    SIM_STAT(struct base_cpu, io.num_interrupts, "io.interrupts", "Count",
             "Number of interrupts taken from the controller",
             .flags = STAT_NO_ZERO),
    SIM_STAT(struct base_cpu, io.num_pseudo_ops, "io.pseudoOps", "Count",
             "Number of pseudo operations", .flags = STAT_NO_ZERO),
    SIM_STAT(struct base_cpu, io.num_hypercalls, "io.hypercalls", "Count",
             "Number of hypercalls", .flags = STAT_NO_ZERO),
    SIM_STAT(struct base_cpu, num_syscalls, "workload.numSyscalls", "Count",
             "Number of system calls"),
    SIM_END_STAT,
};

/* ---------------------------------------------------------------------- tables
 */

static const struct sim_ops base_cpu_ops = {
    .init = base_cpu_init,
    .reset = base_cpu_reset,
    .startup = base_cpu_startup,
    .save = base_cpu_save,
    .load = base_cpu_load,
    .reset_stats = base_cpu_reset_stats,
    .pre_dump = base_cpu_pre_dump,
    .fini = base_cpu_fini,
};

static const struct sim_param base_cpu_params[] = {
    SIM_PARAM(struct base_cpu, cpu_id, "0", "", "Number of the CPU; APIC id"),
    SIM_PARAM(struct base_cpu, socket_id, "0", "", "Number of its socket",
              .ignored = "CPUID describes one socket"),
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
    SIM_PARAM(
        struct base_cpu, progress_interval, "0Hz", "Hz",
        "How often to tell how many instructions were executed; 0: never"),
    SIM_PARAM(struct base_cpu, switched_out, "False", "",
              "Does not run until the script switches to it"),
    SIM_PARAM(struct base_cpu, do_checkpoint_insts, "True", "",
              "Whether the pseudo operation checkpoint has an effect"),
    SIM_PARAM(struct base_cpu, do_statistics_insts, "True", "",
              "Whether pseudo operations dump and reset statistics"),
    SIM_PARAM(struct base_cpu, model, "host", "",
              "What CPUID tells, within what this host can execute"),
    SIM_PARAM_NAMED(struct base_cpu, host_cpus, "phys_cpu_set", "[]", "",
                    "Host processors that the vCPU's thread is confined to "
                    "while it is bound; empty: any"),
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
