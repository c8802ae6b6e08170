#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Speed of `gearshift se --cpu=kvm` beside the host: programs, calls, pages.

    bench_kvm.py [PATTERN...]     only lines whose name has one of them

Figures are CPU seconds of child processes, the least of some runs that take
turns, so that other load on the machine disturbs them little.  What /bin/true
takes is taken off.  "speed" is native / KVM: 1.00 is the host's own.
"""
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

ROOT = Path(__file__).resolve().parent.parent.parent
GUEST = ROOT / "build" / "guest" / "c"
BUILD = ROOT / "build" / os.environ.get("GEARSHIFT_VARIANT", "opt")
GEARSHIFT = os.environ.get("GEARSHIFT", str(BUILD / "gearshift"))
FILE = "/usr/bin/python3"
REPEATS = 4
TRUE = ["/bin/true"]

PYTHON = "print(len({i * i % 99991 for i in range(20000000)}))"

# Names and commands, each of a second or so; a program of ours has no slash.
PROGRAMS: List[Tuple[str, List[str]]] = [
    ("heap sort", ["bench_sort", "200"]),
    ("hash table", ["bench_hash", "500"]),
    ("compressor", ["bench_compress", "100"]),
    ("interpreter", ["bench_interp", "100"]),
    ("calls, returns", ["bench_calls", "1000"]),
    ("AVX2, FMA", ["bench_avx", "4000"]),
    ("matrices", ["bench_matmul", "25"]),
    ("stream 96 MiB", ["bench_stream", "60"]),
    ("chase 64 MiB", ["bench_chase", "8"]),
    ("qsort 32 MiB", ["bench_bigsort", "2"]),
    ("xz -3", ["/usr/bin/xz", "-3", "-T1", "-c", FILE]),
    ("sha256sum", ["/usr/bin/sha256sum"] + [FILE] * 40),
    (
        "python3",
        [FILE, "-c", PYTHON],
    ),
]

# What asks the kernel: names, mode of bench_kernel, count under KVM.
EVENTS: List[Tuple[str, str, int]] = [
    ("system call", "calls", 200_000),
    ("first touch, 4 KiB", "small", 32_768),
    ("first touch, nearby", "near", 131_072),
    ("first touch, 2 MiB", "huge", 1024),
]


class Cost(NamedTuple):
    """What one run took."""

    cpu: float  # seconds of all threads, user and system
    wall: float


def cost_of(argv: List[str]) -> Cost:
    """Run to the end."""
    start = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{argv} ends with {process.returncode}")
    return Cost(
        usage.ru_utime + usage.ru_stime,
        time.monotonic() - start,
    )


def under_kvm(argv: List[str], outdir: str) -> List[str]:
    """The command that does it."""
    return [GEARSHIFT, "se", "--cpu=kvm", "--outdir", outdir, *argv]


def pair(argv: List[str], outdir: str) -> Tuple[Cost, Cost]:
    """Native and under KVM, in turn; the least of each."""
    native, ours = [], []
    for _ in range(REPEATS):
        native.append(cost_of(argv))
        ours.append(cost_of(under_kvm(argv, outdir)))
    return least(native), least(ours)


def least(costs: List[Cost]) -> Cost:
    """The smallest of both kinds."""
    return Cost(min(c.cpu for c in costs), min(c.wall for c in costs))


def stats_of(outdir: str) -> Dict[str, float]:
    """All numbers of the last run."""
    text = (Path(outdir) / "stats.txt").read_text(encoding="utf-8")
    return {
        name: float(value)
        for name, value in re.findall(r"^(\S+) +([\d.e+-]+)", text, re.M)
    }


def show_programs(
    outdir: str, chosen: List[str], start: Tuple[Cost, Cost]
) -> None:
    """One line per program."""
    print(
        f"{'program':15} {'native':>8} {'KVM':>8} {'speed':>6} "
        f"{'exits':>8} {'exits/s':>8} {'calls':>7} {'faults':>7}"
    )
    speeds = []
    for name, argv in PROGRAMS:
        if not is_chosen(name, chosen):
            continue
        if "/" not in argv[0]:
            argv = [str(GUEST / argv[0])] + argv[1:]
        native, ours = pair(argv, outdir)
        took = ours.cpu - start[1].cpu
        speeds.append((native.cpu - start[0].cpu) / took)
        stats = stats_of(outdir)
        exits = stats["system.cpu.numVMExits"]
        print(
            f"{name:15} {native.cpu - start[0].cpu:6.3f} s {took:6.3f} s "
            f"{speeds[-1]:6.3f} {exits:8.0f} {exits / took:8.0f} "
            f"{stats['system.cpu.numSyscallTraps']:7.0f} "
            f"{stats['system.cpu.numFaultTraps']:7.0f}",
            flush=True,
        )
    if speeds:
        mean = math.exp(sum(map(math.log, speeds)) / len(speeds))
        print(f"geometric mean {mean:.3f}, least {min(speeds):.3f}\n")


def show_events(
    outdir: str, chosen: List[str], start: Tuple[Cost, Cost]
) -> None:
    """One line per kind of event."""
    for name, mode, count in EVENTS:
        if not is_chosen(name, chosen):
            continue
        argv = [str(GUEST / "bench_kernel"), mode, str(count)]
        native, ours = pair(argv, outdir)
        exits = stats_of(outdir)["system.cpu.numVMExits"]
        own = native.cpu - start[0].cpu
        took = ours.cpu - start[1].cpu
        print(
            f"{name:20} native {own / count * 1e6:8.2f} us, "
            f"KVM {took / count * 1e6:8.2f} us, {exits / count:5.2f} exits"
            f" each, {exits / took:6.0f} exits/s",
            flush=True,
        )


def is_chosen(name: str, chosen: List[str]) -> bool:
    """Whether the command line asks for this line."""
    return not chosen or any(word in name for word in chosen)


def main() -> int:
    """Print the start-up and the tables."""
    # Compiling the package anew each time is not what users have.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    info = subprocess.run(
        [GEARSHIFT, "kvm-info"], capture_output=True, text=True, check=False
    )
    if info.returncode:
        print(info.stderr.strip())
        return 0
    if not (GUEST / "bench_kernel").exists():
        print("bench_kernel is not built (scons guest)", file=sys.stderr)
        return 1
    chosen = sys.argv[1:]
    with tempfile.TemporaryDirectory() as outdir:
        start = pair(TRUE, outdir)
        print(
            f"gearshift se --cpu=kvm /bin/true: {start[1].cpu:.3f} s of CPU, "
            f"{start[1].wall:.3f} s; native {start[0].cpu:.3f} s; "
            f"load average {os.getloadavg()[0]:.1f}"
        )
        show_programs(outdir, chosen, start)
        show_events(outdir, chosen, start)
    return 0


if __name__ == "__main__":
    sys.exit(main())
