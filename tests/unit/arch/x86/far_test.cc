// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/far.h"

#include "legacy_guest.h"

namespace
{

constexpr uint16_t kGate = LegacyGuest::kSpare;

struct Far : LegacyGuest, testing::Test {
    // The frame that a return finds at the top of the stack.
    void put_frame(std::initializer_list<uint32_t> words)
    {
        uint32_t at = kStack;

        for (uint32_t word : words) {
            put32(at, word);
            at += 4;
        }
    }
};

// A far jump from CPL to a segment of this kind.
struct Jump {
    unsigned cpl;
    uint32_t access;
    uint16_t rpl;
    int vector; // -1: succeeds
};

TEST_F(Far, JumpsWhereThePrivilegesAllow)
{
    static const Jump rows[] = {
        {0, 0x9b, 0, -1    },
        {0, 0x9b, 3, X86_GP},
        {0, 0xfb, 0, X86_GP},
        {0, 0x9f, 3, -1    }, // conforming
        {0, 0xff, 0, X86_GP},
        {3, 0x9f, 3, -1    },
        {3, 0x9b, 3, X86_GP},
        {3, 0xfb, 0, -1    },
        {0, 0x1b, 0, X86_NP},
        {0, 0x93, 0, X86_GP},
    };

    for (const Jump &row : rows) {
        enter(row.cpl);
        put_gdt(kGate, descriptor(0, 0xfffff, row.access, 0xc));
        EXPECT_EQ(
            x86_far_jump(core, uint16_t(kGate | row.rpl), 0x6000, 4, &fault),
            row.vector < 0)
            << std::hex << row.access;
        if (row.vector < 0) {
            EXPECT_EQ(state()->seg[X86_CS].selector, kGate | row.cpl);
            EXPECT_EQ(state()->rip, 0x6000u);
        } else {
            EXPECT_EQ(fault.vector, row.vector) << std::hex << row.access;
            EXPECT_EQ(fault.error, kGate);
            EXPECT_EQ(state()->rip, 0x5000u);
        }
    }
}

TEST_F(Far, ChecksTheLimitOfTheTarget)
{
    put_gdt(kGate, descriptor(0, 0xfff, 0x9b, 4));
    EXPECT_FALSE(x86_far_jump(core, kGate, 0x1000, 4, &fault));
    EXPECT_EQ(fault.vector, X86_GP);
    EXPECT_EQ(fault.error, 0u);
    EXPECT_TRUE(x86_far_jump(core, kGate, 0xfff, 4, &fault));
}

TEST_F(Far, CallsAndReturnsAtOneLevel)
{
    ASSERT_TRUE(x86_far_call(core, kCode, 0x6000, 4, &fault));
    EXPECT_EQ(pushed(0), 0x5000u);
    EXPECT_EQ(pushed(1), kCode);
    ASSERT_TRUE(x86_far_return(core, 4, 4, &fault));
    EXPECT_EQ(state()->rip, 0x5000u);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack + 4);
}

TEST_F(Far, EntersInnerLevelsThroughCallGatesWithParameters)
{
    put_gdt(kGate, gate(kCode, 0x6000, 0xec, 2));
    enter(3);
    put_frame({0x11, 0x22});
    ASSERT_TRUE(x86_far_call(core, kGate | 3, 0x9999, 4, &fault));
    EXPECT_EQ(state()->rip, 0x6000u);
    EXPECT_EQ(state()->seg[X86_CS].selector, kCode);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack0 - 24);
    EXPECT_EQ(pushed(1), kUserCode);
    EXPECT_EQ(pushed(2), 0x11u);
    EXPECT_EQ(pushed(3), 0x22u);
    EXPECT_EQ(pushed(4), kStack);
    EXPECT_EQ(pushed(5), kUserData);
    ASSERT_TRUE(x86_far_return(core, 4, 8, &fault));
    EXPECT_EQ(state()->seg[X86_CS].selector, kUserCode);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack + 8);
}

TEST_F(Far, Pushes16BitSlotsThroughA16BitGate)
{
    put_gdt(kGate, gate(kCode, 0x96000, 0x84));
    ASSERT_TRUE(x86_far_call(core, kGate, 0, 4, &fault));
    EXPECT_EQ(state()->rip, 0x6000u);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack - 4);
    EXPECT_EQ(pushed(0), 0x5000u | kCode << 16);
}

TEST_F(Far, RefusesGatesAboveTheirPrivilege)
{
    put_gdt(kGate, gate(kCode, 0x6000, 0x8c));
    enter(3);
    EXPECT_FALSE(x86_far_call(core, kGate | 3, 0, 4, &fault));
    EXPECT_EQ(fault.vector, X86_GP);
    EXPECT_EQ(fault.error, kGate);
    put_gdt(kGate, gate(kCode, 0x6000, 0xec));
    EXPECT_FALSE(x86_far_jump(core, kGate | 3, 0, 4, &fault))
        << "a jump does not change the level";
    EXPECT_EQ(fault.error, kCode);
}

TEST_F(Far, ReturnsOutwardAndDropsInnerData)
{
    put_frame({0x6000, kUserCode, 0x7100, kUserData});
    ASSERT_TRUE(x86_far_return(core, 4, 0, &fault));
    EXPECT_EQ(state()->seg[X86_CS].selector, kUserCode);
    EXPECT_EQ(state()->gpr[X86_RSP], 0x7100u);
    EXPECT_TRUE(state()->seg[X86_DS].unusable);
}

TEST_F(Far, DoesNotReturnInward)
{
    enter(3);
    put_frame({0x6000, kCode, 0x7100, kData});
    EXPECT_FALSE(x86_far_return(core, 4, 0, &fault));
    EXPECT_EQ(fault.vector, X86_GP);
    EXPECT_EQ(fault.error, kCode);
}

TEST_F(Far, RestoresTheFlagsThatTheLevelMayChange)
{
    put_frame({0x6000, kCode, 0x3dffff});
    ASSERT_TRUE(x86_iret(core, 4, &fault));
    EXPECT_EQ(x86_core_rflags(core), 0x3d7fd7u);
    enter(3);
    put_frame({0x6000, kUserCode, 0x3fffff});
    ASSERT_TRUE(x86_iret(core, 4, &fault));
    EXPECT_EQ(x86_core_rflags(core), 0x254dd7u) << "not VM, IF, IOPL, VIF, VIP";
}

TEST_F(Far, EntersV86ModeWithAllSegments)
{
    put_frame({0x100, 0x800, X86_VM | 2, 0xf00, 0x500, 0x10, 0x20, 0x30, 0x40});
    ASSERT_TRUE(x86_iret(core, 4, &fault));
    EXPECT_TRUE(x86_in_v86_mode(state()));
    EXPECT_EQ(x86_cpl(state()), 3u);
    EXPECT_EQ(state()->seg[X86_CS].base, 0x8000u);
    EXPECT_EQ(state()->seg[X86_ES].base, 0x100u);
    EXPECT_EQ(state()->seg[X86_GS].base, 0x400u);
    EXPECT_EQ(state()->gpr[X86_RSP], 0xf00u);
    EXPECT_FALSE(x86_iret(core, 2, &fault)) << "IOPL is 0";
    EXPECT_EQ(fault.vector, X86_GP);
}

TEST_F(Far, FollowsTheBackLinkWithNt)
{
    x86_core_set_rflags(core, X86_NT | 2);
    put32(kTss, kData);
    EXPECT_FALSE(x86_iret(core, 4, &fault));
    EXPECT_EQ(fault.vector, X86_TS);
    EXPECT_EQ(fault.error, kData);
}

} // namespace
