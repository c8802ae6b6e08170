// SPDX-License-Identifier: BSD-3-Clause
/* The loop of simulate() with runners: who runs when, and up to where. */
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "running_tree.h"
#include "sim/sim.h"

/* Advances in steps of `step` ticks and calls `each` after each one. */
struct Stepper {
    sim_runner runner = {};
    tick_t step;
    std::function<void(Stepper &)> each;
    std::vector<std::pair<tick_t, tick_t>> runs; /* from, to */

    explicit Stepper(tick_t length) : step(length)
    {
        runner.run = [](sim_runner *r, tick_t) {
            reinterpret_cast<Stepper *>(r)->run();
        };
    }

    void run()
    {
        tick_t from = runner.now;

        while (runner.is_active && runner.now < sim_runner_horizon(&runner)) {
            runner.now += step;
            if (each)
                each(*this);
        }
        runs.emplace_back(from, runner.now);
    }
};

using Runs = std::vector<std::pair<tick_t, tick_t>>;

class RunnerTest : public RunningTree
{
  protected:
    std::vector<std::unique_ptr<Stepper>> steppers;

    Stepper &stepper(tick_t step)
    {
        steppers.push_back(std::make_unique<Stepper>(step));
        sim_add_runner(sim, &steppers.back()->runner);
        return *steppers.back();
    }

    void SetUp() override
    {
        RunningTree::SetUp();
        start();
    }
};

TEST_F(RunnerTest, ALoneRunnerRunsToTheNextEvent)
{
    Stepper &a = stepper(10);
    Action event([](tick_t) {});

    sim_runner_activate(sim, &a.runner);
    eventq_schedule(sim_eventq(sim), &event.event, 100);
    expect_exit(sim_simulate(sim, 250), "simulate() limit reached", 250);
    EXPECT_EQ(a.runs, (Runs{
                          {0,   100},
                          {100, 250}
    }));
}

TEST_F(RunnerTest, AnInactiveRunnerDoesNotRun)
{
    Stepper &a = stepper(10);

    sim_simulate(sim, 250);
    EXPECT_TRUE(a.runs.empty());
}

TEST_F(RunnerTest, ARunnerMayPassTheHorizonByItsLastStep)
{
    Stepper &a = stepper(30);
    Action event([](tick_t) {});

    sim_runner_activate(sim, &a.runner);
    eventq_schedule(sim_eventq(sim), &event.event, 100);
    expect_exit(sim_simulate(sim, 115), "simulate() limit reached", 115);
    EXPECT_EQ(a.runs, (Runs{
                          {0, 120}
    }));
    sim_simulate(sim, 10);
    EXPECT_EQ(a.runs, (Runs{
                          {0,   120},
                          {120, 150}
    }));
}

TEST_F(RunnerTest, SeveralRunnersTakeTurnsInSlices)
{
    Stepper &a = stepper(10), &b = stepper(10);

    sim_set_slice(sim, 40);
    sim_runner_activate(sim, &b.runner);
    sim_runner_activate(sim, &a.runner);
    sim_simulate(sim, 100);
    EXPECT_EQ(a.runs, (Runs{
                          {0,  40 },
                          {40, 80 },
                          {80, 100}
    }));
    EXPECT_EQ(a.runs, b.runs);
}

TEST_F(RunnerTest, RunnersRunInTheOrderOfTheirRegistration)
{
    std::string order;
    Stepper &a = stepper(10), &b = stepper(10);

    a.each = [&](Stepper &) { order += 'a'; };
    b.each = [&](Stepper &) { order += 'b'; };
    sim_set_slice(sim, 20);
    sim_runner_activate(sim, &b.runner);
    sim_runner_activate(sim, &a.runner);
    sim_simulate(sim, 40);
    EXPECT_EQ(order, "aabbaabb");
}

TEST_F(RunnerTest, TheCurrentTickInsideARunIsThatOfTheRunner)
{
    Stepper &a = stepper(10);
    std::vector<tick_t> seen;

    a.each = [&](Stepper &) { seen.push_back(sim_now(sim)); };
    sim_runner_activate(sim, &a.runner);
    sim_simulate(sim, 30);
    EXPECT_EQ(seen, (std::vector<tick_t>{10, 20, 30}));
}

TEST_F(RunnerTest, AnEventScheduledBeforeTheHorizonStopsTheRunnerThere)
{
    Stepper &a = stepper(10);
    std::vector<tick_t> served;
    Action event([&](tick_t now) { served.push_back(now); });

    a.each = [&](Stepper &s) {
        if (s.runner.now == 50)
            eventq_schedule(sim_eventq(sim), &event.event, 80);
    };
    sim_runner_activate(sim, &a.runner);
    sim_simulate(sim, 200);
    EXPECT_EQ(served, (std::vector<tick_t>{80}));
    EXPECT_EQ(a.runs, (Runs{
                          {0,  80 },
                          {80, 200}
    }));
}

TEST_F(RunnerTest, AnExitFromARunnerHappensAtTheRunnersTick)
{
    Stepper &a = stepper(10);

    a.each = [&](Stepper &s) {
        if (s.runner.now == 70)
            sim_exit_now(sim, "m5_exit instruction encountered", 3);
    };
    sim_runner_activate(sim, &a.runner);
    expect_exit(sim_simulate(sim, 1000), "m5_exit instruction encountered", 70,
                3);
    expect_exit(sim_simulate(sim, 30), "simulate() limit reached", 100);
    EXPECT_EQ(a.runs, (Runs{
                          {0,  70 },
                          {70, 100}
    }));
}

