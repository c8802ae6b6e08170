// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/boot/boot.h"

#include <gtest/gtest.h>

#include "arch/x86/state.h"

TEST(Boot, WithoutAnImageTheFirstProcessorBeginsAtTheResetVector)
{
    x86_state state;

    boot_cpu(nullptr, 0, &state);
    EXPECT_EQ(state.seg[X86_CS].base + state.rip, 0xfffffff0u);
    EXPECT_EQ(state.apic_base, 0xfee00900u);
    EXPECT_EQ(state.mp_state, X86_RUNNABLE);
}

TEST(Boot, TheOthersWait)
{
    x86_state state;

    boot_cpu(nullptr, 3, &state);
    EXPECT_EQ(state.apic_base, 0xfee00800u);
    EXPECT_EQ(state.mp_state, X86_WAIT_SIPI);
}
