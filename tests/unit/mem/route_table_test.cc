// SPDX-License-Identifier: BSD-3-Clause
#include "mem/route_table.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace
{

struct RouteTable : testing::Test {
    route_table table = {};
    ~RouteTable() override
    {
        route_table_fini(&table);
    }
    int add(const addr_range &range, uint32_t port,
            const route **conflict = nullptr)
    {
        return route_table_add(&table, &range, port, conflict);
    }
    // -1: nobody
    int port_at(uint64_t addr)
    {
        const route *found = route_table_search(&table, gpa_t{addr});
        return found == nullptr ? -1 : static_cast<int>(found->port);
    }
};

addr_range range(uint64_t start, uint64_t end)
{
    addr_range result = {};
    result.start = start;
    result.end = end;
    return result;
}

addr_range channel(uint64_t start, uint64_t end, uint8_t match)
{
    addr_range result = range(start, end);
    result.intlv_bits = 1;
    result.intlv_match = match;
    result.masks[0] = 0x40;
    return result;
}

} // namespace

TEST_F(RouteTable, SendsEachAddressToItsOwner)
{
    ASSERT_EQ(add(range(0x2000, 0x3000), 2), 0);
    ASSERT_EQ(add(range(0, 0x1000), 0), 0);
    ASSERT_EQ(add(range(0x1000, 0x1800), 1), 0);
    EXPECT_EQ(port_at(0), 0);
    EXPECT_EQ(port_at(0xfff), 0);
    EXPECT_EQ(port_at(0x1000), 1);
    EXPECT_EQ(port_at(0x1800), -1);
    EXPECT_EQ(port_at(0x2fff), 2);
    EXPECT_EQ(port_at(0x3000), -1);
    EXPECT_EQ(port_at(UINT64_MAX), -1);
}

TEST_F(RouteTable, InterleavedChannelsAlternate)
{
    ASSERT_EQ(add(channel(0, 0x10000, 0), 0), 0);
    ASSERT_EQ(add(channel(0, 0x10000, 1), 1), 0);
    ASSERT_EQ(add(range(0x10000, 0x11000), 2), 0);
    for (uint64_t addr = 0; addr < 0x10000; addr += 32)
        ASSERT_EQ(port_at(addr), addr & 0x40 ? 1 : 0);
    EXPECT_EQ(port_at(0x10000), 2);
}

TEST_F(RouteTable, AMissingChannelIsNobodys)
{
    ASSERT_EQ(add(channel(0, 0x10000, 1), 1), 0);
    EXPECT_EQ(port_at(0), -1);
    EXPECT_EQ(port_at(0x40), 1);
}

TEST_F(RouteTable, OverlapsAreRefusedAndNameTheRouteInTheWay)
{
    const route *conflict = nullptr;

    ASSERT_EQ(add(channel(0, 0x10000, 0), 7), 0);
    EXPECT_EQ(add(channel(0, 0x10000, 0), 1, &conflict), -EEXIST);
    EXPECT_EQ(conflict->port, 7u);
    EXPECT_EQ(add(range(0xffff, 0x10001), 1), -EEXIST);
    EXPECT_EQ(add(channel(0, 0x8000, 1), 1), -EEXIST)
        << "channels of one interval share both ends";
    EXPECT_EQ(add(range(5, 5), 1), -EINVAL);
    EXPECT_EQ(table.len, 1u);
}

TEST_F(RouteTable, TheCallersCacheNeverGivesAWrongRoute)
{
    const route *last = nullptr;

    ASSERT_EQ(add(channel(0, 0x10000, 0), 0), 0);
    ASSERT_EQ(add(channel(0, 0x10000, 1), 1), 0);
    for (uint64_t addr = 0; addr < 0x10000; addr += 16) {
        const route *found = route_table_find(&table, gpa_t{addr}, &last);
        ASSERT_EQ(found->port, addr & 0x40 ? 1u : 0u);
    }
    EXPECT_EQ(route_table_find(&table, gpa_t{0x10000}, &last), nullptr);
    EXPECT_NE(last, nullptr);
}
