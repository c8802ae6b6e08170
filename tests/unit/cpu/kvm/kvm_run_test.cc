/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of each way in which KVM_RUN returns. */
#include <string>

#include "arch/x86/msr.h"
#include "cpu/kvm/kvm_vcpu.h"
#include "kvm_tree.hh"

namespace
{

class KvmRun : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        cpu = add_cpu();
    }
    /* Runs again after a failure has ended the run. */
    std::string run_again()
    {
        messages.clear();
        sim_runner_activate(sim, &cpu->base.runner);
        return run();
    }
    /* A failure that ends the run: told once, with the state. */
    void expect_dump(const std::string &cause, uint32_t reason)
    {
        std::string line = "warn: system.cpu0: " + cause + ": exit reason " +
                           std::to_string(reason) + ", rip 0x1234";
        EXPECT_NE(messages.find(line), std::string::npos) << messages;
    }
    Step leave_at(uint32_t reason, uint64_t rip)
    {
        return [reason, rip](kvm_run *page) {
            page->s.regs.regs.rip = rip;
            page->exit_reason = reason;
            return 0;
        };
    }
    static Step fail(int err)
    {
        return [err](kvm_run *) { return err; };
    }
    struct kvm_cpu *cpu = nullptr;
};

TEST_F(KvmRun, HltEndsTheTurnAndNothingIsLeftToDo)
{
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(state(cpu)->mp_state, X86_HALTED) << messages;
    EXPECT_EQ(cpu->num_exits, 1u);
    EXPECT_EQ(cpu->num_halts, 1u);
}

TEST_F(KvmRun, ASignalIsNoEnd)
{
    play({fail(-EINTR), fail(-EAGAIN), leave(KVM_EXIT_INTR)});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_exits, 4u);
    EXPECT_EQ(cpu->num_signal_exits, 3u);
    EXPECT_EQ(cpu->num_halts, 1u);
}

TEST_F(KvmRun, AnOpenWindowIsNoEnd)
{
    play({leave(KVM_EXIT_IRQ_WINDOW_OPEN)});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_exits, 2u);
}

/* EXCEPTION, DEBUG, SYSTEM_EVENT and all that nobody asked for. */
TEST_F(KvmRun, AnExitWithoutARowEndsTheRunAndNotTheProcess)
{
    start();
    for (uint32_t reason = 0; reason < 64; reason++) {
        if (kvm_exit_kind(reason) != VCPU_EXIT_UNKNOWN)
            continue;
        play({leave_at(reason, 0x1234)});
        EXPECT_EQ(run_again(), "KVM: unknown exit 1") << reason;
        expect_dump("KVM: unknown exit", reason);
    }
    EXPECT_EQ(run_again(), NOTHING) << "the machine is still whole";
    EXPECT_EQ(cpu->num_halts, 1u);
}

TEST_F(KvmRun, AStateThatIsRefusedEndsTheRun)
{
    play({leave_at(KVM_EXIT_FAIL_ENTRY, 0x1234)});
    start();
    EXPECT_EQ(run(), "KVM: the processor refuses the guest's state 1");
    expect_dump("KVM: the processor refuses the guest's state",
                KVM_EXIT_FAIL_ENTRY);
}

TEST_F(KvmRun, AnInternalErrorEndsTheRun)
{
    play({[](kvm_run *page) {
        page->s.regs.regs.rip = 0x1234;
        page->exit_reason = KVM_EXIT_INTERNAL_ERROR;
        page->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
        return 0;
    }});
    start();
    EXPECT_EQ(run(), "KVM: internal error 1");
    expect_dump("KVM: internal error", KVM_EXIT_INTERNAL_ERROR);
}

TEST_F(KvmRun, TheCoreExecutesWhatKvmGivesUpOn)
{
    play({[](kvm_run *page) {
        page->s.regs.sregs.cs.base = 0;
        page->s.regs.sregs.cs.selector = 0;
        page->s.regs.regs.rip = 0x1000;
        page->s.regs.regs.rax = 7;
        page->exit_reason = KVM_EXIT_INTERNAL_ERROR;
        page->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
        return 0;
    }});
    start();
    ram()[0x1000] = 0x40;
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_emulation_steps, 1u);
    EXPECT_EQ(state(cpu)->gpr[X86_RAX], 8u); /* inc ax */
    EXPECT_EQ(state(cpu)->rip, 0x1001u);
}

TEST_F(KvmRun, AShutdownIsATripleFault)
{
    play({leave(KVM_EXIT_SHUTDOWN)});
    start();
    EXPECT_EQ(run(), std::string(EXIT_SHUTDOWN) + " 1");
    EXPECT_EQ(state(cpu)->mp_state, X86_WAIT_INIT);
}

