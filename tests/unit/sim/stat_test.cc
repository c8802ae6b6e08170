/* SPDX-License-Identifier: BSD-3-Clause */
/* Containers of statistics alone. */
#include "sim/stat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

TEST(StatAverage, WeightsLevelsByTheTimeTheyLasted)
{
    stat_average avg = {};

    stat_average_set(&avg, 4, 0);
    stat_average_set(&avg, 8, 100);
    /* 4 for 100 ticks, 8 for 99 and for the tick of the question itself. */
    EXPECT_DOUBLE_EQ(stat_average_mean(&avg, 199), 6.0);
}

TEST(StatAverage, ResetForgetsThePastButKeepsTheLevel)
{
    stat_average avg = {};

    stat_average_set(&avg, 100, 0);
    stat_average_set(&avg, 3, 50);
    stat_average_reset(&avg, 60);
    EXPECT_DOUBLE_EQ(stat_average_mean(&avg, 60), 3.0);
    EXPECT_DOUBLE_EQ(stat_average_mean(&avg, 1000), 3.0);
}

TEST(StatVector, ResetZeroesElementsAndKeepsTheShape)
{
    static const char *const names[] = {"a", "b", "c"};
    stat_vector vec = {};

    stat_vector_init(&vec, 3, names);
    vec.data[2] = 7;
    stat_vector_reset(&vec);
    EXPECT_EQ(vec.data[2], 0u);
    EXPECT_EQ(vec.len, 3u);
    EXPECT_STREQ(vec.subnames[2], "c");
    stat_vector_fini(&vec);
    EXPECT_EQ(vec.data, nullptr);
    stat_vector_reset(&vec);
}

TEST(StatVector2d, ResetZeroesEveryElement)
{
    stat_vector2d matrix = {};

    stat_vector2d_init(&matrix, 2, nullptr, 3, nullptr);
    for (int i = 0; i < 6; i++)
        matrix.data[i] = 1;
    stat_vector2d_reset(&matrix);
    for (int i = 0; i < 6; i++)
        EXPECT_EQ(matrix.data[i], 0u);
    stat_vector2d_fini(&matrix);
    stat_vector2d_reset(&matrix);
}

TEST(StatDist, SortsValuesIntoBucketsUnderflowAndOverflow)
{
    stat_dist dist = {};

    stat_dist_init(&dist, 0, 9, 5);
    ASSERT_EQ(dist.num_buckets, 2u);
    stat_dist_sample(&dist, -1, 1);
    stat_dist_sample(&dist, 0, 2);
    stat_dist_sample(&dist, 4.9, 3);
    stat_dist_sample(&dist, 5, 4);
    stat_dist_sample(&dist, 9, 5);
    stat_dist_sample(&dist, 9.5, 6);
    EXPECT_EQ(dist.underflow, 1u);
    EXPECT_EQ(dist.buckets[0], 5u);
    EXPECT_EQ(dist.buckets[1], 9u);
    EXPECT_EQ(dist.overflow, 6u);
    EXPECT_EQ(dist.samples, 21u);
    EXPECT_EQ(dist.min_value, -1);
    EXPECT_EQ(dist.max_value, 9.5);
    stat_dist_reset(&dist);
    EXPECT_EQ(dist.samples + dist.underflow + dist.overflow + dist.buckets[0],
              0u);
    EXPECT_EQ(dist.bucket_size, 5);
    stat_dist_fini(&dist);
}

TEST(StatDist, RoundsTheNumberOfBucketsUp)
{
    stat_dist dist = {};

    stat_dist_init(&dist, 0, 10, 4);
    EXPECT_EQ(dist.num_buckets, 3u);
    stat_dist_sample(&dist, 10, 1);
    EXPECT_EQ(dist.buckets[2], 1u);
    stat_dist_fini(&dist);
}

TEST(StatHist, DoublesItsBucketsUntilTheValueFits)
{
    stat_dist hist = {};

    stat_hist_init(&hist, 4);
    for (int value = 0; value < 4; value++)
        stat_hist_sample(&hist, value, 1);
    EXPECT_EQ(hist.bucket_size, 1);
    stat_hist_sample(&hist, 4, 1);
    EXPECT_EQ(hist.bucket_size, 2);
    EXPECT_EQ(hist.buckets[0], 2u);
    EXPECT_EQ(hist.buckets[1], 2u);
    EXPECT_EQ(hist.buckets[2], 1u);
    EXPECT_EQ(hist.max, 6);
    stat_dist_fini(&hist);
}

TEST(StatHist, ResetReturnsToUnitBuckets)
{
    stat_dist hist = {};

    stat_hist_init(&hist, 4);
    stat_hist_sample(&hist, -1000, 1);
    stat_hist_reset(&hist);
    EXPECT_EQ(hist.min, 0);
    EXPECT_EQ(hist.bucket_size, 1);
    EXPECT_EQ(hist.samples, 0u);
    stat_hist_sample(&hist, 3, 1);
    EXPECT_EQ(hist.buckets[3], 1u);
    stat_dist_fini(&hist);
}

TEST(StatHist, TheFirstNegativeValueCentresTheRangeOnZero)
{
    for (uint32_t len : {4u, 5u}) {
        stat_dist hist = {};

        stat_hist_init(&hist, len);
        stat_hist_sample(&hist, 1, 1);
        stat_hist_sample(&hist, len - 1, 1);
        stat_hist_sample(&hist, -1, 1);
        EXPECT_EQ(hist.bucket_size, 2);
        EXPECT_EQ(hist.min, -4);
        EXPECT_EQ(hist.buckets[1], 1u);
        EXPECT_EQ(hist.buckets[2], 1u);
        EXPECT_EQ(hist.buckets[len == 4 ? 3 : 4], 1u);
        stat_dist_fini(&hist);
    }
}

/* However the buckets grew, each holds exactly the samples within its bounds.
 */
TEST(StatHist, NoSampleIsEverInAWrongBucket)
{
    std::mt19937_64 rng(7);

    for (int round = 0; round < 300; round++) {
        uint32_t len = 2 + static_cast<uint32_t>(rng() % 9);
        std::vector<double> values;
        stat_dist hist = {};

        stat_hist_init(&hist, len);
        for (int i = 0; i < 40; i++) {
            double value = static_cast<double>(rng() % (1u << (rng() % 20)));

            values.push_back(round % 3 && rng() % 2 ? value : -value);
            stat_hist_sample(&hist, values.back(), 1);
        }
        for (uint32_t i = 0; i < len; i++) {
            double low = hist.min + i * hist.bucket_size;
            auto inside = [&](double v) {
                return v >= low && v < low + hist.bucket_size;
            };
            auto want = std::count_if(values.begin(), values.end(), inside);

            ASSERT_EQ(hist.buckets[i], static_cast<uint64_t>(want));
        }
        EXPECT_EQ(hist.samples, values.size());
        stat_dist_fini(&hist);
    }
}

TEST(StatHist, CountsNothingForZeroRepetitions)
{
    stat_dist hist = {};

    stat_hist_init(&hist, 4);
    stat_hist_sample(&hist, 0, 0);
    EXPECT_EQ(hist.samples, 0u);
    EXPECT_FALSE(std::isnan(hist.logs));
    stat_dist_fini(&hist);
}

TEST(StatDistDeathTest, RefusesWhatIsNotANumber)
{
    stat_dist dist = {};

    stat_dist_init(&dist, 0, 9, 1);
    EXPECT_DEATH(stat_dist_sample(&dist, NAN, 1), "isfinite");
    stat_dist_fini(&dist);
}
