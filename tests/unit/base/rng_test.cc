// SPDX-License-Identifier: BSD-3-Clause
#include "base/rng.h"

#include <gtest/gtest.h>

#include <vector>

/* First outputs of the reference implementation for the state 1, 2, 3, 4. */
TEST(Rng, GivesTheSequenceOfXoshiro256StarStar)
{
    rng rng = {
        {1, 2, 3, 4}
    };

    EXPECT_EQ(rng_u64(&rng), 11520u);
    EXPECT_EQ(rng_u64(&rng), 0u);
    EXPECT_EQ(rng_u64(&rng), 1509978240u);
    EXPECT_EQ(rng_u64(&rng), 1215971899390074240u);
}

/* The sequence of splitmix64 for the seed 1234567, as published with it. */
TEST(Rng, SeedsWithSplitmix64)
{
    rng rng;

    rng_seed(&rng, 1234567);
    EXPECT_EQ(rng.s[0], 6457827717110365317u);
    EXPECT_EQ(rng.s[1], 3203168211198807973u);
    EXPECT_EQ(rng.s[2], 9817491932198370423u);
    EXPECT_EQ(rng.s[3], 4593380528125082431u);
}

TEST(Rng, ACopyOfTheStateGoesOnWithTheSameSequence)
{
    rng first, second;

    rng_seed(&first, 9);
    rng_u64(&first);
    second = first;
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(rng_u64(&first), rng_u64(&second));
}

TEST(Rng, NumbersBelowALimitAreEvenlySpread)
{
    std::vector<int> counts(7);
    rng rng;

    rng_seed(&rng, 1);
    for (int i = 0; i < 70000; i++)
        counts[rng_below(&rng, 7)]++;
    /* Six standard deviations around 10000. */
    for (int count : counts)
        EXPECT_NEAR(count, 10000, 556);
}

TEST(Rng, ALimitNearTheTopIsNotBiased)
{
    /* With a plain remainder, the lower half would come up twice as often. */
    uint64_t limit = UINT64_C(3) << 62;
    int low = 0;
    rng rng;

    rng_seed(&rng, 1);
    for (int i = 0; i < 30000; i++)
        low += rng_below(&rng, limit) < (UINT64_C(1) << 62);
    EXPECT_NEAR(low, 10000, 490);
}

TEST(Rng, ARangeIncludesBothEnds)
{
    bool has_first = false, has_last = false;
    rng rng;

    rng_seed(&rng, 3);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = rng_range(&rng, 10, 13);

        ASSERT_GE(value, 10u);
        ASSERT_LE(value, 13u);
        has_first |= value == 10;
        has_last |= value == 13;
    }
    EXPECT_TRUE(has_first && has_last);
    EXPECT_EQ(rng_range(&rng, 5, 5), 5u);
    rng_range(&rng, 0, UINT64_MAX);
}

TEST(Rng, DoublesLieBetweenZeroAndOne)
{
    double sum = 0;
    rng rng;

    rng_seed(&rng, 4);
    for (int i = 0; i < 10000; i++) {
        double value = rng_double(&rng);

        ASSERT_GE(value, 0.0);
        ASSERT_LT(value, 1.0);
        sum += value;
    }
    EXPECT_NEAR(sum / 10000, 0.5, 0.018);
}
