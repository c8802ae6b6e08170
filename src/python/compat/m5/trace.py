# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.trace: where debug output goes, and when."""

from __future__ import annotations

from gearshift import _core
from gearshift.debug import output
from gearshift.errors import FatalError, script_line

__all__ = ["activate", "disable", "enable", "ignore", "output"]


def enable() -> None:
    """Print debug output from now on."""
    _core.debug_window(0, _core.TICK_MAX)


def disable() -> None:
    """Print no debug output from now on."""
    _core.debug_window(_core.TICK_MAX, _core.TICK_MAX)


def activate(pattern: str) -> None:
    """Not supported: objects cannot be chosen."""
    raise FatalError(
        f"m5.trace.activate('{pattern}'): choosing objects is not supported; "
        "choose flags with m5.debug.flags",
        script_line(),
    )


ignore = activate
