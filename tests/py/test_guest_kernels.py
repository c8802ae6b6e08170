# SPDX-License-Identifier: BSD-3-Clause
"""Small kernels run on a bare core and find what they expect."""

import re
import subprocess

import pytest

from conftest import BUILD, ROOT

KERNELS = ROOT / "tests" / "guest" / "kernel"
RUNNER = BUILD / "kernel_run"
SUCCESS = 1  # (0 << 1) | 1, through the exit port
TRIPLE_FAULT = 100
STATUS = {"shutdown": TRIPLE_FAULT}


@pytest.mark.parametrize("name", sorted(k.stem for k in KERNELS.glob("*.c")))
def test_a_guest_kernel_finds_what_it_expects(name):
    """The kernel checks the core itself and counts."""
    assert RUNNER.exists(), f"no {RUNNER}: build it with 'scons diff guest'"
    done = subprocess.run(
        [RUNNER, ROOT / "build" / "guest" / "kernel" / name],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    output = done.stdout[-2000:] + done.stderr[-1000:]
    counts = re.search(r"^(\d+) passed, (\d+) failed\s*\Z", done.stdout, re.M)
    assert done.returncode == STATUS.get(name, SUCCESS), output
    assert counts, output
    assert int(counts[1]) > 0 and int(counts[2]) == 0, output
