// SPDX-License-Identifier: BSD-3-Clause
/* What ends simulate(), and in which order. */
#include "running_tree.h"
#include "sim/sim.h"

using ExitTest = RunningTree;

TEST_F(ExitTest, SimulateEndsAtItsLimit)
{
    start();
    expect_exit(sim_simulate(sim, 1000), "simulate() limit reached", 1000);
    expect_exit(sim_simulate(sim, 500), "simulate() limit reached", 1500);
    EXPECT_EQ(sim_max_tick(sim), TICK_MAX);
}

TEST_F(ExitTest, NothingToDoEndsAtTheLastTick)
{
    start();
    expect_exit(sim_simulate(sim, TICK_MAX), "simulate() limit reached",
                TICK_MAX);
}

TEST_F(ExitTest, TheMaxTickHoldsForSimulateWithoutALimit)
{
    start();
    EXPECT_EQ(sim_max_tick(sim), TICK_MAX);
    sim_set_max_tick(sim, 700);
    EXPECT_EQ(sim_max_tick(sim), 700u);
    expect_exit(sim_simulate(sim, TICK_MAX), "simulate() limit reached", 700);
}

TEST_F(ExitTest, ALimitOfSimulateReplacesTheMaxTick)
{
    start();
    sim_set_max_tick(sim, 700);
    expect_exit(sim_simulate(sim, 900), "simulate() limit reached", 900);
}

TEST_F(ExitTest, ATickExitComesBeforeALaterLimit)
{
    start();
    sim_schedule_tick_exit(sim, 300);
    expect_exit(sim_simulate(sim, 1000), "Tick exit reached", 300);
    EXPECT_EQ(sim_max_tick(sim), 1000u);
    expect_exit(sim_simulate(sim, TICK_MAX), "simulate() limit reached", 1000);
}

TEST_F(ExitTest, ExitsOfOneTickAreDeliveredOneByOneWithoutTimePassing)
{
    start();
    sim_exit_at(sim, "first", 1, 50, 0);
    sim_exit_at(sim, "second", 2, 50, 0);
    expect_exit(sim_simulate(sim, 100), "first", 50, 1);
    expect_exit(sim_simulate(sim, 100), "second", 50, 2);
    expect_exit(sim_simulate(sim, 100), "simulate() limit reached", 150);
}

TEST_F(ExitTest, ARepeatedExitComesBack)
{
    start();
    sim_exit_at(sim, "again", 3, 100, 250);
    expect_exit(sim_simulate(sim, TICK_MAX), "again", 100, 3);
    expect_exit(sim_simulate(sim, TICK_MAX), "again", 350, 3);
    expect_exit(sim_simulate(sim, TICK_MAX), "again", 600, 3);
}

TEST_F(ExitTest, ALongCauseIsCutNotOverrun)
{
    start();
    sim_exit_now(sim, std::string(500, 'x').c_str(), 0);
    EXPECT_EQ(sim_simulate(sim, 10).cause, std::string(127, 'x'));
}

TEST_F(ExitTest, AllEventsOfTheTickAreServedBeforeAnExit)
{
    std::string order;
    Action asks([&](tick_t) {
        sim_exit_now(sim, "enough", 0);
        order += "a";
    });
    Action later([&](tick_t) { order += "b"; }, EVENT_PRI_STAT);

    start();
    eventq_schedule(sim_eventq(sim), &later.event, 20);
    eventq_schedule(sim_eventq(sim), &asks.event, 20);
    expect_exit(sim_simulate(sim, 100), "enough", 20);
    EXPECT_EQ(order, "ab");
}
