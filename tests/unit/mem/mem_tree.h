// SPDX-License-Identifier: BSD-3-Clause
// A simulation with a System in timing mode and a clock of 1 GHz, to which a
// test adds memories, crossbars and their neighbours.
#ifndef TESTS_UNIT_MEM_TREE_H
#define TESTS_UNIT_MEM_TREE_H

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>

#include "mem/port.h"
#include "mem/system.h"
#include "mem/toy_mem.h"
#include "sim/clock.h"
#include "sim/param.h"
#include "sim/root.h"
#include "sim/sim.h"
#include "sim/stat_tree.h"

extern "C" {
extern const struct sim_type simple_memory_type;
extern const struct sim_type noncoherent_xbar_type;
extern const struct sim_type system_xbar_type;
extern const struct sim_type snoop_filter_type;
}

class MemTree : public testing::Test
{
  protected:
    static constexpr uint64_t MIB = 1 << 20;
    static constexpr tick_t NS = 1000;

    struct sim *sim = nullptr;
    sim_object *root = nullptr, *system = nullptr, *clock = nullptr;
    std::string messages; // one per line

    void SetUp() override
    {
        sim_host host = {};

        host.ctx = this;
        host.fatal = [](void *, const char *text) {
            throw std::runtime_error(text);
        };
        host.message = [](void *ctx, const char *level, const char *text) {
            static_cast<MemTree *>(ctx)->messages +=
                std::string(level) + ": " + text + "\n";
        };
        sim = sim_create(&host);
        root = sim_object_create(sim, &root_type, nullptr, "root", nullptr);
        system = add(system_type, root, "system");
        set(system, "mem_mode", MEM_MODE_TIMING);
        clock = add(src_clock_domain_type, system, "clk_domain");
        reinterpret_cast<clock_domain *>(clock)->period = NS;
    }

    void TearDown() override
    {
        sim_destroy(sim);
    }

    sim_object *add(const sim_type &type, sim_object *parent, const char *name)
    {
        sim_object *obj = sim_object_create(sim, &type, parent, name, nullptr);

        if (sim_param_find(&type, "clk_domain") != nullptr && clock != nullptr)
            reinterpret_cast<clocked_object *>(obj)->clk_domain =
                reinterpret_cast<clock_domain *>(clock);
        return obj;
    }

    static void set_value(sim_object *obj, const char *name,
                          const sim_value &value)
    {
        const sim_param *param = sim_param_find(obj->type, name);

        ASSERT_NE(param, nullptr) << name;
        sim_param_set(obj, param, &value, "run.py:1");
    }
    static void set(sim_object *obj, const char *name, uint64_t number)
    {
        sim_value value = {};
        value.u = number;
        set_value(obj, name, value);
    }
    static void set_double(sim_object *obj, const char *name, double number)
    {
        sim_value value = {};
        value.f = number;
        set_value(obj, name, value);
    }
    static void set_string(sim_object *obj, const char *name, const char *text)
    {
        sim_value value = {};
        value.s = text;
        set_value(obj, name, value);
    }
    static void set_range(sim_object *obj, uint64_t start, uint64_t end)
    {
        sim_value value = {};
        value.range.start = start;
        value.range.end = end;
        set_value(obj, "range", value);
    }
    static void bind(sim_object *a, const char *a_port, sim_object *b,
                     const char *b_port)
    {
        char why[200] = "";
        ASSERT_EQ(sim_port_bind(a, a_port, SIM_PORT_APPEND, b, b_port,
                                SIM_PORT_APPEND, why),
                  0)
            << why;
    }

    // Latency 30 ns, 1 ns per 10 bytes, unless the test says otherwise.
    sim_object *add_memory(const char *name, uint64_t start, uint64_t end)
    {
        sim_object *mem = add(simple_memory_type, system, name);

        set_range(mem, start, end);
        set(mem, "in_addr_map", 1);
        set(mem, "writeable", 1);
        set(mem, "latency", 30 * NS);
        set_double(mem, "bandwidth", 100);
        return mem;
    }
    toy_requestor *add_requestor(const char *name, sim_object *to,
                                 const char *port)
    {
        sim_object *obj = add(toy_requestor_type, system, name);

        bind(obj, "port", to, port);
        return reinterpret_cast<toy_requestor *>(obj);
    }
    toy_responder *add_responder(const char *name, uint64_t start, uint64_t end,
                                 tick_t latency)
    {
        sim_object *obj = add(toy_responder_type, system, name);

        set_range(obj, start, end);
        set(obj, "latency", latency);
        return reinterpret_cast<toy_responder *>(obj);
    }

    // The same, with somebody connected to it.
    sim_object *add_ram(const char *name, uint64_t start, uint64_t end)
    {
        sim_object *mem = add_memory(name, start, end);

        add_requestor((std::string(name) + "_user").c_str(), mem, "port");
        return mem;
    }

    void start()
    {
        sim_init(sim);
        sim_reset(sim);
        sim_startup(sim);
        stat_reset(root, sim_now(sim));
    }

    static mem_req request(uint64_t addr, mem_kind kind, uint32_t size = 64)
    {
        mem_req req = {};
        req.addr.v = addr;
        req.kind = static_cast<uint8_t>(kind);
        req.size = size;
        return req;
    }
    static tick_t access(toy_requestor *from, mem_req req, tick_t when)
    {
        return mem_access(&from->port, &req, when);
    }

    // Element @index of a statistic by its dotted name below the root.
    double stat(const char *name, uint32_t index = 0)
    {
        stat_group *top = stat_group_create(root);
        const stat_row *row = stat_find(top, name);
        double value = std::numeric_limits<double>::quiet_NaN();

        EXPECT_NE(row, nullptr) << name;
        if (row != nullptr)
            value = stat_row_value(row, index, sim_now(sim));
        stat_group_destroy(top);
        return value;
    }

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
