/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A 4-ary heap whose entries carry their keys, so that comparing does not touch
 * the events.  Serving an event leaves a hole at the root: most events schedule
 * themselves or a successor, and that entry then takes the hole, which costs
 * one walk down the heap instead of two.
 */
#include "sim/eventq.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/log.h"

__extension__ typedef unsigned __int128 uint128_t;

enum { ARITY = 4, FIRST_CAPACITY = 64 };
enum { SEQUENCE_BITS = 48, PRIORITY_BIAS = 1 << 15 };

struct entry {
    uint64_t order; /* priority and sequence: decides between equal ticks */
    tick_t when;
    struct sim_event *event;
};

struct eventq {
    struct entry *heap;
    uint32_t len; /* with the hole */
    uint32_t capacity;
    bool has_hole; /* heap[0] is free */
    tick_t now;
    uint64_t sequence;
    volatile tick_t *horizon; /* lowered when an event comes before it */
    struct sim_async *posted; /* newest first; written by all threads */
    void (*wake)(void *ctx);
    void *wake_ctx;
};

void event_init(struct sim_event *event, const char *name, int priority,
                void (*run)(struct sim_event *event, tick_t now))
{
    SIM_ASSERT(priority >= EVENT_PRI_MIN && priority <= EVENT_PRI_MAX);
    *event = (struct sim_event){
        .run = run,
        .name = name,
        .priority = (int16_t)priority,
        .slot = EVENT_IDLE,
    };
}

struct eventq *eventq_create(void)
{
    struct eventq *queue = alloc_zeroed(1, sizeof *queue);

    queue->capacity = FIRST_CAPACITY;
    queue->heap = alloc_zeroed(queue->capacity, sizeof *queue->heap);
    return queue;
}

void eventq_destroy(struct eventq *queue)
{
    uint32_t i;

    for (i = queue->has_hole; i < queue->len; i++)
        queue->heap[i].event->slot = EVENT_IDLE;
    mem_free(queue->heap);
    mem_free(queue);
}

/* ----------------------------------------------------------------- the heap */

static uint128_t key_of(const struct entry *entry)
{
    return (uint128_t)entry->when << 64 | entry->order;
}

static void place(struct eventq *queue, uint32_t slot,
                  const struct entry *entry)
{
    queue->heap[slot] = *entry;
    entry->event->slot = slot;
}

/* @entry belongs at @slot or above it. */
static void sift_up(struct eventq *queue, uint32_t slot, struct entry entry)
{
    uint128_t key = key_of(&entry);

    while (slot > 0) {
        uint32_t parent = (slot - 1) / ARITY;

        if (key_of(&queue->heap[parent]) <= key)
            break;
        place(queue, slot, &queue->heap[parent]);
        slot = parent;
    }
    place(queue, slot, &entry);
}

/* The smallest of the children that start at @first; all of them exist. */
static inline uint32_t min_of_four(const struct entry *heap, uint32_t first)
{
    const struct entry *c = heap + first;
    uint32_t left = key_of(&c[1]) < key_of(&c[0]);
    uint32_t right = 2 + (key_of(&c[3]) < key_of(&c[2]));

    return first + (key_of(&c[right]) < key_of(&c[left]) ? right : left);
}

static uint32_t min_of_few(const struct eventq *queue, uint32_t first)
{
    uint32_t best = first, i;

    for (i = first + 1; i < queue->len; i++)
        if (key_of(&queue->heap[i]) < key_of(&queue->heap[best]))
            best = i;
    return best;
}

/* @entry belongs at @slot or below it. */
static void sift_down(struct eventq *queue, uint32_t slot, struct entry entry)
{
    uint128_t key = key_of(&entry);

    for (;;) {
        uint32_t child = slot * ARITY + 1;

        if (SIM_LIKELY(child + ARITY <= queue->len))
            child = min_of_four(queue->heap, child);
        else if (child < queue->len)
            child = min_of_few(queue, child);
        else
            break;
        if (key <= key_of(&queue->heap[child]))
            break;
        place(queue, slot, &queue->heap[child]);
        slot = child;
    }
    place(queue, slot, &entry);
}

/* Puts @entry where the heap order wants it, starting from @slot. */
static void settle(struct eventq *queue, uint32_t slot, struct entry entry)
{
    if (slot > 0 && key_of(&entry) < key_of(&queue->heap[(slot - 1) / ARITY]))
        sift_up(queue, slot, entry);
    else
        sift_down(queue, slot, entry);
}

static void fill_hole(struct eventq *queue)
{
    queue->has_hole = false;
    queue->len--;
    if (queue->len > 0)
        sift_down(queue, 0, queue->heap[queue->len]);
}

static void reserve(struct eventq *queue)
{
    if (SIM_LIKELY(queue->len < queue->capacity))
        return;
    SIM_ASSERT(queue->capacity < UINT32_MAX / 2);
    queue->capacity *= 2;
    queue->heap =
        alloc_resize(queue->heap, queue->capacity, sizeof *queue->heap);
}

