// SPDX-License-Identifier: BSD-3-Clause
#include "base/hashmap.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

TEST(Hashmap, AnEmptyMapHoldsNothing)
{
    hashmap map = {};

    EXPECT_EQ(hashmap_get(&map, 0), nullptr);
    hashmap_clear(&map);
}

TEST(Hashmap, ANewSlotIsZero)
{
    hashmap map = {};

    EXPECT_EQ(*hashmap_slot(&map, 0), 0u);
    *hashmap_slot(&map, 0) = 5;
    EXPECT_EQ(*hashmap_slot(&map, 0), 5u);
    EXPECT_EQ(map.len, 1u);
    hashmap_clear(&map);
    EXPECT_EQ(map.len, 0u);
    EXPECT_EQ(hashmap_get(&map, 0), nullptr);
}

TEST(Hashmap, AgreesWithTheStandardMap)
{
    std::unordered_map<uint64_t, uint64_t> expected;
    std::mt19937_64 random(1);
    hashmap map = {};

    for (int i = 0; i < 20000; i++) {
        /* Few distinct keys, many of them multiples of a power of two. */
        uint64_t key = (random() % 3000) << (random() % 2 * 40);

        expected[key] += key + 1;
        *hashmap_slot(&map, key) += key + 1;
    }
    EXPECT_EQ(map.len, expected.size());
    for (auto [key, value] : expected) {
        const uint64_t *found = hashmap_get(&map, key);

        ASSERT_NE(found, nullptr);
        EXPECT_EQ(*found, value);
    }
    EXPECT_EQ(hashmap_get(&map, 3001), nullptr);
    hashmap_clear(&map);
}
