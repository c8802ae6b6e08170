// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/mm_guard.h"

#include <cstring>
#include <vector>

#include "arch/x86/linux/mm_gather.h"
#include "mm_fixture.h"

namespace
{

const std::vector<uint8_t> VMCALL = {0x0f, 0x01, 0xc1};
const std::vector<uint8_t> VMMCALL = {0x0f, 0x01, 0xd9};
const uint64_t CODE = 0x10000000;

struct MmGuard : MmTest {
    void SetUp() override
    {
        MmTest::SetUp();
        mm->watch->tracks_code = true;
    }
    void write(uint64_t addr, const std::vector<uint8_t> &bytes)
    {
        ASSERT_EQ(uaccess_write(mm, addr, bytes.data(), bytes.size()), 0);
    }
    void map_code(uint32_t pages)
    {
        ASSERT_EQ(map(pages * FRAME_SIZE, PROT_READ | PROT_WRITE, CODE),
                  (int64_t)CODE);
    }
    void protect(uint64_t addr, uint64_t len, int prot)
    {
        ASSERT_EQ(mm_protect(mm, addr, len, prot), 0);
    }
    void make_code(uint32_t page, uint32_t pages = 1)
    {
        protect(CODE + page * FRAME_SIZE, pages * FRAME_SIZE,
                PROT_READ | PROT_EXEC);
    }
    // Which of the first pages no processor may execute now.
    std::vector<int> closed(const struct mm *in, int pages)
    {
        std::vector<int> result;
        for (int i = 0; i < pages; i++) {
            struct pagetable_leaf leaf;
            if (pagetable_find(&in->pt, CODE + (uint64_t)i * FRAME_SIZE, &leaf))
                if (*leaf.entry & PTE_NX)
                    result.push_back(i);
        }
        return result;
    }
    std::vector<int> closed(int pages)
    {
        return closed(mm, pages);
    }
};

using Pages = std::vector<int>;

TEST_F(MmGuard, ClosesPagesThatHaveACallAndOpensThem)
{
    map_code(3);
    write(CODE + 100, VMCALL);
    write(CODE + FRAME_SIZE + 5, {0x0f, 0x01, 0xc0}); // VMX off, and the like
    write(CODE + 3 * FRAME_SIZE - 3, VMMCALL);
    make_code(0, 3);
    EXPECT_EQ(closed(3), Pages());
    mm_guards_close(mm);
    EXPECT_EQ(closed(3), (Pages{0, 2}));
    EXPECT_TRUE(mm_guards_has(mm, CODE + 4095));
    EXPECT_FALSE(mm_guards_has(mm, CODE + FRAME_SIZE));
    mm_guards_open(mm);
    EXPECT_EQ(closed(3), Pages());
}

TEST_F(MmGuard, LooksAtNothingUnlessItIsAskedTo)
{
    mm->watch->tracks_code = false;
    map_code(1);
    write(CODE, VMCALL);
    make_code(0);
    mm_guards_close(mm);
    EXPECT_EQ(closed(1), Pages());
    mm_guards_open(mm);
    mm_guards_look_at_all(mm);
    mm_guards_close(mm);
    EXPECT_EQ(closed(1), Pages{0});
}

TEST_F(MmGuard, FindsACallOverTheBoundaryInEitherOrder)
{
    for (uint64_t cut : {1, 2}) {
        for (uint32_t first : {0u, 1u}) {
            map_code(3);
            write(CODE + FRAME_SIZE - cut, VMCALL);
            make_code(first);
            make_code(1 - first);
            mm_guards_close(mm);
            EXPECT_EQ(closed(3), Pages{1}) << cut << first;
            mm_guards_open(mm);
            ASSERT_EQ(mm_unmap(mm, CODE, 3 * FRAME_SIZE), 0);
        }
    }
}

TEST_F(MmGuard, ClosesAtOnceWhatAppearsWhileTheProgramRuns)
{
    map_code(2);
    write(CODE + FRAME_SIZE, {0x01, 0xd9});
    make_code(1);
    mm_guards_close(mm);
    EXPECT_EQ(closed(2), Pages());
    write(CODE, VMCALL);
    write(CODE + FRAME_SIZE - 1, {0x0f});
    make_code(0);
    EXPECT_EQ(closed(2), (Pages{0, 1}));
}

TEST_F(MmGuard, ForgetsWhatIsNoCodeAnyMore)
{
    map_code(2);
    write(CODE, VMCALL);
    write(CODE + FRAME_SIZE, VMCALL);
    make_code(0, 2);
    mm_guards_close(mm);
    protect(CODE, FRAME_SIZE, PROT_READ);
    ASSERT_EQ(mm_unmap(mm, CODE + FRAME_SIZE, FRAME_SIZE), 0);
    mm_guards_open(mm);
    EXPECT_EQ(closed(2), Pages{0}) << "the mapping forbids it";
    mm_guards_close(mm);
    EXPECT_EQ(mm->guards.num, 0u);
    mm_guards_open(mm);
}

TEST_F(MmGuard, KeepsAPageClosedThatIsCopied)
{
    map_code(1);
    write(CODE, VMCALL);
    protect(CODE, FRAME_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    mm_guards_close(mm);
    struct mm *child = mm_fork(mm);
    ASSERT_NE(child, nullptr);
    EXPECT_EQ(closed(child, 1), Pages{0});
    write(CODE + 50, {0x90}); // copies the page
    EXPECT_EQ(closed(1), Pages{0});
    mm_guards_open(mm);
    EXPECT_EQ(closed(1), Pages());
    EXPECT_EQ(closed(child, 1), Pages{0});
    mm_guards_open(child);
    EXPECT_EQ(closed(child, 1), Pages());
    mm_put(child);
}

TEST_F(MmGuard, TakesALargePageApart)
{
    uint64_t size = 2 * FRAME_HUGE_SIZE;
    uint64_t base = (uint64_t)map(size);
    uint64_t huge = (base + FRAME_HUGE_SIZE - 1) & -(uint64_t)FRAME_HUGE_SIZE;
    struct pagetable_leaf leaf;

    write(huge + 5 * FRAME_SIZE, VMCALL);
    write(huge + 9 * FRAME_SIZE - 1, VMCALL);
    protect(base, size, PROT_READ | PROT_EXEC);
    mm_guards_close(mm);
    for (uint64_t page = 0; page < 12; page++) {
        ASSERT_TRUE(pagetable_find(&mm->pt, huge + page * FRAME_SIZE, &leaf));
        EXPECT_EQ(!!(*leaf.entry & PTE_NX), page == 5 || page == 8) << page;
    }
    mm_guards_open(mm);
}

} // namespace
