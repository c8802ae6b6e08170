// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/pagetable.h"

#include <gtest/gtest.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/vmem.h"
#include "mem/physmem.h"

namespace
{

class Pagetable : public testing::Test
{
  protected:
    void SetUp() override
    {
        mem = physmem_create();
        ASSERT_EQ(physmem_add(mem, 0, 32 << 20), 0);
        frames = frames_create(mem);
        ASSERT_TRUE(pagetable_create(&pt, frames));
    }
    void TearDown() override
    {
        pagetable_destroy(&pt);
        frames_destroy(frames);
        physmem_destroy(mem);
    }
    // What the processor's own walk says.
    bool walk(uint64_t addr, unsigned access, struct x86_walk *out)
    {
        struct x86_paging paging = {};
        struct x86_fault fault;

        paging.cr0 = 0x80010001;
        paging.cr3 = pt.root.v;
        paging.cr4 = 0x20;
        paging.efer = 0xd00;
        paging.phys_bits = 46;
        return x86_mmu_walk(mem, &paging, gva_t{addr}, access, out, &fault);
    }

    struct physmem *mem = nullptr;
    struct frames *frames = nullptr;
    struct pagetable pt = {};
};

TEST_F(Pagetable, IsReadByTheProcessorsWalk)
{
    uint64_t *entry = pagetable_slot(&pt, 0x7fff12345000, FRAME_SIZE);
    struct x86_walk out;

    ASSERT_NE(entry, nullptr);
    *entry = 0x5000 | PTE_PRESENT | PTE_USER;
    ASSERT_TRUE(walk(0x7fff12345678, X86_ACCESS_USER, &out));
    EXPECT_EQ(out.addr.v, 0x5678u);
    EXPECT_FALSE(
        walk(0x7fff12345678, X86_ACCESS_USER | X86_ACCESS_WRITE, &out));
    EXPECT_FALSE(walk(0x7fff12346000, X86_ACCESS_USER, &out));
    *entry = 0;
}

TEST_F(Pagetable, SplitsALargePageWithoutChangingTheTranslation)
{
    uint64_t *entry = pagetable_slot(&pt, 0x400000, FRAME_HUGE_SIZE);
    struct pagetable_leaf leaf;
    struct x86_walk before, after;

    ASSERT_NE(entry, nullptr);
    *entry = 0x600000 | PTE_PRESENT | PTE_USER | PTE_LARGE;
    ASSERT_TRUE(walk(0x4abcde, X86_ACCESS_USER, &before));
    EXPECT_EQ(before.page_size, 2u << 20);
    ASSERT_TRUE(pagetable_find(&pt, 0x4abcde, &leaf));
    EXPECT_EQ(leaf.size, 2u << 20);
    ASSERT_TRUE(pagetable_split(&pt, &leaf));
    ASSERT_TRUE(walk(0x4abcde, X86_ACCESS_USER, &after));
    EXPECT_EQ(after.addr.v, before.addr.v);
    EXPECT_EQ(after.page_size, 4096u);
}

TEST_F(Pagetable, FindsLeavesInOrderOverHoles)
{
    const uint64_t addrs[] = {0x1000, 0x200000, 0x7fffffffe000};
    struct pagetable_leaf leaf;
    uint64_t at = 0;

    for (uint64_t addr : addrs)
        *pagetable_slot(&pt, addr, FRAME_SIZE) = 0x9000 | PTE_HELD;
    for (uint64_t addr : addrs) {
        ASSERT_TRUE(pagetable_next(&pt, at, UINT64_MAX, &leaf));
        EXPECT_EQ(leaf.addr, addr);
        at = leaf.addr + leaf.size;
    }
    EXPECT_FALSE(pagetable_next(&pt, at, UINT64_MAX, &leaf));
}

TEST_F(Pagetable, EndsAtTheLastPageOfTheAddressSpace)
{
    struct pagetable_leaf leaf;

    *pagetable_slot(&pt, 0xfffffffffffff000, FRAME_SIZE) = 0x9000 | PTE_HELD;
    ASSERT_TRUE(pagetable_next(&pt, 0xffff800000000000, UINT64_MAX, &leaf));
    EXPECT_EQ(leaf.addr, 0xfffffffffffff000u);
}

TEST_F(Pagetable, RefusesALargePageOverSmallOnes)
{
    uint64_t *small = pagetable_slot(&pt, 0x400000, FRAME_SIZE);

    *small = 0x9000 | PTE_HELD;
    EXPECT_EQ(pagetable_slot(&pt, 0x400000, FRAME_HUGE_SIZE), nullptr);
    *small = 0;
    EXPECT_NE(pagetable_slot(&pt, 0x400000, FRAME_HUGE_SIZE), nullptr);
}

TEST_F(Pagetable, CountsItsReferencesAgain)
{
    gpa_t small, huge;
    uint64_t before;

    ASSERT_TRUE(frames_alloc(frames, &small));
    ASSERT_TRUE(frames_alloc_huge(frames, &huge));
    *pagetable_slot(&pt, 0x1000, FRAME_SIZE) = small.v | PTE_HELD;
    frames_ref(frames, small);
    *pagetable_slot(&pt, 0x2000, FRAME_SIZE) = small.v | PTE_PRESENT;
    *pagetable_slot(&pt, 0x40000000, FRAME_HUGE_SIZE) =
        huge.v | PTE_PRESENT | PTE_LARGE;
    before = frames_used(frames);
    frames_recount(frames);
    ASSERT_TRUE(pagetable_claim(&pt));
    EXPECT_EQ(frames_used(frames), before);
    EXPECT_TRUE(frames_is_sole(frames, huge, FRAMES_PER_HUGE));
    EXPECT_FALSE(frames_is_sole(frames, small, 1));
    frames_unref(frames, small);
    EXPECT_TRUE(frames_is_sole(frames, small, 1));
    /* Two tables cannot be one. */
    EXPECT_FALSE(pagetable_claim(&pt));
}

} // namespace
