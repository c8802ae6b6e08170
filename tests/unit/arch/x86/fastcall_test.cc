// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/far.h"

#include "arch/x86/core_sys.h"
#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"
#include "guest.h"
#include "legacy_guest.h"

namespace
{

void set_star(x86_state *state)
{
    state->efer |= 1;
    state->msr[X86_MSR_STAR] = UINT64_C(0x0023001000000000) | 0x6000;
    state->msr[X86_MSR_LSTAR] = 0xffff800000001000;
    state->msr[X86_MSR_SFMASK] = X86_IF | X86_DF_FLAG;
}

TEST(FastCall, EntersTheKernelAndComesBack)
{
    Guest guest;
    x86_state *state = guest.state();
    x86_fault fault;

    set_star(state);
    state->rip = 0x400002;
    x86_core_set_rflags(guest.core, 0x603);
    ASSERT_TRUE(x86_syscall(guest.core, &fault));
    EXPECT_EQ(state->rip, 0xffff800000001000);
    EXPECT_EQ(state->gpr[X86_RCX], 0x400002u);
    EXPECT_EQ(state->gpr[X86_R11], 0x603u);
    EXPECT_EQ(x86_core_rflags(guest.core), 0x3u);
    EXPECT_EQ(state->seg[X86_CS].selector, 0x10);
    EXPECT_EQ(state->seg[X86_SS_SEG].selector, 0x18);
    EXPECT_EQ(x86_cpl(state), 0u);
    ASSERT_TRUE(x86_sysret(guest.core, 8, &fault));
    EXPECT_EQ(state->rip, 0x400002u);
    EXPECT_EQ(x86_core_rflags(guest.core), 0x603u);
    EXPECT_EQ(state->seg[X86_CS].selector, 0x33);
    EXPECT_EQ(state->seg[X86_SS_SEG].selector, 0x2b);
    EXPECT_EQ(x86_cpl(state), 3u);
}

TEST(FastCall, ReturnsToCompatibilityMode)
{
    Guest guest(false);
    x86_fault fault;

    set_star(guest.state());
    guest.gpr(X86_RCX) = 0x1234500000000010;
    ASSERT_TRUE(x86_sysret(guest.core, 4, &fault));
    EXPECT_EQ(guest.state()->rip, 0x10u);
    EXPECT_EQ(guest.state()->seg[X86_CS].selector, 0x23);
    EXPECT_FALSE(guest.state()->seg[X86_CS].l);
    EXPECT_TRUE(guest.state()->seg[X86_CS].db);
}

TEST(FastCall, IsUndefinedUnlessEnabledAndPrivilegedToReturn)
{
    Guest guest;
    x86_fault fault;

    guest.state()->efer &= ~UINT64_C(1);
    EXPECT_FALSE(x86_syscall(guest.core, &fault));
    EXPECT_EQ(fault.vector, X86_UD);
    EXPECT_FALSE(x86_sysret(guest.core, 8, &fault));
    EXPECT_EQ(fault.vector, X86_UD);
    guest.state()->efer |= 1;
    EXPECT_FALSE(x86_sysret(guest.core, 8, &fault));
    EXPECT_EQ(fault.vector, X86_GP);
}

TEST(FastCall, EntersA32BitKernelBySysenter)
{
    LegacyGuest guest;
    x86_state *state = guest.state();

    guest.enter(3);
    EXPECT_FALSE(x86_sysenter(guest.core, &guest.fault)) << "no CS given";
    EXPECT_EQ(guest.fault.vector, X86_GP);
    state->msr[X86_MSR_SYSENTER_CS] = 8;
    state->msr[X86_MSR_SYSENTER_EIP] = 0x6000;
    state->msr[X86_MSR_SYSENTER_ESP] = 0x7000;
    x86_core_set_rflags(guest.core, 0x202);
    ASSERT_TRUE(x86_sysenter(guest.core, &guest.fault));
    EXPECT_EQ(state->rip, 0x6000u);
    EXPECT_EQ(state->gpr[X86_RSP], 0x7000u);
    EXPECT_EQ(state->seg[X86_CS].selector, 8);
    EXPECT_EQ(state->seg[X86_SS_SEG].selector, 0x10);
    EXPECT_EQ(x86_core_rflags(guest.core), 2u);
    state->gpr[X86_RDX] = 0x5000;
    state->gpr[X86_RCX] = 0x8000;
    ASSERT_TRUE(x86_sysexit(guest.core, 4, &guest.fault));
    EXPECT_EQ(state->seg[X86_CS].selector, 0x1b);
    EXPECT_EQ(state->seg[X86_SS_SEG].selector, 0x23);
    EXPECT_FALSE(x86_sysexit(guest.core, 4, &guest.fault)) << "at CPL 3";
}

TEST(FastCall, ExistsInCompatibilityModeAsTheVendorHasIt)
{
    Guest guest;
    x86_state *state = guest.state();
    x86_fault fault;

    set_star(state);
    EXPECT_TRUE(x86_has_syscall(state));
    EXPECT_EQ(x86_has_sysenter(state), !x86_quirks_is_amd());
    state->seg[X86_CS].l = 0;
    state->seg[X86_CS].db = 1;
    EXPECT_EQ(x86_has_syscall(state), x86_quirks_is_amd());
    EXPECT_EQ(x86_has_sysenter(state), !x86_quirks_is_amd());
    EXPECT_EQ(x86_syscall(guest.core, &fault), x86_quirks_is_amd());
}

TEST(FastCall, BothExistInLegacyProtectedModeButForIntelsSyscall)
{
    LegacyGuest guest;

    guest.enter(3);
    set_star(guest.state());
    EXPECT_TRUE(x86_has_sysenter(guest.state()));
    EXPECT_EQ(x86_has_syscall(guest.state()), x86_quirks_is_amd());
}

} // namespace
