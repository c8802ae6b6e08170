# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.stats: dump and reset statistics, choose outputs."""

from __future__ import annotations

from typing import Any, Optional

from gearshift import _core
from gearshift.simulation import default
from gearshift.statsout import HELP
from m5.stats import gem5stats

__all__ = [
    "addStatVisitor",
    "dump",
    "enable",
    "gem5stats",
    "global_dump_roots",
    "initSimStats",
    "initText",
    "periodicStatDump",
    "printStatVisitorTypes",
    "reset",
    "schedEvent",
]


def dump(roots: Optional[Any] = None) -> None:
    """Write the statistics of all objects, or of those below @roots."""
    if roots is not None and not isinstance(roots, (list, tuple)):
        roots = [roots]
    default().stats.dump(roots)


def reset() -> None:
    """Start counting afresh."""
    default().stats.reset()


def addStatVisitor(url: str) -> None:
    """Another output, such as "text://more.txt?desc=False"."""
    default().stats.add(url)


def initText(
    filename: str,
    desc: bool = True,
    spaces: bool = True,
) -> None:
    """A text output by its parts."""
    addStatVisitor(f"text://{filename}?desc={desc}&spaces={spaces}")


def periodicStatDump(period: int = 0) -> None:
    """Dump and reset every @period ticks; 0 stops it."""
    default().stats.periodic(int(period))


def schedEvent(dump: bool, reset: bool, when: int, repeat: int = 0) -> None:
    """Dump, reset or both at a tick, and every @repeat ticks from then on."""
    actions = (_core.STAT_DUMP if dump else 0) | (
        _core.STAT_RESET if reset else 0
    )
    default().core.stats_schedule(actions, int(when), int(repeat))


def initSimStats() -> None:
    """Nothing to do: the statistics of Root are always there."""


def enable() -> None:
    """Nothing to do: instantiate() enables statistics."""


def printStatVisitorTypes() -> None:
    """List the kinds of outputs."""
    print(HELP, end="")


def __getattr__(name: str) -> Any:
    if name == "global_dump_roots":
        return default().stats.global_roots
    raise AttributeError(name)
