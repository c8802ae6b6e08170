# SPDX-License-Identifier: BSD-3-Clause
"""Simulation: one tree of objects and its time.

    sim = gearshift.Simulation(root, outdir="out")
    sim.instantiate()
    event = sim.simulate(sim.seconds("1ms"))
    print(event.getCause(), sim.now)

There may be several in a process.  The functions of the module m5 act on a
default one, which belongs to the most recent Root.
"""

from __future__ import annotations

import os
from typing import Any, Callable, List, Optional

from gearshift import _core, convert, debug, instantiate, outputs, ticks
from gearshift.behaviour.root import RootMethods
from gearshift.errors import FatalError, StateError, script_line
from gearshift.progress import ProgressLine
from gearshift.settings import settings
from gearshift.statsout import StatsOutputs

MaxTick: int = _core.TICK_MAX


class ExitEvent:
    """Why simulate() returned."""

    def __init__(self, cause: str, code: int, tick: int) -> None:
        self.cause = cause
        self.code = code
        self.tick = tick

    def getCause(self) -> str:
        """gem5's words, such as "simulate() limit reached"."""
        return self.cause

    def getCode(self) -> int:
        """Status of the guest program, where there is one."""
        return self.code

    def __repr__(self) -> str:
        return f"<ExitEvent '{self.cause}' code {self.code} at {self.tick}>"


def _blame_script(call: Callable[[str], None], path: str) -> None:
    """Let an error of the core about a file name the script's line."""
    try:
        call(path)
    except FatalError as error:
        raise FatalError(str(error), script_line()) from None


