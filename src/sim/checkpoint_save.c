/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing a checkpoint.  m5.cpt is made in memory, read back as a check when it
 * is sealed, and written last; then the directory is put in place.  An old
 * checkpoint there is replaced; any other directory with files is left alone.
 * Source: [gem5] src/sim/serialize.cc (layout).
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/host_clock.h"
#include "base/log.h"
#include "base/outfile.h"
#include "base/rng.h"
#include "sim/checkpoint.h"
#include "sim/checkpoint_private.h"
#include "sim/checkpoint_seal.h"
#include "sim/checkpoint_value.h"
#include "sim/object.h"
#include "sim/sim.h"

/* A stream into memory. */
struct buffer {
    FILE *stream;
    char *text;
    size_t len;
};

struct ckpt_writer {
    struct sim *sim;
    struct outdir dir;
    struct buffer all;
    /* Of the object being saved: its own section, then its subsections. */
    const struct sim_object *obj;
    struct buffer own, below;
    FILE *out; /* the one that keys go to */
    char **files;
    uint32_t num_files;
    int error; /* the first */
    char *why;
};

static void buffer_open(struct buffer *buffer)
{
    buffer->stream = open_memstream(&buffer->text, &buffer->len);
    if (!buffer->stream)
        log_exit("out of memory: checkpoint");
}

/* Afterwards text and len are valid. */
static void buffer_close(struct buffer *buffer)
{
    if (buffer->stream && fclose(buffer->stream))
        log_exit("out of memory: checkpoint");
    buffer->stream = NULL;
}

static void buffer_fini(struct buffer *buffer)
{
    buffer_close(buffer);
    mem_free(buffer->text);
    memset(buffer, 0, sizeof(*buffer));
}

void ckpt_write_failed(struct ckpt_writer *w, int error, const char *fmt, ...)
{
    va_list args;
    size_t len;

    if (w->error)
        return;
    w->error = error;
    (void)snprintf(w->why, 256, "%s: ", w->obj ? w->obj->path : CKPT_FILE);
    len = strlen(w->why);
    va_start(args, fmt);
    (void)vsnprintf(w->why + len, 256 - len, fmt, args);
    va_end(args);
}

/* -------------------------------------------------------------- for the ops */

static FILE *put_key(struct ckpt_writer *w, const char *key)
{
    (void)fprintf(w->out, "%s=", key);
    return w->out;
}

void ckpt_put_u64(struct ckpt_writer *w, const char *key, uint64_t value)
{
    (void)fprintf(put_key(w, key), "%" PRIu64 "\n", value);
}

void ckpt_put_str(struct ckpt_writer *w, const char *key, const char *value)
{
    ckpt_string_write(put_key(w, key), value, CKPT_STRING_ALONE);
    (void)fputc('\n', w->out);
}

void ckpt_put_u64s(struct ckpt_writer *w, const char *key,
                   const uint64_t *values, size_t count)
{
    (void)put_key(w, key);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(w->out, "%s%" PRIu64, i ? " " : "", values[i]);
    (void)fputc('\n', w->out);
}

void ckpt_put_bytes(struct ckpt_writer *w, const char *key, const void *data,
                    size_t len)
{
    const uint8_t *bytes = data;

    (void)fputs("0x", put_key(w, key));
    for (size_t i = 0; i < len; i++)
        (void)fprintf(w->out, "%02x", bytes[i]);
    (void)fputc('\n', w->out);
}

void ckpt_put_fields(struct ckpt_writer *w, const void *obj,
                     const struct sim_field *fields)
{
    for (const struct sim_field *field = fields; field && field->name;
         field++) {
        ckpt_value_write(put_key(w, field->name), obj, field);
        (void)fputc('\n', w->out);
    }
}

void ckpt_put_tuple(struct ckpt_writer *w, const char *key, const void *obj,
                    const struct sim_field *fields)
{
    (void)put_key(w, key);
    for (const struct sim_field *field = fields; field->name; field++) {
        if (field != fields)
            (void)fputc(' ', w->out);
        ckpt_value_write(w->out, obj, field);
    }
    (void)fputc('\n', w->out);
}

