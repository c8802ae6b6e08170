// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/core.h"

#include "guest.h"

#include <cstring>

TEST(X86Core, AddsTwoRegisters)
{
    Guest guest;
    guest.gpr(X86_RAX) = 5;
    guest.gpr(X86_RBX) = 37;
    // add rax, rbx
    EXPECT_EQ(guest.run({0x48, 0x01, 0xd8}, 1), X86_STOP_BUDGET);
    EXPECT_EQ(guest.gpr(X86_RAX), 42u);
    EXPECT_EQ(guest.state()->rip, Guest::kCode + 3);
}

TEST(X86Core, LoopsExactlyAsLongAsItsBudgetSays)
{
    // 1: add rax, 1; dec rcx; jnz 1b
    const std::vector<uint8_t> loop = {0x48, 0x83, 0xc0, 0x01, 0x48,
                                       0xff, 0xc9, 0x75, 0xf7};
    for (uint64_t budget : {1, 2, 3, 4, 100, 101, 299, 300}) {
        Guest guest;
        guest.gpr(X86_RCX) = 1000;
        EXPECT_EQ(guest.run(loop, budget), X86_STOP_BUDGET);
        EXPECT_EQ(x86_core_insts(guest.core), budget);
        EXPECT_EQ(guest.gpr(X86_RAX), (budget + 2) / 3);
        EXPECT_EQ(guest.gpr(X86_RCX), 1000 - (budget + 1) / 3);
    }
}

TEST(X86Core, LeavesItsBlocksToTheCoresThatShareThem)
{
    Guest guest;
    guest.run({0x48, 0xff, 0xc3}, 1); // inc rbx
    struct x86_core_cfg cfg = {};
    cfg.mem = guest.mem;
    cfg.cache = x86_core_cache(guest.core);
    struct x86_core *other = x86_core_create(&cfg);
    *x86_core_state(other) = *guest.state();
    x86_core_state_changed(other);
    x86_core_destroy(guest.core); // the one that made the cache
    guest.core = nullptr;
    x86_core_state(other)->rip = Guest::kCode;
    EXPECT_EQ(x86_core_run(other, 1), X86_STOP_BUDGET);
    EXPECT_EQ(x86_core_state(other)->gpr[X86_RBX], 2u);
    x86_core_destroy(other);
}

TEST(X86Core, CallsAndReturns)
{
    Guest guest;
    // call f; syscall; f: mov eax, 7; ret
    guest.run({0xe8, 0x02, 0, 0, 0, 0x0f, 0x05, 0xb8, 7, 0, 0, 0, 0xc3}, 100);
    EXPECT_EQ(guest.gpr(X86_RAX), 7u);
    EXPECT_EQ(guest.syscalls, 1u);
    EXPECT_EQ(guest.gpr(X86_RSP), Guest::kStack);
    EXPECT_EQ(guest.gpr(X86_RCX), Guest::kCode + 7);
    EXPECT_EQ(x86_core_insts(guest.core), 4u);
}

TEST(X86Core, ReportsAPageFaultBeforeTheInstruction)
{
    Guest guest;
    guest.gpr(X86_RAX) = 0x123;
    guest.gpr(X86_RDI) = 0x5000000; // not mapped
    // inc rbx; add rax, [rdi]
    guest.run({0x48, 0xff, 0xc3, 0x48, 0x03, 0x07}, 100);
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].vector, X86_PF);
    EXPECT_EQ(guest.faults[0].error, (uint32_t)X86_PF_USER);
    EXPECT_EQ(guest.faults[0].addr, 0x5000000u);
    EXPECT_EQ(guest.state()->rip, Guest::kCode + 3);
    EXPECT_EQ(guest.gpr(X86_RAX), 0x123u);
    EXPECT_EQ(x86_core_insts(guest.core), 1u);
}

namespace
{

// An executor that holds the state of a core.
struct Borrower {
    struct x86_state state = {};
    int fetches = 0;

