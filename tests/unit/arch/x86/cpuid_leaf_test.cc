// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/cpuid.h"
#include "arch/x86/state.h"

#include <gtest/gtest.h>

#include <cpuid.h>

#include <cstring>
#include <memory>
#include <string>

namespace
{

class CpuidLeaf : public testing::Test
{
  protected:
    void SetUp() override
    {
        x86_state_reset(&state);
    }

    void TearDown() override
    {
        x86_cpuid_destroy(cpuid);
    }

    void create(const char *model)
    {
        char why[256] = "";

        cfg.model = model;
        ASSERT_EQ(x86_cpuid_create(&cfg, &cpuid, why), 0) << why;
    }

    x86_cpuid_regs read(uint32_t leaf, uint32_t subleaf = 0)
    {
        return x86_cpuid_read(cpuid, &state, 1, leaf, subleaf);
    }

    x86_cpuid_cfg cfg{};
    x86_cpuid *cpuid = nullptr;
    x86_state state{};
};

std::string text(uint32_t a, uint32_t b, uint32_t c)
{
    char out[13] = "";

    memcpy(out, &a, 4);
    memcpy(out + 4, &b, 4);
    memcpy(out + 8, &c, 4);
    return out;
}

} // namespace

TEST_F(CpuidLeaf, VendorIsTheConfiguredOne)
{
    cfg.vendor = "GenuineIntel";
    create("host");
    auto r = read(0);
    EXPECT_EQ(text(r.ebx, r.edx, r.ecx), "GenuineIntel");
}

TEST_F(CpuidLeaf, HostModelHasTheHostsIdentity)
{
    uint32_t a, b, c, d;

    create("host");
    __cpuid(0, a, b, c, d);
    EXPECT_EQ(read(0).ebx, b);
    __cpuid(1, a, b, c, d);
    EXPECT_EQ(read(1).eax, a);
}

TEST_F(CpuidLeaf, SignatureSplitsFamilyAndModel)
{
    create("skylake-avx512");
    EXPECT_EQ(read(1).eax, 0x50654U);
    x86_cpuid_destroy(cpuid);
    create("zen3");
    EXPECT_EQ(read(1).eax, 0xa00f11U);
}

TEST_F(CpuidLeaf, OsxsaveMirrorsCr4)
{
    create("x86-64-v3");
    EXPECT_FALSE(read(1).ecx & 1U << 27);
    state.cr4 |= 1U << 18;
    EXPECT_TRUE(read(1).ecx & 1U << 27);
}

TEST_F(CpuidLeaf, ApicBitMirrorsItsEnable)
{
    create("x86-64");
    state.apic_base |= 1U << 11;
    EXPECT_TRUE(read(1).edx & 1U << 9);
    state.apic_base &= ~(UINT64_C(1) << 11);
    EXPECT_FALSE(read(1).edx & 1U << 9);
}

TEST_F(CpuidLeaf, FeatureBitsFollowTheModel)
{
    create("x86-64-v2");
    EXPECT_TRUE(read(1).ecx & 1U << 20);  // SSE4.2
    EXPECT_FALSE(read(1).ecx & 1U << 28); // AVX
    EXPECT_EQ(read(7).ebx & 1U << 5, 0U); // AVX2
}

TEST_F(CpuidLeaf, HypervisorIsAnOption)
{
    create("host");
    EXPECT_FALSE(read(1).ecx & 1U << 31);
    x86_cpuid_destroy(cpuid);
    cfg.offer_hypervisor = true;
    cfg.tsc_hz = 2000000000;
    create("host");
    EXPECT_TRUE(read(1).ecx & 1U << 31);
    auto r = read(0x40000000);
    EXPECT_EQ(text(r.ebx, r.ecx, r.edx), "GearshiftSim");
    EXPECT_EQ(read(0x40000010).eax, 2000000U);
}

// The guest's areas look as the host's do: see xsave_layout.h.
TEST_F(CpuidLeaf, XsaveComponentsAreWhereTheHostHasThem)
{
    uint32_t a, b, c, d;

    create("host");
    for (uint32_t i = 2; i < 10; i++) {
        __cpuid_count(0xd, i, a, b, c, d);
        if (!(x86_cpuid_xcr0_mask(cpuid) >> i & 1))
            continue;
        EXPECT_EQ(read(0xd, i).eax, a) << i;
        EXPECT_EQ(read(0xd, i).ebx, b) << i;
        EXPECT_EQ(read(0xd, i).ecx, c) << i;
    }
}

TEST_F(CpuidLeaf, XsaveSizeFollowsXcr0)
{
    create("x86-64-v3");
    if (!x86_cpuid_has(cpuid, X86_FEAT_AVX))
        GTEST_SKIP() << "the host has no AVX";
    state.xcr0 = 1;
    EXPECT_EQ(read(0xd).ebx, 576U);
    state.xcr0 = 7;
    EXPECT_EQ(read(0xd).ebx, 832U);
    EXPECT_EQ(read(0xd).ecx, 832U);
    EXPECT_EQ(read(0xd).eax, 7U);
}

TEST_F(CpuidLeaf, TopologyCountsTheCpus)
{
    cfg.num_cpus = 6;
    create("skylake");
    EXPECT_EQ(read(0xb, 0).ebx, 1U);
    EXPECT_EQ(read(0xb, 1).ebx, 6U);
    EXPECT_EQ(read(0xb, 1).eax, 3U);
    EXPECT_EQ(read(0xb, 1).edx, 1U);
    EXPECT_EQ(read(0xb, 2).ebx, 0U);
    EXPECT_EQ(read(4, 3).eax >> 14 & 0xfff, 5U);
    EXPECT_EQ(read(4, 4).eax, 0U);
}

TEST_F(CpuidLeaf, AmdDescribesCachesInItsOwnLeaf)
{
    create("zen3");
    EXPECT_EQ(read(4, 0).eax, 0U);
    auto l1d = read(0x8000001d, 0);
    EXPECT_EQ(l1d.eax & 0x1f, 1U);
    EXPECT_EQ(((l1d.ebx >> 22) + 1) * ((l1d.ebx & 0xfff) + 1) * (l1d.ecx + 1),
              32U << 10);
}

TEST_F(CpuidLeaf, TscFrequencyIsTold)
{
    cfg.tsc_hz = 6000000000;
    create("skylake");
    auto r = read(0x15);
    EXPECT_EQ(uint64_t{r.ecx} * r.ebx / r.eax, 6000000000U);
}

TEST_F(CpuidLeaf, BrandIsTheConfiguredOne)
{
    cfg.brand = "A processor of 48 characters, or a little fewer";
    create("skylake");
    std::string brand;
    for (uint32_t leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
        auto r = read(leaf);
        char part[17] = "";

        memcpy(part, &r, 16);
        brand += part;
    }
    EXPECT_EQ(brand, cfg.brand);
}

TEST_F(CpuidLeaf, BeyondTheLastLeafVendorsDiffer)
{
    cfg.tsc_hz = 2600000000;
    create("skylake");
    EXPECT_EQ(read(0x1234).eax, read(0x16).eax);
    x86_cpuid_destroy(cpuid);
    create("zen3");
    EXPECT_EQ(read(0x1234).eax, 0U);
}
