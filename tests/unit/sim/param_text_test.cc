// SPDX-License-Identifier: BSD-3-Clause
#include "sim/param_text.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/param.h"

static std::string text_of(const char *unit, uint64_t value)
{
    sim_param param = {};
    char text[PARAM_TEXT_SIZE];

    param.field.unit = unit;
    param_value_text(&param, value, text);
    return text;
}

TEST(ParamText, EachUnitHasItsSpelling)
{
    EXPECT_EQ(text_of("", 42), "42");
    EXPECT_EQ(text_of("cycles", 3), "3 cycles");
    EXPECT_EQ(text_of("addr", 0xfee00000), "0xfee00000");
    EXPECT_EQ(text_of("port", 0x3f8), "0x3f8");
    EXPECT_EQ(text_of("V", 2), "2 V");
}

TEST(ParamText, SizesAndTimesUseTheLargestMultipleThatIsExact)
{
    EXPECT_EQ(text_of("bytes", 64 << 10), "64KiB");
    EXPECT_EQ(text_of("bytes", UINT64_C(3) << 40), "3TiB");
    EXPECT_EQ(text_of("bytes", 1000), "1000B");
    EXPECT_EQ(text_of("bytes", 0), "0B");
    EXPECT_EQ(text_of("ticks", 50000), "50ns");
    EXPECT_EQ(text_of("ticks", 50001), "50001ps");
    EXPECT_EQ(text_of("period", 500), "500ps");
    EXPECT_EQ(text_of("ticks", UINT64_C(2000000000000)), "2s");
}

TEST(ParamText, AnEnumIsShownByName)
{
    static const char *const names[] = {"red", "green", nullptr};
    sim_param param = {};
    char text[PARAM_TEXT_SIZE];

    param.field.unit = "";
    param.names = names;
    param_value_text(&param, 1, text);
    EXPECT_STREQ(text, "green");
}
