// SPDX-License-Identifier: BSD-3-Clause
// Code that another executor of the same memory changed.
#include "guest.h"

#include <cstring>

namespace
{

// Writes behind the core's back.
void poke(Guest &guest, uint64_t addr, const std::vector<uint8_t> &bytes)
{
    memcpy(guest.host(addr), bytes.data(), bytes.size());
}

struct x86_cache *cache_of(Guest &guest)
{
    return x86_core_cache(guest.core);
}

// The other executor runs and does `what`.
template <typename F> void elsewhere(Guest &guest, F what)
{
    x86_cache_leave(cache_of(guest));
    what();
    x86_cache_enter(cache_of(guest));
}

void elsewhere(Guest &guest)
{
    elsewhere(guest, [] {});
}

uint64_t decoded(Guest &guest)
{
    struct x86_counts counts;
    x86_core_counts(guest.core, &counts);
    return counts.blocks_decoded;
}

void run_at(Guest &guest, uint64_t rip, uint64_t insts)
{
    guest.state()->rip = rip;
    EXPECT_EQ(x86_core_run(guest.core, insts), X86_STOP_BUDGET);
}

// 1: add eax, 1; jmp 2f; 2: add ebx, 1; jmp 1b: two chained blocks.
const std::vector<uint8_t> kLoop = {0x83, 0xc0, 1, 0xeb, 0,
                                    0x83, 0xc3, 1, 0xeb, 0xf6};

} // namespace

TEST(X86CodePage, SeesAChangeInTheMiddleOfAChainedLoop)
{
    Guest guest;
    guest.run(kLoop, 4 * 100 + 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 101u);
    EXPECT_EQ(guest.gpr(X86_RBX), 100u);
    elsewhere(guest, [&] { poke(guest, Guest::kCode + 7, {7}); });
    x86_core_run(guest.core, 4 * 10);
    EXPECT_EQ(guest.gpr(X86_RAX), 111u);
    EXPECT_EQ(guest.gpr(X86_RBX), 170u);
}

TEST(X86CodePage, SeesAChangeInTheRestOfABlock)
{
    Guest guest;
    // add eax, 1; add eax, 1; add eax, 1; syscall
    guest.run({0x83, 0xc0, 1, 0x83, 0xc0, 1, 0x83, 0xc0, 1, 0x0f, 0x05}, 100);
    EXPECT_EQ(guest.gpr(X86_RAX), 3u);
    run_at(guest, Guest::kCode, 1);
    elsewhere(guest, [&] { poke(guest, Guest::kCode + 5, {10}); });
    x86_core_run(guest.core, 100);
    EXPECT_EQ(guest.gpr(X86_RAX), 15u);
    EXPECT_EQ(guest.syscalls, 2u);
}

TEST(X86CodePage, SeesAChangeBehindAnIndirectCall)
{
    Guest guest;
    const uint64_t callee = Guest::kCode + 0x2000;
    guest.load({0xff, 0xc0, 0xc3}, callee); // inc eax; ret
    guest.gpr(X86_RSI) = callee;
    // 1: call rsi; jmp 1b
    guest.run({0xff, 0xd6, 0xeb, 0xfc}, 4 * 50);
    EXPECT_EQ(guest.gpr(X86_RAX), 50u);
    elsewhere(guest, [&] { poke(guest, callee, {0xff, 0xc8}); });
    x86_core_run(guest.core, 4 * 20);
    EXPECT_EQ(guest.gpr(X86_RAX), 30u);
}

TEST(X86CodePage, KeepsCodeThatIsUnchanged)
{
    Guest guest;
    guest.run(kLoop, 400);
    uint64_t before = decoded(guest);
    for (int i = 0; i < 5; i++) {
        elsewhere(guest, [&] {
            poke(guest, Guest::kCode + 128, {1, 2, 3, 4});
        });
        x86_core_run(guest.core, 400);
    }
    EXPECT_EQ(decoded(guest), before);
    EXPECT_EQ(guest.gpr(X86_RAX), 600u);
}

TEST(X86CodePage, DropsWhatChangedAlone)
{
    Guest guest;
    guest.run(kLoop, 400);
    guest.load(kLoop, Guest::kCode + 4096);
    run_at(guest, Guest::kCode + 4096, 400);
    uint64_t before = decoded(guest);
    elsewhere(guest, [&] { poke(guest, Guest::kCode + 2, {2}); });
    run_at(guest, Guest::kCode + 4096, 400);
    EXPECT_EQ(decoded(guest), before);
    run_at(guest, Guest::kCode, 400);
    EXPECT_EQ(decoded(guest), before + 2);
    EXPECT_EQ(guest.gpr(X86_RAX), 500u);
}

TEST(X86CodePage, RemembersAChangeOfCodeThatWasNotUsedSince)
{
    Guest guest;
    guest.run(kLoop, 400);
    elsewhere(guest, [&] { poke(guest, Guest::kCode + 2, {3}); });
    elsewhere(guest);
    elsewhere(guest);
    run_at(guest, Guest::kCode, 4);
    EXPECT_EQ(guest.gpr(X86_RAX), 103u);
}

