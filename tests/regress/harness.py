# SPDX-License-Identifier: BSD-3-Clause
"""Runs scripts and compares their statistics with the golden ones."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "regress" / "golden"
BUILD = ROOT / "build" / os.environ.get("GEARSHIFT_VARIANT", "opt")
COMMAND = os.environ.get("GEARSHIFT", str(BUILD / "gearshift"))
SECONDS = 300

sys.path.insert(0, str(BUILD / "python"))

# pylint: disable=wrong-import-position
from gearshift import statsdiff, statsfile  # noqa: E402
from runs import Run  # noqa: E402

HOST_ROWS = ["host*", "*.host*"]


class RunFailed(Exception):
    """The simulator did not do what the run asked for."""


def is_host_line(line: str) -> bool:
    """Whether a line of stats.txt depends on the host."""
    name = line.split(" ", 1)[0]
    return name.rpartition(".")[2].startswith("host")


def statistics(run: Run, prefix: List[str]) -> str:
    """stats.txt of a fresh run, without the rows of the host."""
    with tempfile.TemporaryDirectory() as outdir:
        argv = [*prefix, COMMAND, "-q", f"--outdir={outdir}", run.script]
        done = subprocess.run(
            argv + run.args,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            text=True,
            errors="replace",
        )
        if done.returncode != 0:
            raise RunFailed(
                f"{' '.join(argv)} ended with {done.returncode}:\n"
                + done.stdout
            )
        text = (Path(outdir) / "stats.txt").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not is_host_line(line))


def golden_path(run: Run) -> Path:
    """Where the golden statistics of a run are."""
    return GOLDEN / f"{run.name}.txt"


def update(run: Run) -> bool:
    """Write the golden statistics anew; whether they changed."""
    path = golden_path(run)
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    new = statistics(run, [])
    path.parent.mkdir(exist_ok=True)
    path.write_text(new, encoding="utf-8")
    return old != new


def compare(run: Run) -> str:
    """Run and compare; the differences as text, "" if there are none."""
    path = golden_path(run)
    if not path.exists():
        return f"{path} is missing; make it with tests/regress/run.py --update"
    rows = [f"{name}={percent}" for name, percent in run.tolerance.items()]
    rules = statsdiff.Rules(0.0, rows, HOST_ROWS)
    golden = statsfile.load_all(str(path))
    fresh = statsfile.parse_text(run.script, statistics(run, []))
    if len(golden) != len(fresh):
        return f"{len(golden)} dumps expected, {len(fresh)} found"
    report = ""
    for number, (old, new) in enumerate(zip(golden, fresh)):
        differences = statsdiff.compare(old, new, rules)
        if differences:
            report += f"dump {number} (golden, now):\n"
            report += statsdiff.report(differences)
    return report


def without_aslr() -> List[str]:
    """Command prefix for a fixed address space, [] where there is none."""
    setarch = shutil.which("setarch")
    if setarch is None:
        return []
    probe = subprocess.run(
        [setarch, "-R", "true"], check=False, capture_output=True
    )
    return [setarch, "-R"] if probe.returncode == 0 else []
