/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/host_clock.h"

#include <time.h>
#include <x86intrin.h>

#include "base/log.h"

#define NS_PER_SECOND UINT64_C(1000000000)

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;

    SIM_ASSERT(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t host_clock_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t host_clock_tsc(void)
{
    return __rdtsc();
}

uint64_t host_clock_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void host_clock_sleep(uint64_t ns)
{
    const struct timespec span = {.tv_sec = (time_t)(ns / NS_PER_SECOND),
                                  .tv_nsec = (long)(ns % NS_PER_SECOND)};

    (void)nanosleep(&span, NULL);
}

void host_clock_date(char text[32])
{
    struct timespec now;
    struct tm local;

    SIM_ASSERT(clock_gettime(CLOCK_REALTIME, &now) == 0);
    if (!localtime_r(&now.tv_sec, &local) ||
        !strftime(text, 32, "%a %b %e %H:%M:%S %Y", &local))
        text[0] = '\0';
}
