/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event queue: events are embedded in the object that owns them and run in the
 * order (tick, priority, sequence of scheduling).  Nothing is allocated per
 * event.  One queue per simulation; not thread-safe: other threads post through
 * eventq_post_async().
 */
#ifndef SIM_EVENTQ_H
#define SIM_EVENTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_event;
struct eventq;

/* gem5's priorities: lower runs first. */
enum sim_event_priority {
    EVENT_PRI_MIN = -128,
    EVENT_PRI_DEBUG_ENABLE = -101,
    EVENT_PRI_DEBUG_BREAK = -100,
    EVENT_PRI_CPU_SWITCH = -31,
    EVENT_PRI_DELAYED_WRITEBACK = -1,
    EVENT_PRI_DEFAULT = 0,
    EVENT_PRI_DVFS_UPDATE = 31,
    EVENT_PRI_SERIALIZE = 32,
    EVENT_PRI_CPU_TICK = 50,
    EVENT_PRI_CPU_EXIT = 64,
    EVENT_PRI_STAT = 90,
    EVENT_PRI_PROGRESS = 95,
    EVENT_PRI_SIM_EXIT = 100,
    EVENT_PRI_MAX = 127,
};

struct sim_event {
    void (*run)(struct sim_event *event, tick_t now);
    const char *name;
    int16_t priority;
    uint32_t slot; /* 1 + position in the queue, or EVENT_IDLE */
    tick_t when;
};
/* A zeroed event is idle, so that fini may deschedule one that init did not
 * reach. */
#define EVENT_IDLE 0

void event_init(struct sim_event *event, const char *name, int priority,
                void (*run)(struct sim_event *event, tick_t now));
static inline bool event_is_scheduled(const struct sim_event *event)
{
    return event->slot != EVENT_IDLE;
}

struct eventq *eventq_create(void);
/* Events that are still scheduled become idle. */
void eventq_destroy(struct eventq *queue);

tick_t eventq_now(const struct eventq *queue);
/* Set the time, e.g. after a checkpoint; the queue must be empty or later. */
void eventq_set_now(struct eventq *queue, tick_t now);

/** eventq_schedule() - @when must not lie before now (assertion). */
void eventq_schedule(struct eventq *queue, struct sim_event *event,
                     tick_t when);
/** eventq_deschedule() - no effect if the event is idle. */
void eventq_deschedule(struct eventq *queue, struct sim_event *event);
/** eventq_reschedule() - schedule, moving the event if it is scheduled. */
void eventq_reschedule(struct eventq *queue, struct sim_event *event,
                       tick_t when);
/** eventq_next_tick() - of the first event, TICK_MAX if there is none. */
tick_t eventq_next_tick(const struct eventq *queue);
/** eventq_first() - the event that runs next; NULL if there is none, and
 * while an event runs. */
const struct sim_event *eventq_first(const struct eventq *queue);
size_t eventq_len(const struct eventq *queue);
/** eventq_service_one() - advance the time to the first event and run it. */
void eventq_service_one(struct eventq *queue);

/* While @horizon is set, scheduling an event before it lowers it. */
void eventq_set_horizon(struct eventq *queue, volatile tick_t *horizon);

/* ----------------------------------------------------------- other threads */

/*
 * Work that another thread hands to the simulation thread.  Embedded in the
 * object that owns it; zero it, then set run.  It may be posted again as soon
 * as run has been entered; posting it while it waits has no effect.
 */
struct sim_async {
    void (*run)(struct sim_async *async, tick_t now);
    struct sim_async *next;
    bool is_posted;
};

/** eventq_post_async() - any thread; wakes the loop, which calls run soon. */
void eventq_post_async(struct eventq *queue, struct sim_async *async);
/* The loop: is there work, and do it in the order of posting. */
bool eventq_has_async(const struct eventq *queue);
void eventq_run_async(struct eventq *queue);
/* @wake is called by the posting thread. */
void eventq_set_waker(struct eventq *queue, void (*wake)(void *ctx), void *ctx);

#ifdef __cplusplus
}
#endif

#endif
