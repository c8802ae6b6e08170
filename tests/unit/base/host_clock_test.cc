/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's time: that it passes, not how fast. */
#include "base/host_clock.h"

#include <gtest/gtest.h>

#include <cstring>
#include <ctime>

TEST(HostClock, NeverGoesBackwards)
{
    uint64_t last = host_clock_ns();

    for (int i = 0; i < 1000; i++) {
        uint64_t now = host_clock_ns();

        ASSERT_GE(now, last);
        last = now;
    }
}

TEST(HostClock, WorkTakesTimeOfTheProcessor)
{
    uint64_t first = host_clock_cpu_ns();

    while (host_clock_cpu_ns() == first) {
    }
    EXPECT_GT(host_clock_cpu_ns(), first);
}

TEST(HostClock, TheDateHasTheFormOfCtime)
{
    char text[32];
    tm date = {};

    host_clock_date(text);
    EXPECT_EQ(strlen(text), 24u);
    EXPECT_EQ(strptime(text, "%a %b %e %H:%M:%S %Y", &date), text + 24);
    EXPECT_GT(date.tm_year, 100);
}
TEST(HostClock, CountsTheProcessorsTicksUpwards)
{
    uint64_t start = host_clock_tsc();
    uint64_t start_ns = host_clock_ns();
    while (host_clock_ns() == start_ns) {
    }
    EXPECT_GT(host_clock_tsc(), start);
}
