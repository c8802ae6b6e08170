#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
What a change of gear costs, beyond one exit of KVM.

A program that keeps all register files busy runs under KVM and stops at a
function that it calls every 50 us or so.  From every other stop the simulation
goes straight on; from the others it changes to the functional CPU, executes
one instruction there and changes back.  The difference is two changes.
Figures are CPU seconds of this process, so that other load on the machine
disturbs them little.
"""
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, List

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / os.environ.get("GEARSHIFT_VARIANT", "opt")
for folder in ("python/compat", "python"):
    sys.path.insert(0, str(BUILD / folder))

import gearshift  # noqa: E402
from gearshift import objects as types  # noqa: E402
from gearshift.gearbox import kvm_refusal  # noqa: E402
from gearshift.switch import switch_cpus  # noqa: E402

GEARS = ROOT / "build" / "guest" / "c" / "gears"
STOPS = 1200


def make_system() -> Any:
    """One processor of each kind."""
    system = types.System(mem_ranges=[gearshift.AddrRange("512MiB")])
    system.clk_domain = types.SrcClockDomain(
        clock="3GHz", voltage_domain=types.VoltageDomain()
    )
    system.membus = types.SystemXBar()
    system.mem = types.SimpleMemory(range=system.mem_ranges[0])
    system.mem.port = system.membus.mem_side_ports
    system.mem_mode = "atomic_noncaching"
    system.workload = types.X86EmuLinux()
    system.kvm_vm = types.KvmVM()
    system.cpu = types.X86KvmCPU()
    system.other = types.X86AtomicSimpleCPU(switched_out=True)
    system.cpu.workload = [
        types.Process(
            cmd=[str(GEARS), "1", "1000000"],
            executable=str(GEARS),
            output="/dev/null",
        )
    ]
    return system


def change(sim: Any, system: Any) -> None:
    """To the functional CPU, one instruction, and back."""
    switch_cpus(sim, system, [(system.cpu, system.other)])
    system.other.scheduleInstStop(0, 1, "one")
    sim.simulate()
    switch_cpus(sim, system, [(system.other, system.cpu)])


def costs(outdir: str) -> List[List[float]]:
    """CPU seconds from one stop to the next: without changes, with two."""
    system = make_system()
    root = types.Root(full_system=False, system=system)
    sim = gearshift.Simulation(root, outdir=outdir)
    sim.instantiate()
    system.workload.stop_at("round_done", repeats=True)
    found: List[List[float]] = [[], []]
    for number in range(STOPS):
        begin = time.process_time()
        if number % 2:
            change(sim, system)
        event = sim.simulate()
        assert event.getCause() == "reached round_done", event
        found[number % 2].append(time.process_time() - begin)
    return [sorted(times[STOPS // 20 :]) for times in found]


def main() -> int:
    """The table."""
    why = kvm_refusal()
    if why:
        print(f"skipped: no KVM: {why}")
        return 0
    gearshift.settings.quiet = True
    gearshift.settings.dump_config = ""
    gearshift.settings.json_config = gearshift.settings.dot_config = ""
    gearshift.settings.stats_file = []
    if not GEARS.exists():
        print(f"skipped: {GEARS} is not built (scons guest)")
        return 0
    with tempfile.TemporaryDirectory() as outdir:
        runs = costs(outdir)
    print("from stop to stop, in us   median   p90")
    for name, run in zip(("straight on", "two changes"), runs):
        p90 = run[len(run) * 9 // 10]
        print(f"{name:25s}{statistics.median(run) * 1e6:8.0f}{p90 * 1e6:6.0f}")
    medians = [statistics.median(run) for run in runs]
    print(f"a change                 {(medians[1] - medians[0]) / 2e-6:8.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
