// SPDX-License-Identifier: BSD-3-Clause
#include "mem/addr_map.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <random>

namespace
{

struct AddrMap : testing::Test {
    addr_map *map = addr_map_create();
    ~AddrMap() override
    {
        addr_map_destroy(map);
    }
    int add(uint64_t start, uint64_t size, const char *name,
            const addr_region **conflict = nullptr)
    {
        addr_region region = {start, size, name, nullptr, nullptr};
        return addr_map_add(map, &region, conflict);
    }
    const char *name_at(uint64_t addr)
    {
        const addr_region *region = addr_map_search(map, gpa_t{addr});
        return region == nullptr ? "nobody" : region->name;
    }
};

} // namespace

TEST_F(AddrMap, FindsTheRegionOfItsFirstAndLastAddress)
{
    ASSERT_EQ(add(0x2000, 0x1000, "uart"), 0);
    ASSERT_EQ(add(0x1000, 0x800, "rtc"), 0);
    EXPECT_STREQ(name_at(0xfff), "nobody");
    EXPECT_STREQ(name_at(0x1000), "rtc");
    EXPECT_STREQ(name_at(0x17ff), "rtc");
    EXPECT_STREQ(name_at(0x1800), "nobody");
    EXPECT_STREQ(name_at(0x2fff), "uart");
    EXPECT_STREQ(name_at(0x3000), "nobody");
}

TEST_F(AddrMap, AnOverlapNamesTheRegionInTheWay)
{
    const addr_region *conflict = nullptr;

    ASSERT_EQ(add(0x1000, 0x1000, "uart"), 0);
    ASSERT_EQ(add(0x4000, 0x1000, "rtc"), 0);
    EXPECT_EQ(add(0x1fff, 1, "late", &conflict), -EEXIST);
    EXPECT_STREQ(conflict->name, "uart");
    EXPECT_EQ(add(0x2000, 0x2001, "late", &conflict), -EEXIST);
    EXPECT_STREQ(conflict->name, "rtc");
    EXPECT_EQ(add(0, UINT64_MAX, "late"), -EEXIST);
    EXPECT_EQ(addr_map_len(map), 2u);
}

TEST_F(AddrMap, EmptyAndWrappingRegionsAreRefused)
{
    EXPECT_EQ(add(0x1000, 0, "empty"), -EINVAL);
    EXPECT_EQ(add(UINT64_MAX, 2, "wraps"), -EINVAL);
    EXPECT_EQ(add(UINT64_MAX, 1, "last byte"), 0);
    EXPECT_STREQ(name_at(UINT64_MAX), "last byte");
}

TEST_F(AddrMap, TheCallersCacheNeverGivesAWrongRegion)
{
    const addr_region *last = nullptr;

    ASSERT_EQ(add(0x1000, 0x1000, "uart"), 0);
    ASSERT_EQ(add(0x3000, 0x1000, "rtc"), 0);
    EXPECT_STREQ(addr_map_find(map, gpa_t{0x1004}, &last)->name, "uart");
    EXPECT_STREQ(addr_map_find(map, gpa_t{0x1008}, &last)->name, "uart");
    EXPECT_STREQ(addr_map_find(map, gpa_t{0x3000}, &last)->name, "rtc");
    EXPECT_EQ(addr_map_find(map, gpa_t{0x2000}, &last), nullptr);
    EXPECT_STREQ(last->name, "rtc") << "a miss keeps what was remembered";
}

TEST_F(AddrMap, AgreesWithAnOrderedMapOnRandomRegions)
{
    std::mt19937 random(3);
    std::map<uint64_t, const char *> owner; // by address, byte for byte

    for (int i = 0; i < 300; i++) {
        uint64_t start = random() % 4000;
        uint64_t size = 1 + random() % 60;
        bool is_free = true;
        for (uint64_t a = start; a < start + size; a++)
            is_free = is_free && owner.count(a) == 0;
        const char *name = i % 2 == 0 ? "even" : "odd";
        ASSERT_EQ(add(start, size, name), is_free ? 0 : -EEXIST);
        for (uint64_t a = start; is_free && a < start + size; a++)
            owner[a] = name;
    }
    for (uint64_t a = 0; a < 4100; a++)
        ASSERT_STREQ(name_at(a), owner.count(a) != 0 ? owner[a] : "nobody");
    for (size_t i = 1; i < addr_map_len(map); i++)
        EXPECT_LT(addr_map_get(map, i - 1)->start, addr_map_get(map, i)->start);
}
