/* SPDX-License-Identifier: BSD-3-Clause */
/* The local APIC as its own files see it: local_apic.c has the registers,
 * messages and the object, local_apic_timer.c the timer. */
#ifndef DEV_PC_LOCAL_APIC_H
#define DEV_PC_LOCAL_APIC_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/intr.h"
#include "sim/eventq.h"
#include "sim/port.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { /* registers by number: offset / 16 */
       APIC_ID = 0x02,
       APIC_VERSION = 0x03,
       APIC_TPR = 0x08,
       APIC_PPR = 0x0a,
       APIC_EOI = 0x0b,
       APIC_LDR = 0x0d,
       APIC_DFR = 0x0e,
       APIC_SVR = 0x0f,
       APIC_ISR = 0x10, /* 8 registers each */
       APIC_TMR = 0x18,
       APIC_IRR = 0x20,
       APIC_ESR = 0x28,
       APIC_ICR = 0x30,
       APIC_ICR_HIGH = 0x31,
       APIC_LVT_TIMER = 0x32,
       APIC_LVT_THERMAL = 0x33,
       APIC_LVT_COUNTERS = 0x34,
       APIC_LVT_LINT0 = 0x35,
       APIC_LVT_LINT1 = 0x36,
       APIC_LVT_ERROR = 0x37,
       APIC_INITIAL = 0x38,
       APIC_CURRENT = 0x39,
       APIC_DIVIDE = 0x3e,
       APIC_SELF_IPI = 0x3f,
       APIC_NUM_REGS = 64,
};

enum { APIC_LVT_MASKED = 1 << 16 };

struct local_apic {
    struct x86_intr base;

    /* Parameters. */
    tick_t pio_latency, int_latency;
    struct sim_port pio, int_requestor, int_responder;

    /* State.  The task priority above 15 is in the processor's CR8. */
    uint32_t regs[APIC_NUM_REGS];
    bool has_external;
    uint8_t external_vector; /* of an 8259: needs no priority, no EOI */
    uint32_t errors;         /* since ESR was written */
    tick_t timer_at;         /* of the next expiry; 0: stopped */

    /* Statistics. */
    uint64_t num_sent, num_received, num_timer;

    /* Derived. */
    struct sim_object *system;
    struct sim_event timer;
};
enum local_apic_trigger { APIC_EDGE, APIC_LEVEL };

/** local_apic_request() - @vector is wanted; its errors are reported
 */
void local_apic_request(struct local_apic *apic, uint8_t vector,
                        enum local_apic_trigger trigger);

void local_apic_timer_init(struct local_apic *apic);
/* Schedule what timer_at says; 0 stops. */
void local_apic_timer_set(struct local_apic *apic, tick_t when);
/* Registers of the timer: written with the reserved bits cleared. */
void local_apic_timer_start(struct local_apic *apic, uint32_t count);
void local_apic_timer_write_lvt(struct local_apic *apic, uint32_t value);
void local_apic_timer_write_divide(struct local_apic *apic, uint32_t value);
/* IA32_TSC_DEADLINE; of no effect in other modes. */
void local_apic_timer_write_deadline(struct local_apic *apic, uint64_t tsc);
/* What is left. */
uint32_t local_apic_timer_count(const struct local_apic *apic);

#ifdef __cplusplus
}
#endif

#endif
