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

/* Compared as one number: first the tick, then priority and sequence. */
struct key {
    uint64_t order;
    tick_t when;
};

struct eventq {
    /* Slot i holds keys[i] and events[i]; its children are 4i + 1 to 4i + 4.
     * keys lies so that four children share a cache line; slots from len to
     * the end of a line hold key_free. */
    struct key *keys;
    struct sim_event **events;
    uint32_t len; /* with the hole */
    uint32_t capacity;
    bool has_hole; /* slot 0 is free */
    tick_t now;
    uint64_t sequence;
    volatile tick_t *horizon; /* lowered when an event comes before it */
    struct sim_async *posted; /* newest first; written by all threads */
    void (*wake)(void *ctx);
    void *wake_ctx;
    void *key_memory;
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

enum { CACHE_LINE = 64 };

/* After all other keys: free slots need no check. */
static const struct key key_free = {UINT64_MAX, UINT64_MAX};

/* Moves the keys to fresh memory whose slot 1 begins a cache line. */
static void move_keys(struct eventq *queue, uint32_t capacity)
{
    size_t num_keys = (size_t)capacity + ARITY;
    void *memory =
        alloc_zeroed(1, num_keys * sizeof(struct key) + 2 * CACHE_LINE);
    uintptr_t line = ((uintptr_t)memory + 2 * CACHE_LINE - 1) / CACHE_LINE;
    struct key *keys = (struct key *)(line * CACHE_LINE) - 1;
    size_t i;

    for (i = 0; i < num_keys; i++)
        keys[i] = i < queue->len ? queue->keys[i] : key_free;
    mem_free(queue->key_memory);
    queue->key_memory = memory;
    queue->keys = keys;
}

static void set_capacity(struct eventq *queue, uint32_t capacity)
{
    move_keys(queue, capacity);
    queue->events =
        alloc_resize(queue->events, capacity, sizeof(struct sim_event *));
    queue->capacity = capacity;
}

struct eventq *eventq_create(void)
{
    struct eventq *queue = alloc_zeroed(1, sizeof *queue);

    set_capacity(queue, FIRST_CAPACITY);
    return queue;
}

void eventq_destroy(struct eventq *queue)
{
    uint32_t i;

    for (i = queue->has_hole; i < queue->len; i++)
        queue->events[i]->slot = EVENT_IDLE;
    mem_free(queue->key_memory);
    mem_free(queue->events);
    mem_free(queue);
}

/* ----------------------------------------------------------------- the heap */

static inline uint128_t value_of(struct key key)
{
    return (uint128_t)key.when << 64 | key.order;
}

static inline bool is_before(struct key a, struct key b)
{
    return value_of(a) < value_of(b);
}

static inline void place(struct eventq *queue, uint32_t slot, struct key key,
                         struct sim_event *event)
{
    queue->keys[slot] = key;
    queue->events[slot] = event;
    event->slot = slot + 1;
}

/* The event belongs at @slot or above it. */
static void sift_up(struct eventq *queue, uint32_t slot, struct key key,
                    struct sim_event *event)
{
    while (slot > 0) {
        uint32_t parent = (slot - 1) / ARITY;

        if (!is_before(key, queue->keys[parent]))
            break;
        place(queue, slot, queue->keys[parent], queue->events[parent]);
        slot = parent;
    }
    place(queue, slot, key, event);
}

/*
 * Keeps a 0 or 1 from becoming a branch: which of two keys is first is random,
 * a branch on it would be mispredicted half of the time.
 */
static inline uint32_t unpredictable(bool condition)
{
    uint32_t number = condition;

    __asm__("" : "+r"(number));
    return number;
}

/* Offset of the first of four keys. */
static uint32_t first_by_whole_key(const struct key *c)
{
    uint32_t left = unpredictable(is_before(c[1], c[0]));
    uint32_t right = 2 + unpredictable(is_before(c[3], c[2]));
    uint32_t is_right = unpredictable(is_before(c[right], c[left]));

    return left + (right - left) * is_right;
}

/* The first of the children that start at @child; the first one exists.
 * Ticks are compared alone, which is faster; where two that met are equal, the
 * whole keys decide. */
static inline uint32_t first_of_four(const struct key *keys, uint32_t child)
{
    const struct key *c = keys + child;
    uint32_t left = unpredictable(c[1].when < c[0].when);
    uint32_t right = 2 + unpredictable(c[3].when < c[2].when);
    uint32_t is_right = unpredictable(c[right].when < c[left].when);
    bool is_tie = (c[0].when == c[1].when) | (c[2].when == c[3].when) |
                  (c[left].when == c[right].when);

    if (SIM_UNLIKELY(is_tie))
        return child + first_by_whole_key(c);
    return child + left + (right - left) * is_right;
}

/* The event belongs at @slot or below it. */
static void sift_down(struct eventq *queue, uint32_t slot, struct key key,
                      struct sim_event *event)
{
    for (;;) {
        uint32_t child = slot * ARITY + 1;

        if (child >= queue->len)
            break;
        child = first_of_four(queue->keys, child);
        if (!is_before(queue->keys[child], key))
            break;
        place(queue, slot, queue->keys[child], queue->events[child]);
        slot = child;
    }
    place(queue, slot, key, event);
}

/* Puts the event where the heap order wants it, starting from @slot. */
static void settle(struct eventq *queue, uint32_t slot, struct key key,
                   struct sim_event *event)
{
    if (slot > 0 && is_before(key, queue->keys[(slot - 1) / ARITY]))
        sift_up(queue, slot, key, event);
    else
        sift_down(queue, slot, key, event);
}

/* The last slot, which is given up: its event needs another place. */
struct orphan {
    struct key key;
    struct sim_event *event;
};

static struct orphan take_last(struct eventq *queue)
{
    uint32_t last = --queue->len;
    struct orphan orphan = {queue->keys[last], queue->events[last]};