    static void fetch(void *ctx, struct x86_core *core)
    {
        Borrower *self = static_cast<Borrower *>(ctx);
        struct x86_state *state = x86_core_state(core);
        self->fetches++;
        state->rflags = self->state.rflags;
        memcpy(state->seg, self->state.seg, sizeof(state->seg));
        memcpy(state->xsave, self->state.xsave, sizeof(state->xsave));
    }
};

// Lent with ZF, FS base and XMM0 changed elsewhere.
Borrower lend(Guest &guest)
{
    Borrower borrower;
    x86_core_sync(guest.core);
    borrower.state = *guest.state();
    borrower.state.rflags |= X86_ZF;
    borrower.state.seg[X86_FS].base = Guest::kData;
    borrower.state.xsave[160] = 0x5a;
    borrower.state.xsave[512] |= 2;
    return borrower;
}

} // namespace

TEST(X86Core, FetchesALentStateWhenItIsSynced)
{
    Guest guest;
    Borrower borrower = lend(guest);
    x86_core_lend(guest.core, Borrower::fetch, &borrower);
    guest.gpr(X86_RAX)++;
    EXPECT_EQ(borrower.fetches, 0);
    EXPECT_TRUE(guest.rflags() & X86_ZF);
    EXPECT_EQ(guest.gpr(X86_RAX), 1u);
    EXPECT_EQ(guest.state()->xsave[160], 0x5a);
    EXPECT_EQ(guest.state()->seg[X86_FS].base, uint64_t(Guest::kData));
    x86_core_sync(guest.core);
    EXPECT_EQ(borrower.fetches, 1);
}

TEST(X86Core, FetchesALentStateBeforeItRuns)
{
    Guest guest;
    Borrower borrower = lend(guest);
    guest.host(Guest::kData)[0] = 77;
    // setz al; movd ebx, xmm0; mov cl, fs:[0]
    guest.load({0x0f, 0x94, 0xc0, 0x66, 0x0f, 0x7e, 0xc3, 0x64, 0x8a, 0x0c,
                0x25, 0, 0, 0, 0});
    guest.state()->rip = Guest::kCode;
    x86_core_lend(guest.core, Borrower::fetch, &borrower);
    x86_core_run(guest.core, 3);
    EXPECT_EQ(borrower.fetches, 1);
    EXPECT_EQ(guest.gpr(X86_RAX) & 0xff, 1u);
    EXPECT_EQ(guest.gpr(X86_RBX), 0x5au);
    EXPECT_EQ(guest.gpr(X86_RCX) & 0xff, 77u);
}

TEST(X86Core, TellsWhetherItsStateChangedSinceItWasAsked)
{
    Guest guest;
    EXPECT_TRUE(x86_core_take_changed(guest.core));
    EXPECT_FALSE(x86_core_take_changed(guest.core));
    Borrower borrower = lend(guest);
    x86_core_lend(guest.core, Borrower::fetch, &borrower);
    guest.gpr(X86_RAX) = 5;
    x86_core_sync(guest.core);
    EXPECT_FALSE(x86_core_take_changed(guest.core));
    guest.state()->seg[X86_FS].base = 5;
    x86_core_state_changed(guest.core);
    EXPECT_TRUE(x86_core_take_changed(guest.core));
    guest.run({0x90}, 1);
    EXPECT_TRUE(x86_core_take_changed(guest.core));
    EXPECT_FALSE(x86_core_take_changed(guest.core));
}

