// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/quirks.h"

#include <gtest/gtest.h>

#include <vector>

namespace
{

struct Quirks : testing::Test {
    ZydisDecoder machine{};
    ZydisDecodedInstruction insn{};
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT]{};

    Quirks()
    {
        ZydisDecoderInit(&machine, ZYDIS_MACHINE_MODE_LONG_64,
                         ZYDIS_STACK_WIDTH_64);
        EXPECT_TRUE(x86_quirks_set_up(&machine));
    }

    ZyanStatus decode(const std::vector<uint8_t> &bytes)
    {
        return x86_quirks_decode(&machine, bytes.data(), bytes.size(), &insn,
                                 operands);
    }
};

TEST_F(Quirks, PauseWithRexBExchangesOnAmd)
{
    ASSERT_TRUE(ZYAN_SUCCESS(decode({0xf3, 0x41, 0x90})));
    EXPECT_EQ(insn.mnemonic,
              x86_quirks_is_amd() ? ZYDIS_MNEMONIC_XCHG : ZYDIS_MNEMONIC_PAUSE);
    EXPECT_EQ(insn.length, 3);
}

TEST_F(Quirks, PlainPauseStays)
{
    ASSERT_TRUE(ZYAN_SUCCESS(decode({0xf3, 0x90})));
    EXPECT_EQ(insn.mnemonic, ZYDIS_MNEMONIC_PAUSE);
}

TEST_F(Quirks, OperandSizeOfNearBranchesFollowsTheHost)
{
    ASSERT_TRUE(ZYAN_SUCCESS(decode({0x66, 0x74, 0x05})));
    EXPECT_EQ(insn.operand_width == 16, x86_quirks_is_amd());
    ASSERT_TRUE(ZYAN_SUCCESS(decode({0x66, 0xff, 0xe0})));
    EXPECT_EQ(operands[0].size == 16, x86_quirks_is_amd());
}

TEST_F(Quirks, FarPointersWithRexWFollowTheHost)
{
    ASSERT_TRUE(ZYAN_SUCCESS(decode({0x48, 0x0f, 0xb4, 0x00}))); // LFS
    EXPECT_EQ(operands[1].size, x86_quirks_is_amd() ? 48 : 80);
    ASSERT_TRUE(ZYAN_SUCCESS(decode({0x48, 0xff, 0x28}))); // JMP FAR
    EXPECT_EQ(operands[0].size, x86_quirks_is_amd() ? 48 : 80);
}

TEST_F(Quirks, PrefetchOfARegisterFollowsTheHost)
{
    EXPECT_EQ(ZYAN_SUCCESS(decode({0x0f, 0x0d, 0xc0})), !x86_quirks_is_amd());
}

TEST_F(Quirks, RepeatPrefixOfLoopFollowsTheHost)
{
    ASSERT_TRUE(ZYAN_SUCCESS(decode({0xf2, 0xe1, 0x00})));
    EXPECT_EQ(insn.mnemonic == ZYDIS_MNEMONIC_LOOPNE, x86_quirks_is_amd());
}

} // namespace
