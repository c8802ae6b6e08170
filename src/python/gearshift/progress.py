# SPDX-License-Identifier: BSD-3-Clause
"""A live line on the terminal while simulate() runs.

Shows simulated time, host time, their ratio, instructions per second, and how
long it will take where a limit is known.  Silent when stderr is no terminal.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any, Optional

from gearshift import log, ticks
from gearshift.settings import settings

FIRST_SECONDS = 0.5  # runs shorter than this show nothing
PERIOD_SECONDS = 0.25


def is_wanted() -> bool:
    """Whether somebody watches a terminal."""
    if settings.quiet or not settings.progress:
        return False
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def time_text(seconds: float) -> str:
    """1.5e-7 as "150 ns"."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        if seconds >= scale:
            return f"{seconds / scale:.4g} {unit}"
    return f"{seconds / 1e-12:.4g} ps"


def clock_text(seconds: float) -> str:
    """Host time as "1:02:03" or "02:03"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest:02d}"
    return f"{hours}:{text}" if hours else text


def line_text(
    done: int, host_seconds: float, insts: int, left: Optional[int], now: int
) -> str:
    """The line: @done ticks were simulated in @host_seconds."""
    simulated = done / ticks.PER_SECOND
    parts = [
        f"sim {time_text(now / ticks.PER_SECOND)}",
        f"host {clock_text(host_seconds)}",
    ]
    if host_seconds > 0:
        parts.append(f"{time_text(simulated / host_seconds)}/s")
        if insts:
            parts.append(f"{insts / host_seconds / 1e6:.1f} MIPS")
    if left is not None and done > 0:
        share = 100.0 * done / (done + left)
        eta = host_seconds * left / done
        parts.append(f"{share:.0f}% ETA {clock_text(eta)}")
    return "  ".join(parts)


class ProgressLine:
    """Context manager around one call of the core's simulate."""

    def __init__(self, simulation: Any, limit: int) -> None:
        self._simulation = simulation
        self._limit = limit
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._status: Any = None
        self._start = (0, 0, 0.0)

    def __enter__(self) -> "ProgressLine":
        if is_wanted():
            core = self._simulation.core
            self._start = (core.now, core.insts, time.monotonic())
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join()

    def _end(self) -> Optional[int]:
        """The tick at which simulate() ends at the latest, if known."""
        core = self._simulation.core
        end = min(core.max_tick, self._start[0] + self._limit)
        return None if end >= (1 << 63) else int(end)

    def _text(self) -> str:
        core = self._simulation.core
        tick, insts, begin = self._start
        now = core.now
        end = self._end()
        left = None if end is None else max(end - now, 0)
        elapsed = time.monotonic() - begin
        return line_text(now - tick, elapsed, core.insts - insts, left, now)

    def _run(self) -> None:
        if self._stop.wait(FIRST_SECONDS):
            return
        # pylint: disable-next=import-outside-toplevel
        from rich.console import Console

        # pylint: disable-next=import-outside-toplevel
        from rich.live import Live

        console = Console(stderr=True, highlight=False)
        with Live(console=console, transient=True, auto_refresh=False) as live:
            log.before_message.append(live.stop)
            try:
                while True:
                    if not live.is_started:
                        live.start()  # a message had stopped it
                    live.update(self._text(), refresh=True)
                    if self._stop.wait(PERIOD_SECONDS):
                        break
            finally:
                log.before_message.remove(live.stop)
