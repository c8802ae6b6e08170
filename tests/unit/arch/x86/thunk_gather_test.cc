// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/thunk_gather.h"

#include "thunk_fixture.h"

using ThunkGather = ThunkTest;

namespace
{
// vpgatherdd xmm1, [rax+xmm2*4], xmm3
const std::vector<uint8_t> gather_vex = {0xc4, 0xe2, 0x61, 0x90, 0x0c, 0x90};
// vpgatherdd zmm1{k1}, [rax+zmm2*4]
const std::vector<uint8_t> gather_evex = {0x62, 0xf2, 0x7d, 0x49,
                                          0x90, 0x0c, 0x90};
// vpscatterdd [rax+zmm2*4]{k1}, zmm1
const std::vector<uint8_t> scatter = {0x62, 0xf2, 0x7d, 0x49, 0xa0, 0x0c, 0x90};
} // namespace

TEST_F(ThunkGather, LoadsSelectedElementsAndClearsTheMask)
{
    NEED_HOST("avx2");
    for (uint32_t i = 0; i < 16; i++)
        poke<uint32_t>(MEM_BASE + 4 * i, 100 + i);
    set_vec<int32_t>(1, {-1, -1, -1, -1, -1, -1, -1, -1});
    set_vec<int32_t>(2, {3, 5, 7, 9});
    set_vec<uint32_t>(3, {0x80000000, 0, 0xffffffff, 0, 1, 1, 1, 1});
    ASSERT_TRUE(run(gather_vex));
    EXPECT_EQ(vec<int32_t>(1, 0), 103);
    EXPECT_EQ(vec<int32_t>(1, 1), -1);
    EXPECT_EQ(vec<int32_t>(1, 2), 107);
    EXPECT_EQ(vec<int32_t>(1, 4), 0); // upper part
    EXPECT_EQ(vec<uint64_t>(3, 0), 0U);
    EXPECT_EQ(vec<uint64_t>(3, 2), 0U);
}

TEST_F(ThunkGather, FaultKeepsWhatIsDoneAndTheRestOfTheMask)
{
    NEED_HOST("avx512f");
    set_vec<int32_t>(1, std::vector<int32_t>(16, -1));
    set_vec<int32_t>(2, {0, 1, 1 << 20, 3});
    poke<uint32_t>(MEM_BASE, 55);
    m.fpu.opmask[1] = 0xf;
    EXPECT_FALSE(run(gather_evex));
    EXPECT_EQ(call.fault.vector, X86_PF);
    EXPECT_EQ(call.fault.addr, MEM_BASE + (4U << 20));
    EXPECT_EQ(vec<int32_t>(1, 0), 55);
    EXPECT_EQ(vec<int32_t>(1, 1), 0);
    EXPECT_EQ(vec<int32_t>(1, 2), -1);
    EXPECT_EQ(m.fpu.opmask[1], 0xcU);
}

TEST_F(ThunkGather, IndicesAreSigned)
{
    NEED_HOST("avx512f");
    set_vec<int32_t>(2, {-2});
    poke<uint32_t>(MEM_BASE + 56, 77);
    m.fpu.opmask[1] = 1;
    ASSERT_TRUE(run(gather_evex, MEM_BASE + 64));
    EXPECT_EQ(vec<int32_t>(1, 0), 77);
    EXPECT_EQ(m.fpu.opmask[1], 0U);
}

TEST_F(ThunkGather, ScatterWritesInOrder)
{
    NEED_HOST("avx512f");
    set_vec<int32_t>(1, {10, 20, 30, 40});
    set_vec<int32_t>(2, {5, 5, 6, 7});
    m.fpu.opmask[1] = 0x7;
    ASSERT_TRUE(run(scatter));
    EXPECT_EQ(peek<int32_t>(MEM_BASE + 20), 20); // the later one wins
    EXPECT_EQ(peek<int32_t>(MEM_BASE + 24), 30);
    EXPECT_EQ(peek<int32_t>(MEM_BASE + 28), 0);
    EXPECT_EQ(m.fpu.opmask[1], 0U);
}

TEST_F(ThunkGather, ByteMaskedStoreGoesToRdi)
{
    m.state.gpr[X86_RDI] = MEM_BASE + 100;
    memcpy(m.fpu.vec[0], "0123456789abcdef", 16);
    memset(m.fpu.vec[1], 0, 16);
    m.fpu.vec[1][2] = 0x80;
    m.fpu.vec[1][15] = 0xff;
    ASSERT_TRUE(run({0x66, 0x0f, 0xf7, 0xc1})); // maskmovdqu xmm0, xmm1
    EXPECT_EQ(peek<char>(MEM_BASE + 102), '2');
    EXPECT_EQ(peek<char>(MEM_BASE + 103), 0);
    EXPECT_EQ(peek<char>(MEM_BASE + 115), 'f');
}

TEST_F(ThunkGather, MmxFormUsesMmxRegisters)
{
    m.state.gpr[X86_RDI] = MEM_BASE;
    poke<uint64_t>(MEM_BASE + 8, 0x1122334455667788);
    poke<uint64_t>(MEM_BASE + 16, 0x8000000000000080);
    ASSERT_TRUE(run({0x0f, 0x6f, 0x28}, MEM_BASE + 8));  // movq mm5, [rax]
    ASSERT_TRUE(run({0x0f, 0x6f, 0x30}, MEM_BASE + 16)); // movq mm6, [rax]
    ASSERT_TRUE(run({0x0f, 0xf7, 0xee}));                // maskmovq mm5, mm6
    EXPECT_EQ(peek<uint64_t>(MEM_BASE), 0x1100000000000088U);
}
