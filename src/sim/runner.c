/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runners: CPUs that advance without events.  All active runners are brought
 * to a common horizon, in order of registration, before events are served
 * there.  Slices are lengths of simulated time, never of host time, so that two
 * runs take the same course.
 */
#include "base/log.h"
#include "sim/sim_private.h"

/* The host is asked for an interrupt between slices: even the slowest CPU
 * model must come back several times a second. */
static const tick_t LONE_SLICE = UINT64_C(100000000); /* 100 us */

void sim_add_runner(struct sim *sim, struct sim_runner *runner)
{
    struct sim_runner **link = &sim->runners;

    while (*link) {
        SIM_ASSERT(*link != runner);
        link = &(*link)->next;
    }
    *link = runner;
    runner->next = NULL;
    runner->is_active = false;
}

void sim_remove_runner(struct sim *sim, struct sim_runner *runner)
{
    struct sim_runner **link = &sim->runners;

    SIM_ASSERT(runner != sim->current);
    sim_runner_suspend(sim, runner);
    while (*link && *link != runner)
        link = &(*link)->next;
    SIM_ASSERT(*link == runner);
    *link = runner->next;
    runner->next = NULL;
}

void sim_runner_activate(struct sim *sim, struct sim_runner *runner)
{
    tick_t now = sim_now(sim);
    tick_t slice;

    if (runner->is_active)
        return;
    runner->is_active = true;
    /* One that went to sleep late in a slice has already lived to that tick. */
    if (runner->now < now)
        runner->now = now;
    sim->num_active++;
    slice = runner->slice ? runner->slice : sim->slice;
    /* Woken by another runner: that one must not run far ahead of it. */
    if (sim->current && sim->current != runner &&
        runner->now + slice < sim->current->horizon)
        sim->current->horizon = runner->now + slice;
}

void sim_runner_suspend(struct sim *sim, struct sim_runner *runner)
{
    if (!runner->is_active)
        return;
    runner->is_active = false;
    sim->num_active--;
}

void sim_runner_act_for(struct sim *sim, struct sim_runner *runner)
{
    __atomic_store_n(&sim->current, runner, __ATOMIC_SEQ_CST);
}

void sim_set_slice(struct sim *sim, tick_t ticks)
{
    SIM_ASSERT(ticks > 0);
    sim->slice = ticks;
}

tick_t sim_slice(const struct sim *sim)
{
    return sim->slice;
}

void runner_wake(void *sim_ptr)
{
    struct sim *sim = sim_ptr;
    struct sim_runner *runner;

    __atomic_store_n(&sim->is_wanted, true, __ATOMIC_SEQ_CST);
    runner = __atomic_load_n(&sim->current, __ATOMIC_SEQ_CST);
    if (!runner)
        return;
    __atomic_store_n(&runner->horizon, 0, __ATOMIC_SEQ_CST);
    if (runner->kick)
        runner->kick(runner);
}

static void run_one(struct sim *sim, struct sim_runner *runner, tick_t horizon)
{
    __atomic_store_n(&runner->horizon, horizon, __ATOMIC_SEQ_CST);
    __atomic_store_n(&sim->current, runner, __ATOMIC_SEQ_CST);
    eventq_set_horizon(sim->queue, &runner->horizon);
    /* A post from another thread between two runs found no current runner. */
    if (!__atomic_load_n(&sim->is_wanted, __ATOMIC_SEQ_CST))
        runner->run(runner, horizon);
    eventq_set_horizon(sim->queue, NULL);
    __atomic_store_n(&sim->current, (struct sim_runner *)NULL,
                     __ATOMIC_SEQ_CST);
}

static tick_t min_tick(tick_t a, tick_t b)
{
    return a < b ? a : b;
}

/* The shortest that an active runner wants. */
static tick_t slice_end(const struct sim *sim)
{
    tick_t now = eventq_now(sim->queue);
    tick_t common = sim->num_active > 1 ? sim->slice : LONE_SLICE;
    tick_t slice = TICK_MAX;

    for (const struct sim_runner *r = sim->runners; r; r = r->next)
        if (r->is_active)
            slice = min_tick(slice, r->slice ? r->slice : common);
    return slice < TICK_MAX - now ? now + slice : TICK_MAX;
}

/* How far all runners have come, at most @horizon. */
static tick_t reached(const struct sim *sim, tick_t horizon)
{
    const struct sim_runner *runner;

    for (runner = sim->runners; runner; runner = runner->next)
        if (runner->is_active)
            horizon = min_tick(horizon, runner->now);
    return horizon;
}

tick_t runner_step(struct sim *sim)
{
    tick_t horizon = eventq_next_tick(sim->queue);
    struct sim_runner *runner;

    if (!sim->num_active)
        return horizon;
    horizon = min_tick(horizon, slice_end(sim));
    for (runner = sim->runners; runner; runner = runner->next) {
        if (!runner->is_active || runner->now >= horizon)
            continue;
        run_one(sim, runner, horizon);
        /* It may have scheduled an event before the horizon. */
        horizon = min_tick(horizon, eventq_next_tick(sim->queue));
    }
    horizon = reached(sim, horizon);
    if (horizon > eventq_now(sim->queue))
        eventq_set_now(sim->queue, horizon);
    return horizon;
}
