# SPDX-License-Identifier: BSD-3-Clause
"""
Go fast to the interesting part, look at it, go fast to the end.

    KVM, or atomic ----> measured part ----> KVM, or atomic
       until --roi         --insts              to the end

Try:

    gearshift configs/example/fast_forward.py /bin/ls -l
    gearshift configs/example/fast_forward.py --roi=qsort sort FILE
    gearshift configs/example/fast_forward.py --cpu=atomic /bin/ls

The first set of processors runs from the start.  The second one stands by
(switched_out=True) until m5.switchCpus() gives it the threads of the first:
registers, address spaces, everything that the program can see.  Statistics
are reset before the measured part and dumped behind it, so that the first
block of m5out/stats.txt is about nothing else.
"""
import argparse
import sys

import m5
from m5.objects import X86AtomicSimpleCPU

m5.util.addToPath("../lib")
from se_machine import FAST_CHOICES, fast_class, make_root  # noqa: E402

parser = argparse.ArgumentParser(description="Measure a part of a program")
parser.add_argument("--cpu", choices=FAST_CHOICES, default="auto")
parser.add_argument("--roi", default="main", help="function to measure from")
parser.add_argument("--insts", type=int, default=1_000_000)
parser.add_argument("command", nargs=argparse.REMAINDER)
args = parser.parse_args()

root = make_root(args.command, fast_class(args.cpu), X86AtomicSimpleCPU)
system = root.system
fast, measured = system.cpu, system.cpus_2
m5.instantiate()

# A stop waits for the file that has the function; the run ends there.
stop = system.workload.stop_at(args.roi)
event = m5.simulate()
print(f"{event.getCause()} @ tick {m5.curTick()}")
if not stop.is_over:
    sys.exit(f"the program has never come to {args.roi}")

# Shift down.  The new processors count their instructions from 0.
m5.switchCpus(system, list(zip(fast, measured)))
m5.stats.reset()
measured[0].scheduleInstStop(0, args.insts, "measured")
event = m5.simulate()
m5.stats.dump()
print(f"{event.getCause()}: {measured[0].totalInsts()} instructions")

# Shift up.
if event.getCause() == "measured":
    m5.switchCpus(system, list(zip(measured, fast)))
    event = m5.simulate()
print(f"{event.getCause()} @ tick {m5.curTick()}")
sys.exit(event.getCode())
