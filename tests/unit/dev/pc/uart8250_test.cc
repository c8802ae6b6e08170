// SPDX-License-Identifier: BSD-3-Clause
#include "pc_tree.h"

#include <cstdio>
#include <fstream>
#include <iterator>

extern "C" {
extern const struct sim_type uart8250_type;
extern const struct sim_type terminal_type;
}

namespace
{

class Uart8250 : public PcTree
{
  protected:
    enum { COM1 = 0x3f8, IER = 1, IIR, LCR, MCR, LSR, MSR, SCR };
    enum { OUT_FILE = 3 };

    void SetUp() override
    {
        sim_value value = {};

        PcTree::SetUp();
        sim_object *uart = add_device(uart8250_type, "com_1");
        sim_object *terminal = add(terminal_type, uart, "device");
        sim_set_outdir(sim, "/tmp");
        set(terminal, "outfile", OUT_FILE);
        value.obj = terminal;
        set_value(uart, "device", value);
        set(uart, "pio_addr", PIO_PORT_BASE | COM1);
        start();
    }
    void TearDown() override
    {
        PcTree::TearDown();
        (void)std::remove("/tmp/system.com_1.device");
    }
};

TEST_F(Uart8250, SendsWhatIsWritten)
{
    for (char c : std::string("Hi\n"))
        out(COM1, static_cast<uint8_t>(c));
    std::ifstream file("/tmp/system.com_1.device");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text, "Hi\n");
    EXPECT_EQ(stat("system.com_1.numWrites"), 3);
}

TEST_F(Uart8250, IsAlwaysReadyToSendAndHasNothingToRead)
{
    EXPECT_EQ(in(COM1 + LSR), 0x60u);
    EXPECT_EQ(in(COM1 + MSR), 0xb0u);
    EXPECT_EQ(in(COM1 + IIR), 1u);
}

TEST_F(Uart8250, HasADivisorBehindTheSameAddresses)
{
    out(COM1 + LCR, 0x80);
    out(COM1, 0x0c01, 2); // both halves at once
    EXPECT_EQ(in(COM1), 0x01u);
    EXPECT_EQ(in(COM1 + IER), 0x0cu);
    out(COM1 + LCR, 3);
    EXPECT_EQ(in(COM1 + LCR), 3u);
    EXPECT_EQ(in(COM1 + IER), 0u);
}

TEST_F(Uart8250, LoopsBackDataAndModemLines)
{
    out(COM1 + MCR, 0x1a);
    EXPECT_EQ(in(COM1 + MSR) & 0xf0, 0x90u);
    out(COM1, 0xae);
    EXPECT_EQ(in(COM1 + LSR), 0x61u);
    EXPECT_EQ(in(COM1), 0xaeu);
    EXPECT_EQ(in(COM1 + LSR), 0x60u);
}

TEST_F(Uart8250, TellsWhyItWouldInterrupt)
{
    out(COM1 + IER, 3);
    EXPECT_EQ(in(COM1 + IIR), 2u); // the transmitter is empty
    EXPECT_EQ(in(COM1 + IIR), 1u); // has been seen
    out(COM1 + MCR, 0x10);
    out(COM1, 'x');
    EXPECT_EQ(in(COM1 + IIR), 4u); // received, first
    (void)in(COM1);
    EXPECT_EQ(in(COM1 + IIR), 2u);
}

TEST_F(Uart8250, KeepsItsScratchRegister)
{
    out(COM1 + SCR, 0x5a);
    EXPECT_EQ(in(COM1 + SCR), 0x5au);
    EXPECT_EQ(in(COM1 + SCR, 2), 0xff5au); // the port behind is another's
}

} // namespace
