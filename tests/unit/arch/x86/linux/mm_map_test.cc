// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/mm_map.h"

#include <cerrno>
#include <map>
#include <random>

#include "mm_fixture.h"

namespace
{

using MmMap = MmTest;

TEST_F(MmMap, JoinsNeighboursOfOneKind)
{
    uint64_t addr = (uint64_t)map(2 * FRAME_SIZE, PROT_READ, 0x10000000);

    ASSERT_EQ(addr, 0x10000000u);
    ASSERT_EQ(map(FRAME_SIZE, PROT_READ, addr + 2 * FRAME_SIZE),
              (int64_t)addr + 2 * FRAME_SIZE);
    EXPECT_EQ(mm->num_vmas, 1u);
    ASSERT_EQ(mm_protect(mm, addr + FRAME_SIZE, FRAME_SIZE, PROT_NONE), 0);
    EXPECT_EQ(mm->num_vmas, 3u);
    ASSERT_EQ(mm_protect(mm, addr + FRAME_SIZE, FRAME_SIZE, PROT_READ), 0);
    EXPECT_EQ(mm->num_vmas, 1u);
    EXPECT_EQ(mm->total, 3u * FRAME_SIZE);
}

TEST_F(MmMap, KeepsContentsWithoutAccessRights)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE);

    ASSERT_TRUE(put(mm, addr, 42));
    ASSERT_EQ(mm_protect(mm, addr, FRAME_SIZE, PROT_NONE), 0);
    EXPECT_EQ(get(mm, addr), -1);
    ASSERT_EQ(mm_protect(mm, addr, FRAME_SIZE, PROT_READ), 0);
    EXPECT_EQ(get(mm, addr), 42);
}

TEST_F(MmMap, CutsALargePage)
{
    uint64_t addr = (uint64_t)map(2 * FRAME_HUGE_SIZE);

    ASSERT_TRUE(put(mm, addr, 1) && put(mm, addr + FRAME_HUGE_SIZE - 1, 2));
    ASSERT_EQ(mm_unmap(mm, addr + 16 * FRAME_SIZE, FRAME_SIZE), 0);
    EXPECT_EQ(get(mm, addr), 1);
    EXPECT_EQ(get(mm, addr + 16 * FRAME_SIZE), -1);
    EXPECT_EQ(get(mm, addr + FRAME_HUGE_SIZE - 1), 2);
}

TEST_F(MmMap, MovesContents)
{
    uint64_t addr = (uint64_t)map(3 * FRAME_HUGE_SIZE);
    const uint64_t len[2] = {3 * FRAME_HUGE_SIZE, 5 * FRAME_HUGE_SIZE};
    int64_t moved;

    ASSERT_TRUE(put(mm, addr + 5, 1) && put(mm, addr + (5 << 20), 2));
    // Something in the way of growing in place.
    ASSERT_GT(
        map(FRAME_SIZE, PROT_READ, addr + len[0], MAP_PRIVATE | MAP_FIXED), 0);
    EXPECT_EQ(mm_remap(mm, addr, len, 0, 0), -ENOMEM);
    moved = mm_remap(mm, addr, len, MREMAP_MAYMOVE, 0);
    ASSERT_GT(moved, 0);
    EXPECT_NE((uint64_t)moved, addr);
    EXPECT_EQ(get(mm, (uint64_t)moved + 5), 1);
    EXPECT_EQ(get(mm, (uint64_t)moved + (5 << 20)), 2);
    EXPECT_EQ(get(mm, addr + 5), -1);
}

TEST_F(MmMap, RefusesWhatLinuxRefuses)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE);

    EXPECT_EQ(map(0), -EINVAL);
    EXPECT_EQ(map(UINT64_C(1) << 50), -ENOMEM);
    EXPECT_EQ(mm_unmap(mm, addr + 1, FRAME_SIZE), -EINVAL);
    EXPECT_EQ(mm_unmap(mm, addr, 0), -EINVAL);
    EXPECT_EQ(mm_protect(mm, addr, 2 * FRAME_SIZE, PROT_READ), -ENOMEM);
    EXPECT_EQ(
        map(FRAME_SIZE, PROT_READ, addr, MAP_PRIVATE | MAP_FIXED_NOREPLACE),
        -EEXIST);
    EXPECT_EQ(map(FRAME_SIZE, PROT_READ, 0x1000, MAP_PRIVATE | MAP_FIXED),
              -EPERM);
    mm->limit_as = mm->total;
    EXPECT_EQ(map(FRAME_SIZE), -ENOMEM);
}

TEST_F(MmMap, MovesTheBreak)
{
    mm->brk_start = mm->brk = 0x555555560123;
    EXPECT_EQ(mm_brk(mm, 0), 0x555555560123u);
    EXPECT_EQ(mm_brk(mm, 0x555555580000), 0x555555580000u);
    EXPECT_TRUE(put(mm, 0x55555557ffff, 9));
    EXPECT_EQ(mm_brk(mm, 0x555555560123), 0x555555560123u);
    EXPECT_EQ(get(mm, 0x55555557ffff), -1);
}

