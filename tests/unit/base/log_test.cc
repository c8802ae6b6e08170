// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"

#include <gtest/gtest.h>

TEST(Log, AMessageHasItsLevelInFront)
{
    testing::internal::CaptureStderr();
    log_message("warn", "%d of %s", 3, "four");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "warn: 3 of four\n");
}

TEST(LogDeathTest, ExitHasStatusOneAndAbortIsASignal)
{
    EXPECT_EXIT(log_exit("bad %s", "file"), testing::ExitedWithCode(1),
                "^fatal: bad file\n$");
    EXPECT_EXIT(log_abort("bad %s", "state"), testing::KilledBySignal(SIGABRT),
                "^panic: bad state\n$");
}

TEST(LogDeathTest, AFailedAssertionNamesItsCondition)
{
    int two = 2;

    SIM_ASSERT(two == 2);
    EXPECT_DEATH(SIM_ASSERT(two == 3), "log_test.cc:.*two == 3");
}
