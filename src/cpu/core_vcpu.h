/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functional core as a back end of the vCPU contract, for the models that
 * execute on it, and the vCPU of a BaseCPU through the object's life.
 */
#ifndef CPU_CORE_VCPU_H
#define CPU_CORE_VCPU_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "arch/x86/core.h"

#ifdef __cplusplus
extern "C" {
#endif

struct base_cpu;
struct vcpu_ops;

/* In full systems, and in syscall emulation, where no event can be injected:
 * the emulated kernel is the one that raises them. */
extern const struct vcpu_ops core_vcpu_ops, core_vcpu_se_ops;

/* Operations that serve every model whose state is the core's while it is
 * outside the guest. */
struct vcpu;
struct vcpu_event;
struct x86_state;
int core_vcpu_get_state(struct vcpu *vcpu, uint32_t groups,
                        struct x86_state *out);
int core_vcpu_set_state(struct vcpu *vcpu, uint32_t groups,
                        const struct x86_state *state);
int core_vcpu_start_at(struct vcpu *vcpu, uint64_t entry, uint64_t arg);
int core_vcpu_inject(struct vcpu *vcpu, const struct vcpu_event *event);
void core_vcpu_dump(struct vcpu *vcpu, FILE *out);

/** base_cpu_add_vcpu() - by a model's init: the CPU is driven by @ops; NULL:
 *  by the functional core. */
void base_cpu_add_vcpu(struct base_cpu *cpu, const struct vcpu_ops *ops);
/** base_cpu_start_vcpu() - by startup: init and setup. */
void base_cpu_start_vcpu(struct base_cpu *cpu);
/** base_cpu_release_vcpu() - by a switch: it leaves its thread. */
void base_cpu_release_vcpu(struct base_cpu *cpu);
/** base_cpu_wake_for_event() - an event was queued, or the CPU started anew:
 *  look at it soon, even if there is nothing else to do. */
void base_cpu_wake_for_event(struct base_cpu *cpu);
/** base_cpu_has_event() - a queued one that was not looked at yet. */
bool base_cpu_has_event(const struct base_cpu *cpu);
/** base_cpu_trace_vcpu() - @runs: record each run in the ring; @regs: the
 *  registers that it changed.  1 or 0. */
void base_cpu_trace_vcpu(struct base_cpu *cpu, int runs, int regs);
/** base_cpu_drop_vcpu() - by fini; nothing to do if there is none. */
void base_cpu_drop_vcpu(struct base_cpu *cpu);

/**
 * base_cpu_enter() - let the core execute @budget instructions, by vcpu_run()
 * where the core is what drives the vCPU
 *
 * Binds the vCPU to the calling thread if it is another one's, wakes a blocked
 * one.  Returns: why the core stopped.
 */
enum x86_stop base_cpu_enter(struct base_cpu *cpu, uint64_t budget);

#ifdef __cplusplus
}
#endif

#endif
