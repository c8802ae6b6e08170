/* SPDX-License-Identifier: BSD-3-Clause */
#include <gtest/gtest.h>

#include <set>

#include "cpu/kvm/kvm_uapi.h"
#include "cpu/kvm/kvm_vcpu.h"

namespace
{

TEST(KvmExit, EveryNumberHasAKindThatIsUnknownUnlessItHasARow)
{
    const std::set<uint32_t> rows = {KVM_EXIT_IO,
                                     KVM_EXIT_MMIO,
                                     KVM_EXIT_INTR,
                                     KVM_EXIT_HLT,
                                     KVM_EXIT_IRQ_WINDOW_OPEN,
                                     KVM_EXIT_X86_RDMSR,
                                     KVM_EXIT_X86_WRMSR,
                                     KVM_EXIT_SHUTDOWN,
                                     KVM_EXIT_INTERNAL_ERROR,
                                     KVM_EXIT_FAIL_ENTRY};

    for (uint32_t reason = 0; reason < 64; reason++)
        EXPECT_EQ(kvm_exit_kind(reason) == VCPU_EXIT_UNKNOWN,
                  rows.count(reason) == 0)
            << reason;
    EXPECT_EQ(kvm_exit_kind(UINT32_MAX), VCPU_EXIT_UNKNOWN);
}

TEST(KvmExit, KindsAreThoseOfTheContract)
{
    EXPECT_EQ(kvm_exit_kind(KVM_EXIT_HLT), VCPU_EXIT_HALT);
    EXPECT_EQ(kvm_exit_kind(KVM_EXIT_SHUTDOWN), VCPU_EXIT_SHUTDOWN);
    EXPECT_EQ(kvm_exit_kind(KVM_EXIT_FAIL_ENTRY), VCPU_EXIT_FAIL_ENTRY);
    EXPECT_EQ(kvm_exit_kind(KVM_EXIT_INTR), VCPU_EXIT_INTR);
}

} // namespace
