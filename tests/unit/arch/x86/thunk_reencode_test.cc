// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/thunk_reencode.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace
{
using Bytes = std::vector<uint8_t>;

Bytes reencode(const Bytes &bytes,
               ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LONG_64)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    uint8_t out[16];

    ZydisDecoderInit(&decoder, mode,
                     mode == ZYDIS_MACHINE_MODE_LONG_64 ? ZYDIS_STACK_WIDTH_64
                                                        : ZYDIS_STACK_WIDTH_32);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes.data(),
                                             bytes.size(), &insn, operands)))
        return {};
    x86_reencode how = {&insn, operands, bytes.data(), {}};
    memset(how.gpr_map, 2, sizeof how.gpr_map); // everything to RDX
    const size_t len = x86_reencode_write(&how, out);
    return {out, out + len};
}
} // namespace

TEST(ThunkReencode, MemoryOperandBecomesRsi)
{
    // addps xmm9, fs:[r13+rax*8+0x11223344]
    EXPECT_EQ(
        reencode({0x64, 0x45, 0x0f, 0x58, 0x8c, 0xc5, 0x44, 0x33, 0x22, 0x11}),
        (Bytes{0x44, 0x0f, 0x58, 0x0e}));
    // addps xmm0, [rip+8]
    EXPECT_EQ(reencode({0x0f, 0x58, 0x05, 8, 0, 0, 0}),
              (Bytes{0x0f, 0x58, 0x06}));
}

TEST(ThunkReencode, ImmediateStays)
{
    // pshufd xmm1, [rax+16], 0x1b
    EXPECT_EQ(reencode({0x66, 0x0f, 0x70, 0x48, 0x10, 0x1b}),
              (Bytes{0x66, 0x0f, 0x70, 0x0e, 0x1b}));
}

TEST(ThunkReencode, VexAndEvexExtensionsOfTheAddressAreCleared)
{
    // vpaddd ymm9, ymm1, [r8+r9*4]
    EXPECT_EQ(reencode({0xc4, 0x01, 0x75, 0xfe, 0x0c, 0x88}),
              (Bytes{0xc4, 0x61, 0x75, 0xfe, 0x0e}));
    // vpaddd zmm17{k1}, zmm1, [r8+0x40]: compressed displacement
    EXPECT_EQ(reencode({0x62, 0xc1, 0x75, 0x49, 0xfe, 0x48, 0x01}),
              (Bytes{0x62, 0xe1, 0x75, 0x49, 0xfe, 0x0e}));
}

TEST(ThunkReencode, GeneralRegistersAreRenamed)
{
    // cvtsi2sd xmm1, r12 -> rdx
    EXPECT_EQ(reencode({0xf2, 0x49, 0x0f, 0x2a, 0xcc}),
              (Bytes{0xf2, 0x48, 0x0f, 0x2a, 0xca}));
    // pmovmskb r15d, xmm9 -> edx
    EXPECT_EQ(reencode({0x66, 0x45, 0x0f, 0xd7, 0xf9}),
              (Bytes{0x66, 0x41, 0x0f, 0xd7, 0xd1}));
}

TEST(ThunkReencode, NarrowModesLoseWhatTheyIgnore)
{
    // vmovd xmm0, ecx with W set
    EXPECT_EQ(reencode({0xc4, 0xe1, 0xf9, 0x6e, 0xc1},
                       ZYDIS_MACHINE_MODE_LONG_COMPAT_32),
              (Bytes{0xc4, 0xe1, 0x79, 0x6e, 0xc2}));
    // vpxor xmm1, xmm1, xmm7 with B clear, which selects xmm15 in 64-bit mode
    EXPECT_EQ(reencode({0xc4, 0xc1, 0x71, 0xef, 0xcf},
                       ZYDIS_MACHINE_MODE_LONG_COMPAT_32),
              (Bytes{0xc4, 0xe1, 0x71, 0xef, 0xcf}));
    // vblendvps xmm0, xmm1, xmm2, xmm3 with the immediate's bit 7 set
    EXPECT_EQ(reencode({0xc4, 0xe3, 0x71, 0x4a, 0xc2, 0xb0},
                       ZYDIS_MACHINE_MODE_LONG_COMPAT_32),
              (Bytes{0xc4, 0xe3, 0x71, 0x4a, 0xc2, 0x30}));
    // addps xmm0, [bx+si] in 16-bit addressing
    EXPECT_EQ(
        reencode({0x67, 0x0f, 0x58, 0x00}, ZYDIS_MACHINE_MODE_LONG_COMPAT_32),
        (Bytes{0x0f, 0x58, 0x06}));
}

TEST(ThunkReencode, RegisterNumbersAreThoseOfTheEncoding)
{
    EXPECT_EQ(x86_reencode_gpr_id(ZYDIS_REGISTER_R9D), 9);
    EXPECT_EQ(x86_reencode_gpr_id(ZYDIS_REGISTER_SIL), 6);
    EXPECT_EQ(x86_reencode_gpr_id(ZYDIS_REGISTER_AH), -1);
    EXPECT_EQ(x86_reencode_gpr_id(ZYDIS_REGISTER_XMM1), -1);
}
