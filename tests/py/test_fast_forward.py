# SPDX-License-Identifier: BSD-3-Clause
"""What util/quickstart.sh ends with, on a small input."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import COMMAND, ROOT

from gearshift.gearbox import kvm_refusal

SCRIPT = ROOT / "util" / "fast_forward.sh"
XZ = Path("/usr/bin/xz")
INSTS = 50_000_000
WHY = kvm_refusal()

pytestmark = pytest.mark.skipif(
    not XZ.exists(), reason=f"no {XZ} (package xz-utils)"
)


def run(folder, device="/dev/kvm", size=2 << 20):
    """Let xz compress a part of Python; the finished process."""
    source = folder / "input"
    source.write_bytes(Path(sys.executable).read_bytes()[:size])
    return subprocess.run(
        [SCRIPT, folder / "out", source],
        env={**os.environ, "GEARSHIFT": COMMAND, "KVM_DEVICE": device},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def rows(done):
    """The table of gears: words of each line below the names."""
    lines = done.stderr.splitlines()
    table = lines[next(i for i, l in enumerate(lines) if l[:4] == "gear") :]
    return [re.split(r"  +", line) for line in table[1:]]


def counted(done):
    """The CPU and the number of instructions that the script tells."""
    return re.search(r"(\S+) counted (\d+) instructions", done.stdout).groups()


def check_output(folder, done):
    """The script says so, and it is so."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same output as native" in done.stdout
    packed = (folder / "out" / "simulated.xz").read_bytes()
    unpacked = subprocess.run(
        [XZ, "-dc"], input=packed, capture_output=True, check=True
    ).stdout
    assert unpacked == (folder / "input").read_bytes()


@pytest.mark.skipif(bool(WHY), reason=f"no KVM: {WHY}")
def test_kvm_then_atomic_then_kvm(tmp_path):
    done = run(tmp_path)
    check_output(tmp_path, done)
    table = rows(done)
    assert [row[0] for row in table] == ["kvm", "atomic", "kvm"]
    assert [row[2] for row in table] == [
        "not counted",
        f"{INSTS:,}",
        "not counted",
    ]
    assert table[0][1] == "until liblzma:lzma_code*100"
    assert counted(done) == ("system.atomic_cpu", str(INSTS))


def test_without_kvm_it_is_told_and_simulated(tmp_path):
    done = run(tmp_path, device="/nowhere")
    check_output(tmp_path, done)
    assert "KVM is not usable: /nowhere: No such file" in done.stdout
    table = rows(done)
    assert [row[0] for row in table] == ["atomic"] * 3
    insts = [int(row[2].replace(",", "")) for row in table]
    assert insts[1] == INSTS
    assert insts[0] > 0 and insts[2] > 0
    assert counted(done) == ("system.cpu", str(sum(insts)))


def test_a_program_that_is_too_short_is_told(tmp_path):
    done = run(tmp_path, device="/nowhere", size=10_000)
    assert done.returncode == 1
    assert "did not count 50 million" in done.stdout
