/* SPDX-License-Identifier: BSD-3-Clause */
/* The interrupt controller as a core sees it; the local APIC implements it. */
#ifndef ARCH_X86_INTR_H
#define ARCH_X86_INTR_H

#include <stdbool.h>
#include <stdint.h>

struct sim_object;

struct x86_intr_ops {
    /* Vector of the highest pending interrupt that may be delivered, or -1. */
    int (*pending)(struct sim_object *controller);
    /* The core takes @vector: move it from requested to in service. */
    void (*acknowledge)(struct sim_object *controller, uint8_t vector);
    bool (*take_nmi)(struct sim_object *controller);
};

#endif
