# SPDX-License-Identifier: BSD-3-Clause
"""Bare machines under KVM: ring 0 in the core, and in KVM where it can."""

import re

import pytest
from conftest import ROOT

from gearshift.gearbox import kvm_refusal

KERNELS = ROOT / "build/guest/kernel"
WHY = kvm_refusal()
pytestmark = pytest.mark.skipif(bool(WHY), reason=f"no KVM: {WHY}")

ALL = (
    "apic breakpoints devices hole interrupts longmode pae protected real16 "
    "shutdown smp sysregs tasks v86"
).split()
# What KVM's emulator of ring 0, which some hosts have, gets right.
EMULATED = "apic devices hole interrupts real16 shutdown smp".split()


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
