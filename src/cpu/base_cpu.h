/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all CPU models have in common: parameters and statistics with gem5's
 * names, the functional core, the seat in the emulated kernel, instruction
 * limits.  A model adds a runner and charges time.
 *
 * Changing gear (cpu/take_over.h): a CPU that is switched out has a core and
 * nothing else; the one that takes over gets the seat and the state.
 */
#ifndef CPU_BASE_CPU_H
#define CPU_BASE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/core.h"
#include "arch/x86/linux/kernel.h"
#include "cpu/core_stops.h"
#include "cpu/cpu_io.h"
#include "cpu/vcpu.h"
#include "sim/clock.h"
#include "sim/eventq.h"
#include "sim/field.h"
#include "sim/port.h"
#include "sim/sim.h"
#include "sim/stat.h"

#ifdef __cplusplus
extern "C" {
#endif

struct base_cpu;
struct system;
struct x86_cpuid;

/* What a model adds; each may be NULL. */
struct base_cpu_model {
    /* The CPU is switched out: bring the core's state up to date. */
    void (*state_out)(struct base_cpu *cpu);
    /* The CPU has taken over: the core's state is new. */
    void (*state_in)(struct base_cpu *cpu);
    /* Why the model cannot stop after a number of instructions, or NULL. */
    const char *(*inst_stop_refusal)(const struct base_cpu *cpu);
};

/* Ends simulate() once so many instructions were executed. */
struct base_cpu_inst_stop {
    struct base_cpu_inst_stop *next;
    uint64_t at; /* num_insts of the CPU */
    char *cause;
};

struct base_cpu {
    struct clocked_object base;

    /* Parameters. */
    uint64_t cpu_id, socket_id;
    uint32_t num_threads;
    struct sim_vec_obj workload;
    struct sim_vec_obj isa, interrupts;
    struct sim_object *mmu, *tracer;
    uint64_t max_insts_any_thread, max_insts_all_threads;
    uint64_t progress_interval; /* [Hz] */
    bool switched_out;          /* at the start */
    bool do_checkpoint_insts, do_statistics_insts;
    const char *model; /* of CPUID */
    struct sim_vec_u64 host_cpus;
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
    struct linux_cpu linux_cpu; /* its env is the core's in any case */
    struct core_stops stops;
    struct cpu_io io;
    struct sim_runner runner;
    struct vcpu vcpu; /* ops NULL: the model has none */
    struct vcpu_hal vcpu_hal;
    void *traced_memory;            /* holds traced_state, aligned */
    struct x86_state *traced_state; /* after the last run; NULL: not traced */
    struct x86_counts base_counts;  /* of the core at the last reset */
    uint64_t base_syscalls;
    uint64_t other_insts; /* executed without the core, since the last reset */
    const struct base_cpu_model *ops;      /* NULL: nothing to add */
    struct base_cpu_inst_stop *inst_stops; /* nearest first */
    uint64_t stop_insts; /* num_insts of the nearest; else UINT64_MAX */
    uint64_t run_insts;  /* of the core when the current run began */
    tick_t run_start;    /* tick when the current run began */
    uint64_t slice_used; /* cycles not yet taken off the thread's slice */
    tick_t run_until;    /* what its budget was made for */
    struct sim_event progress;
    uint64_t progress_insts; /* num_insts at the last message of progress */
    bool is_in_se;
    bool is_switched_out;
    bool was_active;       /* when it was switched out: has something to run */
    bool wakes_at_startup; /* it was running when the checkpoint was written */
    bool is_traced;
};

/** base_cpu_of() - checked cast. */
struct base_cpu *base_cpu_of(struct sim_object *obj);

/** base_cpu_next() - the CPU of @system after @cpu in the tree; NULL: the
 *  first one.  Returns: NULL behind the last. */
struct base_cpu *base_cpu_next(const struct system *system,
                               const struct base_cpu *cpu);

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
uint64_t base_cpu_budget(struct base_cpu *cpu, tick_t until);
/** base_cpu_run_core() - execute and charge at most @budget instructions; none
 *  if the run ends at RIP (a stop at an address). */
void base_cpu_run_core(struct base_cpu *cpu, uint64_t budget);
/** base_cpu_shut_down() - after a triple fault: waits for INIT; the run ends
 *  with an exit event. */
void base_cpu_shut_down(struct base_cpu *cpu);
/** base_cpu_charge_time() - time passed without the core. */
void base_cpu_charge_time(struct base_cpu *cpu, tick_t ticks);
/** base_cpu_count_insts() - @insts were executed without the core. */
void base_cpu_count_insts(struct base_cpu *cpu, uint64_t insts);
/** base_cpu_settle_slice() - take that time off the thread's slice, once what
 *  the thread asked for has been served: it may leave the CPU here. */
void base_cpu_settle_slice(struct base_cpu *cpu);

/** base_cpu_catch_up() - bring the runner's time to the instruction that is
 *  being executed, for what happens inside a run.  Returns: that tick. */
tick_t base_cpu_catch_up(struct base_cpu *cpu);

/** base_cpu_inst_stop_refusal() - why instructions that this CPU executes are
 *  not counted, so that no stop can wait for them; NULL: they are. */
const char *base_cpu_inst_stop_refusal(const struct base_cpu *cpu);

/** base_cpu_stop_after() - leave simulate() with @cause after @insts more
 *  instructions of this CPU, exactly; 0: before the next one. */
void base_cpu_stop_after(struct base_cpu *cpu, uint64_t insts,
                         const char *cause);

/** base_cpu_cancel_stops() - forget the instruction stops with @cause. */
void base_cpu_cancel_stops(struct base_cpu *cpu, const char *cause);

/** base_cpu_forget_stops() - forget all of them. */
void base_cpu_forget_stops(struct base_cpu *cpu);

/** base_cpu_activate() - there is something to run; while the CPU is switched
 *  out, for the one that will take over. */
void base_cpu_activate(struct base_cpu *cpu);

/** base_cpu_is_idle() - whether it has nothing to run: it is switched out,
 *  halted, or no thread is ready for it. */
bool base_cpu_is_idle(const struct base_cpu *cpu);

/** base_cpu_limit_insts() - the limits that the script gave, from now on. */
void base_cpu_limit_insts(struct base_cpu *cpu);

extern const struct sim_type base_cpu_type; /* "BaseCPU", abstract */

#ifdef __cplusplus
}
#endif

#endif
