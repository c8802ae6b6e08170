/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole runs on a host that counts the guest's instructions and cycles: from
 * the probe that finds the counters to the end that they bring about. */
#include <algorithm>
#include <string>

#include "cpu/kvm/kvm_perf.h"
#include "kvm_tree.hh"

namespace
{

constexpr uint64_t CODE = 0x1000;
constexpr uint64_t NO_LIMIT = UINT64_C(1) << 50; /* at least */

class KvmCount : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        fake.perf_result = 0;
        fake.on(PERF_EVENT_IOC_PERIOD, [this](int fd, void *arg) {
            periods[fd].push_back(*static_cast<uint64_t *>(arg));
            return 0;
        });
        cpu = add_cpu();
        set(&cpu->base.base.base, "usePerf", 1);
    }
    /* inc cx; jmp back -- what the core finds to execute, in 16-bit mode. */
    void start_with_loop()
    {
        const uint8_t loop[] = {0x41, 0xeb, 0xfd};

        start();
        memcpy(ram() + CODE, loop, sizeof(loop));
    }
    /* The guest executes @insts, and is then at the loop's begin. */
    Step count(uint64_t insts, int result, uint32_t reason = KVM_EXIT_INTR)
    {
        return [this, insts, result, reason](kvm_run *page) {
            fake.counters.at(cpu->perf.insts.fd) += insts;
            page->s.regs.sregs.cs.base = 0;
            page->s.regs.sregs.cs.selector = 0;
            page->s.regs.regs.rip = CODE;
            page->s.regs.regs.rcx = 0;
            page->exit_reason = reason;
            return result;
        };
    }
    /* The same, interrupted by the counter's overflow. */
    Step overflow(uint64_t insts)
    {
        return count(insts, -EINTR);
    }
    /* An overflow of the counter of cycles, while the TSC went as far. */
    Step spend_slice()
    {
        return [this](kvm_run *) {
            uint64_t begin = __builtin_ia32_rdtsc();
            while (__builtin_ia32_rdtsc() - begin < cycle_periods().back())
                ;
            return -EINTR;
        };
    }
    const std::vector<uint64_t> &inst_periods()
    {
        return periods[cpu->perf.insts.fd];
    }
    const std::vector<uint64_t> &cycle_periods()
    {
        return periods[cpu->perf.cycles.fd];
    }
    std::string stop_text(uint64_t insts)
    {
        return fatal_text(
            [&] { base_cpu_stop_after(&cpu->base, insts, "enough"); });
    }
    double insts_stat()
    {
        stat_prepare(root);
        return stat("system.cpu0.commitStats0.numInsts");
    }
    /* The core's part of the way to a stop, by what the loop left behind. */
    void expect_turns_of_loop(uint64_t insts)
    {
        EXPECT_EQ(cpu->num_core_insts, insts);
        EXPECT_EQ(state(cpu)->gpr[X86_RCX], (insts + 1) / 2);
        EXPECT_EQ(state(cpu)->rip, CODE + insts % 2);
    }

    struct kvm_cpu *cpu = nullptr;
    std::map<int, std::vector<uint64_t>> periods; /* by descriptor */
};

TEST_F(KvmCount, TheProbeFindsTheCounterAndARunUsesIt)
{
    start();
    EXPECT_EQ(kvm->probe.perf_counter, KVM_YES);
    EXPECT_EQ(base_cpu_inst_stop_refusal(&cpu->base), nullptr);
    EXPECT_EQ(run(), NOTHING);
    ASSERT_TRUE(kvm_perf_is_open(&cpu->perf));
    EXPECT_FALSE(fake.counter_attrs[cpu->perf.insts.fd].exclude_kernel);
    EXPECT_EQ(cpu->perf.cycles.fd, -1);
    ASSERT_EQ(inst_periods().size(), 1u);
    EXPECT_GT(inst_periods()[0], NO_LIMIT);
}

/* The rest of it is the core's, which counts for itself. */
TEST_F(KvmCount, OnlyRing3IsCountedOfAMachineThatIsSplit)
{
    kvm->ring0 = KVM_RING0_SIMULATED;
    start();
    state(cpu)->mp_state = X86_HALTED; /* in ring 0, so not in KVM */
    EXPECT_EQ(run(), NOTHING);
    state(cpu)->mp_state = X86_RUNNABLE;
    ASSERT_EQ(kvm_cpu_prepare(cpu), 0);
    EXPECT_EQ(kvm_cpu_enter(cpu, TICK_MAX), 0);
    ASSERT_TRUE(kvm_perf_is_open(&cpu->perf));
    EXPECT_TRUE(fake.counter_attrs[cpu->perf.insts.fd].exclude_kernel);
}