TEST_F(MmMap, ForgetsAdvisedPages)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE);

    ASSERT_TRUE(put(mm, addr, 5));
    ASSERT_EQ(mm_advise(mm, addr, FRAME_SIZE, MADV_DONTNEED), 0);
    EXPECT_EQ(get(mm, addr), 0);
    EXPECT_EQ(mm_advise(mm, addr, FRAME_SIZE, 12345), -EINVAL);
}

// As Linux does; the last page is behind a hole.
TEST_F(MmMap, ProtectsUpToAHoleAndThenTellsOfIt)
{
    uint64_t addr = (uint64_t)map(5 * FRAME_SIZE);
    uint64_t last = addr + 4 * FRAME_SIZE;

    ASSERT_TRUE(put(mm, addr, 1) && put(mm, last, 2));
    ASSERT_EQ(mm_unmap(mm, addr + 2 * FRAME_SIZE, FRAME_SIZE), 0);
    EXPECT_EQ(mm_protect(mm, addr, 5 * FRAME_SIZE, PROT_READ), -ENOMEM);
    EXPECT_FALSE(put(mm, addr, 3));
    EXPECT_FALSE(put(mm, addr + FRAME_SIZE, 3));
    EXPECT_TRUE(put(mm, last, 3));
    EXPECT_EQ(mm_protect(mm, addr + 2 * FRAME_SIZE, 3 * FRAME_SIZE, PROT_NONE),
              -ENOMEM);
    EXPECT_EQ(get(mm, last), 3);
    EXPECT_EQ(mm_protect(mm, addr, 5 * FRAME_SIZE, 0x80), -EINVAL);
}

TEST_F(MmMap, AdvisesOnBothSidesOfAHoleAndThenTellsOfIt)
{
    uint64_t addr = (uint64_t)map(3 * FRAME_SIZE);
    uint64_t last = addr + 2 * FRAME_SIZE;

    ASSERT_TRUE(put(mm, addr, 1) && put(mm, last, 2));
    ASSERT_EQ(mm_unmap(mm, addr + FRAME_SIZE, FRAME_SIZE), 0);
    EXPECT_EQ(mm_advise(mm, addr, 3 * FRAME_SIZE, 12345), -EINVAL);
    EXPECT_EQ(mm_advise(mm, addr, 3 * FRAME_SIZE, MADV_POPULATE_WRITE),
              -ENOMEM);
    EXPECT_EQ(mm_advise(mm, addr, 3 * FRAME_SIZE, MADV_DONTNEED), -ENOMEM);
    EXPECT_EQ(get(mm, addr), 0);
    EXPECT_EQ(get(mm, last), 0);
}

// A model with one record per page against random calls.
TEST_F(MmMap, AgreesWithAModelOverRandomCalls)
{
    enum { PAGES = 2048, BASE = 0x20000000 };
    struct Page {
        int prot;
        int value;
    };
    std::map<uint64_t, Page> model;
    std::mt19937 random(1);

    for (int i = 0; i < 4000; i++) {
        uint64_t page = random() % PAGES, len = 1 + random() % 700;
        uint64_t addr = BASE + page * FRAME_SIZE;
        int prot = (int)(random() % 2) ? PROT_READ | PROT_WRITE : PROT_READ;

        switch (random() % 4) {
        case 0:
            ASSERT_GT(map(len * FRAME_SIZE, (uint32_t)prot, addr,
                          MAP_PRIVATE | MAP_FIXED),
                      0);
            for (uint64_t p = page; p < page + len; p++)
                model[p] = {prot, 0};
            break;
        case 1:
            ASSERT_EQ(mm_unmap(mm, addr, len * FRAME_SIZE), 0);
            for (uint64_t p = page; p < page + len; p++)
                model.erase(p);
            break;
        case 2: {
            uint64_t hole = page;

            while (hole < page + len && model.count(hole))
                model[hole++].prot = prot;
            ASSERT_EQ(mm_protect(mm, addr, len * FRAME_SIZE, (uint32_t)prot),
                      hole == page + len ? 0 : -ENOMEM);
            break;
        }
        default: {
            auto found = model.find(page);
            bool can =
                found != model.end() && (found->second.prot & PROT_WRITE);

            ASSERT_EQ(put(mm, addr + 7, (uint8_t)i), can);
            if (can)
                found->second.value = (uint8_t)i;
            break;
        }
        }
    }
    for (uint64_t p = 0; p < PAGES + 700; p++) {
        auto found = model.find(p);

        ASSERT_EQ(get(mm, BASE + p * FRAME_SIZE + 7),
                  found == model.end() ? -1 : found->second.value)
            << "page " << p;
    }
    EXPECT_EQ(mm->total, model.size() * FRAME_SIZE);
}

} // namespace
