// SPDX-License-Identifier: BSD-3-Clause
// The host as oracle: the same operation by a compiler intrinsic or inline
// assembly.  diff_fuzz compares every form; here are the kinds of operands.
#include "thunk_fixture.h"

#include "arch/x86/core.h"

#include <emmintrin.h>

TEST_F(ThunkTest, LegacyFormKeepsTheUpperPartOfTheRegister)
{
    set_vec<float>(1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
    set_vec<float>(2, {10, 20, 30, 40});
    ASSERT_TRUE(run({0x0f, 0x58, 0xca})); // addps xmm1, xmm2
    EXPECT_EQ(vec<float>(1, 0), 11);
    EXPECT_EQ(vec<float>(1, 3), 44);
    EXPECT_EQ(vec<float>(1, 4), 5);
    EXPECT_EQ(vec<float>(1, 15), 16);
}

TEST_F(ThunkTest, VexFormClearsTheUpperPartOfTheRegister)
{
    NEED_HOST("avx");
    set_vec<float>(1, {1, 2, 3, 4, 5, 6, 7, 8});
    set_vec<float>(2, {10, 20, 30, 40});
    ASSERT_TRUE(run({0xc5, 0xf0, 0x58, 0xca})); // vaddps xmm1, xmm1, xmm2
    EXPECT_EQ(vec<float>(1, 3), 44);
    for (unsigned i = 4; i < 16; i++)
        EXPECT_EQ(vec<float>(1, i), 0);
}

TEST_F(ThunkTest, VexFormClearsZmmToo)
{
    NEED_HOST("avx512bw");
    memset(m.fpu.vec[1], 0xff, 64);
    ASSERT_TRUE(run({0xc5, 0xf5, 0xef, 0xc9})); // vpxor ymm1, ymm1, ymm1
    EXPECT_EQ(vec<uint64_t>(1, 7), 0U);
}

TEST_F(ThunkTest, MemoryOperandIsReadWhereTheCallSays)
{
    set_vec<double>(15, {1.5, 2.5});
    poke(MEM_BASE + 64, 0.25);
    // addsd xmm15, [r13+rax*8+0x12345678]: the address is the caller's
    ASSERT_TRUE(
        run({0xf2, 0x45, 0x0f, 0x58, 0xbc, 0xc5, 0x78, 0x56, 0x34, 0x12},
            MEM_BASE + 64));
    EXPECT_EQ(vec<double>(15, 0), 1.75);
    EXPECT_EQ(vec<double>(15, 1), 2.5);
}

TEST_F(ThunkTest, GeneralRegistersAreRenamedWhereTheyWouldCollide)
{
    m.state.gpr[X86_RSP] = 0x1122334455667788;
    ASSERT_TRUE(run({0x66, 0x48, 0x0f, 0x6e, 0xc4})); // movq xmm0, rsp
    EXPECT_EQ(vec<uint64_t>(0, 0), 0x1122334455667788U);
    ASSERT_TRUE(run({0x66, 0x48, 0x0f, 0x7e, 0xc7})); // movq rdi, xmm0
    EXPECT_EQ(m.state.gpr[X86_RDI], 0x1122334455667788U);
    m.state.gpr[X86_RSI] = ~UINT64_C(0);
    ASSERT_TRUE(run({0x66, 0x0f, 0x7e, 0xc6})); // movd esi, xmm0
    EXPECT_EQ(m.state.gpr[X86_RSI], 0x55667788U);
}

TEST_F(ThunkTest, ImplicitRegistersAreUsed)
{
    NEED_HOST("sse4.2");
    memcpy(m.fpu.vec[1], "hello, world....", 16);
    memcpy(m.fpu.vec[2], "wo", 2);
    m.state.gpr[X86_RAX] = 2;
    m.state.gpr[X86_RDX] = 16;
    m.state.gpr[X86_RCX] = ~UINT64_C(0);
    // pcmpestri xmm2, xmm1, 0x0c: find a substring
    ASSERT_TRUE(run({0x66, 0x0f, 0x3a, 0x61, 0xd1, 0x0c}));
    EXPECT_EQ(m.state.gpr[X86_RCX], 7U);
    EXPECT_TRUE(call.flags & X86_CF);
}

TEST_F(ThunkTest, ComparisonReturnsFlags)
{
    set_vec<double>(0, {1.0});
    set_vec<double>(1, {2.0});
    const x86_thunk *thunk = get({0x66, 0x0f, 0x2e, 0xc1}); // ucomisd
    ASSERT_NE(thunk, nullptr);
    EXPECT_EQ(thunk->writes_flags, X86_ARITH_FLAGS);
    ASSERT_TRUE(run_thunk(thunk));
    EXPECT_EQ(call.flags & X86_ARITH_FLAGS, uint64_t{X86_CF});
    set_vec<double>(1, {__builtin_nan("")});
    ASSERT_TRUE(run_thunk(thunk));
    EXPECT_EQ(call.flags & X86_ARITH_FLAGS,
              uint64_t{X86_CF | X86_PF_FLAG | X86_ZF});
}

TEST_F(ThunkTest, FlagsGoIntoConditionalMoves)
{
    const double three = 3;
    poke(MEM_BASE, three);
    ASSERT_TRUE(run({0xdd, 0x00})); // fld qword [rax]
    ASSERT_TRUE(run({0xd9, 0xe8})); // fld1
    call.flags = X86_CF;
    ASSERT_TRUE(run({0xda, 0xc1}));               // fcmovb st0, st1
    ASSERT_TRUE(run({0xdd, 0x18}, MEM_BASE + 8)); // fstp qword [rax]
    EXPECT_EQ(peek<double>(MEM_BASE + 8), three);
}

TEST_F(ThunkTest, OpmasksAreLoadedAndStored)
{
    NEED_HOST("avx512bw");
    m.fpu.opmask[1] = 0x5;
    set_vec<uint32_t>(3, std::vector<uint32_t>(16, 7));
    set_vec<uint32_t>(20, std::vector<uint32_t>(16, 100));
    // vpaddd zmm3{k1}, zmm3, zmm20
    ASSERT_TRUE(run({0x62, 0xb1, 0x65, 0x49, 0xfe, 0xdc}));
    EXPECT_EQ(vec<uint32_t>(3, 0), 107U);
    EXPECT_EQ(vec<uint32_t>(3, 1), 7U);
    EXPECT_EQ(vec<uint32_t>(3, 2), 107U);
    // vpcmpeqd k2, zmm3, zmm20
    set_vec<uint32_t>(20, {107});
    ASSERT_TRUE(run({0x62, 0xb1, 0x65, 0x48, 0x76, 0xd4}));
    EXPECT_EQ(m.fpu.opmask[2], 1U);
}

TEST_F(ThunkTest, EmbeddedRoundingSurvivesReencoding)
{
    NEED_HOST("avx512f");
    set_vec<float>(1, {1});
    set_vec<float>(2, {0x1p-30f});
    // vaddss xmm0, xmm1, xmm2, {ru-sae}; {rd-sae}
    ASSERT_TRUE(run({0x62, 0xf1, 0x76, 0x58, 0x58, 0xc2}));
    EXPECT_GT(vec<float>(0, 0), 1.0F);
    ASSERT_TRUE(run({0x62, 0xf1, 0x76, 0x38, 0x58, 0xc2}));
    EXPECT_EQ(vec<float>(0, 0), 1.0F);
    EXPECT_EQ(x86_fpu_mxcsr(&m.fpu) & X86_MXCSR_FLAGS, 0U);
}

TEST_F(ThunkTest, CompatibilityModeIgnoresWForGeneralRegisters)
{
    NEED_HOST("avx");
    m.state.gpr[X86_RAX] = 0xffffffff00000001;
    // vmovd xmm0, eax with VEX.W1, which 32-bit mode ignores
    const x86_thunk *thunk =
        get({0xc4, 0xe1, 0xf9, 0x6e, 0xc0}, ZYDIS_MACHINE_MODE_LONG_COMPAT_32);
    ASSERT_NE(thunk, nullptr) << why;
    ASSERT_TRUE(run_thunk(thunk));
    EXPECT_EQ(vec<uint64_t>(0, 0), 1U);
}

TEST_F(ThunkTest, IdenticalInstructionsShareAThunk)
{
    const x86_thunk *first = get({0x0f, 0x58, 0xca});
    for (unsigned i = 0; i < 3000; i++) // more than fit the first table
        (void)get({0x66, 0x0f, 0xc6, static_cast<uint8_t>(0xc0 + i % 64),
                   static_cast<uint8_t>(i / 64)});
    EXPECT_EQ(get({0x0f, 0x58, 0xca}), first);
    EXPECT_NE(get({0x0f, 0x58, 0xcb}), first);
}

TEST_F(ThunkTest, PlaceOfTheMemoryOperandDoesNotMatter)
{
    const x86_thunk *first = get({0x0f, 0x58, 0x08}); // addps xmm1, [rax]
    EXPECT_EQ(get({0x65, 0x43, 0x0f, 0x58, 0x8c, 0x90, 1, 2, 3, 4}), first);
    EXPECT_NE(get({0x0f, 0x58, 0x10}), first);       // xmm2
    EXPECT_NE(get({0x44, 0x0f, 0x58, 0x08}), first); // xmm9
    // the opcode that FNSTENV reports tells them apart
    EXPECT_NE(get({0xdd, 0x00}), get({0xdd, 0x40, 0x08}));
}

TEST_F(ThunkTest, IntegerInstructionsAreNotForThunks)
{
    EXPECT_EQ(get({0x48, 0x01, 0xd8}), nullptr); // add rax, rbx
    EXPECT_STREQ(why, "not a vector or x87 instruction");
    EXPECT_EQ(get({0x0f, 0xae, 0xf0}), nullptr); // mfence
}

TEST_F(ThunkTest, DescriptionTellsSizeDirectionAndAlignment)
{
    const x86_thunk *load = get({0x66, 0x0f, 0x6f, 0x00}); // movdqa xmm0, [rax]
    EXPECT_EQ(load->mem, X86_THUNK_READ);
    EXPECT_EQ(load->mem_size, 16);
    EXPECT_EQ(load->align, 16);
    EXPECT_EQ(load->move, X86_MOVE_LOAD);
    EXPECT_EQ(load->op_class, X86_OP_MEM_READ);
    const x86_thunk *store =
        get({0xf3, 0x0f, 0x7f, 0x08}); // movdqu [rax], xmm1
    EXPECT_EQ(store->mem, X86_THUNK_WRITE);
    EXPECT_EQ(store->align, 1);
    EXPECT_EQ(store->move, X86_MOVE_STORE);
    const x86_thunk *zero = get({0x66, 0x0f, 0xef, 0xdb}); // pxor xmm3, xmm3
    EXPECT_EQ(zero->move, X86_MOVE_ZERO);
    EXPECT_EQ(zero->reg, 3);
    const x86_thunk *mul = get({0xf2, 0x0f, 0x59, 0xc1}); // mulsd
    EXPECT_EQ(mul->op_class, X86_OP_FLOAT_MULT);
    EXPECT_TRUE(mul->needs & X86_NEED_MXCSR);
    EXPECT_FALSE(zero->needs & X86_NEED_MXCSR);
}

TEST_F(ThunkTest, ConversionFromMemoryToAGeneralRegister)
{
    poke(MEM_BASE, -2.5);
    ASSERT_TRUE(run({0xf2, 0x4c, 0x0f, 0x2c, 0x20})); // cvttsd2si r12, [rax]
    EXPECT_EQ(m.state.gpr[X86_R12], ~UINT64_C(1));
    EXPECT_TRUE(x86_fpu_mxcsr(&m.fpu) & 0x20); // inexact
}

TEST_F(ThunkTest, NonTemporalStoreOfAGeneralRegister)
{
    m.state.gpr[X86_R9] = 0x1122334455667788;
    ASSERT_TRUE(run({0x4c, 0x0f, 0xc3, 0x08})); // movnti [rax], r9
    EXPECT_EQ(peek<uint64_t>(MEM_BASE), 0x1122334455667788U);
}
