// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/segment.h"

#include "arch/x86/vmem.h"
#include "legacy_guest.h"

namespace
{

struct Segment : LegacyGuest, testing::Test {
};

TEST(SegmentDescriptor, ScattersItsFields)
{
    x86_seg seg;

    x86_desc_decode(0xc1c2f3a4b5b6d7d8, 0x33, &seg);
    EXPECT_EQ(seg.base, 0xc1a4b5b6u);
    EXPECT_EQ(seg.limit, 0x2d7d8fffu);
    EXPECT_EQ(seg.selector, 0x33);
    EXPECT_EQ(seg.type, 3);
    EXPECT_TRUE(seg.s && seg.present && seg.g && seg.db);
    EXPECT_EQ(seg.dpl, 3);
    EXPECT_FALSE(seg.l || seg.avl);
}

TEST(SegmentDescriptor, HasCanonicalAddressesOf48Bits)
{
    EXPECT_TRUE(x86_is_canonical(0x00007fffffffffff));
    EXPECT_FALSE(x86_is_canonical(0x0000800000000000));
    EXPECT_FALSE(x86_is_canonical(0xffff7fffffffffff));
    EXPECT_TRUE(x86_is_canonical(0xffff800000000000));
}

TEST_F(Segment, LoadsAndMarksAccessed)
{
    put_gdt(kSpare, descriptor(0x12345, 0xfff, 0x92, 4));
    ASSERT_TRUE(x86_seg_load(core, X86_FS, kSpare, &fault));
    EXPECT_EQ(state()->seg[X86_FS].base, 0x12345u);
    EXPECT_EQ(state()->seg[X86_FS].limit, 0xfffu);
    EXPECT_EQ(gdt(kSpare) >> 40 & 0xff, 0x93u);
}

struct Refusal {
    uint16_t selector;
    uint32_t access;
    x86_seg_name name;
    uint8_t vector;
    uint32_t error;
};

TEST_F(Segment, RefusesWhatTheManualForbids)
{
    static const Refusal refusals[] = {
        {0x1003,     0x93, X86_DS,     X86_GP, 0x1000}, // beyond the table
        {0x34,       0x93, X86_DS,     X86_GP, 0x34  }, // no LDT
        {kSpare,     0x99, X86_DS,     X86_GP, kSpare}, // execute-only
        {kSpare,     0x89, X86_DS,     X86_GP, kSpare}, // system
        {kSpare,     0x13, X86_DS,     X86_NP, kSpare},
        {kSpare,     0x91, X86_SS_SEG, X86_GP, kSpare}, // read-only
        {kSpare,     0xb3, X86_SS_SEG, X86_GP, kSpare}, // DPL 1
        {kSpare,     0x13, X86_SS_SEG, X86_SS, kSpare},
        {kSpare + 1, 0x93, X86_SS_SEG, X86_GP, kSpare}, // RPL 1
        {0,          0x93, X86_SS_SEG, X86_GP, 0     },
    };

    for (const Refusal &r : refusals) {
        const x86_seg before = state()->seg[r.name];

        put_gdt(kSpare, descriptor(0, 0xfff, r.access, 4));
        EXPECT_FALSE(x86_seg_load(core, r.name, r.selector, &fault));
        EXPECT_EQ(fault.vector, r.vector) << r.access;
        EXPECT_EQ(fault.error, r.error) << r.access;
        EXPECT_EQ(state()->seg[r.name].selector, before.selector);
    }
}

TEST_F(Segment, KeepsLimitsInRealModeAndFixesThemInV86Mode)
{
    state()->cr0 &= ~UINT64_C(1);
    state()->seg[X86_ES].limit = UINT32_MAX;
    x86_seg_load_8086(state(), X86_ES, 0x1234);
    EXPECT_EQ(state()->seg[X86_ES].base, 0x12340u);
    EXPECT_EQ(state()->seg[X86_ES].limit, UINT32_MAX);
    state()->cr0 |= 1;
    state()->rflags |= X86_VM;
    x86_seg_load_8086(state(), X86_ES, 0x1234);
    EXPECT_EQ(state()->seg[X86_ES].limit, 0xffffu);
    EXPECT_EQ(state()->seg[X86_ES].dpl, 3);
}

TEST_F(Segment, DropsDataOfInnerLevelsButKeepsTheirBase)
{
    state()->seg[X86_GS].base = 0x1000;
    x86_seg_drop_inner(state(), 3);
    EXPECT_TRUE(state()->seg[X86_GS].unusable);
    EXPECT_EQ(state()->seg[X86_GS].selector, 0);
    EXPECT_EQ(state()->seg[X86_GS].base, 0x1000u);
    EXPECT_FALSE(state()->seg[X86_SS_SEG].unusable);
}

TEST_F(Segment, LoadsAnLdtAndReadsFromIt)
{
    put_gdt(kSpare, descriptor(0x4000, 7, 0x82, 0));
    ASSERT_TRUE(x86_load_ldtr(core, kSpare, &fault));
    put32(0x4000, 0x0000ffff);
    put32(0x4004, 0x00cf9300);
    EXPECT_TRUE(x86_seg_load(core, X86_ES, 4, &fault));
    EXPECT_FALSE(x86_seg_load(core, X86_ES, 12, &fault));
    EXPECT_EQ(fault.error, 12u);
    EXPECT_FALSE(x86_load_ldtr(core, kData, &fault));
    EXPECT_EQ(fault.vector, X86_GP);
}

TEST_F(Segment, MarksTheTaskRegistersSegmentBusy)
{
    EXPECT_EQ(gdt(kMainTss) >> 40 & 0xf, X86_TSS_BUSY);
    EXPECT_FALSE(x86_load_tr(core, kMainTss, &fault));
    EXPECT_EQ(fault.vector, X86_GP);
    EXPECT_EQ(fault.error, kMainTss);
}

// What LAR, LSL, VERR and VERW say of each type at CPL 0.
struct Inspection {
    uint32_t access;
    bool lar, lsl, verr, verw;
};

TEST_F(Segment, IsInspectedByType)
{
    static const Inspection rows[] = {
        {0x80, false, false, false, false},
        {0x81, true,  true,  false, false},
        {0x82, true,  true,  false, false},
        {0x83, true,  true,  false, false},
        {0x84, true,  false, false, false},
        {0x85, true,  false, false, false},
        {0x86, false, false, false, false},
        {0x87, false, false, false, false},
        {0x89, true,  true,  false, false},
        {0x8b, true,  true,  false, false},
        {0x8c, true,  false, false, false},
        {0x8e, false, false, false, false},
        {0x8f, false, false, false, false},
        {0x91, true,  true,  true,  false},
        {0x93, true,  true,  true,  true },
        {0x97, true,  true,  true,  true },
        {0x99, true,  true,  false, false},
        {0x9b, true,  true,  true,  false},
        {0x9d, true,  true,  false, false},
        {0x9f, true,  true,  true,  false},
    };

    for (const Inspection &row : rows) {
        uint32_t value;

        put_gdt(kSpare, descriptor(0, 0xfff, row.access, 4));
        EXPECT_EQ(x86_lar(core, kSpare, &value), row.lar) << row.access;
        if (row.lar) {
            EXPECT_EQ(value, row.access << 8 | 0x400000u);
        }
        EXPECT_EQ(x86_lsl(core, kSpare, &value), row.lsl) << row.access;
        EXPECT_EQ(x86_verify(core, kSpare, X86_ACCESS_READ), row.verr);
        EXPECT_EQ(x86_verify(core, kSpare, X86_ACCESS_WRITE), row.verw);
    }
}

TEST_F(Segment, IsInvisibleToOuterLevelsUnlessConforming)
{
    uint32_t value;

    enter(3);
    put_gdt(kSpare, descriptor(0, 0xfff, 0x93, 4));
    EXPECT_FALSE(x86_lar(core, kSpare, &value));
    EXPECT_FALSE(x86_verify(core, kSpare, X86_ACCESS_READ));
    put_gdt(kSpare, descriptor(0, 0xfff, 0x9f, 4));
    EXPECT_TRUE(x86_lar(core, kSpare, &value));
    EXPECT_TRUE(x86_verify(core, kSpare, X86_ACCESS_READ));
}

} // namespace
