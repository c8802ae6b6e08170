# SPDX-License-Identifier: BSD-3-Clause
"""The functions of m5 that act on the default simulation."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

from gearshift import log
from gearshift import simulation as _simulation
from gearshift.settings import settings
from gearshift.simulation import ExitEvent, MaxTick
from gearshift.switch import switch_cpus

__all__ = [
    "MaxTick",
    "checkpoint",
    "curTick",
    "disableAllListeners",
    "drain",
    "fork",
    "getMaxTick",
    "getTicksUntilMax",
    "instantiate",
    "listenersDisabled",
    "listenersLoopbackOnly",
    "memInvalidate",
    "memWriteback",
    "notifyFork",
    "scheduleTickExitAbsolute",
    "scheduleTickExitFromCurrent",
    "setMaxTick",
    "simulate",
    "switchCpus",
]


def instantiate(ckpt_dir: Optional[str] = None) -> None:
    """Create the objects of the most recent Root in the core."""
    _simulation.default().instantiate(ckpt_dir)


def simulate(*args: int) -> ExitEvent:
    """Run for some ticks, or until an exit event."""
    return _simulation.default().simulate(*args)


def curTick() -> int:
    """Simulated time in ticks."""
    return _simulation.default().now


def checkpoint(dir: str) -> None:  # pylint: disable=redefined-builtin
    """Write a checkpoint; "%d" in the name becomes the tick."""
    log.inform("Writing checkpoint")
    _simulation.default().checkpoint(dir)


def drain() -> None:
    """Let all objects finish what they are doing."""
    _simulation.default().drain()


def memWriteback(root: Any) -> None:
    """Nothing to do: guest RAM always holds the content of memory."""
    del root


def memInvalidate(root: Any) -> None:
    """Nothing to do: caches hold no data."""
    del root


def notifyFork(root: Any) -> None:
    """fork() tells all objects by itself."""
    del root


def fork(simout: str = "%(parent)s.f%(fork_seq)i") -> int:
    """Fork the process; the child writes to a directory of its own."""
    return _simulation.default().fork(simout)


def switchCpus(
    system: Any, cpuList: "List[Tuple[Any, Any]]", verbose: bool = True
) -> None:
    """Let new CPUs take over from old ones: [(old, new), ...]."""
    switch_cpus(_simulation.default(), system, cpuList, verbose)


def setMaxTick(tick: int) -> None:
    """Stop at this tick at the latest."""
    _simulation.default().max_tick = tick


def getMaxTick() -> int:
    """The tick at which simulate() stops at the latest."""
    return _simulation.default().max_tick


def getTicksUntilMax() -> int:
    """Ticks that are left."""
    return getMaxTick() - curTick()


def scheduleTickExitFromCurrent(
    ticks: int, exit_string: str = "Tick exit reached"
) -> None:
    """End simulate() some ticks from now."""
    scheduleTickExitAbsolute(curTick() + ticks, exit_string)


def scheduleTickExitAbsolute(
    tick: int, exit_string: str = "Tick exit reached"
) -> None:
    """End simulate() at a tick."""
    _simulation.default().schedule_exit(tick, exit_string)


def disableAllListeners() -> None:
    """No port of the host is opened from now on."""
    settings.listeners_disabled = True


def listenersDisabled() -> bool:
    """Whether no port of the host is opened."""
    return settings.listeners_disabled


def listenersLoopbackOnly(loopback_only: bool = True) -> bool:
    """Ports accept connections from this host only."""
    settings.listeners_loopback_only = loopback_only
    return loopback_only