static void insert(struct eventq *queue, struct entry entry)
{
    if (queue->has_hole) {
        queue->has_hole = false;
        sift_down(queue, 0, entry);
        return;
    }
    reserve(queue);
    queue->len++;
    sift_up(queue, queue->len - 1, entry);
}

/* --------------------------------------------------------------- public part
 */

tick_t eventq_now(const struct eventq *queue)
{
    return queue->now;
}

void eventq_set_now(struct eventq *queue, tick_t now)
{
    SIM_ASSERT(now <= eventq_next_tick(queue));
    queue->now = now;
}

static struct entry make_entry(struct eventq *queue, struct sim_event *event,
                               tick_t when)
{
    uint64_t priority = (uint64_t)(event->priority + PRIORITY_BIAS);

    SIM_ASSERT(when >= queue->now);
    event->when = when;
    return (struct entry){
        .order = priority << SEQUENCE_BITS | queue->sequence++,
        .when = when,
        .event = event,
    };
}

static void lower_horizon(struct eventq *queue, tick_t when)
{
    if (queue->horizon && when < *queue->horizon)
        *queue->horizon = when;
}

void eventq_schedule(struct eventq *queue, struct sim_event *event, tick_t when)
{
    SIM_ASSERT(!event_is_scheduled(event));
    insert(queue, make_entry(queue, event, when));
    lower_horizon(queue, when);
}

void eventq_deschedule(struct eventq *queue, struct sim_event *event)
{
    uint32_t slot = event->slot;

    if (slot == EVENT_IDLE)
        return;
    SIM_ASSERT(slot < queue->len && queue->heap[slot].event == event);
    event->slot = EVENT_IDLE;
    queue->len--;
    if (slot < queue->len)
        settle(queue, slot, queue->heap[queue->len]);
}

void eventq_reschedule(struct eventq *queue, struct sim_event *event,
                       tick_t when)
{
    uint32_t slot = event->slot;

    if (slot == EVENT_IDLE) {
        eventq_schedule(queue, event, when);
        return;
    }
    SIM_ASSERT(slot < queue->len && queue->heap[slot].event == event);
    settle(queue, slot, make_entry(queue, event, when));
    lower_horizon(queue, when);
}

tick_t eventq_next_tick(const struct eventq *queue)
{
    tick_t first = TICK_MAX;
    uint32_t i;

    if (!queue->has_hole)
        return queue->len ? queue->heap[0].when : TICK_MAX;
    for (i = 1; i < queue->len && i <= ARITY; i++)
        if (queue->heap[i].when < first)
            first = queue->heap[i].when;
    return first;
}

size_t eventq_len(const struct eventq *queue)
{
    return queue->len - queue->has_hole;
}

void eventq_service_one(struct eventq *queue)
{
    struct sim_event *event;

    if (queue->has_hole)
        fill_hole(queue);
    SIM_ASSERT(queue->len > 0);
    event = queue->heap[0].event;
    queue->now = queue->heap[0].when;
    queue->has_hole = true;
    /* Nothing that moves up the heap may take the place of the hole. */
    queue->heap[0] = (struct entry){0};
    event->slot = EVENT_IDLE;
    event->run(event, queue->now);
    if (queue->has_hole)
        fill_hole(queue);
}

void eventq_set_horizon(struct eventq *queue, volatile tick_t *horizon)
{
    queue->horizon = horizon;
}

/* ----------------------------------------------------------- other threads */

void eventq_set_waker(struct eventq *queue, void (*wake)(void *ctx), void *ctx)
{
    queue->wake = wake;
    queue->wake_ctx = ctx;
}

void eventq_post_async(struct eventq *queue, struct sim_async *async)
{
    struct sim_async *head = __atomic_load_n(&queue->posted, __ATOMIC_RELAXED);

    if (__atomic_exchange_n(&async->is_posted, true, __ATOMIC_ACQ_REL))
        return;
    do {
        async->next = head;
    } while (!__atomic_compare_exchange_n(&queue->posted, &head, async, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    if (queue->wake)
        queue->wake(queue->wake_ctx);
}

bool eventq_has_async(const struct eventq *queue)
{
    return __atomic_load_n(&queue->posted, __ATOMIC_RELAXED) != NULL;
}

/* The list as it was posted: oldest first. */
static struct sim_async *reversed(struct sim_async *list)
{
    struct sim_async *result = NULL;

    while (list) {
        struct sim_async *next = list->next;

        list->next = result;
        result = list;
        list = next;
    }
    return result;
}

void eventq_run_async(struct eventq *queue)
{
    struct sim_async *list = reversed(__atomic_exchange_n(
        &queue->posted, (struct sim_async *)NULL, __ATOMIC_SEQ_CST));

    while (list) {
        struct sim_async *async = list;

        list = async->next;
        /* From here on the poster may post it again. */
        __atomic_store_n(&async->is_posted, false, __ATOMIC_RELEASE);
        async->run(async, queue->now);
    }
}
