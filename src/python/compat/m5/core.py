# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.core: functions that its C++ half offers."""

from __future__ import annotations

import enum

from gearshift import log as _log
from gearshift import ticks as _ticks
from gearshift.errors import FatalError, script_line
from gearshift.simulation import MaxTick, default
from m5.simulate import (
    curTick,
    disableAllListeners,
    getMaxTick,
    listenersDisabled,
    listenersLoopbackOnly,
    setMaxTick,
)

__all__ = [
    "LogLevel",
    "MaxTick",
    "clockFrequencyFixed",
    "curTick",
    "disableAllListeners",
    "fixClockFrequency",
    "getClockFrequency",
    "getMaxTick",
    "listenersDisabled",
    "listenersLoopbackOnly",
    "seedRandom",
    "setInterpDir",
    "setLogLevel",
    "setMaxTick",
    "setOutputDir",
]


class LogLevel(enum.IntEnum):
    """What is printed: this level and all before it."""

    PANIC = 0
    FATAL = 1
    WARN = 2
    INFO = 3
    HACK = 4


def setLogLevel(level: LogLevel) -> None:
    """Print no warnings or remarks above a level."""
    _log.set_quiet(
        *(["warn"] if level < LogLevel.WARN else []),
        *(["info"] if level < LogLevel.INFO else []),
    )


def getClockFrequency() -> int:
    """Ticks per second."""
    return _ticks.PER_SECOND


def fixClockFrequency() -> None:
    """The frequency is fixed from the start."""


def clockFrequencyFixed() -> bool:
    """Always."""
    return True


def setOutputDir(path: str) -> None:
    """Directory of all output files, before instantiate()."""
    sim = default()
    if sim.is_instantiated:
        raise FatalError(
            "the output directory cannot change after instantiate()",
            script_line(),
        )
    sim.set_outdir(path)


def seedRandom(seed: int) -> None:
    """Begin the sequence of random numbers anew."""
    default().core.set_seed(seed)


def setInterpDir(path: str) -> None:
    """Where dynamically linked programs find their loader."""
    raise FatalError(
        f"setInterpDir('{path}'): not supported; use redirect_paths of the "
        "System",
        script_line(),
    )
