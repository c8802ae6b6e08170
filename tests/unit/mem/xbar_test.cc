// SPDX-License-Identifier: BSD-3-Clause
#include "mem_tree.h"

// A crossbar of 1 GHz, frontend 3, forward 4, response 2, header 1, 16 bytes
// wide: SystemXBar's numbers.
class XBar : public MemTree
{
  protected:
    sim_object *bus = nullptr;

    void SetUp() override
    {
        MemTree::SetUp();
        bus = add_bus("bus");
    }
    sim_object *add_bus(const char *name)
    {
        sim_object *obj = add(system_xbar_type, system, name);

        set(obj, "frontend_latency", 3);
        set(obj, "forward_latency", 4);
        set(obj, "response_latency", 2);
        set(obj, "header_latency", 1);
        set(obj, "width", 16);
        return obj;
    }
    toy_requestor *add_cpu(const char *name)
    {
        return add_requestor(name, bus, "cpu_side_ports");
    }
    toy_responder *add_mem(const char *name, uint64_t start, uint64_t end,
                           tick_t latency = 0)
    {
        toy_responder *mem = add_responder(name, start, end, latency);
        bind(bus, "mem_side_ports", &mem->base, "port");
        return mem;
    }
};

TEST_F(XBar, RoutesByAddress)
{
    toy_requestor *cpu = add_cpu("cpu");
    toy_responder *low = add_mem("low", 0, 0x1000);
    toy_responder *high = add_mem("high", 0x1000, 0x2000);

    start();
    access(cpu, request(0xfff, MEM_READ, 1), 0);
    access(cpu, request(0x1000, MEM_READ), 0);
    access(cpu, request(0x1fff, MEM_READ, 1), 0);
    EXPECT_EQ(low->num_asked, 1u);
    EXPECT_EQ(high->num_asked, 2u);
    EXPECT_EQ(high->last_req.addr.v, 0x1fffu);
}

// Down 3 + 4 + 1 cycles; up 2 + 1 and 64 bytes in 4.
TEST_F(XBar, AReadPaysForItsHeaderDownAndItsDataUp)
{
    toy_requestor *cpu = add_cpu("cpu");
    toy_responder *mem = add_mem("mem", 0, MIB, 100 * NS);

    start();
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 0), (8 + 100 + 7) * NS);
    EXPECT_EQ(mem->last_when, 8 * NS);
}

TEST_F(XBar, AWritePaysForItsDataDown)
{
    toy_requestor *cpu = add_cpu("cpu");
    toy_responder *mem = add_mem("mem", 0, MIB, 100 * NS);

    start();
    EXPECT_EQ(access(cpu, request(0, MEM_WRITE), 0), (12 + 100 + 3) * NS);
    EXPECT_EQ(mem->last_when, 12 * NS);
}

TEST_F(XBar, RequestsStartAtAClockEdge)
{
    toy_requestor *cpu = add_cpu("cpu");

    add_mem("mem", 0, MIB, 100 * NS);
    start();
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 1), 116 * NS);
}

TEST_F(XBar, TwoRequestorsShareTheLayerOfOneResponder)
{
    toy_requestor *a = add_cpu("a"), *b = add_cpu("b");

    add_mem("mem", 0, MIB);
    start();
    tick_t first = access(a, request(0, MEM_WRITE), 0);
    tick_t second = access(b, request(64, MEM_WRITE), 0);
    EXPECT_EQ(second - first, 5 * NS) << "header and four beats";
}

TEST_F(XBar, DifferentPairsDoNotDisturbEachOther)
{
    toy_requestor *a = add_cpu("a"), *b = add_cpu("b");

    add_mem("low", 0, MIB);
    add_mem("high", MIB, 2 * MIB);
    start();
    EXPECT_EQ(access(a, request(0, MEM_WRITE), 0),
              access(b, request(MIB, MEM_WRITE), 0));
}

// 64 bytes in 4 beats and a header: 12.8 GB/s at 1 GHz.
TEST_F(XBar, AStreamOfReadsGetsTheBandwidthOfTheResponseLayer)
{
    toy_requestor *cpu = add_cpu("cpu");
    tick_t done = 0;

    add_mem("mem", 0, MIB, 50 * NS);
    start();
    for (int i = 0; i < 1000; i++)
        done = access(cpu, request(64 * static_cast<uint64_t>(i), MEM_READ), 0);
    EXPECT_EQ(done, (8 + 50 + 7 + 999 * 5) * NS);
    EXPECT_EQ(stat("system.bus.respLayerOccupancy"), 5000.0 * NS);
    EXPECT_EQ(stat("system.bus.reqLayerOccupancy"), 1000.0 * NS);
}

TEST_F(XBar, AtomicModeHasLatencyButNoContention)
{
    toy_requestor *cpu = add_cpu("cpu");

    set(system, "mem_mode", MEM_MODE_ATOMIC);
    add_mem("mem", 0, MIB);
    start();
    EXPECT_EQ(access(cpu, request(0, MEM_WRITE), 0),
              access(cpu, request(0, MEM_WRITE), 0));
}

