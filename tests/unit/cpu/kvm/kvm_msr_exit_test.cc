/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_msr_exit.h"

#include <gtest/gtest.h>

#include "fake_kvm.hh"

namespace
{

struct KvmMsrExit : testing::Test {
    void SetUp() override
    {
        fake.on(KVM_ENABLE_CAP, [this](int, void *arg) {
            cap = *static_cast<kvm_enable_cap *>(arg);
            return 0;
        });
        fake.on(KVM_X86_SET_MSR_FILTER, [this](int, void *arg) {
            filter = *static_cast<kvm_msr_filter *>(arg);
            for (auto &range : filter.ranges)
                denied += range.nmsrs && !(*range.bitmap & 1);
            return result;
        });
    }
    void open()
    {
        kvm_host_cfg cfg = fake.cfg();
        char why[KVM_HOST_WHY_SIZE];
        ASSERT_EQ(kvm_host_open(&cfg, &host, why), 0) << why;
    }
    void TearDown() override
    {
        kvm_host_close(host);
    }

    FakeKvm fake;
    kvm_host *host = nullptr;
    kvm_enable_cap cap = {};
    kvm_msr_filter filter = {};
    int denied = 0, result = 0;
};

TEST_F(KvmMsrExit, AsksForUnknownRegisters)
{
    open();
    ASSERT_EQ(kvm_msr_exit_unknown(host, 5), 0);
    EXPECT_EQ(cap.cap, uint32_t{KVM_CAP_X86_USER_SPACE_MSR});
    EXPECT_TRUE(cap.args[0] & KVM_MSR_EXIT_REASON_UNKNOWN);
    EXPECT_TRUE(cap.args[0] & KVM_MSR_EXIT_REASON_FILTER);
}

TEST_F(KvmMsrExit, FiltersRegisterByRegister)
{
    const uint64_t index[] = {0x1b, 0xc0000080};

    open();
    ASSERT_EQ(kvm_msr_exit_filter(host, 5, index, 2), 0);
    EXPECT_EQ(filter.flags, uint32_t{KVM_MSR_FILTER_DEFAULT_ALLOW});
    EXPECT_EQ(filter.ranges[1].base, 0xc0000080u);
    EXPECT_EQ(filter.ranges[1].nmsrs, 1u);
    EXPECT_EQ(denied, 2);
    EXPECT_EQ(filter.ranges[2].nmsrs, 0u);
    result = -EINVAL;
    EXPECT_EQ(kvm_msr_exit_filter(host, 5, index, 2), -EINVAL);
}

TEST_F(KvmMsrExit, RefusesWhatTheHostCannot)
{
    const uint64_t index[KVM_MSR_EXIT_MAX + 1] = {};

    open();
    EXPECT_EQ(kvm_msr_exit_filter(host, 5, index, KVM_MSR_EXIT_MAX + 1),
              -E2BIG);
    kvm_host_close(host);
    fake.caps[KVM_CAP_X86_MSR_FILTER] = 0;
    open();
    EXPECT_EQ(kvm_msr_exit_filter(host, 5, index, 1), -ENOTSUP);
    kvm_host_close(host);
    fake.caps[KVM_CAP_X86_USER_SPACE_MSR] = 0;
    open();
    EXPECT_EQ(kvm_msr_exit_filter(host, 5, index, 1), -ENOTSUP);
    EXPECT_EQ(kvm_msr_exit_unknown(host, 5), 0) << "nothing is asked";
    EXPECT_EQ(fake.count(KVM_ENABLE_CAP), 0);
}

} /* namespace */