TEST(X86CodePage, SeesAChangeOfTheSecondPageOfAnInstruction)
{
    Guest guest;
    const uint64_t start = Guest::kCode + 4096 - 2;
    guest.load({0xb8, 1, 0, 0, 0}, start); // mov eax, 1
    run_at(guest, start, 1);
    elsewhere(guest, [&] { poke(guest, start + 4, {1}); });
    run_at(guest, start, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 0x01000001u);
    elsewhere(guest, [&] { poke(guest, start + 1, {2}); });
    run_at(guest, start, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 0x01000002u);
}

TEST(X86CodePage, SeesBothItsOwnAndForeignChanges)
{
    Guest guest;
    guest.load(kLoop, Guest::kCode + 4096);
    run_at(guest, Guest::kCode + 4096, 400);
    elsewhere(guest, [&] { poke(guest, Guest::kCode + 4096 + 2, {2}); });
    // mov byte [rdi], 5: into the page that has not been looked at yet
    guest.gpr(X86_RDI) = Guest::kCode + 4096 + 7;
    guest.run({0xc6, 0x07, 5}, 1);
    guest.gpr(X86_RAX) = guest.gpr(X86_RBX) = 0;
    run_at(guest, Guest::kCode + 4096, 400);
    EXPECT_EQ(guest.gpr(X86_RAX), 200u);
    EXPECT_EQ(guest.gpr(X86_RBX), 500u);
}

TEST(X86CodePage, TrustsWhatTheCoreItselfWroteNextToCode)
{
    Guest guest;
    guest.gpr(X86_RDI) = Guest::kCode + 32; // in the same 64 bytes
    // 1: mov [rdi], eax; inc eax; jmp 1b
    guest.run({0x89, 0x07, 0xff, 0xc0, 0xeb, 0xfa}, 30);
    uint64_t before = decoded(guest);
    for (int i = 0; i < 3; i++) {
        elsewhere(guest);
        x86_core_run(guest.core, 30);
    }
    EXPECT_EQ(decoded(guest), before);
    EXPECT_EQ(guest.gpr(X86_RAX), 40u);
}

TEST(X86CodePage, LooksAgainAfterTheSimulatorChangedCode)
{
    Guest guest;
    guest.run(kLoop, 400);
    elsewhere(guest);
    guest.load({0x83, 0xc0, 9});
    elsewhere(guest);
    run_at(guest, Guest::kCode, 4);
    EXPECT_EQ(guest.gpr(X86_RAX), 109u);
}

TEST(X86CodePage, DecodesNewCodeOfAPageThatHadChanged)
{
    Guest guest;
    guest.run(kLoop, 400);
    elsewhere(guest, [&] {
        poke(guest, Guest::kCode + 2, {2});
        // add eax, 1000; jmp to the loop
        poke(guest, Guest::kCode + 0x100,
             {0x05, 0xe8, 3, 0, 0, 0xe9, 0xf6, 0xfe, 0xff, 0xff});
    });
    run_at(guest, Guest::kCode + 0x100, 6);
    EXPECT_EQ(guest.gpr(X86_RAX), 1102u);
}

TEST(X86CodePage, TrustsNothingThatHasNoChecksum)
{
    Guest guest;
    guest.run(kLoop, 400);
    poke(guest, Guest::kCode + 2, {2});
    x86_cache_enter(cache_of(guest));
    run_at(guest, Guest::kCode, 4);
    EXPECT_EQ(guest.gpr(X86_RAX), 102u);
    poke(guest, Guest::kCode + 2, {3});
    x86_cache_enter(cache_of(guest));
    x86_cache_leave(cache_of(guest)); // too late to bless it
    run_at(guest, Guest::kCode, 4);
    EXPECT_EQ(guest.gpr(X86_RAX), 105u);
}

TEST(X86CodePage, ServesAllCoresOfACache)
{
    Guest guest;
    struct x86_core_cfg cfg = {};
    cfg.mem = guest.mem;
    cfg.env = &guest.env;
    cfg.cache = cache_of(guest);
    struct x86_core *other = x86_core_create(&cfg);
    *x86_core_state(other) = *guest.state();
    x86_core_state_changed(other);
    guest.run(kLoop, 400);
    x86_core_state(other)->rip = Guest::kCode;
    x86_core_run(other, 400);
    elsewhere(guest, [&] { poke(guest, Guest::kCode + 2, {2}); });
    x86_core_run(other, 4);
    EXPECT_EQ(x86_core_state(other)->gpr[X86_RAX], 102u);
    x86_core_run(guest.core, 4);
    EXPECT_EQ(guest.gpr(X86_RAX), 102u);
    x86_core_destroy(other);
}

TEST(X86CodePage, SeesCodeAndPageTablesThatChangedTogether)
{
    Guest guest;
    const std::vector<uint8_t> load = {0x8b, 0x07}; // mov eax, [rdi]
    guest.gpr(X86_RDI) = Guest::kData;
    guest.host(0x700000)[0] = 2;
    guest.run(load, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 0u);
    guest.load({0xb8, 7, 0, 0, 0}, 0x701000); // mov eax, 7
    elsewhere(guest, [&] {
        *guest.pte(Guest::kData) = 0x700007;
        *guest.pte(Guest::kCode + 4096) = 0x701007;
    });
    x86_core_flush_tlb(guest.core);
    run_at(guest, Guest::kCode, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 2u);
    run_at(guest, Guest::kCode + 4096, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 7u);
}
