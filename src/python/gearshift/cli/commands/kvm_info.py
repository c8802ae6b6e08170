# SPDX-License-Identifier: BSD-3-Clause
"""gearshift kvm-info: what this host's KVM can do, found by running it.

The exit status is 0 if KVM is usable, else 1 with the reason on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Dict, List

from gearshift import _core

HELP = "show what this host's KVM can do"

_MISSING = {
    "runs_ring3": "programs do not run",
    "guest_debug": "KVM cannot step; stops use INT3 and the trap flag",
    "perf_counter": "no instruction counter; stops by count need a "
    "simulated CPU",
    "rdtsc_faults": "programs under KVM read the host's time stamp counter",
    "avx_state": "AVX registers do not survive a change of CPU",
    "avx512_state": "AVX-512 registers do not survive a change of CPU",
    "syscall_enters_ring0": "SYSCALL stays in ring 3",
}


def _probe_rows(probe: Dict[str, Any]) -> List[str]:
    rows = [
        ("vendor class", probe["vendor"]),
        ("ring 0", probe["ring0"]),
        ("ring 3 runs", probe["runs_ring3"]),
        ("SYSCALL enters ring 0", probe["syscall_enters_ring0"]),
        ("SYSCALL by a window", probe["syscall_window"]),
        ("debugging by KVM", probe["guest_debug"]),
        ("instruction counter", probe["perf_counter"]),
        ("RDTSC can be trapped", probe["rdtsc_faults"]),
        ("AVX state", probe["avx_state"]),
        ("AVX-512 state", probe["avx512_state"]),
        ("stub address", f"{probe['stub_addr']:#x}"),
        ("TSC", f"{probe['tsc_khz'] / 1000:.1f} MHz"),
        ("exit and entry", f"{probe['exit_ns'] / 1000:.1f} us"),
        ("probe took", f"{probe['probe_us'] / 1000:.1f} ms"),
    ]
    return [f"  {name:24}{value}" for name, value in rows]


def _missing(info: Dict[str, Any]) -> List[str]:
    probe = info["probe"]
    rows = [text for key, text in _MISSING.items() if probe[key] == "no"]
    if probe["ring0"] == "emulated":
        rows.append("ring 0 runs in KVM's emulator, slowly and not all of it")
    rows += [
        f"KVM_CAP_{name}: no {purpose}"
        for _, name, value, _, purpose in info["caps"]
        if not value
    ]
    return [f"  {row}" for row in rows] or ["  nothing"]


def _show(info: Dict[str, Any]) -> None:
    print(f"{info['path']}: KVM, API version {info['api_version']}")
    print("\nProbe:", *_probe_rows(info["probe"]), sep="\n")
    print("\nMissing:", *_missing(info), sep="\n")
    print("\nCapabilities:")
    for number, name, value, is_needed, purpose in info["caps"]:
        mark = "*" if is_needed else " "
        print(f" {mark}{number:4} {name:24}{value:7}  {purpose}")
    print("  (* cannot do without)")


def main(argv: List[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="gearshift kvm-info", description=HELP
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--device", default="/dev/kvm", metavar="PATH", help="[/dev/kvm]"
    )
    options = parser.parse_args(argv)
    info = _core.kvm_info(options.device)
    if options.json:
        print(json.dumps(info, indent=2))
    elif not info["reason"]:
        _show(info)
    if info["reason"]:
        print(f"KVM is not usable: {info['reason']}", file=sys.stderr)
    return 1 if info["reason"] else 0
