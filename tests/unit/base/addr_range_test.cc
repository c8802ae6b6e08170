/* SPDX-License-Identifier: BSD-3-Clause */
/* Address ranges against a walk over every address of small ranges. */
#include "base/addr_range.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

static addr_range plain(uint64_t start, uint64_t end)
{
    addr_range range = {};

    range.start = start;
    range.end = end;
    return range;
}

/* Bits @low and @high XORed select one of two. */
static addr_range halves(uint64_t start, uint64_t end, uint64_t mask,
                         uint8_t match)
{
    addr_range range = plain(start, end);

    range.intlv_bits = 1;
    range.masks[0] = mask;
    range.intlv_match = match;
    return range;
}

TEST(AddrRange, ContainsItsFirstAddressButNotItsEnd)
{
    addr_range range = plain(0x1000, 0x2000);

    EXPECT_EQ(addr_range_size(&range), 0x1000u);
    EXPECT_FALSE(addr_range_contains(&range, 0xfff));
    EXPECT_TRUE(addr_range_contains(&range, 0x1000));
    EXPECT_TRUE(addr_range_contains(&range, 0x1fff));
    EXPECT_FALSE(addr_range_contains(&range, 0x2000));
    EXPECT_EQ(addr_range_offset(&range, 0x1234), 0x234u);
}

TEST(AddrRange, AnEmptyOrReversedRangeHoldsNothing)
{
    addr_range empty = plain(1, 0);
    addr_range all = plain(0, UINT64_MAX);

    EXPECT_EQ(addr_range_size(&empty), 0u);
    EXPECT_FALSE(addr_range_contains(&empty, 0));
    EXPECT_FALSE(addr_range_contains(&empty, 1));
    EXPECT_FALSE(addr_range_overlaps(&empty, &all));
}

TEST(AddrRange, RangesThatOnlyTouchDoNotOverlap)
{
    addr_range low = plain(0, 0x1000), high = plain(0x1000, 0x2000);
    addr_range middle = plain(0xfff, 0x1001);

    EXPECT_FALSE(addr_range_overlaps(&low, &high));
    EXPECT_TRUE(addr_range_overlaps(&low, &middle));
    EXPECT_TRUE(addr_range_overlaps(&middle, &high));
}

TEST(AddrRange, InterleavedHalvesShareTheRangeWithoutOverlap)
{
    addr_range even = halves(0, 0x1000, 0x40, 0);
    addr_range odd = halves(0, 0x1000, 0x40, 1);

    EXPECT_EQ(addr_range_size(&even), 0x800u);
    EXPECT_TRUE(addr_range_contains(&even, 0x3f));
    EXPECT_FALSE(addr_range_contains(&even, 0x40));
    EXPECT_TRUE(addr_range_contains(&odd, 0x40));
    EXPECT_FALSE(addr_range_overlaps(&even, &odd));
    EXPECT_TRUE(addr_range_overlaps(&even, &even));
}

TEST(AddrRange, HashedInterleavingUsesTheParityOfAllItsBits)
{
    addr_range odd = halves(0, 0x10000, 0x1040, 1);

    EXPECT_FALSE(addr_range_contains(&odd, 0x0000));
    EXPECT_TRUE(addr_range_contains(&odd, 0x0040));
    EXPECT_TRUE(addr_range_contains(&odd, 0x1000));
    EXPECT_FALSE(addr_range_contains(&odd, 0x1040));
}

TEST(AddrRange, OffsetsOfAnInterleavedRangeAreDense)
{
    addr_range range = plain(0x4000, 0x8000);

    range.intlv_bits = 2;
    range.masks[0] = 0x240;
    range.masks[1] = 0x480;
    range.intlv_match = 2;
    std::set<uint64_t> seen;
    for (uint64_t addr = range.start; addr < range.end; addr++)
        if (addr_range_contains(&range, addr))
            seen.insert(addr_range_offset(&range, addr));
    EXPECT_EQ(seen.size(), addr_range_size(&range));
    EXPECT_EQ(*seen.begin(), 0u);
    EXPECT_EQ(*seen.rbegin(), addr_range_size(&range) - 1);
}

static addr_range random_range(std::mt19937_64 &rng)
{
    addr_range range = plain(rng() % 300, 0);

    range.end = range.start + rng() % 300;
    range.intlv_bits = static_cast<uint8_t>(rng() % 4);
    range.intlv_match = static_cast<uint8_t>(rng() % (1u << range.intlv_bits));
    for (unsigned int i = 0; i < range.intlv_bits; i++)
        range.masks[i] = rng() % 1024;
    return range;
}

TEST(AddrRange, OverlapAgreesWithAWalkOverEveryAddress)
{
    std::mt19937_64 rng(1);
    unsigned int overlapping = 0;

    for (int round = 0; round < 20000; round++) {
        addr_range a = random_range(rng), b = random_range(rng);
        bool want = false;

        for (uint64_t addr = a.start; addr < a.end && !want; addr++)
            want =
                addr_range_contains(&a, addr) && addr_range_contains(&b, addr);
        overlapping += want;
        ASSERT_EQ(addr_range_overlaps(&a, &b), want) << "round " << round;
        ASSERT_EQ(addr_range_overlaps(&b, &a), want) << "round " << round;
    }
    EXPECT_GT(overlapping, 1000u);
    EXPECT_LT(overlapping, 19000u);
}

TEST(AddrRange, TheWholeAddressSpaceIsHandledWithoutOverflow)
{
    addr_range all = plain(0, UINT64_MAX);
    addr_range top = halves(UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, 1);

    EXPECT_TRUE(addr_range_overlaps(&all, &all));
    EXPECT_EQ(addr_range_overlaps(&all, &top),
              addr_range_contains(&top, UINT64_MAX - 1));
}
