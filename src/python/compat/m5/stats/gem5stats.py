# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.stats.gem5stats: statistics as a Python tree."""

from __future__ import annotations

from typing import Any, Optional

from gearshift import simstat
from gearshift import simulation as _simulation

__all__ = ["JsonOutputVistor", "get_simstat"]


def get_simstat(
    root: Optional[Any] = None, prepare_stats: bool = True
) -> simstat.SimStat:
    """Statistics of an object, a list of objects, or all."""
    del prepare_stats
    return simstat.get_simstat(_owner(root), root)


def _owner(root: Any) -> Any:
    first = root[0] if isinstance(root, list) and root else root
    found = getattr(first, "_simulation", None) if first else None
    return found or _simulation.default()


class JsonOutputVistor:
    """Writes all statistics to a file of its own (gem5 spells it so)."""

    def __init__(self, file: str) -> None:
        self.file = file

    def dump(self, root: Any) -> None:
        """Replace the file by the current values."""
        with open(self.file, "w", encoding="utf-8") as out:
            get_simstat(root).dump(out)