TEST_F(XBar, ASnoopFilterAddsItsLookup)
{
    toy_requestor *cpu = add_cpu("cpu");
    sim_object *filter = add(snoop_filter_type, bus, "snoop_filter");
    sim_value value = {};

    value.obj = filter;
    set_value(bus, "snoop_filter", value);
    set(filter, "lookup_latency", 1);
    add_mem("mem", 0, MIB);
    start();
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 0), (9 + 7) * NS);
}

TEST_F(XBar, OverlappingRespondersAreRefusedWithBothNames)
{
    add_cpu("cpu");
    add_mem("low", 0, 0x2000);
    add_mem("high", 0x1000, 0x3000);
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("system.bus: system.low and system.high both claim"),
              std::string::npos)
        << text;
}

TEST_F(XBar, AnUnclaimedAddressIsAnOpenBus)
{
    toy_requestor *cpu = add_cpu("cpu");
    uint32_t value = 0;

    add_mem("mem", 0, MIB);
    start();
    mem_req req = request(2 * MIB, MEM_READ, 4);
    req.data = &value;
    EXPECT_GT(access(cpu, req, 0), 0u);
    EXPECT_EQ(value, 0xffffffffu);
    EXPECT_EQ(stat("system.bus.numUnclaimed"), 1);
    EXPECT_NE(messages.find("nobody answers at 0x200000"), std::string::npos)
        << messages;
}

TEST_F(XBar, TheDefaultPortGetsWhatNobodyClaims)
{
    toy_requestor *cpu = add_cpu("cpu");
    toy_responder *other = add_responder("other", 0x5000, 0x6000, 0);

    add_mem("mem", 0, 0x1000);
    bind(bus, "default", &other->base, "port");
    start();
    access(cpu, request(0x99999, MEM_READ), 0);
    access(cpu, request(0, MEM_READ), 0);
    EXPECT_EQ(other->num_asked, 1u);
    EXPECT_EQ(stat("system.bus.numUnclaimed"), 0);
}

TEST_F(XBar, WithUseDefaultRangeTheDefaultPortServesItsRangesOnly)
{
    toy_requestor *cpu = add_cpu("cpu");
    toy_responder *other = add_responder("other", 0x5000, 0x6000, 0);

    set(bus, "use_default_range", 1);
    add_mem("mem", 0, 0x1000);
    bind(bus, "default", &other->base, "port");
    start();
    access(cpu, request(0x99999, MEM_READ), 0);
    access(cpu, request(0x5000, MEM_READ), 0);
    EXPECT_EQ(other->num_asked, 1u);
    EXPECT_EQ(stat("system.bus.numUnclaimed"), 1);
}

TEST_F(XBar, CrossbarsInARowPassRangesOn)
{
    toy_requestor *cpu = add_cpu("cpu");
    sim_object *second = add_bus("second");
    toy_responder *mem = add_responder("mem", 0, MIB, 0);

    bind(bus, "mem_side_ports", second, "cpu_side_ports");
    bind(second, "mem_side_ports", &mem->base, "port");
    start();
    EXPECT_EQ(access(cpu, request(0, MEM_READ), 0), 2 * 15 * NS);
    EXPECT_EQ(mem->num_asked, 1u);
}

TEST_F(XBar, ALoopOfCrossbarsIsTheUsersError)
{
    sim_object *second = add_bus("second");

    bind(bus, "mem_side_ports", second, "cpu_side_ports");
    bind(second, "mem_side_ports", bus, "cpu_side_ports");
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("loop of crossbars"), std::string::npos) << text;
}

TEST_F(XBar, CountsPacketsAndBytesOfEachPair)
{
    toy_requestor *a = add_cpu("a"), *b = add_cpu("b");

    add_mem("low", 0, MIB);
    add_mem("high", MIB, 2 * MIB);
    start();
    access(a, request(MIB, MEM_READ, 32), 0);
    access(b, request(0, MEM_WRITE), 0);
    access(b, request(0, MEM_WRITEBACK), 0);
    EXPECT_EQ(stat("system.bus.pktCount", 1), 2) << "a with high";
    EXPECT_EQ(stat("system.bus.pktSize", 1), 32);
    EXPECT_EQ(stat("system.bus.pktCount", 2), 3) << "b with low";
    EXPECT_EQ(stat("system.bus.pktSize", 2), 128);
    EXPECT_EQ(stat("system.bus.transDist", 2 * MEM_READ), 1);
    EXPECT_EQ(stat("system.bus.transDist", 2 * MEM_WRITE + 1), 1);
    EXPECT_EQ(stat("system.bus.transDist", 2 * MEM_WRITEBACK), 1);
    EXPECT_EQ(stat("system.bus.transDist", 2 * MEM_WRITEBACK + 1), 0);
}

TEST_F(XBar, CountsPacketsFromBeforeAllItRemembersUntilTheReset)
{
    toy_requestor *cpu = add_cpu("cpu");

    add_mem("mem", 0, MIB);
    start();
    for (tick_t i = 1; i < 1000; i++)
        access(cpu, request(0, MEM_READ), i * 100 * NS);
    EXPECT_EQ(stat("system.bus.numLate"), 0);
    access(cpu, request(0, MEM_READ), 0);
    EXPECT_EQ(stat("system.bus.numLate"), 2) << "request and response";
    stat_reset(root, 0);
    EXPECT_EQ(stat("system.bus.numLate"), 0);
}
