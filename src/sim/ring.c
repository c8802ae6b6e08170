/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record is a header (tick, length) and its text with the final zero.  They
 * lie one after the other from `first` to `end` and never wrap: when the space
 * behind `end` is too short, the records are moved to the front.  A ring that
 * wrapped inside a record could not hand out its text in one piece.
 */
#include "sim/ring.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/object.h"
#include "sim/sim.h"

struct record {
    tick_t tick;
    uint32_t len; /* of the text with its final zero [bytes] */
};

struct trace_ring {
    uint64_t dropped;
    uint32_t first; /* offset of the oldest record */
    uint32_t end;   /* offset behind the newest record */
    char data[TRACE_RING_BYTES];
};

enum { MAX_TEXT = TRACE_RING_BYTES / 2 };

static struct record record_at(const struct trace_ring *ring, uint32_t offset)
{
    struct record record;

    memcpy(&record, ring->data + offset, sizeof record);
    return record;
}

static void drop_oldest(struct trace_ring *ring)
{
    struct record record = record_at(ring, ring->first);

    ring->first += (uint32_t)sizeof record + record.len;
    ring->dropped++;
}

static void make_room(struct trace_ring *ring, uint32_t need)
{
    while (ring->end - ring->first + need > TRACE_RING_BYTES)
        drop_oldest(ring);
    if (ring->end + need > TRACE_RING_BYTES) {
        memmove(ring->data, ring->data + ring->first, ring->end - ring->first);
        ring->end -= ring->first;
        ring->first = 0;
    }
}

static void append(struct trace_ring *ring, const void *data, size_t len)
{
    memcpy(ring->data + ring->end, data, len);
    ring->end += (uint32_t)len;
}

void trace_ring_add(struct trace_ring **ring_ptr, tick_t tick, const char *text)
{
    struct record record = {.tick = tick,
                            .len = (uint32_t)strnlen(text, MAX_TEXT - 1) + 1};
    struct trace_ring *ring;

    if (!*ring_ptr)
        *ring_ptr = alloc_zeroed(1, sizeof **ring_ptr);
    ring = *ring_ptr;
    make_room(ring, (uint32_t)sizeof record + record.len);
    append(ring, &record, sizeof record);
    append(ring, text, record.len - 1);
    append(ring, "", 1);
}

void trace_ring_visit(const struct trace_ring *ring,
                      void (*visit)(void *ctx, tick_t tick, const char *text),
                      void *ctx)
{
    uint32_t at;

    if (!ring)
        return;
    for (at = ring->first; at < ring->end;) {
        struct record record = record_at(ring, at);

        at += (uint32_t)sizeof record;
        visit(ctx, record.tick, ring->data + at);
        at += record.len;
    }
}

uint64_t trace_ring_dropped(const struct trace_ring *ring)
{
    return ring ? ring->dropped : 0;
}

void trace_ring_free(struct trace_ring *ring)
{
    mem_free(ring);
}

void sim_note(const struct sim_object *obj, const char *fmt, ...)
{
    char text[MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    /* The ring is a record about the object, not part of its state. */
    trace_ring_add(&((struct sim_object *)obj)->ring, sim_now(obj->sim), text);
}
