/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flags and the place that traces go to.  Like the flags, the output is
 * one per process: a process has one --debug-file.
 */
#include "sim/debug.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "sim/object.h"
#include "sim/ring.h"
#include "sim/sim.h"

#define DEBUG_FLAG(name_, doc_)                                                \
    struct debug_flag debug_##name_ = {.name = #name_, .doc = doc_};
#define DEBUG_COMPOUND_FLAG(name_, doc_, ...)                                  \
    static const char *const members_##name_[] = {__VA_ARGS__, NULL};          \
    struct debug_flag debug_##name_ = {                                        \
        .name = #name_, .doc = doc_, .members = members_##name_};
#include "sim/debug_flags.def"
#undef DEBUG_FLAG
#undef DEBUG_COMPOUND_FLAG

static const char *const members_All[] = {
#define DEBUG_FLAG(name, doc) #name,
#define DEBUG_COMPOUND_FLAG(name, doc, ...)
#include "sim/debug_flags.def"
#undef DEBUG_FLAG
#undef DEBUG_COMPOUND_FLAG
    NULL,
};
struct debug_flag debug_All = {
    .name = "All", .doc = "All flags there are", .members = members_All};

struct debug_flag *const debug_flags[] = {
    &debug_All,
#define DEBUG_FLAG(name, doc)               &debug_##name,
#define DEBUG_COMPOUND_FLAG(name, doc, ...) &debug_##name,
#include "sim/debug_flags.def"
#undef DEBUG_FLAG
#undef DEBUG_COMPOUND_FLAG
    NULL,
};

/* NULL and NULL: stdout. */
static struct {
    FILE *file;
    gzFile zip;
    tick_t first, last; /* ticks that are printed */
} output = {.last = TICK_MAX};

/* Objects that are chosen, by list. */
static struct {
    char **patterns;
    size_t count;
} selection[2];

static struct debug_flag *find(const char *name)
{
    struct debug_flag *const *flag = debug_flags;

    while (*flag && strcmp((*flag)->name, name) != 0)
        flag++;
    return *flag;
}

int debug_set(const char *name, bool on)
{
    struct debug_flag *flag = find(name);
    const char *const *member;
    int err = 0;

    if (!flag)
        return -ENOENT;
    flag->is_on = on;
    for (member = flag->members; member && *member && !err; member++)
        err = debug_set(*member, on);
    return err;
}

/* ------------------------------------------------------------------- output */

static bool is_zip(const char *path)
{
    size_t len = strlen(path);

    return len > 3 && strcmp(path + len - 3, ".gz") == 0;
}

void debug_flush(void)
{
    if (output.zip)
        (void)gzflush(output.zip, Z_SYNC_FLUSH);
    else
        (void)fflush(output.file ? output.file : stdout);
}

void debug_close(void)
{
    debug_flush();
    if (output.zip)
        (void)gzclose(output.zip);
    else if (output.file && output.file != stderr)
        (void)fclose(output.file);
    output.zip = NULL;
    output.file = NULL;
}

int debug_open(const char *path)
{
    debug_close();
    errno = 0;
    if (strcmp(path, "cout") == 0)
        return 0;
    if (strcmp(path, "cerr") == 0)
        output.file = stderr;
    else if (is_zip(path))
        output.zip = gzopen(path, "wb");
    else
        output.file = fopen(path, "w");
    if (output.file || output.zip)
        return 0;
    return errno ? -errno : -ENOMEM;
}

void debug_set_window(tick_t first, tick_t last)
{
    output.first = first;
    output.last = last;
}

/* ---------------------------------------------------------------- selection */

void debug_select(enum debug_list list, const char *pattern)
{
    size_t count = selection[list].count++;

    selection[list].patterns =
        alloc_resize(selection[list].patterns, count + 1, sizeof(char *));
    selection[list].patterns[count] = alloc_strdup(pattern);
}

static void forget(enum debug_list list)
{
    for (size_t i = 0; i < selection[list].count; i++)
        mem_free(selection[list].patterns[i]);
    mem_free(selection[list].patterns);
    selection[list].patterns = NULL;
    selection[list].count = 0;
}

void debug_select_all(void)
{
    forget(DEBUG_ACTIVATE);
    forget(DEBUG_IGNORE);
}

/* Whether @pattern is @path or a parent of it. */
static bool is_match(const char *pattern, const char *path)
{
    for (;;) {
        size_t want = strcspn(pattern, "."), have = strcspn(path, ".");
        bool is_any = want == 1 && pattern[0] == '*';

        if (!is_any && (want != have || strncmp(pattern, path, want) != 0))
            return false;
        if (!pattern[want])
            return true;
        if (!path[have])
            return false;
        pattern += want + 1;
        path += have + 1;
    }
}

static bool is_listed(enum debug_list list, const char *path)
{
    for (size_t i = 0; i < selection[list].count; i++)
        if (is_match(selection[list].patterns[i], path))
            return true;
    return false;
}

static bool is_selected(const char *path)
{
    if (is_listed(DEBUG_IGNORE, path))
        return false;
    return selection[DEBUG_ACTIVATE].count == 0 ||
           is_listed(DEBUG_ACTIVATE, path);
}

/* ------------------------------------------------------------------- traces */

static void put_line(const char *line, size_t len)
{
    if (output.zip)
        (void)gzwrite(output.zip, line, (unsigned int)len);
    else
        (void)fwrite(line, 1, len, output.file ? output.file : stdout);
}

static void put_trace(const struct sim_object *obj, tick_t now,
                      const char *text)
{
    size_t len = strlen(text);
    /* gem5's messages end with a newline of their own, ours need not. */
    const char *end = len && text[len - 1] == '\n' ? "" : "\n";
    char *line =
        alloc_printf("%7" PRIu64 ": %s: %s%s", now, obj->path, text, end);

    put_line(line, strlen(line));
    mem_free(line);
}

void debug_trace(const struct debug_flag *flag, const struct sim_object *obj,
                 const char *fmt, ...)
{
    tick_t now = sim_now(obj->sim);
    char text[1024];
    va_list args;

    (void)flag;
    if (now < output.first || now > output.last || !is_selected(obj->path))
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    trace_ring_add(&((struct sim_object *)obj)->ring, now, text);
    put_trace(obj, now, text);
}
