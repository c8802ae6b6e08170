# SPDX-License-Identifier: BSD-3-Clause
"""Compares two dumps of statistics, with a tolerance per row."""

from __future__ import annotations

import fnmatch
import math
from typing import List, NamedTuple, Optional, Sequence, Tuple

from gearshift.errors import FatalError
from gearshift.statsfile import Dump, number_text


class Difference(NamedTuple):
    """A row that differs; None: the row is missing on that side."""

    name: str
    old: Optional[float]
    new: Optional[float]
    percent: float


class Rules:
    """Which rows are compared, and how exactly."""

    def __init__(
        self,
        tolerance: float,
        rows: Sequence[str] = (),
        ignore: Sequence[str] = (),
    ) -> None:
        self._default = tolerance
        self._rows = [self._parse(text) for text in rows]
        self._ignore = list(ignore)

    @staticmethod
    def _parse(text: str) -> Tuple[str, float]:
        pattern, _, percent = text.rpartition("=")
        try:
            return pattern, float(percent)
        except ValueError:
            raise FatalError(
                f"'{text}' is not of the form PATTERN=PERCENT"
            ) from None

    def is_ignored(self, name: str) -> bool:
        """Whether the row is left out."""
        return any(fnmatch.fnmatchcase(name, p) for p in self._ignore)

    def tolerance(self, name: str) -> float:
        """Percent by which the row may differ."""
        found = self._default
        for pattern, percent in self._rows:
            if fnmatch.fnmatchcase(name, pattern):
                found = percent
        return found


def percent_of(old: float, new: float) -> float:
    """Relative difference; two NaN are equal, infinite if only @old is 0."""
    if old == new or (math.isnan(old) and math.isnan(new)):
        return 0.0
    if old == 0 or not (math.isfinite(old) and math.isfinite(new)):
        return math.inf
    return 100.0 * (new - old) / abs(old)


def compare(old: Dump, new: Dump, rules: Rules) -> List[Difference]:
    """Rows that differ by more than their tolerance, or are missing."""
    found = []
    for name in [*old, *(name for name in new if name not in old)]:
        if rules.is_ignored(name):
            continue
        if name not in old or name not in new:
            left = old[name].value if name in old else None
            right = new[name].value if name in new else None
            found.append(Difference(name, left, right, math.inf))
            continue
        percent = percent_of(old[name].value, new[name].value)
        if abs(percent) > rules.tolerance(name):
            found.append(
                Difference(name, old[name].value, new[name].value, percent)
            )
    return found


def _side(value: Optional[float]) -> str:
    return "missing" if value is None else number_text(value)


def report(differences: List[Difference]) -> str:
    """The differences as a table."""
    if not differences:
        return "no differences\n"
    width = max(len(item.name) for item in differences)
    lines = []
    for item in differences:
        percent = ""
        if math.isfinite(item.percent):
            percent = f"{item.percent:+.2f}%"
        lines.append(
            f"{item.name:{width}}  {_side(item.old):>14} "
            f"{_side(item.new):>14} {percent:>10}".rstrip()
        )
    lines.append(f"{len(differences)} rows differ")
    return "\n".join(lines) + "\n"
