# SPDX-License-Identifier: BSD-3-Clause
"""Runs gear plans: one set of CPUs per gear, and a table at the end.

    plan = Plan("kvm until main; atomic 10M insts; kvm")
    box = GearBox(system, plan, count=2, cpu_id...)   # before instantiate()
    simulation.instantiate()
    event = box.run(simulation)
    print(box.table())
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

from gearshift import _core, ticks
from gearshift.errors import FatalError, script_line
from gearshift.gearplan import GEARS, Limit, Plan, Step
from gearshift.params.desc import object_classes
from gearshift.progress import time_text
from gearshift.switch import switch_cpus

# Exits that a program asks for and that end no plan.
PASSING = ("workbegin", "workend", "switchcpu", "checkpoint")
OVER = "the gear plan is over"

_STEP = "gear step "  # causes of our own limits begin with it


def kvm_refusal() -> str:
    """Why KVM cannot be used here; "" if it can."""
    if "X86KvmCPU" not in object_classes:
        return "this build has no X86KvmCPU"
    return str(_core.kvm_info()["reason"])


def gear_class(name: str) -> Any:
    """The class of CPUs of a gear."""
    found = object_classes.get(GEARS[name])
    if found is None:
        known = [gear for gear in GEARS if GEARS[gear] in object_classes]
        raise FatalError(
            f"the gear '{name}' ({GEARS[name]}) is not part of this build; "
            f"there are: {', '.join(known)}",
            script_line(),
        )
    return found


@dataclass
class Record:
    """What happened in one step."""

    gear: str
    text: str
    insts: Optional[int]  # None: not counted
    host_seconds: float
    ticks: int
    exits: Optional[int]  # of the host's virtualisation
    end: str

    def mips(self) -> Optional[float]:
        """Millions of instructions per second of the host."""
        if self.insts is None or not self.host_seconds:
            return None
        return self.insts / self.host_seconds / 1e6


class GearBox:
    """The CPUs of all gears of a plan."""

    def __init__(self, system: Any, plan: Plan) -> None:
        self.system = system
        self.plan = plan
        self.gear = plan.gears()[0]
        self.cpus: Dict[str, List[Any]] = {}
        self.records: List[Record] = []
        self.notes: List[str] = []

    def add_cpus(self, make: Callable[[Any, Any], List[Any]]) -> None:
        """Create the CPUs: make(class, standby) gives one per processor.

        Those of the first gear are system.cpu; those of the others stand by
        as system.GEAR_cpu.
        """
        for name in self.plan.gears():
            cls = gear_class(name)
            is_first = name == self.gear
            self.cpus[name] = make(cls, not is_first)
            child = "cpu" if is_first else f"{name}_cpu"
            setattr(self.system, child, self.cpus[name])
        self.system.mem_mode = type(self.cpus[self.gear][0]).memory_mode()
        if any(word.startswith("work") for word in self.plan.places()):
            self.system.exit_on_work_items = True

    # ------------------------------------------------------------- running

    def shift(self, simulation: Any, gear: str) -> None:
        """The CPUs of @gear take over."""
        if gear == self.gear:
            return
        pairs = list(zip(self.cpus[self.gear], self.cpus[gear]))
        switch_cpus(simulation, self.system, pairs)
        self.gear = gear

    def run(self, simulation: Any) -> Any:
        """Follow the plan.  Returns the last exit event."""
        for step in self.plan.steps():
            event = self._run_step(simulation, step)
            if event.cause != self.records[-1].end:
                return event
        event.cause = OVER
        return event

    def _run_step(self, simulation: Any, step: Step) -> Any:
        self.shift(simulation, step.gear)
        before = self._counts(simulation)
        watch = _Watch(self, simulation, step.limit)
        while True:
            event = simulation.simulate()
            if watch.is_reached(event) or not _is_passing(event.cause):
                break
        self.notes += watch.forget(event)
        after = self._counts(simulation)
        self.records.append(
            Record(
                step.gear,
                step.limit.text,
                _difference(after["insts"], before["insts"]),
                after["host"] - before["host"],
                after["ticks"] - before["ticks"],
                _difference(after["exits"], before["exits"]),
                watch.cause,
            )
        )
        return event

    def _counts(self, simulation: Any) -> Dict[str, Any]:
        cpus = self.cpus[self.gear]
        counted = all(cpu.countsInsts() for cpu in cpus)
        return {
            "insts": sum(c.totalInsts() for c in cpus) if counted else None,
            "host": time.perf_counter(),
            "ticks": simulation.now,
            "exits": _exits(simulation, cpus) if self.gear == "kvm" else None,
        }

    # ------------------------------------------------------------- the table

    def report(self) -> str:
        """The table, and what to tell about places that were not reached."""
        return "\n".join(
            [self.table(), *(f"gearshift: {note}" for note in self.notes)]
        )

    def table(self) -> str:
        """The gears, one a line."""
        rows = [_ROW_NAMES] + [_row(r) for r in self.records]
        widths = [max(len(row[i]) for row in rows) for i in range(7)]
        lines = []
        for row in rows:
            left = [row[i].ljust(widths[i]) for i in range(2)]
            right = [row[i].rjust(widths[i]) for i in range(2, 7)]
            lines.append("  ".join(left + right).rstrip())
        return "\n".join(lines)


_ROW_NAMES = [
    "gear",
    "limit",
    "instructions",
    "host",
    "MIPS",
    "simulated",
    "exits",
]


def _row(record: Record) -> List[str]:
    mips = record.mips()
    insts = record.insts
    return [
        record.gear,
        record.text,
        "not counted" if insts is None else f"{insts:,}",
        f"{record.host_seconds:.3f} s",
        "-" if mips is None else f"{mips:.1f}",
        time_text(record.ticks / ticks.PER_SECOND),
        "-" if record.exits is None else f"{record.exits:,}",
    ]


def _is_passing(cause: str) -> bool:
    """Whether an exit ends nothing: the program's news, or a limit that
    another CPU reached in the same moment."""
    return cause in PASSING or cause.startswith(_STEP)


def _difference(after: Optional[int], before: Optional[int]) -> Optional[int]:
    return None if after is None or before is None else after - before


def _exits(simulation: Any, cpus: List[Any]) -> int:
    return sum(
        int(simulation.stat(f"{cpu.path()}.numVMExits")["value"])
        for cpu in cpus
    )


class _Watch:
    """The limit of one step, as exits of the simulation."""

    def __init__(self, box: GearBox, simulation: Any, limit: Limit) -> None:
        self.limit = limit
        self.cpus = box.cpus[box.gear]
        self.stop: Any = None
        self.left = limit.count
        number = len(box.records) + 1
        self.cause = f"{_STEP}{number}: {box.gear} {limit.text}"
        if limit.kind == "event":
            self.cause = limit.place
        elif limit.kind == "place":
            self.stop = box.system.workload.stop_at(
                limit.place, limit.count, self.cause
            )
        elif limit.kind == "insts":
            for cpu in self.cpus:
                cpu.scheduleInstStop(0, limit.count, self.cause)
        elif limit.kind == "ticks":
            simulation.schedule_exit(simulation.now + limit.count, self.cause)

    def is_reached(self, event: Any) -> bool:
        """Whether this exit is the end of the step."""
        if event.cause != self.cause or self.limit.kind == "end":
            return False
        if self.limit.kind == "event":
            self.left -= 1
            return self.left == 0
        return True

    def forget(self, event: Any) -> List[str]:
        """Nothing of the limit may end a later step.

        Returns: what to tell about a place that was not reached.
        """
        notes: List[str] = []
        if self.stop is not None:
            if not self.is_reached(event):
                notes.append(self._why_missed())
            self.stop.remove()
        if self.limit.kind == "insts":
            for cpu in self.cpus:
                cpu.cancelInstStops(self.cause)
        return notes

    def _why_missed(self) -> str:
        place, hits = self.limit.place, self.stop.hits
        if not self.stop.was_found:
            return f"'{place}' is in no file that the program has mapped"
        return f"'{place}' was reached {hits} times, not {self.limit.count}"
