// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/cpuid.h"
#include "base/alloc.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace
{

using Cpuid = std::unique_ptr<x86_cpuid, decltype(&x86_cpuid_destroy)>;

Cpuid make(const char *model, const char *vendor = nullptr)
{
    x86_cpuid_cfg cfg{};
    x86_cpuid *cpuid = nullptr;
    char why[256] = "";

    cfg.model = model;
    cfg.vendor = vendor;
    cfg.num_cpus = 2;
    EXPECT_EQ(x86_cpuid_create(&cfg, &cpuid, why), 0) << why;
    return {cpuid, x86_cpuid_destroy};
}

} // namespace

TEST(Cpuid, UnknownModelIsRefusedWithTheKnownOnes)
{
    x86_cpuid_cfg cfg{};
    x86_cpuid *cpuid = nullptr;
    char why[256] = "";

    cfg.model = "pentium";
    EXPECT_EQ(x86_cpuid_create(&cfg, &cpuid, why), -ENOENT);
    EXPECT_NE(std::string(why).find("skylake-avx512"), std::string::npos);
    EXPECT_NE(std::string(why).find("host"), std::string::npos);
}

TEST(Cpuid, EveryModelHasTheBaseline)
{
    for (const char *name : {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4",
                             "nehalem", "haswell", "skylake", "skylake-avx512",
                             "icelake", "zen2", "zen3", "zen4", "host"}) {
        auto cpuid = make(name);
        EXPECT_TRUE(x86_cpuid_has(cpuid.get(), X86_FEAT_SSE2)) << name;
        EXPECT_TRUE(x86_cpuid_has(cpuid.get(), X86_FEAT_LM)) << name;
    }
}

TEST(Cpuid, ModelOffersNoMoreThanItsLevel)
{
    EXPECT_FALSE(x86_cpuid_has(make("x86-64").get(), X86_FEAT_SSE3));
    EXPECT_FALSE(x86_cpuid_has(make("x86-64-v2").get(), X86_FEAT_AVX));
    EXPECT_FALSE(x86_cpuid_has(make("haswell").get(), X86_FEAT_AVX512F));
    EXPECT_EQ(x86_cpuid_xcr0_mask(make("x86-64").get()), 1U);
}

TEST(Cpuid, HostModelAgreesWithTheCompilersView)
{
    auto cpuid = make("host");
    auto has = [&](x86_feature f) { return x86_cpuid_has(cpuid.get(), f); };

    EXPECT_EQ(has(X86_FEAT_SSE4_2), !!__builtin_cpu_supports("sse4.2"));
    EXPECT_EQ(has(X86_FEAT_AVX2), !!__builtin_cpu_supports("avx2"));
    EXPECT_EQ(has(X86_FEAT_FMA), !!__builtin_cpu_supports("fma"));
    EXPECT_EQ(has(X86_FEAT_AVX512VBMI), !!__builtin_cpu_supports("avx512vbmi"));
    EXPECT_EQ(has(X86_FEAT_GFNI), !!__builtin_cpu_supports("gfni"));
}

TEST(Cpuid, ForeignFeaturesGoWithTheVendor)
{
    auto cpuid = make("zen3", "GenuineIntel");
    EXPECT_FALSE(x86_cpuid_has(cpuid.get(), X86_FEAT_SSE4A));
    EXPECT_FALSE(x86_cpuid_has(cpuid.get(), X86_FEAT_TOPOEXT));
}

TEST(Cpuid, FlagsTextHasLinuxWords)
{
    auto cpuid = make("x86-64-v2");
    char *text = x86_cpuid_flags_text(cpuid.get());
    const std::string flags = std::string(" ") + text + " ";

    mem_free(text);
    EXPECT_EQ(flags.compare(0, 5, " fpu "), 0);
    EXPECT_NE(flags.find(" sse2 "), std::string::npos);
    EXPECT_NE(flags.find(" constant_tsc "), std::string::npos);
    EXPECT_EQ(flags.find(" avx "), std::string::npos);
}

TEST(Cpuid, PhysicalAddressesHave46BitsUnlessToldOtherwise)
{
    EXPECT_EQ(x86_cpuid_phys_bits(make("host").get()), 46);
}
