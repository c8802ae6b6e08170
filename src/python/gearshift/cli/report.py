# SPDX-License-Identifier: BSD-3-Clause
"""How errors reach the user of the command.

A FatalError is the user's: one message, status 1, no traceback.  So is a
value that cannot be read, as in AddrRange("3 apples").  Any other exception
shows the traceback of the script, without the frames that ran it.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any, Callable, Optional

from gearshift import objects
from gearshift.errors import (
    FatalError,
    display,
    is_conversion,
    is_internal,
    nearest,
)
from gearshift.log import PanicError
from gearshift.settings import settings


def show(error: BaseException) -> None:
    """Print an error to stderr."""
    sys.stdout.flush()
    frames = traceback.extract_tb(error.__traceback__)
    script = [frame for frame in frames if not is_internal(frame.filename)]
    if isinstance(error, FatalError):
        print(f"fatal: {error}", file=sys.stderr)
    elif isinstance(error, PanicError):
        print("Traceback (most recent call last):", file=sys.stderr)
        print("".join(traceback.format_list(script)), end="", file=sys.stderr)
        print(f"panic: {error}", file=sys.stderr)
    elif script and _is_bad_value(error, frames):
        place = f"{display(script[-1].filename)}:{script[-1].lineno}"
        print(f"fatal: {error}\n  at {place}", file=sys.stderr)
    else:
        _show_traceback(error, bool(script))


def _is_bad_value(
    error: BaseException, frames: traceback.StackSummary
) -> bool:
    """Whether a value could not be read that was no parameter's yet."""
    if not isinstance(error, (TypeError, ValueError)) or settings.verbose:
        return False
    return is_conversion(frames[-1].filename)


def _show_traceback(error: BaseException, has_script: bool) -> None:
    trace = error.__traceback__ if has_script else None
    while trace is not None and is_internal(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)
    if isinstance(error, NameError):
        print(_class_hint(str(error.name)), end="", file=sys.stderr)


def _class_hint(name: str) -> str:
    """What the user of a name may have meant, if it looks like a class."""
    if not name[:1].isupper():
        return ""
    known = objects.names()
    if name in known:
        return f"hint: from m5.objects import {name}\n"
    return f"hint: there is no object class '{name}'{nearest(name, known)}\n"


def status_of(stop: SystemExit) -> int:
    """Exit status of sys.exit(x)."""
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code
    print(stop.code, file=sys.stderr)
    return 1


def guard(
    work: Callable[[], Any],
    on_error: Optional[Callable[[BaseException], None]] = None,
) -> int:
    """Run @work; returns the exit status."""
    try:
        result = work()
        return result if isinstance(result, int) else 0
    except SystemExit as stop:
        return status_of(stop)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        sys.stderr.close()
        return 1
    except Exception as error:  # pylint: disable=broad-except
        show(error)
        if on_error is not None:
            on_error(error)
        return 1
