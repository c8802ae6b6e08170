// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/state.h"

#include <gtest/gtest.h>

#include "arch/x86/fault.h"

// [SDM] Vol. 3A, "IA-32 and Intel 64 Processor States Following Power-up,
// Reset, or INIT".
TEST(X86State, TheFirstFetchAfterResetIsJustBelow4GiB)
{
    x86_state state;

    x86_state_reset(&state);
    EXPECT_EQ(state.seg[X86_CS].base + state.rip, 0xfffffff0U);
}

TEST(X86State, ResetGivesRealModeWithCachesOff)
{
    x86_state state;

    x86_state_reset(&state);
    EXPECT_EQ(state.cr0, 0x60000010U);
    EXPECT_EQ(state.rflags, 2U);
    EXPECT_EQ(state.efer, 0U);
    EXPECT_EQ(state.events.exception_vector, X86_NO_FAULT);
}

TEST(X86State, InitKeepsWhatTheManualSays)
{
    x86_state state;

    x86_state_reset(&state);
    state.cr0 = 0x80000011;
    state.cr3 = 0x1000;
    state.rflags = 0x246;
    state.tsc_offset = 5;
    state.apic_base = 0xfee00800;
    state.msr[X86_MSR_LSTAR] = 0x1234;
    state.xsave[160] = 7;
    state.xcr0 = 7;
    x86_state_init(&state);
    EXPECT_EQ(state.cr0, 0x10u); // CD and NW stay clear
    EXPECT_EQ(state.cr3, 0u);
    EXPECT_EQ(state.rflags, 2u);
    EXPECT_EQ(state.seg[X86_CS].base + state.rip, 0xfffffff0u);
    EXPECT_EQ(state.tsc_offset, 5u);
    EXPECT_EQ(state.apic_base, 0xfee00800u);
    EXPECT_EQ(state.msr[X86_MSR_LSTAR], 0x1234u);
    EXPECT_EQ(state.xsave[160], 7);
    EXPECT_EQ(state.xcr0, 7u);
}

TEST(X86State, TheStartUpVectorIsAPage)
{
    x86_state state;

    x86_state_reset(&state);
    state.mp_state = X86_WAIT_SIPI;
    x86_state_start(&state, 0x9a);
    EXPECT_EQ(state.seg[X86_CS].selector, 0x9a00);
    EXPECT_EQ(state.seg[X86_CS].base, 0x9a000u);
    EXPECT_EQ(state.rip, 0u);
    EXPECT_EQ(state.mp_state, X86_RUNNABLE);
}
