// SPDX-License-Identifier: BSD-3-Clause
#include "mem_tree.h"

#include "mem/physmem.h"

#include <cstdlib>
#include <fstream>

#include <unistd.h>

class AbstractMemory : public MemTree
{
  protected:
    sim_object *mem = nullptr;
    toy_requestor *cpu = nullptr;

    void SetUp() override
    {
        MemTree::SetUp();
        mem = add_memory("mem", MIB, 2 * MIB);
        cpu = add_requestor("cpu", mem, "port");
    }
    uint32_t read_u32(uint64_t addr)
    {
        uint32_t value = 0x55555555;
        mem_req req = request(addr, MEM_READ, 4);
        req.data = &value;
        access(cpu, req, 0);
        return value;
    }
    void write_u32(uint64_t addr, uint32_t value)
    {
        mem_req req = request(addr, MEM_WRITE, 4);
        req.data = &value;
        access(cpu, req, 0);
    }
    physmem *ram()
    {
        return reinterpret_cast<struct system *>(system)->physmem;
    }
};

TEST_F(AbstractMemory, DataOfRequestsIsThatOfGuestRam)
{
    uint32_t value = 0;

    start();
    write_u32(MIB + 0x10, 0x12345678);
    EXPECT_TRUE(physmem_read(ram(), gpa_t{MIB + 0x10}, &value, 4));
    EXPECT_EQ(value, 0x12345678u);
    EXPECT_EQ(read_u32(MIB + 0x10), 0x12345678u);
}

TEST_F(AbstractMemory, ANullMemoryReadsAsZeroAndTakesNoRam)
{
    set(mem, "null", 1);
    start();
    write_u32(MIB, 1);
    EXPECT_EQ(read_u32(MIB), 0u);
    EXPECT_EQ(physmem_total_size(ram()), 0u);
}

TEST_F(AbstractMemory, AReadOnlyMemoryIgnoresWritesFromItsPort)
{
    uint32_t value = 7;

    set(mem, "writeable", 0);
    start();
    EXPECT_TRUE(physmem_write(ram(), gpa_t{MIB}, &value, 4));
    write_u32(MIB, 1);
    EXPECT_EQ(read_u32(MIB), 7u);
}

TEST_F(AbstractMemory, CountsByRequestorAndKind)
{
    uint16_t id = 0;

    sim_init(sim);
    id = system_add_requestor(reinterpret_cast<struct system *>(system),
                              &cpu->base, "inst");
    sim_startup(sim);
    mem_req req = request(MIB, MEM_FETCH, 16);
    req.core = id;
    access(cpu, req, 0);
    req.kind = MEM_WRITEBACK;
    req.size = 64;
    access(cpu, req, 0);
    EXPECT_EQ(stat("system.mem.numReads", id), 1);
    EXPECT_EQ(stat("system.mem.bytesRead", id), 16);
    EXPECT_EQ(stat("system.mem.bytesInstRead", id), 16);
    EXPECT_EQ(stat("system.mem.bytesWritten", id), 64);
    EXPECT_EQ(stat("system.mem.numWrites", id), 1);
    EXPECT_EQ(stat("system.mem.numReads", 0), 0);
}

TEST_F(AbstractMemory, ARequestorThatNobodyRegisteredIsNotCounted)
{
    start();
    mem_req req = request(MIB, MEM_READ);
    req.core = 999;
    access(cpu, req, 0);
    EXPECT_EQ(stat("system.mem.numReads", 0), 0);
}

TEST_F(AbstractMemory, BandwidthCountsFromTheLastReset)
{
    start();
    access(cpu, request(MIB, MEM_READ), 0);
    sim_simulate(sim, 1000 * NS);
    EXPECT_EQ(stat("system.mem.bwRead"), 64e6);
    stat_reset(root, sim_now(sim));
    access(cpu, request(MIB, MEM_WRITE), 0);
    sim_simulate(sim, 100 * NS);
    EXPECT_EQ(stat("system.mem.bwRead"), 0);
    EXPECT_EQ(stat("system.mem.bwWrite"), 640e6);
    EXPECT_EQ(stat("system.mem.bwTotal"), 640e6);
}

TEST_F(AbstractMemory, AnImageIsTheFirstContent)
{
    char name[] = "/tmp/mem_bios_XXXXXX";
    int fd = mkstemp(name);

    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, "BIOS", 4), 4);
    close(fd);
    set_string(mem, "image_file", name);
    start();
    EXPECT_EQ(read_u32(MIB), 0x534f4942u);
    unlink(name);
}

TEST_F(AbstractMemory, AMissingImageIsTheUsersErrorWithTheScriptsLine)
{
    set_string(mem, "image_file", "/nowhere/bios.bin");
    std::string text = fatal_text([this] { start(); });
    EXPECT_NE(text.find("system.mem"), std::string::npos) << text;
    EXPECT_NE(text.find("/nowhere/bios.bin: No such file"), std::string::npos)
        << text;
    EXPECT_NE(text.find("run.py:1"), std::string::npos) << text;
}

TEST_F(AbstractMemory, AnImageLargerThanTheMemoryIsRefused)
{
    char name[] = "/tmp/mem_bios_XXXXXX";
    int fd = mkstemp(name);

    ASSERT_GE(fd, 0);
    ASSERT_EQ(ftruncate(fd, MIB + 1), 0);
    close(fd);
    set_string(mem, "image_file", name);
    std::string text = fatal_text([this] { start(); });
    EXPECT_NE(text.find("File too large"), std::string::npos) << text;
    unlink(name);
}
