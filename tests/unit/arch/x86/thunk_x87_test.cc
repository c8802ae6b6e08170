// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/thunk_x87.h"

#include "thunk_fixture.h"

using ThunkX87 = ThunkTest;

namespace
{
const std::vector<uint8_t> fld1 = {0xd9, 0xe8};
const std::vector<uint8_t> fldz = {0xd9, 0xee};
const std::vector<uint8_t> fdivp = {0xde, 0xf9}; // st1 /= st0
const std::vector<uint8_t> fldcw = {0xd9, 0x28};
const std::vector<uint8_t> fnstcw = {0xd9, 0x38};
const std::vector<uint8_t> fnstsw = {0xdf, 0xe0};
const std::vector<uint8_t> fnstenv = {0xd9, 0x30};
const std::vector<uint8_t> fldenv = {0xd9, 0x20};
const std::vector<uint8_t> fnsave = {0xdd, 0x30};
const std::vector<uint8_t> frstor = {0xdd, 0x20};
const std::vector<uint8_t> fninit = {0xdb, 0xe3};
const std::vector<uint8_t> fnclex = {0xdb, 0xe2};

// The host's environment after the same instructions.
struct Env {
    uint32_t word[7];
};
} // namespace

TEST_F(ThunkX87, EnvironmentIsTheHostsOwnButForThePointers)
{
    Env host;
    static const double three = 3; // not addressed through the stack segment

    __asm__ volatile("fninit\n\tfld1\n\tfldl %1\n\tfldz\n\tfnstenv %0\n\tfninit"
                     : "=m"(host)
                     : "m"(three));
    poke(MEM_BASE, three);
    ASSERT_TRUE(run(fld1));
    ASSERT_TRUE(run({0xdd, 0x00})); // fld qword [rax]
    ASSERT_TRUE(run(fldz));
    ASSERT_TRUE(run(fnstenv, MEM_BASE + 64));
    const Env env = peek<Env>(MEM_BASE + 64);
    EXPECT_EQ(env.word[0], host.word[0]);
    EXPECT_EQ(env.word[1], host.word[1]);
    EXPECT_EQ(env.word[2], host.word[2]);
    EXPECT_EQ(env.word[3], 0x1000U);      // RIP of the last one
    EXPECT_EQ(env.word[4] >> 16, 0x1eeU); // opcode; CS unless deprecated
    EXPECT_EQ(env.word[4] & 0xffff, m.fpu.has_selectors ? 0x33U : 0U);
    EXPECT_EQ(env.word[5], uint32_t{MEM_BASE}); // operand of the FLD
    EXPECT_EQ(env.word[6], host.word[6]);
}

TEST_F(ThunkX87, StoringTheEnvironmentMasksExceptions)
{
    poke<uint16_t>(MEM_BASE, 0x340);
    ASSERT_TRUE(run(fldcw));
    ASSERT_TRUE(run(fnstenv, MEM_BASE + 64));
    EXPECT_EQ(peek<uint16_t>(MEM_BASE + 64), 0x340);
    ASSERT_TRUE(run(fnstcw));
    EXPECT_EQ(peek<uint16_t>(MEM_BASE), 0x37f);
}

TEST_F(ThunkX87, UnmaskedExceptionIsRaisedByTheNextWaitingInstruction)
{
    poke<uint16_t>(MEM_BASE, 0x37b); // ZE unmasked
    ASSERT_TRUE(run(fldcw));
    ASSERT_TRUE(run(fld1));
    ASSERT_TRUE(run(fldz));
    ASSERT_TRUE(run(fdivp)); // not yet
    ASSERT_TRUE(run(fnstsw));
    EXPECT_EQ(m.state.gpr[X86_RAX] & 0x80ff, 0x8084U); // B, ES, ZE
    EXPECT_FALSE(run(fld1));
    EXPECT_EQ(call.fault.vector, X86_MF);
    ASSERT_TRUE(run(fnclex));
    ASSERT_TRUE(run({0xdd, 0x18})); // fstp: the divisor is still there
    EXPECT_EQ(peek<double>(MEM_BASE), 0.0);
}

TEST_F(ThunkX87, UnmaskedInvalidStoreWritesNothing)
{
    poke<uint16_t>(MEM_BASE, 0x37e); // IE unmasked
    poke<uint32_t>(MEM_BASE + 8, 0x12345678);
    ASSERT_TRUE(run(fldcw));
    ASSERT_TRUE(run({0xdb, 0x18}, MEM_BASE + 8)); // fistp of an empty stack
    EXPECT_EQ(peek<uint32_t>(MEM_BASE + 8), 0x12345678U);
    EXPECT_FALSE(run(fld1));
    EXPECT_EQ(call.fault.vector, X86_MF);
}

