/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Debug flags and traces.  A flag is a global: it is the one mutable thing that
 * all simulations of a process share.  When off, a trace costs one predictable
 * branch.  Output: "%7d: path: text", as gem5 prints it, to the place that
 * --debug-file names, and to the object's trace ring.
 */
#ifndef SIM_DEBUG_H
#define SIM_DEBUG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_object;

struct debug_flag {
    const char *name;
    const char *doc;
    const char *const *members; /* of a compound flag, else NULL */
    bool is_on;
};

enum debug_list {
    DEBUG_ACTIVATE,
    DEBUG_IGNORE, /* wins over DEBUG_ACTIVATE */
};

/* One row per flag in sim/debug_flags.def: DEBUG_FLAG(Exec, "doc"). */
#define DEBUG_FLAG(name, doc) extern struct debug_flag debug_##name;
#define DEBUG_COMPOUND_FLAG(name, doc, ...)                                    \
    extern struct debug_flag debug_##name;
#include "sim/debug_flags.def"
#undef DEBUG_FLAG
#undef DEBUG_COMPOUND_FLAG
/* NOLINTNEXTLINE(readability-identifier-naming): named as its flag */
extern struct debug_flag debug_All; /* stands for all of them */

/* TRACE(Exec, obj, "fmt", ...): gem5's DPRINTF. */
#define TRACE(flag, obj, ...)                                                  \
    do {                                                                       \
        if (SIM_UNLIKELY(debug_##flag.is_on))                                  \
            debug_trace(&debug_##flag, (obj), __VA_ARGS__);                    \
    } while (0)

void debug_trace(const struct debug_flag *flag, const struct sim_object *obj,
                 const char *fmt, ...) SIM_PRINTF(3, 4);

/* All flags, sorted by name; ends with NULL. */
extern struct debug_flag *const debug_flags[];
/** debug_set() - switch a flag (and the members of a compound one).
 *  Returns: 0, or -ENOENT. */
/* NOLINTNEXTLINE(bool-parameter): the state itself */
int debug_set(const char *name, bool on);
/** debug_open() - send traces to a file; "cout" or "cerr"; *.gz is compressed.
 *  Returns: 0 or -errno. */
int debug_open(const char *path);
/** debug_set_window() - print only traces of ticks from @first up to @last. */
void debug_set_window(tick_t first, tick_t last);
/**
 * debug_select() - print only traces of some objects, or not of some
 * @list:    the list to add to
 * @pattern: a path, "*" for any name in it; stands for all below, too
 *
 * With an empty list of objects to activate, all are.
 */
void debug_select(enum debug_list list, const char *pattern);
/* All objects again. */
void debug_select_all(void);
/* Before a fork, a panic or the end of the process. */
void debug_flush(void);
/* Flushes, closes the file and goes back to "cout". */
void debug_close(void);

#ifdef __cplusplus
}
#endif

#endif
