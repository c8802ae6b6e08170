/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/host_clock.h"

#include <time.h>

#include "base/log.h"

uint64_t host_clock_ns(void)
{
    struct timespec now;

    SIM_ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
