// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/msr.h"

#include <set>

#include "guest.h"

namespace
{

struct Msr : testing::Test {
    Guest guest{false};
    x86_fault fault = {};

    bool read(uint32_t index, uint64_t *value)
    {
        return x86_msr_read(guest.core, index, value, &fault);
    }
    bool write(uint32_t index, uint64_t value)
    {
        return x86_msr_write(guest.core, index, value, &fault);
    }
};

TEST_F(Msr, HasOneRowEach)
{
    std::set<uint32_t> seen;

    for (size_t row = 0; row < x86_msr_count(); row++) {
        uint64_t value;

        EXPECT_TRUE(seen.insert(x86_msr_index(row)).second)
            << x86_msr_name(row);
        EXPECT_TRUE(read(x86_msr_index(row), &value)) << x86_msr_name(row);
    }
}

TEST_F(Msr, FaultsIfThereIsNone)
{
    uint64_t value;

    EXPECT_FALSE(read(0x12345678, &value));
    EXPECT_EQ(fault.vector, X86_GP);
    EXPECT_TRUE(fault.has_error);
    EXPECT_EQ(fault.error, 0u);
    EXPECT_FALSE(write(0x12345678, 0));
}

struct Rule {
    uint32_t index;
    uint64_t value;
    bool is_allowed;
};

TEST_F(Msr, AcceptsOnlyWhatItsRuleAllows)
{
    static const Rule rules[] = {
        {0xc0000082, 0xffff800000000000, true }, // LSTAR
        {0xc0000082, 0x0000800000000000, false},
        {0xc0000084, 0xffffffff,         true }, // FMASK
        {0xc0000084, 0x100000000,        false},
        {0x277,      0x0007040600070406, true }, // PAT
        {0x277,      0x0000000000000002, false},
        {0x277,      0x0300000000000000, false},
        {0x277,      0x0000080000000000, false},
        {0x250,      0x0000000000000006, true }, // an MTRR has no UC-
        {0x250,      0x0000000000000007, false},
        {0x2ff,      0x0000000000000c06, true }, // MTRR_DEF_TYPE
        {0x2ff,      0x0000000000000c07, false},
        {0x2ff,      0x0000000000000c02, false},
        {0x2ff,      0x0000000000001006, false},
        {0x200,      0x0000000080000006, true }, // MTRR_PHYSBASE0
        {0x200,      0x0000000080000007, false},
        {0x200,      0x0000000080000106, false},
        {0x200,      0x0000400000000006, false}, // beyond MAXPHYADDR
        {0x20f,      0x00003fff80000800, true }, // MTRR_PHYSMASK7
        {0x20f,      0x00003fff80000400, false},
        {0x20f,      0x00007fff80000800, false},
        {0x1d9,      3,                  true }, // DEBUGCTL
        {0x1d9,      0x10000,            false},
        {0xfe,       0x508,              false}, // MTRRCAP
        {0xda0,      0,                  true }, // XSS
        {0xda0,      1,                  false},
        {0xc0000100, 0x0000800000000000, false}, // FS base
    };

    for (const Rule &rule : rules)
        EXPECT_EQ(write(rule.index, rule.value), rule.is_allowed)
            << std::hex << rule.index << " = " << rule.value;
}

TEST_F(Msr, IsTheSegmentsBase)
{
    uint64_t value = 0;

    EXPECT_TRUE(write(0xc0000101, 0x123456789000));
    EXPECT_EQ(guest.state()->seg[X86_GS].base, 0x123456789000u);
    EXPECT_TRUE(read(0xc0000101, &value));
    EXPECT_EQ(value, 0x123456789000u);
}

TEST_F(Msr, MovesTheTimeStampWithItsAdjustment)
{
    uint64_t value = 0;

    guest.env.read_tsc = [](x86_env *, x86_core *) { return uint64_t(500); };
    EXPECT_TRUE(write(0x10, 1500));
    EXPECT_TRUE(read(0x10, &value));
    EXPECT_EQ(value, 1500u);
    EXPECT_TRUE(read(0x3b, &value));
    EXPECT_EQ(value, 1000u);
    EXPECT_TRUE(write(0x3b, 0));
    EXPECT_TRUE(read(0x10, &value));
    EXPECT_EQ(value, 500u);
}

TEST_F(Msr, KeepsNothingForWhatIsAbsent)
{
    uint64_t value = 1;

    EXPECT_TRUE(write(0xc0010000, 0xffff));
    EXPECT_TRUE(read(0xc0010000, &value));
    EXPECT_EQ(value, 0u);
}

TEST_F(Msr, AsksTheEnvironmentFirst)
{
    uint64_t value = 0;

    guest.env.msr_read = [](x86_env *, x86_core *, uint32_t index,
                            uint64_t *out) {
        *out = 77;
        return index == 0x800;
    };
    EXPECT_TRUE(read(0x800, &value));
    EXPECT_EQ(value, 77u);
    EXPECT_FALSE(read(0x801, &value));
}

// [SDM] Vol. 3A, "x2APIC State Transitions".
TEST_F(Msr, ApicBaseAllowsOnlyTheManualsTransitions)
{
    enum { XAPIC = 0xfee00800, X2 = 0xfee00c00, DISABLED = 0xfee00000 };
    uint64_t value;

    EXPECT_FALSE(write(0x1b, XAPIC | 1));
    EXPECT_FALSE(write(0x1b, UINT64_C(1) << 50));
    EXPECT_FALSE(write(0x1b, 0xfee00400u)); // x2APIC, but not enabled
    EXPECT_TRUE(write(0x1b, XAPIC));
    EXPECT_TRUE(write(0x1b, X2));
    EXPECT_FALSE(write(0x1b, XAPIC));
    EXPECT_TRUE(write(0x1b, DISABLED));
    EXPECT_FALSE(write(0x1b, X2));
    EXPECT_TRUE(write(0x1b, 0xfed00800u));
    EXPECT_TRUE(read(0x1b, &value));
    EXPECT_EQ(value, 0xfed00800u);
}

} // namespace
