/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_timer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/host_clock.h"

namespace
{

constexpr uint64_t kMs = 1000000, kForever = 60000 * kMs;

class KvmTimer : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(kvm_timer_bind(&timer, &flag), 0);
    }
    void TearDown() override
    {
        kvm_timer_unbind(&timer);
    }
    bool is_set()
    {
        return __atomic_load_n(&flag, __ATOMIC_SEQ_CST);
    }
    /* False after a minute, which no machine is so busy as to need. */
    bool wait()
    {
        uint64_t end = host_clock_ns() + kForever;

        while (!is_set() && host_clock_ns() < end)
            std::this_thread::yield();
        return is_set();
    }

    struct kvm_timer timer = {};
    uint8_t flag = 0;
};

TEST_F(KvmTimer, SetsTheFlagWhenItsTimeHasCome)
{
    uint64_t when = host_clock_ns() + 2 * kMs;

    ASSERT_EQ(kvm_timer_arm(&timer, when), 0);
    EXPECT_TRUE(wait());
    EXPECT_TRUE(kvm_timer_fired(&timer, host_clock_ns()));
    EXPECT_FALSE(kvm_timer_fired(&timer, host_clock_ns())); /* once */
}

TEST_F(KvmTimer, KeepsAnEarlierTimeThatItIsArmedFor)
{
    uint64_t now = host_clock_ns();

    ASSERT_EQ(kvm_timer_arm(&timer, now + 2 * kMs), 0);
    ASSERT_EQ(kvm_timer_arm(&timer, now + kForever), 0);
    EXPECT_TRUE(wait());
}

TEST_F(KvmTimer, IsArmedAnewIfItFiredWhereNobodySawIt)
{
    ASSERT_EQ(kvm_timer_arm(&timer, host_clock_ns() + 2 * kMs), 0);
    ASSERT_TRUE(wait());
    __atomic_store_n(&flag, 0, __ATOMIC_SEQ_CST); /* a run had another end */
    ASSERT_EQ(kvm_timer_arm(&timer, host_clock_ns() + 2 * kMs), 0);
    EXPECT_TRUE(wait());
}

TEST_F(KvmTimer, IsArmedAnewForAnEarlierTime)
{
    uint64_t now = host_clock_ns();

    ASSERT_EQ(kvm_timer_arm(&timer, now + kForever), 0);
    ASSERT_EQ(kvm_timer_arm(&timer, now + 2 * kMs), 0);
    EXPECT_TRUE(wait());
}

TEST_F(KvmTimer, AKickSetsTheFlagAtOnce)
{
    kvm_timer_kick(&timer);
    EXPECT_TRUE(is_set());
}

TEST_F(KvmTimer, BelongsToTheThreadThatBoundIt)
{
    bool is_mine = true;

    EXPECT_TRUE(kvm_timer_is_mine(&timer));
    std::thread([&] { is_mine = kvm_timer_is_mine(&timer); }).join();
    EXPECT_FALSE(is_mine);
    kvm_timer_unbind(&timer);
    EXPECT_FALSE(kvm_timer_is_mine(&timer));
    kvm_timer_kick(&timer); /* nobody to kick */
    EXPECT_FALSE(is_set());
}

/* The runner clears the flag and then looks at what it was kicked for; the
 * kicker writes that and then kicks. */
TEST_F(KvmTimer, NoKickIsLost)
{
    constexpr uint64_t kKicks = 100000;
    std::atomic<uint64_t> wanted{0}, seen{0};

    std::thread kicker([&] {
        for (uint64_t i = 1; i <= kKicks; i++) {
            while (seen < i - 1)
                std::this_thread::yield();
            wanted = i;
            kvm_timer_kick(&timer);
        }
    });
    while (seen < kKicks && wait()) {
        __atomic_store_n(&flag, 0, __ATOMIC_SEQ_CST);
        seen = wanted.load();
    }
    EXPECT_EQ(seen, kKicks);
    seen = kKicks; /* or the kicker waits for ever */
    kicker.join();
}

} // namespace