class Simulation:
    """A tree of objects, instantiated once, then run in steps."""

    def __init__(
        self, root: Optional[Any] = None, outdir: Optional[str] = None
    ) -> None:
        self.root = root if root is not None else RootMethods.getInstance()
        self.core = _core.Simulation()
        self._outdir = outdir
        self._instantiated_at: Optional[str] = None
        self._is_ready = False
        self._is_started = False
        self._is_drained = False
        self.fork_count = 0
        self.stats = StatsOutputs(self)

    # --------------------------------------------------------------- state

    @property
    def outdir(self) -> str:
        """Directory of all output files."""
        return self._outdir if self._outdir is not None else settings.outdir

    def set_outdir(self, path: str) -> None:
        """Another directory, before instantiate()."""
        os.makedirs(path, exist_ok=True)
        self._outdir = path

    @property
    def now(self) -> int:
        """Simulated time in ticks."""
        return int(self.core.now)

    @property
    def is_instantiated(self) -> bool:
        """Whether the objects exist in the core."""
        return self._is_ready

    @property
    def is_drained(self) -> bool:
        """Whether all objects have finished what they were doing."""
        return self._is_drained

    @staticmethod
    def seconds(text: str) -> int:
        """Ticks of a time such as "1ms"."""
        return ticks.fromSeconds(convert.toLatency(text))

    def _check_ready(self, what: str) -> None:
        if not self._is_ready:
            raise StateError(
                f"{what} was called before instantiate()", script_line()
            )

    # ----------------------------------------------------------- life cycle

    def instantiate(self, ckpt_dir: Optional[str] = None) -> None:
        """Check the tree, write the config files, create the objects.

        With @ckpt_dir the state comes from that checkpoint.
        """
        if self._instantiated_at is not None:
            raise StateError(
                "instantiate() was called twice; the first call was at "
                f"{self._instantiated_at}",
                script_line(),
            )
        if self.root is None:
            raise StateError(
                "there is no Root; create one before instantiate()",
                script_line(),
            )
        self._instantiated_at = script_line() or "?"
        instantiate.settle(self.root)
        os.makedirs(self.outdir, exist_ok=True)
        outputs.write_all(self.root, self.outdir)
        self.core.outdir = self.outdir
        instantiate.create(self.core, self.root)
        for obj in self.root.descendants():
            obj._simulation = self
        self.core.init()
        for obj in self.root.descendants():
            instantiate.report_ignored(obj)
        if ckpt_dir:
            _blame_script(self.core.load, str(ckpt_dir))
        else:
            self.core.reset()
        self._is_ready = True
        self.stats.open()
        debug.install_breaks(self)

    def _start(self) -> None:
        """Before the first step: start-up of objects, fresh statistics."""
        if self._is_started:
            return
        self._is_started = True
        self.core.startup()
        self.core.stats_reset()
        self.stats.dump_at_exit()

    def simulate(self, limit: int = MaxTick) -> ExitEvent:
        """Run for at most @limit ticks, or until an exit event."""
        self._check_ready("simulate()")
        self._start()
        if self._is_drained:
            self.resume()
        limit = MaxTick if limit < 0 else min(int(limit), MaxTick)
        with ProgressLine(self, limit):
            return ExitEvent(*self.core.simulate(limit))

    def drain(self) -> None:
        """Let all objects finish what they are doing."""
        self._check_ready("drain()")
        self._start()
        while not self.core.drain():
            cause, _code, _tick = self.core.simulate(MaxTick)
            if cause != "Finished drain":
                raise FatalError(
                    f"the simulation ended while draining: {cause}",
                    script_line(),
                )
        self._is_drained = True

    def resume(self) -> None:
        """The opposite of drain; simulate() calls it."""
        self.core.resume()
        self._is_drained = False

    # ----------------------------------------------------------- exits

    @property
    def max_tick(self) -> int:
        """Absolute tick at which simulate() stops."""
        return int(self.core.max_tick)

    @max_tick.setter
    def max_tick(self, when: int) -> None:
        if when <= self.now:
            raise FatalError(
                f"max tick {when} is not after the current tick {self.now}",
                script_line(),
            )
        self.core.max_tick = when

    def schedule_exit(
        self, when: int, cause: str = "Tick exit reached"
    ) -> None:
        """End simulate() with this cause at @when."""
        if when < self.now:
            raise FatalError(
                f"the exit at tick {when} lies before the current tick "
                f"{self.now}",
                script_line(),
            )
        self.core.exit_at(cause, 0, when, 0)

    def exit_now(self, cause: str, code: int = 0) -> None:
        """End simulate() from an event."""
        self.core.exit_now(cause, code)

    def call_at(
        self, when: int, call: Callable[[], Any], priority: int = 0
    ) -> Any:
        """Call a function at @when; returns the event."""
        event = _core.Event(call, getattr(call, "__name__", "call"), priority)
        event.schedule(self.core, when)
        return event

    # ----------------------------------------------------------- copies

    def checkpoint(self, directory: str) -> str:
        """Write a checkpoint; "%d" in the name becomes the tick."""
        self._check_ready("checkpoint()")
        self.drain()
        path = str(directory).replace("%d", str(self.now))
        _blame_script(self.core.save, path)
        return path

    def fork(self, simout: str = "%(parent)s.f%(fork_seq)i") -> int:
        """Fork the process; the child writes to a directory of its own.

        Returns 0 in the child, else the child's process id.
        """
        self._check_ready("fork()")
        self.drain()
        self.fork_count += 1
        place = {
            "parent": self.outdir,
            "fork_seq": self.fork_count,
            "pid": os.getpid(),
        }
        self.core.before_fork()
        pid = os.fork()
        if pid == 0:
            place["pid"] = os.getpid()
            self._become_child(simout % place)
        return pid

    def _become_child(self, outdir: str) -> None:
        self.fork_count = 0
        self._outdir = settings.outdir = outdir
        os.makedirs(outdir, exist_ok=True)
        self.core.after_fork(outdir)
        self.stats.reopen()

    # ----------------------------------------------------------- reading

    def stat(self, name: str) -> Any:
        """One statistic by its dotted name: a dictionary with its value."""
        self._check_ready("stat()")
        found = self.core.stat(name)
        if found is None:
            raise FatalError(f"there is no statistic '{name}'", script_line())
        return found


_default: List[Simulation] = []


def default() -> Simulation:
    """The simulation that the functions of m5 act on."""
    root = RootMethods.getInstance()
    if _default and (root is None or _default[0].root is root):
        return _default[0]
    _default[:] = [Simulation(root)]
    return _default[0]


def has_default() -> bool:
    """Whether there is one already."""
    return bool(_default)
