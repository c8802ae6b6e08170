/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events per second: each event that is served schedules itself again at a
 * random distance, with a fixed number of events pending.  The same work is
 * done by a textbook binary heap of pointers, for a ratio that does not depend
 * on the machine.  Processor time is measured, not the time of day.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/host_clock.h"
#include "base/rng.h"
#include "sim/eventq.h"

enum { ROUNDS = 4000000, DISTANCE = 1 << 14 };

/* Distances are drawn beforehand: the generator is not part of the time. */
enum { NUM_DISTANCES = 1 << 12 };
static uint32_t distances[NUM_DISTANCES];

struct ball {
    struct sim_event event;
    struct eventq *queue;
    uint64_t *served;
};

static void ball_run(struct sim_event *event, tick_t now)
{
    struct ball *ball = (struct ball *)event;
    uint64_t n = (*ball->served)++;

    eventq_schedule(ball->queue, event, now + distances[n % NUM_DISTANCES]);
}

static double time_eventq(uint32_t pending)
{
    struct eventq *queue = eventq_create();
    struct ball *balls = alloc_zeroed(pending, sizeof *balls);
    uint64_t served = 0, start;
    uint32_t i;

    for (i = 0; i < pending; i++) {
        event_init(&balls[i].event, "ball", EVENT_PRI_DEFAULT, ball_run);
        balls[i].queue = queue;
        balls[i].served = &served;
        eventq_schedule(queue, &balls[i].event, distances[i % NUM_DISTANCES]);
    }
    start = host_clock_cpu_ns();
    while (served < ROUNDS)
        eventq_service_one(queue);
    start = host_clock_cpu_ns() - start;
    eventq_destroy(queue);
    mem_free(balls);
    return (double)start / ROUNDS;
}

/* ---------------------------------------------------- binary heap of pointers
 */

struct item {
    tick_t when;
    int priority;
    uint64_t sequence;
};

struct heap {
    struct item **items; /* from 1 on */
    uint32_t len;
};

static int is_before(const struct item *a, const struct item *b)
{
    if (a->when != b->when)
        return a->when < b->when;
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a->sequence < b->sequence;
}

static void heap_push(struct heap *heap, struct item *item)
{
    uint32_t i = ++heap->len;

    for (; i > 1 && is_before(item, heap->items[i / 2]); i /= 2)
        heap->items[i] = heap->items[i / 2];
    heap->items[i] = item;
}

static struct item *heap_pop(struct heap *heap)
{
    struct item *first = heap->items[1];
    struct item *last = heap->items[heap->len--];
    uint32_t i = 1, child;

    while ((child = i * 2) <= heap->len) {
        if (child < heap->len &&
            is_before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!is_before(heap->items[child], last))
            break;
        heap->items[i] = heap->items[child];
        i = child;
    }
    heap->items[i] = last;
    return first;
}

static double time_binary_heap(uint32_t pending)
{
    struct heap heap = {.items = alloc_zeroed(pending + 2, sizeof *heap.items)};
    struct item *items = alloc_zeroed(pending, sizeof *items);
    uint64_t n, start;
    uint32_t i;

    for (i = 0; i < pending; i++) {
        items[i].when = distances[i % NUM_DISTANCES];
        items[i].sequence = i;
        heap_push(&heap, &items[i]);
    }
    start = host_clock_cpu_ns();
    for (n = 0; n < ROUNDS; n++) {
        struct item *item = heap_pop(&heap);

        item->when += distances[n % NUM_DISTANCES];
        item->sequence = pending + n;
        heap_push(&heap, item);
    }
    start = host_clock_cpu_ns() - start;
    mem_free(heap.items);
    mem_free(items);
    return (double)start / ROUNDS;
}

/* Alternating, so that both see the same disturbances; the best of each. */
static void compare(uint32_t pending)
{
    double ours = 1e9, theirs = 1e9;
    int round;

    for (round = 0; round < 5; round++) {
        double ns = time_eventq(pending);

        ours = ns < ours ? ns : ours;
        ns = time_binary_heap(pending);
        theirs = ns < theirs ? ns : theirs;
    }
    printf("%6u pending: %5.1f million schedule+service per second "
           "(%.1f ns), %.2f times a binary heap of pointers\n",
           pending, 1e3 / ours, ours, theirs / ours);
}

int main(void)
{
    struct rng rng;
    uint32_t i;

    rng_seed(&rng, 1);
    for (i = 0; i < NUM_DISTANCES; i++)
        distances[i] = (uint32_t)rng_below(&rng, DISTANCE);
    compare(10);
    compare(1000);
    compare(100000);
    return 0;
}
