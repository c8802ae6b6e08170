// SPDX-License-Identifier: BSD-3-Clause
#include "mem/physmem.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <string>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

constexpr uint64_t MIB = 1 << 20;
constexpr uint64_t GIB = 1 << 30;

struct PhysMem : testing::Test {
    physmem *mem = physmem_create();
    ~PhysMem() override
    {
        physmem_destroy(mem);
    }
};

gpa_t gpa(uint64_t addr)
{
    return gpa_t{addr};
}

// Pages of [host, host + len) that the host has given us.
size_t resident_pages(uint8_t *host, size_t len)
{
    std::vector<unsigned char> present(len / 4096);
    size_t count = 0;

    EXPECT_EQ(mincore(host, len, present.data()), 0);
    for (unsigned char flags : present)
        count += flags & 1;
    return count;
}

} // namespace

TEST_F(PhysMem, NewMemoryReadsAsZeroAndKeepsWhatIsWritten)
{
    uint32_t value = 1;

    ASSERT_EQ(physmem_add(mem, 0, 4 * MIB), 0);
    ASSERT_TRUE(physmem_read(mem, gpa(0x1234), &value, sizeof value));
    EXPECT_EQ(value, 0u);
    value = 0xdeadbeef;
    ASSERT_TRUE(physmem_write(mem, gpa(0x1234), &value, sizeof value));
    value = 0;
    ASSERT_TRUE(physmem_read(mem, gpa(0x1234), &value, sizeof value));
    EXPECT_EQ(value, 0xdeadbeefu);
}

TEST_F(PhysMem, WrongRangesAreRefused)
{
    EXPECT_EQ(physmem_add(mem, 0, 0), -EINVAL);
    EXPECT_EQ(physmem_add(mem, 0x10, 4096), -EINVAL);
    EXPECT_EQ(physmem_add(mem, 0, 100), -EINVAL);
    EXPECT_EQ(physmem_add(mem, UINT64_MAX - 4095, 8192), -EINVAL);
    EXPECT_EQ(physmem_num_ranges(mem), 0u);
}

TEST_F(PhysMem, MoreThanTheHostCanMapIsOutOfMemory)
{
    EXPECT_EQ(physmem_add(mem, 0, UINT64_C(1) << 60), -ENOMEM);
}

TEST_F(PhysMem, OverlapIsRefusedAtEitherEnd)
{
    ASSERT_EQ(physmem_add(mem, 4 * MIB, 4 * MIB), 0);
    EXPECT_EQ(physmem_add(mem, 4 * MIB, 4096), -EEXIST);
    EXPECT_EQ(physmem_add(mem, 8 * MIB - 4096, 4096), -EEXIST);
    EXPECT_EQ(physmem_add(mem, 0, 4 * MIB + 4096), -EEXIST);
    EXPECT_EQ(physmem_add(mem, 0, 16 * MIB), -EEXIST);
    EXPECT_EQ(physmem_add(mem, 8 * MIB, 4096), 0);
    EXPECT_EQ(physmem_add(mem, 0, 4 * MIB), 0);
}

TEST_F(PhysMem, ARangeMayEndAtTheLastAddress)
{
    ASSERT_EQ(physmem_add(mem, UINT64_MAX - 8191, 8192), 0);
    EXPECT_NE(physmem_host(mem, gpa(UINT64_MAX), 1), nullptr);
    EXPECT_EQ(physmem_host(mem, gpa(UINT64_MAX), 2), nullptr);
    EXPECT_EQ(physmem_add(mem, 0, 4096), 0);
}

TEST_F(PhysMem, AnAccessMustLieWhollyInOneRange)
{
    char data[8] = {};

    ASSERT_EQ(physmem_add(mem, 0, MIB), 0);
    ASSERT_EQ(physmem_add(mem, MIB, MIB), 0);
    EXPECT_NE(physmem_host(mem, gpa(MIB - 8), 8), nullptr);
    EXPECT_EQ(physmem_host(mem, gpa(MIB - 7), 8), nullptr);
    EXPECT_FALSE(physmem_read(mem, gpa(2 * MIB - 4), data, 8));
    EXPECT_FALSE(physmem_write(mem, gpa(2 * MIB), data, 1));
    EXPECT_EQ(physmem_host(mem, gpa(0), UINT64_MAX), nullptr);
}

TEST_F(PhysMem, APcWithAHoleBelowFourGiBHasTwoRanges)
{
    ASSERT_EQ(physmem_add(mem, 0, 3 * GIB), 0);
    ASSERT_EQ(physmem_add(mem, 4 * GIB, 5 * GIB), 0);
    EXPECT_EQ(physmem_total_size(mem), 8 * GIB);
    EXPECT_EQ(physmem_host(mem, gpa(3 * GIB), 1), nullptr);
    EXPECT_EQ(physmem_range_of(mem, gpa(9 * GIB - 1))->id, 1u);
    EXPECT_EQ(physmem_get_range(mem, 0)->start, 0u);
}

TEST_F(PhysMem, HostAndGuestAddressesAgreeModuloTwoMiB)
{
    ASSERT_EQ(physmem_add(mem, 0, MIB), 0);
    ASSERT_EQ(physmem_add(mem, MIB + 4096, 8 * MIB), 0);
    for (size_t i = 0; i < 2; i++) {
        const physmem_range *range = physmem_get_range(mem, i);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(range->host) % (2 * MIB),
                  range->start % (2 * MIB));
    }
}

