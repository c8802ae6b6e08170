#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Run the x86 tests of kvm-unit-tests, which somebody has built, on Gearshift.

    kvm_unit_tests.py [--cpu=atomic|kvm] [--timeout=S] DIR [NAME...]

DIR is the built tree (./configure && make).  Each entry of its
x86/unittests.cfg is one run of `gearshift bare`.  Tests of nested
virtualisation and of QEMU's own devices are left out, and named.  A line per
test tells how it ended; "2 of 30" counts the test's own PASS and FAIL lines.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
GEARSHIFT = os.environ.get("GEARSHIFT", str(ROOT / "build/opt/gearshift"))

# Files, and why they are not run.
LEFT_OUT = {
    "vmx.flat": "nested virtualisation",
    "svm.flat": "nested virtualisation",
    "hyperv_synic.flat": "Hyper-V",
    "hyperv_stimer.flat": "Hyper-V",
    "hyperv_connections.flat": "Hyper-V",
    "hyperv_clock.flat": "Hyper-V",
    "kvmclock_test.flat": "KVM's own clock",
    "asyncpf.flat": "KVM's own page faults",
    "pvm.flat": "KVM's own interface",
    "pv_ipi.flat": "KVM's own interface",
    "vmexit.flat": "measures exits of KVM",
    "vmware_backdoors.flat": "VMware's ports",
    "pmu.flat": "performance counters",
    "pmu_lbr.flat": "performance counters",
    "pmu_pebs.flat": "performance counters",
    "intel-iommu.flat": "QEMU's IOMMU",
    "dma_test.flat": "QEMU's DMA",
    "hypercall.flat": "KVM's own calls",
    "ioapic.flat": "there is no I/O APIC",
    "s3.flat": "there is no ACPI",
}

SKIPPED, HALTED = 77, 101  # exit statuses


class Entry(NamedTuple):
    """One of unittests.cfg."""

    name: str
    file: str
    args: str
    cpus: int
    arch: str


class Result(NamedTuple):
    """How one ended."""

    verdict: str
    detail: str


def entries(directory: Path) -> List[Entry]:
    """All of unittests.cfg, in its order."""
    found: List[Dict[str, str]] = []
    text = (directory / "x86/unittests.cfg").read_text(encoding="utf-8")
    for line in text.splitlines():
        head = re.fullmatch(r"\[(.+)\]\s*", line)
        pair = re.match(r"(\w+)\s*=\s*(.*)", line)
        if head:
            found.append({"name": head[1]})
        elif pair and found:
            found[-1][pair[1]] = pair[2].strip()
    return [
        Entry(
            entry["name"],
            entry.get("file", ""),
            " ".join(shlex.split(entry.get("test_args", ""))),
            int(entry.get("smp", "1"))
            if entry.get("smp", "1").isdigit()
            else 2,
            entry.get("arch", ""),
        )
        for entry in found
    ]


def run(directory: Path, entry: Entry, options: argparse.Namespace) -> Result:
    """One test."""
    image = directory / "x86" / entry.file
    if entry.file in LEFT_OUT:
        return Result("left out", LEFT_OUT[entry.file])
    if entry.arch == "i386":
        return Result("left out", "for a 32-bit build")
    if not image.exists():
        return Result("left out", "not built")
    command = [GEARSHIFT, "bare", f"--cpu={options.cpu}", "--test-device"]
    command += [f"--cpus={entry.cpus}", "--mem=2GiB"]
    command += [f"--append={image} {entry.args}".rstrip(), str(image)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=options.timeout,
            check=False,
            errors="replace",
            text=True,
        )
    except subprocess.TimeoutExpired as late:
        out = late.stdout or b""
        text = out.decode(errors="replace") if isinstance(out, bytes) else out
        return Result("no end", _tally(text))
    if options.verbose:
        print(done.stdout, done.stderr, sep="\n")
    return judge(done.returncode, done.stdout, done.stderr)


def judge(status: int, text: str, errors: str) -> Result:
    """Of a run that came to an end."""
    failed = re.findall(r"^FAIL: (.*)$", text, re.M)
    tally = _tally(text)
    if failed:
        return Result("FAILED", f"{tally}: " + "; ".join(failed[:3]))
    if status == SKIPPED:
        return Result("skipped", "the processor lacks what it tests")
    # The test of real mode halts when it is done.
    said = bool(text.strip())
    if (status == 1 and said) or (status == HALTED and "PASS: " in text):
        return Result("passed", tally)
    lines = (text + errors).strip().splitlines()
    return Result("FAILED", f"{tally} status {status}: {(lines or [''])[-1]}")


def _tally(text: str) -> str:
    passed = len(re.findall(r"^PASS: ", text, re.M))
    failed = len(re.findall(r"^FAIL: ", text, re.M))
    return f"{passed} of {passed + failed}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--cpu", default="atomic", choices=["atomic", "kvm"])
    parser.add_argument("--timeout", type=float, default=300, metavar="S")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    counts: Dict[str, int] = {}
    for entry in entries(options.directory):
        if options.names and entry.name not in options.names:
            continue
        result = run(options.directory, entry, options)
        counts[result.verdict] = counts.get(result.verdict, 0) + 1
        print(
            f"{entry.name:28} {result.verdict:9} {result.detail}", flush=True
        )
    print(
        ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    )
    return int("FAILED" in counts or "no end" in counts)


if __name__ == "__main__":
    sys.exit(main())
