# SPDX-License-Identifier: BSD-3-Clause
"""Changing gear: new CPU objects take over from old ones.

Classes of CPUs tell what they can do: memory_mode(), support_take_over() and,
in the core, switch_out() and take_over_from().
"""

from __future__ import annotations

from typing import Any, List, Tuple

from gearshift.errors import FatalError, script_line
from gearshift.params.desc import object_classes
from gearshift.simobject import SimObject


def _check_pair(pair: Any, base: Any) -> None:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise FatalError(
            "switchCpus() takes a list of pairs (old CPU, new CPU)",
            script_line(),
        )
    for cpu in pair:
        if not isinstance(cpu, SimObject) or not (
            base and isinstance(cpu, base)
        ):
            raise FatalError(
                f"switchCpus(): {cpu} is not a CPU", script_line()
            )


def _check_take_over(new: Any) -> None:
    supports = getattr(type(new), "support_take_over", None)
    if supports is None or not supports():
        raise FatalError(
            f"{new.path()}: {type(new).__name__} cannot take over from "
            "another CPU",
            script_line(),
        )


def _check_state(old: Any, new: Any) -> None:
    if not new.switched_out:
        raise FatalError(
            f"{new.path()}: the new CPU must be created with "
            "switched_out=True",
            script_line(),
        )
    if old.switchedOut():
        raise FatalError(
            f"{old.path()}: the old CPU is already switched out",
            script_line(),
        )


def switch_cpus(
    simulation: Any, system: Any, pairs: List[Tuple[Any, Any]], verbose: bool
) -> None:
    """Drain, switch the old CPUs out, let the new ones take over."""
    base = object_classes.get("BaseCPU")
    if not isinstance(pairs, list):
        raise FatalError(
            "switchCpus() takes a list of pairs (old CPU, new CPU)",
            script_line(),
        )
    for pair in pairs:
        _check_pair(pair, base)
    for old, new in pairs:
        _check_take_over(new)
        _check_state(old, new)
    modes = {type(new).memory_mode() for _, new in pairs}
    if len(modes) != 1:
        raise FatalError(
            "switchCpus(): the new CPUs need different memory modes: "
            + ", ".join(sorted(modes)),
            script_line(),
        )
    if verbose:
        print("switching cpus")
    simulation.drain()
    for old, _ in pairs:
        old.switchOut()
    mode = modes.pop()
    if system.getMemoryMode() != mode:
        system.setMemoryMode(mode)
    for old, new in pairs:
        new.takeOverFrom(old)
