/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How processors begin when no operating system is emulated: a workload says
 * what is in RAM and what state the processors are in.
 */
#ifndef ARCH_X86_BOOT_BOOT_H
#define ARCH_X86_BOOT_BOOT_H

#include <stdint.h>

#include "sim/workload.h"

#ifdef __cplusplus
extern "C" {
#endif

struct boot_workload;
struct x86_state;

struct boot_ops {
    /* Put images and tables into RAM and fill the state of the bootstrap
     * processor; called once, at power on. */
    void (*load)(struct boot_workload *workload, struct x86_state *state);
};

struct boot_workload {
    struct workload base;
    const struct boot_ops *ops; /* set by init */
    bool is_loaded;
};

/**
 * boot_cpu() - power-on state of a processor
 * @workload: of the system; may be NULL or of another kind: reset state
 * @index:    0 is the bootstrap processor, the others wait for a start-up
 *            message
 */
void boot_cpu(struct workload *workload, uint32_t index,
              struct x86_state *state);

extern const struct sim_type boot_workload_type; /* "BootWorkload", abstract */

#ifdef __cplusplus
}
#endif

#endif
