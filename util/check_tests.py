#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Every src/**/x.c has tests/unit/**/x_test.cc, or a line in tests/UNTESTED.

UNTESTED holds lines `path: reason`; a path that ends in "/" or "*" stands for
all that begins with it.  A line without a reason, for a file that
is gone, or for one that has a test, is a problem too.
"""
import sys
from pathlib import Path
from typing import Dict, List

from check_common import files_below, main


def read_untested(path: Path, problems: List[str]) -> Dict[str, str]:
    """Path -> reason."""
    untested: Dict[str, str] = {}
    if not path.exists():
        return untested
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        source, _, reason = line.partition(":")
        if not reason.strip():
            problems.append(f"tests/UNTESTED:{number}: no reason")
        untested[source.strip()] = reason.strip()
    return untested


def check(root: Path) -> List[str]:
    """All problems below root."""
    problems: List[str] = []
    untested = read_untested(root / "tests" / "UNTESTED", problems)
    groups = tuple(key.rstrip("*") for key in untested if key[-1] in "/*")
    for path in files_below(root / "src", {".c"}):
        source = path.relative_to(root).as_posix()
        below = path.relative_to(root / "src")
        test = Path("tests/unit") / below.with_name(below.stem + "_test.cc")
        if (root / test).exists():
            if source in untested:
                problems.append(f"tests/UNTESTED: {source} has a test")
        elif source not in untested and not source.startswith(groups):
            problems.append(f"{source}: no {test.as_posix()}")
    for source in untested:
        if not list(root.glob(source if source[-1] != "/" else source + "*")):
            problems.append(f"tests/UNTESTED: {source} does not exist")
    return problems


if __name__ == "__main__":
    sys.exit(main(check, "tests"))
