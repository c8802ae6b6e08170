// SPDX-License-Identifier: BSD-3-Clause
#include "mem/calendar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace
{

struct Calendar : testing::Test {
    calendar cal = {};
    Calendar()
    {
        calendar_init(&cal, 8);
    }
    ~Calendar() override
    {
        calendar_fini(&cal);
    }
    tick_t reserve(tick_t when, tick_t duration)
    {
        return calendar_reserve(&cal, when, duration);
    }
};

// The same rules without a thought for speed: every tick is a flag, and the
// number of busy runs is counted afresh each time.
class BruteForce
{
  public:
    BruteForce(size_t num_ticks, size_t num_spans)
        : busy(num_ticks), limit(num_spans)
    {
    }
    tick_t reserve(tick_t when, tick_t duration)
    {
        if (when < floor)
            return when;
        tick_t start = when;
        while (!is_free(start, duration))
            start++;
        for (tick_t t = start; t < start + duration; t++)
            busy[t] = true;
        while (num_runs() > limit)
            forget_first_run();
        return start;
    }

  private:
    bool is_free(tick_t start, tick_t duration) const
    {
        return std::none_of(busy.begin() + static_cast<long>(start),
                            busy.begin() + static_cast<long>(start + duration),
                            [](bool b) { return b; });
    }
    size_t num_runs() const
    {
        size_t runs = 0;
        for (tick_t t = floor; t < busy.size(); t++)
            runs += busy[t] && (t == floor || !busy[t - 1]);
        return runs;
    }
    void forget_first_run()
    {
        tick_t t = floor;
        while (!busy[t])
            t++;
        while (busy[t])
            t++;
        floor = t;
    }
    std::vector<bool> busy;
    size_t limit;
    tick_t floor = 0;
};

void compare_with_brute_force(uint32_t num_spans, tick_t horizon,
                              tick_t max_duration, uint32_t seed)
{
    std::mt19937 random(seed);
    calendar cal = {};
    calendar_init(&cal, num_spans);
    BruteForce model(8 * horizon, num_spans);

    tick_t base = 0;
    for (int i = 0; i < 400; i++) {
        tick_t when = base + random() % horizon;
        tick_t duration = 1 + random() % max_duration;
        base += random() % 3;
        ASSERT_EQ(calendar_reserve(&cal, when, duration),
                  model.reserve(when, duration))
            << "request " << i << " of seed " << seed;
    }
    calendar_fini(&cal);
}

} // namespace

TEST_F(Calendar, AnIdleResourceIsGrantedAtOnce)
{
    EXPECT_EQ(reserve(100, 10), 100u);
    EXPECT_EQ(calendar_free_at(&cal), 110u);
}

TEST_F(Calendar, ABusyResourceMakesTheNextWait)
{
    EXPECT_EQ(reserve(100, 10), 100u);
    EXPECT_EQ(reserve(100, 10), 110u);
    EXPECT_EQ(reserve(105, 10), 120u);
    EXPECT_EQ(reserve(130, 10), 130u);
}

TEST_F(Calendar, AnEarlierRequestFindsTheGapBeforeALaterOne)
{
    EXPECT_EQ(reserve(1000, 10), 1000u);
    EXPECT_EQ(reserve(100, 10), 100u);
    EXPECT_EQ(reserve(995, 5), 995u);
    EXPECT_EQ(reserve(990, 6), 1010u) << "the gap of 5 is too short";
}

TEST_F(Calendar, ZeroDurationOccupiesNothing)
{
    EXPECT_EQ(reserve(100, 10), 100u);
    EXPECT_EQ(reserve(105, 0), 105u);
    EXPECT_EQ(reserve(110, 10), 110u);
}

TEST_F(Calendar, NeighboursThatTouchCountAsOneInterval)
{
    for (tick_t t = 0; t < 1000; t += 10)
        EXPECT_EQ(reserve(t, 10), t);
    EXPECT_EQ(cal.len, 1u);
    EXPECT_EQ(reserve(0, 10), 1000u) << "nothing was forgotten";
}

TEST_F(Calendar, OnlyTheOldestIntervalIsForgottenWhenFull)
{
    for (tick_t t = 0; t < 9; t++)
        reserve(100 + t * 100, 10);
    EXPECT_EQ(cal.floor, 110u);
    EXPECT_EQ(reserve(105, 10), 105u) << "before the floor: granted at once";
    EXPECT_EQ(cal.num_late, 1u);
    EXPECT_EQ(reserve(200, 10), 210u) << "the second is still known";
}

TEST_F(Calendar, AnIntervalOlderThanAllIsForgottenAtOnceWhenFull)
{
    for (tick_t t = 0; t < 8; t++)
        reserve(1000 + t * 100, 10);
    EXPECT_EQ(reserve(500, 10), 500u);
    EXPECT_EQ(cal.floor, 510u);
    EXPECT_EQ(reserve(1000, 10), 1010u);
}

TEST_F(Calendar, ClearingMakesItIdle)
{
    reserve(100, 1000);
    calendar_clear(&cal);
    EXPECT_EQ(reserve(100, 10), 100u);
    EXPECT_EQ(calendar_free_at(&cal), 110u);
}

TEST(CalendarModel, AgreesWithBruteForceOnDenseRequests)
{
    for (uint32_t seed = 0; seed < 15; seed++)
        compare_with_brute_force(64, 1500, 12, seed);
}

TEST(CalendarModel, AgreesWithBruteForceWhenItMustForget)
{
    for (uint32_t seed = 0; seed < 15; seed++)
        compare_with_brute_force(4, 2000, 9, seed);
}

TEST(CalendarModel, GivesNoTickTwiceWhileNothingIsForgotten)
{
    std::mt19937 random(7);
    std::vector<bool> busy(100000);
    calendar cal = {};
    calendar_init(&cal, 1024);

    for (int i = 0; i < 1000; i++) {
        tick_t when = random() % 50000;
        tick_t duration = 1 + random() % 40;
        tick_t start = calendar_reserve(&cal, when, duration);
        ASSERT_GE(start, when);
        for (tick_t t = start; t < start + duration; t++) {
            ASSERT_FALSE(busy[t]) << "tick " << t;
            busy[t] = true;
        }
    }
    EXPECT_EQ(cal.num_late, 0u);
    calendar_fini(&cal);
}
