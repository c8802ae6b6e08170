// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/thunk_run.h"

#include "thunk_fixture.h"

using ThunkRun = ThunkTest;

namespace
{
const std::vector<uint8_t> addps_mem = {0x0f, 0x58, 0x00};
const std::vector<uint8_t> divsd = {0xf2, 0x0f, 0x5e, 0xc1}; // xmm0 /= xmm1
const std::vector<uint8_t> mulsd = {0xf2, 0x0f, 0x59, 0xc1};
} // namespace

TEST_F(ThunkRun, MisalignedLegacyOperandIsGp)
{
    EXPECT_FALSE(run(addps_mem, MEM_BASE + 4));
    EXPECT_EQ(call.fault.vector, X86_GP);
    EXPECT_TRUE(call.fault.has_error);
    EXPECT_TRUE(run({0x0f, 0x10, 0x00}, MEM_BASE + 4)); // movups
}

TEST_F(ThunkRun, AlignmentIsThatOfTheLinearAddress)
{
    m.state.seg[X86_FS].base = 8;
    const x86_thunk *thunk = get({0x64, 0x0f, 0x58, 0x00});
    call = {};
    call.mem = {MEM_BASE + 8, X86_FS, 64};
    EXPECT_TRUE(x86_thunk_run(&m.fpu, thunk, &call));
    call.mem.offset = MEM_BASE;
    EXPECT_FALSE(x86_thunk_run(&m.fpu, thunk, &call));
    EXPECT_EQ(call.fault.vector, X86_GP);
}

TEST_F(ThunkRun, MisalignedModeOfMxcsrAllowsIt)
{
    if (!(m.fpu.host_mxcsr_mask & X86_MXCSR_MM))
        GTEST_SKIP() << "the host has no MXCSR.MM";
    x86_fpu_set_mxcsr(&m.fpu, X86_MXCSR_DEFAULT | X86_MXCSR_MM);
    EXPECT_TRUE(run(addps_mem, MEM_BASE + 4));
    EXPECT_FALSE(run({0x0f, 0x28, 0x00}, MEM_BASE + 4)); // movaps
}

TEST_F(ThunkRun, PageFaultLeavesEverythingAsItWas)
{
    set_vec<float>(0, {1, 2, 3, 4});
    EXPECT_FALSE(run(addps_mem, MEM_BASE + MEM_SIZE));
    EXPECT_EQ(call.fault.vector, X86_PF);
    EXPECT_EQ(call.fault.addr, MEM_BASE + MEM_SIZE);
    EXPECT_EQ(vec<float>(0, 0), 1);
}

TEST_F(ThunkRun, StoreThatFaultsDoesNotPopTheX87Stack)
{
    ASSERT_TRUE(run({0xd9, 0xe8}));                           // fld1
    EXPECT_FALSE(run({0xdd, 0x18}, MEM_BASE + MEM_SIZE - 4)); // fstp qword
    EXPECT_EQ(call.fault.vector, X86_PF);
    ASSERT_TRUE(run({0xdd, 0x18}));
    EXPECT_EQ(peek<double>(MEM_BASE), 1.0);
}

TEST_F(ThunkRun, AccessBitsDecideBetweenUdAndNm)
{
    m.state.cr0 |= 1 << 3; // TS
    x86_fpu_update_access(&m.fpu);
    EXPECT_FALSE(run(addps_mem));
    EXPECT_EQ(call.fault.vector, X86_NM);
    EXPECT_FALSE(run({0xd9, 0xe8}));
    EXPECT_EQ(call.fault.vector, X86_NM);
    m.state.cr0 &= ~(UINT64_C(1) << 3);
    m.state.cr0 |= 1 << 2; // EM
    x86_fpu_update_access(&m.fpu);
    EXPECT_FALSE(run(addps_mem));
    EXPECT_EQ(call.fault.vector, X86_UD);
    EXPECT_FALSE(run({0xd9, 0xe8}));
    EXPECT_EQ(call.fault.vector, X86_NM);
    EXPECT_FALSE(run({0x0f, 0xef, 0xc1})); // pxor mm0, mm1
    EXPECT_EQ(call.fault.vector, X86_UD);
}

TEST_F(ThunkRun, AvxNeedsXcr0)
{
    NEED_HOST("avx");
    m.state.xcr0 = 3;
    x86_fpu_update_access(&m.fpu);
    EXPECT_FALSE(run({0xc5, 0xf8, 0x58, 0xc1}));
    EXPECT_EQ(call.fault.vector, X86_UD);
    EXPECT_TRUE(run({0x0f, 0x58, 0xc1}));
}

TEST_F(ThunkRun, SimdExceptionLeavesTheDestination)
{
    set_vec<double>(0, {1.0});
    set_vec<double>(1, {0.0});
    x86_fpu_set_mxcsr(&m.fpu, X86_MXCSR_DEFAULT & ~0x200U); // ZE unmasked
    EXPECT_FALSE(run(divsd));
    EXPECT_EQ(call.fault.vector, X86_XM);
    EXPECT_EQ(vec<double>(0, 0), 1.0);
    EXPECT_EQ(x86_fpu_mxcsr(&m.fpu) & X86_MXCSR_FLAGS, 4U);
    m.state.cr4 &= ~(UINT64_C(1) << 10);
    EXPECT_FALSE(run(divsd));
    EXPECT_EQ(call.fault.vector, X86_UD);
}

