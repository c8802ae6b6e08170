/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages about objects, and the two ways in which a run ends with an error.
 */
#include "sim/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "sim/debug.h"
#include "sim/object.h"
#include "sim/param.h"
#include "sim/ring.h"
#include "sim/sim_private.h"

enum { MAX_TEXT = 1024 };

static const char *path_of(const struct sim_object *obj)
{
    return obj ? obj->path : "gearshift";
}

/* -------------------------------------------------------------- fatal, panic
 */

/* @text ("...\n  set at ...") goes to the host, which does not come back. */
SIM_NORETURN static void leave(const struct sim_object *obj, char *text)
{
    struct sim *sim = obj ? obj->sim : NULL;

    debug_flush();
    if (sim) {
        /* The host may leave through an exception: the text needs an owner. */
        mem_free(sim->fatal_text);
        sim->fatal_text = text;
        if (sim->host.fatal)
            sim->host.fatal(sim->host.ctx, text);
    }
    log_exit("%s", text);
}

static char *with_origin(const struct sim_object *obj, const char *text,
                         const char *verb, const char *origin)
{
    if (!origin)
        return alloc_printf("%s: %s", path_of(obj), text);
    return alloc_printf("%s: %s\n  %s at %s", path_of(obj), text, verb, origin);
}

void sim_fatal(const struct sim_object *obj, const char *fmt, ...)
{
    char text[MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    leave(obj, with_origin(obj, text, "created", obj ? obj->origin : NULL));
}

void sim_fatal_param(const struct sim_object *obj, const char *param,
                     const char *fmt, ...)
{
    const char *origin = sim_param_origin(obj, param);
    char text[MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (origin)
        leave(obj, with_origin(obj, text, "set", origin));
    leave(obj, with_origin(obj, text, "created", obj->origin));
}

static void print_record(void *ctx, tick_t tick, const char *text)
{
    const struct sim_object *obj = ctx;

    log_message("trace", "%7" PRIu64 ": %s: %s", tick, obj->path, text);
}

static void print_ring(const struct sim_object *obj)
{
    uint64_t dropped = trace_ring_dropped(obj->ring);

    if (!obj->ring)
        return;
    log_message("trace", "last records of %s (%" PRIu64 " older ones dropped):",
                obj->path, dropped);
    trace_ring_visit(obj->ring, print_record, (void *)obj);
}

void sim_panic(const struct sim_object *obj, const char *fmt, ...)
{
    char text[MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    debug_flush();
    if (!obj)
        log_abort("%s", text);
    print_ring(obj);
    log_abort("tick %" PRIu64 ": %s: %s", sim_now(obj->sim), obj->path, text);
}

/* ----------------------------------------------------------------- messages */

bool sim_log_push(struct sim_object *obj)
{
    struct sim *sim = obj->sim;

    if (sim->log_depth == SIM_LOG_DEPTH)
        return false;
    sim->log_to[sim->log_depth++] = obj;
    return true;
}

void sim_log_pop(struct sim *sim)
{
    SIM_ASSERT(sim->log_depth);
    sim->log_depth--;
}

uint32_t sim_log_depth(const struct sim *sim)
{
    return sim->log_depth;
}

/* Into the object's ring and that which takes all messages. */
static void note_message(const struct sim_object *obj, const char *level,
                         const char *text)
{
    const struct sim *sim = obj->sim;
    const struct sim_object *to =
        sim->log_depth ? sim->log_to[sim->log_depth - 1] : obj;

    sim_note(obj, "%s: %s", level, text);
    if (to != obj)
        sim_note(to, "%s: %s: %s", level, obj->path, text);
}

static void message(const struct sim_object *obj, const char *level,
                    const char *text)
{
    const struct sim_host *host = obj ? &obj->sim->host : NULL;
    char *line;

    if (obj)
        note_message(obj, level, text);
    if (!host || !host->message) {
        log_message(level, "%s: %s", path_of(obj), text);
        return;
    }
    line = alloc_printf("%s: %s", obj->path, text);
    host->message(host->ctx, level, line);
    mem_free(line);
}

void sim_warn(const struct sim_object *obj, const char *fmt, ...)
{
    char text[MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    message(obj, "warn", text);
}

void sim_inform(const struct sim_object *obj, const char *fmt, ...)
{
    char text[MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    message(obj, "info", text);
}

/* ---------------------------------------------------------- once per site */

/* Counts; true the first time that @obj uses this format string. */
static bool is_new_site(const struct sim_object *obj, const char *fmt)
{
    uint64_t key = hash_u64((uintptr_t)fmt) ^ (uintptr_t)obj;
    uint64_t *count = hashmap_slot(&obj->sim->sites.counts, key);

    return ++*count == 1;
}

void sim_guest_error(const struct sim_object *obj, const char *fmt, ...)
{
    char text[MAX_TEXT];
    va_list args;

    if (!obj) /* a core on its own: there is nobody to count or to tell */
        return;
    obj->sim->sites.guest_errors++;
    if (!is_new_site(obj, fmt))
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    message(obj, "guest error", text);
}

static void stop_if_strict(const struct sim_object *obj, const char *text)
{
    char *cause;

    if (!obj->sim->is_strict)
        return;
    cause = alloc_printf("unimplemented: %s: %s", obj->path, text);
    sim_exit_now(obj->sim, cause, 1);
    mem_free(cause);
}

void sim_unimplemented(const struct sim_object *obj, const char *fmt, ...)
{
    char text[MAX_TEXT];
    va_list args;

    if (!obj)
        return;
    obj->sim->sites.unimplemented++;
    if (!is_new_site(obj, fmt))
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    message(obj, "unimplemented", text);
    stop_if_strict(obj, text);
}

uint64_t sim_guest_errors(const struct sim *sim)
{
    return sim->sites.guest_errors;
}

uint64_t sim_unimplemented_uses(const struct sim *sim)
{
    return sim->sites.unimplemented;
}
