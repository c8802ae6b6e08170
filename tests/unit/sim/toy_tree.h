/* SPDX-License-Identifier: BSD-3-Clause */
/* A simulation with a tree of toys: root with children a and b, a with c. */
#ifndef TESTS_UNIT_SIM_TOY_TREE_H
#define TESTS_UNIT_SIM_TOY_TREE_H

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "sim/param.h"
#include "sim/sim.h"
#include "toy.h"

class ToyTree : public testing::Test
{
  protected:
    toy_log log = {};
    struct sim *sim = nullptr;
    sim_object *root = nullptr;

    void SetUp() override
    {
        sim_host host = {};

        host.ctx = &log;
        host.fatal = [](void *, const char *text) {
            throw std::runtime_error(text);
        };
        sim = sim_create(&host);
        root = sim_object_create(sim, &plain_type, nullptr, "root", nullptr);
    }

    void TearDown() override
    {
        sim_destroy(sim);
    }

    sim_object *add(const sim_type &type, sim_object *parent, const char *name,
                    const char *origin = nullptr)
    {
        return sim_object_create(sim, &type, parent, name, origin);
    }

    static toy *as_toy(sim_object *obj)
    {
        return reinterpret_cast<toy *>(obj);
    }

    static const sim_param *param(const char *name)
    {
        return sim_param_find(&toy_type, name);
    }

    /* The calls since the last question. */
    std::string calls()
    {
        std::string text = log.calls;

        log.calls[0] = 0;
        return text;
    }

    /* What sim_fatal says while @action runs. */
    template <typename Action> static std::string fatal_text(Action action)
    {
        try {
            action();
        } catch (const std::runtime_error &error) {
            return error.what();
        }
        return "";
    }
};

#endif
