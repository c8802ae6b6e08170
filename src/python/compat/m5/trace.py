# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.trace: where debug output goes, and when."""

from __future__ import annotations

from gearshift import _core
from gearshift.debug import activate, ignore, output

__all__ = ["activate", "disable", "enable", "ignore", "output"]


def enable() -> None:
    """Print debug output from now on."""
    _core.debug_window(0, _core.TICK_MAX)


def disable() -> None:
    """Print no debug output from now on."""
    _core.debug_window(_core.TICK_MAX, _core.TICK_MAX)
