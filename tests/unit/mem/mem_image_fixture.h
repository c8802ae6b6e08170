// SPDX-License-Identifier: BSD-3-Clause
// Guest RAM and a scratch file, for the tests of memory images.
#ifndef TESTS_UNIT_MEM_IMAGE_FIXTURE_H
#define TESTS_UNIT_MEM_IMAGE_FIXTURE_H

#include "mem/mem_image.h"
#include "mem/physmem.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include <unistd.h>

static constexpr uint64_t MIB = 1 << 20;

struct MemImage : testing::Test {
    physmem *mem = physmem_create();
    std::string dir;
    std::string path;
    char why[256] = "";

    MemImage()
    {
        char name[] = "/tmp/mem_image_XXXXXX";
        dir = mkdtemp(name);
        path = dir + "/ram.pmem";
    }
    ~MemImage() override
    {
        physmem_destroy(mem);
        unlink(path.c_str());
        rmdir(dir.c_str());
    }
    uint8_t *add_ram(uint64_t start, uint64_t size)
    {
        EXPECT_EQ(physmem_add(mem, start, size), 0);
        return physmem_get_range(mem, physmem_num_ranges(mem) - 1)->host;
    }
    // Half of the chunks are empty; the others hold some pages.
    static void fill(uint8_t *host, uint64_t size, uint32_t seed)
    {
        std::mt19937 random(seed);
        for (uint64_t page = 0; page < size; page += 4096) {
            if ((page / MIB) % 2 == 1 || random() % 3 != 0)
                continue;
            for (int i = 0; i < 4096; i += 4)
                host[page + i] = static_cast<uint8_t>(random());
        }
    }
    void write(const uint8_t *host, uint64_t size, unsigned threads = 2)
    {
        ASSERT_EQ(mem_image_write(path.c_str(), host, size, threads, why), 0)
            << why;
    }
    mem_image *open(uint64_t size, unsigned threads = 2)
    {
        return mem_image_open(path.c_str(), size, threads, why);
    }
    std::string contents() const
    {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void set_contents(const std::string &bytes) const
    {
        std::ofstream(path, std::ios::binary) << bytes;
    }
    void expect_refused(uint64_t size, const std::string &reason)
    {
        mem_image *image = open(size);
        EXPECT_EQ(image, nullptr);
        EXPECT_NE(std::string(why).find(reason), std::string::npos) << why;
        mem_image_close(image);
    }
};

#endif
