// SPDX-License-Identifier: BSD-3-Clause
#include "sim/pseudo_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "running_tree.h"
#include "sim/pseudo_op.h"
#include "sim/report.h"

namespace
{

// A guest with 64 KiB of memory from address 0 on.
class PseudoFile : public RunningTree
{
  protected:
    pseudo_machine machine = {};
    pseudo_call call = {};
    std::string memory = std::string(65536, '\0');
    std::string dir;

    static uint64_t fit(pseudo_call *call, uint64_t addr, uint64_t len)
    {
        uint64_t size = of(call)->memory.size();

        if (addr >= size)
            return 0;
        return len < size - addr ? len : size - addr;
    }
    static PseudoFile *of(pseudo_call *call)
    {
        return static_cast<PseudoFile *>(call->ctx);
    }

    void SetUp() override
    {
        static const pseudo_cpu_ops ops = {
            [](pseudo_call *c, uint64_t addr, void *data, uint64_t len) {
                len = fit(c, addr, len);
                memcpy(data, of(c)->memory.data() + addr, len);
                return len;
            },
            [](pseudo_call *c, uint64_t addr, const void *data, uint64_t len) {
                len = fit(c, addr, len);
                memcpy(&of(c)->memory[addr], data, len);
                return len;
            },
            nullptr,
            nullptr,
            nullptr,
            nullptr,
            nullptr,
        };
        char name[] = "/tmp/gearshift-test-XXXXXX";

        RunningTree::SetUp();
        ASSERT_NE(mkdtemp(name), nullptr);
        dir = name;
        sim_set_outdir(sim, (dir + "/out").c_str());
        call.machine = &machine;
        call.ops = &ops;
        call.ctx = this;
        call.cpu = machine.owner = sim_root(sim);
        start();
    }
    void TearDown() override
    {
        RunningTree::TearDown();
        EXPECT_EQ(system(("rm -r " + dir).c_str()), 0);
    }

    uint64_t read(uint64_t addr, uint64_t len, uint64_t offset)
    {
        call.args[0] = addr;
        call.args[1] = len;
        call.args[2] = offset;
        return pseudo_read_file(&call);
    }
    uint64_t write(const std::string &name, uint64_t addr, uint64_t len,
                   uint64_t offset)
    {
        memory.replace(60000, name.size() + 1, name.c_str(), name.size() + 1);
        call.args[0] = addr;
        call.args[1] = len;
        call.args[2] = offset;
        call.args[3] = 60000;
        return pseudo_write_file(&call);
    }
    static std::string content(const std::string &path)
    {
        std::ifstream file(path);

        return {std::istreambuf_iterator<char>(file), {}};
    }
};

TEST_F(PseudoFile, ReadsThePartThatIsAskedFor)
{
    std::string path = dir + "/in", text(50000, 'x');

    text += "the end";
    std::ofstream(path) << text;
    machine.readfile = path.c_str();
    EXPECT_EQ(read(16, 60000, 0), text.size());
    EXPECT_EQ(memory.substr(16, text.size()), text);
    EXPECT_EQ(read(0, 3, 50004), 3u);
    EXPECT_EQ(memory.substr(0, 3), "end");
    EXPECT_EQ(read(0, 100, text.size()), 0u);
    EXPECT_EQ(read(0, 100, UINT64_MAX), 0u);
}

TEST_F(PseudoFile, ReadsNothingWithoutAFile)
{
    EXPECT_EQ(read(0, 100, 0), 0u);
    machine.readfile = "/does/not/exist";
    EXPECT_EQ(read(0, 100, 0), 0u);
}

TEST_F(PseudoFile, StopsAtTheEndOfTheGuestsMemory)
{
    std::string path = dir + "/in";

    std::ofstream(path) << "0123456789";
    machine.readfile = path.c_str();
    EXPECT_EQ(read(65536 - 4, 10, 0), 4u);
    EXPECT_EQ(read(1 << 20, 10, 0), 0u);
    EXPECT_EQ(sim_guest_errors(sim), 2u);
    EXPECT_EQ(write("x", 65536 - 4, UINT64_MAX, 0), 4u);
}

TEST_F(PseudoFile, WritesIntoTheOutputDirectory)
{
    memory.replace(0, 10, "abcdefghij");
    EXPECT_EQ(write("result", 0, 10, 0), 10u);
    EXPECT_EQ(content(dir + "/out/result"), "abcdefghij");
    EXPECT_EQ(write("result", 0, 2, 8), 2u);
    EXPECT_EQ(content(dir + "/out/result"), "abcdefghab");
    EXPECT_EQ(write("result", 0, 1, 0), 1u);
    EXPECT_EQ(content(dir + "/out/result"), "a");
}

TEST_F(PseudoFile, NeverLeavesTheOutputDirectory)
{
    std::string out = dir + "/out";

    ASSERT_EQ(mkdir(out.c_str(), 0700), 0);
    ASSERT_EQ(symlink("../victim", (out + "/link").c_str()), 0);
    for (const char *name : {"../victim", "/tmp/gearshift-victim", "link",
                             "a/../../victim", "", ".", ".."})
        EXPECT_EQ(write(name, 0, 4, 0), UINT64_MAX) << name;
    EXPECT_NE(access((dir + "/victim").c_str(), F_OK), 0);
    EXPECT_NE(access("/tmp/gearshift-victim", F_OK), 0);
}

TEST_F(PseudoFile, RefusesANameThatCannotBeRead)
{
    call.args[1] = 4;
    call.args[3] = 1 << 20;
    EXPECT_EQ(pseudo_write_file(&call), UINT64_MAX);
    memory.replace(50000, 8000, 8000, 'n');
    call.args[3] = 50000;
    EXPECT_EQ(pseudo_write_file(&call), UINT64_MAX);
}

} // namespace
