# SPDX-License-Identifier: BSD-3-Clause
"""gearshift bare: run an image on a bare PC."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from typing import Any, List

from gearshift.cli.options import add_param_option

HELP = "run an image on a bare PC"

_CPUS = {"atomic": "X86AtomicSimpleCPU", "kvm": "X86KvmCPU"}
_LOW_END = 0xC0000000  # RAM ends here and goes on at 4 GiB

# Exit status by cause; others give the code of the exit event.
_STATUS = {
    "processor shutdown after a triple fault": 100,
    "simulate() limit reached": 101,
    "a thread reached the max instruction count": 102,
    "Tick exit reached": 102,
}


def _number(text: str) -> int:
    return int(text, 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gearshift bare",
        description="Run a Multiboot kernel or a flat image on bare "
        "processors with a serial port (0x3F8), a debug console (0xE9) and "
        "exit ports (0xF4, 0x604, 0x8900).",
        epilog="Exit status: (value << 1) | 1 of a write to port 0xF4; 0 "
        "after power-off or m5_exit; the code of m5_fail; 100 after a triple "
        "fault, 101 if all processors wait for ever, 102 at a limit.",
    )
    add = parser.add_argument
    add("--cpu", choices=sorted(_CPUS), default="atomic", help="CPU model")
    add("--cpus", type=int, default=1, metavar="N", help="number of CPUs")
    add(
        "--ring0",
        choices=["auto", "kvm", "simulated"],
        default="auto",
        help="who executes ring 0 with --cpu=kvm",
    )
    add("--mem", default="128MiB", metavar="SIZE", help="guest RAM")
    add("--clock", default="3GHz", metavar="FREQ", help="of the CPUs")
    add("--model", default="host", metavar="NAME", help="what CPUID tells")
    add("--format", choices=["auto", "flat", "multiboot"], default="auto")
    add(
        "--entry-mode",
        choices=["reset", "real", "protected", "long"],
        default="real",
        help="how a flat image begins",
    )
    add("--load-addr", type=_number, default=0x7C00, metavar="ADDR")
    add("--entry", type=_number, default=0, metavar="ADDR")
    add("--append", default="", metavar="TEXT", help="command line")
    add("--readfile", default="", metavar="FILE", help="for m5 readfile")
    add("--test-device", action="store_true", help="add a PcTestDevice")
    add("--max-insts", type=int, default=0, metavar="N", help="stop after N")
    add("--outdir", metavar="DIR", help="write configuration and stats here")
    add_param_option(parser)
    add("--debug-flags", default="", metavar="FLAG[,FLAG]")
    add("--debug-file", default="cerr", metavar="FILE")
    add("image")
    return parser


def _firmware_size(options: Any) -> int:
    """Bytes that an image at the reset vector needs, in whole pages."""
    if options.entry_mode != "reset" or not os.path.isfile(options.image):
        return 0
    return -(-os.path.getsize(options.image) // 4096) * 4096


def _add_memory(system: Any, options: Any) -> None:
    from gearshift import AddrRange
    from gearshift import objects as types
    from gearshift.convert import toMemorySize

    size = toMemorySize(options.mem)
    low = min(size, _LOW_END)
    rom = _firmware_size(options)
    system.mem_ranges = [AddrRange(start=0, size=low)]
    if size > low:
        system.mem_ranges.append(AddrRange(start=1 << 32, size=size - low))
    if rom:
        system.mem_ranges.append(AddrRange(start=(1 << 32) - rom, size=rom))
    system.mem = [types.SimpleMemory(range=r) for r in system.mem_ranges]
    for mem in system.mem:
        mem.port = system.membus.mem_side_ports


def _add_devices(system: Any, options: Any) -> None:
    from gearshift import objects as types

    system.terminal = types.Terminal(outfile="stdoutput")
    system.com_1 = types.Uart8250(device=system.terminal)
    system.debug_console = types.PcDebugConsole(device=system.terminal)
    system.exit_device = types.PcExitDevice()
    system.fw_cfg = types.QemuFwCfgIo(num_cpus=options.cpus)
    devices = [system.com_1, system.debug_console, system.exit_device]
    devices.append(system.fw_cfg)
    if options.test_device:
        system.test_device = types.PcTestDevice()
        devices.append(system.test_device)
    for device in devices:
        device.pio = system.membus.mem_side_ports


def _add_cpus(system: Any, options: Any) -> None:
    from gearshift import objects as types

    cpu_type = getattr(types, _CPUS[options.cpu])
    if options.cpu == "kvm":
        system.kvm_vm = types.KvmVM(ring0=options.ring0)
    system.cpu = [
        cpu_type(cpu_id=i, model=options.model) for i in range(options.cpus)
    ]
    for cpu in system.cpu:
        cpu.createInterruptController()
        cpu.connectBus(system.membus)
    system.cpu[0].max_insts_any_thread = options.max_insts


def _build(options: Any) -> Any:
    from gearshift import objects as types

    system = types.System(readfile=options.readfile)
    system.clk_domain = types.SrcClockDomain(
        clock=options.clock, voltage_domain=types.VoltageDomain()
    )
    system.membus = types.SystemXBar()
    system.system_port = system.membus.cpu_side_ports
    system.workload = types.X86BareMetalWorkload(
        object_file=options.image,
        command_line=options.append,
        format=options.format,
        entry_mode=options.entry_mode,
        load_addr=options.load_addr,
        entry=options.entry,
    )
    _add_memory(system, options)
    _add_devices(system, options)
    _add_cpus(system, options)
    root = types.Root(full_system=True, system=system)
    root.apply_config(options.param)
    return root


def _run(options: Any, outdir: str) -> int:
    from gearshift import Simulation, debug

    if options.debug_flags:
        debug.output(options.debug_file)
        debug.set_flags(options.debug_flags)
    simulation = Simulation(_build(options), outdir=outdir)
    simulation.instantiate()
    event = simulation.simulate()
    status = _STATUS.get(event.getCause(), event.getCode() & 0xFF)
    if event.getCause() in _STATUS:
        print(f"gearshift: {event.getCause()}", file=sys.stderr)
    return status


def _keep_quiet() -> None:
    """No files are wanted."""
    from gearshift import settings

    settings.dump_config = settings.json_config = settings.dot_config = ""
    settings.stats_file = []


def main(argv: List[str]) -> int:
    """The command."""
    options = _parser().parse_args(argv)
    if options.outdir:
        return _run(options, options.outdir)
    _keep_quiet()
    with tempfile.TemporaryDirectory(prefix="gearshift-") as outdir:
        return _run(options, outdir)
