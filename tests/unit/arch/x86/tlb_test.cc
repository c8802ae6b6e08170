// SPDX-License-Identifier: BSD-3-Clause
// What translations the core may keep, and for how long.
#include "guest.h"

#include <cstring>

TEST(X86Tlb, KeepsTranslationsUntilTheyAreFlushed)
{
    Guest guest;
    const std::vector<uint8_t> load = {0x8b, 0x07}; // mov eax, [rdi]
    guest.gpr(X86_RDI) = Guest::kData;
    guest.host(Guest::kData)[0] = 1;
    guest.host(0x700000)[0] = 2;
    guest.run(load, 1);
    *guest.pte(Guest::kData) = 0x700007;
    guest.run(load, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 1u);
    x86_core_flush_page(guest.core, {Guest::kData});
    guest.run(load, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 2u);
}

TEST(X86Tlb, ChecksTheFirstWriteToAPageThatWasRead)
{
    Guest guest;
    *guest.pte(Guest::kData) = Guest::kData | 5; // read-only
    guest.gpr(X86_RDI) = Guest::kData;
    guest.run({0x8b, 0x07, 0x89, 0x07}, 2); // mov eax, [rdi]; mov [rdi], eax
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].error, 7u);
}

TEST(X86Tlb, SetsTheDirtyBitWithTheFirstWrite)
{
    Guest guest;
    guest.gpr(X86_RDI) = Guest::kData;
    guest.run({0x8b, 0x07}, 1);
    EXPECT_EQ(*guest.pte(Guest::kData) & 0x60, 0x20u);
    guest.run({0x89, 0x07}, 1);
    EXPECT_EQ(*guest.pte(Guest::kData) & 0x60, 0x60u);
}

TEST(X86Tlb, DoesNotMixPagesThatShareAnEntry)
{
    Guest guest;
    // 1024 entries: 4 MiB apart.
    guest.host(0x200000)[0] = 0x11;
    guest.host(0x600000)[0] = 0x22;
    guest.gpr(X86_RSI) = 0x200000;
    guest.gpr(X86_RDI) = 0x600000;
    // mov al, [rsi]; mov bl, [rdi]; mov cl, [rsi]; mov [rdi], cl
    guest.run({0x8a, 0x06, 0x8a, 0x1f, 0x8a, 0x0e, 0x88, 0x0f}, 4);
    EXPECT_EQ(guest.gpr(X86_RAX) & 0xff, 0x11u);
    EXPECT_EQ(guest.gpr(X86_RBX) & 0xff, 0x22u);
    EXPECT_EQ(guest.gpr(X86_RCX) & 0xff, 0x11u);
    EXPECT_EQ(guest.host(0x600000)[0], 0x11);
    EXPECT_EQ(guest.host(0x200000)[0], 0x11);
}

TEST(X86Tlb, KeepsUserAndSupervisorApart)
{
    Guest guest(false);
    *guest.pte(Guest::kData) = Guest::kData | 3; // supervisor only
    guest.gpr(X86_RDI) = Guest::kData;
    guest.run({0x8b, 0x07}, 1);
    EXPECT_TRUE(guest.faults.empty());
    for (int i : {X86_CS, X86_SS_SEG}) {
        guest.state()->seg[i].selector |= 3;
        guest.state()->seg[i].dpl = 3;
    }
    x86_core_state_changed(guest.core);
    guest.run({0x8b, 0x07}, 1);
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].error, 5u);
}

TEST(X86Tlb, MarksPagesInTheDirtyLog)
{
    Guest guest;
    physmem_dirty_start(guest.mem);
    x86_core_flush_tlb(guest.core);
    guest.gpr(X86_RDI) = Guest::kData;
    guest.run({0x8b, 0x07}, 1);
    EXPECT_FALSE(physmem_dirty_test(guest.mem, {Guest::kData}));
    guest.run({0x89, 0x07}, 1);
    EXPECT_TRUE(physmem_dirty_test(guest.mem, {Guest::kData}));
}
