# SPDX-License-Identifier: BSD-3-Clause
"""Messages to the user: warn, inform, fatal and panic.

They go to Python's sys.stderr (sys.stdout for inform), so that notebooks and
test runners see them.  Messages of the core arrive here too.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from gearshift.errors import FatalError, script_line

# Set by the progress line to clear itself before a message is printed.
before_message = []  # type: ignore[var-annotated]
_quiet_levels: "set[str]" = set()


def message(level: str, text: str) -> None:
    """Print "warn: text"; used by the core for all its messages."""
    if level in _quiet_levels:
        return
    for hook in before_message:
        hook()
    stream = sys.stdout if level == "info" else sys.stderr
    print(f"{level}: {text}", file=stream, flush=True)


def set_quiet(*levels: str) -> None:
    """Drop messages of these levels from now on."""
    _quiet_levels.clear()
    _quiet_levels.update(levels)


def _text(fmt: str, args: Any) -> str:
    return fmt % args if args else fmt


def warn(fmt: str, *args: Any) -> None:
    """Something that the user should know of."""
    message("warn", _text(fmt, args))


def inform(fmt: str, *args: Any) -> None:
    """A remark."""
    message("info", _text(fmt, args))


def fatal(fmt: str, *args: Any) -> NoReturn:
    """The user's mistake: the run ends with status 1."""
    raise FatalError(_text(fmt, args), script_line())


class PanicError(RuntimeError):
    """Something that must never happen."""


def panic(fmt: str, *args: Any) -> NoReturn:
    """Our mistake: the run ends with a traceback."""
    raise PanicError(_text(fmt, args))