    queue->keys[last] = key_free;
    return orphan;
}

static void fill_hole(struct eventq *queue)
{
    struct orphan orphan = take_last(queue);

    queue->has_hole = false;
    if (queue->len > 0)
        sift_down(queue, 0, orphan.key, orphan.event);
}

static void insert(struct eventq *queue, struct key key,
                   struct sim_event *event)
{
    if (queue->has_hole) {
        queue->has_hole = false;
        sift_down(queue, 0, key, event);
        return;
    }
    if (SIM_UNLIKELY(queue->len == queue->capacity)) {
        SIM_ASSERT(queue->capacity < UINT32_MAX / 2);
        set_capacity(queue, queue->capacity * 2);
    }
    queue->len++;
    sift_up(queue, queue->len - 1, key, event);
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

static struct key make_key(struct eventq *queue, struct sim_event *event,
                           tick_t when)
{
    uint64_t priority = (uint16_t)(event->priority + PRIORITY_BIAS);

    SIM_ASSERT(when >= queue->now);
    event->when = when;
    return (struct key){
        .order = priority << SEQUENCE_BITS | queue->sequence++,
        .when = when,
    };
}

/* Another thread may set the horizon to 0 meanwhile; that must not be lost. */
static void lower_horizon(struct eventq *queue, tick_t when)
{
    tick_t old;

    if (!queue->horizon)
        return;
    old = __atomic_load_n(queue->horizon, __ATOMIC_RELAXED);
    while (when < old &&
           !__atomic_compare_exchange_n(queue->horizon, &old, when, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void eventq_schedule(struct eventq *queue, struct sim_event *event, tick_t when)
{
    SIM_ASSERT(!event_is_scheduled(event));
    insert(queue, make_key(queue, event, when), event);
    lower_horizon(queue, when);
}

/* Of a scheduled event; also catches one that another queue holds. */
static uint32_t slot_of(const struct eventq *queue,
                        const struct sim_event *event)
{
    uint32_t slot = event->slot - 1;

    SIM_ASSERT(slot < queue->len && queue->events[slot] == event);
    return slot;
}

void eventq_deschedule(struct eventq *queue, struct sim_event *event)
{
    struct orphan orphan;
    uint32_t slot;

    if (!event_is_scheduled(event))
        return;
    slot = slot_of(queue, event);
    event->slot = EVENT_IDLE;
    orphan = take_last(queue);
    if (slot < queue->len)
        settle(queue, slot, orphan.key, orphan.event);
}

void eventq_reschedule(struct eventq *queue, struct sim_event *event,
                       tick_t when)
{
    if (!event_is_scheduled(event)) {
        eventq_schedule(queue, event, when);
        return;
    }
    settle(queue, slot_of(queue, event), make_key(queue, event, when), event);
    lower_horizon(queue, when);
}

tick_t eventq_next_tick(const struct eventq *queue)
{
    tick_t first = TICK_MAX;
    uint32_t i;

    if (!queue->has_hole)
        return queue->len ? queue->keys[0].when : TICK_MAX;
    for (i = 1; i < queue->len && i <= ARITY; i++)
        if (queue->keys[i].when < first)
            first = queue->keys[i].when;
    return first;
}

const struct sim_event *eventq_first(const struct eventq *queue)
{
    return queue->len && !queue->has_hole ? queue->events[0] : NULL;
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
    event = queue->events[0];
    queue->now = queue->keys[0].when;
    queue->has_hole = true;
    /* Nothing that moves up the heap may take the place of the hole. */
    queue->keys[0] = (struct key){0};
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
