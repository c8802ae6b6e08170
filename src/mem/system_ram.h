/* SPDX-License-Identifier: BSD-3-Clause */
/* The RAM of a system: from its memories' ranges to physmem. */
#ifndef MEM_SYSTEM_RAM_H
#define MEM_SYSTEM_RAM_H

#ifdef __cplusplus
extern "C" {
#endif

struct system;

/**
 * system_ram_map() - back the ranges of all memories below @system
 *
 * Interleaved channels that together cover a range become one.  Fatal where
 * memories overlap, a channel is missing or the host has not enough memory.
 */
void system_ram_map(struct system *system);

#ifdef __cplusplus
}
#endif

#endif
