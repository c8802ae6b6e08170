// SPDX-License-Identifier: BSD-3-Clause
#include "mem/mem_tree.h"

#include <cstdlib>
#include <fstream>

#include <unistd.h>

extern "C" {
extern const struct sim_type traffic_gen_type;
}

enum { LINEAR, RANDOM, STRIDED, TRACE_FILE };

class TrafficGen : public MemTree
{
  protected:
    sim_object *add_gen(const char *name, sim_object *to, const char *port)
    {
        sim_object *gen = add(traffic_gen_type, system, name);

        set(gen, "end", MIB);
        set(gen, "block_size", 64);
        set(gen, "rd_perc", 100);
        set(gen, "min_period", 10 * NS);
        set(gen, "max_period", 10 * NS);
        set(gen, "max_outstanding", 16);
        bind(gen, "port", to, port);
        return gen;
    }
    sim_exit run(tick_t ticks = TICK_MAX)
    {
        start();
        return sim_simulate(sim, ticks);
    }
    // 12.8 GB/s: 78.125 ticks per byte.
    sim_object *add_fast_memory()
    {
        sim_object *mem = add_memory("mem", 0, MIB);
        set_double(mem, "bandwidth", 1e12 / 12.8e9);
        return mem;
    }
    sim_object *add_bus()
    {
        sim_object *bus = add(noncoherent_xbar_type, system, "bus");
        set(bus, "frontend_latency", 1);
        set(bus, "forward_latency", 1);
        set(bus, "response_latency", 1);
        set(bus, "header_latency", 1);
        set(bus, "width", 64);
        return bus;
    }
};

TEST_F(TrafficGen, EndsTheSimulationWhenTheLastResponseIsBack)
{
    sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");

    set(gen, "max_requests", 3);
    sim_exit exit = run();
    EXPECT_STREQ(exit.cause, "all traffic generators are done");
    EXPECT_EQ(exit.tick, (2 * 10 + 30) * NS);
    EXPECT_EQ(stat("system.gen.numPackets"), 3);
    EXPECT_EQ(stat("system.gen.bytesRead"), 192);
    EXPECT_EQ(stat("system.gen.avgReadLatency"), 30.0 * NS);
}

TEST_F(TrafficGen, ADataLimitEndsItToo)
{
    sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");

    set(gen, "data_limit", 1000);
    run();
    EXPECT_EQ(stat("system.gen.numPackets"), 16) << "1024 bytes";
}

TEST_F(TrafficGen, TheSimulationLastsUntilAllLimitedGeneratorsAreDone)
{
    sim_object *bus = add_bus();
    sim_object *mem = add_memory("mem", 0, MIB);
    sim_object *fast = add_gen("fast", bus, "cpu_side_ports");
    sim_object *slow = add_gen("slow", bus, "cpu_side_ports");

    bind(bus, "mem_side_ports", mem, "port");
    add_gen("background", bus, "cpu_side_ports"); // without a limit
    set(fast, "max_requests", 5);
    set(slow, "max_requests", 50);
    run();
    EXPECT_EQ(stat("system.fast.numPackets"), 5);
    EXPECT_EQ(stat("system.slow.numPackets"), 50);
    EXPECT_GT(stat("system.background.numPackets"), 40);
}

TEST_F(TrafficGen, OneGeneratorGetsTheWholeBandwidthOfAMemory)
{
    sim_object *gen = add_gen("gen", add_fast_memory(), "port");

    set(gen, "min_period", 0);
    set(gen, "max_period", 0);
    run(100000 * NS);
    EXPECT_NEAR(stat("system.gen.readBW"), 12.8e9, 0.01 * 12.8e9);
    EXPECT_NEAR(stat("system.mem.bwTotal", 1), 12.8e9, 0.01 * 12.8e9);
}

