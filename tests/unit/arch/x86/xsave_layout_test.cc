// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/xsave_layout.h"

#include <gtest/gtest.h>

#include <cpuid.h>

namespace
{
x86_xsave_layout host_layout()
{
    x86_xsave_layout layout;

    x86_xsave_layout_get(&layout);
    return layout;
}
} // namespace

TEST(XsaveLayout, AvxFollowsTheHeader)
{
    const auto layout = host_layout();

    EXPECT_EQ(layout.comp[X86_XCOMP_AVX].offset, 576);
    EXPECT_EQ(layout.comp[X86_XCOMP_AVX].size, 256);
    EXPECT_EQ(x86_xsave_size(&layout, 3), 576U);
    EXPECT_EQ(x86_xsave_size(&layout, 7), 832U);
}

TEST(XsaveLayout, CompactedAreaOrdersComponentsByNumber)
{
    const auto layout = host_layout();

    EXPECT_EQ(x86_xsave_compact_offset(&layout, 0xe7, X86_XCOMP_AVX), 576U);
    EXPECT_EQ(x86_xsave_compact_offset(&layout, 0xe7, X86_XCOMP_OPMASK), 832U);
    EXPECT_EQ(x86_xsave_compact_offset(&layout, 0xe3, X86_XCOMP_OPMASK), 576U);
    EXPECT_EQ(x86_xsave_compact_size(&layout, 0xe7), 832U + 64 + 512 + 1024);
}

TEST(XsaveLayout, SizeOfEverythingIsTheHosts)
{
    const auto layout = host_layout();
    uint32_t a, b, c, d, xcr0, high;

    __cpuid_count(1, 0, a, b, c, d);
    if (!(c & bit_OSXSAVE))
        GTEST_SKIP() << "the host has no XSAVE";
    __asm__("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    if (xcr0 & ~UINT32_C(0x2e7))
        GTEST_SKIP() << "the host has components that are not modelled";
    __cpuid_count(0xd, 0, a, b, c, d);
    EXPECT_EQ(x86_xsave_size(&layout, xcr0), b);
}
