// SPDX-License-Identifier: BSD-3-Clause
#include "pc_tree.h"

#include "sim/sim.h"

extern "C" {
extern const struct sim_type exit_device_type;
}

namespace
{

class ExitDevice : public PcTree
{
  protected:
    void SetUp() override
    {
        PcTree::SetUp();
        sim_object *device = add_device(exit_device_type, "exit");
        set(device, "exit_port", 0xf4);
        set(device, "power_port", 0x604);
        set(device, "shutdown_port", 0x8900);
        start();
    }
    // Cause and code of the exit that is due now, if there is one.
    std::string run()
    {
        sim_exit exit = sim_simulate(sim, 10);

        return std::string(exit.cause) + " " + std::to_string(exit.code);
    }
    static constexpr const char *NOTHING = "simulate() limit reached 0";
};

TEST_F(ExitDevice, GivesQemusCode)
{
    out(0xf4, 0, 1);
    EXPECT_EQ(run(), "exit port written 1");
    out(0xf4, 0x15, 4);
    EXPECT_EQ(run(), "exit port written 43");
}

TEST_F(ExitDevice, SwitchesOffByAcpi)
{
    out(0x604, 0x0401, 2);
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(in(0x604, 2), 0x401u);
    out(0x604, 0x2000, 1); // a byte is no command
    EXPECT_EQ(run(), NOTHING);
    out(0x604, 0x2000, 2);
    EXPECT_EQ(run(), "the machine was switched off 0");
}

TEST_F(ExitDevice, SwitchesOffByAWord)
{
    for (char c : std::string("ShuShutdow"))
        out(0x8900, static_cast<uint8_t>(c));
    EXPECT_EQ(run(), NOTHING);
    out(0x8900, 'n');
    EXPECT_EQ(run(), "the machine was switched off 0");
    out(0x8900, 'n');
    EXPECT_EQ(run(), NOTHING);
}

} // namespace
