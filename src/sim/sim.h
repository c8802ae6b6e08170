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

/* What the host program (Python, a test) provides; all may be NULL. */
struct sim_host {
    void *ctx;
    /* "warn", "info", "guest error", ...; one call per line of text. */
    void (*message)(void *ctx, const char *level, const char *text);
    /* Must not return (throw, longjmp); NULL: print and exit with status 1. */
    void (*fatal)(void *ctx, const char *text);
    /* Asked about every 10 ms of host time in simulate(): stop now? */
    bool (*is_interrupted)(void *ctx);
};

struct sim *sim_create(const struct sim_host *host);
/* Calls fini on all objects, children first, and frees them. */
void sim_destroy(struct sim *sim);

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

/**
 * sim_exit_now() - end simulate() once the events of this tick were served
 *
 * The first exit of a tick is returned; later ones are returned by the next
 * calls of simulate(), without time passing.
 */
void sim_exit_now(struct sim *sim, const char *cause, int64_t code);
/* The same at a later tick, @repeat ticks apart if not 0. */
void sim_exit_at(struct sim *sim, const char *cause, int64_t code, tick_t when,
                 tick_t repeat);

/**
 * simulate() - run
 * @ticks: at most this many; TICK_MAX: until an exit event
 */
struct sim_exit sim_simulate(struct sim *sim, tick_t ticks);
/* Absolute limit ("simulate() limit reached"); gem5's setMaxTick. */
void sim_set_max_tick(struct sim *sim, tick_t when);
tick_t sim_max_tick(const struct sim *sim);
/* Scheduled "Tick exit reached"; gem5's scheduleTickExitAbsolute. */
void sim_schedule_tick_exit(struct sim *sim, tick_t when);

/** sim_drain() - true when all objects are drained; else simulate on. */
bool sim_drain(struct sim *sim);
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
    struct sim_object *owner;
    tick_t now;              /* how far it has got */
    volatile tick_t horizon; /* stop here; lowered while running */
    bool is_active;
    struct sim_runner *next;
};

void sim_add_runner(struct sim *sim, struct sim_runner *runner);
void sim_remove_runner(struct sim *sim, struct sim_runner *runner);
/** sim_runner_activate() - runs from the current tick on. */
void sim_runner_activate(struct sim *sim, struct sim_runner *runner);
void sim_runner_suspend(struct sim *sim, struct sim_runner *runner);
/* Length of a slice when several runners are active [ticks]; default 1 us. */
void sim_set_slice(struct sim *sim, tick_t ticks);

/* ----------------------------------------------------------------- counting */

/* Totals for simInsts, simOps, hostInstRate: runners report what they did. */
void sim_count_insts(struct sim *sim, uint64_t insts, uint64_t ops);

#ifdef __cplusplus
}
#endif

#endif
