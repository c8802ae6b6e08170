/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a checkpoint.  The first pass checks the text, the files and each
 * value against the objects, decoding into scratch memory, and changes nothing.
 * The second sets time, random numbers and state tables, then calls the load
 * ops, parents before children; each must ask for all that its save wrote.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/rng.h"
#include "sim/checkpoint.h"
#include "sim/checkpoint_private.h"
#include "sim/checkpoint_seal.h"
#include "sim/checkpoint_value.h"
#include "sim/eventq.h"
#include "sim/object.h"
#include "sim/sim.h"
#include "sim/stat_out.h"

struct ckpt_reader {
    struct sim *sim;
    struct ckpt_ini ini;
    const char *dir;
    struct sim_object *obj;
    struct ckpt_section *section; /* NULL: entered one that does not exist */
    char *section_name;
    tick_t tick;
    uint64_t rng[4];
    char **strings; /* that were handed out */
    uint32_t num_strings;
    char *why;
};

/* ------------------------------------------------------------------- messages
 */

static void enter(struct ckpt_reader *r, char *name)
{
    mem_free(r->section_name);
    r->section_name = name;
    r->section = ckpt_ini_section(&r->ini, name);
    if (r->section)
        r->section->is_used = true;
}

static int bad_key(struct ckpt_reader *r, int error, const char *key,
                   const char *what)
{
    (void)snprintf(r->why, 256, "section [%.80s], key %.60s: %.90s",
                   r->section_name, key, what);
    return error;
}

static int bad_section(struct ckpt_reader *r, const char *what)
{
    (void)snprintf(r->why, 256, "section [%.80s]: %.150s", r->section_name,
                   what);
    return -EINVAL;
}

int ckpt_read_failed(struct ckpt_reader *r, int error, const char *fmt, ...)
{
    char what[160];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    (void)bad_section(r, what);
    return error;
}

/* -------------------------------------------------------------- for the ops */

static int get(struct ckpt_reader *r, const char *key, const char **text)
{
    if (!r->section) {
        (void)bad_section(r, "missing");
        return -ENOENT;
    }
    *text = ckpt_section_value(r->section, key);
    return *text ? 0 : bad_key(r, -ENOENT, key, "missing");
}

int ckpt_get_u64(struct ckpt_reader *r, const char *key, uint64_t *value)
{
    const char *text;
    int err = get(r, key, &text);

    if (err)
        return err;
    if (number_parse_u64(text, strlen(text), value))
        return bad_key(r, -EINVAL, key, "not an unsigned 64-bit number");
    return 0;
}

/* The string lives as long as the reader. */
int ckpt_get_str(struct ckpt_reader *r, const char *key, const char **value)
{
    const char *text;
    char *decoded;
    int err = get(r, key, &text);

    if (err)
        return err;
    if (ckpt_string_read(text, strlen(text), &decoded))
        return bad_key(r, -EINVAL, key, "not a string with known escapes");
    r->strings =
        alloc_resize(r->strings, r->num_strings + 1, sizeof(*r->strings));
    r->strings[r->num_strings++] = decoded;
    *value = decoded;
    return 0;
}

int ckpt_get_u64s(struct ckpt_reader *r, const char *key, uint64_t *values,
                  size_t count)
{
    const char *rest;
    char what[80];
    int err = get(r, key, &rest);

    if (err)
        return err;
    if (ckpt_count_words(rest) != count) {
        (void)snprintf(what, sizeof(what), "has %zu values instead of %zu",
                       ckpt_count_words(rest), count);
        return bad_key(r, -EINVAL, key, what);
    }
    for (size_t i = 0; i < count; i++) {
        size_t len;
        const char *word = ckpt_next_word(&rest, &len);

        if (number_parse_u64(word, len, &values[i]))
            return bad_key(r, -EINVAL, key, "not unsigned 64-bit numbers");
    }
    return 0;
}

static int hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit) : NULL;

    return found ? (int)(found - digits) : -1;
}

static bool is_bytes(const char *text)
{
    return text[0] == '0' && text[1] == 'x';
}

