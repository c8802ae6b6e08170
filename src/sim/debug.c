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

struct debug_flag *const debug_flags[] = {
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
    if (now < output.first || now > output.last)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    trace_ring_add(&((struct sim_object *)obj)->ring, now, text);
    put_trace(obj, now, text);
}