TEST(X86Core, AsksTheEnvironmentForPseudoOperationsAndHypercalls)
{
    // 0F 04 23 01, VMCALL, VMMCALL
    const std::vector<uint8_t> code = {0x0f, 0x04, 0x23, 0x01, 0x0f,
                                       0x01, 0xc1, 0x0f, 0x01, 0xd9};
    Guest guest;

    guest.run(code, 1);
    ASSERT_EQ(guest.faults.size(), 1u); // nobody answers
    EXPECT_EQ(guest.faults[0].vector, X86_UD);
    EXPECT_EQ(guest.state()->rip, Guest::kCode);
    guest.env.pseudo_op = [](struct x86_env *, struct x86_core *core,
                             uint16_t func, uint64_t *result) {
        EXPECT_EQ(x86_core_state(core)->rip, Guest::kCode + 4);
        *result = func;
        return true;
    };
    guest.env.hypercall = [](struct x86_env *, struct x86_core *core,
                             uint64_t *result) {
        *result = x86_core_state(core)->gpr[X86_RAX] + 1;
        return true;
    };
    EXPECT_EQ(guest.run(code, 3), X86_STOP_BUDGET);
    EXPECT_EQ(guest.gpr(X86_RAX), 0x0125u);
    EXPECT_EQ(guest.state()->rip, Guest::kCode + code.size());
    guest.env.pseudo_op = [](struct x86_env *, struct x86_core *, uint16_t,
                             uint64_t *) { return false; };
    guest.run(code, 1);
    EXPECT_EQ(guest.faults.back().vector, X86_UD);
}

TEST(X86Core, LeavesALongRepetitionInTheMiddle)
{
    Guest guest;
    const uint64_t elements = 2 * uint64_t(X86_REP_SLICE) + 5000;
    guest.gpr(X86_RCX) = elements;
    guest.gpr(X86_RDI) = Guest::kData;
    guest.gpr(X86_RAX) = 0x5a;
    guest.load({0xf3, 0xaa, 0xff, 0xc3}); // rep stosb; inc ebx
    guest.state()->rip = Guest::kCode;
    for (int i = 1; i <= 2; i++) {
        EXPECT_EQ(x86_core_run(guest.core, 100), X86_STOP_REP);
        EXPECT_EQ(x86_core_insts(guest.core), 0u);
        EXPECT_EQ(guest.state()->rip, uint64_t(Guest::kCode));
        EXPECT_EQ(guest.gpr(X86_RCX) + guest.gpr(X86_RDI),
                  Guest::kData + elements);
        EXPECT_LT(guest.gpr(X86_RCX), elements - i * X86_REP_SLICE + 1);
    }
    EXPECT_EQ(x86_core_run(guest.core, 2), X86_STOP_BUDGET);
    EXPECT_EQ(x86_core_insts(guest.core), 2u);
    EXPECT_EQ(guest.gpr(X86_RBX), 1u);
    EXPECT_EQ(guest.host(Guest::kData + elements)[-1], 0x5a);
    EXPECT_EQ(guest.host(Guest::kData + elements)[0], 0);
}

TEST(X86Core, DoesNotAddUpRepetitionsThatEnd)
{
    Guest guest;
    // 1: mov rcx, rdx; mov rdi, rsi; rep stosb; jmp 1b
    guest.gpr(X86_RDX) = X86_REP_SLICE - 1;
    guest.gpr(X86_RSI) = Guest::kData;
    EXPECT_EQ(
        guest.run({0x48, 0x89, 0xd1, 0x48, 0x89, 0xf7, 0xf3, 0xaa, 0xeb, 0xf6},
                  40),
        X86_STOP_BUDGET);
}

TEST(X86Core, TakesARequestInTheMiddleOfARepetition)
{
    Guest guest;
    guest.gpr(X86_RCX) = 100000;
    guest.gpr(X86_RDI) = Guest::kData;
    guest.load({0xf3, 0xaa}); // rep stosb
    guest.state()->rip = Guest::kCode;
    // The first page of the destination asks for a stop by a page fault.
    *guest.pte(Guest::kData + 8192) = 0;
    EXPECT_EQ(x86_core_run(guest.core, 1), X86_STOP_REQUEST);
    EXPECT_EQ(guest.gpr(X86_RDI), Guest::kData + 8192);
    *guest.pte(Guest::kData + 8192) = (Guest::kData + 8192) | 7;
    x86_core_stop(guest.core);
    EXPECT_EQ(x86_core_run(guest.core, 1), X86_STOP_REQUEST);
    EXPECT_EQ(x86_core_run(guest.core, 1), X86_STOP_BUDGET);
    EXPECT_EQ(guest.gpr(X86_RCX), 0u);
}