TEST_F(ThunkX87, ControlWordSwitchesRoundingWhileLive)
{
    poke(MEM_BASE, 2.7);
    poke<uint16_t>(MEM_BASE + 8, 0xf7f); // truncate
    ASSERT_TRUE(run({0xdd, 0x00}));      // fld
    ASSERT_TRUE(run(fldcw, MEM_BASE + 8));
    ASSERT_TRUE(run({0xdb, 0x18}, MEM_BASE + 16)); // fistp dword
    EXPECT_EQ(peek<int32_t>(MEM_BASE + 16), 2);
    EXPECT_TRUE(m.fpu.live & X86_LIVE_X87);
}

TEST_F(ThunkX87, SaveInitialisesAndRestoreBringsBack)
{
    poke(MEM_BASE, 1.25);
    ASSERT_TRUE(run({0xdd, 0x00}));
    ASSERT_TRUE(run(fld1));
    ASSERT_TRUE(run(fnsave, MEM_BASE + 64));
    ASSERT_TRUE(run(fnstsw));
    EXPECT_EQ(m.state.gpr[X86_RAX] & 0xffff, 0U);
    ASSERT_TRUE(run(frstor, MEM_BASE + 64));
    ASSERT_TRUE(run({0xdd, 0x18}));
    EXPECT_EQ(peek<double>(MEM_BASE), 1.0);
    ASSERT_TRUE(run({0xdd, 0x18}));
    EXPECT_EQ(peek<double>(MEM_BASE), 1.25);
}

TEST_F(ThunkX87, SixteenBitEnvironmentHasFourteenBytes)
{
    const x86_thunk *thunk = get({0x66, 0xd9, 0x30});

    ASSERT_NE(thunk, nullptr);
    EXPECT_EQ(thunk->mem_size, 14);
    ASSERT_TRUE(run(fld1));
    ASSERT_TRUE(run_thunk(thunk));
    EXPECT_EQ(peek<uint16_t>(MEM_BASE + 2), 7U << 11); // status
    EXPECT_EQ(peek<uint16_t>(MEM_BASE + 6), 0x1000);   // IP
    ASSERT_TRUE(run(fninit));
    ASSERT_TRUE(run({0x66, 0xd9, 0x20}));
    ASSERT_TRUE(run(fnstsw));
    EXPECT_EQ(m.state.gpr[X86_RAX] & 0xffff, 7U << 11);
}

TEST_F(ThunkX87, LoadedEnvironmentMayHoldAPendingException)
{
    Env env = {
        {0xffff037b, 0xffff0004, 0xffffffff, 0, 0, 0, 0xffff0000}
    };

    poke(MEM_BASE, env);
    ASSERT_TRUE(run(fldenv));
    EXPECT_FALSE(run({0x9b})); // fwait
    EXPECT_EQ(call.fault.vector, X86_MF);
}

TEST_F(ThunkX87, EmmsEmptiesTheRegisters)
{
    ASSERT_TRUE(run({0x0f, 0xef, 0xc0})); // pxor mm0, mm0
    ASSERT_TRUE(run({0x0f, 0x77}));
    x86_fpu_leave(&m.fpu);
    EXPECT_EQ(m.fpu.x87[X86_FX_FTW], 0);
}

TEST_F(ThunkX87, LdmxcsrRefusesReservedBits)
{
    poke<uint32_t>(MEM_BASE, 0x10000);
    EXPECT_FALSE(run({0x0f, 0xae, 0x10}));
    EXPECT_EQ(call.fault.vector, X86_GP);
    poke<uint32_t>(MEM_BASE, 0x9fc0);
    ASSERT_TRUE(run({0x0f, 0xae, 0x10}));
    ASSERT_TRUE(run({0x0f, 0xae, 0x18}, MEM_BASE + 4)); // stmxcsr
    EXPECT_EQ(peek<uint32_t>(MEM_BASE + 4), 0x9fc0U);
}

TEST_F(ThunkX87, VzeroupperKeepsTheLowPart)
{
    NEED_HOST("avx");
    for (unsigned i = 0; i < 32; i++)
        memset(m.fpu.vec[i], 0x5a, 64);
    ASSERT_TRUE(run({0xc5, 0xf8, 0x77}));
    EXPECT_EQ(m.fpu.vec[15][15], 0x5a);
    EXPECT_EQ(m.fpu.vec[15][16], 0);
    EXPECT_EQ(m.fpu.vec[0][63], 0);
    EXPECT_EQ(m.fpu.vec[16][0], 0x5a);
    ASSERT_TRUE(run({0xc5, 0xfc, 0x77})); // vzeroall
    EXPECT_EQ(m.fpu.vec[3][0], 0);
}

TEST_F(ThunkX87, FwaitLooksAtMpAndNotAtEm)
{
    m.state.cr0 = (m.state.cr0 & ~UINT64_C(2)) | 0xc; // TS EM, no MP
    x86_fpu_update_access(&m.fpu);
    EXPECT_TRUE(run({0x9b}));
    m.state.cr0 |= 2;
    EXPECT_FALSE(run({0x9b}));
    EXPECT_EQ(call.fault.vector, X86_NM);
}
