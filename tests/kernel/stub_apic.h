/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A local APIC as small as kernels under test can live with: one processor,
 * self-IPIs, a one-shot or periodic timer that counts the core's TSC, and
 * spurious vector, task priority, in-service and request registers.
 */
#ifndef TESTS_KERNEL_STUB_APIC_H
#define TESTS_KERNEL_STUB_APIC_H

#include <stdbool.h>
#include <stdint.h>

struct stub_apic {
    uint32_t regs[64]; /* at 16 bytes each */
    uint64_t timer_at; /* time of the next expiry; 0: stopped */
};

enum { STUB_APIC_BASE = 0xfee00000u >> 12 }; /* page */

/* What a write asks the processor for. */
enum stub_apic_event { STUB_APIC_NOTHING, STUB_APIC_LOOK, STUB_APIC_NMI };

void stub_apic_reset(struct stub_apic *apic);
uint32_t stub_apic_read(const struct stub_apic *apic, unsigned offset,
                        uint64_t now);
enum stub_apic_event stub_apic_write(struct stub_apic *apic, unsigned offset,
                                     uint32_t value, uint64_t now);
void stub_apic_request(struct stub_apic *apic, unsigned vector);
/* The timer at time @now; true: a vector was requested. */
bool stub_apic_tick(struct stub_apic *apic, uint64_t now);
/* Acknowledge the highest vector above the priorities in force, or -1. */
int stub_apic_take(struct stub_apic *apic, unsigned cr8);

#endif
