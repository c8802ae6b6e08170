/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_probe.h"

#include <gtest/gtest.h>

#include <string>

#include "base/host_clock.h"
#include "fake_kvm.hh"

namespace
{

/* A kernel whose vCPU ends each run as the test says. */
struct KvmProbe : testing::Test {
    void SetUp() override
    {
        fake.on(KVM_SET_MSRS, [](int, void *) { return 3; });
        fake.on(KVM_RUN, [this](int, void *) { return run(); });
        fake.on(KVM_GET_SREGS, [this](int, void *arg) {
            *static_cast<kvm_sregs *>(arg) = sregs;
            return 0;
        });
        fake.on(KVM_SET_SREGS, [this](int, void *arg) {
            is_ring0 = !(static_cast<kvm_sregs *>(arg)->cs.selector & 3);
            return 0;
        });
        fake.on(KVM_SET_GUEST_DEBUG, [this](int, void *arg) {
            is_stepping = static_cast<kvm_guest_debug *>(arg)->control != 0;
            return debug_result;
        });
        kvm_host_cfg cfg = fake.cfg();
        ASSERT_EQ(kvm_host_open(&cfg, &host, why), 0) << why;
    }
    void TearDown() override
    {
        kvm_host_close(host);
        EXPECT_TRUE(fake.open_fds.empty());
    }
    int run()
    {
        auto *shared = reinterpret_cast<kvm_run *>(fake.pages.back().data());
        if (is_ring0) {
            shared->exit_reason = ring0_reason;
            shared->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
        } else if (is_stepping) {
            shared->exit_reason = KVM_EXIT_DEBUG;
        } else {
            shared->exit_reason = ring3_reason;
            shared->io.port = 0x80;
        }
        for (auto &counter : fake.counters)
            counter.second += counted_per_run;
        return 0;
    }

    FakeKvm fake;
    kvm_host *host = nullptr;
    kvm_probe probe;
    kvm_sregs sregs = {};
    char why[KVM_HOST_WHY_SIZE];
    bool is_ring0 = false, is_stepping = false;
    uint32_t ring0_reason = KVM_EXIT_HLT, ring3_reason = KVM_EXIT_IO;
    int debug_result = 0;
    uint64_t counted_per_run = 0;
};

TEST_F(KvmProbe, SeesWhetherRdtscCanBeTrappedAndElseWhoseItIs)
{
    uint64_t tsc = 0;
    sregs.cs.selector = 0x33;
    fake.on(KVM_GET_REGS, [&tsc](int, void *arg) {
        uint64_t now = tsc ? tsc : host_clock_tsc();
        auto *regs = static_cast<kvm_regs *>(arg);
        regs->rax = static_cast<uint32_t>(now);
        regs->rdx = now >> 32;
        return 0;
    });
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.rdtsc_faults, KVM_NO);
    EXPECT_EQ(probe.rdtsc_is_host, KVM_YES);
    tsc = 1000;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.rdtsc_is_host, KVM_NO);
    ring3_reason = KVM_EXIT_SHUTDOWN;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.rdtsc_faults, KVM_YES);
    EXPECT_EQ(probe.rdtsc_is_host, KVM_UNKNOWN);
}

TEST_F(KvmProbe, SeesWhereAnInterruptWindowEndsARun)
{
    auto page = [this] {
        return reinterpret_cast<kvm_run *>(fake.pages.back().data());
    };
    uint64_t stub = 0, rip = 0;
    bool has_window = true;
    fake.on(KVM_SET_MSRS, [&stub](int, void *arg) {
        auto *list = static_cast<kvm_msrs *>(arg);
        for (uint32_t i = 0; i < list->nmsrs; i++)
            if (list->entries[i].index == 0xc0000082)
                stub = list->entries[i].data;
        return static_cast<int>(list->nmsrs);
    });
    fake.on(KVM_GET_REGS, [&rip](int, void *arg) {
        static_cast<kvm_regs *>(arg)->rip = rip;
        return 0;
    });
    fake.on(KVM_RUN, [&, this](int, void *) {
        int result = run();
        if (page()->request_interrupt_window && has_window)
            page()->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
        return result;
    });
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.syscall_window, KVM_NO) << "before the first instruction";
    rip = stub;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.syscall_window, KVM_YES);
    has_window = false;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.syscall_window, KVM_NO) << "at the stub's OUT";
}

TEST_F(KvmProbe, TakesACounterThatKnowsTheLengthOfALoop)
{
    fake.perf_result = 0;
    counted_per_run = 20001;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.perf_counter, KVM_YES);
}

