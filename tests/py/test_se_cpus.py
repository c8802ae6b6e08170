# SPDX-License-Identifier: BSD-3-Clause
"""Threads on several CPUs: the right output, and the same run each time."""

import subprocess

import pytest
from conftest import ROOT

GUEST = ROOT / "build" / "guest" / "c"


def simulate(runner, cpus, program, outdir):
    """Output and statistics; the host's own are left out."""
    done = runner.run(
        "se", f"--cpus={cpus}", f"--outdir={outdir}", str(GUEST / program)
    )
    assert done.returncode == 0, done.stderr
    stats = runner.path(f"{outdir}/stats.txt").read_text().splitlines()
    return done.stdout, [s for s in stats if not s.startswith("host")]


def insts(stats, cpu):
    """Instructions that a CPU of several executed."""
    name = f"system.cpu{cpu}.commitStats0.numInsts "
    return next(int(s.split()[1]) for s in stats if s.startswith(name))


@pytest.mark.parametrize("program", ["openmp", "contend", "threads"])
@pytest.mark.parametrize("cpus", [2, 4])
def test_threads_give_the_native_output_in_equal_runs(runner, program, cpus):
    if not (GUEST / program).exists():
        pytest.skip(f"build/guest/c/{program} is not built (scons guest)")
    native = subprocess.run(
        [GUEST / program], capture_output=True, text=True, check=True
    )
    first = simulate(runner, cpus, program, "first")
    assert first[0] == native.stdout
    assert simulate(runner, cpus, program, "second") == first
    busy = sum(insts(first[1], cpu) > 1000 for cpu in range(cpus))
    # Short threads may all end in the first CPU's slice; OpenMP's do not.
    assert busy == cpus if program == "openmp" else busy > 1
