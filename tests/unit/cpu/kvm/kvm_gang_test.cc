/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_gang.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "kvm_tree.hh"

namespace
{

/* CPUs on threads of their own, all of them awake. */
class KvmGang : public KvmTree
{
  protected:
    void begin(unsigned count)
    {
        for (unsigned i = 0; i < count; i++)
            add_cpu();
        start();
        for (struct kvm_cpu *cpu : cpus)
            state(cpu)->mp_state = X86_RUNNABLE;
    }
    /* A guest that runs until somebody wants it outside. */
    Step until_kicked(std::atomic<bool> *is_inside)
    {
        return [this, is_inside](kvm_run *page) {
            *is_inside = true;
            fake.unlocked([page] {
                while (
                    !__atomic_load_n(&page->immediate_exit, __ATOMIC_SEQ_CST))
                    std::this_thread::yield();
            });
            return -EINTR;
        };
    }
};

TEST_F(KvmGang, OneCpuRunsOnTheSimulationsThread)
{
    std::thread::id where;
    begin(1);
    play({[&](kvm_run *page) {
        where = std::this_thread::get_id();
        page->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
        return 0;
    }});
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(where, std::this_thread::get_id());
    EXPECT_FALSE(kvm_gang_is_shared(&kvm->gang));
}

TEST_F(KvmGang, SeveralHaveThreadsOfTheirOwnAndAllComeToTheEnd)
{
    std::thread::id where[3];
    begin(3);
    for (unsigned i = 0; i < 3; i++)
        for (int turn = 0; turn < 20; turn++)
            play({[&where, i](kvm_run *page) {
                     where[i] = std::this_thread::get_id();
                     page->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
                     return 0;
                 }},
                 i);
    EXPECT_EQ(run(), NOTHING);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(cpus[i]->num_exits, 21u) << i;
        EXPECT_EQ(state(cpus[i])->mp_state, X86_HALTED);
        EXPECT_NE(where[i], std::this_thread::get_id());
        EXPECT_NE(where[i], where[(i + 1) % 3]);
    }
}

/* Exits are served one by one, whoever runs meanwhile. */
TEST_F(KvmGang, PauseReturnsWithAllOutside)
{
    std::atomic<bool> is_inside{false};
    bool was_inside = false;
    begin(2);
    play({until_kicked(&is_inside)}, 0);
    play({[&](kvm_run *page) {
             while (!is_inside)
                 fake.unlocked([] { std::this_thread::yield(); });
             page->exit_reason = KVM_EXIT_IO;
             page->io.direction = KVM_EXIT_IO_OUT;
             page->io.port = 0x100;
             page->io.size = 1;
             page->io.count = 1;
             page->io.data_offset = 4096;
             return 0;
         }},
         1);
    /* Before its next entry the second CPU has something to settle. */
    on_completion = [&](kvm_run *) {
        was_inside = kvm->gang.num_running == 1;
        kvm->is_all_stale = true;
        return -EINTR;
    };
    EXPECT_EQ(run(), NOTHING);
    EXPECT_TRUE(was_inside);
    EXPECT_EQ(kvm->num_invalidations, 1u);
    EXPECT_EQ(cpus[0]->num_signal_exits, 1u);
    EXPECT_EQ(kvm->gang.num_running, 0u);
}

TEST_F(KvmGang, AFailureOfOneEndsTheRunWithAllOutside)
{
    std::atomic<bool> is_inside{false};
    begin(2);
    play({until_kicked(&is_inside)}, 0);
    play({[&](kvm_run *page) {
             while (!is_inside)
                 fake.unlocked([] { std::this_thread::yield(); });
             page->exit_reason = KVM_EXIT_DEBUG;
             return 0;
         }},
         1);
    EXPECT_EQ(run(), "KVM: unknown exit 1");
    EXPECT_EQ(kvm->gang.num_running, 0u);
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(state(cpus[0])->mp_state, X86_HALTED);
}

TEST_F(KvmGang, WhoQuitsIsNotRunAndTheOthersAre)
{
    begin(3);
    EXPECT_EQ(kvm->gang.size, 3u);
    kvm_gang_quit(&kvm->gang, cpus[1]);
    kvm_gang_quit(&kvm->gang, cpus[1]);
    EXPECT_EQ(kvm->gang.size, 2u);
    kvm_gang_join(&kvm->gang, cpus[1]);
    EXPECT_EQ(kvm->gang.size, 3u);
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpus[1]->num_halts, 1u);
}

TEST_F(KvmGang, UsesAnAddressSpaceOnlyWhileItRuns)
{
    mm *nobodys = reinterpret_cast<mm *>(&kvm);
    begin(2);
    EXPECT_FALSE(kvm_gang_uses(&kvm->gang, nobodys));
    cpus[1]->base.linux_cpu.loaded_mm = nobodys;
    EXPECT_FALSE(kvm_gang_uses(&kvm->gang, nobodys));
    cpus[1]->worker.phase = KVM_WORKER_RUNNING;
    EXPECT_TRUE(kvm_gang_uses(&kvm->gang, nobodys));
    cpus[1]->worker.phase = KVM_WORKER_NONE;
    cpus[1]->base.linux_cpu.loaded_mm = nullptr;
}

} // namespace
