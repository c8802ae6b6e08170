/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all CPU models have in common: parameters and statistics with gem5's
 * names, the functional core, the seat in the emulated kernel, instruction
 * limits.  A model adds a runner and charges time.
 */
#ifndef CPU_BASE_CPU_H
#define CPU_BASE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/core.h"
#include "arch/x86/linux/kernel.h"
#include "sim/clock.h"
#include "sim/field.h"
#include "sim/port.h"
#include "sim/sim.h"
#include "sim/stat.h"

#ifdef __cplusplus
extern "C" {
#endif

struct system;
struct x86_cpuid;

struct base_cpu {
    struct clocked_object base;

    /* Parameters. */
    uint64_t cpu_id, socket_id;
    uint32_t num_threads;
    struct sim_vec_obj workload;
    struct sim_vec_obj isa, interrupts;
    struct sim_object *mmu, *tracer;
    uint64_t max_insts_any_thread, max_insts_all_threads;
    uint64_t progress_interval;
    bool switched_out;
    const char *model; /* of CPUID */
    struct sim_port icache_port, dcache_port;

    /* State. */
    uint64_t num_insts; /* executed since the start */

    /* Statistics. */
    uint64_t num_cycles;
    struct x86_counts stats; /* since the last reset */
    uint64_t num_syscalls;
    struct stat_vector op_class;

    /* Derived. */
    struct system *system;
    struct x86_cpuid *cpuid;
    struct x86_core *core;
    struct linux_cpu linux_cpu;
    struct sim_runner runner;
    struct x86_counts base_counts; /* of the core at the last reset */
    uint64_t base_syscalls;
    uint64_t stop_insts; /* stop when num_insts reaches it */
    uint64_t run_insts;  /* of the core when the current run began */
    tick_t run_start;    /* tick when the current run began */
    uint64_t slice_used; /* cycles not yet taken off the thread's slice */
    bool is_in_se;
    bool wakes_at_startup; /* it was running when the checkpoint was written */
    bool is_traced;
};

/** base_cpu_of() - checked cast. */
struct base_cpu *base_cpu_of(struct sim_object *obj);

/**
 * base_cpu_execute() - run the core until @until or the runner's horizon
 *
 * Charges one cycle per instruction.  Lets the emulated kernel choose what
 * runs, and suspends the runner if there is nothing.
 */
void base_cpu_execute(struct base_cpu *cpu, tick_t until);

/*
 * The parts of base_cpu_execute(), for models with a loop of their own.  Each
 * turn begins with base_cpu_begin(), from where time and instructions are
 * counted.
 */
void base_cpu_begin(struct base_cpu *cpu);
/* Something to execute is in the core; false: suspend the runner. */
bool base_cpu_has_work(struct base_cpu *cpu);
/* Instructions that may run before the next thing to look at; 0: none. */
uint64_t base_cpu_budget(const struct base_cpu *cpu, tick_t until);
/** base_cpu_run_core() - execute and charge @budget instructions. */
void base_cpu_run_core(struct base_cpu *cpu, uint64_t budget);
/** base_cpu_charge_time() - time passed without the core. */
void base_cpu_charge_time(struct base_cpu *cpu, tick_t ticks);
/** base_cpu_settle_slice() - take that time off the thread's slice, once what
 *  the thread asked for has been served: it may leave the CPU here. */
void base_cpu_settle_slice(struct base_cpu *cpu);

/** base_cpu_catch_up() - bring the runner's time to the instruction that is
 *  being executed, for what happens inside a run.  Returns: that tick. */
tick_t base_cpu_catch_up(struct base_cpu *cpu);

/** base_cpu_stop_after() - leave simulate() with gem5's "max instruction count"
 *  cause after @insts more instructions. */
void base_cpu_stop_after(struct base_cpu *cpu, uint64_t insts);

/** base_cpu_limit_insts() - the limits that the script gave, from now on. */
void base_cpu_limit_insts(struct base_cpu *cpu);

extern const struct sim_type base_cpu_type; /* "BaseCPU", abstract */

#ifdef __cplusplus
}
#endif

#endif
