// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/ktimer.h"

#include <gtest/gtest.h>

#include <vector>

namespace
{

struct Recorder {
    struct ktimer timer;
    std::vector<int> *fired;
    int id;
};

void record(struct ktimer *timer, tick_t)
{
    auto *recorder = reinterpret_cast<Recorder *>(timer);

    recorder->fired->push_back(recorder->id);
}

TEST(Ktimer, FiresDueTimersInOrderOfTime)
{
    struct ktimer_list list = {};
    std::vector<int> fired;
    Recorder a = {{}, &fired, 1}, b = {{}, &fired, 2}, c = {{}, &fired, 3};

    a.timer.fire = b.timer.fire = c.timer.fire = record;
    ktimer_arm(&list, &a.timer, 30);
    ktimer_arm(&list, &b.timer, 10);
    ktimer_arm(&list, &c.timer, 20);
    EXPECT_EQ(ktimer_next(&list), 10u);
    ktimer_expire(&list, 20);
    EXPECT_EQ(fired, (std::vector<int>{2, 3}));
    EXPECT_EQ(ktimer_next(&list), 30u);
}

TEST(Ktimer, ArmedAgainItMoves)
{
    struct ktimer_list list = {};
    std::vector<int> fired;
    Recorder a = {{}, &fired, 1};

    a.timer.fire = record;
    ktimer_arm(&list, &a.timer, 5);
    ktimer_arm(&list, &a.timer, 50);
    ktimer_expire(&list, 10);
    EXPECT_TRUE(fired.empty());
    ktimer_cancel(&list, &a.timer);
    ktimer_cancel(&list, &a.timer);
    EXPECT_EQ(ktimer_next(&list), TICK_MAX);
}

} // namespace
