/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trace ring: the last records of one object, for the report of a panic and for
 * util/ring_scan.py, which finds rings in a core file or a live process.
 *
 *   offset  0  head tag, 8 bytes
 *           8  id: VM and index of a vCPU, or all ones
 *          16  size: bytes of data
 *          24  first: position of the oldest record
 *          32  end: position behind the newest
 *          40  dropped: records that made room for others
 *          48  lost: records too large, or written while another was
 *          56  busy: 1 while a record is written
 *          64  data, then the tail tag, 8 bytes
 *
 * A record is 8 bytes of tick, 4 of length, 4 zero, and text of that length
 * with a final zero.  Positions only grow; a position modulo the size is an
 * offset, and a record may wrap.  `first` moves before data is overwritten and
 * `end` after it was written, so that [first, end) is whole at any instant.
 *
 * A ring lies in pages of its own.  Writing allocates nothing and waits for
 * nobody, and so may be done in a signal handler.
 */
#ifndef SIM_RING_H
#define SIM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_object;
struct trace_ring;

#define TRACE_RING_HEAD_TAG UINT64_C(0x9E3A71C5D204B86F)
#define TRACE_RING_TAIL_TAG UINT64_C(0x6F8B402D5C17A3E9)
#define TRACE_RING_NO_ID    UINT64_MAX

enum {
    TRACE_RING_MAPPED = 8192, /* size of a ring with everything [bytes] */
    TRACE_RING_BYTES = TRACE_RING_MAPPED - 72
};

/** trace_ring_create() - in pages of its own; NULL: the host has none. */
struct trace_ring *trace_ring_create(uint64_t id);
/** trace_ring_format() - in @memory of the caller, TRACE_RING_MAPPED bytes, who
 *  frees it. */
struct trace_ring *trace_ring_format(void *memory, uint64_t id);
void trace_ring_free(struct trace_ring *ring);

void trace_ring_set_id(struct trace_ring *ring, uint64_t id);
uint64_t trace_ring_id(const struct trace_ring *ring);

/**
 * trace_ring_write() - append a record of @len bytes of @text
 *
 * The oldest whole records make room.  Context: any thread, signal handlers.
 * Returns: false if it is larger than the ring or another record is just being
 * written; it is counted as lost.
 */
bool trace_ring_write(struct trace_ring *ring, tick_t tick, const char *text,
                      size_t len);

/** trace_ring_add() - append a record; text beyond half a ring is cut off, and
 *  a ring is created where there is none. */
void trace_ring_add(struct trace_ring **ring, tick_t tick, const char *text);

/** trace_ring_visit() - oldest record first; @ring may be NULL. */
void trace_ring_visit(struct trace_ring *ring,
                      void (*visit)(void *ctx, tick_t tick, const char *text),
                      void *ctx);

/** trace_ring_dropped() - number of records that made room for others. */
uint64_t trace_ring_dropped(const struct trace_ring *ring);
/** trace_ring_lost() - number of records that were never written. */
uint64_t trace_ring_lost(const struct trace_ring *ring);

/** sim_note() - record something rare that a panic report should show. */
void sim_note(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
