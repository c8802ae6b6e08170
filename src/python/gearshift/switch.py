# SPDX-License-Identifier: BSD-3-Clause
"""Changing gear: new CPU objects take over from old ones.

Classes of CPUs tell what they can do (memory_mode(), support_take_over());
the core moves the processor's state and its seat in the emulated kernel.
The words of errors are gem5's where it has them.
"""

from __future__ import annotations

from typing import Any, List, Tuple

from gearshift.errors import FatalError, script_line
from gearshift.params.desc import object_classes
from gearshift.simobject import SimObject

Pairs = List[Tuple[Any, Any]]


def _fail(text: str) -> FatalError:
    return FatalError(f"switchCpus(): {text}", script_line())


def _check_form(pairs: Any) -> None:
    base = object_classes.get("BaseCPU")
    if not isinstance(pairs, (list, tuple)) or not all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs
    ):
        raise _fail("expected a list of pairs (old CPU, new CPU)")
    for pair in pairs:
        for cpu in pair:
            if not isinstance(cpu, SimObject) or not (
                base and isinstance(cpu, base)
            ):
                raise _fail(f"{cpu} is not a CPU")


def _check_names(pairs: Pairs) -> None:
    """Each CPU appears once."""
    olds = [old for old, _ in pairs]
    news = [new for _, new in pairs]
    for new in news:
        if any(new is old for old in olds):
            raise _fail(f"New CPU ({new}) is in the list of old CPUs.")
        if sum(new is other for other in news) > 1:
            raise _fail(f"New CPU ({new}) is in the list twice.")
    for old in olds:
        if sum(old is other for other in olds) > 1:
            raise _fail(f"Old CPU ({old}) is in the list twice.")


def _check_cpus(pairs: Pairs) -> str:
    """Each CPU can do its part.  Returns the new CPUs' memory mode."""
    mode = pairs[0][1].memory_mode()
    for old, new in pairs:
        for cpu in (old, new):
            cpu.getCCObject()
        if not new.switchedOut():
            raise _fail(f"New CPU ({new}) is already active.")
        if old.switchedOut():
            raise _fail(f"Old CPU ({old}) is inactive.")
        for cpu, which in ((new, "New"), (old, "Old")):
            if not cpu.support_take_over():
                raise _fail(
                    f"{which} CPU ({cpu}) does not support CPU handover: "
                    f"{type(cpu).__name__} cannot."
                )
        if new.memory_mode() != mode:
            raise _fail(
                f"{new} and {pairs[0][1]} require different memory modes: "
                f"{new.memory_mode()}, {mode}."
            )
        new.checkTakeOver(old)
    return str(mode)


def switch_cpus(
    simulation: Any, system: Any, pairs: Any, verbose: bool = False
) -> None:
    """Drain, switch the old CPUs out, let the new ones take over."""
    _check_form(pairs)
    if not pairs:
        return
    _check_names(pairs)
    mode = _check_cpus(pairs)
    if verbose:
        print("switching cpus")
    simulation.drain()
    for old, _ in pairs:
        old.switchOut()
    if system.getMemoryMode() != mode:
        system.setMemoryMode(mode)
    for old, new in pairs:
        new.takeOverFrom(old)
