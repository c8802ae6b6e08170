// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/mm.h"

#include <cerrno>

#include "mm_fixture.h"

namespace
{

using Mm = MmTest;

TEST_F(Mm, PagesInZeroesWhenTouched)
{
    int64_t addr = map(4 * FRAME_SIZE);

    ASSERT_GT(addr, 0);
    EXPECT_EQ(mm->resident, 0u);
    EXPECT_EQ(get(mm, (uint64_t)addr + 5000), 0);
    EXPECT_EQ(mm->resident, (uint64_t)FRAME_SIZE);
}

TEST_F(Mm, MapsTheNeighboursOfATouchedPage)
{
    uint64_t addr = 0x10000000 + 12 * FRAME_SIZE;

    ASSERT_EQ(map(64 * FRAME_SIZE, PROT_READ | PROT_WRITE, addr),
              (int64_t)addr);
    mm->fault_around = 16;
    ASSERT_TRUE(put(mm, addr + FRAME_SIZE, 1)); // 4 pages to the boundary
    EXPECT_EQ(mm->resident, 4u * FRAME_SIZE);
    ASSERT_TRUE(put(mm, addr + 20 * FRAME_SIZE, 1));
    EXPECT_EQ(mm->resident, 20u * FRAME_SIZE);
    EXPECT_EQ(get(mm, addr + FRAME_SIZE), 1);
    EXPECT_EQ(mm->num_faults, 2u);
}

TEST_F(Mm, MapsNoNeighboursWhereTheProgramWantsSmallPages)
{
    uint64_t addr = (uint64_t)map(64 * FRAME_SIZE);

    mm->fault_around = 16;
    ASSERT_EQ(mm_advise(mm, addr, 64 * FRAME_SIZE, MADV_NOHUGEPAGE), 0);
    ASSERT_TRUE(put(mm, addr, 1));
    EXPECT_EQ(mm->resident, (uint64_t)FRAME_SIZE);
}

TEST_F(Mm, RemembersTheMostThatWasResident)
{
    uint64_t addr = (uint64_t)map(8 * FRAME_SIZE);

    ASSERT_EQ(uaccess_clear(mm, addr, 8 * FRAME_SIZE), 0);
    ASSERT_EQ(mm_unmap(mm, addr, 8 * FRAME_SIZE), 0);
    EXPECT_EQ(mm->max_resident, 8u * FRAME_SIZE);
}

TEST_F(Mm, GivesLargePagesToLargeAnonymousMappings)
{
    int64_t addr = map(3 * FRAME_HUGE_SIZE);

    ASSERT_TRUE(put(mm, (uint64_t)addr + FRAME_HUGE_SIZE + 1, 1));
    EXPECT_EQ(mm->resident, (uint64_t)FRAME_HUGE_SIZE);
}

TEST_F(Mm, TellsFaultsApart)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE, PROT_READ);

    EXPECT_EQ(mm_fault(mm, addr, MM_READ), MM_OK);
    EXPECT_EQ(mm_fault(mm, addr, MM_WRITE), MM_DENIED);
    EXPECT_EQ(mm_fault(mm, addr, MM_EXEC), MM_DENIED);
    EXPECT_EQ(mm_fault(mm, addr + FRAME_SIZE, MM_READ), MM_NOT_MAPPED);
    EXPECT_EQ(mm_fault(mm, UINT64_MAX - 5, MM_READ), MM_NOT_MAPPED);
}

TEST_F(Mm, CopiesOnWriteAfterFork)
{
    uint64_t small = (uint64_t)map(FRAME_SIZE);
    uint64_t large = (uint64_t)map(2 * FRAME_HUGE_SIZE);
    struct mm *child;

    ASSERT_TRUE(put(mm, small, 1) && put(mm, large, 2));
    child = mm_fork(mm);
    ASSERT_NE(child, nullptr);
    EXPECT_EQ(get(child, small), 1);
    ASSERT_TRUE(put(child, small, 10) && put(mm, large, 20));
    EXPECT_EQ(get(mm, small), 1);
    EXPECT_EQ(get(child, small), 10);
    EXPECT_EQ(get(mm, large), 20);
    EXPECT_EQ(get(child, large), 2);
    mm_put(child);
}

TEST_F(Mm, SharesSharedMappingsOverFork)
{
    struct vm_object *object = vm_object_create_memory(&objects, "shared");
    struct mm_map_request request = {};
    struct mm *child;
    uint64_t addr;

    object->size = FRAME_SIZE;
    request.len = FRAME_SIZE;
    request.prot = PROT_READ | PROT_WRITE;
    request.map_flags = MAP_SHARED;
    request.vma_flags = VMA_MAY_WRITE;
    request.object = object;
    addr = (uint64_t)mm_map(mm, &request);
    vm_object_put(object);
    child = mm_fork(mm);
    ASSERT_TRUE(put(mm, addr, 33));
    EXPECT_EQ(get(child, addr), 33);
    mm_put(child);
}

TEST_F(Mm, GrowsTheStackWithinItsLimit)
{
    struct vma stack = {};
    uint64_t top = MM_TASK_SIZE_64 & ~(uint64_t)(FRAME_HUGE_SIZE - 1);

    stack.start = top - FRAME_SIZE;
    stack.end = top;
    stack.prot = MM_READ | MM_WRITE;
    stack.flags = VMA_GROWS_DOWN | VMA_STACK;
    mm_insert(mm, &stack);
    mm->limit_stack = 8 << 20;
    EXPECT_TRUE(put(mm, top - (3 << 20), 1));
    EXPECT_FALSE(put(mm, top - (9 << 20), 1));
}

TEST_F(Mm, TellsTheWatchWhatIsTakenAway)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE);

    ASSERT_TRUE(put(mm, addr, 1));
    watch.calls = 0;
    ASSERT_EQ(mm_protect(mm, addr, FRAME_SIZE, PROT_READ), 0);
    EXPECT_GT(watch.calls, 0u);
    watch.calls = 0;
    ASSERT_EQ(mm_unmap(mm, addr, FRAME_SIZE), 0);
    EXPECT_GT(watch.calls, 0u);
}

TEST_F(Mm, FailsWhenGuestRamIsFull)
{
    uint64_t addr = (uint64_t)map(128 << 20);

    EXPECT_EQ(uaccess_clear(mm, addr, 128 << 20), -EFAULT);
    EXPECT_GT(mm->resident, 32u << 20);
}

} // namespace
