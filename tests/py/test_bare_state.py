# SPDX-License-Identifier: BSD-3-Clause
"""Bare machines in checkpoints, and when CPUs change: nothing is lost."""

import pytest

from conftest import ROOT

GUEST = ROOT / "build" / "guest" / "kernel"

MACHINE = """
import sys
import m5
from m5.objects import *

def build(image, cpus=1, spare=False):
    system = System(mem_ranges=[AddrRange("16MiB")])
    system.clk_domain = SrcClockDomain(
        clock="1GHz", voltage_domain=VoltageDomain()
    )
    system.membus = SystemXBar()
    system.system_port = system.membus.cpu_side_ports
    system.mem = SimpleMemory(range=system.mem_ranges[0])
    system.mem.port = system.membus.mem_side_ports
    system.terminal = Terminal(outfile="stdoutput")
    system.devices = [
        PcDebugConsole(device=system.terminal), PcExitDevice(), PcTestDevice()
    ]
    for device in system.devices:
        device.pio = system.membus.mem_side_ports
    system.cpu = [X86AtomicSimpleCPU(cpu_id=i) for i in range(cpus)]
    if spare:
        system.spare = [
            X86AtomicSimpleCPU(cpu_id=i, switched_out=True)
            for i in range(cpus)
        ]
    for cpu in system.cpu:
        cpu.createInterruptController()
        cpu.connectBus(system.membus)
    system.workload = X86BareMetalWorkload(object_file=image)
    return Root(full_system=True, system=system)
"""

# Long enough to meet every part of the kernels.
PERIODS = [1_000_000, 7_777_777]


def script(runner, text):
    """What the machine printed and how the run ended."""
    done = runner.script(MACHINE + text)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name, cpus", [("apic", 1), ("smp", 3)])
@pytest.mark.parametrize("period", PERIODS)
def test_a_machine_goes_on_from_its_checkpoints(runner, name, cpus, period):
    """Saved and loaded again every so many ticks."""
    build = f"root = build({str(GUEST / name)!r}, {cpus})\n"
    tail = "event = m5.simulate()\nprint(event.getCause(), event.getCode())\n"
    whole = script(runner, build + "m5.instantiate()\n" + tail)
    assert "exit port written 1" in whole
    step = (
        f"event = m5.simulate({period})\n"
        "print(event.getCause(), event.getCode())\n"
        "if 'limit' in event.getCause(): m5.checkpoint('cpt')\n"
    )
    output = script(runner, build + "m5.instantiate()\n" + step)
    for _ in range(4):
        if "exit port" in output:
            break
        output += script(runner, build + "m5.instantiate('cpt')\n" + step)
    if "exit port" not in output:
        output += script(runner, build + "m5.instantiate('cpt')\n" + tail)
    lines = [
        line
        for line in output.splitlines()
        if "limit" not in line and not line.startswith("info:")
    ]
    assert lines == whole.splitlines()


@pytest.mark.parametrize("name, cpus", [("apic", 1), ("smp", 3)])
@pytest.mark.parametrize("period", PERIODS)
def test_other_cpus_take_over_a_machine(runner, name, cpus, period):
    """Back and forth until it ends; the interrupt controllers move along."""
    output = script(
        runner,
        f"root = build({str(GUEST / name)!r}, {cpus}, spare=True)\n"
        "m5.instantiate()\n"
        "old, new = list(root.system.cpu), list(root.system.spare)\n"
        "changes = 0\n"
        "while True:\n"
        f"    event = m5.simulate({period})\n"
        "    if 'limit' not in event.getCause(): break\n"
        "    m5.switchCpus(root.system, list(zip(old, new)))\n"
        "    old, new = new, old\n"
        "    changes += 1\n"
        "print(event.getCause(), event.getCode(), changes > 2)\n",
    )
    assert "exit port written 1 True" in output
