/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exit events.  Each is an event of priority EVENT_PRI_SIM_EXIT, so that it is
 * served after everything else of its tick; one that waits behind another is
 * served by the next call of simulate().
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/log.h"
#include "sim/sim_private.h"

struct exit_event {
    struct sim_event event;
    struct sim *sim;
    struct sim_exit exit;
    tick_t repeat; /* [ticks], 0: once */
    struct exit_event *next;
};

static void deliver(struct sim *sim, const struct sim_exit *exit, tick_t now)
{
    sim->exit = *exit;
    sim->exit.tick = now;
    sim->has_exit = true;
}

static void release(struct exit_event *exit)
{
    struct exit_event **link = &exit->sim->exits;

    while (*link != exit)
        link = &(*link)->next;
    *link = exit->next;
    mem_free(exit);
}

static void exit_event_run(struct sim_event *event, tick_t now)
{
    struct exit_event *exit = SIM_CONTAINER_OF(event, struct exit_event, event);
    struct sim *sim = exit->sim;

    deliver(sim, &exit->exit, now);
    if (exit->repeat && exit->repeat < TICK_MAX - now)
        eventq_schedule(sim->queue, event, now + exit->repeat);
    else
        release(exit);
}

static void limit_run(struct sim_event *event, tick_t now)
{
    static const struct sim_exit limit = {.cause = EXIT_TICK_LIMIT};

    deliver(SIM_CONTAINER_OF(event, struct sim, limit), &limit, now);
}

void exit_init(struct sim *sim)
{
    event_init(&sim->limit, "simulate() limit", EVENT_PRI_SIM_EXIT, limit_run);
    eventq_schedule(sim->queue, &sim->limit, TICK_MAX);
}

void exit_fini(struct sim *sim)
{
    while (sim->exits) {
        eventq_deschedule(sim->queue, &sim->exits->event);
        release(sim->exits);
    }
    eventq_deschedule(sim->queue, &sim->limit);
}

void sim_exit_at(struct sim *sim, const char *cause, int64_t code, tick_t when,
                 tick_t repeat)
{
    struct exit_event *exit = alloc_zeroed(1, sizeof *exit);

    event_init(&exit->event, "exit", EVENT_PRI_SIM_EXIT, exit_event_run);
    exit->sim = sim;
    exit->exit.code = code;
    exit->repeat = repeat;
    (void)snprintf(exit->exit.cause, sizeof exit->exit.cause, "%s", cause);
    exit->next = sim->exits;
    sim->exits = exit;
    eventq_schedule(sim->queue, &exit->event, when);
}

void sim_exit_now(struct sim *sim, const char *cause, int64_t code)
{
    sim_exit_at(sim, cause, code, sim_now(sim), 0);
}

void sim_schedule_tick_exit(struct sim *sim, tick_t when)
{
    sim_exit_at(sim, EXIT_TICK, 0, when, 0);
}

void sim_set_max_tick(struct sim *sim, tick_t when)
{
    eventq_reschedule(sim->queue, &sim->limit, when);
}

tick_t sim_max_tick(const struct sim *sim)
{
    return event_is_scheduled(&sim->limit) ? sim->limit.when : TICK_MAX;
}
