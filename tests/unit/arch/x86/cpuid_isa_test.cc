// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/cpuid_isa.h"

#include <gtest/gtest.h>

#include <vector>

namespace
{

bool offers(const char *model, std::vector<uint8_t> bytes)
{
    x86_cpuid_cfg cfg{};
    x86_cpuid *cpuid = nullptr;
    ZydisDecoder decoder;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    char why[256];

    cfg.model = model;
    EXPECT_EQ(x86_cpuid_create(&cfg, &cpuid, why), 0);
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                     ZYDIS_STACK_WIDTH_64);
    EXPECT_TRUE(ZYAN_SUCCESS(ZydisDecoderDecodeFull(
        &decoder, bytes.data(), bytes.size(), &insn, operands)));
    const bool result = x86_cpuid_offers(cpuid, &insn);
    x86_cpuid_destroy(cpuid);
    return result;
}

} // namespace

TEST(CpuidIsa, BaseInstructionsAreAlwaysOffered)
{
    EXPECT_TRUE(offers("x86-64", {0x48, 0x01, 0xd8}));       // add
    EXPECT_TRUE(offers("x86-64", {0x66, 0x0f, 0x58, 0xc1})); // addpd
}

TEST(CpuidIsa, NewerInstructionsNeedTheirFeature)
{
    const std::vector<uint8_t> pshufb = {0x66, 0x0f, 0x38, 0x00, 0xc1};

    EXPECT_FALSE(offers("x86-64", pshufb));
    EXPECT_EQ(offers("x86-64-v2", pshufb), !!__builtin_cpu_supports("ssse3"));
}

TEST(CpuidIsa, NarrowAvx512NeedsVl)
{
    const std::vector<uint8_t> vaddps_ymm = {0x62, 0xf1, 0x7c,
                                             0x28, 0x58, 0xc0};

    EXPECT_FALSE(offers("x86-64-v3", vaddps_ymm));
    EXPECT_EQ(offers("x86-64-v4", vaddps_ymm),
              !!__builtin_cpu_supports("avx512vl"));
}

TEST(CpuidIsa, WhatNobodyHasIsRefused)
{
    EXPECT_FALSE(offers("host", {0x0f, 0x0f, 0xc1, 0x9e})); // pfadd
    EXPECT_FALSE(offers("host", {0x0f, 0x01, 0xd8}));       // vmrun
}

TEST(CpuidIsa, HintsAndFallbacksAreNotRefused)
{
    EXPECT_TRUE(offers("x86-64", {0xf3, 0x0f, 0x1e, 0xfa})); // endbr64
    EXPECT_TRUE(offers("x86-64", {0xf3, 0x0f, 0xbc, 0xc1})); // tzcnt
}
