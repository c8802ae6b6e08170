// SPDX-License-Identifier: BSD-3-Clause
#include "base/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>

#include <pthread.h>

namespace
{

struct Tally {
    std::atomic<int> calls{0};
    std::mutex lock;
    std::set<pthread_t> threads;
};

void *count_call(void *ctx)
{
    auto *tally = static_cast<Tally *>(ctx);

    tally->calls++;
    const std::lock_guard<std::mutex> guard(tally->lock);
    tally->threads.insert(pthread_self());
    return nullptr;
}

} // namespace

TEST(Crew, EveryThreadDoesTheWorkAndTheCallerIsOne)
{
    Tally tally;

    crew_run(4, count_call, &tally);
    EXPECT_EQ(tally.calls, 4);
    EXPECT_EQ(tally.threads.count(pthread_self()), 1u);
}

TEST(Crew, ACrewOfNoneOrOneIsTheCaller)
{
    Tally tally;

    crew_run(0, count_call, &tally);
    crew_run(1, count_call, &tally);
    EXPECT_EQ(tally.calls, 2);
    EXPECT_EQ(tally.threads.size(), 1u);
}

TEST(Crew, DefaultSizeIsBetweenOneAndEight)
{
    EXPECT_GE(crew_default_size(), 1u);
    EXPECT_LE(crew_default_size(), 8u);
}
