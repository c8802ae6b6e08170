// SPDX-License-Identifier: BSD-3-Clause
#include "sim/root.h"

#include <cstring>

#include "base/rng.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"
#include "sim/stat.h"

#include <gtest/gtest.h>

class RootTest : public testing::Test
{
  protected:
    struct sim *sim = sim_create(nullptr);
    sim_object *obj =
        sim_object_create(sim, &root_type, nullptr, "root", nullptr);
    struct root *root = reinterpret_cast<struct root *>(obj);

    ~RootTest() override
    {
        sim_destroy(sim);
    }

    void start()
    {
        sim_init(sim);
        sim_startup(sim);
    }

    double stat(const char *name)
    {
        const sim_stat *row = root_type.stats;

        while (strcmp(row->name, name) != 0)
            row++;
        return row->formula(obj, 0);
    }
};

TEST_F(RootTest, TotalsCountFromTheLastReset)
{
    start();
    sim_count_insts(sim, 100, 150);
    sim_simulate(sim, 1000);
    sim_object_reset_stats(obj);
    sim_count_insts(sim, 5, 7);
    sim_simulate(sim, 2000000);
    EXPECT_EQ(stat("simInsts"), 5.0);
    EXPECT_EQ(stat("simOps"), 7.0);
    EXPECT_EQ(stat("simTicks"), 2000000.0);
    EXPECT_DOUBLE_EQ(stat("simSeconds"), 2e-6);
    EXPECT_EQ(stat("finalTick"), 2001000.0);
    EXPECT_EQ(stat("simFreq"), 1e12);
}

TEST_F(RootTest, RatesDivideByTheTimeOfTheHost)
{
    start();
    sim_count_insts(sim, 1000, 2000);
    EXPECT_GT(stat("hostSeconds"), 0.0);
    EXPECT_GT(stat("hostInstRate"), 0.0);
    EXPECT_GT(stat("hostOpRate"), 0.0);
    EXPECT_EQ(stat("hostTickRate"), 0.0);
    EXPECT_GT(stat("hostMemory"), 1e5);
}

TEST_F(RootTest, WhatDependsOnTheHostIsMarked)
{
    for (const sim_stat *row = root_type.stats; row->name; row++)
        EXPECT_EQ((row->flags & STAT_HOST) != 0,
                  strncmp(row->name, "host", 4) == 0)
            << row->name;
}

TEST_F(RootTest, ReportsAreCounted)
{
    start();
    testing::internal::CaptureStderr();
    sim_guest_error(obj, "guest");
    sim_guest_error(obj, "guest");
    sim_unimplemented(obj, "missing");
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(stat("guestErrors"), 2.0);
    EXPECT_EQ(stat("unimplemented"), 1.0);
    sim_object_reset_stats(obj);
    EXPECT_EQ(stat("guestErrors"), 0.0);
}

TEST_F(RootTest, TheSeedIsThatOfTheParameter)
{
    rng expected;

    root->seed = 77;
    sim_init(sim);
    rng_seed(&expected, 77);
    EXPECT_EQ(rng_u64(sim_rng(sim)), rng_u64(&expected));
}

TEST_F(RootTest, TheQuantumIsTheSliceOfRunners)
{
    tick_t usual = sim_slice(sim);

    root->sim_quantum = 12345;
    sim_init(sim);
    EXPECT_NE(usual, 12345u);
    EXPECT_EQ(sim_slice(sim), 12345u);
}

TEST_F(RootTest, TimeSyncSaysThatItIsMissing)
{
    root->time_sync_enable = true;
    testing::internal::CaptureStderr();
    start();
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "unimplemented: root: time_sync_enable: simulated time runs "
              "freely\n");
}
