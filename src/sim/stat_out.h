/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Outputs of the statistics of one simulation, and the times at which they are
 * dumped and reset.
 *
 *   text   dumps are appended to one file and flushed one by one
 *   JSON   a list of dumps; a reader finds a complete list at any moment.  Up
 *          to a quarter of a list longer than 4 MiB may still be in memory
 *          (rewriting it for each dump would take quadratic time);
 *          stat_out_flush() and stat_out_destroy() write all.
 *   hook   dumps go to somebody who knows another format
 *
 * Paths are relative to sim_outdir() unless they start with a slash.
 */
#ifndef SIM_STAT_OUT_H
#define SIM_STAT_OUT_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim;
struct sim_object;
struct stat_group;
struct stat_out;

/* A writer of another format.  Each function returns 0 or -errno. */
struct stat_hook {
    int (*open)(void *ctx, const char *path); /* empties the file */
    int (*write)(void *ctx, const struct stat_group *top, tick_t now);
    void *ctx; /* lives until stat_out_destroy() */
};

/** sim_stat_out() - the outputs of a simulation, none at first. */
struct stat_out *sim_stat_out(const struct sim *sim);

/* Called by sim_create() and sim_destroy().  Destroying flushes; an error of
 * that last write is reported as a warning. */
struct stat_out *stat_out_create(struct sim *sim);
void stat_out_destroy(struct stat_out *out);

/**
 * stat_out_add_text() - another file in the layout of stats.txt
 * @options: set of enum stat_text_option
 *
 * Empties the file.  Returns: 0 or -errno.
 */
SIM_MUST_CHECK int stat_out_add_text(struct stat_out *out, const char *path,
                                     uint32_t options);
/** stat_out_add_json() - another file with a list of dumps.
 *  Writes the empty list.  Returns: 0 or -errno. */
SIM_MUST_CHECK int stat_out_add_json(struct stat_out *out, const char *path);
/** stat_out_add_hook() - another file, which @hook writes; copied.
 *  Opens it.  Returns: 0 or -errno. */
SIM_MUST_CHECK int stat_out_add_hook(struct stat_out *out, const char *path,
                                     const struct stat_hook *hook);
/** stat_out_reopen() - start all outputs anew below sim_outdir(): what a forked
 *  child does after it has set its own.  Returns: 0 or -errno. */
SIM_MUST_CHECK int stat_out_reopen(struct stat_out *out);

/**
 * stat_out_dump() - write all statistics to all outputs
 *
 * Calls pre_dump of all objects first.  As in gem5 a second dump at the same
 * tick writes nothing.  Returns: 0, or the first error as -errno; the other
 * outputs are written in spite of it.
 */
SIM_MUST_CHECK int stat_out_dump(struct stat_out *out);
/** stat_out_dump_below() - the same for @top and below, at any time. */
SIM_MUST_CHECK int stat_out_dump_below(struct stat_out *out,
                                       struct sim_object *top);
/** stat_out_reset() - zero all statistics; a new interval begins now. */
void stat_out_reset(struct stat_out *out);
/** stat_out_flush() - bring all files up to date and sync them to the disk. */
SIM_MUST_CHECK int stat_out_flush(struct stat_out *out);

enum stat_action { STAT_DUMP = 1, STAT_RESET = 2 };

/**
 * stat_out_schedule() - dump or reset (in this order) at a tick
 * @actions: set of enum stat_action
 * @when:    not before now
 * @repeat:  again so many ticks later; 0: once
 *
 * The event runs after all that change statistics at that tick.  A file that
 * cannot be written is fatal then.
 */
void stat_out_schedule(struct stat_out *out, uint32_t actions, tick_t when,
                       tick_t repeat);
/**
 * stat_out_periodic() - dump and reset every @period ticks; 0: no longer
 *
 * As gem5's periodicStatDump: replaces the previous period; the first dump is
 * at tick @period, or @period from now if that has passed.
 */
void stat_out_periodic(struct stat_out *out, tick_t period);
/** stat_out_rebase() - time will jump to @now (a checkpoint is loaded): events
 *  that it would skip are moved as far into the future. */
void stat_out_rebase(struct stat_out *out, tick_t now);

#ifdef __cplusplus
}
#endif

#endif
