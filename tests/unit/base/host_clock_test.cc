// SPDX-License-Identifier: BSD-3-Clause
#include "base/host_clock.h"

#include <gtest/gtest.h>

TEST(HostClock, NeverGoesBackAndMovesOn)
{
    uint64_t first = host_clock_ns(), last = first;

    while (last == first) {
        uint64_t now = host_clock_ns();

        ASSERT_GE(now, last);
        last = now;
    }
}
