# SPDX-License-Identifier: BSD-3-Clause
"""Stops of programs at a function or an address.

    stop = system.workload.stop_at("main")
    event = m5.simulate()          # event.getCause() == "reached main"

The place is a function of the program or of a library ("main", "libm:sin" for
one in a certain file, "main+0x10"), or an address.  A function that is in no
mapped file yet waits until one that has it is mapped.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Tuple, Union

from gearshift import _core
from gearshift.errors import FatalError, script_line

Place = Union[str, int]

_PLACE = re.compile(
    r"(?:(?P<file>[^:]+):)?(?P<symbol>[^:+*\s]+)"
    r"(?:\+(?P<offset>0x[0-9a-fA-F]+|\d+))?"
)


def place_fields(place: Place) -> Dict[str, Any]:
    """Symbol, file and address of "libm:sin+4" or 0x401000."""
    if isinstance(place, bool) or not isinstance(place, (str, int)):
        raise FatalError(
            f"a place to stop is a function's name or an address, not "
            f"{place!r}",
            script_line(),
        )
    if isinstance(place, str) and re.fullmatch(r"0x[0-9a-fA-F]+", place):
        place = int(place, 16)
    if isinstance(place, int):
        if not 0 <= place < 1 << 64:
            raise FatalError(f"{place:#x} is no address", script_line())
        return {"symbol": "", "file": "", "addr": place}
    match = _PLACE.fullmatch(place)
    if not match:
        raise FatalError(
            f"'{place}' is no place to stop; say main, libm:sin, main+0x10 "
            "or 0x401000",
            script_line(),
        )
    return {
        "symbol": match["symbol"],
        "file": match["file"] or "",
        "addr": int(match["offset"] or "0", 0),
    }


def place_name(place: Place) -> str:
    """ "main", "0x401000"."""
    return place if isinstance(place, str) else f"{place:#x}"


class Stop:
    """A stop that a script has asked for."""

    def __init__(self, workload: Any, number: int, cause: str) -> None:
        self._workload = workload
        self._number = number
        self.cause = cause

    def _read(self) -> Dict[str, Any]:
        return _core.stop_read(self._workload.getCCObject(), self._number)

    @property
    def hits(self) -> int:
        """How often the place was reached."""
        return int(self._read()["hits"])

    @property
    def is_over(self) -> bool:
        """Whether it has ended a run and will not do so again."""
        return bool(self._read()["is_over"])

    @property
    def was_found(self) -> bool:
        """Whether any mapped file has had the function so far."""
        return bool(self._read()["was_found"])

    @property
    def sites(self) -> List[Tuple[int, int]]:
        """(process id, address) of each place where it can be met now."""
        return _core.stop_sites(self._workload.getCCObject(), self._number)

    def remove(self) -> None:
        """Forget it."""
        _core.stop_remove(self._workload.getCCObject(), self._number)


def add_stop(
    workload: Any, place: Place, count: int, cause: Optional[str], **rest: Any
) -> Stop:
    """The stop, with the kernel; @rest: pid, repeats."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise FatalError(
            f"stop_at(): the count of hits is 1 or more, not {count!r}",
            script_line(),
        )
    asked = place_fields(place)
    words = cause if cause is not None else f"reached {place_name(place)}"
    asked.update(rest, count=count, cause=words)
    number = _core.stop_add(workload.getCCObject(), asked)
    return Stop(workload, number, words)
