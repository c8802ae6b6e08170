# SPDX-License-Identifier: BSD-3-Clause
"""Simulated time: one tick is one picosecond, always."""

from __future__ import annotations

from gearshift import convert, log
from gearshift.errors import FatalError, script_line

PER_SECOND = 10**12
frequency_tolerance = 0.001  # relative error of rounding that is not reported


def fromSeconds(seconds: float) -> int:
    """Whole ticks; warns when rounding changes the value noticeably."""
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"can't convert '{type(seconds)}' to type tick")
    exact = seconds * PER_SECOND
    rounded = int(round(exact))
    if exact and abs(exact - rounded) / exact > frequency_tolerance:
        log.warn(
            f"rounding error > tolerance\n    {exact:f} rounded to {rounded}"
        )
    return rounded


def fixGlobalFrequency() -> None:
    """gem5's scripts call this; the frequency is fixed from the start."""


def setGlobalFrequency(frequency: object) -> None:
    """Accepts 1 THz only: one tick is one picosecond."""
    hertz: float
    if isinstance(frequency, str):
        hertz = convert.anyToFrequency(frequency)
    elif isinstance(frequency, (int, float)):
        hertz = float(frequency)
    else:
        raise TypeError(f"wrong type '{type(frequency)}' for a frequency")
    if round(hertz) != PER_SECOND:
        raise FatalError(
            f"one tick is 1 ps (1 THz); it cannot be set to {frequency}",
            script_line(),
        )


def tps() -> int:
    """Ticks per second."""
    return PER_SECOND
