// SPDX-License-Identifier: BSD-3-Clause
// What the contract lets any thread do, done by several at once; the tsan
// variant finds what is not ordered.
#include <atomic>
#include <chrono>
#include <thread>

#include "vcpu_dummy.h"

class VcpuStress : public DummyTest
{
  protected:
    static constexpr int ROUNDS = 20000;
    std::atomic<bool> is_over{false};
    std::atomic<uint64_t> pushed{0}, kicks{0}, stops{0};
    int rounds = 0;
    uint64_t interrupted = 0, halts = 0, turned_back = 0;
    uint64_t entered = 0;

    // At least ROUNDS, and until the other threads had their part; a minute is
    // more than any machine is so busy as to need.
    template <typename Enough> void own(Enough enough)
    {
        auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);

        ASSERT_EQ(vcpu_bind(cpu), 0);
        for (int &i = rounds;
             i < ROUNDS ||
             (!enough() && std::chrono::steady_clock::now() < end);
             i++) {
            if (i % 16 == 0) {
                vcpu_exit halt = {};

                halt.kind = VCPU_EXIT_HALT;
                dummy.exits.push_back(halt);
            }
            if (vcpu_state_of(cpu) == VCPU_BLOCKED) {
                halts++;
                vcpu_wake(cpu);
            }
            ASSERT_EQ(run(1), 0) << error();
            interrupted += exit.kind == VCPU_EXIT_INTR;
            turned_back += cpu->num_runs == entered;
            entered = cpu->num_runs;
        }
        is_over = true;
    }

    void push()
    {
        vcpu_event event = {VCPU_EVENT_INTERRUPT, 0x40, 0, 0, 0};

        while (!is_over) {
            int result = vcpu_queue_event(cpu, &event);

            ASSERT_TRUE(result == 0 || result == -ENOSPC || result == -EBADFD);
            pushed += result == 0;
        }
    }

    void ask() const
    {
        while (!is_over) {
            vcpu_state state = vcpu_state_of(cpu);

            ASSERT_GE(state, VCPU_FREE);
            ASSERT_LT(state, VCPU_NUM_STATES);
            ASSERT_TRUE(vcpu_is_initialized(cpu));
            (void)vcpu_is_running(cpu);
            (void)vcpu_is_bsp(cpu);
        }
    }

    void halt_now_and_then()
    {
        while (!is_over) {
            int result = vcpu_hlt(cpu, nullptr);

            ASSERT_TRUE(result == 0 || result == -EBADFD) << error();
            stops += result == 0;
            std::this_thread::yield();
        }
    }
};

TEST_F(VcpuStress, RunKickInjectAndAskAtOnce)
{
    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    ASSERT_EQ(setup(), 0);
    std::thread owner(
        [this] { own([this] { return interrupted && pushed; }); });
    std::thread kicker([this] {
        while (!is_over) {
            vcpu_kick(cpu);
            vcpu_wake(cpu);
            kicks++;
        }
    });
    std::thread pusher([this] { push(); });
    std::thread asker([this] { ask(); });
    owner.join();
    kicker.join();
    pusher.join();
    asker.join();
    EXPECT_GT(interrupted, 0u);
    EXPECT_GT(pushed, 0u);
    // What was pushed was injected, or still waits.
    for (int i = 0; i < 20; i++) {
        vcpu_event left;

        if (!vcpu_evq_peek(&cpu->events, &left))
            break;
        ASSERT_EQ(vcpu_rebind(cpu), 0);
        vcpu_wake(cpu);
        ASSERT_EQ(run(1), 0);
    }
    EXPECT_EQ(dummy.injected.size(), pushed);
}

TEST_F(VcpuStress, HaltsDoNotDisturbTheRuns)
{
    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    ASSERT_EQ(setup(), 0);
    std::thread owner([this] { own([this] { return stops != 0; }); });
    std::thread halter([this] { halt_now_and_then(); });
    owner.join();
    halter.join();
    // Each entry that was not scripted or kicked counted one instruction.
    EXPECT_GT(count("halt"), 0u);
    EXPECT_LE(dummy.value, count("run"));
    EXPECT_EQ(count("run") + turned_back, static_cast<size_t>(rounds));
}
