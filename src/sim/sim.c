/* SPDX-License-Identifier: BSD-3-Clause */
/* A simulation: creation, the life cycle of its tree, the main loop. */
#include "sim/sim.h"

#include <string.h>

#include <inttypes.h>

#include "base/alloc.h"
#include "base/host_clock.h"
#include "base/log.h"
#include "sim/debug.h"
#include "sim/object.h"
#include "sim/port.h"
#include "sim/report.h"
#include "sim/sim_private.h"
#include "sim/stat_out.h"

static const tick_t DEFAULT_SLICE = UINT64_C(1000000); /* 1 us */
/* Reading the host's clock after each event would cost as much as an event. */
enum { EVENTS_PER_POLL = 256 };
static const uint64_t POLL_INTERVAL_NS = 10000000;

struct sim *sim_create(const struct sim_host *host)
{
    struct sim *sim = alloc_zeroed(1, sizeof *sim);

    if (host)
        sim->host = *host;
    sim->queue = eventq_create();
    eventq_set_waker(sim->queue, runner_wake, sim);
    sim->outdir = alloc_strdup("m5out");
    sim->slice = DEFAULT_SLICE;
    rng_seed(&sim->rng, 0);
    exit_init(sim);
    sim->stats = stat_out_create(sim);
    return sim;
}

/* Children first. */
static void fini_tree(struct sim_object *obj)
{
    struct sim_object *child;

    for (child = obj->first_child; child; child = child->next_sibling)
        fini_tree(child);
    sim_object_fini(obj);
}

/* An exception may have left simulate() in the middle of a runner. */
static void leave_runner(struct sim *sim)
{
    sim->current = NULL;
    eventq_set_horizon(sim->queue, NULL);
}

void sim_destroy(struct sim *sim)
{
    if (!sim)
        return;
    leave_runner(sim);
    stat_out_destroy(sim->stats);
    exit_fini(sim);
    if (sim->root) {
        fini_tree(sim->root);
        sim_object_free_tree(sim->root);
    }
    eventq_destroy(sim->queue);
    hashmap_clear(&sim->sites.counts);
    mem_free(sim->fatal_text);
    mem_free(sim->outdir);
    mem_free(sim);
}

/* --------------------------------------------------------------- properties */

const struct sim_host *sim_host_of(const struct sim *sim)
{
    return &sim->host;
}

struct eventq *sim_eventq(const struct sim *sim)
{
    return sim->queue;
}

tick_t sim_now(const struct sim *sim)
{
    return sim->current ? sim->current->now : eventq_now(sim->queue);
}

void sim_set_now(struct sim *sim, tick_t now)
{
    eventq_set_now(sim->queue, now);
}

struct sim_object *sim_root(const struct sim *sim)
{
    return sim->root;
}

struct rng *sim_rng(struct sim *sim)
{
    return &sim->rng;
}

void sim_set_seed(struct sim *sim, uint64_t seed)
{
    rng_seed(&sim->rng, seed);
}

const char *sim_outdir(const struct sim *sim)
{
    return sim->outdir;
}

void sim_set_outdir(struct sim *sim, const char *dir)
{
    char *copy = alloc_strdup(dir);

    mem_free(sim->outdir);
    sim->outdir = copy;
}

void sim_count_insts(struct sim *sim, uint64_t insts, uint64_t ops)
{
    sim->insts += insts;
    sim->ops += ops;
}

uint64_t sim_insts(const struct sim *sim)
{
    return sim->insts;
}

uint64_t sim_ops_count(const struct sim *sim)
{
    return sim->ops;
}

/* ----------------------------------------------------------- the life cycle */

static void for_each_object(struct sim *sim,
                            void (*visit)(struct sim_object *obj))
{
    struct sim_object *obj;

    for (obj = sim->root; obj; obj = sim_object_next(sim->root, obj))
        visit(obj);
}

void sim_init(struct sim *sim)
{
    SIM_ASSERT(sim->phase == SIM_BUILDING && sim->root);
    for_each_object(sim, sim_port_check);
    for_each_object(sim, sim_object_init);
    sim->phase = SIM_INITIALISED;
}

void sim_reset(struct sim *sim)
{
    SIM_ASSERT(sim->phase == SIM_INITIALISED);
    for_each_object(sim, sim_object_reset);
}

void sim_startup(struct sim *sim)
{
    SIM_ASSERT(sim->phase == SIM_INITIALISED);
    sim->phase = SIM_STARTED;
    for_each_object(sim, sim_object_startup);
}

void sim_resume(struct sim *sim)
{
    sim->num_draining = 0;
    for_each_object(sim, sim_object_resume);
}

void sim_before_fork(struct sim *sim)
{
    (void)sim;
    debug_flush();
}

void sim_after_fork(struct sim *sim, const char *outdir)
{
    int err;

    sim_set_outdir(sim, outdir);
    err = stat_out_reopen(sim->stats);
    if (err)
        sim_fatal(sim->root, "cannot open the statistics in %s: %s", outdir,
                  strerror(-err));
    for_each_object(sim, sim_object_after_fork);
}

/* ------------------------------------------------------------- the main loop
 */

static void ask_host(struct sim *sim)
{
    uint64_t now_ns = host_clock_ns();

    sim->polls_left = EVENTS_PER_POLL;
    if (now_ns - sim->last_poll_ns < POLL_INTERVAL_NS)
        return;
    sim->last_poll_ns = now_ns;
    if (sim->host.is_interrupted && sim->host.is_interrupted(sim->host.ctx))
        sim_exit_now(sim, EXIT_USER, 0);
}

static void poll_host(struct sim *sim)
{
    if (sim->num_active || --sim->polls_left == 0)
        ask_host(sim);
}

static void run_posted(struct sim *sim)
{
    if (SIM_LIKELY(!__atomic_load_n(&sim->is_wanted, __ATOMIC_RELAXED)))
        return;
    __atomic_store_n(&sim->is_wanted, false, __ATOMIC_SEQ_CST);
    eventq_run_async(sim->queue);
}

/* Serves the events of the first tick, if that is not after @reached. */
static void serve_tick(struct sim *sim, tick_t reached)
{
    tick_t tick = eventq_next_tick(sim->queue);

    if (tick > reached)
        return;
    do {
        TRACE(Event, sim->root, "%s at %" PRIu64,
              eventq_first(sim->queue)->name, tick);
        eventq_service_one(sim->queue);
    } while (!sim->has_exit && eventq_next_tick(sim->queue) == tick);
}

static void step(struct sim *sim)
{
    tick_t reached;

    run_posted(sim);
    reached = runner_step(sim);
    serve_tick(sim, reached);
    poll_host(sim);
}

static void set_limit(struct sim *sim, tick_t ticks)
{
    tick_t now = eventq_now(sim->queue);

    if (ticks != TICK_MAX)
        sim_set_max_tick(sim, ticks < TICK_MAX - now ? now + ticks : TICK_MAX);
    else if (!event_is_scheduled(&sim->limit))
        sim_set_max_tick(sim, TICK_MAX);
}

struct sim_exit sim_simulate(struct sim *sim, tick_t ticks)
{
    SIM_ASSERT(sim->phase == SIM_STARTED);
    leave_runner(sim);
    set_limit(sim, ticks);
    sim->has_exit = false;
    sim->polls_left = EVENTS_PER_POLL;
    while (!sim->has_exit)
        step(sim);
    return sim->exit;
}
