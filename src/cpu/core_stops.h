/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stops at addresses (arch/x86/linux/stops.h) for code that the functional core
 * executes: breakpoints of the core at the sites of all address spaces; one
 * that belongs to another address space is passed over.
 */
#ifndef CPU_CORE_STOPS_H
#define CPU_CORE_STOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/linux/stops.h"

#ifdef __cplusplus
extern "C" {
#endif

struct base_cpu;
struct linux_cpu;

struct core_stops {
    uint64_t addrs[STOPS_MAX_ADDRS]; /* breakpoints of the core */
    size_t count;
    bool is_stale;  /* the kernel's sites have changed */
    bool is_in_use; /* there has been a stop */
};

/* Become known to the kernel. */
void core_stops_init(struct base_cpu *cpu);
/* linux_cpu.stops_changed; a model may do more. */
void core_stops_changed(struct linux_cpu *linux_cpu);
/* After a change of CPU: the sites are those of another seat. */
void core_stops_refresh(struct base_cpu *cpu);

/** core_stops_end() - before the core executes at RIP
 *  Returns: true if the run ends here. */
bool core_stops_end(struct base_cpu *cpu);
/** core_stops_passed() - the core has executed the instruction at @rip. */
void core_stops_passed(struct base_cpu *cpu, uint64_t rip);

#ifdef __cplusplus
}
#endif

#endif
