// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/thunk_xsave.h"

#include "thunk_fixture.h"

#include <cpuid.h>

using ThunkXsave = ThunkTest;

namespace
{
const std::vector<uint8_t> fxsave64 = {0x48, 0x0f, 0xae, 0x00};
const std::vector<uint8_t> fxrstor64 = {0x48, 0x0f, 0xae, 0x08};
const std::vector<uint8_t> xsave = {0x48, 0x0f, 0xae, 0x20};
const std::vector<uint8_t> xsaveopt = {0x48, 0x0f, 0xae, 0x30};
const std::vector<uint8_t> xsavec = {0x48, 0x0f, 0xc7, 0x20};
const std::vector<uint8_t> xrstor = {0x48, 0x0f, 0xae, 0x28};

unsigned host_offset(unsigned component)
{
    uint32_t a, b, c, d;

    __cpuid_count(0xd, component, a, b, c, d);
    return b;
}
} // namespace

TEST_F(ThunkXsave, FxsaveRoundTrips)
{
    set_vec<double>(7, {1.5, 2.5, 3.5});
    ASSERT_TRUE(run({0xd9, 0xeb})); // fldpi
    ASSERT_TRUE(run(fxsave64));
    EXPECT_EQ(peek<double>(MEM_BASE + 160 + 7 * 16), 1.5);
    EXPECT_EQ(peek<uint32_t>(MEM_BASE + 24), 0x1f80U);
    EXPECT_EQ(peek<uint8_t>(MEM_BASE + 4), 0x80);
    EXPECT_EQ(peek<uint16_t>(MEM_BASE + 40), 0x4000); // exponent of pi
    memset(m.fpu.vec[7], 0, 64);
    ASSERT_TRUE(run({0xdb, 0xe3})); // fninit
    ASSERT_TRUE(run(fxrstor64));
    EXPECT_EQ(vec<double>(7, 1), 2.5);
    ASSERT_TRUE(run({0xdd, 0x18}, MEM_BASE + 1024));
    EXPECT_EQ(peek<double>(MEM_BASE + 1024), 3.14159265358979323846);
}

TEST_F(ThunkXsave, MisalignedAreasAreGp)
{
    EXPECT_FALSE(run(fxsave64, MEM_BASE + 8));
    EXPECT_EQ(call.fault.vector, X86_GP);
    EXPECT_FALSE(run(xsave, MEM_BASE + 32));
    EXPECT_EQ(call.fault.vector, X86_GP);
}

TEST_F(ThunkXsave, NothingIsWrittenWhenAnyPartFaults)
{
    m.state.gpr[X86_RAX] = 7;
    EXPECT_FALSE(run(xsave, MEM_BASE + MEM_SIZE - 576));
    EXPECT_EQ(call.fault.vector, X86_PF);
    EXPECT_EQ(peek<uint32_t>(MEM_BASE + MEM_SIZE - 576 + 24), 0U);
}

TEST_F(ThunkXsave, XsaveWritesWhatIsAskedForAndKeepsOtherBits)
{
    NEED_HOST("avx512f");
    m.state.gpr[X86_RAX] = 0x20; // opmask
    m.state.gpr[X86_RDX] = 0;
    m.fpu.opmask[3] = 0x1234;
    poke<uint64_t>(MEM_BASE + 512, 0x81); // XSTATE_BV
    ASSERT_TRUE(run(xsave));
    EXPECT_EQ(peek<uint64_t>(MEM_BASE + 512), 0xa1U);
    EXPECT_EQ(peek<uint64_t>(MEM_BASE + host_offset(5) + 24), 0x1234U);
    EXPECT_EQ(peek<uint32_t>(MEM_BASE + 24), 0U); // no MXCSR
}

TEST_F(ThunkXsave, InitialComponentsAreSkippedByXsaveopt)
{
    NEED_HOST("avx");
    m.state.gpr[X86_RAX] = 7;
    memset(m.memory + 160, 0xee, 16);
    ASSERT_TRUE(run(xsaveopt));
    EXPECT_EQ(peek<uint8_t>(MEM_BASE + 160), 0xee);
    EXPECT_EQ(peek<uint64_t>(MEM_BASE + 512), 0U);
    ASSERT_TRUE(run(xsave));
    EXPECT_EQ(peek<uint8_t>(MEM_BASE + 160), 0);
}

TEST_F(ThunkXsave, CompactedAreaHasNoHoles)
{
    NEED_HOST("avx512f");
    m.state.gpr[X86_RAX] = 0x21; // x87, opmask
    m.fpu.opmask[0] = 0x55;
    ASSERT_TRUE(run(xsavec));
    EXPECT_EQ(peek<uint64_t>(MEM_BASE + 512), 0x20U);
    EXPECT_EQ(peek<uint64_t>(MEM_BASE + 520), UINT64_C(1) << 63 | 0x21);
    EXPECT_EQ(peek<uint64_t>(MEM_BASE + 576), 0x55U);
    m.fpu.opmask[0] = 0;
    m.fpu.opmask[1] = 9;
    ASSERT_TRUE(run(xrstor));
    EXPECT_EQ(m.fpu.opmask[0], 0x55U);
    EXPECT_EQ(m.fpu.opmask[1], 0U);
}

TEST_F(ThunkXsave, RestoreInitialisesWhatTheAreaLacks)
{
    NEED_HOST("avx");
    m.state.gpr[X86_RAX] = 7;
    for (unsigned i = 0; i < 16; i++)
        memset(m.fpu.vec[i], 0xab, 64);
    poke<uint32_t>(MEM_BASE + 24, 0x1f80);
    poke<uint64_t>(MEM_BASE + 512, 4); // only AVX is there
    memset(m.memory + host_offset(2), 0x11, 256);
    ASSERT_TRUE(run(xrstor));
    EXPECT_EQ(m.fpu.vec[4][0], 0);
    EXPECT_EQ(m.fpu.vec[4][16], 0x11);
    EXPECT_EQ(m.fpu.vec[4][32], 0xab); // not asked for
}

TEST_F(ThunkXsave, BadHeadersAreGp)
{
    m.state.gpr[X86_RAX] = 7;
    poke<uint32_t>(MEM_BASE + 24, 0x1f80);
    poke<uint64_t>(MEM_BASE + 512, 0x100); // not in XCR0
    EXPECT_FALSE(run(xrstor));
    EXPECT_EQ(call.fault.vector, X86_GP);
    poke<uint64_t>(MEM_BASE + 512, 3);
    poke<uint64_t>(MEM_BASE + 520, 7); // XCOMP_BV without its bit 63
    EXPECT_FALSE(run(xrstor));
    poke<uint64_t>(MEM_BASE + 520, UINT64_C(1) << 63 | 1); // SSE missing
    EXPECT_FALSE(run(xrstor));
    poke<uint64_t>(MEM_BASE + 520, 0);
    poke<uint32_t>(MEM_BASE + 24, 0x10000); // reserved MXCSR bit
    EXPECT_FALSE(run(xrstor));
    poke<uint32_t>(MEM_BASE + 24, 0x1f80);
    EXPECT_TRUE(run(xrstor));
}

TEST_F(ThunkXsave, OsxsaveGatesTheFamily)
{
    m.state.cr4 &= ~(UINT64_C(1) << 18);
    x86_fpu_update_access(&m.fpu);
    EXPECT_FALSE(run(xsave));
    EXPECT_EQ(call.fault.vector, X86_UD);
    EXPECT_TRUE(run(fxsave64));
}