int ckpt_get_bytes(struct ckpt_reader *r, const char *key, void *data,
                   size_t len)
{
    uint8_t *bytes = data;
    const char *text;
    int err = get(r, key, &text);

    if (err)
        return err;
    if (!is_bytes(text) || strlen(text) != 2 + 2 * len)
        return bad_key(r, -EINVAL, key, "wrong number of bytes");
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 + 2 * i]);
        int low = hex_digit(text[3 + 2 * i]);

        if (high < 0 || low < 0)
            return bad_key(r, -EINVAL, key, "not bytes in hex");
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

static int get_field(struct ckpt_reader *r, void *into,
                     const struct sim_field *field)
{
    char what[160];
    const char *text;
    int err = get(r, field->name, &text);

    if (!err && ckpt_value_read(r->sim, into, field, text, what))
        return bad_key(r, -EINVAL, field->name, what);
    return err;
}

int ckpt_get_fields(struct ckpt_reader *r, void *obj,
                    const struct sim_field *fields)
{
    int err = 0;

    for (const struct sim_field *field = fields; !err && field && field->name;
         field++)
        err = get_field(r, obj, field);
    return err;
}

/* Cut @count words off @rest, which becomes NULL after the last one. */
static char *take_words(char **rest, uint32_t count)
{
    char *words = *rest, *end = *rest;

    for (uint32_t i = 0; end && i < count; i++) {
        end = strchr(end, ' ');
        if (end && i + 1 < count)
            end++;
    }
    if (end)
        *end++ = '\0';
    *rest = end;
    return words;
}

int ckpt_get_tuple(struct ckpt_reader *r, const char *key, void *obj,
                   const struct sim_field *fields)
{
    const char *text;
    char what[160];
    char *copy, *rest;
    int err = get(r, key, &text);

    if (err)
        return err;
    copy = rest = alloc_strdup(text);
    for (const struct sim_field *field = fields; !err && field->name; field++) {
        char *words = rest ? take_words(&rest, field->count) : NULL;

        if (!words)
            err = bad_key(r, -EINVAL, key, "has too few values");
        else if (ckpt_value_read(r->sim, obj, field, words, what))
            err = bad_key(r, -EINVAL, key, what);
    }
    if (!err && rest)
        err = bad_key(r, -EINVAL, key, "has too many values");
    mem_free(copy);
    return err;
}

size_t ckpt_count(struct ckpt_reader *r, const char *key)
{
    const char *text = r->section ? ckpt_section_value(r->section, key) : NULL;

    if (!text)
        return 0;
    return is_bytes(text) ? strlen(text) / 2 - 1 : ckpt_count_words(text);
}

void ckpt_enter_subsection(struct ckpt_reader *r, const char *name)
{
    enter(r, name ? alloc_printf("%s.%s", r->obj->path, name)
                  : alloc_strdup(r->obj->path));
}

char *ckpt_existing_file(struct ckpt_reader *r, const char *name)
{
    struct ckpt_section *files = ckpt_ini_section(&r->ini, CKPT_FILES);

    if (files && ckpt_section_value(files, name))
        return alloc_printf("%s/%s", r->dir, name);
    (void)ckpt_read_failed(r, -ENOENT, "the checkpoint has no file %.60s",
                           name);
    return NULL;
}

/* ---------------------------------------------------- first pass: the frame */

static int enter_needed(struct ckpt_reader *r, const char *name)
{
    enter(r, alloc_strdup(name));
    return r->section ? 0 : bad_section(r, "missing");
}

static int find_unused_key(struct ckpt_reader *r)
{
    for (uint32_t i = 0; i < r->section->num_entries; i++)
        if (!r->section->entries[i].is_used)
            return bad_key(r, -EINVAL, r->section->entries[i].key,
                           "not known here");
    return 0;
}

static int check_globals(struct ckpt_reader *r)
{
    const char *tags = NULL;
    int err = enter_needed(r, CKPT_GLOBALS);

    if (!err)
        err = ckpt_get_str(r, "version_tags", &tags);
    if (!err && (!tags || strcmp(tags, CKPT_VERSION_TAGS) != 0))
        return bad_key(r, -EINVAL, "version_tags",
                       "not " CKPT_VERSION_TAGS ": another format");
    if (!err)
        err = ckpt_get_u64(r, "curTick", &r->tick);
    if (!err)
        err = ckpt_get_u64s(r, "rng", r->rng, 4);
    return err ? err : find_unused_key(r);
}

