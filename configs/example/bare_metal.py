# SPDX-License-Identifier: BSD-3-Clause
"""
What happens when software meets a bare machine?

The smallest useful PC: processors with their local APICs, RAM, a serial port
and a device that ends the run.  No operating system is emulated; the image
starts on the first processor as after power-on.

    cpu0..n --+             +-- mem
              +--- membus --+-- com_1 --- terminal
     (ports at 1 << 63)     +-- exit_device

Try:

    scons guest
    gearshift configs/example/bare_metal.py build/guest/flat/hello16
    gearshift configs/example/bare_metal.py build/guest/kernel/smp --cpus=4
    gearshift configs/example/bare_metal.py build/guest/flat/long \\
        --entry-mode=long --load-addr=0x200000

The first is a boot sector, the second a Multiboot kernel that starts all
processors by INIT and SIPI, the third begins in 64-bit mode and asks for
pseudo operations.  `gearshift bare IMAGE` is the same as a command.
"""
import argparse

import m5
from m5.objects import (
    AddrRange,
    PcDebugConsole,
    PcExitDevice,
    Root,
    SimpleMemory,
    SrcClockDomain,
    System,
    SystemXBar,
    Terminal,
    Uart8250,
    VoltageDomain,
    X86AtomicSimpleCPU,
    X86BareMetalWorkload,
)

parser = argparse.ArgumentParser(description="Run an image on a bare PC")
parser.add_argument("image", help="a flat image or a Multiboot kernel")
parser.add_argument(
    "--entry-mode",
    default="real",
    choices=["real", "protected", "long"],
    help="how a flat image begins (default: %(default)s)",
)
parser.add_argument(
    "--load-addr",
    type=lambda text: int(text, 0),
    default=0x7C00,
    help="where a flat image goes (default: 0x7c00)",
)
parser.add_argument("--cpus", type=int, default=1, metavar="N")
parser.add_argument("--mem", default="128MiB", metavar="SIZE")
args = parser.parse_args()

system = System(mem_ranges=[AddrRange(args.mem)])
system.clk_domain = SrcClockDomain(
    clock="3GHz", voltage_domain=VoltageDomain()
)

# One crossbar for RAM, devices and I/O ports: port P is at address
# (1 << 63) + P, where no program's memory access can go.
system.membus = SystemXBar()
system.system_port = system.membus.cpu_side_ports
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports

# Devices.  The terminal prints what the serial port and the debug console
# send.
system.terminal = Terminal(outfile="stdoutput")
system.com_1 = Uart8250(device=system.terminal)
system.debug_console = PcDebugConsole(device=system.terminal)
system.exit_device = PcExitDevice()
for device in (system.com_1, system.debug_console, system.exit_device):
    device.pio = system.membus.mem_side_ports

# Processors.  Number 0 begins, the others wait for a start-up message.
system.cpu = [X86AtomicSimpleCPU(cpu_id=i) for i in range(args.cpus)]
for cpu in system.cpu:
    cpu.createInterruptController()
    cpu.connectBus(system.membus)

# The image, and how it starts.
system.workload = X86BareMetalWorkload(
    object_file=args.image,
    entry_mode=args.entry_mode,
    load_addr=args.load_addr,
)

root = Root(full_system=True, system=system)
m5.instantiate()

exit_event = m5.simulate()
print(
    f"{m5.curTick()} ps: {exit_event.getCause()}, code {exit_event.getCode()}"
)
