// SPDX-License-Identifier: BSD-3-Clause
// Decoded blocks as a guest sees them: code that changes, moves and crosses
// pages.
#include "guest.h"

TEST(X86Block, ExecutesWhatTheSameBlockHasJustWritten)
{
    Guest guest;
    // mov byte [rip + 1], 9; mov eax, 1
    guest.run({0xc6, 0x05, 1, 0, 0, 0, 9, 0xb8, 1, 0, 0, 0}, 2);
    EXPECT_EQ(guest.gpr(X86_RAX), 9u);
    EXPECT_EQ(x86_core_insts(guest.core), 2u);
}

TEST(X86Block, SeesCodeThatALoopChanges)
{
    Guest guest;
    // 1: inc byte [rip + 1]; mov eax, 0; dec ecx; jnz 1b; syscall
    guest.gpr(X86_RCX) = 100;
    guest.run({0xfe, 0x05, 1, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xff, 0xc9, 0x75, 0xf1,
               0x0f, 0x05},
              10000);
    EXPECT_EQ(guest.syscalls, 1u);
    EXPECT_EQ(guest.gpr(X86_RAX), 100u);
    EXPECT_EQ(x86_core_insts(guest.core), 401u);
}

TEST(X86Block, LetsDataLieBesideCode)
{
    Guest guest;
    // 1: inc dword [rip + 0x200]; dec ecx; jnz 1b; syscall
    guest.gpr(X86_RCX) = 1000;
    guest.run({0xff, 0x05, 0, 2, 0, 0, 0xff, 0xc9, 0x75, 0xf6, 0x0f, 0x05},
              10000);
    uint32_t count;
    memcpy(&count, guest.host(Guest::kCode + 6 + 0x200), 4);
    EXPECT_EQ(count, 1000u);
    struct x86_counts counts;
    x86_core_counts(guest.core, &counts);
    EXPECT_LT(counts.blocks_decoded, 5u); // nothing was decoded again
}

TEST(X86Block, ExecutesAnInstructionAcrossTwoPages)
{
    Guest guest;
    const uint64_t start = Guest::kCode + 4096 - 2;
    guest.load({0xb8, 0x78, 0x56, 0x34, 0x12}, start); // mov eax, 0x12345678
    guest.state()->rip = start;
    EXPECT_EQ(x86_core_run(guest.core, 1), X86_STOP_BUDGET);
    EXPECT_EQ(guest.gpr(X86_RAX), 0x12345678u);
    EXPECT_EQ(guest.state()->rip, start + 5);
    guest.load({0xaa}, start + 4); // in the second page
    guest.state()->rip = start;
    x86_core_run(guest.core, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 0xaa345678u);
}

TEST(X86Block, ReportsAMissingSecondPageAtItsAddress)
{
    Guest guest;
    const uint64_t start = Guest::kCode + 4096 - 2;
    guest.load({0xb8, 0x78}, start);
    *guest.pte(start + 2) = 0;
    guest.state()->rip = start;
    x86_core_run(guest.core, 1);
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].vector, X86_PF);
    EXPECT_EQ(guest.faults[0].addr, start + 2);
    EXPECT_EQ(guest.state()->rip, start);
}

TEST(X86Block, FollowsAPageThatIsMappedElsewhere)
{
    Guest guest;
    guest.load({0xb8, 1, 0, 0, 0}, 0x500000);
    guest.load({0xb8, 2, 0, 0, 0}, 0x501000);
    guest.state()->rip = 0x500000;
    x86_core_run(guest.core, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 1u);
    *guest.pte(0x500000) = 0x501007;
    x86_core_flush_page(guest.core, {0x500000});
    guest.state()->rip = 0x500000;
    x86_core_run(guest.core, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 2u);
}

TEST(X86Block, StopsBeforeABreakpointAndGoesOnFromIt)
{
    Guest guest;
    // 1: inc eax; inc ebx; jmp 1b
    guest.load({0xff, 0xc0, 0xff, 0xc3, 0xeb, 0xfa});
    guest.state()->rip = Guest::kCode;
    x86_core_add_break(guest.core, {Guest::kCode + 2});
    for (unsigned i = 1; i <= 3; i++) {
        EXPECT_EQ(x86_core_run(guest.core, 100), X86_STOP_BREAK);
        EXPECT_EQ(guest.state()->rip, Guest::kCode + 2);
        EXPECT_EQ(guest.gpr(X86_RAX), i);
        EXPECT_EQ(guest.gpr(X86_RBX), i - 1);
    }
    x86_core_remove_break(guest.core, {Guest::kCode + 2});
    EXPECT_EQ(x86_core_run(guest.core, 300), X86_STOP_BUDGET);
}

TEST(X86Block, CountsWhatWasExecuted)
{
    Guest guest;
    // 1: push rax; pop rbx; call 2f; dec ecx; jnz 1b; syscall; 2: ret
    guest.gpr(X86_RCX) = 10;
    guest.run({0x50, 0x5b, 0xe8, 6, 0, 0, 0, 0xff, 0xc9, 0x75, 0xf5, 0x0f, 0x05,
               0xc3},
              1000);
    struct x86_counts counts;
    x86_core_counts(guest.core, &counts);
    EXPECT_EQ(counts.insts, 61u);
    EXPECT_EQ(counts.calls, 10u);
    EXPECT_EQ(counts.returns, 10u);
    EXPECT_EQ(counts.branches, 30u);
    EXPECT_EQ(counts.taken, 29u);
    EXPECT_EQ(counts.loads, 20u);
    EXPECT_EQ(counts.stores, 20u);
    EXPECT_EQ(counts.syscalls, 1u);
}

TEST(X86Block, DoesNotCountWhatAFaultPrevented)
{
    Guest guest;
    guest.gpr(X86_RDI) = 0x7000000;
    // nop; mov rax, [rdi]; push rax; push rax
    guest.run({0x90, 0x48, 0x8b, 0x07, 0x50, 0x50}, 4);
    struct x86_counts counts;
    x86_core_counts(guest.core, &counts);
    EXPECT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(counts.insts, 1u);
    EXPECT_EQ(counts.loads, 0u);
    EXPECT_EQ(counts.stores, 0u);
    EXPECT_EQ(counts.by_class[X86_OP_INT_ALU], 1u);
}

TEST(X86Block, ServesTwoCoresThatShareACache)
{
    Guest guest;
    struct x86_core_cfg cfg = {};
    cfg.mem = guest.mem;
    cfg.env = &guest.env;
    cfg.cache = x86_core_cache(guest.core);
    struct x86_core *other = x86_core_create(&cfg);
    *x86_core_state(other) = *guest.state();
    x86_core_state_changed(other);
    // other executes, guest overwrites, other must see it
    guest.load({0xb8, 1, 0, 0, 0});
    x86_core_state(other)->rip = Guest::kCode;
    x86_core_run(other, 1);
    EXPECT_EQ(x86_core_state(other)->gpr[X86_RAX], 1u);
    guest.gpr(X86_RDI) = Guest::kCode + 1;
    guest.load({0xc6, 0x07, 5}, Guest::kCode + 0x100); // mov byte [rdi], 5
    guest.state()->rip = Guest::kCode + 0x100;
    x86_core_run(guest.core, 1);
    x86_core_state(other)->rip = Guest::kCode;
    x86_core_run(other, 1);
    EXPECT_EQ(x86_core_state(other)->gpr[X86_RAX], 5u);
    EXPECT_EQ(x86_core_insts(other), 2u);
    EXPECT_EQ(x86_core_insts(guest.core), 1u);
    x86_core_destroy(other);
}