static int check_file(struct ckpt_reader *r, struct ckpt_entry *entry)
{
    char *path = alloc_printf("%s/%s", r->dir, entry->key);
    char *sum = NULL;
    int err = -EINVAL;

    if (strchr(entry->key, '/')) {
        (void)bad_key(r, err, entry->key, "not a file name");
    } else {
        err = ckpt_file_sum(path, &sum);
        if (err)
            (void)bad_key(r, err, entry->key, strerror(-err));
    }
    if (!err && strcmp(sum, entry->value) != 0)
        err = bad_key(r, -EINVAL, entry->key,
                      "length or checksum of the file does not match");
    mem_free(sum);
    mem_free(path);
    return err;
}

static int check_files(struct ckpt_reader *r)
{
    int err = enter_needed(r, CKPT_FILES);

    for (uint32_t i = 0; !err && i < r->section->num_entries; i++)
        err = check_file(r, &r->section->entries[i]);
    return err;
}

/* Events before the checkpoint's time could never run. */
static int check_time(struct ckpt_reader *r)
{
    stat_out_rebase(sim_stat_out(r->sim), r->tick);
    if (eventq_next_tick(sim_eventq(r->sim)) >= r->tick)
        return 0;
    (void)snprintf(r->why, 256,
                   "an event is scheduled at tick %" PRIu64
                   ", before the checkpoint's tick %" PRIu64,
                   eventq_next_tick(sim_eventq(r->sim)), r->tick);
    return -EINVAL;
}

/* -------------------------------------------------- first pass: the objects */

/* Into the object itself, or into scratch memory of the same layout. */
static int read_tables(struct ckpt_reader *r, void *into)
{
    const struct sim_type *chain[SIM_MAX_TYPE_DEPTH];
    uint32_t count = sim_type_chain(r->obj->type, chain);
    int err = 0;

    for (uint32_t i = 0; i < count && !err; i++)
        err = ckpt_get_fields(r, into, chain[i]->state);
    return err;
}

static void free_tables(const struct sim_object *obj, void *from)
{
    const struct sim_type *chain[SIM_MAX_TYPE_DEPTH];
    uint32_t count = sim_type_chain(obj->type, chain);

    for (uint32_t i = 0; i < count; i++)
        for (const struct sim_field *field = chain[i]->state;
             field && field->name; field++)
            ckpt_value_free(from, field);
}

static int check_tables(struct ckpt_reader *r)
{
    void *scratch = alloc_zeroed(1, r->obj->type->size);
    int err = read_tables(r, scratch);

    free_tables(r->obj, scratch);
    mem_free(scratch);
    return err;
}

/* Whether two lists of types differ in their versions only. */
static bool is_same_but_version(const char *a, const char *b)
{
    while (*a || *b) {
        size_t name = strcspn(a, ":");

        if (strncmp(a, b, name + 1) != 0)
            return false;
        a += name + strcspn(a + name, " ");
        b += name + strcspn(b + name, " ");
        a += *a == ' ' && *b == ' ';
        b += *b == ' ';
    }
    return true;
}

static int check_types(struct ckpt_reader *r, const char *types)
{
    bool is_version;
    const char *saved;
    char what[90];
    int err = get(r, CKPT_TYPES, &saved);

    if (err || !strcmp(saved, types))
        return err;
    is_version = is_same_but_version(saved, types);
    (void)snprintf(what, sizeof(what), "saved by %s%.30s, here is %.30s",
                   is_version ? "version " : "type ", saved, types);
    return bad_key(r, -EINVAL, CKPT_TYPES, what);
}

static bool has_load_op(const struct sim_object *obj)
{
    for (const struct sim_type *type = obj->type; type; type = type->base)
        if (type->ops && type->ops->load)
            return true;
    return false;
}

static int check_object(struct ckpt_reader *r)
{
    char *types = ckpt_types_text(r->obj);
    int err = 0;

    if (types[0]) {
        err = enter_needed(r, r->obj->path);
        if (!err)
            err = check_types(r, types);
        if (!err)
            err = check_tables(r);
        if (!err && !has_load_op(r->obj))
            err = find_unused_key(r);
    }
    mem_free(types);
    return err;
}

/* Call @step for each object, parents before children. */
static int for_each_object(struct ckpt_reader *r,
                           int (*step)(struct ckpt_reader *r))
{
    struct sim_object *root = sim_root(r->sim);
    int err = 0;

    for (r->obj = root; r->obj && !err; r->obj = sim_object_next(root, r->obj))
        err = step(r);
    return err;
}

