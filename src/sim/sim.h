/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One simulation: its objects, its time, its exit events.  There may be several
 * in one process; nothing here is global.
 *
 * Time.  simulate() repeats: horizon = min(next event, end of slice); let every
 * active runner (a CPU) run to the horizon, in order of registration; then
 * serve the events at the horizon.  Single-threaded and deterministic.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "sim/eventq.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rng;
struct sim;
struct sim_object;
struct sim_runner;

/* What the host program (Python, a test) provides; all may be NULL. */
struct sim_host {
    void *ctx;
    /* "warn", "info", "guest error", "unimplemented"; text begins with the
     * object's path.  NULL: "LEVEL: TEXT" to stderr. */
    void (*message)(void *ctx, const char *level, const char *text);
    /* Must not return (throw, longjmp); NULL: print and exit with status 1.
     * The text begins with the object's path and ends with a line that says
     * where the script created the object or set the parameter.  It lives
     * until sim_destroy(). */
    void (*fatal)(void *ctx, const char *text);
    /* Asked about every 10 ms of host time in simulate(): stop now? */
    bool (*is_interrupted)(void *ctx);
};

struct sim *sim_create(const struct sim_host *host);
/* Calls fini on all objects, children first, and frees them. */
void sim_destroy(struct sim *sim);
const struct sim_host *sim_host_of(const struct sim *sim);

struct eventq *sim_eventq(const struct sim *sim);
tick_t sim_now(const struct sim *sim);
struct sim_object *sim_root(const struct sim *sim);
/* Seeded generator; the only source of randomness. */
struct rng *sim_rng(struct sim *sim);
void sim_set_seed(struct sim *sim, uint64_t seed);
/* Directory for output files (default "m5out"); objects write only there. */
const char *sim_outdir(const struct sim *sim);
void sim_set_outdir(struct sim *sim, const char *dir);

/* Life cycle of the whole tree; see sim/object.h. */
void sim_init(struct sim *sim);
void sim_reset(struct sim *sim);
void sim_startup(struct sim *sim);
/* After a restore, before startup: the checkpoint's time. */
void sim_set_now(struct sim *sim, tick_t now);

/**
 * sim_before_fork() - flush what both processes would write
 * sim_after_fork() - in the child: new output directory, no other threads
 *
 * The simulation should be drained.  Objects get ops->after_fork.
 */
void sim_before_fork(struct sim *sim);
void sim_after_fork(struct sim *sim, const char *outdir);

/* ------------------------------------------------------------- exit events */

struct sim_exit {
    char cause[128]; /* gem5's exact words */
    int64_t code;
    tick_t tick;
};

/* gem5's words that more than one place uses. */
#define EXIT_TICK_LIMIT  "simulate() limit reached"
#define EXIT_TICK        "Tick exit reached"
#define EXIT_USER        "user interrupt received"
#define EXIT_LAST_THREAD "exiting with last active thread context"
#define EXIT_MAX_INSTS   "a thread reached the max instruction count"
#define EXIT_DRAINED     "Finished drain"
/* and ours, of machines */
#define EXIT_SHUTDOWN  "processor shutdown after a triple fault"
#define EXIT_POWER_OFF "the machine was switched off"
#define EXIT_PORT      "exit port written"

/**
 * sim_exit_now() - end simulate() once the events of this tick were served
 *
 * The first exit of a tick is returned; later ones are returned by the next
 * calls of simulate(), without time passing.
 */
void sim_exit_now(struct sim *sim, const char *cause, int64_t code);
/* The same at a later tick, then every @repeat ticks if that is not 0. */
void sim_exit_at(struct sim *sim, const char *cause, int64_t code, tick_t when,
                 tick_t repeat);

/**
 * sim_simulate() - run until an exit event
 * @ticks: at most this many from now on, which becomes the new max tick;
 *         TICK_MAX: the max tick stays as it is
 *
 * With no event left and no active runner, time jumps to the max tick, as in
 * gem5: the cause is "simulate() limit reached" at TICK_MAX.
 */
struct sim_exit sim_simulate(struct sim *sim, tick_t ticks);
/* Absolute limit ("simulate() limit reached"); gem5's setMaxTick. */
void sim_set_max_tick(struct sim *sim, tick_t when);
tick_t sim_max_tick(const struct sim *sim);
/* Scheduled "Tick exit reached"; gem5's scheduleTickExitAbsolute. */
void sim_schedule_tick_exit(struct sim *sim, tick_t when);

/**
 * sim_drain() - ask all objects to stop producing work
 *
 * Returns: true when all are drained; else call sim_simulate(), which ends
 * with "Finished drain", and ask again.
 */
bool sim_drain(struct sim *sim);
/** sim_drain_done() - an object that answered DRAINING has become drained. */
void sim_drain_done(struct sim_object *obj);
void sim_resume(struct sim *sim);

/* ----------------------------------------------------------------- runners */

/*
 * Something that makes progress without events: a CPU.  Embedded in its object.
 */
struct sim_runner {
    /**
     * run() - execute until @until or until the runner stops being active
     *
     * Runs from runner->now; updates runner->now to the tick reached, which may
     * pass @until by less than one instruction.  Returns early after it called
     * sim_exit_now() or scheduled an event before @until (it then checks
     * runner->horizon, which eventq lowers).
     */
    void (*run)(struct sim_runner *runner, tick_t until);
    /* Optional: horizon was lowered by another thread or a signal handler;
     * leave run() soon.  For a runner that does not look at horizon. */
    void (*kick)(struct sim_runner *runner);
    struct sim_object *owner;
    /* Longest slice; 0: the default.  For one whose run() is dear to leave. */
    tick_t slice;
    tick_t now;              /* how far it has got */
    volatile tick_t horizon; /* stop here; lowered while running */
    bool is_active;
    struct sim_runner *next;
};

/** sim_runner_horizon() - for run(): other threads may lower it any time. */
static inline tick_t sim_runner_horizon(const struct sim_runner *runner)
{
    return __atomic_load_n(&runner->horizon, __ATOMIC_RELAXED);
}

void sim_add_runner(struct sim *sim, struct sim_runner *runner);
void sim_remove_runner(struct sim *sim, struct sim_runner *runner);
/** sim_runner_activate() - runs from the current tick on. */
void sim_runner_activate(struct sim *sim, struct sim_runner *runner);
void sim_runner_suspend(struct sim *sim, struct sim_runner *runner);
/** sim_runner_act_for() - inside run(): work on behalf of @runner, whose time
 *  counts from here on; once more with the own runner before returning. */
void sim_runner_act_for(struct sim *sim, struct sim_runner *runner);
/* Length of a slice when several runners are active [ticks]; default 1 us. */
void sim_set_slice(struct sim *sim, tick_t ticks);
tick_t sim_slice(const struct sim *sim);

/* ----------------------------------------------------------------- counting */

/* Totals for simInsts, simOps, hostInstRate: runners report what they did. */
void sim_count_insts(struct sim *sim, uint64_t insts, uint64_t ops);
uint64_t sim_insts(const struct sim *sim);
uint64_t sim_ops_count(const struct sim *sim);

#ifdef __cplusplus
}
#endif

#endif
