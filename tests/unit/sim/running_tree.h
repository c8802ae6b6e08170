/* SPDX-License-Identifier: BSD-3-Clause */
/* A tree of toys that can simulate, and events whose action is a lambda. */
#ifndef TESTS_UNIT_SIM_RUNNING_TREE_H
#define TESTS_UNIT_SIM_RUNNING_TREE_H

#include <functional>
#include <utility>

#include "toy_tree.h"

struct Action {
    sim_event event;
    std::function<void(tick_t)> action;

    explicit Action(std::function<void(tick_t)> what,
                    int priority = EVENT_PRI_DEFAULT)
        : action(std::move(what))
    {
        event_init(&event, "action", priority, [](sim_event *e, tick_t now) {
            reinterpret_cast<Action *>(e)->action(now);
        });
    }
};

class RunningTree : public ToyTree
{
  protected:
    void start()
    {
        sim_init(sim);
        sim_reset(sim);
        sim_startup(sim);
    }

    void expect_exit(const sim_exit &exit, const char *cause, tick_t tick,
                     int64_t code = 0)
    {
        EXPECT_STREQ(exit.cause, cause);
        EXPECT_EQ(exit.tick, tick);
        EXPECT_EQ(exit.code, code);
        EXPECT_EQ(sim_now(sim), tick);
    }
};

#endif