TEST_F(KvmCount, AHostWithoutATrueCounterRefusesSuchStops)
{
    probe_insts = 12345;
    start();
    EXPECT_EQ(kvm->probe.perf_counter, KVM_NO);
    EXPECT_NE(stop_text(1000).find("counts no instructions under KVM"),
              std::string::npos);
    EXPECT_EQ(run(), NOTHING);
    EXPECT_FALSE(kvm_perf_is_open(&cpu->perf));
}

TEST_F(KvmCount, UsePerfFalseCountsNothing)
{
    set(&cpu->base.base.base, "usePerf", 0);
    start();
    EXPECT_NE(stop_text(1000).find("usePerf=False"), std::string::npos);
    EXPECT_EQ(run(), NOTHING);
    EXPECT_FALSE(kvm_perf_is_open(&cpu->perf));
}

TEST_F(KvmCount, WhatTheHostCountsIsInTheStatistics)
{
    play({count(1000, 0), overflow(500), count(2500, 0, KVM_EXIT_HLT)});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->base.num_insts, 4000u);
    EXPECT_EQ(cpu->num_host_insts, 4000u);
    EXPECT_EQ(sim_insts(sim), 4000u);
    EXPECT_EQ(insts_stat(), 4000);
    stat_reset(root, sim_now(sim));
    EXPECT_EQ(insts_stat(), 0);
}

TEST_F(KvmCount, AStopIsArmedEarlyAndTheCoreGoesTheRestExactly)
{
    const uint64_t late = 123;

    play({overflow(90000), overflow(60000 + late)});
    start_with_loop();
    ASSERT_EQ(stop_text(200000), "");
    EXPECT_EQ(run(), "enough 0");
    EXPECT_EQ(inst_periods(),
              (std::vector<uint64_t>{200000 - KVM_PERF_MARGIN,
                                     110000 - KVM_PERF_MARGIN}));
    EXPECT_EQ(cpu->base.num_insts, 200000u);
    EXPECT_EQ(cpu->num_host_insts, 150000 + late);
    expect_turns_of_loop(KVM_PERF_MARGIN - late);
    EXPECT_EQ(insts_stat(), 200000);
    EXPECT_EQ(run(), NOTHING) << "the guest goes on in KVM, and halts";
    EXPECT_EQ(cpu->num_exits, 3u);
    EXPECT_GT(inst_periods().back(), NO_LIMIT);
}

/* As after PERF_EVENT_IOC_PERIOD: each arming counts from there. */
TEST_F(KvmCount, TheNearestOfSeveralStopsIsArmed)
{
    play({overflow(100000), overflow(150000)});
    start_with_loop();
    ASSERT_EQ(stop_text(350000), "");
    base_cpu_stop_after(&cpu->base, 150000, "first");
    EXPECT_EQ(run(), "first 0");
    EXPECT_EQ(cpu->base.num_insts, 150000u);
    EXPECT_EQ(run(), "enough 0");
    EXPECT_EQ(inst_periods(),
              (std::vector<uint64_t>{150000 - KVM_PERF_MARGIN,
                                     200000 - KVM_PERF_MARGIN}));
    EXPECT_EQ(cpu->base.num_insts, 350000u);
}

TEST_F(KvmCount, AStopThatIsNearIsTheCoresAlone)
{
    play({overflow(8)});
    start_with_loop();
    ASSERT_EQ(stop_text(KVM_PERF_MARGIN + 8), "");
    EXPECT_EQ(run(), "enough 0");
    expect_turns_of_loop(KVM_PERF_MARGIN);
    base_cpu_stop_after(&cpu->base, 1, "enough");
    EXPECT_EQ(run(), "enough 0");
    EXPECT_EQ(cpu->num_exits, 1u);
    EXPECT_EQ(cpu->base.num_insts, KVM_PERF_MARGIN + 9u);
}

/* ------------------------------------------------------------- what goes wrong
 */

TEST_F(KvmCount, ALostCounterIsToldOnceAndTheGuestGoesOn)
{
    play({overflow(1000), [this](kvm_run *) {
              fake.counter_is_lost = true;
              return -EINTR;
          }});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_halts, 1u);
    EXPECT_EQ(cpu->base.num_insts, 1000u);
    EXPECT_FALSE(kvm_perf_is_open(&cpu->perf));
    size_t told = messages.find("cpu0: the counter of instructions was lost: "
                                "Input/output error");
    ASSERT_NE(told, std::string::npos) << messages;
    EXPECT_EQ(messages.find("was lost", told + 60), std::string::npos);
    EXPECT_NE(stop_text(1000).find("was lost in an earlier part"),
              std::string::npos);
}

