// SPDX-License-Identifier: BSD-3-Clause
#include "mem_image_fixture.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <sys/mman.h>

namespace
{

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

TEST_F(MemImage, RestoresEveryByteAlsoOfAPartialLastChunk)
{
    const uint64_t size = 9 * MIB + 3 * 4096;
    uint8_t *from = add_ram(0, size);
    uint8_t *to = add_ram(64 * MIB, size);

    fill(from, size, 1);
    from[size - 1] = 42;
    write(from, size);
    mem_image *image = open(size);
    ASSERT_NE(image, nullptr) << why;
    ASSERT_EQ(mem_image_apply(image, to, 2, why), 0) << why;
    mem_image_close(image);
    EXPECT_EQ(memcmp(from, to, size), 0);
}

TEST_F(MemImage, UntouchedMemoryIsNeitherReadNorWritten)
{
    const uint64_t size = 256 * MIB;
    uint8_t *from = add_ram(0, size);
    uint8_t *to = add_ram(1024 * MIB, size);

    from[100 * MIB] = 1;
    size_t before = resident_pages(from, size);
    write(from, size);
    EXPECT_EQ(resident_pages(from, size), before);
    EXPECT_LT(contents().size(), 1000u);
    mem_image *image = open(size);
    ASSERT_NE(image, nullptr) << why;
    EXPECT_EQ(mem_image_num_chunks(image), 1u);
    EXPECT_EQ(resident_pages(to, size), 0u) << "opening touches no RAM";
    ASSERT_EQ(mem_image_apply(image, to, 2, why), 0);
    EXPECT_LE(resident_pages(to, size), 512u) << "at most one huge page";
    EXPECT_EQ(to[100 * MIB], 1);
    mem_image_close(image);
}

TEST_F(MemImage, AnEmptyRangeGivesAnImageWithoutChunks)
{
    uint8_t *host = add_ram(0, 4096);

    write(host, 4096);
    mem_image *image = open(4096);
    ASSERT_NE(image, nullptr) << why;
    EXPECT_EQ(mem_image_num_chunks(image), 0u);
    EXPECT_EQ(mem_image_apply(image, host, 2, why), 0);
    mem_image_close(image);
}

TEST_F(MemImage, ADamagedChunkIsNamed)
{
    uint8_t *host = add_ram(0, 8 * MIB);

    std::mt19937 random(5);
    for (int i = 0; i < 4096; i++)
        host[5 * MIB + i] = static_cast<uint8_t>(random());
    write(host, 8 * MIB);
    std::string bytes = contents();
    bytes[500] = static_cast<char>(bytes[500] ^ 1);
    set_contents(bytes);
    expect_refused(8 * MIB, "chunk 5 (bytes 0x500000 to 0x5fffff of the "
                            "range) is damaged");
}

TEST_F(MemImage, AFlippedBitInAnyByteAndEveryCutIsFound)
{
    const uint64_t size = 2 * MIB;
    uint8_t *host = add_ram(0, size);

    host[0] = 1;
    host[size - 1] = 2;
    write(host, size);
    const std::string good = contents();
    for (size_t i = 0; i < good.size(); i++) {
        std::string bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
        set_contents(bytes);
        mem_image *image = open(size, 1);
        ASSERT_EQ(image, nullptr) << "byte " << i;
    }
    for (size_t len = 0; len < good.size(); len++) {
        set_contents(good.substr(0, len));
        ASSERT_EQ(open(size, 1), nullptr) << "cut to " << len;
    }
    set_contents(good);
    mem_image *image = open(size);
    EXPECT_NE(image, nullptr) << why;
    mem_image_close(image);
}

TEST_F(MemImage, OtherFilesAndOtherSizesAreRefusedWithTheReason)
{
    uint8_t *host = add_ram(0, 2 * MIB);

    expect_refused(MIB, "No such file");
    set_contents("");
    expect_refused(MIB, "empty file");
    set_contents(std::string(1000, 'x'));
    expect_refused(MIB, "not a memory image");
    write(host, 2 * MIB);
    expect_refused(MIB, "size of the memory range has changed");
}
