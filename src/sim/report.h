/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors by fault.
 *
 *   the user's   sim_fatal         message with object path and script line,
 *                                  exit status 1; in Python an exception
 *   ours         sim_panic, SIM_ASSERT   tick, path, last trace records, abort
 *   the guest's  sim_guest_error   counted, shown once per site; the caller
 * then gives the architectural result missing      sim_unimplemented counted,
 * shown once per site; with Root.strict the run stops with an exit event the
 * host's   -errno upward; the object that asked calls sim_fatal
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim;
struct sim_object;

/** sim_fatal() - the configuration is wrong; does not return.
 *
 * The host's handler decides how to leave (Python: an exception unwinds through
 * the C frames, so that the caller must not hold resources outside objects). */
SIM_NORETURN void sim_fatal(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);
/** sim_fatal_param() - the same, blaming @param: prints where it was set, or
 * where the object was created if it has its default. */
SIM_NORETURN void sim_fatal_param(const struct sim_object *obj,
                                  const char *param, const char *fmt, ...)
    SIM_PRINTF(3, 4);
/** sim_panic() - a bug of ours; dumps and aborts. */
SIM_NORETURN void sim_panic(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);

void sim_warn(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);
void sim_inform(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);
/* Shown once per format string and object, counted always.  Without an object
 * (a part that is used outside a simulation) they do nothing. */
void sim_guest_error(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);
void sim_unimplemented(const struct sim_object *obj, const char *fmt, ...)
    SIM_PRINTF(2, 3);

enum { SIM_LOG_DEPTH = 16 };

/**
 * sim_log_push() - messages of all objects go to @obj's trace ring, too, until
 * sim_log_pop()
 *
 * Each object's own ring has its messages in any case.  The first CPU pushes
 * itself when it starts up.
 * Returns: false, and nothing changes, beyond SIM_LOG_DEPTH.
 */
bool sim_log_push(struct sim_object *obj);
void sim_log_pop(struct sim *sim);
/** sim_log_depth() - how many were pushed. */
uint32_t sim_log_depth(const struct sim *sim);

/* How often the two were called, shown or not. */
uint64_t sim_guest_errors(const struct sim *sim);
uint64_t sim_unimplemented_uses(const struct sim *sim);

#ifdef __cplusplus
}
#endif

#endif
