/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_cpuid.h"

#include <gtest/gtest.h>

#include <memory>

#include "arch/x86/cpuid.h"
#include "arch/x86/state.h"
#include "base/alloc.h"

namespace
{

class KvmCpuid : public testing::TestWithParam<const char *>
{
  protected:
    void SetUp() override
    {
        struct x86_cpuid_cfg cfg = {};
        char why[256];

        cfg.model = GetParam();
        cfg.num_cpus = 4;
        cfg.tsc_hz = 3000000000;
        ASSERT_EQ(x86_cpuid_create(&cfg, &cpuid, why), 0) << why;
        x86_state_reset(&state);
        table = kvm_cpuid_make(cpuid, &state, 2);
    }
    void TearDown() override
    {
        mem_free(table);
        x86_cpuid_destroy(cpuid);
    }
    const kvm_cpuid_entry2 *find(uint32_t leaf, uint32_t sub)
    {
        for (uint32_t i = 0; i < table->nent; i++)
            if (table->entries[i].function == leaf &&
                table->entries[i].index == sub)
                return &table->entries[i];
        return nullptr;
    }

    struct x86_cpuid *cpuid = nullptr;
    struct x86_state state;
    struct kvm_cpuid2 *table = nullptr;
};

TEST_P(KvmCpuid, AnswersAsTheCoreDoes)
{
    ASSERT_GT(table->nent, 8u);
    ASSERT_LE(table->nent, 256u);
    for (uint32_t i = 0; i < table->nent; i++) {
        const kvm_cpuid_entry2 &entry = table->entries[i];
        x86_cpuid_regs regs =
            x86_cpuid_read(cpuid, &state, 2, entry.function, entry.index);

        EXPECT_EQ(entry.eax, regs.eax) << std::hex << entry.function;
        EXPECT_EQ(entry.ebx, regs.ebx) << std::hex << entry.function;
        EXPECT_EQ(entry.ecx, regs.ecx) << std::hex << entry.function;
        EXPECT_EQ(entry.edx, regs.edx) << std::hex << entry.function;
    }
}

TEST_P(KvmCpuid, HasEveryLeafOnce)
{
    const kvm_cpuid_entry2 *first = find(0, 0), *extended = find(0x80000000, 0);

    ASSERT_NE(first, nullptr);
    ASSERT_NE(extended, nullptr);
    for (uint32_t leaf = 0; leaf <= first->eax; leaf++)
        EXPECT_NE(find(leaf, 0), nullptr) << leaf;
    for (uint32_t leaf = 0x80000000; leaf <= extended->eax; leaf++)
        EXPECT_NE(find(leaf, 0), nullptr) << std::hex << leaf;
    for (uint32_t i = 0; i < table->nent; i++)
        EXPECT_EQ(find(table->entries[i].function, table->entries[i].index),
                  &table->entries[i]);
}

TEST_P(KvmCpuid, MarksTheLeavesThatDependOnEcx)
{
    for (uint32_t i = 0; i < table->nent; i++) {
        const kvm_cpuid_entry2 &entry = table->entries[i];
        bool is_marked = entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

        if (entry.index) {
            EXPECT_TRUE(is_marked) << std::hex << entry.function;
        }
        if (entry.function == 1 || entry.function == 0x80000008) {
            EXPECT_FALSE(is_marked);
        }
    }
    /* Every model has one of them. */
    const kvm_cpuid_entry2 *entry = find(4, 1) ? find(4, 1) : find(0xd, 1);
    ASSERT_NE(entry, nullptr);
    EXPECT_TRUE(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
}

INSTANTIATE_TEST_SUITE_P(Models, KvmCpuid,
                         testing::Values("host", "x86-64", "skylake", "zen3"));

} // namespace
