# SPDX-License-Identifier: BSD-3-Clause
"""
Run a Linux program, with gem5's options.

    gearshift configs/se.py -c /bin/ls -o "-l /"
    gearshift configs/se.py -c ./program --num-cpus=4 --mem-size=1GiB
    gearshift configs/se.py -c ./program -I 1000000
    gearshift configs/se.py -c ./program --take-checkpoints=1000000000
    gearshift configs/se.py -c ./program -r 1
    gearshift configs/se.py -c ./program --gears='kvm until main; atomic'
    gearshift configs/se.py -c ./program --fast-forward=1000000

For a quick run without a script there is `gearshift se PROGRAM ARGS...`.
"""
import argparse
import os
import shlex
import sys

import m5
from gearshift import checkpoints, simulation
from gearshift.cli.options import add_param_option
from gearshift.gearbox import GearBox
from gearshift.gearplan import GEARS, Plan
from m5.objects import (
    AddrRange,
    KvmVM,
    Process,
    RedirectPath,
    Root,
    SEWorkload,
    SimpleMemory,
    SrcClockDomain,
    System,
    SystemXBar,
    VoltageDomain,
)

# gem5's names of CPUs, with and without the prefix, and gears.
CPU_TYPES = {name.replace("X86", ""): gear for gear, name in GEARS.items()}
CPU_TYPES.update({name: gear for gear, name in GEARS.items()})


def parse_args():
    """gem5's names where it has them."""
    parser = argparse.ArgumentParser(description="Run a Linux program")
    add = parser.add_argument
    add("-c", "--cmd", required=True, help="program; several: a;b")
    add("-o", "--options", default="", help="its arguments; several: a;b")
    add("-e", "--env", help="file with the environment, NAME=VALUE lines")
    add("-i", "--input", default="cin", help="standard input")
    add("--output", default="cout", help="standard output")
    add("--errout", default="cerr", help="standard error")
    add("--cpu-type", choices=sorted(CPU_TYPES), default="AtomicSimpleCPU")
    add(
        "--gears",
        metavar="PLAN",
        help="change CPU models on the way (docs/gears.md), in the place of "
        "--cpu-type",
    )
    add(
        "-F",
        "--fast-forward",
        type=int,
        metavar="N",
        help="instructions on AtomicSimpleCPU before --cpu-type",
    )
    add(
        "--repeat-switch",
        type=int,
        metavar="N",
        help="change between AtomicSimpleCPU and --cpu-type every N "
        "instructions",
    )
    add("-n", "--num-cpus", type=int, default=1)
    add("--cpu-clock", default="2GHz")
    add("--sys-clock", default="1GHz")
    add("--mem-size", default="512MiB")
    add("-I", "--maxinsts", type=int, default=0, metavar="N")
    add("-m", "--abs-max-tick", type=int, default=m5.MaxTick, metavar="T")
    add(
        "--redirects",
        action="append",
        default=[],
        metavar="APP=HOST",
        help="programs find HOST under the name APP",
    )
    add("--allow-write", action="append", default=[], metavar="PATH")
    add_param_option(parser)
    checkpoints.add_options(parser)
    return parser.parse_args()


def gear_plan(args):
    """The CPU models and when they change."""
    gear = CPU_TYPES[args.cpu_type]
    texts = {
        "gears": args.gears,
        "fast_forward": f"atomic {args.fast_forward} insts; {gear}",
        "repeat_switch": f"repeat (atomic {args.repeat_switch} insts; "
        f"{gear} {args.repeat_switch} insts)",
    }
    given = [name for name in texts if getattr(args, name) is not None]
    if len(given) > 1:
        sys.exit("give one of --gears, --fast-forward, --repeat-switch")
    return Plan(texts[given[0]] if given else gear), bool(given)


def make_processes(args):
    """One process per command."""
    commands = args.cmd.split(";")
    options = args.options.split(";") + [""] * len(commands)
    env = [f"{name}={value}" for name, value in os.environ.items()]
    if args.env:
        with open(args.env, encoding="utf-8") as file:
            env = [line.rstrip("\n") for line in file]
    return [
        Process(
            pid=100 + index,
            pgid=100 + index,
            cmd=[command] + shlex.split(options[index]),
            env=env,
            cwd=os.getcwd(),
            input=args.input,
            output=args.output,
            errout=args.errout,
        )
        for index, command in enumerate(commands)
    ]


def make_system(args, box):
    """CPUs, a crossbar and a memory."""
    processes = make_processes(args)
    system = box.system = System(mem_ranges=[AddrRange(args.mem_size)])
    system.voltage_domain = VoltageDomain()
    system.clk_domain = SrcClockDomain(
        clock=args.sys_clock, voltage_domain=system.voltage_domain
    )
    system.cpu_clk_domain = SrcClockDomain(
        clock=args.cpu_clock, voltage_domain=system.voltage_domain
    )
    system.workload = SEWorkload.init_compatible(processes[0].cmd[0])
    system.workload.allow_write = args.allow_write
    system.workload.redirect_paths = [
        RedirectPath(app_path=app, host_paths=[os.path.abspath(host)])
        for app, host in (text.split("=", 1) for text in args.redirects)
    ]
    system.membus = SystemXBar()
    system.system_port = system.membus.cpu_side_ports
    system.mem = SimpleMemory(range=system.mem_ranges[0])
    system.mem.port = system.membus.mem_side_ports
    box.add_cpus(
        lambda cls, standby: [
            cls(
                cpu_id=i,
                clk_domain=system.cpu_clk_domain,
                switched_out=standby,
            )
            for i in range(args.num_cpus)
        ]
    )
    if "kvm" in box.cpus:
        system.kvm_vm = KvmVM()
    for index, cpu in enumerate(system.cpu):
        cpu.workload = processes[index :: args.num_cpus]
        cpu.max_insts_any_thread = args.maxinsts
        cpu.createThreads()
        cpu.createInterruptController()
        cpu.connectBus(system.membus)
    return system


if __name__ in ("__main__", "__m5_main__"):
    arguments = parse_args()
    plan = checkpoints.Plan(arguments, m5.options.outdir)
    gears, has_gears = gear_plan(arguments)
    if has_gears and plan.points:
        sys.exit("checkpoints are taken without changes of gear")
    gearbox = GearBox(None, gears)
    root = Root(full_system=False, system=make_system(arguments, gearbox))
    root.apply_config(arguments.param)
    m5.instantiate(plan.restore_from)
    if has_gears:
        if arguments.abs_max_tick != m5.MaxTick:
            m5.setMaxTick(arguments.abs_max_tick)
        event = gearbox.run(simulation.default())
        print(gearbox.report())
    else:
        event = plan.run(
            simulation.default(), root.system.cpu[0], arguments.abs_max_tick
        )
    print(f"Exiting @ tick {m5.curTick()} because {event.getCause()}")
    sys.exit(event.getCode())
