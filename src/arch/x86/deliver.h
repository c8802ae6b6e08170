/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery of exceptions and interrupts through the IDT (or the real-mode
 * vector table), in every mode, with double and triple faults.
 *
 *   event --> gate checks --> stack switch --> push frame --> CS:RIP of handler
 *     |            |                |              |
 *     |            +---- fault -----+--------------+--> #DF or the second fault
 *     +-- fault while delivering #DF --> shutdown
 */
#ifndef ARCH_X86_DELIVER_H
#define ARCH_X86_DELIVER_H

#include <stdbool.h>

#include "arch/x86/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;

/**
 * x86_deliver() - enter the guest's handler of @event
 *
 * RIP must be what the frame shall hold: the faulting instruction for faults,
 * the next one for traps, INT n and external interrupts.
 *
 * Returns: true; false on a triple fault (shutdown; state as before).
 * Source:  [SDM] Vol. 3A, "Interrupt and Exception Handling".
 */
bool x86_deliver(struct x86_core *core, const struct x86_fault *event);

/* One attempt, without the double-fault rules; false with @fault set. */
bool x86_deliver_once(struct x86_core *core, const struct x86_fault *event,
                      struct x86_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
