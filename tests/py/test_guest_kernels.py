# SPDX-License-Identifier: BSD-3-Clause
"""Small kernels find what they expect: on a bare core, on a PC, in QEMU."""

import re
import shutil
import subprocess

import pytest

from conftest import BUILD, COMMAND, ROOT

KERNELS = ROOT / "tests" / "guest" / "kernel"
GUEST = ROOT / "build" / "guest" / "kernel"
RUNNER = BUILD / "kernel_run"
QEMU = shutil.which("qemu-system-i386")
SUCCESS = 1  # (0 << 1) | 1, through the exit port
TRIPLE_FAULT = 100
STATUS = {"shutdown": TRIPLE_FAULT}
# Need devices that kernel_run does not have.
MACHINE = {"apic", "devices", "hole", "smp"}
# What QEMU's TCG agrees with; the others name the checks it fails.
QEMU_PASSES = ["devices", "smp"]

ALL = sorted(k.stem for k in KERNELS.glob("*.c"))


def run(*command):
    """Run a command that prints what the kernel says."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )


def judge(done, name):
    """The kernel ended as it should and counted no failure."""
    output = done.stdout[-2000:] + done.stderr[-1000:]
    counts = re.search(r"^(\d+) passed, (\d+) failed\s*\Z", done.stdout, re.M)
    assert done.returncode == STATUS.get(name, SUCCESS), output
    assert counts, output
    assert int(counts[1]) > 0 and int(counts[2]) == 0, output


@pytest.mark.parametrize("name", sorted(set(ALL) - MACHINE))
def test_a_guest_kernel_finds_what_it_expects(name):
    """The kernel checks the core itself and counts."""
    assert RUNNER.exists(), f"no {RUNNER}: build it with 'scons diff guest'"
    judge(run(RUNNER, GUEST / name), name)


@pytest.mark.parametrize("name", ALL)
def test_a_guest_kernel_runs_on_a_pc_of_objects(name):
    """The same with devices, interrupt controller and loader as objects."""
    judge(run(COMMAND, "bare", "--test-device", GUEST / name), name)


def test_four_processors_start_and_talk():
    """INIT, SIPI, locks, messages; the kernel counts what happened."""
    done = run(COMMAND, "bare", "--cpus=4", GUEST / "smp")
    judge(done, "smp")
    assert "4 processors" in done.stdout


@pytest.mark.skipif(not QEMU, reason="qemu-system-i386 is not installed")
@pytest.mark.parametrize("name", QEMU_PASSES)
def test_a_guest_kernel_finds_the_same_in_qemu(name):
    """What the kernel expects is not only our opinion."""
    done = run(
        QEMU,
        *"-machine pc,accel=tcg -cpu max -m 128 -smp 4 -nodefaults".split(),
        *"-display none -no-reboot -device pc-testdev".split(),
        *"-device isa-debug-exit,iobase=0xf4,iosize=4".split(),
        "-kernel",
        GUEST / name,
    )
    assert done.returncode == SUCCESS, done.stderr