TEST_F(KvmRun, ARunThatFailsIsToldWithTheRequest)
{
    play({fail(-EFAULT)});
    start();
    EXPECT_EQ(run(), "KVM_RUN failed 1");
    EXPECT_NE(messages.find("cpu0: KVM_RUN: Bad address"), std::string::npos)
        << messages;
}

TEST_F(KvmRun, AStateThatKvmDoesNotTakeIsToldWithTheRequest)
{
    start();
    fake.on(KVM_SET_SREGS, [](int, void *) { return -EINVAL; });
    EXPECT_EQ(run(), "KVM_RUN failed 1");
    EXPECT_NE(messages.find("cpu0: KVM_SET_SREGS: Invalid argument"),
              std::string::npos)
        << messages;
}

TEST_F(KvmRun, AStateThatKvmDoesNotGiveEndsTheRun)
{
    fake.caps[KVM_CAP_SYNC_REGS] = 0;
    start();
    fake.on(KVM_GET_REGS, [](int, void *) { return -ENXIO; });
    EXPECT_EQ(run(), "KVM does not give its state 1");
}

TEST_F(KvmRun, RegistersTravelBothWaysWithoutTheSharedPage)
{
    fake.caps[KVM_CAP_SYNC_REGS] = 0;
    play({[this](kvm_run *page) {
        kvm_regs regs;
        memcpy(&regs, kept[KVM_GET_REGS].data(), sizeof(regs));
        EXPECT_EQ(regs.rip, 0xfff0u);
        regs.rbx = 99;
        kept[KVM_GET_REGS].assign(reinterpret_cast<char *>(&regs),
                                  sizeof(regs));
        page->exit_reason = KVM_EXIT_HLT;
        return 0;
    }});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(state(cpu)->gpr[X86_RBX], 99u);
}

/* Simulated time is what the guest's TSC went on. */
TEST_F(KvmRun, TimePassesInTheGuestOnly)
{
    play({[](kvm_run *page) {
        uint64_t begin = __builtin_ia32_rdtsc();
        while (__builtin_ia32_rdtsc() - begin < 1000000)
            ;
        page->exit_reason = KVM_EXIT_HLT;
        return 0;
    }});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_GE(static_cast<double>(cpu->base.runner.now),
              1000000 * cpu->ticks_per_tsc);
    EXPECT_NEAR(cpu->ticks_per_tsc * kvm->probe.tsc_khz * 1000,
                TICKS_PER_SECOND, 1);
}

/* --------------------------------------------------------------------- TSC */

constexpr uint64_t FAR = UINT64_C(1) << 50; /* from any TSC of a host */

uint64_t tsc(const struct kvm_cpu *cpu)
{
    return x86_tsc_read(cpu->base.core);
}

TEST_F(KvmRun, TheTscGoesOnFromSimulatedTime)
{
    has_tsc_offset = true;
    start();
    state(cpu)->tsc_offset = FAR;
    EXPECT_EQ(run(), NOTHING);
    EXPECT_TRUE(cpu->base.io.has_host_tsc);
    EXPECT_EQ(tsc_offset, state(cpu)->tsc_offset);
    EXPECT_GE(tsc(cpu), FAR);
    EXPECT_LT(tsc(cpu), FAR + FAR / 2);
    uint64_t before = tsc(cpu);
    ASSERT_TRUE(sim_drain(sim));
    EXPECT_FALSE(cpu->base.io.has_host_tsc);
    EXPECT_LT(tsc(cpu) - before, FAR / 2) << "no step";
}

TEST_F(KvmRun, WhatTheGuestSetsItsTscToIsTheCores)
{
    has_tsc_offset = true;
    play({[this](kvm_run *page) {
        tsc_offset = FAR;
        page->exit_reason = KVM_EXIT_HLT;
        return 0;
    }});
    start();
    EXPECT_EQ(run(), NOTHING);
    x86_core_sync(cpu->base.core);
    EXPECT_EQ(state(cpu)->tsc_offset, FAR);
}

TEST_F(KvmRun, TheTscIsMovedOverTimeThatNobodyWaitedFor)
{
    has_tsc_offset = true;
    play({leave(KVM_EXIT_INTR)});
    start();
    EXPECT_EQ(run(), NOTHING);
    uint64_t before = state(cpu)->tsc_offset;
    state(cpu)->mp_state = X86_RUNNABLE;
    cpu->base.io.host_tsc_seen += FAR; /* as if it had been seen there */
    run_again();
    EXPECT_GE(state(cpu)->tsc_offset - before, FAR / 2);
    EXPECT_EQ(tsc_offset, state(cpu)->tsc_offset);
}

TEST_F(KvmRun, WithoutAnOffsetTheTscStaysSimulatedTimes)
{
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_FALSE(cpu->base.io.has_host_tsc);
    EXPECT_EQ(state(cpu)->tsc_offset, 0u);
}

} // namespace