/* Objects' sections tell their types; the others were made by the save op of
 * the nearest object whose path they continue. */
static bool is_subsection(const struct ckpt_reader *r,
                          struct ckpt_section *section)
{
    char *path = alloc_strdup(section->name);
    const struct sim_object *obj = NULL;
    char *dot;

    while (!obj && (dot = strrchr(path, '.'))) {
        *dot = '\0';
        obj = sim_object_find(r->sim, path);
    }
    mem_free(path);
    return obj && has_load_op(obj) && !ckpt_section_value(section, CKPT_TYPES);
}

static int check_sections(struct ckpt_reader *r)
{
    for (uint32_t i = 0; i < r->ini.num_sections; i++) {
        struct ckpt_section *section = &r->ini.sections[i];

        if (section->is_used || is_subsection(r, section))
            continue;
        enter(r, alloc_strdup(section->name));
        return bad_section(r, "no such object in this configuration");
    }
    return 0;
}

static int check_all(struct ckpt_reader *r)
{
    int err = check_globals(r);

    if (!err)
        err = check_files(r);
    if (!err)
        err = for_each_object(r, check_object);
    if (!err)
        err = check_sections(r);
    return err ? err : check_time(r);
}

/* ---------------------------------------------------------------- second pass
 */

static int load_tables(struct ckpt_reader *r)
{
    enter(r, alloc_strdup(r->obj->path));
    return r->section ? read_tables(r, r->obj) : 0;
}

static int load_rest(struct ckpt_reader *r)
{
    const struct sim_type *chain[SIM_MAX_TYPE_DEPTH];
    uint32_t count = sim_type_chain(r->obj->type, chain);
    int err = 0;

    for (uint32_t i = 0; i < count && !err; i++) {
        if (!chain[i]->ops || !chain[i]->ops->load)
            continue;
        ckpt_enter_subsection(r, NULL);
        r->why[0] = '\0';
        err = chain[i]->ops->load(r->obj, r);
        if (err && !r->why[0])
            (void)ckpt_read_failed(r, err, "%s", strerror(-err));
    }
    return err;
}

/* What no load op asked for was meant for something that is not here. */
static int check_all_used(struct ckpt_reader *r)
{
    int err = 0;

    for (uint32_t i = 0; i < r->ini.num_sections && !err; i++) {
        bool is_used = r->ini.sections[i].is_used;

        enter(r, alloc_strdup(r->ini.sections[i].name));
        if (!is_used)
            err = bad_section(r, "not known here");
        else if (strcmp(r->section_name, CKPT_FILES) != 0)
            err = find_unused_key(r);
    }
    return err;
}

static int load_all(struct ckpt_reader *r)
{
    int err;

    sim_set_now(r->sim, r->tick);
    memcpy(sim_rng(r->sim)->s, r->rng, sizeof(r->rng));
    err = for_each_object(r, load_tables);
    if (!err)
        err = for_each_object(r, load_rest);
    return err ? err : check_all_used(r);
}

static void reader_fini(struct ckpt_reader *r)
{
    for (uint32_t i = 0; i < r->num_strings; i++)
        mem_free(r->strings[i]);
    mem_free(r->strings);
    mem_free(r->section_name);
    ckpt_ini_fini(&r->ini);
}

int ckpt_load_text(struct sim *sim, const char *dir, const char *text,
                   size_t len, char why[256])
{
    struct ckpt_reader r = {.sim = sim, .dir = dir, .why = why};
    int err = ckpt_unseal(&r.ini, text, len, why);

    if (err)
        return err;
    err = check_all(&r);
    if (!err)
        err = load_all(&r);
    reader_fini(&r);
    return err;
}

int ckpt_load(struct sim *sim, const char *dir, char why[256])
{
    char *path = alloc_printf("%s/%s", dir, CKPT_FILE);
    char *text;
    size_t len;
    int err = ckpt_read_file(path, &text, &len);

    if (err) {
        (void)snprintf(why, 256, "%.200s: %s", path, strerror(-err));
    } else {
        err = ckpt_load_text(sim, dir, text, len, why);
        mem_free(text);
    }
    mem_free(path);
    return err;
}
