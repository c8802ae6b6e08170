#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
No mutable globals: objects of build/opt/libgearshift_core.a hold no writable
variable of static storage, except the debug flags and what a thread runs.
Build first.
"""
import re
import subprocess
import sys
from pathlib import Path
from typing import List

from check_common import main

ALLOWED_OBJECTS = {"debug.o", "vcpu_thread.o"}
MEMBER = re.compile(r"^(\S+\.o):\s+file format")
# value, flags with O for object, section, size, name
SYMBOL = re.compile(
    r"^[0-9a-f]+ ......O (\.(?:data|bss|tdata|tbss)\S*)\s+[0-9a-f]+ "
    r"(?:\.\w+ )?(\S+)$"
)
# Constant after relocation, or the compiler's own.
HARMLESS = re.compile(r"^\.data\.rel\.ro|^\.data\.(rel\.local\.)?DW")


def globals_in(dump: str) -> List[str]:
    """Problems in the output of objdump -t."""
    problems = []
    member = ""
    for line in dump.splitlines():
        found = MEMBER.match(line)
        if found:
            member = found.group(1)
        symbol = SYMBOL.match(line)
        if not symbol or HARMLESS.match(symbol.group(1)):
            continue
        if member not in ALLOWED_OBJECTS:
            problems.append(
                f"{member}: {symbol.group(2)} is a mutable global "
                f"({symbol.group(1)})"
            )
    return problems


def check(root: Path) -> List[str]:
    """All problems of the core."""
    archive = root / "build" / "opt" / "libgearshift_core.a"
    if not archive.exists():
        return [f"{archive.relative_to(root)} is not built"]
    run = subprocess.run(
        ["objdump", "-t", str(archive)],
        text=True,
        check=True,
        capture_output=True,
    )
    return globals_in(run.stdout)


if __name__ == "__main__":
    sys.exit(main(check, "globals"))
