/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_perf.h"

#include <gtest/gtest.h>

#include <string>

#include "fake_kvm.hh"

namespace
{

struct KvmPerf : testing::Test {
    void SetUp() override
    {
        kvm_host_cfg cfg = fake.cfg();
        char reason[KVM_HOST_WHY_SIZE];
        ASSERT_EQ(kvm_host_open(&cfg, &host, reason), 0) << reason;
        fake.perf_result = 0;
        fake.on(PERF_EVENT_IOC_PERIOD, [this](int fd, void *arg) {
            periods[fd] = *static_cast<uint64_t *>(arg);
            return 0;
        });
        kvm_perf_init(&perf, host);
    }
    void TearDown() override
    {
        kvm_perf_close(&perf);
        kvm_host_close(host);
        EXPECT_TRUE(fake.open_fds.empty());
    }
    void open(kvm_perf_rings rings = KVM_PERF_USER,
              kvm_perf_what what = KVM_PERF_INSTS)
    {
        ASSERT_EQ(kvm_perf_open(&perf, rings, what, why), 0) << why;
    }

    FakeKvm fake;
    kvm_host *host = nullptr;
    kvm_perf perf;
    std::map<int, uint64_t> periods;
    char why[KVM_PERF_WHY_SIZE];
};

TEST_F(KvmPerf, CountsWhatTheGuestExecutesInRing3)
{
    open();
    ASSERT_TRUE(kvm_perf_is_open(&perf));
    const perf_event_attr &attr = fake.counter_attrs[perf.insts.fd];
    EXPECT_EQ(attr.type, PERF_TYPE_HARDWARE);
    EXPECT_EQ(attr.config, uint64_t{PERF_COUNT_HW_INSTRUCTIONS});
    EXPECT_TRUE(attr.exclude_host);
    EXPECT_TRUE(attr.exclude_hv);
    EXPECT_TRUE(attr.exclude_kernel);
    EXPECT_NE(attr.sample_period, 0u);
}

TEST_F(KvmPerf, CountsAllRingsOfAWholeMachine)
{
    open(KVM_PERF_ALL);
    EXPECT_FALSE(fake.counter_attrs[perf.insts.fd].exclude_kernel);
}

TEST_F(KvmPerf, TellsWhatWasAddedSinceTheLastTime)
{
    uint64_t insts = 7;

    open();
    ASSERT_EQ(kvm_perf_take(&perf, &insts), 0);
    EXPECT_EQ(insts, 0u);
    fake.counters[perf.insts.fd] = 1000;
    ASSERT_EQ(kvm_perf_take(&perf, &insts), 0);
    EXPECT_EQ(insts, 1000u);
    fake.counters[perf.insts.fd] = 1500;
    ASSERT_EQ(kvm_perf_take(&perf, &insts), 0);
    EXPECT_EQ(insts, 500u);
}

TEST_F(KvmPerf, ReportsACounterThatWasLost)
{
    uint64_t insts = 7;

    open();
    fake.counters[perf.insts.fd] = 1000;
    ASSERT_EQ(kvm_perf_take(&perf, &insts), 0);
    fake.counter_is_lost = true;
    EXPECT_EQ(kvm_perf_take(&perf, &insts), -EIO);
    EXPECT_EQ(insts, 0u);
    fake.counter_is_lost = false;
    fake.counters[perf.insts.fd] = 10; /* backwards */
    EXPECT_EQ(kvm_perf_take(&perf, &insts), -EIO);
    fake.counter_error = -EBADF;
    EXPECT_EQ(kvm_perf_take(&perf, &insts), -EBADF);
}

TEST_F(KvmPerf, ArmsPeriods)
{
    open(KVM_PERF_USER, KVM_PERF_INSTS_AND_CYCLES);
    EXPECT_EQ(fake.counter_attrs[perf.cycles.fd].config,
              uint64_t{PERF_COUNT_HW_CPU_CYCLES});
    ASSERT_EQ(kvm_perf_arm_insts(&perf, 12345), 0);
    ASSERT_EQ(kvm_perf_arm_cycles(&perf, 0), 0);
    EXPECT_EQ(periods[perf.insts.fd], 12345u);
    EXPECT_EQ(periods[perf.cycles.fd], 1u) << "the kernel refuses 0";
    ASSERT_EQ(kvm_perf_arm_insts(&perf, UINT64_MAX), 0);
    EXPECT_LT(periods[perf.insts.fd], UINT64_C(1) << 63)
        << "the kernel refuses the highest bit";
    EXPECT_GT(periods[perf.insts.fd], UINT64_C(1) << 50);
}

TEST_F(KvmPerf, ExplainsWhyThereIsNone)
{
    fake.perf_result = -EACCES;
    EXPECT_EQ(
        kvm_perf_open(&perf, KVM_PERF_USER, KVM_PERF_INSTS_AND_CYCLES, why),
        -EACCES);
    EXPECT_NE(std::string(why).find("perf_event_paranoid"), std::string::npos);
    fake.perf_result = -ENOENT;
    EXPECT_EQ(
        kvm_perf_open(&perf, KVM_PERF_USER, KVM_PERF_INSTS_AND_CYCLES, why),
        -ENOENT);
    EXPECT_NE(std::string(why).find("no counters"), std::string::npos);
    EXPECT_FALSE(kvm_perf_is_open(&perf));
}

TEST_F(KvmPerf, ClosesTheFirstIfTheSecondFails)
{
    fake.perf_left = 1;
    EXPECT_EQ(
        kvm_perf_open(&perf, KVM_PERF_USER, KVM_PERF_INSTS_AND_CYCLES, why),
        -ENOENT);
    EXPECT_FALSE(kvm_perf_is_open(&perf));
}

} /* namespace */
