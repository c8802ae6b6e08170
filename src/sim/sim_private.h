/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of struct sim, for the files of the kernel only. */
#ifndef SIM_SIM_PRIVATE_H
#define SIM_SIM_PRIVATE_H

#include "base/hashmap.h"
#include "base/rng.h"
#include "sim/report.h"
#include "sim/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How far the life cycle has got; each call asserts the step before it. */
enum sim_phase {
    SIM_BUILDING,    /* objects are created, parameters set, ports bound */
    SIM_INITIALISED, /* init done; state is loaded or reset next */
    SIM_STARTED,     /* startup done; simulate may run */
};

/* Guest errors and missing features, once per format string and object. */
struct sim_sites {
    struct hashmap counts;
    uint64_t guest_errors;
    uint64_t unimplemented;
};

/* An exit that waits in the event queue. */
struct exit_event;

struct sim {
    struct sim_host host;
    struct eventq *queue;
    struct sim_object *root;
    struct rng rng;
    char *outdir;
    enum sim_phase phase;
    char *fatal_text; /* lives until sim_destroy: fatal() does not return */

    struct sim_runner *runners; /* in order of registration */
    struct sim_runner *current; /* is running now, else NULL */
    uint32_t num_active;
    tick_t slice; /* of each runner when several are active [ticks] */
    /* Written by any thread: leave the runner and look at what was posted. */
    bool is_wanted;

    struct exit_event *exits; /* all that are scheduled */
    struct sim_event limit;   /* "simulate() limit reached" */
    bool has_exit;            /* simulate() returns `exit` */
    struct sim_exit exit;
    uint32_t num_draining;

    uint32_t polls_left;   /* events until the host is asked again */
    uint64_t last_poll_ns; /* host time of the last question */

    uint64_t insts, ops; /* since the beginning */
    struct stat_out *stats;
    bool is_strict; /* Root.strict: a missing feature ends the run */
    struct sim_sites sites;
    const struct sim_object *log_to[SIM_LOG_DEPTH]; /* the last one's ring */
    uint32_t log_depth;
};

/* sim/exit.c */
void exit_init(struct sim *sim);
void exit_fini(struct sim *sim);

/* sim/runner.c */
/** runner_step() - let all active runners advance.
 *  Returns: the tick up to which events may be served. */
tick_t runner_step(struct sim *sim);
/* Asynchronous posts call this: any thread, also a signal handler. */
void runner_wake(void *sim);

#ifdef __cplusplus
}
#endif

#endif
