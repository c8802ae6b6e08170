# SPDX-License-Identifier: BSD-3-Clause
"""
Samples in parallel: the parent goes fast, each child looks at one sample.

    parent  fast ----+-------+-------+----> end of the program
                     |       |       |
    children         sample  sample  sample       m5out.f1, m5out.f2, ...

m5.fork() copies the whole simulation; memory is shared until one of the two
writes to it.  The child has an output directory of its own, changes gear,
runs its sample, dumps its statistics and leaves.  At most --jobs children
live at a time.

Try:

    gearshift configs/example/parallel_fork.py ./program
    gearshift configs/example/parallel_fork.py --period=50ms --jobs=4 ./program
    gearshift configs/example/parallel_fork.py --cpu=atomic ./program

What the program prints while a child looks at it goes to a file in the
child's directory; the parent prints it once.
"""
import argparse
import os
import sys

import m5
from m5.objects import X86AtomicSimpleCPU

from gearshift import simulation

m5.util.addToPath("../lib")
from se_machine import FAST_CHOICES, fast_class, make_root  # noqa: E402

parser = argparse.ArgumentParser(description="Take samples in parallel")
parser.add_argument("--cpu", choices=FAST_CHOICES, default="auto")
parser.add_argument("--period", default="5ms", help="simulated")
parser.add_argument("--insts", type=int, default=50_000, help="of a sample")
parser.add_argument("--jobs", type=int, default=os.cpu_count())
parser.add_argument("command", nargs=argparse.REMAINDER)
args = parser.parse_args()

root = make_root(args.command, fast_class(args.cpu), X86AtomicSimpleCPU)
system = root.system
fast, sampled = system.cpu, system.cpus_2
m5.instantiate()
period = simulation.default().seconds(args.period)


def run_sample():
    """In the child: never returns."""
    system.workload.redirect_outputs(f"{m5.options.outdir}/output.txt")
    m5.switchCpus(system, list(zip(fast, sampled)), verbose=False)
    m5.stats.reset()
    sampled[0].scheduleInstStop(0, args.insts, "sampled")
    m5.simulate()
    m5.stats.dump()
    sys.stdout.flush()
    os._exit(0)


def wait_for_one():
    """The oldest child ends, well."""
    pid, status = os.waitpid(children.pop(0), 0)
    if status:
        sys.exit(f"sample {pid} failed: status {status}")


children = []
samples = 0
while True:
    m5.scheduleTickExitFromCurrent(period, "time for a sample")
    event = m5.simulate()
    if event.getCause() != "time for a sample":
        break
    while len(children) >= args.jobs:
        wait_for_one()
    sys.stdout.flush()
    child = m5.fork()
    if child == 0:
        run_sample()
    children.append(child)
    samples += 1
while children:
    wait_for_one()
print(f"{event.getCause()} @ tick {m5.curTick()}: {samples} samples")
sys.exit(event.getCode())
