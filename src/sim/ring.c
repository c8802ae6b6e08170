/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim/ring.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/object.h"
#include "sim/sim.h"

struct record {
    tick_t tick;
    uint32_t len; /* of the text with its final zero [bytes] */
    uint32_t zero;
};

struct trace_ring {
    uint64_t head_tag;
    uint64_t id;
    uint64_t size;
    uint64_t first, end; /* positions */
    uint64_t dropped, lost;
    uint32_t busy;
    uint32_t zero;
    char data[TRACE_RING_BYTES];
    uint64_t tail_tag;
};
SIM_STATIC_ASSERT(sizeof(struct trace_ring) == TRACE_RING_MAPPED, "layout");
SIM_STATIC_ASSERT(offsetof(struct trace_ring, data) == 64, "layout");

enum { MAX_TEXT = TRACE_RING_BYTES / 2 };

/* ------------------------------------------------------- create and destroy */

struct trace_ring *trace_ring_format(void *memory, uint64_t id)
{
    struct trace_ring *ring = memory;

    memset(ring, 0, sizeof *ring);
    ring->id = id;
    ring->size = TRACE_RING_BYTES;
    ring->tail_tag = TRACE_RING_TAIL_TAG;
    ring->head_tag = TRACE_RING_HEAD_TAG;
    return ring;
}

struct trace_ring *trace_ring_create(uint64_t id)
{
    void *pages = mmap(NULL, TRACE_RING_MAPPED, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return pages == MAP_FAILED ? NULL : trace_ring_format(pages, id);
}

void trace_ring_free(struct trace_ring *ring)
{
    if (ring)
        (void)munmap(ring, TRACE_RING_MAPPED);
}

void trace_ring_set_id(struct trace_ring *ring, uint64_t id)
{
    ring->id = id;
}

uint64_t trace_ring_id(const struct trace_ring *ring)
{
    return ring->id;
}

/* --------------------------------------------------------------------- lock
 */

enum {
    WRITER_TRIES = 100,
    READER_TRIES = 1 << 20, /* only a crash in the middle of a record remains */
};

/* Gives up after @tries: another thread is done in no time, but one that was
 * interrupted by the signal handler that is waiting here never will be. */
static bool try_lock(struct trace_ring *ring, int tries)
{
    while (tries-- > 0)
        if (!__atomic_exchange_n(&ring->busy, 1, __ATOMIC_ACQUIRE))
            return true;
    return false;
}

static void unlock(struct trace_ring *ring)
{
    __atomic_store_n(&ring->busy, 0, __ATOMIC_RELEASE);
}

/* -------------------------------------------------------------------- bytes
 */

static void copy_in(struct trace_ring *ring, uint64_t position,
                    const void *bytes, size_t len)
{
    size_t offset = position % TRACE_RING_BYTES;
    size_t part = TRACE_RING_BYTES - offset;

    if (part > len)
        part = len;
    memcpy(ring->data + offset, bytes, part);
    memcpy(ring->data, (const char *)bytes + part, len - part);
}

static void copy_out(const struct trace_ring *ring, uint64_t position,
                     void *bytes, size_t len)
{
    size_t offset = position % TRACE_RING_BYTES;
    size_t part = TRACE_RING_BYTES - offset;

    if (part > len)
        part = len;
    memcpy(bytes, ring->data + offset, part);
    memcpy((char *)bytes + part, ring->data, len - part);
}

static struct record record_at(const struct trace_ring *ring, uint64_t position)
{
    struct record record;

    copy_out(ring, position, &record, sizeof record);
    return record;
}

/* ------------------------------------------------------------------- records
 */

static void make_room(struct trace_ring *ring, uint64_t need)
{
    uint64_t first = ring->first;

    while (ring->end - first + need > TRACE_RING_BYTES) {
        first += sizeof(struct record) + record_at(ring, first).len;
        ring->dropped++;
    }
    __atomic_store_n(&ring->first, first, __ATOMIC_RELEASE);
    /* Who looks at a stopped process must not see data before this. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

bool trace_ring_write(struct trace_ring *ring, tick_t tick, const char *text,
                      size_t len)
{
    struct record record = {.tick = tick, .len = (uint32_t)len + 1};

    if (len >= TRACE_RING_BYTES - sizeof record ||
        !try_lock(ring, WRITER_TRIES)) {
        __atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
        return false;
    }
    make_room(ring, sizeof record + record.len);
    copy_in(ring, ring->end, &record, sizeof record);
    copy_in(ring, ring->end + sizeof record, text, len);
    copy_in(ring, ring->end + sizeof record + len, "", 1);
    __atomic_store_n(&ring->end, ring->end + sizeof record + record.len,
                     __ATOMIC_RELEASE);
    unlock(ring);
    return true;
}

void trace_ring_add(struct trace_ring **ring, tick_t tick, const char *text)
{
    if (!*ring)
        *ring = trace_ring_create(TRACE_RING_NO_ID);
    if (*ring)
        (void)trace_ring_write(*ring, tick, text, strnlen(text, MAX_TEXT - 1));
}

/* One record; it may have been overwritten since the one before was read.
 * Returns: false behind the newest. */
static bool take_record(struct trace_ring *ring, uint64_t *position,
                        struct record *record, char *text)
{
    bool is_locked = try_lock(ring, READER_TRIES); /* if not: a crash */
    bool is_there;

    if (*position < ring->first)
        *position = ring->first;
    is_there = *position < ring->end;
    if (is_there) {
        *record = record_at(ring, *position);
        is_there = record->len <= TRACE_RING_BYTES;
    }
    if (is_there) {
        copy_out(ring, *position + sizeof *record, text, record->len);
        *position += sizeof *record + record->len;
    }
    if (is_locked)
        unlock(ring);
    return is_there;
}

void trace_ring_visit(struct trace_ring *ring,
                      void (*visit)(void *ctx, tick_t tick, const char *text),
                      void *ctx)
{
    char text[TRACE_RING_BYTES];
    struct record record;
    uint64_t position = 0;

    if (!ring)
        return;
    while (take_record(ring, &position, &record, text))
        visit(ctx, record.tick, text);
}

uint64_t trace_ring_dropped(const struct trace_ring *ring)
{
    return ring ? ring->dropped : 0;
}

uint64_t trace_ring_lost(const struct trace_ring *ring)
{
    return ring ? __atomic_load_n(&ring->lost, __ATOMIC_RELAXED) : 0;
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