TEST_F(RunnerTest, ARunnerThatSuspendsItselfLeavesTimeToTheEvents)
{
    Stepper &a = stepper(10);
    Action wake([&](tick_t) { sim_runner_activate(sim, &a.runner); });

    a.each = [&](Stepper &s) {
        if (s.runner.now == 30)
            sim_runner_suspend(sim, &s.runner);
    };
    sim_runner_activate(sim, &a.runner);
    eventq_schedule(sim_eventq(sim), &wake.event, 500);
    sim_simulate(sim, 520);
    EXPECT_EQ(a.runs, (Runs{
                          {0,   30 },
                          {500, 520}
    }));
}

TEST_F(RunnerTest, ARunnerWokenByAnotherStartsAtThatTick)
{
    Stepper &a = stepper(10), &b = stepper(10);

    sim_set_slice(sim, 50);
    b.each = [&](Stepper &s) {
        if (s.runner.now == 20)
            sim_runner_activate(sim, &a.runner);
    };
    sim_runner_activate(sim, &b.runner);
    sim_simulate(sim, 1000);
    EXPECT_EQ(b.runs.front(), (std::pair<tick_t, tick_t>{0, 70}));
    EXPECT_EQ(a.runs.front(), (std::pair<tick_t, tick_t>{20, 70}));
    EXPECT_EQ(a.runs.back().second, 1000u);
    EXPECT_EQ(b.runs.back().second, 1000u);
}

TEST_F(RunnerTest, ARemovedRunnerIsForgotten)
{
    Stepper &a = stepper(10), &b = stepper(10);

    sim_runner_activate(sim, &a.runner);
    sim_runner_activate(sim, &b.runner);
    sim_remove_runner(sim, &a.runner);
    sim_simulate(sim, 50);
    EXPECT_TRUE(a.runs.empty());
    EXPECT_EQ(b.runs, (Runs{
                          {0, 50}
    }));
    EXPECT_FALSE(a.runner.is_active);
}

TEST_F(RunnerTest, TwoRunsTakeTheSameCourse)
{
    auto course = [] {
        sim_host host = {};
        struct sim *s = sim_create(&host);
        Stepper a(7), b(11);
        Action tick([&](tick_t now) {
            eventq_schedule(sim_eventq(s), &tick.event, now + 13);
        });

        sim_object_create(s, &plain_type, nullptr, "root", nullptr);
        sim_add_runner(s, &a.runner);
        sim_add_runner(s, &b.runner);
        sim_init(s);
        sim_startup(s);
        sim_runner_activate(s, &a.runner);
        sim_runner_activate(s, &b.runner);
        eventq_schedule(sim_eventq(s), &tick.event, 5);
        sim_simulate(s, 100000);
        sim_destroy(s);
        return std::make_pair(a.runs, b.runs);
    };

    EXPECT_EQ(course(), course());
}

TEST_F(RunnerTest, WorkPostedByAThreadStopsARunnerThatWouldRunForever)
{
    Stepper &a = stepper(1);
    struct Stop {
        sim_async async;
        struct sim *sim;
    } stop = {};
    std::atomic<bool> is_running{false};

    stop.sim = sim;
    stop.async.run = [](sim_async *async, tick_t) {
        sim_exit_now(reinterpret_cast<Stop *>(async)->sim, "posted", 0);
    };
    a.each = [&](Stepper &s) {
        is_running = true;
        s.runner.now = 1; /* time stands still: only the post can end it */
    };
    sim_runner_activate(sim, &a.runner);
    std::thread thread([&] {
        while (!is_running)
            std::this_thread::yield();
        eventq_post_async(sim_eventq(sim), &stop.async);
    });
    EXPECT_STREQ(sim_simulate(sim, TICK_MAX).cause, "posted");
    thread.join();
}

TEST_F(RunnerTest, ARunnerThatDoesNotLookAtItsHorizonIsKicked)
{
    struct Blind {
        sim_runner runner;
        sim_async async;
        struct sim *sim;
        int kicks;
    } blind = {};

    blind.sim = sim;
    blind.runner.kick = [](sim_runner *r) {
        reinterpret_cast<Blind *>(r)->kicks++;
    };
    blind.async.run = [](sim_async *, tick_t) {};
    blind.runner.run = [](sim_runner *r, tick_t until) {
        auto *b = reinterpret_cast<Blind *>(r);

        eventq_post_async(sim_eventq(b->sim), &b->async);
        r->now = until;
    };
    sim_add_runner(sim, &blind.runner);
    sim_runner_activate(sim, &blind.runner);
    sim_simulate(sim, 10);
    EXPECT_EQ(blind.kicks, 1);
}

TEST_F(RunnerTest, AnErrorInsideARunnerLeavesTheSimulationUsable)
{
    Stepper &a = stepper(10);

    a.each = [&](Stepper &s) {
        if (s.runner.now == 20)
            throw std::runtime_error("out");
    };
    sim_runner_activate(sim, &a.runner);
    EXPECT_THROW(sim_simulate(sim, 100), std::runtime_error);
    expect_exit(sim_simulate(sim, 100), "simulate() limit reached", 100);
}
