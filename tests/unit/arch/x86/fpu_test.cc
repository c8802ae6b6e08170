// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/fpu.h"

#include "thunk_fixture.h"

#include <xmmintrin.h>

using Fpu = ThunkTest;

TEST_F(Fpu, HostKeepsItsMxcsrAndControlWord)
{
    const uint32_t mxcsr = _mm_getcsr();
    uint16_t before, after;

    __asm__ volatile("fnstcw %0" : "=m"(before));
    x86_fpu_set_mxcsr(&m.fpu, 0x1f80 | 3U << 13 | 0x8040);
    x86_fpu_enter(&m.fpu, X86_LIVE_MXCSR | X86_LIVE_X87);
    EXPECT_EQ(_mm_getcsr() & ~0x3fU, 0x1f80U | 3U << 13 | 0x8040U);
    x86_fpu_leave(&m.fpu);
    __asm__ volatile("fnstcw %0" : "=m"(after));
    EXPECT_EQ(_mm_getcsr(), mxcsr);
    EXPECT_EQ(after, before);
}

TEST_F(Fpu, ReadinessFollowsWhatIsLive)
{
    EXPECT_TRUE(m.fpu.unready & X86_NEED_MXCSR);
    EXPECT_TRUE(m.fpu.unready & X86_NEED_LIVE_X87);
    x86_fpu_enter(&m.fpu, X86_LIVE_MXCSR | X86_LIVE_X87);
    EXPECT_FALSE(m.fpu.unready & (X86_NEED_MXCSR | X86_NEED_LIVE_X87));
    x86_fpu_leave_x87(&m.fpu);
    EXPECT_TRUE(m.fpu.unready & X86_NEED_LIVE_X87);
    EXPECT_FALSE(m.fpu.unready & X86_NEED_MXCSR);
}

TEST_F(Fpu, UnmaskedExceptionsKeepAUnitOffTheHost)
{
    x86_fpu_set_mxcsr(&m.fpu, 0x1d80);
    x86_fpu_enter(&m.fpu, X86_LIVE_MXCSR);
    EXPECT_EQ(m.fpu.live, 0U);
    EXPECT_EQ(x86_fpu_mxcsr(&m.fpu), 0x1d80U);
}

TEST_F(Fpu, UnmaskingWhileLiveLeavesTheHost)
{
    x86_fpu_enter(&m.fpu, X86_LIVE_MXCSR);
    x86_fpu_set_mxcsr(&m.fpu, 0);
    EXPECT_FALSE(m.fpu.live & X86_LIVE_MXCSR);
    EXPECT_TRUE(m.fpu.unready & X86_NEED_MXCSR);
}

TEST_F(Fpu, ImageRoundTrips)
{
    uint8_t image[X86_XSAVE_SIZE];

    for (unsigned i = 0; i < 32; i++)
        memset(m.fpu.vec[i], static_cast<int>(i + 1), 64);
    m.fpu.opmask[7] = 42;
    ASSERT_TRUE(run({0xd9, 0xeb})); // fldpi
    x86_fpu_store(&m.fpu);
    memcpy(image, m.state.xsave, sizeof image);
    memset(m.fpu.vec, 0, sizeof m.fpu.vec);
    m.fpu.opmask[7] = 0;
    x86_fpu_load(&m.fpu);
    EXPECT_EQ(m.fpu.vec[31][63], 32);
    EXPECT_EQ(m.fpu.vec[9][20], 10);
    EXPECT_EQ(m.fpu.opmask[7], 42U);
    x86_fpu_store(&m.fpu);
    EXPECT_EQ(memcmp(image, m.state.xsave, sizeof image), 0);
}

TEST_F(Fpu, InitialStateIsNotInUse)
{
    x86_fpu_store(&m.fpu);
    EXPECT_EQ(m.state.xsave[512] & 0xe7, 0);
    m.fpu.vec[17][3] = 1;
    x86_fpu_store(&m.fpu);
    EXPECT_EQ(m.state.xsave[512] & 0xe7, 0x80);
}

TEST_F(Fpu, ComponentsNotInUseAreLoadedAsInitial)
{
    memset(m.state.xsave + 160, 0xff, 256);
    m.state.xsave[512] = 0;
    x86_fpu_load(&m.fpu);
    EXPECT_EQ(m.fpu.vec[0][0], 0);
}
