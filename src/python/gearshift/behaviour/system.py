# SPDX-License-Identifier: BSD-3-Clause
"""System: the memory mode, which changes with the CPUs."""

from __future__ import annotations

from typing import Any

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


MIXINS = {"System": SystemMethods}
