#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Run the benchmarks: run_bench.py [--variant=V] [PATTERN...]

Programs build/VARIANT/bench/*_bench and scripts tests/bench/bench_*.py.  They
print figures, and ratios where something to compare with runs in the same
minute; nothing passes or fails by time.
"""
import argparse
import subprocess
import sys
from pathlib import Path

from run_all import PYTHON, ROOT, preload, variant_env


def benchmarks(variant: str) -> list[tuple[str, list[str]]]:
    """Names and commands of all benchmarks."""
    programs = sorted((ROOT / "build" / variant / "bench").glob("*_bench"))
    scripts = sorted((ROOT / "tests" / "bench").glob("bench_*.py"))
    return [(path.name, [str(path)]) for path in programs] + [
        (path.name, [PYTHON, str(path)]) for path in scripts
    ]


def is_chosen(name: str, patterns: list[str]) -> bool:
    """Whether the command line asks for this benchmark."""
    return not patterns or any(
        Path(name).match(p) or p in name for p in patterns
    )


def main() -> int:
    """Run them one after the other, so that they do not disturb each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", default="opt")
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    env = {**variant_env(options.variant), **preload(options.variant)}
    failed = []
    for name, argv in benchmarks(options.variant):
        if not is_chosen(name, options.patterns):
            continue
        print(f"== {name}", flush=True)
        if subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode:
            failed.append(name)
    for name in failed:
        print(f"failed: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
