/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Assertions and the last exits of the process.  exit() and abort() are called
 * here and nowhere else.  Messages that concern an object go through
 * sim/report.h.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Stays on in release builds. */
#define SIM_ASSERT(cond)                                                       \
    (SIM_LIKELY(cond) ? (void)0 : log_assert_failed(#cond, __FILE__, __LINE__))

/* Costly checks: the debug and sanitizer variants only. */
#ifdef SIM_DEBUG
#define SIM_DASSERT(cond) SIM_ASSERT(cond)
#else
#define SIM_DASSERT(cond) ((void)sizeof(cond))
#endif

SIM_NORETURN void log_assert_failed(const char *cond, const char *file,
                                    int line);
/** log_abort() - print "panic: MESSAGE" to stderr and abort. */
SIM_NORETURN void log_abort(const char *fmt, ...) SIM_PRINTF(1, 2);
/** log_exit() - print "fatal: MESSAGE" to stderr and exit with status 1. */
SIM_NORETURN void log_exit(const char *fmt, ...) SIM_PRINTF(1, 2);
/** log_message() - print "LEVEL: MESSAGE" to stderr. */
void log_message(const char *level, const char *fmt, ...) SIM_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