void ckpt_subsection(struct ckpt_writer *w, const char *name)
{
    w->out = name ? w->below.stream : w->own.stream;
    if (name)
        (void)fprintf(w->out, "\n[%s.%s]\n", w->obj->path, name);
}

static bool is_file_name(const char *name)
{
    return name[0] && name[0] != '.' && strcmp(name, CKPT_FILE) != 0 &&
           !strpbrk(name, "/=\n");
}

char *ckpt_file_path(struct ckpt_writer *w, const char *name)
{
    SIM_ASSERT(is_file_name(name));
    w->files = alloc_resize(w->files, w->num_files + 1, sizeof(*w->files));
    w->files[w->num_files++] = alloc_strdup(name);
    return alloc_printf("%s/%s", w->dir.tmp, name);
}

/* -------------------------------------------------------------- the sections
 */

static void put_globals(struct ckpt_writer *w)
{
    (void)fprintf(w->out, "\n[%s]\n", CKPT_GLOBALS);
    ckpt_put_u64(w, "curTick", sim_now(w->sim));
    ckpt_put_str(w, "version_tags", CKPT_VERSION_TAGS);
    ckpt_put_u64s(w, "rng", sim_rng(w->sim)->s, 4);
}

static void put_state(struct ckpt_writer *w)
{
    const struct sim_type *chain[SIM_MAX_TYPE_DEPTH];
    uint32_t count = sim_type_chain(w->obj->type, chain);

    for (uint32_t i = 0; i < count; i++)
        ckpt_put_fields(w, w->obj, chain[i]->state);
    for (uint32_t i = 0; i < count; i++) {
        ckpt_subsection(w, NULL);
        if (chain[i]->ops && chain[i]->ops->save)
            chain[i]->ops->save(w->obj, w);
    }
}

static void append(struct buffer *to, struct buffer *from)
{
    buffer_close(from);
    (void)fwrite(from->text, 1, from->len, to->stream);
    buffer_fini(from);
}

static void put_object(struct ckpt_writer *w, const struct sim_object *obj)
{
    char *types = ckpt_types_text(obj);

    if (types[0]) {
        w->obj = obj;
        buffer_open(&w->own);
        buffer_open(&w->below);
        w->out = w->own.stream;
        (void)fprintf(w->out, "\n[%s]\n", obj->path);
        ckpt_put_str(w, CKPT_TYPES, types);
        put_state(w);
        append(&w->all, &w->own);
        append(&w->all, &w->below);
        w->obj = NULL;
    }
    mem_free(types);
}

static void put_files(struct ckpt_writer *w)
{
    (void)fprintf(w->out, "\n[%s]\n", CKPT_FILES);
    for (uint32_t i = 0; i < w->num_files && !w->error; i++) {
        char *path = alloc_printf("%s/%s", w->dir.tmp, w->files[i]);
        char *sum = NULL;
        int err = ckpt_file_sum(path, &sum);

        if (err)
            ckpt_write_failed(w, err, "file %s: %s", w->files[i],
                              strerror(-err));
        else
            ckpt_put_str(w, w->files[i], sum);
        mem_free(sum);
        mem_free(path);
    }
}

static void put_all(struct ckpt_writer *w)
{
    const struct sim_object *root = sim_root(w->sim);
    char date[32];

    host_clock_date(date);
    w->out = w->all.stream;
    (void)fprintf(w->out, "%s%s\n", CKPT_FIRST_LINE, date);
    put_globals(w);
    for (const struct sim_object *obj = root; obj && !w->error;
         obj = sim_object_next(root, obj))
        put_object(w, obj);
    w->out = w->all.stream;
    put_files(w);
}

/* ------------------------------------------------------------------ the file
 */