TEST_F(TrafficGen, TwoGeneratorsShareItEvenly)
{
    sim_object *bus = add_bus();
    sim_object *mem = add_fast_memory();

    for (const char *name : {"a", "b"}) {
        sim_object *gen = add_gen(name, bus, "cpu_side_ports");
        set(gen, "min_period", 0);
        set(gen, "max_period", 0);
        set(gen, "rd_perc", 50);
    }
    bind(bus, "mem_side_ports", mem, "port");
    run(100000 * NS);
    double a = stat("system.a.readBW") + stat("system.a.writeBW");
    double b = stat("system.b.readBW") + stat("system.b.writeBW");
    EXPECT_NEAR(a, 6.4e9, 0.01 * 6.4e9);
    EXPECT_NEAR(b, 6.4e9, 0.01 * 6.4e9);
}

// Little's law: 4 requests of 64 bytes per 30 ns of latency.
TEST_F(TrafficGen, RequestsInFlightLimitTheBandwidth)
{
    sim_object *mem = add_memory("mem", 0, MIB);
    sim_object *gen = add_gen("gen", mem, "port");

    set_double(mem, "bandwidth", 0);
    set(gen, "min_period", 0);
    set(gen, "max_period", 0);
    set(gen, "max_outstanding", 4);
    run(100000 * NS);
    EXPECT_NEAR(stat("system.gen.readBW"), 4 * 64 / 30e-9,
                0.01 * 4 * 64 / 30e-9);
    EXPECT_GT(stat("system.gen.retryTicks"), 0);
}

TEST_F(TrafficGen, ThePeriodLimitsTheBandwidth)
{
    sim_object *gen = add_gen("gen", add_fast_memory(), "port");

    run(100000 * NS);
    EXPECT_NEAR(stat("system.gen.readBW"), 6.4e9, 0.01 * 6.4e9);
    EXPECT_EQ(stat("system.gen.numRetries"), 0);
    (void)gen;
}

TEST_F(TrafficGen, LinearAddressesWrapAtTheEnd)
{
    toy_responder *mem = add_responder("mem", 0, MIB, 0);
    sim_object *gen = add_gen("gen", &mem->base, "port");

    set(gen, "start", 0x100);
    set(gen, "end", 0x200);
    start();
    for (uint64_t i = 0; i < 10; i++) {
        sim_simulate(sim, i == 0 ? 1 : 10 * NS);
        ASSERT_EQ(mem->last_req.addr.v, 0x100 + i % 4 * 64);
    }
}

TEST_F(TrafficGen, StridedAddressesSkipBlocks)
{
    toy_responder *mem = add_responder("mem", 0, MIB, 0);
    sim_object *gen = add_gen("gen", &mem->base, "port");

    set(gen, "mode", STRIDED);
    set(gen, "stride", 256);
    set(gen, "end", 0x300);
    start();
    for (uint64_t i = 0; i < 7; i++) {
        sim_simulate(sim, i == 0 ? 1 : 10 * NS);
        ASSERT_EQ(mem->last_req.addr.v, i % 3 * 256);
    }
}

TEST_F(TrafficGen, RandomAddressesAreBlocksInTheRangeAndCoverIt)
{
    toy_responder *mem = add_responder("mem", 0, MIB, 0);
    sim_object *gen = add_gen("gen", &mem->base, "port");
    unsigned seen = 0;

    set(gen, "mode", RANDOM);
    set(gen, "start", 0x1000);
    set(gen, "end", 0x1200);
    start();
    for (int i = 0; i < 200; i++) {
        sim_simulate(sim, 10 * NS);
        uint64_t offset = mem->last_req.addr.v - 0x1000;
        ASSERT_LT(offset, 0x200u);
        ASSERT_EQ(offset % 64, 0u);
        seen |= 1U << (offset / 64);
    }
    EXPECT_EQ(seen, 0xffu);
}

TEST_F(TrafficGen, TheShareOfReadsIsWhatWasAskedFor)
{
    sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");

    set(gen, "rd_perc", 70);
    set(gen, "max_requests", 10000);
    run();
    EXPECT_NEAR(stat("system.gen.totalReads"), 7000, 200);
    EXPECT_EQ(stat("system.gen.totalReads") + stat("system.gen.totalWrites"),
              10000);
}

TEST_F(TrafficGen, RandomPeriodsLieBetweenTheirBounds)
{
    sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");

    set(gen, "min_period", 10 * NS);
    set(gen, "max_period", 30 * NS);
    set(gen, "max_requests", 10000);
    sim_exit exit = run();
    EXPECT_NEAR(static_cast<double>(exit.tick), 20e3 * 10000, 1e3 * 10000);
}

