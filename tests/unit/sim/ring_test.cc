// SPDX-License-Identifier: BSD-3-Clause
#include "sim/ring.h"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <csignal>
#include <cstring>
#include <string>
#include <thread>
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

TEST_F(TraceRing, WhatIsLargerThanTheRingIsLostAndCounted)
{
    std::string text(TRACE_RING_BYTES, 'x');

    ring = trace_ring_create(1);
    EXPECT_TRUE(trace_ring_write(ring, 1, "before", 6));
    EXPECT_FALSE(trace_ring_write(ring, 2, text.data(), text.size()));
    EXPECT_FALSE(trace_ring_write(ring, 2, text.data(), text.size() - 16));
    EXPECT_EQ(trace_ring_lost(ring), 2u);
    EXPECT_EQ(records(), (std::vector<std::string>{"1 before"}));
    EXPECT_TRUE(trace_ring_write(ring, 3, text.data(), text.size() - 17));
    EXPECT_EQ(records().size(), 1u);
    EXPECT_EQ(trace_ring_dropped(ring), 1u);
}

TEST_F(TraceRing, TagsAndIdStandWhereADumpIsSearchedForThem)
{
    uint64_t words[8], tail;

    ring = trace_ring_create(UINT64_C(0x100000002));
    trace_ring_add(&ring, 1, "text");
    memcpy(words, ring, sizeof words);
    memcpy(&tail, reinterpret_cast<char *>(ring) + 64 + words[2], sizeof tail);
    EXPECT_EQ(words[0], TRACE_RING_HEAD_TAG);
    EXPECT_EQ(words[1], UINT64_C(0x100000002));
    EXPECT_EQ(tail, TRACE_RING_TAIL_TAG);
    EXPECT_EQ(words[3], 0u);
    EXPECT_EQ(words[4], 16u + 5);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(ring) % 4096, 0u) << "own pages";
    trace_ring_set_id(ring, 3);
    EXPECT_EQ(trace_ring_id(ring), 3u);
}

static trace_ring *interrupted;

TEST_F(TraceRing, ASignalHandlerMayWriteAtAnyMoment)
{
    itimerval often =
                  {
                      {0, 50},
                      {0, 50}
    },
              never = {};
    std::string last;

    ring = trace_ring_create(0);
    interrupted = ring;
    auto old = signal(SIGALRM, [](int) {
        (void)trace_ring_write(interrupted, 0, "signal", 6);
    });
    setitimer(ITIMER_REAL, &often, nullptr);
    for (unsigned i = 0; i < 50000; i++)
        (void)trace_ring_write(ring, 1, "thread", 6);
    setitimer(ITIMER_REAL, &never, nullptr);
    (void)signal(SIGALRM, old);
    for (const auto &record : records())
        EXPECT_TRUE(record == "0 signal" || record == "1 thread") << record;
}

TEST_F(TraceRing, ThreadsDoNotMixTheirRecords)
{
    std::vector<std::thread> threads;

    ring = trace_ring_create(0);
    for (char c = 'a'; c < 'e'; c++)
        threads.emplace_back([this, c] {
            std::string text(static_cast<size_t>(c - 'a') * 20 + 5, c);

            for (int i = 0; i < 2000; i++)
                (void)trace_ring_write(ring, 1, text.data(), text.size());
        });
    for (int i = 0; i < 100; i++)
        for (const auto &record : records())
            ASSERT_EQ(record.find_first_not_of(record[2], 2),
                      std::string::npos);
    for (auto &thread : threads)
        thread.join();
    EXPECT_EQ(records().size() + trace_ring_dropped(ring) +
                  trace_ring_lost(ring),
              8000u);
}
