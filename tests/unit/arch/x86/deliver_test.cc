// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/deliver.h"

#include "legacy_guest.h"

namespace
{

enum { INT_GATE = 0x8e, TRAP_GATE = 0x8f, USER_GATE = 0xee };

struct Deliver : LegacyGuest, testing::Test {
    bool deliver(uint8_t vector, x86_fault_source source,
                 bool has_error = false, uint32_t error = 0)
    {
        x86_fault event = {};

        event.vector = vector;
        event.source = static_cast<uint8_t>(source);
        event.has_error = has_error;
        event.error = error;
        return x86_deliver(core, &event);
    }
    void put_gates(uint32_t access)
    {
        for (unsigned vector = 0; vector < 256; vector++)
            put_idt(vector, gate(kCode, 0x6000 + vector, access));
    }
};

TEST_F(Deliver, PushesFlagsCsAndRip)
{
    put_gates(INT_GATE);
    x86_core_set_rflags(core, 0x202);
    ASSERT_TRUE(deliver(0x40, X86_FROM_EXTERNAL));
    EXPECT_EQ(state()->rip, 0x6040u);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack - 12);
    EXPECT_EQ(pushed(0), 0x5000u);
    EXPECT_EQ(pushed(1), kCode);
    EXPECT_EQ(pushed(2), 0x202u);
    EXPECT_EQ(x86_core_rflags(core) & X86_IF, 0u);
}

TEST_F(Deliver, KeepsInterruptsOnThroughATrapGate)
{
    put_gates(TRAP_GATE);
    x86_core_set_rflags(core, 0x302);
    ASSERT_TRUE(deliver(0x40, X86_FROM_EXTERNAL));
    EXPECT_EQ(x86_core_rflags(core) & (X86_IF | X86_TF),
              static_cast<uint64_t>(X86_IF));
}

TEST_F(Deliver, PushesTheErrorCodeAndSetsRfForFaults)
{
    put_gates(INT_GATE);
    ASSERT_TRUE(deliver(X86_GP, X86_FROM_FAULT, true, 0x1234));
    EXPECT_EQ(pushed(0), 0x1234u);
    EXPECT_EQ(pushed(3) & X86_RF, static_cast<unsigned>(X86_RF));
}

TEST_F(Deliver, ChangesTheStackOnTheWayIn)
{
    put_gates(USER_GATE);
    enter(3);
    ASSERT_TRUE(deliver(0x80, X86_FROM_INT_N));
    EXPECT_EQ(state()->seg[X86_SS_SEG].selector, kData);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack0 - 20);
    EXPECT_EQ(pushed(1), kUserCode);
    EXPECT_EQ(pushed(3), kStack);
    EXPECT_EQ(pushed(4), kUserData);
}

// A second fault and what becomes of both.
struct Nested {
    uint8_t first;
    x86_fault_source source;
    uint32_t access; // of all gates but #DF, #GP and #NP
    uint8_t vector;  // of the handler that is entered
    uint32_t error;
};

TEST_F(Deliver, TurnsFaultsOfDeliveryIntoTheirOwnOrADoubleFault)
{
    static const Nested rows[] = {
        {0x40,   X86_FROM_EXTERNAL, 0x0e, X86_NP, 0x40 * 8 + 3},
        {0x40,   X86_FROM_EXTERNAL, 0x89, X86_GP, 0x40 * 8 + 3},
        {0x40,   X86_FROM_INT_N,    0x0e, X86_NP, 0x40 * 8 + 2},
        {X86_BP, X86_FROM_TRAP,     0x0e, X86_NP, 3 * 8 + 2   },
        {X86_UD, X86_FROM_FAULT,    0x0e, X86_NP, 6 * 8 + 3   },
        {X86_DE, X86_FROM_FAULT,    0x0e, X86_DF, 0           },
        {X86_TS, X86_FROM_FAULT,    0x0e, X86_DF, 0           },
        {X86_PF, X86_FROM_FAULT,    0x0e, X86_DF, 0           },
        {X86_PF, X86_FROM_FAULT,    0x8d, X86_DF, 0           },
    };

    for (const Nested &row : rows) {
        put_gates(row.access);
        for (uint8_t vector : {X86_DF, X86_GP, X86_NP})
            put_idt(vector, gate(kCode, 0x6000u + vector, INT_GATE));
        enter(0);
        ASSERT_TRUE(deliver(row.first, row.source));
        EXPECT_EQ(state()->rip, 0x6000u + row.vector) << int(row.first);
        EXPECT_EQ(pushed(0), row.error) << int(row.first);
    }
}

TEST_F(Deliver, BlamesIntNItselfForAGateThatForbidsIt)
{
    x86_fault event = {};

    put_gates(INT_GATE);
    enter(3);
    event.vector = 0x40;
    event.source = X86_FROM_INT_N;
    event.insn_len = 2;
    ASSERT_TRUE(x86_deliver(core, &event));
    EXPECT_EQ(state()->rip, 0x6000u + X86_GP);
    EXPECT_EQ(pushed(0), 0x40u * 8 + 2);
    EXPECT_EQ(pushed(1), 0x4ffeu);
}

TEST_F(Deliver, ShutsDownAtTheThirdFault)
{
    state()->idtr.limit = 0;
    EXPECT_FALSE(deliver(X86_UD, X86_FROM_FAULT));
    EXPECT_EQ(state()->gpr[X86_RSP], kStack);
}

TEST_F(Deliver, UsesTheVectorTableOfRealMode)
{
    state()->cr0 &= ~UINT64_C(1);
    state()->idtr = {0, 0x3ff};
    state()->seg[X86_SS_SEG].db = 0;
    put32(4 * 0x21, 0x12345678);
    x86_core_state_changed(core);
    ASSERT_TRUE(deliver(0x21, X86_FROM_INT_N));
    EXPECT_EQ(state()->seg[X86_CS].base, 0x12340u);
    EXPECT_EQ(state()->rip, 0x5678u);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack - 6);
    EXPECT_EQ(pushed(0), 0x5000u | kCode << 16);
}

TEST_F(Deliver, ReplacesTheHitsInDr6AndClearsGeneralDetect)
{
    x86_fault event = {};

    put_gates(INT_GATE);
    state()->dr[6] = 0xffff4ff1;
    state()->dr[7] = 0x2400;
    event.vector = X86_DB;
    event.source = X86_FROM_TRAP;
    event.addr = 4;
    ASSERT_TRUE(x86_deliver(core, &event));
    EXPECT_EQ(state()->dr[6], 0xffff4ff4u);
    EXPECT_EQ(state()->dr[7], 0x400u);
}

TEST_F(Deliver, MarksTheHandlersCodeAccessed)
{
    put_gdt(kSpare, descriptor(0, 0xfffff, 0x9a, 0xc));
    put_idt(0x40, gate(kSpare, 0x6000, INT_GATE));
    ASSERT_TRUE(deliver(0x40, X86_FROM_EXTERNAL));
    EXPECT_EQ(gdt(kSpare) >> 40 & 0xff, 0x9bu);
}

} // namespace
