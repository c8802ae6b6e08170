# SPDX-License-Identifier: BSD-3-Clause
"""System: the memory mode, which changes with the CPUs."""

from __future__ import annotations

from typing import Any, Callable, Optional

from gearshift import _core
from gearshift.errors import FatalError, script_line

_MODES = ("invalid", "atomic", "timing", "atomic_noncaching")


class SystemMethods:
    """Reads and changes the memory mode, also while the simulation runs."""

    def getMemoryMode(self: Any) -> str:
        """The mode in force: "atomic", "timing" or "atomic_noncaching"."""
        if self._native is None:
            return str(self.mem_mode)
        return _MODES[self._native.get_param("mem_mode")]

    def setMemoryMode(self: Any, mode: Any) -> None:
        """Change the mode; the simulation must be drained."""
        if str(mode) not in _MODES[1:]:
            raise FatalError(
                f"{self.path()}: there is no memory mode '{mode}'; choose "
                + ", ".join(_MODES[1:]),
                script_line(),
            )
        if self._native is None:
            self.mem_mode = str(mode)
        else:
            self._native.set_param("mem_mode", _MODES.index(str(mode)))

    def on_msr(
        self: Any,
        index: int,
        read: Optional[Callable[[int, int], Optional[int]]] = None,
        write: Optional[Callable[[int, int, int], Any]] = None,
        count: int = 1,
    ) -> None:
        """Answer RDMSR and WRMSR of @count registers from @index on.

        Asked where neither the processor nor its interrupt controller knows
        the register: read(cpu_id, index) gives the value, or None for #GP;
        write(cpu_id, index, value) gives False for #GP.  Without a callable
        the access is #GP.  Under KVM this needs the core for ring 0, or a
        host that hands unknown registers on (X86_USER_SPACE_MSR).
        """
        if not 0 <= index <= index + count - 1 < 1 << 32:
            raise FatalError(
                f"{self.path()}: on_msr(): registers have numbers below "
                f"2**32, not {index:#x} and {count} of them",
                script_line(),
            )
        _core.system_add_msr(
            self.getCCObject(), index, index + count - 1, read, write
        )


MIXINS = {"System": SystemMethods}
