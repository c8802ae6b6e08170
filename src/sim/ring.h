/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trace ring: the last records of one object, kept in a fixed piece of memory
 * for the report of a panic.  Records are text of any length; the oldest whole
 * records make room for a new one.  The memory is allocated with the first
 * record, so that an object that never says anything costs one pointer.
 */
#ifndef SIM_RING_H
#define SIM_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_object;
struct trace_ring;

enum { TRACE_RING_BYTES = 4096 };

/** trace_ring_add() - append a record; text beyond half a ring is cut off. */
void trace_ring_add(struct trace_ring **ring, tick_t tick, const char *text);

/** trace_ring_visit() - oldest record first; @ring may be NULL. */
void trace_ring_visit(const struct trace_ring *ring,
                      void (*visit)(void *ctx, tick_t tick, const char *text),
                      void *ctx);

/** trace_ring_dropped() - number of records that made room for others. */
uint64_t trace_ring_dropped(const struct trace_ring *ring);

void trace_ring_free(struct trace_ring *ring);

/** sim_note() - record something rare that a panic report should show. */
void sim_note(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
