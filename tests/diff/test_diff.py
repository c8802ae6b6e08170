# SPDX-License-Identifier: BSD-3-Clause
"""The core does what the host's CPU does."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / os.environ.get("GEARSHIFT_VARIANT", "opt")
CASES = {
    "64": os.environ.get("DIFF_CASES", "200000"),
    "32": "100000",
    "16": "100000",
}
LOCKSTEP = [
    ["/bin/true"],
    ["/bin/echo", "gear", "shift"],
    ["/bin/ls", "/"],
    ["busybox", "sort", "/etc/services"],
    ["busybox", "sha256sum", "/bin/ls"],
]


def run(argv, seconds):
    """Status and the last lines of the output of a program."""
    done = subprocess.run(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")[-2000:]


@pytest.mark.parametrize("mode", CASES)
def test_random_instructions_have_the_same_effect_as_on_the_host(mode):
    """Every form of user-mode instruction that the decoder knows."""
    status, output = run(
        [BUILD / "diff_fuzz", "--mode", mode, "--cases", CASES[mode]], 900
    )
    assert status == 0, output


@pytest.mark.parametrize("argv", LOCKSTEP, ids=lambda argv: argv[0][-7:])
def test_a_program_runs_in_lockstep_with_the_host(argv):
    """Registers, vectors and memory agree at each system call."""
    program = shutil.which(argv[0])
    assert program, f"no program {argv[0]}: run util/install-deps.sh"
    status, output = run([BUILD / "lockstep", program, *argv[1:]], 300)
    assert status == 0, output


def test_lockstep_finds_a_difference_and_its_instruction():
    """Spoiled after the third system call, seen at once when stepping."""
    status, output = run(
        [BUILD / "lockstep", "--plant=3", "/bin/echo", "gear"], 60
    )
    assert status == 1
    assert "difference at system call 3: " in output
    assert "first difference, 0 instructions after system call 3: " in output
    assert "  at 0x" in output
