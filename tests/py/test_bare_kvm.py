# SPDX-License-Identifier: BSD-3-Clause
"""Bare machines under KVM: ring 0 in the core, and in KVM where it can."""

import re

import pytest
from conftest import ROOT
from test_bare_state import MACHINE

from gearshift.gearbox import kvm_refusal

KERNELS = ROOT / "build/guest/kernel"
WHY = kvm_refusal()
pytestmark = pytest.mark.skipif(bool(WHY), reason=f"no KVM: {WHY}")

ALL = (
    "apic breakpoints devices hole interrupts longmode pae protected real16 "
    "shutdown smp sysregs tasks tsc v86"
).split()
# What KVM's emulator of ring 0, which some hosts have, gets right.
EMULATED = "apic devices hole interrupts real16 shutdown smp tsc".split()


def is_nested_paging_of_amd(runner):
    """Ring 0 in the host's processor, and that is one of AMD's."""
    told = runner.run("kvm-info").stdout
    return bool(re.search(r"vendor class +amd\n +ring 0 +native", told))


def verdict(runner, kernel, *options):
    """The last line that the kernel prints."""
    done = runner.run(
        "bare", "--test-device", "--cpu=kvm", *options, str(KERNELS / kernel)
    )
    assert "panic" not in done.stderr, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("kernel", ALL)
def test_kernels_pass(runner, kernel):
    if kernel == "pae" and is_nested_paging_of_amd(runner):
        pytest.skip("AMD's nested paging reads PDPTEs from memory")
    assert verdict(runner, kernel).endswith(" passed, 0 failed")


@pytest.mark.parametrize("kernel", EMULATED)
def test_kernels_pass_with_ring_0_in_kvm(runner, kernel):
    told = verdict(runner, kernel, "--ring0=kvm")
    assert told.endswith(" passed, 0 failed")


def test_what_kvm_cannot_emulate_ends_nothing(runner):
    # Its emulator is wrong about some of it; the run goes on to its end.
    assert "passed" in verdict(runner, "longmode", "--ring0=kvm")


# ---------------------------------------------------- gears and checkpoints

WITH_KVM = MACHINE.replace(
    "def build(image",
    "def add_kvm(root, ring0='auto'):\n"
    "    system = root.system\n"
    "    system.kvm_vm = KvmVM(ring0=ring0)\n"
    "    system.spare = [\n"
    "        X86KvmCPU(cpu_id=cpu.cpu_id, switched_out=True)\n"
    "        for cpu in system.cpu\n"
    "    ]\n"
    "    return list(system.cpu), list(system.spare)\n\n"
    "def build(image",
)

# Time under KVM is the host's: periods of the gears differ [ticks].
SWITCH = """
old, new = add_kvm(root, {ring0!r})
m5.instantiate()
periods, changes = [{atomic}, {kvm}], 0
while True:
    event = m5.simulate(periods[changes % 2])
    if 'limit' not in event.getCause(): break
    m5.switchCpus(root.system, list(zip(old, new)), verbose=False)
    old, new = new, old
    changes += 1
print(event.getCause(), event.getCode(), changes > 2)
"""


@pytest.mark.parametrize(
    "kernel, ring0, cpus, atomic, kvm",
    [
        ("tsc", "auto", 1, 100_000_000, 50_000_000),
        ("tsc", "kvm", 1, 100_000_000, 500_000_000),
        ("apic", "auto", 1, 7_777_777, 1_000_000),
        ("smp", "auto", 3, 7_777_777, 1_000_000),
        ("longmode", "auto", 1, 200_000, 200_000),
        ("protected", "auto", 1, 200_000, 200_000),
    ],
)
def test_machines_change_gear(runner, kernel, ring0, cpus, atomic, kvm):
    """There and back until it ends; nothing is lost, time never goes back."""
    done = runner.script(
        WITH_KVM
        + f"root = build({str(KERNELS / kernel)!r}, {cpus})\n"
        + SWITCH.format(ring0=ring0, atomic=atomic, kvm=kvm)
    )
    assert "exit port written 1 True" in done.stdout, done.stderr
    assert " passed, 0 failed" in done.stdout


@pytest.mark.parametrize("kernel, cpus", [("apic", 1), ("smp", 3), ("tsc", 1)])
@pytest.mark.parametrize("first", ["kvm", "atomic"])
def test_checkpoints_of_machines_change_gear(runner, kernel, cpus, first):
    """Taken under KVM, restored on the functional CPU, and the other way."""
    build = f"root = build({str(KERNELS / kernel)!r}, {cpus})\n"
    machine = {
        "atomic": MACHINE,
        "kvm": MACHINE.replace(
            "system.cpu = [X86AtomicSimpleCPU",
            "system.kvm_vm = KvmVM()\n    system.cpu = [X86KvmCPU",
        ),
    }
    assert machine["kvm"] != MACHINE
    second = "atomic" if first == "kvm" else "kvm"
    halfway = (
        "m5.instantiate()\n"
        "event = m5.simulate(5_000_000)\n"
        "assert 'limit' in event.getCause(), event.getCause()\n"
        "m5.checkpoint('cpt')\n"
    )
    rest = (
        "m5.instantiate('cpt')\n"
        "event = m5.simulate()\n"
        "print(event.getCause(), event.getCode())\n"
    )
    output = ""
    for gear, tail in ((first, halfway), (second, rest)):
        done = runner.script(machine[gear] + build + tail)
        assert done.returncode == 0, done.stderr
        output += done.stdout
    assert "exit port written 1" in output
    assert " passed, 0 failed" in output
