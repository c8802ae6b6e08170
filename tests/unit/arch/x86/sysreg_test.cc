// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/sysreg.h"

#include "guest.h"
#include "legacy_guest.h"

namespace
{

struct LongMode : testing::Test {
    Guest guest{false};
    x86_fault fault = {};
};
struct LegacyMode : LegacyGuest, testing::Test {
};

// A write in 64-bit mode, as a change of the value that is there.
struct Write {
    unsigned index;
    uint64_t set, clear;
    bool is_allowed;
};

TEST_F(LongMode, RefusesControlBitsThatContradict)
{
    static const Write writes[] = {
        {0, X86_CR0_TS,              0,           true },
        {0, UINT64_C(1) << 32,       0,           false},
        {0, X86_CR0_NW,              0,           false}, // without CD
        {0, X86_CR0_NW | X86_CR0_CD, 0,           true },
        {0, 0,                       X86_CR0_PG,  false}, // in 64-bit code
        {0, 0,                       X86_CR0_PE,  false}, // with paging
        {3, UINT64_C(1) << 62,       0,           false},
        {3, 0x18,                    0,           true },
        {4, 0,                       X86_CR4_PAE, false},
        {4, 1 << 15,                 0,           false},
        {4, X86_CR4_PGE,             0,           true },
        {8, 15,                      0,           true },
        {8, 16,                      0,           false},
    };

    for (const Write &write : writes) {
        uint64_t before, after;

        ASSERT_TRUE(x86_cr_read(guest.core, write.index, &before, &fault));
        EXPECT_EQ(x86_cr_write(guest.core, write.index,
                               (before | write.set) & ~write.clear, &fault),
                  write.is_allowed)
            << write.index << std::hex << " " << write.set;
        ASSERT_TRUE(x86_cr_read(guest.core, write.index, &after, &fault));
        if (!write.is_allowed) {
            EXPECT_EQ(after, before);
        }
        ASSERT_TRUE(x86_cr_write(guest.core, write.index, before, &fault));
    }
}

TEST_F(LongMode, HasNoOtherControlRegisters)
{
    uint64_t value;

    for (unsigned index : {1u, 5u, 6u, 7u, 9u, 15u}) {
        EXPECT_FALSE(x86_cr_read(guest.core, index, &value, &fault));
        EXPECT_EQ(fault.vector, X86_UD);
        EXPECT_FALSE(x86_cr_write(guest.core, index, 0, &fault));
    }
}

TEST_F(LongMode, ForgetsTheHintInCr3WithPcids)
{
    guest.state()->cr4 |= X86_CR4_PCIDE;
    ASSERT_TRUE(
        x86_cr_write(guest.core, 3, UINT64_C(1) << 63 | 0x1005, &fault));
    EXPECT_EQ(guest.state()->cr3, 0x1005u);
}

TEST_F(LongMode, DoesNotLeaveByEfer)
{
    uint64_t efer = guest.state()->efer;

    EXPECT_FALSE(x86_efer_write(guest.core, efer & ~UINT64_C(0x100), &fault));
    EXPECT_FALSE(x86_efer_write(guest.core, efer | 2, &fault));
    EXPECT_TRUE(x86_efer_write(guest.core, efer & ~UINT64_C(0x400), &fault));
    EXPECT_EQ(guest.state()->efer, efer) << "LMA is read-only";
}

TEST_F(LongMode, EnablesExtendedStatesInOrder)
{
    static const struct {
        uint64_t value;
        bool is_allowed;
    } rows[] = {
        {1,    true },
        {3,    true },
        {7,    true },
        {0,    false},
        {2,    false},
        {5,    false},
        {0x27, false}
    };

    for (auto row : rows)
        EXPECT_EQ(x86_xcr_write(guest.core, 0, row.value, &fault),
                  row.is_allowed)
            << row.value;
    EXPECT_FALSE(x86_xcr_write(guest.core, 1, 1, &fault));
}

TEST_F(LegacyMode, EntersLongModeByPaging)
{
    state()->efer = X86_EFER_LME;
    EXPECT_FALSE(x86_cr_write(core, 0, 0x11 | X86_CR0_PG, &fault))
        << "without PAE";
    ASSERT_TRUE(x86_cr_write(core, 4, X86_CR4_PAE, &fault));
    ASSERT_TRUE(x86_cr_write(core, 0, 0x11 | X86_CR0_PG, &fault));
    EXPECT_TRUE(state()->efer & X86_EFER_LMA);
    ASSERT_TRUE(x86_cr_write(core, 0, 0x11, &fault));
    EXPECT_FALSE(state()->efer & X86_EFER_LMA);
}

TEST_F(LegacyMode, LoadsPdptesWithCr3AndKeepsThem)
{
    put32(0x9000, 0xa001);
    ASSERT_TRUE(x86_cr_write(core, 3, 0x9000, &fault));
    ASSERT_TRUE(x86_cr_write(core, 4, X86_CR4_PAE, &fault));
    EXPECT_EQ(state()->pdpte[0], 0u) << "paging is off";
    ASSERT_TRUE(x86_cr_write(core, 0, 0x11 | X86_CR0_PG, &fault));
    EXPECT_EQ(state()->pdpte[0], 0xa001u);
    put32(0x9000, 0xb003);
    fault = {};
    EXPECT_FALSE(x86_cr_write(core, 3, 0x9000, &fault)) << "reserved bit";
    EXPECT_EQ(fault.vector, X86_GP);
    EXPECT_EQ(fault.error, 0u);
    ASSERT_TRUE(x86_cr_write(core, 0, 0x10011 | X86_CR0_PG, &fault)) << "WP";
    EXPECT_EQ(state()->pdpte[0], 0xa001u);
    put32(0x9000, 0xb001);
    ASSERT_TRUE(x86_cr_write(core, 4, X86_CR4_PAE | X86_CR4_PGE, &fault));
    EXPECT_EQ(state()->pdpte[0], 0xb001u);
}

TEST_F(LegacyMode, SetsButDoesNotClearPeByLmsw)
{
    ASSERT_TRUE(x86_lmsw(core, 0xfff0, &fault));
    EXPECT_EQ(state()->cr0, 0x11u);
    ASSERT_TRUE(x86_lmsw(core, 0x000e, &fault));
    EXPECT_EQ(state()->cr0, 0x1fu);
}

TEST_F(LegacyMode, KnowsDebugRegisters4And5AsAliases)
{
    uint64_t value = 0;

    ASSERT_TRUE(x86_dr_write(core, 6, 0, &fault));
    ASSERT_TRUE(x86_dr_read(core, 4, &value, &fault));
    EXPECT_EQ(value, 0xffff0ff0u);
    ASSERT_TRUE(x86_dr_write(core, 5, 0, &fault));
    EXPECT_EQ(state()->dr[7], 0x400u);
    state()->cr4 = X86_CR4_DE;
    EXPECT_FALSE(x86_dr_read(core, 4, &value, &fault));
    EXPECT_EQ(fault.vector, X86_UD);
}

TEST_F(LegacyMode, DetectsAccessToDebugRegisters)
{
    uint64_t value;

    ASSERT_TRUE(x86_dr_write(core, 7, 0x2400, &fault));
    EXPECT_FALSE(x86_dr_read(core, 0, &value, &fault));
    EXPECT_EQ(fault.vector, X86_DB);
    EXPECT_EQ(fault.addr, 1u << 13);
    EXPECT_FALSE(x86_dr_write(core, 7, 0x400, &fault));
}

} // namespace
