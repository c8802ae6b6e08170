// SPDX-License-Identifier: BSD-3-Clause
// Decoding as a guest meets it; every form is compared with the host in
// tests/diff.
#include "guest.h"

#include <random>

namespace
{

uint8_t vector_of(const std::vector<uint8_t> &bytes)
{
    Guest guest;
    guest.gpr(X86_RBX) = guest.gpr(X86_RAX) = Guest::kData;
    guest.run(bytes, 1);
    return guest.faults.empty() ? uint8_t{X86_NO_FAULT}
                                : guest.faults[0].vector;
}

TEST(X86Decode, RaisesUdForWhatIsNoInstruction)
{
    EXPECT_EQ(vector_of({0x0f, 0x0b}), X86_UD);             // ud2
    EXPECT_EQ(vector_of({0x06}), X86_UD);                   // push es
    EXPECT_EQ(vector_of({0xf0, 0x01, 0xd8}), X86_UD);       // lock, register
    EXPECT_EQ(vector_of({0xf0, 0x8b, 0x03}), X86_UD);       // lock mov
    EXPECT_EQ(vector_of({0xf0, 0x01, 0x03}), X86_NO_FAULT); // lock add [rbx]
}

TEST(X86Decode, RaisesGpForMoreThanFifteenBytes)
{
    std::vector<uint8_t> bytes(14, 0x66);
    bytes.push_back(0x90);
    EXPECT_EQ(vector_of(bytes), X86_NO_FAULT);
    bytes.insert(bytes.begin(), 0x66);
    EXPECT_EQ(vector_of(bytes), X86_GP);
}

TEST(X86Decode, ReachesTheHighByteRegistersOnlyWithoutRex)
{
    Guest guest;
    guest.gpr(X86_RAX) = 0x1234;
    // mov bl, ah; mov cl, spl
    guest.run({0x88, 0xe3, 0x40, 0x88, 0xe1}, 2);
    EXPECT_EQ(guest.gpr(X86_RBX), 0x12u);
    EXPECT_EQ(guest.gpr(X86_RCX), Guest::kStack & 0xff);
}

TEST(X86Decode, CutsAddressesTo32BitsWithThePrefix)
{
    Guest guest;
    guest.gpr(X86_RAX) = 0xffffffff00000000 | Guest::kData;
    guest.host(Guest::kData)[0] = 7;
    guest.run({0x67, 0x8a, 0x18}, 1); // mov bl, [eax]
    EXPECT_EQ(guest.gpr(X86_RBX), 7u);
}

TEST(X86Decode, AddsTheBaseOfFs)
{
    Guest guest;
    guest.state()->seg[X86_FS].base = Guest::kData;
    x86_core_state_changed(guest.core);
    guest.host(Guest::kData + 0x28)[0] = 9;
    guest.run({0x64, 0x8a, 0x1c, 0x25, 0x28, 0, 0, 0}, 1);
    EXPECT_EQ(guest.gpr(X86_RBX), 9u);
}

// Whatever the bytes, the process survives and the budget holds.
TEST(X86Decode, SurvivesRandomBytes)
{
    std::mt19937_64 random(1);
    Guest guest;
    for (int round = 0; round < 2000; round++) {
        std::vector<uint8_t> bytes(64);
        for (uint8_t &byte : bytes)
            byte = static_cast<uint8_t>(random());
        for (uint64_t &reg : guest.state()->gpr)
            reg = random() % 3 ? Guest::kData + random() % 8192 : random();
        uint64_t before = x86_core_insts(guest.core);
        guest.run(bytes, 20);
        EXPECT_LE(x86_core_insts(guest.core) - before, 20u);
    }
}

} // namespace
