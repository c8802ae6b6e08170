# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.event: Python code in the event queue."""

from __future__ import annotations

from typing import Any, Callable, Optional

from gearshift import _core
from gearshift import simulation as _simulation
from gearshift import ticks as _ticks
from gearshift.simulation import ExitEvent as GlobalSimLoopExitEvent
from gearshift.simulation import MaxTick

__all__ = [
    "Event",
    "EventQueue",
    "GlobalSimLoopExitEvent",
    "MaxTick",
    "ProgressEvent",
    "SimExit",
    "create",
    "getEventQueue",
    "mainq",
    "simulate",
]


class Event:
    """Derive from it and define __call__; the queue calls it."""

    Default_Pri = _core.event_priorities["Default_Pri"]

    def __init__(self, priority: int = 0) -> None:
        self._cell: Optional[Any] = None
        self._priority = priority

    def __call__(self) -> None:
        raise NotImplementedError

    def scheduled(self) -> bool:
        """Whether the event waits in the queue."""
        return self._cell is not None and bool(self._cell.is_scheduled)

    def when(self) -> int:
        """The tick it waits for."""
        return int(self._cell.when) if self._cell is not None else 0


for _name, _value in _core.event_priorities.items():
    setattr(Event, _name, _value)


class _Call(Event):
    """Calls a function."""

    def __init__(self, func: Callable[[], Any], priority: int) -> None:
        super().__init__(priority)
        self._func = func

    def __call__(self) -> None:
        self._func()


def create(obj: Callable[[], Any], priority: Optional[int] = None) -> Event:
    """An event that calls @obj."""
    return _Call(obj, Event.Default_Pri if priority is None else priority)


class EventQueue:
    """The queue of the default simulation."""

    @staticmethod
    def schedule(event: Event, when: int) -> None:
        """Call the event at @when."""
        cell = _core.Event(event, type(event).__name__, event._priority)
        cell.schedule(_simulation.default().core, int(when))
        event._cell = cell

    @staticmethod
    def deschedule(event: Event) -> None:
        """Take it out of the queue."""
        if event._cell is not None:
            event._cell.deschedule()

    @classmethod
    def reschedule(cls, event: Event, when: int, always: bool = False) -> None:
        """Move it; with @always also when it is not scheduled."""
        if event.scheduled():
            cls.deschedule(event)
        elif not always:
            raise ValueError("the event is not scheduled")
        cls.schedule(event, when)

    @staticmethod
    def getCurTick() -> int:
        """Simulated time."""
        return _simulation.default().now


mainq = EventQueue()
SimExit = GlobalSimLoopExitEvent


class ProgressEvent(Event):
    """Prints the time of a queue, every @period ticks from now on."""

    def __init__(self, eventq: EventQueue, period: int) -> None:
        super().__init__()
        self.period = int(period)
        self.eventq = eventq
        self.eventq.schedule(self, _simulation.default().now + self.period)

    def __call__(self) -> None:
        now = _simulation.default().now
        print(f"Progress! Time now {now / _ticks.PER_SECOND:f}s")
        self.eventq.schedule(self, now + self.period)


def getEventQueue(index: int) -> EventQueue:
    """There is one queue; every index means it."""
    del index
    return mainq


def simulate(*args: int) -> GlobalSimLoopExitEvent:
    """Run the default simulation."""
    return _simulation.default().simulate(*args)
