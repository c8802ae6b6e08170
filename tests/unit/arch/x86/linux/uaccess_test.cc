// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/uaccess.h"

#include <cerrno>
#include <cstring>
#include <sys/uio.h>
#include <vector>

#include "base/alloc.h"
#include "mm_fixture.h"

namespace
{

using Uaccess = MmTest;

TEST_F(Uaccess, CrossesPages)
{
    uint64_t addr = (uint64_t)map(4 * FRAME_SIZE);
    std::vector<uint8_t> out(9000), in(9000);

    for (size_t i = 0; i < in.size(); i++)
        in[i] = (uint8_t)(i * 7);
    ASSERT_EQ(uaccess_write(mm, addr + 100, in.data(), in.size()), 0);
    ASSERT_EQ(uaccess_read(mm, addr + 100, out.data(), out.size()), 0);
    EXPECT_EQ(in, out);
}

TEST_F(Uaccess, FailsWhereTheProgramHasNoRight)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE, PROT_READ);
    uint64_t word = 0;

    EXPECT_EQ(uaccess_read(mm, addr + FRAME_SIZE - 4, &word, 8), -EFAULT);
    EXPECT_EQ(uaccess_write(mm, addr, &word, 8), -EFAULT);
    EXPECT_EQ(uaccess_read(mm, 0xffff800000000000, &word, 8), -EFAULT);
    EXPECT_EQ(uaccess_clear(mm, addr, 1), -EFAULT);
}

TEST_F(Uaccess, ReadsStrings)
{
    uint64_t addr = (uint64_t)map(2 * FRAME_SIZE);
    uint64_t at = addr + FRAME_SIZE - 3;
    char *text = nullptr;

    ASSERT_EQ(uaccess_write(mm, at, "string", 7), 0);
    ASSERT_EQ(uaccess_str(mm, at, 100, &text), 0);
    EXPECT_STREQ(text, "string");
    mem_free(text);
    EXPECT_EQ(uaccess_str(mm, at, 5, &text), -ENAMETOOLONG);
    std::vector<char> full(2 * FRAME_SIZE, 'x');
    ASSERT_EQ(uaccess_write(mm, addr, full.data(), full.size()), 0);
    EXPECT_EQ(uaccess_str(mm, addr, 1 << 20, &text), -EFAULT);
}

TEST_F(Uaccess, GivesPiecesUpToTheFirstBadPage)
{
    uint64_t addr = (uint64_t)map(2 * FRAME_SIZE);
    struct iovec pieces[8];
    struct uaccess_vec vec = {pieces, 8, 0};

    EXPECT_EQ(uaccess_pages(mm, addr + 96, 3 * FRAME_SIZE, MM_WRITE, &vec),
              2 * FRAME_SIZE - 96);
    EXPECT_GE(vec.count, 1);
    EXPECT_EQ(uaccess_pages(mm, addr + 2 * FRAME_SIZE, 1, MM_READ, &vec),
              -EFAULT);
}

} // namespace
