// SPDX-License-Identifier: BSD-3-Clause
#include "pc_tree.h"

extern "C" {
extern const struct sim_type fw_cfg_type;
}

namespace
{

class FwCfg : public PcTree
{
  protected:
    void SetUp() override
    {
        PcTree::SetUp();
        sim_object *device = add_device(fw_cfg_type, "fw_cfg");
        set(device, "selector_addr", 0x510);
        set(device, "num_cpus", 300);
        sim_value value = {};
        value.obj = system;
        set_value(device, "system", value);
        start();
    }
    uint64_t item(uint16_t number, unsigned len)
    {
        uint64_t value = 0;

        out(0x510, number, 2);
        for (unsigned i = 0; i < len; i++)
            value |= in(0x511) << (8 * i);
        return value;
    }
};

TEST_F(FwCfg, TellsWhatItIs)
{
    EXPECT_EQ(item(0, 4), 0x554d4551u); // QEMU
    EXPECT_EQ(item(1, 4), 1u);
}

TEST_F(FwCfg, TellsProcessorsAndMemory)
{
    EXPECT_EQ(item(5, 2), 300u);
    EXPECT_EQ(item(0xf, 2), 300u);
    EXPECT_EQ(item(3, 8), 0u);
    auto *machine = reinterpret_cast<struct system *>(system);
    struct addr_range ranges[2] = {};
    ranges[0].end = 0xc0000000;
    ranges[1].start = 0x100000000;
    ranges[1].end = 0x140000000;
    machine->mem_ranges.data = ranges;
    machine->mem_ranges.len = 2;
    EXPECT_EQ(item(3, 8), 0x100000000u);
    machine->mem_ranges = {};
}

TEST_F(FwCfg, GivesZeroesBehindAnItemAndForUnknownOnes)
{
    EXPECT_EQ(item(5, 8), 300u);
    EXPECT_EQ(in(0x511), 0u);
    EXPECT_EQ(item(0x4242, 8), 0u);
    out(0x511, 7); // data cannot be written
    EXPECT_EQ(item(5, 2), 300u);
}

TEST_F(FwCfg, BeginsAnewWhenAnItemIsChosen)
{
    out(0x510, 5, 2);
    EXPECT_EQ(in(0x511), 300u & 0xff);
    EXPECT_EQ(item(5, 2), 300u);
    EXPECT_EQ(in(0x510, 2), 5u);
}

} // namespace
