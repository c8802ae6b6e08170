// SPDX-License-Identifier: BSD-3-Clause
#include "running_tree.h"
#include "sim/sim.h"

using DrainTest = RunningTree;

TEST_F(DrainTest, DrainingEndsWhenTheLastObjectIsDone)
{
    sim_object *a = add(toy_type, root, "a");
    sim_object *b = add(toy_type, root, "b");
    char why[200];

    ASSERT_EQ(sim_port_bind(a, "out", 0, b, "in", 0, why), 0);
    ASSERT_EQ(sim_port_bind(b, "out", 0, a, "in", 0, why), 0);
    start();
    EXPECT_TRUE(sim_drain(sim));
    as_toy(a)->is_draining = as_toy(b)->is_draining = true;
    EXPECT_FALSE(sim_drain(sim));
    as_toy(a)->is_draining = as_toy(b)->is_draining = false;
    sim_drain_done(a);
    EXPECT_STREQ(sim_simulate(sim, 5).cause, "simulate() limit reached");
    sim_drain_done(b);
    EXPECT_STREQ(sim_simulate(sim, 5).cause, "Finished drain");
    EXPECT_TRUE(sim_drain(sim));
    sim_resume(sim);
}
