/* SPDX-License-Identifier: BSD-3-Clause */
/* A crew: several threads that do the same work and are waited for. */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#ifdef __cplusplus
extern "C" {
#endif

/** crew_default_size() - CPUs of the host that are online, at most 8. */
unsigned crew_default_size(void);

/**
 * crew_run() - run @work(@ctx) on @size threads and wait for all
 *
 * The caller is one of them.  Where the host refuses more threads there are
 * fewer: the work must hand out its parts one by one.
 */
void crew_run(unsigned size, void *(*work)(void *ctx), void *ctx);

#ifdef __cplusplus
}
#endif

#endif
