#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Speed of `gearshift se` on classes of code, beside the host and qemu-user.

Figures are CPU seconds of child processes, so that other load on the machine
disturbs them little; what one round takes is taken off, and with it the start.
Of string instructions, their iterations are counted.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, NamedTuple, Optional

ROOT = Path(__file__).resolve().parent.parent.parent
GUEST = ROOT / "build" / "guest" / "c"
REPEATS = 2


class Kind(NamedTuple):
    """A class of code: the program that stands for it, and how long."""

    name: str
    program: str
    rounds: int
    repeats: int = 0  # of string instructions per round, instead of insts


KINDS = [
    Kind("heap sort", "bench_sort", 20),
    Kind("hash table", "bench_hash", 20),
    Kind("compressor", "bench_compress", 12),
    Kind("interpreter", "bench_interp", 10),
    Kind("calls, returns", "bench_calls", 50),
    Kind("SSE2 packed", "bench_sse", 30),
    Kind("SSE2 scalar", "bench_scalar_fp", 8),
    Kind("AVX2, FMA", "bench_avx", 80),
    Kind("x87", "bench_x87", 5),
    Kind("string instr.", "bench_string", 20, 22_800_000),
    Kind("code rewritten", "bench_jit", 3),
]


class Cost(NamedTuple):
    """What one run took."""

    seconds: float
    kib: int  # largest resident set


def cost_of(argv: List[str]) -> Cost:
    """Run to the end; the cheapest of some runs."""
    costs = []
    for _ in range(REPEATS):
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{argv} ends with {process.returncode}")
        costs.append(Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
    return min(costs)


def insts_of(gearshift: str, argv: List[str]) -> int:
    """How many instructions the guest executes."""
    with tempfile.TemporaryDirectory() as outdir:
        subprocess.run(
            [gearshift, "se", "--outdir", outdir, *argv],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        stats = (Path(outdir) / "stats.txt").read_text(encoding="utf-8")
    found = re.search(r"^simInsts +(\d+)", stats, re.M)
    if not found:
        sys.exit("no simInsts in the statistics")
    return int(found.group(1))


def measure(kind: Kind, gearshift: str, qemu: Optional[str]) -> None:
    """Print one line of the table."""
    argv = [str(GUEST / kind.program)]
    once, many = argv + ["1"], argv + [str(kind.rounds)]
    se = [gearshift, "se"]
    insts = kind.repeats * (kind.rounds - 1)
    if not insts:
        insts = insts_of(gearshift, many) - insts_of(gearshift, once)
    native = cost_of(many).seconds - cost_of(once).seconds
    ours = cost_of(se + many).seconds - cost_of(se + once).seconds
    line = f"{kind.name:15} {insts / 1e6:8.0f} {insts / ours / 1e6:8.0f}"
    line += f" {insts / native / 1e6:8.0f} {ours / native:8.1f}"
    if qemu:
        other = cost_of([qemu] + many).seconds - cost_of([qemu] + once).seconds
        line += f" {insts / other / 1e6:8.0f} {ours / other:8.1f}"
    print(line, flush=True)


def main() -> int:
    """Print start-up figures and the table."""
    gearshift = os.environ.get("GEARSHIFT", str(ROOT / "build/opt/gearshift"))
    qemu = shutil.which("qemu-x86_64")
    missing = [k.program for k in KINDS if not (GUEST / k.program).exists()]
    if missing:
        print(f"not built: {' '.join(missing)} (scons guest)", file=sys.stderr)
        return 1
    if not qemu:
        print("no qemu-x86_64 (package qemu-user): no comparison with it")
    load = os.getloadavg()[0]
    cost = cost_of([gearshift, "se", "/bin/true"])
    print(
        f"gearshift se /bin/true: {cost.seconds:.3f} s of CPU, "
        f"{cost.kib / 1024:.0f} MiB resident; load average {load:.1f}"
    )
    print(
        f"{'class':15} {'Minsts':>8} {'MIPS':>8} {'native':>8} "
        f"{'slower':>8} {'qemu':>8} {'slower':>8}"
    )
    for kind in KINDS:
        measure(kind, gearshift, qemu)
    return 0


if __name__ == "__main__":
    sys.exit(main())
