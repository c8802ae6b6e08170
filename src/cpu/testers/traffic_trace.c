/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading of traces, line by line; the whole trace is checked before use. */
#include "cpu/testers/traffic_trace.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_LINE = 256, MAX_REQUEST = 4096, FIELDS = 4 };

struct loader {
    const char *path;
    gzFile file;
    struct traffic_trace *trace;
    size_t capacity;
    unsigned long line;
    char *why;
};

static int bad_line(struct loader *loader, const char *what)
{
    (void)snprintf(loader->why, 256, "%s:%lu: %s", loader->path, loader->line,
                   what);
    return -EINVAL;
}

static bool to_number(const char *text, uint64_t *value)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false; /* strtoull would take signs and spaces */
    errno = 0;
    *value = strtoull(text, &end, text[1] == 'x' ? 16 : 10);
    return errno == 0 && *end == '\0';
}

/* Cut @line into words; returns their number, FIELDS + 1 if there are more. */
static int split(char *line, char *words[FIELDS])
{
    char *rest = NULL;
    int count = 0;

    for (char *word = strtok_r(line, " \t\r\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (count == FIELDS)
            return FIELDS + 1;
        words[count++] = word;
    }
    return count;
}

static int parse_words(struct loader *loader, char *words[FIELDS],
                       struct traffic_request *req)
{
    uint64_t size;

    if (!to_number(words[0], &req->tick))
        return bad_line(loader, "the tick is not a number");
    if (strcmp(words[1], "r") != 0 && strcmp(words[1], "w") != 0)
        return bad_line(loader, "the second word must be r or w");
    req->is_write = words[1][0] == 'w';
    if (!to_number(words[2], &req->addr))
        return bad_line(loader, "the address is not a number");
    if (!to_number(words[3], &size))
        return bad_line(loader, "the size is not a number");
    if (size == 0 || size > MAX_REQUEST)
        return bad_line(loader, "the size must be 1 to 4096 bytes");
    req->size = (uint32_t)size;
    return 0;
}

static int add_request(struct loader *loader, const struct traffic_request *req)
{
    struct traffic_trace *trace = loader->trace;

    if (trace->len > 0 && req->tick < trace->requests[trace->len - 1].tick)
        return bad_line(loader, "the tick is before that of the line above");
    if (trace->len == loader->capacity) {
        loader->capacity = loader->capacity * 2 + 64;
        trace->requests = alloc_resize(trace->requests, loader->capacity,
                                       sizeof(*trace->requests));
    }
    trace->requests[trace->len++] = *req;
    return 0;
}

static int parse_line(struct loader *loader, char *line)
{
    struct traffic_request req;
    char *words[FIELDS];
    int count, err;

    if (strchr(line, '\n') == NULL && !gzeof(loader->file))
        return bad_line(loader, "the line is too long");
    line[strcspn(line, "#")] = '\0';
    count = split(line, words);
    if (count == 0)
        return 0;
    if (count != FIELDS)
        return bad_line(loader, "expected: TICK r|w ADDRESS SIZE");
    err = parse_words(loader, words, &req);
    return err == 0 ? add_request(loader, &req) : err;
}

/* Compressed data may be damaged or end too early. */
static int check_stream(struct loader *loader)
{
    int err;

    gzerror(loader->file, &err);
    if (err == Z_OK || err == Z_STREAM_END)
        return 0;
    (void)snprintf(loader->why, 256, "%s: damaged or cut short after line %lu",
                   loader->path, loader->line);
    return -EIO;
}

static int load_lines(struct loader *loader)
{
    char line[MAX_LINE];
    int err = 0;

    while (err == 0 && gzgets(loader->file, line, sizeof(line)) != NULL) {
        if (strchr(line, '\n') == NULL)
            err = check_stream(loader);
        loader->line++;
        if (err == 0)
            err = parse_line(loader, line);
    }
    if (err == 0)
        err = check_stream(loader);
    if (err == 0 && loader->trace->len == 0) {
        (void)snprintf(loader->why, 256, "%s: no requests", loader->path);
        err = -EINVAL;
    }
    return err;
}

int traffic_trace_load(struct traffic_trace *trace, const char *path,
                       char why[256])
{
    struct loader loader = {.path = path, .trace = trace, .why = why};
    int err;

    *trace = (struct traffic_trace){0};
    errno = 0;
    loader.file = gzopen(path, "re");
    if (loader.file == NULL) {
        err = errno != 0 ? -errno : -ENOMEM;
        (void)snprintf(why, 256, "%s: %s", path, strerror(-err));
        return err;
    }
    err = load_lines(&loader);
    gzclose(loader.file);
    if (err != 0)
        traffic_trace_fini(trace);
    return err;
}

void traffic_trace_fini(struct traffic_trace *trace)
{
    mem_free(trace->requests);
    *trace = (struct traffic_trace){0};
}
