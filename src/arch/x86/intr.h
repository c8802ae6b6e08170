/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between processors and interrupt controllers.
 *
 *   another processor, I/O APIC, MSI
 *        | x86_intr_send(message)
 *        v
 *   struct x86_intr      the local APIC; implemented in dev/pc
 *        | poke, nmi, init, start          ^ pending, acknowledge, registers
 *        v                                 |
 *   struct x86_intr_cpu  its processor; implemented by every CPU model
 *
 * A controller never interrupts: it pokes, and the processor asks when it can
 * take an interrupt.  Nobody keeps copies of the other's registers: the task
 * priority above 15 is CR8, the base address and mode are IA32_APIC_BASE, both
 * in the processor's struct x86_state.
 * Source: [SDM] Vol. 3A, "Advanced Programmable Interrupt Controller".
 */
#ifndef ARCH_X86_INTR_H
#define ARCH_X86_INTR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"
#include "sim/clock.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_intr;
struct x86_intr_cpu;
struct x86_state;

/* What a controller asks of its processor. */
struct x86_intr_cpu_ops {
    /* pending() may have another answer: ask soon, leave HLT for it. */
    void (*poke)(struct x86_intr_cpu *cpu);
    void (*nmi)(struct x86_intr_cpu *cpu);
    void (*init)(struct x86_intr_cpu *cpu); /* then wait for start() */
    /* Begin at VECTOR << 12 in real mode; ignored unless waiting for it. */
    void (*start)(struct x86_intr_cpu *cpu, uint8_t vector);
    /* The first tick at which the processor's TSC is @tsc or more. */
    tick_t (*tick_of_tsc)(struct x86_intr_cpu *cpu, uint64_t tsc);
};

struct x86_intr_cpu {
    const struct x86_intr_cpu_ops *ops;
    struct x86_state *state; /* live */
    bool is_bootstrap;
};

/* Delivery modes, as encoded. */
enum x86_intr_mode {
    X86_INTR_FIXED = 0,
    X86_INTR_LOWEST = 1, /* the processor with the lowest priority */
    X86_INTR_SMI = 2,
    X86_INTR_NMI = 4,
    X86_INTR_INIT = 5,
    X86_INTR_START = 6,
    X86_INTR_EXTERNAL = 7,
};

enum x86_intr_target {
    X86_INTR_PHYSICAL,
    X86_INTR_LOGICAL,
    X86_INTR_SELF,
    X86_INTR_ALL,
    X86_INTR_OTHERS, /* all but the sender */
};

#define X86_INTR_BROADCAST UINT32_MAX /* as physical destination */

struct x86_intr_msg {
    uint32_t dest;  /* APIC id, or logical destination */
    uint8_t target; /* enum x86_intr_target */
    uint8_t mode;   /* enum x86_intr_mode */
    uint8_t vector;
    bool is_level;           /* fixed: stays until EOI */
    struct x86_intr *source; /* NULL: not a processor */
};

/* What a processor and other controllers ask of a controller. */
struct x86_intr_ops {
    /* Vector of the highest request above the priorities in force, or -1. */
    int (*pending)(struct x86_intr *intr);
    /* The core takes @vector: move it from requested to in service. */
    void (*acknowledge)(struct x86_intr *intr, uint8_t vector);
    /* Registers by number: offset in the page / 16. */
    uint32_t (*read)(struct x86_intr *intr, unsigned reg);
    void (*write)(struct x86_intr *intr, unsigned reg, uint32_t value);
    /* The same as MSRs 0x800 + number, and IA32_TSC_DEADLINE.
     * Returns: false for #GP. */
    bool (*msr_read)(struct x86_intr *intr, uint32_t index, uint64_t *value);
    bool (*msr_write)(struct x86_intr *intr, uint32_t index, uint64_t value);
    bool (*is_addressed)(struct x86_intr *intr, const struct x86_intr_msg *msg);
    void (*deliver)(struct x86_intr *intr, const struct x86_intr_msg *msg);
    /* Priority for the choice of lowest-priority delivery. */
    unsigned (*priority)(struct x86_intr *intr);
};

struct x86_intr {
    struct clocked_object base;
    const struct x86_intr_ops *ops;
    struct x86_intr_cpu *cpu; /* NULL: of a CPU that is switched out */
    uint32_t id;              /* APIC id; set by the CPU */
};

/** x86_intr_of() - checked cast. */
struct x86_intr *x86_intr_of(struct sim_object *obj);

/**
 * x86_intr_send() - deliver a message to all controllers that it addresses
 * @system: the machine
 *
 * Returns: how many took it.
 */
unsigned x86_intr_send(struct sim_object *system,
                       const struct x86_intr_msg *msg);

extern const struct sim_type x86_intr_type; /* "BaseInterrupts", abstract */

#ifdef __cplusplus
}
#endif

#endif
