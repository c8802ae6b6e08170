// SPDX-License-Identifier: BSD-3-Clause
#include "mem_tree.h"

using SimpleMemory = MemTree;

TEST_F(SimpleMemory, AnswersAfterItsLatency)
{
    toy_requestor *cpu =
        add_requestor("cpu", add_memory("mem", 0, MIB), "port");

    start();
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 1000), 1000 + 30 * NS);
}

TEST_F(SimpleMemory, RequestsThatFollowAtOnceWaitForTheDataPath)
{
    toy_requestor *cpu =
        add_requestor("cpu", add_memory("mem", 0, MIB), "port");

    start();
    for (tick_t i = 0; i < 100; i++)
        EXPECT_EQ(access(cpu, request(0, MEM_WRITE), 0), i * 6400 + 30 * NS);
}

TEST_F(SimpleMemory, AnOlderRequestUsesTheTimeBeforeAYoungerOne)
{
    toy_requestor *cpu =
        add_requestor("cpu", add_memory("mem", 0, MIB), "port");

    start();
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 50000), 80000u);
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 10000), 40000u);
}

TEST_F(SimpleMemory, OnlyTimingModeLimitsBandwidth)
{
    toy_requestor *cpu =
        add_requestor("cpu", add_memory("mem", 0, MIB), "port");

    set(system, "mem_mode", MEM_MODE_ATOMIC);
    start();
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 0), 30 * NS);
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 0), 30 * NS);
}

TEST_F(SimpleMemory, RandomLatencyStaysBelowItsBoundAndVaries)
{
    sim_object *mem = add_memory("mem", 0, MIB);
    toy_requestor *cpu = add_requestor("cpu", mem, "port");
    tick_t least = TICK_MAX, most = 0;

    set(mem, "latency_var", 10 * NS);
    start();
    for (tick_t when = 0; when < 1000000000; when += 1000000) {
        tick_t latency = access(cpu, request(0, MEM_READ), when) - when;
        least = std::min(least, latency);
        most = std::max(most, latency);
    }
    EXPECT_GE(least, 30 * NS);
    EXPECT_LT(least, 31 * NS);
    EXPECT_LT(most, 40 * NS);
    EXPECT_GE(most, 39 * NS);
}

TEST_F(SimpleMemory, CountsRequestsFromBeforeAllItRemembers)
{
    sim_object *mem = add_memory("mem", 0, MIB);
    toy_requestor *cpu = add_requestor("cpu", mem, "port");

    start();
    for (tick_t i = 1; i < 1000; i++)
        access(cpu, request(0, MEM_READ), i * 100 * NS);
    EXPECT_EQ(stat("system.mem.numLate"), 0);
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 1 * NS), 31 * NS);
    EXPECT_EQ(stat("system.mem.numLate"), 1);
}