TEST_F(PhysMem, PointersToRangesSurviveFurtherAdditions)
{
    ASSERT_EQ(physmem_add(mem, 0, MIB), 0);
    const physmem_range *first = physmem_get_range(mem, 0);
    for (uint64_t i = 1; i < 50; i++)
        ASSERT_EQ(physmem_add(mem, i * MIB, MIB), 0);
    EXPECT_EQ(first, physmem_get_range(mem, 0));
}

TEST_F(PhysMem, AForkedChildWritesItsOwnCopy)
{
    char value = 'p';

    ASSERT_EQ(physmem_add(mem, 0, MIB), 0);
    ASSERT_TRUE(physmem_write(mem, gpa(0), &value, 1));
    pid_t child = fork();
    if (child == 0) {
        value = 'c';
        _exit(physmem_write(mem, gpa(0), &value, 1) ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ASSERT_TRUE(physmem_read(mem, gpa(0), &value, 1));
    EXPECT_EQ(value, 'p');
}

TEST_F(PhysMem, ZeroedRangeGivesItsPagesBack)
{
    uint64_t value = 7;

    ASSERT_EQ(physmem_add(mem, 0, 4 * MIB), 0);
    const physmem_range *range = physmem_get_range(mem, 0);
    ASSERT_TRUE(physmem_write(mem, gpa(0x5000), &value, 8));
    EXPECT_GT(resident_pages(range->host, 4 * MIB), 0u);
    physmem_zero(mem, range);
    EXPECT_EQ(resident_pages(range->host, 4 * MIB), 0u);
    ASSERT_TRUE(physmem_read(mem, gpa(0x5000), &value, 8));
    EXPECT_EQ(value, 0u);
}

TEST_F(PhysMem, DirtyLogIsOffUntilItIsStarted)
{
    ASSERT_EQ(physmem_add(mem, 0, MIB), 0);
    physmem_dirty_mark(mem, gpa(0), 1);
    EXPECT_FALSE(physmem_dirty_is_on(mem));
    EXPECT_FALSE(physmem_dirty_test(mem, gpa(0)));
    EXPECT_EQ(physmem_dirty_pages(mem), 0u);
    EXPECT_EQ(physmem_dirty_bitmap(mem, physmem_get_range(mem, 0)), nullptr);
}

TEST_F(PhysMem, DirtyLogMarksEveryPageThatAWriteTouches)
{
    char data[4098] = {};

    ASSERT_EQ(physmem_add(mem, 0x10000, MIB), 0);
    physmem_dirty_start(mem);
    ASSERT_TRUE(physmem_write(mem, gpa(0x11fff), data, 4098));
    EXPECT_FALSE(physmem_dirty_test(mem, gpa(0x10fff)));
    EXPECT_TRUE(physmem_dirty_test(mem, gpa(0x11000)));
    EXPECT_TRUE(physmem_dirty_test(mem, gpa(0x12abc)));
    EXPECT_TRUE(physmem_dirty_test(mem, gpa(0x13000)));
    EXPECT_FALSE(physmem_dirty_test(mem, gpa(0x14000)));
    EXPECT_EQ(physmem_dirty_pages(mem), 3u);
    EXPECT_EQ(*physmem_dirty_bitmap(mem, physmem_get_range(mem, 0)), 0xeu);
    physmem_dirty_clear(mem);
    EXPECT_EQ(physmem_dirty_pages(mem), 0u);
    EXPECT_TRUE(physmem_dirty_is_on(mem));
}

TEST_F(PhysMem, DirtyMarksReachIntoTheNextRangeAndIgnoreHoles)
{
    ASSERT_EQ(physmem_add(mem, 0, 2 * 4096), 0);
    ASSERT_EQ(physmem_add(mem, 4 * 4096, 70 * 4096), 0);
    physmem_dirty_start(mem);
    physmem_dirty_mark(mem, gpa(4096), 4 * 4096);
    EXPECT_FALSE(physmem_dirty_test(mem, gpa(0)));
    EXPECT_TRUE(physmem_dirty_test(mem, gpa(4096)));
    EXPECT_FALSE(physmem_dirty_test(mem, gpa(2 * 4096)));
    EXPECT_TRUE(physmem_dirty_test(mem, gpa(4 * 4096)));
    EXPECT_FALSE(physmem_dirty_test(mem, gpa(5 * 4096)));
    physmem_dirty_mark(mem, gpa(0), UINT64_MAX);
    EXPECT_EQ(physmem_dirty_pages(mem), 72u);
}

TEST_F(PhysMem, MemoryAddedWhileLoggingIsLogged)
{
    physmem_dirty_start(mem);
    ASSERT_EQ(physmem_add(mem, 0, MIB), 0);
    physmem_dirty_mark(mem, gpa(0x3000), 1);
    EXPECT_TRUE(physmem_dirty_test(mem, gpa(0x3000)));
    physmem_dirty_stop(mem);
    EXPECT_FALSE(physmem_dirty_is_on(mem));
    physmem_dirty_start(mem);
    EXPECT_EQ(physmem_dirty_pages(mem), 0u);
}
