/* SPDX-License-Identifier: BSD-3-Clause */
/* Time that passes on the host: for rates and for polling, never for results.
 */
#ifndef BASE_HOST_CLOCK_H
#define BASE_HOST_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** host_clock_ns() - monotonic, from an arbitrary beginning [ns]. */
uint64_t host_clock_ns(void);
/** host_clock_tsc() - the time stamp counter of this processor [its ticks]. */
uint64_t host_clock_tsc(void);
/** host_clock_cpu_ns() - time that this process has had a processor [ns]. */
uint64_t host_clock_cpu_ns(void);
/** host_clock_sleep() - at most @ns; a signal ends it. */
void host_clock_sleep(uint64_t ns);
/** host_clock_date() - local date and time, as "Thu Jan  1 00:00:00 1970". */
void host_clock_date(char text[32]);

#ifdef __cplusplus
}
#endif

#endif
