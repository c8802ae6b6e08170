# SPDX-License-Identifier: BSD-3-Clause
"""gearshift se: run one Linux program."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from typing import Any, List, Optional

from gearshift import checkpoints, gearplan
from gearshift.cli.options import add_param_option

HELP = "run a Linux program"

_LAST_THREAD = "exiting with last active thread context"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gearshift se",
        description="Run a Linux program in the simulator. The exit status "
        "is the program's.",
    )
    add = parser.add_argument
    add(
        "--cpu",
        choices=[*gearplan.GEARS, "auto"],
        default="atomic",
        help="CPU model; auto: kvm where it can be used, else atomic",
    )
    add(
        "--gears",
        metavar="PLAN",
        help="change CPU models on the way, such as "
        "'kvm until main; atomic 10M insts; kvm' (docs/gears.md)",
    )
    add("--cpus", type=int, metavar="N", help="number of CPUs")
    add("--mem", metavar="SIZE", help="guest RAM")
    add("--clock", default="3GHz", metavar="FREQ", help="of the CPUs")
    add("--model", default="host", metavar="NAME", help="what CPUID tells")
    add(
        "--start-time",
        type=int,
        metavar="SECONDS",
        help="wall clock of the program at the start, since 1970",
    )
    add("--max-insts", type=int, default=0, metavar="N", help="stop after N")
    add("--outdir", metavar="DIR", help="write configuration and stats here")
    add(
        "--allow-write",
        action="append",
        default=[],
        metavar="PATH",
        help="the program may change what is below",
    )
    add_param_option(parser)
    add("--debug-flags", default="", metavar="FLAG[,FLAG]")
    add("--debug-file", default="cerr", metavar="FILE")
    checkpoints.add_options(parser)
    add("program", nargs="?")
    add("args", nargs=argparse.REMAINDER)
    return parser


def _parse(argv: List[str]) -> Any:
    """The options; a restored machine is like the one that was saved."""
    parser = _parser()
    options = parser.parse_args(argv)
    options.plan = plan = checkpoints.Plan(options, options.outdir)
    if not options.program and not plan.restore_from:
        parser.error("the following arguments are required: program")
    if options.gears is not None and plan.points:
        parser.error("--gears and --take-checkpoints exclude each other")
    cpus, ram = 1, 2 << 30
    if plan.restore_from:
        cpus, ram = checkpoints.machine(plan.restore_from)
    if options.cpus is None:
        options.cpus = cpus
    if options.cpus < 1:
        parser.error("--cpus: there must be one at least")
    options.mem = options.mem or f"{ram}B"
    return options


def _program(name: str) -> str:
    """The file of a program as a shell would find it."""
    found: Optional[str] = name
    if "/" not in name:
        found = shutil.which(name)
    return os.path.abspath(found or name)


def _process(options: Any) -> Any:
    from gearshift import objects as types

    if not options.program:
        return types.Process()
    return types.Process(
        executable=_program(options.program),
        cmd=[options.program] + options.args,
        env=[f"{name}={value}" for name, value in os.environ.items()],
        cwd=os.getcwd(),
        uid=os.getuid(),
        euid=os.geteuid(),
        gid=os.getgid(),
        egid=os.getegid(),
    )


def _gears(options: Any) -> gearplan.Plan:
    """The plan of --gears, or one of --cpu."""
    from gearshift.gearbox import kvm_refusal

    if options.gears is not None:
        return gearplan.Plan(options.gears)
    gear = options.cpu
    if gear == "auto":
        why = kvm_refusal()
        gear = "atomic" if why else "kvm"
        if why:
            print(
                f"gearshift: --cpu=auto takes atomic: {why}", file=sys.stderr
            )
    return gearplan.Plan(gear)


def _build(options: Any, box: Any) -> Any:
    from gearshift import AddrRange
    from gearshift import objects as types

    system = box.system = types.System(mem_ranges=[AddrRange(options.mem)])
    system.clk_domain = types.SrcClockDomain(
        clock=options.clock, voltage_domain=types.VoltageDomain()
    )
    system.membus = types.SystemXBar()
    system.system_port = system.membus.cpu_side_ports
    system.mem = types.SimpleMemory(range=system.mem_ranges[0])
    system.mem.port = system.membus.mem_side_ports
    system.workload = types.X86EmuLinux(allow_write=options.allow_write)
    if options.start_time is not None:
        system.workload.start_time = options.start_time
    box.add_cpus(
        lambda cls, standby: [
            cls(cpu_id=i, model=options.model, switched_out=standby)
            for i in range(options.cpus)
        ]
    )
    if "kvm" in box.cpus:
        system.kvm_vm = types.KvmVM()
    for cpu in system.cpu:
        cpu.connectBus(system.membus)
    system.cpu[0].workload = [_process(options)]
    system.cpu[0].max_insts_any_thread = options.max_insts
    return types.Root(full_system=False, system=system)


def _run(options: Any, outdir: str) -> int:
    from gearshift import Simulation, debug
    from gearshift.gearbox import OVER, GearBox

    if options.debug_flags:
        debug.output(options.debug_file)
        debug.set_flags(options.debug_flags)
    box = GearBox(None, _gears(options))
    root = _build(options, box)
    root.apply_config(options.param)
    simulation = Simulation(root, outdir=outdir)
    simulation.instantiate(options.plan.restore_from)
    if options.gears is not None:
        event = box.run(simulation)
    else:
        event = options.plan.run(simulation, simulation.root.system.cpu[0])
    sys.stdout.flush()
    if event.getCause() not in (_LAST_THREAD, OVER):
        print(f"gearshift: {event.getCause()}", file=sys.stderr)
    if options.gears is not None:
        print(box.report(), file=sys.stderr)
    return event.getCode()


def _keep_quiet() -> None:
    """No files are wanted."""
    from gearshift import settings

    settings.dump_config = settings.json_config = settings.dot_config = ""
    settings.stats_file = []


def main(argv: List[str]) -> int:
    """The command."""
    options = _parse(argv)
    if options.outdir:
        return _run(options, options.outdir)
    _keep_quiet()
    with tempfile.TemporaryDirectory(prefix="gearshift-") as outdir:
        return _run(options, outdir)
