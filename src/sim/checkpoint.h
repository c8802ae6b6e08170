/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints in gem5's layout: a directory with m5.cpt, an INI file with one
 * section per object path, and the files that objects add (memory images).
 * Written to a temporary directory, synced, then renamed.  A reader checks
 * everything (syntax, types, versions, checksum) before any object changes.
 */
#ifndef SIM_CHECKPOINT_H
#define SIM_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ckpt_reader;
struct ckpt_writer;
struct sim;
struct sim_field;
struct sim_object;

/* ------------------------------------------- called by sim_ops.save and load
 */

void ckpt_put_u64(struct ckpt_writer *w, const char *key, uint64_t value);
void ckpt_put_str(struct ckpt_writer *w, const char *key, const char *value);
void ckpt_put_u64s(struct ckpt_writer *w, const char *key,
                   const uint64_t *values, size_t count);
/* Bytes, written in hex. */
void ckpt_put_bytes(struct ckpt_writer *w, const char *key, const void *data,
                    size_t len);
/* A key per row of @fields (sim/field.h), which describe the struct at @obj. */
void ckpt_put_fields(struct ckpt_writer *w, const void *obj,
                     const struct sim_field *fields);
/* All rows in one key, separated by spaces: numbers and bools only. */
void ckpt_put_tuple(struct ckpt_writer *w, const char *key, const void *obj,
                    const struct sim_field *fields);
/* Following keys go to section "<object path>.<name>"; NULL: the object's. */
void ckpt_subsection(struct ckpt_writer *w, const char *name);
/* Path of a file that the object may create inside the checkpoint; the caller
 * frees it.  The file's length and checksum are recorded in m5.cpt. */
char *ckpt_file_path(struct ckpt_writer *w, const char *name);
/* An error that the whole write reports; the checkpoint will not appear. */
void ckpt_write_failed(struct ckpt_writer *w, int error, const char *fmt, ...)
    SIM_PRINTF(3, 4);

/* Each returns 0, -ENOENT (no such key) or -EINVAL (not of that form); the
 * reader keeps section and key for the message. */
SIM_MUST_CHECK int ckpt_get_u64(struct ckpt_reader *r, const char *key,
                                uint64_t *value);
SIM_MUST_CHECK int ckpt_get_str(struct ckpt_reader *r, const char *key,
                                const char **value);
SIM_MUST_CHECK int ckpt_get_u64s(struct ckpt_reader *r, const char *key,
                                 uint64_t *values, size_t count);
SIM_MUST_CHECK int ckpt_get_bytes(struct ckpt_reader *r, const char *key,
                                  void *data, size_t len);
/* Members of the struct at @obj; strings that it owned are freed. */
SIM_MUST_CHECK int ckpt_get_fields(struct ckpt_reader *r, void *obj,
                                   const struct sim_field *fields);
SIM_MUST_CHECK int ckpt_get_tuple(struct ckpt_reader *r, const char *key,
                                  void *obj, const struct sim_field *fields);
/* Number of elements (u64s) or bytes that key holds; 0 if absent. */
size_t ckpt_count(struct ckpt_reader *r, const char *key);
void ckpt_enter_subsection(struct ckpt_reader *r, const char *name);
char *ckpt_existing_file(struct ckpt_reader *r, const char *name);
int ckpt_read_failed(struct ckpt_reader *r, int error, const char *fmt, ...)
    SIM_PRINTF(3, 4);

/* ----------------------------------------------------- called by the binding
 */

/**
 * ckpt_save() - write a checkpoint of the drained simulation to @dir
 * @why: on failure, the reason as text
 *
 * Returns: 0 or -errno; on failure @dir is as it was before.
 */
int ckpt_save(struct sim *sim, const char *dir, char why[256]);

/**
 * ckpt_load() - restore all objects from @dir, between init and startup
 *
 * Two passes: the first checks every section and key, the second loads.
 * Returns: 0 or -errno; after a failure of the first pass nothing has changed.
 */
int ckpt_load(struct sim *sim, const char *dir, char why[256]);

#ifdef __cplusplus
}
#endif

#endif
