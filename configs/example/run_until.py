# SPDX-License-Identifier: BSD-3-Clause
"""
The ways to say where a run ends: a function, an address, a time, a number of
instructions.

    --at PLACE[*COUNT]   main, libc:write, main+0x10, 0x401000; with *3: when
                         it is reached the third time
    --tick T             an absolute tick
    --insts N            instructions of the first processor, exact; KVM does
                         not count them
    (none)               the end of the program

Try:

    gearshift configs/example/run_until.py --at=main --at=libc:write*3 ls -l
    gearshift configs/example/run_until.py --tick=20000000 ls -l
    gearshift configs/example/run_until.py --cpu=atomic --insts=100000 ls -l

All may be given at once, and --at several times: whatever comes first ends a
run, its cause says which it was, and the next run goes on from there.
"""
import argparse
import sys

import m5

m5.util.addToPath("../lib")
from se_machine import FAST_CHOICES, fast_class, make_root  # noqa: E402

parser = argparse.ArgumentParser(description="Stop a program on its way")
parser.add_argument("--cpu", choices=FAST_CHOICES, default="auto")
parser.add_argument("--at", action="append", default=[], metavar="PLACE")
parser.add_argument("--tick", type=int)
parser.add_argument("--insts", type=int)
parser.add_argument("command", nargs=argparse.REMAINDER)
args = parser.parse_args()

root = make_root(args.command, fast_class(args.cpu))
system = root.system
m5.instantiate()

stops = []
for text in args.at:
    place, _, times = text.partition("*")
    stops.append(system.workload.stop_at(place, count=int(times or 1)))
if args.tick is not None:
    m5.scheduleTickExitAbsolute(args.tick, "reached the tick")
if args.insts is not None:
    system.cpu[0].scheduleInstStop(0, args.insts, "reached the instruction")

event = m5.simulate()
while event.getCause().startswith("reached"):
    print(f"{event.getCause()} @ tick {m5.curTick()}", flush=True)
    event = m5.simulate()
print(f"{event.getCause()} @ tick {m5.curTick()}")
for stop in stops:
    print(f"  {stop.cause}: {stop.hits} times")
sys.exit(event.getCode())
