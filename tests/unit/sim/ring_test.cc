// SPDX-License-Identifier: BSD-3-Clause
#include "sim/ring.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

class TraceRing : public testing::Test
{
  protected:
    trace_ring *ring = nullptr;

    ~TraceRing() override
    {
        trace_ring_free(ring);
    }

    std::vector<std::string> records() const
    {
        std::vector<std::string> all;

        trace_ring_visit(
            ring,
            [](void *ctx, tick_t tick, const char *text) {
                static_cast<std::vector<std::string> *>(ctx)->push_back(
                    std::to_string(tick) + " " + text);
            },
            &all);
        return all;
    }
};

TEST_F(TraceRing, AnEmptyRingCostsNothing)
{
    EXPECT_TRUE(records().empty());
    EXPECT_EQ(trace_ring_dropped(ring), 0u);
    EXPECT_EQ(ring, nullptr);
}

TEST_F(TraceRing, RecordsComeBackOldestFirst)
{
    trace_ring_add(&ring, 1, "one");
    trace_ring_add(&ring, 2, "");
    trace_ring_add(&ring, 3, "three");
    EXPECT_EQ(records(), (std::vector<std::string>{"1 one", "2 ", "3 three"}));
}

TEST_F(TraceRing, TheOldestWholeRecordsMakeRoom)
{
    std::vector<std::string> expected;
    size_t added = 0;

    for (; added < 5000; added++) {
        std::string text(added % 97, static_cast<char>('a' + added % 26));

        trace_ring_add(&ring, added, text.c_str());
        expected.push_back(std::to_string(added) + " " + text);
        auto kept = records();
        ASSERT_EQ(kept.size() + trace_ring_dropped(ring), added + 1);
        ASSERT_EQ(kept, std::vector<std::string>(
                            expected.end() - static_cast<long>(kept.size()),
                            expected.end()));
    }
    EXPECT_GT(records().size(), TRACE_RING_BYTES / 128u);
}

TEST_F(TraceRing, AVeryLongRecordIsCut)
{
    trace_ring_add(&ring, 1, "short");
    trace_ring_add(&ring, 2, std::string(100000, 'x').c_str());
    auto kept = records();
    ASSERT_EQ(kept.size(), 2u);
    EXPECT_EQ(kept[1].size(), 2 + TRACE_RING_BYTES / 2u - 1);
}
