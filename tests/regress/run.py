#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Compare statistics of runs with the golden ones: run.py [options] [NAME...]

    run.py                      all runs
    run.py traffic-random       the runs whose name contains that
    run.py --update [NAME...]   accept what the runs give now
    run.py --junit=FILE         also write JUnit XML

The last line is "N passed, N failed, N skipped".  Set GEARSHIFT_VARIANT to
test another build than opt.
"""
import argparse
import sys

import pytest

import harness
from runs import RUNS


class Counter:
    """A pytest plugin that counts outcomes."""

    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_runtest_logreport(self, report):
        """Count the call, or a set-up that failed or skipped."""
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1


def update(names):
    """Write golden files; returns the exit status."""
    for run in RUNS:
        if names and not any(name in run.name for name in names):
            continue
        try:
            changed = harness.update(run)
        except harness.RunFailed as error:
            print(f"{run.name}: {error}")
            return 1
        print(f"{run.name}: {'updated' if changed else 'as before'}")
    return 0


def check(names, junit):
    """Run the tests; returns the exit status."""
    counter = Counter()
    argv = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
    argv.append(str(harness.ROOT / "tests" / "regress"))
    if names:
        argv += [
            "-k",
            " or ".join(name.replace("-", " and ") for name in names),
        ]
    if junit:
        argv.append(f"--junitxml={junit}")
    status = pytest.main(argv, plugins=[counter])
    print(", ".join(f"{n} {word}" for word, n in counter.counts.items()))
    return int(status)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 2)[1])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--junit", metavar="FILE")
    args = parser.parse_args()
    if args.update:
        return update(args.names)
    return check(args.names, args.junit)


if __name__ == "__main__":
    sys.exit(main())
