#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Includes point down: each #include in src/ obeys src/LAYERS.

LAYERS holds a line `folder: folders it may include` per layer, lowest first.
A layer may name only layers above its line, so that no cycle can be written
down.  A file belongs to the longest layer that its path starts with.  A header
*_internal.h may be included by its own layer only.
"""
import re
import sys
from pathlib import Path
from typing import Dict, List, Optional, Set

from check_common import blank, files_below, main

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.M)
SUFFIXES = {".c", ".h", ".cc", ".hh", ".def"}
Layers = Dict[str, Set[str]]


def read_layers(path: Path, problems: List[str]) -> Layers:
    """Layer -> the layers it may include, itself among them."""
    layers: Layers = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        name, colon, allowed = line.partition("#")[0].partition(":")
        if not name.strip():
            continue
        name = name.strip()
        where = f"LAYERS:{number}: {name}"
        if not colon:
            problems.append(f"{where}: expected `folder: folders`")
        if name in layers:
            problems.append(f"{where}: listed twice")
        for folder in allowed.split():
            if folder not in layers:
                problems.append(f"{where}: {folder} is not above it")
        layers[name] = set(allowed.split()) | {name}
    return layers


def layer_of(path: str, layers: Layers) -> Optional[str]:
    """The longest layer that holds the file, or None."""
    holders = [name for name in layers if path.startswith(name + "/")]
    return max(holders, key=len) if holders else None


def complaint(file: str, included: str, layers: Layers, src: Path) -> str:
    """Why `file` may not include `included`; empty if it may."""
    mine = layer_of(file, layers)
    theirs = layer_of(included, layers)
    if mine is None:
        return "its folder is not in LAYERS"
    if not (src / included).exists():
        return f'"{included}" is not a path below src/'
    if theirs is None or theirs not in layers[mine]:
        return f'layer {mine} may not include "{included}"'
    if Path(included).stem.endswith("_internal") and theirs != mine:
        return f'"{included}" is internal to its layer'
    return ""


def check(root: Path) -> List[str]:
    """All problems below root/src."""
    src = root / "src"
    problems: List[str] = []
    layers = read_layers(src / "LAYERS", problems)
    for path in files_below(src, SUFFIXES):
        name = path.relative_to(src).as_posix()
        if layer_of(name, layers) is None:
            problems.append(f"src/{name}: its folder is not in LAYERS")
            continue
        text = blank(path.read_text(), strings=False)
        for match in INCLUDE.finditer(text):
            why = complaint(name, match.group(1), layers, src)
            if why:
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"src/{name}:{line}: {why}")
    return problems


if __name__ == "__main__":
    sys.exit(main(check, "layers"))
