# SPDX-License-Identifier: BSD-3-Clause
"""Debug flags: gem5's m5.debug and the --debug-* options."""

from __future__ import annotations

import atexit
import os
import signal
from typing import Any, Dict, Iterator, List, Tuple

from gearshift import _core
from gearshift.errors import FatalError, nearest, script_line

# Ticks at which --debug-break wants a trap; instantiate() schedules them.
break_ticks: List[int] = []


class Flag:
    """One debug flag."""

    def __init__(self, name: str, desc: str, kids: List[str]) -> None:
        self.name = name
        self.desc = desc
        self.kids = kids

    def enable(self) -> None:
        """Switch on, members of a compound flag too."""
        _core.debug_set(self.name, True)

    def disable(self) -> None:
        """Switch off, members of a compound flag too."""
        _core.debug_set(self.name, False)

    @property
    def is_compound(self) -> bool:
        """Whether the flag stands for others."""
        return bool(self.kids)

    def __bool__(self) -> bool:
        return any(
            is_on
            for name, _, _, is_on in _core.debug_flags()
            if name == self.name
        )

    def __str__(self) -> str:
        return self.name


class _Flags(Dict[str, Flag]):
    """All flags by name; an unknown name is the user's mistake."""

    def __missing__(self, name: str) -> Flag:
        raise FatalError(
            f"there is no debug flag '{name}'" + nearest(name, self),
            script_line(),
        )


flags = _Flags(
    (name, Flag(name, desc, kids))
    for name, desc, kids, _ in _core.debug_flags()
)


def all_flags() -> Iterator[Tuple[str, Flag]]:
    """All flags, sorted by name."""
    return iter(sorted(flags.items()))


def help_text() -> str:
    """What --debug-help prints."""
    lines = ["Base Flags:"]
    lines += [f"    {n}: {f.desc}" for n, f in all_flags() if not f.kids]
    lines += ["", "Compound Flags:"]
    for name, flag in all_flags():
        if flag.kids:
            lines.append(f"    {name}: {flag.desc}")
            lines.append("        " + ", ".join(flag.kids))
    return "\n".join(lines) + "\n"


def set_flags(text: str) -> None:
    """ "A,B,-C": switch A and B on and C off."""
    for word in text.split(","):
        if word.startswith("-"):
            flags[word[1:]].disable()
        elif word:
            flags[word].enable()


def output(path: str) -> None:
    """Send debug output to a file, "cout" or "cerr"."""
    atexit.register(_core.debug_close)
    _core.debug_open(path)


def activate(*patterns: str) -> None:
    """Show debug output of these objects only, and of all below them."""
    for pattern in patterns:
        _core.debug_activate(pattern)


def ignore(*patterns: str) -> None:
    """Show no debug output of these objects, nor of any below them."""
    for pattern in patterns:
        _core.debug_ignore(pattern)


def schedule_break(when: int) -> None:
    """Raise SIGTRAP at a tick of the simulation to come."""
    break_ticks.append(when)


def _trap() -> None:
    os.kill(os.getpid(), signal.SIGTRAP)


def install_breaks(simulation: Any) -> None:
    """Schedule the traps that were asked for."""
    for when in break_ticks:
        simulation.call_at(
            when, _trap, _core.event_priorities["Debug_Break_Pri"]
        )


def apply_options(options: Any) -> None:
    """Do what the --debug-* options say."""
    for text in options.debug_activate:
        activate(*text.split(","))
    for text in options.debug_ignore:
        ignore(*text.replace(":", ",").split(","))
    for text in options.debug_flags:
        set_flags(text)
    if options.debug_file != "cout":
        path = options.debug_file
        if path != "cerr":
            path = os.path.join(options.outdir, path)
        output(path)
    if options.debug_start is not None or options.debug_end is not None:
        last = options.debug_end
        _core.debug_window(
            options.debug_start or 0,
            _core.TICK_MAX if last is None else last,
        )
    for text in options.debug_break:
        for word in text.split(","):
            schedule_break(_tick("--debug-break", word))


def _tick(option: str, word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise FatalError(f"{option}: expects ticks, got '{word}'") from None
