// SPDX-License-Identifier: BSD-3-Clause
#include "mem_image_fixture.h"

#include <cerrno>

TEST_F(MemImage, TheFileDoesNotDependOnTheNumberOfThreads)
{
    const uint64_t size = 16 * MIB;
    uint8_t *host = add_ram(0, size);

    fill(host, size, 2);
    write(host, size, 1);
    std::string one = contents();
    write(host, size, 7);
    EXPECT_EQ(one, contents());
}

TEST_F(MemImage, AnUnwritablePathIsReported)
{
    uint8_t *host = add_ram(0, MIB);
    std::string nowhere = dir + "/missing/ram.pmem";

    EXPECT_EQ(mem_image_write(nowhere.c_str(), host, MIB, 2, why), -ENOENT);
    EXPECT_NE(std::string(why).find("No such file"), std::string::npos);
    if (access("/dev/full", W_OK) == 0) {
        host[0] = 1;
        EXPECT_EQ(mem_image_write("/dev/full", host, MIB, 2, why), -ENOSPC);
    }
}
