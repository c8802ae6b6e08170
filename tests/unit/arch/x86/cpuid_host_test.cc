// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/cpuid_host.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace
{

// What the kernel found; it hides what it cannot or will not enable.
std::string kernel_flags()
{
    std::ifstream in("/proc/cpuinfo");
    std::string line;

    while (std::getline(in, line)) {
        if (line.compare(0, 5, "flags") == 0)
            return line.substr(line.find(':') + 1) + " ";
    }
    return "";
}

} // namespace

TEST(CpuidHost, WhatTheKernelListsCanBeExecuted)
{
    static const x86_feature probed[] = {
#define X86_PROBE(name, bytes) X86_FEAT_##name,
#include "arch/x86/cpuid_probes.def"
#undef X86_PROBE
    };
    static const char *const names[] = {
#define X86_FEATURE(name, text, leaf, subleaf, reg, bit) text,
#include "arch/x86/cpuid_features.def"
#undef X86_FEATURE
    };
    const std::string flags = kernel_flags();
    x86_cpuid_host host{};

    ASSERT_EQ(x86_cpuid_host_probe(&host), 0);
    for (const x86_feature feature : probed) {
        const std::string word = std::string(" ") + names[feature] + " ";
        if (flags.find(word) != std::string::npos) {
            EXPECT_TRUE(host.can[feature]) << word;
        }
    }
}

TEST(CpuidHost, AvxFollowsTheRegistersTheKernelEnabled)
{
    x86_cpuid_host host{};

    ASSERT_EQ(x86_cpuid_host_probe(&host), 0);
    EXPECT_EQ(host.can[X86_FEAT_AVX], !!__builtin_cpu_supports("avx"));
    EXPECT_EQ(host.can[X86_FEAT_AVX512F], !!__builtin_cpu_supports("avx512f"));
}

TEST(CpuidHost, WhatNeedsNothingOfTheHostIsThere)
{
    x86_cpuid_host host{};

    ASSERT_EQ(x86_cpuid_host_probe(&host), 0);
    EXPECT_TRUE(host.can[X86_FEAT_SMEP]);
    EXPECT_TRUE(host.can[X86_FEAT_X2APIC]);
}
