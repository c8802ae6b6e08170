// SPDX-License-Identifier: BSD-3-Clause
#include <set>

#include "vcpu_dummy.h"

using VcpuNames = DummyTest;

TEST(VcpuExitName, EachKindHasItsOwn)
{
    std::set<std::string> names;

    for (int kind = 0; kind < VCPU_NUM_EXITS; kind++) {
        auto exit = static_cast<vcpu_exit_kind>(kind);

        names.insert(vcpu_exit_name(exit));
        EXPECT_NE(std::string(vcpu_exit_doc(exit)), "");
    }
    EXPECT_EQ(names.size(), static_cast<size_t>(VCPU_NUM_EXITS));
    EXPECT_STREQ(vcpu_exit_name(VCPU_NUM_EXITS), "?");
}

TEST(VcpuStateName, EachStateHasItsOwn)
{
    std::set<std::string> names;

    for (int state = 0; state < VCPU_NUM_STATES; state++)
        names.insert(vcpu_state_name(static_cast<vcpu_state>(state)));
    EXPECT_EQ(names.size(), static_cast<size_t>(VCPU_NUM_STATES));
    EXPECT_STREQ(vcpu_state_name(VCPU_NUM_STATES), "?");
}

TEST(VcpuId, HasTwoHalves)
{
    // clang-format off
    struct {
        vcpuid_t id;
        uint32_t vm, index;
        bool is_bootstrap, is_bsp, is_host;
    } rows[] = {
        {0, 0, 0, true, true, true},
        {1, 0, 1, false, false, true},
        {vcpu_make_id(1, 0), 1, 0, false, true, false},
        {vcpu_make_id(0x80000000, 5), 0x80000000, 5, false, false, false},
    };
    // clang-format on

    for (const auto &row : rows) {
        vcpu cpu{};

        cpu.id = row.id;
        EXPECT_EQ(vcpu_vm_id(&cpu), row.vm);
        EXPECT_EQ(vcpu_index(&cpu), row.index);
        EXPECT_EQ(vcpu_is_bootstrap(&cpu), row.is_bootstrap);
        EXPECT_EQ(vcpu_is_bsp(&cpu), row.is_bsp);
        EXPECT_EQ(vcpu_is_host_vm(&cpu), row.is_host);
        EXPECT_EQ(vcpu_is_guest_vm(&cpu), !row.is_host);
    }
}

TEST_F(VcpuNames, InitializedFollowsTheLifeCycle)
{
    EXPECT_FALSE(vcpu_is_initialized(cpu));
    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    EXPECT_TRUE(vcpu_is_initialized(cpu));
    ASSERT_EQ(vcpu_fini(cpu, nullptr), 0);
    EXPECT_FALSE(vcpu_is_initialized(cpu));
}
