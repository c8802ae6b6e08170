# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.ticks."""

from gearshift.ticks import (
    fixGlobalFrequency,
    frequency_tolerance,
    fromSeconds,
    setGlobalFrequency,
    tps,
)

__all__ = [
    "fixGlobalFrequency",
    "frequency_tolerance",
    "fromSeconds",
    "setGlobalFrequency",
    "tps",
]
