// SPDX-License-Identifier: BSD-3-Clause
#include "mem_tree.h"

#include "mem/physmem.h"
#include "sim/checkpoint.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/mman.h>

class SystemCkpt : public MemTree
{
  protected:
    std::string dir, ckpt;
    char why[256] = "";

    void SetUp() override
    {
        char name[] = "/tmp/system_ckpt_XXXXXX";

        MemTree::SetUp();
        dir = mkdtemp(name);
        ckpt = dir + "/cpt";
    }
    void TearDown() override
    {
        MemTree::TearDown();
        std::filesystem::remove_all(dir);
    }
    physmem *ram()
    {
        return reinterpret_cast<struct system *>(system)->physmem;
    }
    void write_u64(uint64_t addr, uint64_t value)
    {
        ASSERT_TRUE(physmem_write(ram(), gpa_t{addr}, &value, 8));
    }
    uint64_t read_u64(uint64_t addr)
    {
        uint64_t value = 0x5555;
        EXPECT_TRUE(physmem_read(ram(), gpa_t{addr}, &value, 8));
        return value;
    }
    void add_pc_memories(uint64_t high_size = 2048 * 1048576ULL)
    {
        add_ram("low", 0, 3072 * MIB);
        add_ram("high", 4096 * MIB, 4096 * MIB + high_size);
    }
    // A checkpoint with three words in two ranges.
    void save_words()
    {
        add_pc_memories();
        start();
        write_u64(0x1000, 1);
        write_u64(3072 * MIB - 8, 2);
        write_u64(5000 * MIB, 3);
        ASSERT_EQ(ckpt_save(sim, ckpt.c_str(), why), 0) << why;
    }
    // The same simulation once more, before its state is loaded.
    void begin_again()
    {
        MemTree::TearDown();
        MemTree::SetUp();
    }
    int load()
    {
        sim_init(sim);
        return ckpt_load(sim, ckpt.c_str(), why);
    }
    std::string store(int id)
    {
        return ckpt + "/system.physmem.store" + std::to_string(id) + ".pmem";
    }
};

TEST_F(SystemCkpt, BringsBackTheContentOfAllRanges)
{
    save_words();
    EXPECT_LT(std::filesystem::file_size(store(0)), 2000u)
        << "5 GiB of zeros take no space";
    begin_again();
    add_pc_memories();
    ASSERT_EQ(load(), 0) << why;
    sim_startup(sim);
    EXPECT_EQ(read_u64(0x1000), 1u);
    EXPECT_EQ(read_u64(3072 * MIB - 8), 2u);
    EXPECT_EQ(read_u64(5000 * MIB), 3u);
    EXPECT_EQ(read_u64(0x1008), 0u);
}

TEST_F(SystemCkpt, ReplacesWhatRamHeldBefore)
{
    save_words();
    begin_again();
    add_pc_memories();
    sim_init(sim);
    write_u64(0x9000, 99);
    ASSERT_EQ(ckpt_load(sim, ckpt.c_str(), why), 0) << why;
    EXPECT_EQ(read_u64(0x9000), 0u);
    EXPECT_EQ(read_u64(0x1000), 1u);
}

TEST_F(SystemCkpt, OtherMemorySizesAreRefused)
{
    save_words();
    begin_again();
    add_pc_memories(1024 * MIB);
    EXPECT_EQ(load(), -EINVAL);
    EXPECT_NE(std::string(why).find("memory range 1 has changed"),
              std::string::npos)
        << why;
    EXPECT_EQ(read_u64(0x1000), 0u) << "nothing was loaded";
}

TEST_F(SystemCkpt, AnotherNumberOfMemoriesIsRefused)
{
    save_words();
    begin_again();
    add_ram("low", 0, 3072 * MIB);
    EXPECT_EQ(load(), -EINVAL);
    EXPECT_NE(std::string(why).find("2 memory ranges were saved"),
              std::string::npos)
        << why;
}

TEST_F(SystemCkpt, ADamagedImageChangesNoRam)
{
    save_words();
    std::fstream file(store(1), std::ios::in | std::ios::out);
    file.seekp(60);
    file.put('x');
    file.close();
    begin_again();
    add_pc_memories();
    EXPECT_NE(load(), 0);
    EXPECT_NE(std::string(why).find("store1.pmem"), std::string::npos) << why;
    EXPECT_EQ(read_u64(0x1000), 0u);
}

TEST_F(SystemCkpt, AMissingImageIsRefused)
{
    save_words();
    std::filesystem::remove(store(0));
    begin_again();
    add_pc_memories();
    EXPECT_NE(load(), 0);
    EXPECT_NE(std::string(why).find("store0.pmem"), std::string::npos) << why;
}
