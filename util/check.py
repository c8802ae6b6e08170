#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
All checks of style and structure: util/check.py [NAME...]

Prints every problem, then one line per check.  `scons check` calls it;
`scons check checks="sizes words"` runs some.
"""
import argparse
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Dict, List

import check_catalog
import check_globals
import check_headers
import check_layers
import check_sizes
import check_tests
import check_tools
import check_words
from check_common import ROOT, Check

# The first builds what some others look at.
CHECKS: Dict[str, Check] = {
    "gcc": check_tools.check_gcc,
    "globals": check_globals.check,
    "layers": check_layers.check,
    "catalog": check_catalog.check,
    "tests": check_tests.check,
    "sizes": check_sizes.check,
    "words": check_words.check,
    "headers": check_headers.check,
    "clang-format": check_tools.check_clang_format,
    "black": check_tools.check_black,
    "flake8": check_tools.check_flake8,
    "mypy": check_tools.check_mypy,
    "clang": check_tools.check_clang,
    "cppcheck": check_tools.check_cppcheck,
    "clang-tidy": check_tools.check_clang_tidy,
}


def write_junit(path: str, found: Dict[str, List[str]]) -> None:
    """The outcome as tests/run_all.py reads it."""
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", name="check")
    for name, problems in found.items():
        case = ET.SubElement(suite, "testcase", classname="check", name=name)
        if problems:
            message = f"{len(problems)} problems, first: {problems[0]}"
            ET.SubElement(case, "failure", message=message)
    ET.ElementTree(suites).write(path)


def main() -> int:
    """Run the checks that the command line names, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--junit", help="write the outcome to this file")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=" ".join(CHECKS)
    )
    options = parser.parse_args()
    unknown = set(options.names) - set(CHECKS)
    if unknown:
        parser.error(f"no check {' '.join(unknown)}; see --help")
    found: Dict[str, List[str]] = {}
    for name in options.names or CHECKS:
        start = time.monotonic()
        found[name] = CHECKS[name](options.root)
        print(*found[name], sep="\n", end="\n" if found[name] else "")
        seconds = time.monotonic() - start
        verdict = f"{len(found[name])} problems" if found[name] else "ok"
        print(f"check {name}: {verdict} ({seconds:.1f} s)", flush=True)
    if options.junit:
        write_junit(options.junit, found)
    bad = [name for name, problems in found.items() if problems]
    print("check: all ok" if not bad else "check failed: " + " ".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