TEST_F(ThunkRun, MaskedSimdExceptionOnlySetsAFlag)
{
    set_vec<double>(0, {1.0});
    set_vec<double>(1, {0.0});
    EXPECT_TRUE(run(divsd));
    EXPECT_EQ(vec<double>(0, 0), __builtin_inf());
    EXPECT_EQ(x86_fpu_mxcsr(&m.fpu) & X86_MXCSR_FLAGS, 4U);
}

TEST_F(ThunkRun, UnmaskedUnderflowIsRaisedForExactTinyResults)
{
    set_vec<double>(0, {0x1p-1000});
    set_vec<double>(1, {0x1p-60});
    EXPECT_TRUE(run(mulsd)); // masked: exact, so nothing happens
    EXPECT_EQ(x86_fpu_mxcsr(&m.fpu) & X86_MXCSR_FLAGS, 0U);
    set_vec<double>(0, {0x1p-1000});
    x86_fpu_set_mxcsr(&m.fpu, X86_MXCSR_DEFAULT & ~0x800U);
    EXPECT_FALSE(run(mulsd));
    EXPECT_EQ(call.fault.vector, X86_XM);
    EXPECT_EQ(x86_fpu_mxcsr(&m.fpu) & X86_MXCSR_FLAGS, 0x10U);
}

TEST_F(ThunkRun, UnmaskedButAbsentExceptionsChangeNothing)
{
    set_vec<double>(0, {6.0});
    set_vec<double>(1, {2.0});
    x86_fpu_set_mxcsr(&m.fpu, 0);
    EXPECT_TRUE(run(divsd));
    EXPECT_EQ(vec<double>(0, 0), 3.0);
}

TEST_F(ThunkRun, RoundingOfTheGuestIsUsed)
{
    set_vec<double>(0, {1.0});
    set_vec<double>(1, {3.0});
    x86_fpu_set_mxcsr(&m.fpu, X86_MXCSR_DEFAULT | 2U << 13); // up
    EXPECT_TRUE(run(divsd));
    EXPECT_GT(vec<double>(0, 0), 1.0 / 3.0);
}

TEST_F(ThunkRun, MaskSuppressesFaults)
{
    NEED_HOST("avx512f");
    const uint64_t end = MEM_BASE + MEM_SIZE;

    m.fpu.opmask[1] = 0x3;
    poke<uint32_t>(end - 8, 5);
    poke<uint32_t>(end - 4, 6);
    // vmovups zmm0{k1}{z}, [rax]: two elements are inside
    EXPECT_TRUE(run({0x62, 0xf1, 0x7c, 0xc9, 0x10, 0x00}, end - 8));
    EXPECT_EQ(vec<uint32_t>(0, 1), 6U);
    m.fpu.opmask[1] = 0x7;
    EXPECT_FALSE(run({0x62, 0xf1, 0x7c, 0xc9, 0x10, 0x00}, end - 8));
    EXPECT_EQ(call.fault.addr, end);
}

TEST_F(ThunkRun, MaskedStoreTouchesOnlyItsElements)
{
    NEED_HOST("avx512f");
    m.fpu.opmask[1] = 0x2;
    set_vec<uint32_t>(0, {1, 2, 3});
    poke<uint64_t>(MEM_BASE, ~UINT64_C(0));
    EXPECT_TRUE(run({0x62, 0xf1, 0x7c, 0x49, 0x11, 0x00}));
    EXPECT_EQ(peek<uint64_t>(MEM_BASE), 0x2ffffffffU);
    // nothing is written when an element faults
    m.fpu.opmask[1] = 0x7;
    EXPECT_FALSE(
        run({0x62, 0xf1, 0x7c, 0x49, 0x11, 0x00}, MEM_BASE + MEM_SIZE - 8));
    EXPECT_EQ(peek<uint64_t>(MEM_BASE + MEM_SIZE - 8), 0U);
}

TEST_F(ThunkRun, VexMaskSuppressesFaults)
{
    NEED_HOST("avx");
    const uint64_t end = MEM_BASE + MEM_SIZE;

    set_vec<uint32_t>(1, {0x80000000, 0, 0, 0});
    poke<uint32_t>(end - 4, 9);
    // vmaskmovps xmm0, xmm1, [rax]
    EXPECT_TRUE(run({0xc4, 0xe2, 0x71, 0x2c, 0x00}, end - 4));
    EXPECT_EQ(vec<uint32_t>(0, 0), 9U);
    EXPECT_EQ(vec<uint32_t>(0, 1), 0U);
}

TEST_F(ThunkRun, ExpandReadsAsManyElementsAsBits)
{
    NEED_HOST("avx512f");
    const uint64_t end = MEM_BASE + MEM_SIZE;

    m.fpu.opmask[1] = 0x8002;
    poke<uint32_t>(end - 8, 11);
    poke<uint32_t>(end - 4, 12);
    // vpexpandd zmm0{k1}{z}, [rax]
    EXPECT_TRUE(run({0x62, 0xf2, 0x7d, 0xc9, 0x89, 0x00}, end - 8));
    EXPECT_EQ(vec<uint32_t>(0, 1), 11U);
    EXPECT_EQ(vec<uint32_t>(0, 15), 12U);
}