TEST_F(KvmCount, ACounterThatIsLostEndsARunThatWaitsForIt)
{
    play({overflow(1000), [this](kvm_run *page) {
              page->s.regs.regs.rip = 0x1234;
              fake.counter_error = -EBADF;
              return -EINTR;
          }});
    start();
    ASSERT_EQ(stop_text(200000), "");
    EXPECT_EQ(run(), "KVM: a stop after instructions cannot be met 1");
    EXPECT_NE(messages.find("was lost: Bad file descriptor"), std::string::npos)
        << messages;
    EXPECT_NE(messages.find("rip 0x1234"), std::string::npos)
        << "where the guest is now: " << messages;
    sim_runner_activate(sim, &cpu->base.runner);
    EXPECT_EQ(run(), NOTHING) << "without the stop, which would be late";
    EXPECT_EQ(cpu->num_halts, 1u);
}

TEST_F(KvmCount, AStopThatIsPassedIsNotCalledExact)
{
    play({overflow(200007)});
    start();
    ASSERT_EQ(stop_text(200000), "");
    EXPECT_EQ(run(), "enough 0");
    EXPECT_EQ(cpu->base.num_insts, 200007u);
    EXPECT_NE(messages.find("a stop after instructions is passed by 7"),
              std::string::npos)
        << messages;
}

TEST_F(KvmCount, ACounterThatIsGoneSinceTheProbeIsTold)
{
    fake.perf_left = 1;
    start();
    EXPECT_EQ(run(), "KVM_RUN failed 1");
    EXPECT_NE(messages.find("cpu0: perf_event_open: No such file or directory"),
              std::string::npos)
        << messages;
}

TEST_F(KvmCount, AnOverflowThatCannotBeArmedEndsTheRun)
{
    start();
    fake.on(PERF_EVENT_IOC_PERIOD, [](int, void *) { return -EINVAL; });
    EXPECT_EQ(run(), "KVM_RUN failed 1");
    EXPECT_NE(messages.find("cpu0: PERF_EVENT_IOC_PERIOD: Invalid argument"),
              std::string::npos)
        << messages;
    EXPECT_EQ(cpu->num_halts, 0u);
}

/* ---------------------------------------------------------------------- cycles
 */

TEST_F(KvmCount, UsePerfOverflowEndsSlicesByCycles)
{
    const tick_t slice = cpu->base.runner.slice; /* 0 before init */

    EXPECT_EQ(slice, 0u);
    set(&cpu->base.base.base, "usePerfOverflow", 1);
    for (int i = 0; i < 100000; i++)
        play({spend_slice()});
    start();
    EXPECT_EQ(run(TICKS_PER_SECOND / 5), NOTHING);
    EXPECT_GE(cpu->base.runner.now, TICKS_PER_SECOND / 5);
    EXPECT_EQ(cpu->num_halts, 0u) << "ended by time";
    EXPECT_EQ(cpu->num_signal_exits, cycle_periods().size());
    EXPECT_EQ(cpu->timer.fires_ns, 0u) << "no timer is armed, too";
    ASSERT_GE(cpu->perf.cycles.fd, 0);
    EXPECT_EQ(fake.counter_attrs[cpu->perf.cycles.fd].config,
              uint64_t{PERF_COUNT_HW_CPU_CYCLES});
    auto most = static_cast<double>(
        *std::max_element(cycle_periods().begin(), cycle_periods().end()));
    double cycles = static_cast<double>(cpu->base.runner.slice) /
                    TICKS_PER_SECOND * kvm->probe.tsc_khz * 1000;
    double entry = kvm->probe.exit_ns * 1e-6 * kvm->probe.tsc_khz;
    EXPECT_LE(most, cycles + entry + 1) << "as a timer: entry and exit added";
    EXPECT_GE(most, cycles / 2);
}

TEST_F(KvmCount, WithoutCountersUsePerfOverflowIsToldAndATimerEndsSlices)
{
    probe_insts = 0;
    set(&cpu->base.base.base, "usePerfOverflow", 1);
    start();
    EXPECT_NE(messages.find("this host counts no cycles under KVM"),
              std::string::npos)
        << messages;
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->perf.cycles.fd, -1);
    EXPECT_NE(cpu->timer.fires_ns, 0u);
}

} // namespace
