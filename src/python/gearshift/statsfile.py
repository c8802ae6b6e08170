# SPDX-License-Identifier: BSD-3-Clause
"""Reads stats.txt and stats.json into the same form: rows by full name."""

from __future__ import annotations

import fnmatch
import gzip
import json
import math
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from gearshift.errors import FatalError

BEGIN = "---------- Begin Simulation Statistics ----------"
END = "---------- End Simulation Statistics   ----------"


class Row(NamedTuple):
    """One number of one dump."""

    value: float
    unit: str = ""
    desc: str = ""


Dump = Dict[str, Row]


def split_name(name: str) -> Tuple[str, int]:
    """ "m5out/stats.txt@2" as path and number of the dump."""
    path, at, number = name.rpartition("@")
    if at and number.lstrip("-").isdigit():
        return path, int(number)
    return name, -1


def _read(path: str) -> str:
    try:
        if path.endswith(".gz"):
            with gzip.open(path, "rt", encoding="utf-8") as packed:
                return packed.read()
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FatalError(f"cannot read '{path}': {reason}") from None


def load_all(path: str) -> List[Dump]:
    """All dumps of a file."""
    text = _read(path)
    if text.lstrip()[:1] in ("{", "["):
        dumps = _parse_json(path, text)
    else:
        dumps = parse_text(path, text)
    if not dumps:
        raise FatalError(f"there is no dump of statistics in '{path}'")
    return dumps


def load(name: str) -> Dump:
    """The dump that "FILE@N" names."""
    path, index = split_name(name)
    dumps = load_all(path)
    try:
        return dumps[index]
    except IndexError:
        raise FatalError(
            f"'{path}' holds {len(dumps)} dumps; there is no number {index}"
        ) from None


def parse_text(path: str, text: str) -> List[Dump]:
    """Dumps of a file in gem5's text layout."""
    dumps: List[Dump] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line == BEGIN:
            dumps.append({})
            inside = True
        elif line == END:
            inside = False
        elif inside and line.strip():
            _parse_line(path, number, line, dumps[-1])
    return dumps


def _parse_line(path: str, number: int, line: str, dump: Dump) -> None:
    facts, _, comment = line.partition("#")
    words = facts.split()
    desc, _, unit = comment.strip().rpartition(" (")
    if not desc:
        desc, unit = comment.strip(), ""
    if words[1:2] == ["|"]:
        # A histogram on one line: | count share cumulated | ...
        for index, bucket in enumerate(facts.split("|")[1:]):
            first = bucket.split()[:1]
            if first:
                name = f"{words[0]}::{index}"
                dump[name] = Row(float(first[0]), unit.rstrip(")"), desc)
        return
    try:
        value = float(words[1])
    except (IndexError, ValueError):
        raise FatalError(
            f"{path}:{number}: not a line of statistics: {line.strip()}"
        ) from None
    dump[words[0]] = Row(value, unit[:-1] if unit else "", desc)


def _parse_json(path: str, text: str) -> List[Dump]:
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise FatalError(f"{path}: not JSON: {error}") from None
    return [
        dict(_walk(item, ""))
        for item in (tree if isinstance(tree, list) else [tree])
    ]


def _walk(tree: Dict[str, Any], prefix: str) -> Iterator[Tuple[str, Row]]:
    for key, item in tree.items():
        if not isinstance(item, dict):
            continue
        if "value" in item and "unit" in item:
            yield from _json_rows(prefix + key, item)
        else:
            yield from _walk(item, f"{prefix}{key}.")


_EXTRAS = {
    "total": "total",
    "samples": "samples",
    "mean": "mean",
    "gmean": "gmean",
    "stdev": "stdev",
    "underflow": "underflows",
    "overflow": "overflows",
}


def _json_rows(name: str, item: Dict[str, Any]) -> Iterator[Tuple[str, Row]]:
    """The rows that stats.txt has for the same statistic."""
    unit, desc = item["unit"], item.get("description", "")
    for suffix, number in _elements(item, item.get("type") == "Vector2d"):
        yield name + suffix, Row(number, unit, desc)
    for key, word in _EXTRAS.items():
        if isinstance(item.get(key), (int, float)):
            yield f"{name}::{word}", Row(float(item[key]), unit, desc)


def _elements(
    item: Dict[str, Any], is_grid: bool
) -> Iterator[Tuple[str, float]]:
    """Numbers below a value, with what stats.txt appends to the name."""
    value = item["value"]
    if not isinstance(value, dict):
        yield "", math.nan if value is None else float(value)
        return
    for key, below in value.items():
        inner = below if isinstance(below, dict) else {"value": below}
        for suffix, number in _elements(inner, False):
            yield ("_" if is_grid else "::") + key + suffix, number


def select(dump: Dump, patterns: List[str]) -> Dump:
    """Rows whose name matches one of the patterns; all without patterns."""
    if not patterns:
        return dump
    found = {
        name: row
        for name, row in dump.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    }
    if not found:
        raise FatalError("no statistic matches " + " ".join(patterns))
    return found


def number_text(value: float) -> str:
    """Whole numbers without decimals, others with six significant digits."""
    if math.isfinite(value) and value == int(value):
        return str(int(value))
    return f"{value:.6g}"


def table(rows: Dump) -> str:
    """Rows as aligned text."""
    width = max(len(name) for name in rows)
    lines = [
        f"{name:{width}}  {number_text(row.value):>16} {row.unit:14} "
        f"{row.desc}".rstrip()
        for name, row in rows.items()
    ]
    return "\n".join(lines) + "\n"
