# SPDX-License-Identifier: BSD-3-Clause
"""
How much traffic does a memory carry?

The smallest useful machine: generators that ask, a crossbar that routes, and
memories that answer.  No processor, no program.

    gen0 --+              +-- mem0
           +--- membus ---+
    gen1 --+              +-- mem1 (with --memories=2)

Try:

    gearshift configs/example/traffic.py
    gearshift configs/example/traffic.py --period=0ns
    gearshift configs/example/traffic.py --period=0ns --memories=2
    gearshift configs/example/traffic.py --mode=random --rd-perc=50

The first asks for less than the memory can give, the second for as much as
fits, the third doubles the memory.  Afterwards look at m5out/config.svg (the
picture above, drawn from this run) and m5out/stats.txt (every number).
"""
import argparse

import m5
from m5.objects import (
    AddrRange,
    Root,
    SimpleMemory,
    SrcClockDomain,
    System,
    SystemXBar,
    TrafficGen,
    VoltageDomain,
)
from m5.stats.gem5stats import get_simstat

parser = argparse.ArgumentParser(description="Traffic into memories")
parser.add_argument(
    "--mode",
    choices=["linear", "random", "strided"],
    default="linear",
    help="order of addresses (default: %(default)s)",
)
parser.add_argument("--trace", help="play this trace on the first generator")
parser.add_argument("--generators", type=int, default=2, metavar="N")
parser.add_argument("--memories", type=int, default=1, choices=[1, 2, 4])
parser.add_argument("--requests", type=int, default=10000, metavar="N")
parser.add_argument(
    "--period",
    default="12ns",
    help="time between requests of a generator (default: %(default)s)",
)
parser.add_argument(
    "--rd-perc", type=int, default=100, help="reads in percent (the default)"
)
parser.add_argument("--outstanding", type=int, default=16, metavar="N")
parser.add_argument("--stride", default="256B")
parser.add_argument("--latency", default="30ns")
parser.add_argument("--bandwidth", default="12.8GiB/s", help="of each memory")
parser.add_argument("--size", default="512MiB", help="all memories together")
args = parser.parse_args()

# A system needs a clock.  "timing" makes latencies and contention count; the
# other modes move data only.
system = System(mem_mode="timing", mem_ranges=[AddrRange(args.size)])
system.clk_domain = SrcClockDomain(
    clock="2GHz", voltage_domain=VoltageDomain()
)

# The crossbar.  Objects become part of the system by assignment.
system.membus = SystemXBar()
system.system_port = system.membus.cpu_side_ports

# The memories.  With several of them, neighbouring blocks of 64 bytes belong
# to different memories: masks name the address bits that choose.
bits = args.memories.bit_length() - 1
whole = system.mem_ranges[0]
system.mem = [
    SimpleMemory(
        range=AddrRange(
            start=whole.start,
            size=whole.size(),
            masks=[64 << bit for bit in range(bits)],
            intlvMatch=match,
        ),
        latency=args.latency,
        bandwidth=args.bandwidth,
    )
    for match in range(args.memories)
]
for mem in system.mem:
    mem.port = system.membus.mem_side_ports

# The generators, each with a share of the addresses.
share = int(whole.size()) // args.generators // 64 * 64
system.gen = [
    TrafficGen(
        mode=args.mode,
        start=index * share,
        end=(index + 1) * share,
        stride=args.stride,
        rd_perc=args.rd_perc,
        min_period=args.period,
        max_period=args.period,
        max_requests=args.requests,
        max_outstanding=args.outstanding,
    )
    for index in range(args.generators)
]
if args.trace:
    system.gen[0].mode = "trace"
    system.gen[0].trace_file = args.trace
for gen in system.gen:
    gen.port = system.membus.cpu_side_ports

root = Root(full_system=False, system=system)
m5.instantiate()

exit_event = m5.simulate()
print(f"{exit_event.getCause()} at tick {m5.curTick()}")

# Statistics are a tree of the same shape as the objects.
stats = get_simstat(root).system
for index in range(args.generators):
    gen = stats[f"gen{index}"] if args.generators > 1 else stats["gen"]
    count = int(gen.totalReads.value + gen.totalWrites.value)
    latency = gen.totalReadLatency.value + gen.totalWriteLatency.value
    rate = (gen.readBW.value + gen.writeBW.value) / 1e9
    print(
        f"  gen{index}: {count} requests, {rate:6.2f} GB/s, "
        f"average latency {latency / count / 1000:6.1f} ns"
    )
