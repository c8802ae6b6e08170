#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
The catalog is complete: every `const struct sim_type x_type` that src/ defines
stands in src/python/catalog.def, once, and nothing else does.
"""
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Dict, List

from check_common import blank, files_below, main

DEFINITION = re.compile(r"^const struct sim_type (\w+) =", re.M)
ROW = re.compile(r"^\w+\(\s*(\w+)\s*[,)]", re.M)


def check(root: Path) -> List[str]:
    """All problems below root/src."""
    problems: List[str] = []
    defined: Dict[str, str] = {}
    for path in files_below(root / "src", {".c"}):
        name = path.relative_to(root).as_posix()
        for match in DEFINITION.finditer(blank(path.read_text())):
            if match.group(1) in defined:
                problems.append(f"{name}: {match.group(1)} is defined twice")
            defined[match.group(1)] = name
    catalog = root / "src" / "python" / "catalog.def"
    text = blank(catalog.read_text()) if catalog.exists() else ""
    rows = Counter(ROW.findall(text))
    for row, times in rows.items():
        if times > 1:
            problems.append(f"catalog.def: {row} stands there {times} times")
        if row not in defined:
            problems.append(f"catalog.def: nothing defines {row}")
    for symbol, name in defined.items():
        if symbol not in rows:
            problems.append(f"{name}: {symbol} is not in catalog.def")
    return problems


if __name__ == "__main__":
    sys.exit(main(check, "catalog"))