// A burst of 8 in 5 ns each, then one slot frees every 30 ns.
TEST_F(TrafficGen, AnElasticGeneratorDoesNotMakeUpForDelays)
{
    sim_object *mem = add_memory("mem", 0, MIB);
    sim_object *gen = add_gen("gen", mem, "port");

    set(gen, "min_period", 20 * NS);
    set(gen, "max_period", 20 * NS);
    set(gen, "max_outstanding", 1);
    set(gen, "elastic", 1);
    set(gen, "max_requests", 100);
    EXPECT_EQ(run().tick, 100 * 30 * NS);
    EXPECT_EQ(stat("system.gen.retryTicks"), 99 * 10.0 * NS);
}

TEST_F(TrafficGen, EqualSeedsGiveEqualRunsAndOthersDoNot)
{
    tick_t ticks[3];
    const uint64_t seeds[3] = {1, 1, 2};

    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            TearDown();
            SetUp();
        }
        sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");
        set(root, "seed", seeds[i]);
        set(gen, "mode", RANDOM);
        set(gen, "max_period", 50 * NS);
        set(gen, "max_requests", 1000);
        ticks[i] = run().tick;
    }
    EXPECT_EQ(ticks[0], ticks[1]);
    EXPECT_NE(ticks[0], ticks[2]);
}

TEST_F(TrafficGen, ATraceIsPlayedAtItsTicks)
{
    char name[] = "/tmp/trace_XXXXXX";
    int fd = mkstemp(name);

    ASSERT_GE(fd, 0);
    close(fd);
    std::ofstream(name) << "5000 r 0x40 32\n70000 w 0x80 64\n";
    toy_responder *mem = add_responder("mem", 0, MIB, 30 * NS);
    sim_object *gen = add_gen("gen", &mem->base, "port");
    set(gen, "mode", TRACE_FILE);
    set_string(gen, "trace_file", name);
    start();
    sim_simulate(sim, 6000);
    EXPECT_EQ(mem->last_when, 5000u);
    EXPECT_EQ(mem->last_req.addr.v, 0x40u);
    EXPECT_EQ(mem->last_req.size, 32u);
    sim_exit exit = sim_simulate(sim, TICK_MAX);
    EXPECT_EQ(exit.tick, 100000u);
    EXPECT_EQ(mem->last_when, 70000u);
    EXPECT_EQ(mem->last_req.kind, MEM_WRITE);
    unlink(name);
}

TEST_F(TrafficGen, WrongSettingsAreTheUsersErrorWithTheScriptsLine)
{
    struct {
        const char *param;
        uint64_t value;
        const char *text;
    } rows[] = {
        {"end",        63,         "no room for a block" },
        {"min_period", 20 * NS,    "less than min_period"},
        {"mode",       TRACE_FILE, "needs a file"        },
        {"mode",       STRIDED,    "needs a stride"      },
    };
    bool is_first = true;

    for (const auto &row : rows) {
        if (!is_first) {
            TearDown();
            SetUp();
        }
        is_first = false;
        sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");
        set(gen, row.param, row.value);
        std::string text = fatal_text([this] { sim_init(sim); });
        EXPECT_NE(text.find(row.text), std::string::npos) << text;
    }
}

TEST_F(TrafficGen, ATrafficThatWouldStopTimeIsRefused)
{
    sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");

    set(gen, "min_period", 0);
    set(gen, "max_period", 0);
    set(gen, "max_outstanding", 0);
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("time would stand still"), std::string::npos) << text;
}

TEST_F(TrafficGen, AMissingTraceIsTheUsersError)
{
    sim_object *gen = add_gen("gen", add_memory("mem", 0, MIB), "port");

    set(gen, "mode", TRACE_FILE);
    set_string(gen, "trace_file", "/nowhere/trace");
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("/nowhere/trace: No such file"), std::string::npos)
        << text;
    EXPECT_NE(text.find("run.py:1"), std::string::npos) << text;
}
