/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files and directories that appear whole or not at all: written under a
 * temporary name beside the final one, synced, renamed, and the directory that
 * holds them synced.  A reader never sees half of one; after a crash the old
 * contents are there.  Missing parent directories are made.
 */
#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include <stdio.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct outfile {
    FILE *stream; /* write here */
    char *path, *tmp;
};

/** outfile_open() - start writing what will become @path.
 *  Returns: 0 or -errno (then nothing needs to be closed). */
SIM_MUST_CHECK int outfile_open(struct outfile *file, const char *path);
/** outfile_commit() - replace @path by what was written; closes in any case.
 *  Returns: 0 or -errno; on failure @path is as it was. */
SIM_MUST_CHECK int outfile_commit(struct outfile *file);
/** outfile_publish() - the same without syncing: readers see it whole, but a
 *  power failure may lose it.  For what is replaced often. */
SIM_MUST_CHECK int outfile_publish(struct outfile *file);
/** outfile_abort() - forget what was written. */
void outfile_abort(struct outfile *file);

struct outdir {
    char *path, *tmp; /* create the files of the directory in @tmp */
};

/** outdir_open() - start a directory that will become @path. */
SIM_MUST_CHECK int outdir_open(struct outdir *dir, const char *path);
/**
 * outdir_commit() - sync all files below, then put the directory in place
 *
 * A directory that was at @path before is replaced with everything in it: the
 * caller has made sure that this is wanted.
 * Returns: 0 or -errno; on failure @path is as it was.
 */
SIM_MUST_CHECK int outdir_commit(struct outdir *dir);
void outdir_abort(struct outdir *dir);

#ifdef __cplusplus
}
#endif

#endif
