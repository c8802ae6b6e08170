/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages to stderr and the last exits of the process. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void log_print(const char *prefix, const char *fmt, va_list args)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s: ", prefix);
    (void)vfprintf(stderr, fmt, args);
    (void)fputc('\n', stderr);
}

void log_assert_failed(const char *cond, const char *file, int line)
{
    log_abort("%s:%d: assertion failed: %s", file, line, cond);
}

void log_abort(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_print("panic", fmt, args);
    va_end(args);
    abort();
}

void log_exit(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_print("fatal", fmt, args);
    va_end(args);
    exit(1); /* NOLINT(concurrency-mt-unsafe): the run is over */
}

void log_message(const char *level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_print(level, fmt, args);
    va_end(args);
}
