// SPDX-License-Identifier: BSD-3-Clause
#include "base/alloc.h"

#include <gtest/gtest.h>

#include <cstring>

TEST(Alloc, PrintfGivesTheFormattedText)
{
    char *text = alloc_printf("%s-%d", "cpu", 3);
    EXPECT_STREQ(text, "cpu-3");
    mem_free(text);
}

TEST(Alloc, ZeroedMemoryIsZero)
{
    auto *data = static_cast<unsigned char *>(alloc_zeroed(100, 3));
    for (int i = 0; i < 300; i++)
        EXPECT_EQ(data[i], 0);
    mem_free(data);
}

TEST(AllocDeathTest, OverflowOfCountTimesSizeIsFatal)
{
    EXPECT_EXIT(alloc_resize(nullptr, SIZE_MAX / 2, 4),
                testing::ExitedWithCode(1), "out of memory");
}