TEST_F(KvmProbe, DoesNotTakeACounterThatStandsStillOrGuesses)
{
    fake.perf_result = 0;
    for (uint64_t wrong : {0, 19999, 21000}) {
        counted_per_run = wrong;
        ASSERT_EQ(kvm_probe_run(host, &probe), 0);
        EXPECT_EQ(probe.perf_counter, KVM_NO) << wrong;
    }
}

TEST_F(KvmProbe, TakesAHostThatRunsRing0ForHardware)
{
    sregs.cs.selector = 8;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.ring0, KVM_RING0_NATIVE);
    EXPECT_EQ(probe.syscall_enters_ring0, KVM_YES);
    EXPECT_EQ(probe.guest_debug, KVM_YES);
    EXPECT_EQ(probe.perf_counter, KVM_NO);
    EXPECT_NE(probe.vendor, KVM_VENDOR_PVM);
    EXPECT_GE(probe.stub_addr, 0xffff800000000000u);
}

TEST_F(KvmProbe, TakesAHostThatEmulatesRing0AndStaysInRing3ForPvm)
{
    sregs.cs.selector = 0x33;
    ring0_reason = KVM_EXIT_INTERNAL_ERROR;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.ring0, KVM_RING0_EMULATED);
    EXPECT_EQ(probe.syscall_enters_ring0, KVM_NO);
    EXPECT_EQ(probe.vendor, KVM_VENDOR_PVM);
}

TEST_F(KvmProbe, KnowsNothingOfAHostThatOnlyShutsDown)
{
    ring0_reason = ring3_reason = KVM_EXIT_SHUTDOWN;
    debug_result = -EINVAL;
    ASSERT_EQ(kvm_probe_run(host, &probe), 0);
    EXPECT_EQ(probe.runs_ring3, KVM_NO);
    EXPECT_EQ(probe.ring0, KVM_RING0_UNKNOWN);
    EXPECT_EQ(probe.vendor, KVM_VENDOR_UNKNOWN);
    EXPECT_EQ(probe.guest_debug, KVM_NO);
    EXPECT_EQ(probe.stub_addr, 0u);
    EXPECT_EQ(probe.exit_ns, 0u);
}

TEST_F(KvmProbe, ReportsThatNoVmCanBeMadeAndLeavesNothingOpen)
{
    for (auto request : {KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_SET_TSS_ADDR}) {
        fake.on(request, [](int, void *) { return -ENOMEM; });
        EXPECT_EQ(kvm_probe_run(host, &probe), -ENOMEM);
        EXPECT_EQ(fake.open_fds.size(), 1u);
        fake.on(request, [this](int, void *) { return fake.new_fd(); });
    }
}

TEST_F(KvmProbe, ChecksThatProgramsRunAndSaysWhyNot)
{
    EXPECT_EQ(kvm_probe_check(host, &probe, why), 0);
    EXPECT_STREQ(why, "");
    ring3_reason = KVM_EXIT_SHUTDOWN;
    EXPECT_EQ(kvm_probe_check(host, &probe, why), -ENOTSUP);
    EXPECT_NE(strstr(why, "ring 3"), nullptr) << why;
    fake.on(KVM_CREATE_VM, [](int, void *) { return -EBUSY; });
    EXPECT_EQ(kvm_probe_check(host, &probe, why), -EBUSY);
    EXPECT_NE(strstr(why, "another hypervisor"), nullptr) << why;
}

TEST(KvmProbeHost, RunsRing3AndAgreesWithItself)
{
    kvm_host_cfg cfg = {};
    kvm_host *host = nullptr;
    char why[KVM_HOST_WHY_SIZE];
    kvm_probe first, second;
    if (kvm_host_open(&cfg, &host, why))
        GTEST_SKIP() << why;
    ASSERT_EQ(kvm_probe_run(host, &first), 0);
    ASSERT_EQ(kvm_probe_run(host, &second), 0);
    kvm_host_close(host);
    EXPECT_EQ(first.runs_ring3, KVM_YES);
    EXPECT_NE(first.stub_addr, 0u);
    EXPECT_GT(first.tsc_khz, 100000u);
    EXPECT_EQ(first.vendor, second.vendor);
    EXPECT_EQ(first.ring0, second.ring0);
    EXPECT_EQ(first.syscall_enters_ring0, second.syscall_enters_ring0);
    EXPECT_EQ(first.avx_state, second.avx_state);
}

TEST(KvmProbeNames, AreWords)
{
    EXPECT_STREQ(kvm_vendor_name(KVM_VENDOR_PVM), "pvm");
    EXPECT_STREQ(kvm_ring0_name(KVM_RING0_EMULATED), "emulated");
    EXPECT_STREQ(kvm_answer_name(KVM_YES), "yes");
}

} // namespace
