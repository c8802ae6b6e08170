// SPDX-License-Identifier: BSD-3-Clause
#include "mem_tree.h"

#include "mem/physmem.h"

class SystemRam : public MemTree
{
  protected:
    physmem *ram()
    {
        return reinterpret_cast<struct system *>(system)->physmem;
    }
    sim_object *add_channel(const char *name, uint8_t match)
    {
        sim_object *mem = add_ram(name, 0, 4 * MIB);
        sim_value value = {};

        value.range.end = 4 * MIB;
        value.range.intlv_bits = 1;
        value.range.intlv_match = match;
        value.range.masks[0] = 0x40;
        set_value(mem, "range", value);
        return mem;
    }
};

TEST_F(SystemRam, EachMemoryBacksItsRangeAlsoBeyondThreeGiB)
{
    add_ram("low", 0, 3072 * MIB);
    add_ram("high", 4096 * MIB, 9216 * MIB);
    sim_init(sim);
    EXPECT_EQ(physmem_num_ranges(ram()), 2u);
    EXPECT_NE(physmem_host(ram(), gpa_t{9216 * MIB - 1}, 1), nullptr);
    EXPECT_EQ(physmem_host(ram(), gpa_t{3072 * MIB}, 1), nullptr);
}

TEST_F(SystemRam, InterleavedChannelsShareOneRange)
{
    add_channel("mem0", 0);
    add_channel("mem1", 1);
    sim_init(sim);
    EXPECT_EQ(physmem_num_ranges(ram()), 1u);
    EXPECT_EQ(physmem_total_size(ram()), 4 * MIB);
}

TEST_F(SystemRam, AMissingChannelIsTheUsersError)
{
    add_channel("mem0", 0);
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("1 of 2 interleaved memories"), std::string::npos)
        << text;
}

TEST_F(SystemRam, OverlappingMemoriesAreRefusedWithBothNames)
{
    add_ram("mem0", 0, 2 * MIB);
    add_ram("mem1", MIB, 3 * MIB);
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("system.mem1"), std::string::npos) << text;
    EXPECT_NE(text.find("of system.mem0"), std::string::npos) << text;
}

TEST_F(SystemRam, RangesThatAreNotWholePagesAreRefused)
{
    add_ram("mem", 0, 1000);
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("multiples of 4 KiB"), std::string::npos) << text;
}

TEST_F(SystemRam, MoreThanTheHostCanMapIsReported)
{
    add_ram("mem", 0, UINT64_C(1) << 60);
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("Cannot allocate memory"), std::string::npos) << text;
}

TEST_F(SystemRam, MemoriesOutsideTheAddressMapHaveNoContent)
{
    sim_object *mem = add_ram("mem", 0, MIB);

    set(mem, "in_addr_map", 0);
    add_ram("other", 0, MIB);
    sim_init(sim);
    EXPECT_EQ(physmem_num_ranges(ram()), 1u);
}
