// SPDX-License-Identifier: BSD-3-Clause
#include "cpu/kvm/kvm_stops.h"

#include "../../arch/x86/linux/mm_fixture.h"
#include "base/alloc.h"

namespace
{

constexpr uint8_t INT3 = 0xcc;

class KvmStopsTest : public MmTest
{
  protected:
    void SetUp() override
    {
        MmTest::SetUp();
        auto got = map(3 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
        ASSERT_GT(got, 0);
        code = static_cast<uint64_t>(got);
        for (uint64_t i = 0; i < 3 * 4096; i += 8)
            ASSERT_TRUE(put(mm, code + i, 0x90));
    }
    void site(uint64_t addr)
    {
        mm->sites = static_cast<struct stop_site *>(
            alloc_resize(mm->sites, mm->num_sites + 1, sizeof(*mm->sites)));
        mm->sites[mm->num_sites++] = {addr, 1};
    }

    uint64_t code = 0;
    struct kvm_stops stops = {};
};

TEST_F(KvmStopsTest, StandOnlyWhileTheProgramRuns)
{
    site(code + 8);
    site(code + 4096);
    kvm_stops_plant(&stops, mm);
    EXPECT_EQ(get(mm, code + 8), INT3);
    EXPECT_EQ(get(mm, code + 4096), INT3);
    EXPECT_EQ(get(mm, code), 0x90);
    kvm_stops_lift(&stops);
    EXPECT_EQ(get(mm, code + 8), 0x90);
    EXPECT_EQ(get(mm, code + 4096), 0x90);
}

TEST_F(KvmStopsTest, AnAddressWithTwoStopsIsPlantedOnce)
{
    site(code + 8);
    site(code + 8);
    kvm_stops_plant(&stops, mm);
    kvm_stops_lift(&stops);
    EXPECT_EQ(get(mm, code + 8), 0x90);
}

TEST_F(KvmStopsTest, APlaceWithoutCodeIsPassedOver)
{
    int64_t data = map(4096);

    ASSERT_GT(data, 0);
    ASSERT_TRUE(put(mm, static_cast<uint64_t>(data), 7));
    site(0x10);
    site(static_cast<uint64_t>(data));
    kvm_stops_plant(&stops, mm);
    EXPECT_EQ(get(mm, static_cast<uint64_t>(data)), 7);
    kvm_stops_lift(&stops);
    kvm_stops_plant(&stops, nullptr);
    kvm_stops_lift(&stops);
}

TEST_F(KvmStopsTest, WhatTheProgramWritesThereStays)
{
    site(code + 8);
    kvm_stops_plant(&stops, mm);
    ASSERT_TRUE(put(mm, code + 8, 0xc3));
    kvm_stops_lift(&stops);
    EXPECT_EQ(get(mm, code + 8), 0xc3);
}

TEST_F(KvmStopsTest, OtherProcessesDoNotSeeThem)
{
    struct mm *child = mm_fork(mm);

    ASSERT_NE(child, nullptr);
    EXPECT_EQ(child->num_sites, 0u);
    site(code + 8);
    kvm_stops_plant(&stops, mm);
    EXPECT_EQ(get(child, code + 8), 0x90);
    EXPECT_EQ(get(mm, code + 8), INT3);
    kvm_stops_lift(&stops);
    mm_put(child);
}

TEST_F(KvmStopsTest, TheProgramsOwnBytesShowThrough)
{
    uint8_t byte = INT3;

    site(code + 8);
    kvm_stops_plant(&stops, mm);
    kvm_stops_hide(&stops, mm, code + 8, &byte);
    EXPECT_EQ(byte, 0x90);
    byte = INT3;
    kvm_stops_hide(&stops, mm, code + 9, &byte);
    EXPECT_EQ(byte, INT3);
    kvm_stops_hide(&stops, nullptr, code + 8, &byte);
    EXPECT_EQ(byte, INT3);
    kvm_stops_lift(&stops);
}

TEST_F(KvmStopsTest, KnowsBothFormsOfInt3)
{
    const uint8_t one[] = {0x90, 0xcc}, two[] = {0xcd, 0x03};
    const uint8_t add[] = {0x90, 0x03}, last[] = {0xcd, 0x90};

    EXPECT_TRUE(kvm_stops_is_own(one));
    EXPECT_TRUE(kvm_stops_is_own(two));
    EXPECT_FALSE(kvm_stops_is_own(add));
    EXPECT_FALSE(kvm_stops_is_own(last));
}

TEST_F(KvmStopsTest, ALargePageIsSplitForACopyOfItsOwn)
{
    auto huge =
        static_cast<uint64_t>(map(4 << 20, PROT_READ | PROT_WRITE | PROT_EXEC));
    struct mm *child;

    ASSERT_TRUE(put(mm, huge + 5, 0x90));
    child = mm_fork(mm);
    ASSERT_NE(child, nullptr);
    site(huge + 5);
    kvm_stops_plant(&stops, mm);
    EXPECT_EQ(get(mm, huge + 5), INT3);
    EXPECT_EQ(get(child, huge + 5), 0x90);
    kvm_stops_lift(&stops);
    EXPECT_EQ(get(mm, huge + 5), 0x90);
    mm_put(child);
}

} // namespace
