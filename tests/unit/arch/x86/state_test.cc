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
