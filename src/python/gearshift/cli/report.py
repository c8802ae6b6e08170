# SPDX-License-Identifier: BSD-3-Clause
"""How errors reach the user of the command.

A FatalError is the user's: one message, status 1, no traceback.  Any other
exception shows the traceback of the script, without the frames that ran it.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any, Callable, Optional

from gearshift.errors import FatalError, is_internal


def show(error: BaseException) -> None:
    """Print an error to stderr."""
    sys.stdout.flush()
    if isinstance(error, FatalError):
        print(f"fatal: {error}", file=sys.stderr)
        return
    trace = error.__traceback__
    while trace is not None and is_internal(trace.tb_frame.f_code.co_filename):
        if trace.tb_next is None:
            break
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


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
