# SPDX-License-Identifier: BSD-3-Clause
"""
Change gear again and again: a short sample every now and then.

    fast --period--> sample --insts--> fast --period--> sample --> ...

Try:

    gearshift configs/example/switch_gears.py ./program
    gearshift configs/example/switch_gears.py --period=10ms --insts=100000 P
    gearshift configs/example/switch_gears.py --cpu=atomic ./program

What this script does by hand a gear plan does in a line:

    gearshift se --gears 'repeat (kvm 1ms; atomic 50K insts)' ./program

By hand there is room for more: here, each sample's mix of instructions.
"""
import argparse
import sys

import m5
from m5.objects import X86AtomicSimpleCPU

from gearshift import simulation

m5.util.addToPath("../lib")
from se_machine import FAST_CHOICES, fast_class, make_root  # noqa: E402

parser = argparse.ArgumentParser(description="Take samples of a program")
parser.add_argument("--cpu", choices=FAST_CHOICES, default="auto")
parser.add_argument("--period", default="1ms", help="simulated, between two")
parser.add_argument("--insts", type=int, default=50_000, help="of a sample")
parser.add_argument("command", nargs=argparse.REMAINDER)
args = parser.parse_args()

root = make_root(args.command, fast_class(args.cpu), X86AtomicSimpleCPU)
system = root.system
fast, sampled = system.cpu, system.cpus_2
m5.instantiate()
sim = simulation.default()
period = sim.seconds(args.period)


def count(name):
    """A counter of the sampled processor since the last reset."""
    stats = f"{sampled[0].path()}.{name}"
    return int(sim.stat(stats)["value"])


print("    tick of the sample  instructions  loads  stores  branches")
while True:
    m5.scheduleTickExitFromCurrent(period, "time for a sample")
    event = m5.simulate()
    if event.getCause() != "time for a sample":
        break
    m5.switchCpus(system, list(zip(fast, sampled)), verbose=False)
    m5.stats.reset()
    start = m5.curTick()
    sampled[0].scheduleInstStop(0, args.insts, "sampled")
    event = m5.simulate()
    insts = max(1, count("commitStats0.numInsts"))
    print(
        f"{start:22d}  {insts:12d}"
        f"  {100 * count('commitStats0.numLoadInsts') / insts:4.0f}%"
        f"  {100 * count('commitStats0.numStoreInsts') / insts:5.0f}%"
        f"  {100 * count('executeStats0.numBranches') / insts:7.0f}%"
    )
    if event.getCause() != "sampled":
        break
    m5.switchCpus(system, list(zip(sampled, fast)), verbose=False)
print(f"{event.getCause()} @ tick {m5.curTick()}")
sys.exit(event.getCode())
