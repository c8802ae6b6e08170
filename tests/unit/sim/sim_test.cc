// SPDX-License-Identifier: BSD-3-Clause
/* The life cycle of a tree, and the loop of simulate() with events alone. */
#include "sim/sim.h"

#include "base/rng.h"
#include "running_tree.h"

using SimTest = RunningTree;

TEST_F(SimTest, EachStepOfTheLifeCycleIsForAllObjectsParentsFirst)
{
    sim_object *a = add(clever_toy_type, root, "a");
    char why[200];

    add(toy_type, a, "b");
    ASSERT_EQ(
        sim_port_bind(a, "out", 0, sim_object_find(sim, "a.b"), "in", 0, why),
        0);
    ASSERT_EQ(
        sim_port_bind(a, "in", 0, sim_object_find(sim, "a.b"), "out", 0, why),
        0);
    sim_init(sim);
    EXPECT_EQ(calls(), "a.toy_init a.clever_init a.b.toy_init ");
    sim_reset(sim);
    EXPECT_EQ(calls(), "a.toy_reset a.clever_reset a.b.toy_reset ");
    sim_startup(sim);
    EXPECT_EQ(calls(), "a.toy_startup a.clever_startup a.b.toy_startup ");
    sim_resume(sim);
    EXPECT_EQ(calls(), "a.toy_resume a.clever_resume a.b.toy_resume ");
    sim_after_fork(sim, "child");
    EXPECT_EQ(calls(),
              "a.toy_after_fork a.clever_after_fork a.b.toy_after_fork ");
    EXPECT_STREQ(sim_outdir(sim), "child");
    sim_destroy(sim);
    sim = nullptr;
    EXPECT_EQ(calls(), "a.b.toy_fini a.clever_fini a.toy_fini ");
}

TEST_F(SimTest, AnOpenPortStopsTheRunBeforeAnyInit)
{
    add(toy_type, root, "a", "fs.py:12");
    EXPECT_EQ(fatal_text([this] { sim_init(sim); }),
              "a: port 'out' is not connected (Where it asks)\n"
              "  created at fs.py:12");
    EXPECT_EQ(calls(), "");
}

TEST_F(SimTest, TimeCanBeSetAfterARestore)
{
    sim_init(sim);
    sim_set_now(sim, 12345);
    sim_startup(sim);
    expect_exit(sim_simulate(sim, 10), "simulate() limit reached", 12355);
}

TEST_F(SimTest, TheSameSeedGivesTheSameNumbers)
{
    sim_set_seed(sim, 42);
    uint64_t first = rng_u64(sim_rng(sim));
    sim_set_seed(sim, 43);
    EXPECT_NE(rng_u64(sim_rng(sim)), first);
    sim_set_seed(sim, 42);
    EXPECT_EQ(rng_u64(sim_rng(sim)), first);
}

TEST_F(SimTest, InstructionsAddUp)
{
    sim_count_insts(sim, 10, 15);
    sim_count_insts(sim, 1, 2);
    EXPECT_EQ(sim_insts(sim), 11u);
    EXPECT_EQ(sim_ops_count(sim), 17u);
}

TEST(Sim, TheOutputDirectoryIsM5outUnlessSet)
{
    struct sim *sim = sim_create(nullptr);

    EXPECT_STREQ(sim_outdir(sim), "m5out");
    sim_set_outdir(sim, "/tmp/x");
    EXPECT_STREQ(sim_outdir(sim), "/tmp/x");
    sim_destroy(sim);
    sim_destroy(nullptr);
}

TEST(Sim, AnInterruptOfTheHostEndsARunThatHasOnlyEvents)
{
    sim_host host = {};
    struct Forever {
        sim_event event;
        eventq *queue;
    } forever;

    host.is_interrupted = [](void *) { return true; };
    struct sim *sim = sim_create(&host);
    sim_object_create(sim, &plain_type, nullptr, "root", nullptr);
    forever.queue = sim_eventq(sim);
    event_init(&forever.event, "forever", 0, [](sim_event *e, tick_t now) {
        eventq_schedule(reinterpret_cast<Forever *>(e)->queue, e, now + 1);
    });
    eventq_schedule(forever.queue, &forever.event, 1);
    sim_init(sim);
    sim_startup(sim);
    EXPECT_STREQ(sim_simulate(sim, TICK_MAX).cause, "user interrupt received");
    sim_destroy(sim);
}

using SimDeathTest = SimTest;

TEST_F(SimDeathTest, StepsOutOfOrderAreCaught)
{
    EXPECT_DEATH(sim_simulate(sim, 1), "SIM_STARTED");
    EXPECT_DEATH(sim_startup(sim), "SIM_INITIALISED");
    sim_init(sim);
    EXPECT_DEATH(sim_init(sim), "SIM_BUILDING");
}
