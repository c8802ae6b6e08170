/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as text, strict and exact. */
#include "base/number.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

static int u64(const std::string &text, uint64_t *value)
{
    return number_parse_u64(text.c_str(), text.size(), value);
}

static int i64(const std::string &text, int64_t *value)
{
    return number_parse_i64(text.c_str(), text.size(), value);
}

static int f64(const std::string &text, double *value)
{
    return number_parse_f64(text.c_str(), text.size(), value);
}

TEST(Number, ReadsUnsignedNumbersUpToTheirLimit)
{
    uint64_t value = 1;

    EXPECT_EQ(u64("0", &value), 0);
    EXPECT_EQ(value, 0u);
    EXPECT_EQ(u64("18446744073709551615", &value), 0);
    EXPECT_EQ(value, UINT64_MAX);
    EXPECT_EQ(u64("18446744073709551616", &value), -ERANGE);
    for (const char *text : {"", " 1", "1 ", "+1", "-1", "0x1", "1.0"})
        EXPECT_EQ(u64(text, &value), -EINVAL) << text;
}

TEST(Number, ReadsSignedNumbersBetweenTheirLimits)
{
    int64_t value = 1;

    EXPECT_EQ(i64("-9223372036854775808", &value), 0);
    EXPECT_EQ(value, INT64_MIN);
    EXPECT_EQ(i64("9223372036854775807", &value), 0);
    EXPECT_EQ(value, INT64_MAX);
    EXPECT_EQ(i64("-9223372036854775809", &value), -ERANGE);
    EXPECT_EQ(i64("9223372036854775808", &value), -ERANGE);
    for (const char *text : {"", "-", "--1", "- 1"})
        EXPECT_EQ(i64(text, &value), -EINVAL) << text;
}

TEST(Number, RefusesJunkAroundADouble)
{
    double value;

    for (const char *text : {"", " 1", "1 ", "+1", "1x", "0.1.2"})
        EXPECT_EQ(f64(text, &value), -EINVAL) << text;
    EXPECT_EQ(f64(std::string(100, '1'), &value), -EINVAL);
}

TEST(Number, EveryDoubleReadsBackTheSame)
{
    std::mt19937_64 rng(5);
    char text[NUMBER_TEXT_SIZE];

    for (int i = 0; i < 50000; i++) {
        uint64_t bits = rng();
        double value, back = 0;

        memcpy(&value, &bits, sizeof(value));
        number_format(text, value);
        ASSERT_EQ(f64(text, &back), 0) << text;
        if (std::isnan(value))
            ASSERT_TRUE(std::isnan(back));
        else
            ASSERT_EQ(memcmp(&back, &value, sizeof(value)), 0) << text;
    }
}

TEST(Number, WritesInfinitiesAndZerosWithTheirSigns)
{
    char text[NUMBER_TEXT_SIZE];

    number_format(text, -INFINITY);
    EXPECT_STREQ(text, "-inf");
    number_format(text, -0.0);
    EXPECT_STREQ(text, "-0");
    number_format(text, -NAN);
    EXPECT_STREQ(text, "nan");
}
