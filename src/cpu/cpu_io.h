/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a CPU does outside its core and RAM: ports, devices, pseudo operations,
 * hypercalls, interrupts.  One function each, called by the hooks of the
 * functional core (struct x86_env) and by whoever executes the guest in another
 * way and meets such an event - a KVM exit - after it has brought the core's
 * state up to date.
 *
 *   port I/O      requests at CPU_IO_PORT_BASE | port out of the dcache_port,
 *                 as in gem5
 *   MMIO          the window of pseudo operations, the local APIC's page, else
 *                 a request out of the dcache_port
 *   unclaimed     all ones, counted
 *
 * All of it runs on the simulation's thread.
 */
#ifndef CPU_CPU_IO_H
#define CPU_CPU_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/core.h"
#include "arch/x86/intr.h"
#include "sim/eventq.h"
#include "sim/pseudo_op.h"

#ifdef __cplusplus
extern "C" {
#endif

struct base_cpu;

/* gem5's physical address of port 0. */
#define CPU_IO_PORT_BASE (UINT64_C(1) << 63)

/* A hypercall with this number plus that of a pseudo operation performs it. */
#define CPU_HYPERCALL_PSEUDO UINT64_C(0x6d350000) /* "m5" */

enum cpu_tsc {
    CPU_TSC_MOVABLE, /* goes on from where it is */
    CPU_TSC_FIXED,   /* is the host's own */
};

struct cpu_io {
    /* Statistics. */
    uint64_t num_io, num_mmio, num_unclaimed, num_pseudo_ops, num_hypercalls;
    uint64_t num_interrupts;
    uint64_t work_started, work_completed;

    /* Derived. */
    struct x86_intr *intr; /* NULL: no interrupt controller */
    struct x86_intr_cpu intr_cpu;
    struct sim_event wake; /* end of a quiescence */
    tick_t quiesced_at, quiesce_until, last_quiescence;
    uint16_t requestor;
    double ticks_per_host_tsc;
    uint64_t host_tsc_seen; /* when simulated time was host_tsc_seen_at */
    tick_t host_tsc_seen_at;
    bool has_host_tsc; /* the guest's TSC is the host's + offset */
    bool is_quiesced;
    bool is_poked;            /* since it halted */
    bool has_init, has_start; /* messages not yet acted upon */
    uint8_t start_vector;
};

/** cpu_io_init() - wire @cpu's core, which exists, to its surroundings; called
 *  by BaseCPU's init.  In syscall emulation there is no interrupt controller.
 */
void cpu_io_init(struct base_cpu *cpu);
/** cpu_io_set_env() - fill the hooks of @cpu's core that are not the emulated
 *  kernel's; before the core is created. */
void cpu_io_set_env(struct base_cpu *cpu);
/** cpu_io_startup() - go on as the checkpoint says. */
void cpu_io_startup(struct base_cpu *cpu);
void cpu_io_fini(struct base_cpu *cpu);
/** cpu_io_take_over() - @cpu gets the interrupt controller and the pending
 *  events of @old. */
void cpu_io_take_over(struct base_cpu *cpu, struct base_cpu *old);

/** cpu_io_read(), cpu_io_write() - port I/O; @size 1, 2 or 4 */
uint32_t cpu_io_read(struct base_cpu *cpu, uint16_t port, unsigned size);
void cpu_io_write(struct base_cpu *cpu, uint16_t port, unsigned size,
                  uint32_t value);

/** cpu_mmio_read(), cpu_mmio_write() - an access outside RAM; @size 1, 2, 4 or
 *  8, within a page.  Guest registers are those before the instruction. */
uint64_t cpu_mmio_read(struct base_cpu *cpu, gpa_t addr, unsigned size);
void cpu_mmio_write(struct base_cpu *cpu, gpa_t addr, unsigned size,
                    uint64_t value);

/**
 * cpu_pseudo_op() - perform a pseudo operation
 *
 * Arguments are RDI, RSI, RDX, RCX, R8 and R9; the caller puts *@result where
 * the guest expects it (RAX, or the data of the read).  May schedule an exit or
 * put the CPU to sleep: leave the guest and look at the horizon and at
 * cpu_io_may_run() before it goes on.
 *
 * Returns: false if there is no such operation (#UD for the opcode).
 */
bool cpu_pseudo_op(struct base_cpu *cpu, uint16_t func, uint64_t *result);

/**
 * cpu_hypercall() - VMCALL, VMMCALL: number in RAX
 * Returns: false if nobody knows the number: #UD, or the hypervisor's error.
 */
bool cpu_hypercall(struct base_cpu *cpu, uint64_t *result);

/** cpu_msr_read(), cpu_msr_write() - registers of the interrupt controller and
 *  those that a script answers (system_add_msr());
 *  false if @index is none of them or the value is not accepted. */
bool cpu_msr_read(struct base_cpu *cpu, uint32_t index, uint64_t *value);
bool cpu_msr_write(struct base_cpu *cpu, uint32_t index, uint64_t value);

/**
 * cpu_io_take_host_tsc() - from here on a machine's TSC goes with the host's
 * @ticks_per_host_tsc: simulated time of a cycle [ticks]
 * @kind: whether the guest's goes on from where it is, or is the host's
 *
 * Both between two runs of the core.  Simulated time counts it again from
 * cpu_io_leave_host_tsc() on, without a step; that does nothing to a CPU that
 * has not the host's.
 *
 * Returns: false if it went back.
 */
bool cpu_io_take_host_tsc(struct base_cpu *cpu, double ticks_per_host_tsc,
                          enum cpu_tsc kind);
void cpu_io_leave_host_tsc(struct base_cpu *cpu);
/** cpu_io_see_host_tsc() - compare the two times from here on. */
void cpu_io_see_host_tsc(struct base_cpu *cpu);
/** cpu_io_host_tsc_lag() - by how much the host's counter is behind simulated
 *  time since then [cycles]; nobody waits while a machine is idle. */
uint64_t cpu_io_host_tsc_lag(const struct base_cpu *cpu);

/** cpu_interrupt_pending() - vector that may be injected now as far as the
 *  controller is concerned, or -1; asked again after each poke. */
int cpu_interrupt_pending(struct base_cpu *cpu);
/** cpu_interrupt_taken() - the processor has accepted @vector. */
void cpu_interrupt_taken(struct base_cpu *cpu, uint8_t vector);

/**
 * cpu_io_may_run() - whether there is something to execute
 *
 * First acts upon INIT and SIPI messages: they change the core's state.  A
 * halted processor may run once after each poke, for it has to look.
 */
bool cpu_io_may_run(struct base_cpu *cpu);

#ifdef __cplusplus
}
#endif

#endif
