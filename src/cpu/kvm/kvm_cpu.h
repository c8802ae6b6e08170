/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPU that executes on the host's processor: gem5's X86KvmCPU.
 *
 * It is a BaseCPU with a functional core at its side.  The core's state is the
 * architectural state whenever the vCPU is outside the guest, and the core
 * executes what KVM cannot: single instructions, and whole stretches where the
 * host would be slower or wrong (is_for_core).
 *
 *            +------------------- runner: until the horizon ------------------+
 *            |                                                                |
 *   state -> enter -> KVM_RUN -> exit -> charge guest time -> serve the exit -+
 *      ^                                                          |
 *      +------------------ kernel, devices, core -----------------+
 *
 * Time is the guest's TSC.  Instructions that KVM executes are counted where
 * the host's processor does (kvm_perf.h); elsewhere they are not.
 */
#ifndef CPU_KVM_KVM_CPU_H
#define CPU_KVM_KVM_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/base_cpu.h"
#include "cpu/kvm/kvm_gang.h"
#include "cpu/kvm/kvm_perf.h"
#include "cpu/kvm/kvm_stops.h"
#include "cpu/kvm/kvm_sync.h"
#include "cpu/kvm/kvm_system.h"
#include "cpu/kvm/kvm_timer.h"
#include "cpu/kvm/kvm_turn.h"
#include "cpu/kvm/kvm_window.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_cpu {
    struct base_cpu base;

    /* Parameters. */
    bool use_perf, use_perf_overflow, use_coalesced_mmio, always_sync;
    bool use_xsave;
    uint64_t host_freq; /* of the TSC [Hz]; 0: as measured */
    double host_factor;
    uint64_t core_insts;

    /* Statistics. */
    uint64_t num_exits, num_half_entries, num_signal_exits, num_wasted_exits;
    uint64_t num_mmio, num_coalesced, num_io, num_halts, num_interrupts;
    uint64_t num_hypercalls, num_syscall_traps, num_fault_traps;
    uint64_t num_emulation_steps, num_core_insts, num_host_insts;
    uint64_t num_guard_traps;

    /* Derived. */
    struct kvm_system *kvm;
    struct kvm_sync sync;
    struct kvm_timer timer;
    struct kvm_turn turn;
    struct kvm_window window;
    struct kvm_perf perf;
    struct kvm_worker worker;
    struct kvm_stops stops;
    struct kvm_run *run; /* shared with the kernel; NULL: not open */
    int fd;
    uint32_t vcpu_id;
    int run_error;       /* of the last KVM_RUN: 0, -EINTR, other -errno */
    uint64_t run_tsc;    /* how far the guest's TSC went in it */
    uint64_t run_limit;  /* instructions it may take; UINT64_MAX: any number */
    uint64_t run_insts;  /* instructions that were counted in it */
    bool has_lost_count; /* from some run on KVM's instructions are unknown */
    bool has_host_tsc;   /* the guest's TSC is the host's + tsc_offset */
    bool has_told_tsc;   /* that it is not what the guest expects */
    double ticks_per_tsc;
    double ticks_left; /* fraction of a tick that was not charged yet */
};

struct kvm_cpu *kvm_cpu_of(struct sim_object *obj);

/** kvm_cpu_start() - make the vCPU, and the VM if it is the first; fatal if the
 *  host cannot. */
void kvm_cpu_start(struct kvm_cpu *cpu);

/* -------------------------------------------------------------- kvm_run.c */

/** kvm_cpu_counts() - whether instructions that KVM executes are counted. */
bool kvm_cpu_counts(const struct kvm_cpu *cpu);

/* kvm_cpu_execute() - until @until or the runner's horizon. */
void kvm_cpu_execute(struct kvm_cpu *cpu, tick_t until);

/* The parts of a turn; kvm_gang.c puts them together for several CPUs. */
enum kvm_next {
    KVM_NEXT_NOTHING, /* at @until, or nothing to run: the runner sleeps */
    KVM_NEXT_GUEST,
    KVM_NEXT_CORE, /* a stretch that is better left to the core */
    KVM_NEXT_STEP, /* one instruction in the core, at a stop */
};
enum kvm_next kvm_cpu_next(struct kvm_cpu *cpu, tick_t until);
void kvm_cpu_run_core(struct kvm_cpu *cpu, tick_t until);
/** kvm_cpu_prepare() - state into the vCPU.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_cpu_prepare(struct kvm_cpu *cpu);
/** kvm_cpu_enter() - one KVM_RUN until @until, on the thread that the vCPU is
 *  bound to; no other part of the simulator is touched.  Returns: 0, -EINTR,
 *  other -errno. */
SIM_MUST_CHECK int kvm_cpu_enter(struct kvm_cpu *cpu, tick_t until);
/** kvm_cpu_finish() - charge the time, take the state, serve the exit; @err is
 *  what prepare or enter returned. */
void kvm_cpu_finish(struct kvm_cpu *cpu, int err);
/** kvm_cpu_core_ran() - what follows from the core's having executed. */
void kvm_cpu_core_ran(struct kvm_cpu *cpu);
/** kvm_cpu_ns_until() - the host's time when @until is reached [ns]. */
uint64_t kvm_cpu_ns_until(const struct kvm_cpu *cpu, tick_t until);

/* kvm_exit.c */
/** kvm_exit_is_wasted() - the run ended for nothing; after kvm_sync_exit(). */
bool kvm_exit_is_wasted(const struct kvm_cpu *cpu);
/* Serve the exit that the shared page tells of. */
void kvm_cpu_serve(struct kvm_cpu *cpu);
/* The run was interrupted, maybe on the way to an exit. */
void kvm_cpu_serve_signal(struct kvm_cpu *cpu);

/** kvm_cpu_step() - execute one instruction in the core. */
void kvm_cpu_step(struct kvm_cpu *cpu);

/** kvm_cpu_fail() - the run cannot go on: report with a dump, end simulate()
 *  with @cause.  The process lives. */
void kvm_cpu_fail(struct kvm_cpu *cpu, const char *cause, int code);

extern const struct sim_type base_kvm_cpu_type; /* "BaseKvmCPU", abstract */
extern const struct sim_type x86_kvm_cpu_type;  /* "X86KvmCPU" */

#ifdef __cplusplus
}
#endif

#endif