/* What could not be read back must not replace what can. */
static char *seal_text(struct ckpt_writer *w)
{
    char *sealed = NULL;
    char why[256];

    buffer_close(&w->all);
    if (ckpt_seal(w->all.text, w->all.len, &sealed, why))
        ckpt_write_failed(w, -EINVAL, "%s", why);
    return sealed;
}

static void write_text(struct ckpt_writer *w, const char *text)
{
    size_t len = strlen(text);
    char *path = alloc_printf("%s/%s", w->dir.tmp, CKPT_FILE);
    FILE *file = fopen(path, "we");
    int err = file ? 0 : -errno;

    if (file && fwrite(text, 1, len, file) != len)
        err = -errno;
    if (file && fclose(file) && !err)
        err = -errno;
    if (err)
        ckpt_write_failed(w, err, "%s", strerror(-err));
    mem_free(path);
}

static void finish(struct ckpt_writer *w)
{
    char *text = w->error ? NULL : seal_text(w);
    int err;

    if (text)
        write_text(w, text);
    mem_free(text);
    if (w->error) {
        outdir_abort(&w->dir);
        return;
    }
    err = outdir_commit(&w->dir);
    if (err)
        ckpt_write_failed(w, err, "%s", strerror(-err));
}

/* ------------------------------------------------------- what is there already
 */

/* Whether @name belongs to the checkpoint with sections @ini. */
static bool is_part(const struct ckpt_ini *ini, const char *name)
{
    struct ckpt_section *files = ckpt_ini_section(ini, CKPT_FILES);

    return !strcmp(name, ".") || !strcmp(name, "..") ||
           !strcmp(name, CKPT_FILE) ||
           (files && ckpt_section_value(files, name));
}

static int check_entries(DIR *old, const struct ckpt_ini *ini, const char *path,
                         char why[256])
{
    struct dirent *entry;

    while ((entry = readdir(old))) {
        if (is_part(ini, entry->d_name))
            continue;
        (void)snprintf(why, 256,
                       "%.100s holds %.80s, which is no part of a checkpoint",
                       path, entry->d_name);
        return -ENOTEMPTY;
    }
    return 0;
}

/* Only a checkpoint or an empty directory may be replaced. */
static int check_replaceable(const char *path, char why[256])
{
    char *name = alloc_printf("%s/%s", path, CKPT_FILE);
    struct ckpt_ini ini = {0};
    char *text = NULL;
    char what[256];
    size_t len = 0;
    DIR *old = opendir(path);
    int err = 0;

    if (old && !ckpt_read_file(name, &text, &len)) {
        err = ckpt_unseal(&ini, text, len, what);
        if (err)
            (void)snprintf(why, 256, "%.100s is not replaced: %.130s", name,
                           what);
    }
    if (old && !err)
        err = check_entries(old, &ini, path, why);
    if (old)
        (void)closedir(old);
    ckpt_ini_fini(&ini);
    mem_free(text);
    mem_free(name);
    return err;
}

/* "cpt.%d": the tick, as in gem5. */
static char *expand_tick(const char *dir, tick_t tick)
{
    const char *percent = strstr(dir, "%d");

    if (!percent)
        return alloc_strdup(dir);
    return alloc_printf("%.*s%" PRIu64 "%s", (int)(percent - dir), dir, tick,
                        percent + 2);
}

static void writer_fini(struct ckpt_writer *w)
{
    buffer_fini(&w->all);
    for (uint32_t i = 0; i < w->num_files; i++)
        mem_free(w->files[i]);
    mem_free(w->files);
}

int ckpt_save(struct sim *sim, const char *dir, char why[256])
{
    struct ckpt_writer w = {.sim = sim, .why = why};
    char *path = expand_tick(dir, sim_now(sim));
    int err = check_replaceable(path, why);

    if (!err) {
        err = outdir_open(&w.dir, path);
        if (err)
            (void)snprintf(why, 256, "%.200s: %s", path, strerror(-err));
    }
    mem_free(path);
    if (err)
        return err;
    buffer_open(&w.all);
    put_all(&w);
    finish(&w);
    writer_fini(&w);
    return w.error;
}
