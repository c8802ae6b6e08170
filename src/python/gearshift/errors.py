# SPDX-License-Identifier: BSD-3-Clause
"""Errors that belong to the user of a script.

Every error of a configuration is a FatalError.  Its text ends with the line
of the script that is to blame; frames of this package and of the compat
modules are skipped when that line is looked for.
"""

from __future__ import annotations

import difflib
import os
import sys
from types import FrameType
from typing import Iterable, Optional

PACKAGE_DIR = os.path.dirname(os.path.abspath(__file__))

_COMMAND = os.path.join(PACKAGE_DIR, "__main__.py")

# Directories whose frames are ours; the last part keeps "gearshift_x" out.
_internal_dirs = (
    PACKAGE_DIR + os.sep,
    os.path.join(os.path.dirname(PACKAGE_DIR), "compat") + os.sep,
)


class FatalError(RuntimeError):
    """The configuration is wrong; the text says where."""

    def __init__(
        self, message: str, origin: Optional[str] = None, verb: str = "at"
    ) -> None:
        self.message = message
        self.origin = origin
        text = message if origin is None else f"{message}\n  {verb} {origin}"
        super().__init__(text)


class UnknownNameError(FatalError, AttributeError):
    """No parameter, child or port of that name."""


class UnknownImportError(FatalError, ImportError):
    """`from m5.objects import X`, and there is no X."""


class ParamTypeError(FatalError, TypeError):
    """A value of the wrong type or unit."""


class ParamRangeError(FatalError, ValueError):
    """A value outside its limits."""


class PortError(FatalError):
    """Ports that cannot be connected."""


class ProxyError(FatalError, AttributeError):
    """A proxy that finds nothing, too much, or itself."""


class HierarchyError(FatalError):
    """An object in the wrong place of the tree."""


class StateError(FatalError):
    """A call at the wrong time, such as simulate before instantiate."""


class VcpuError(StateError):
    """A call that a vCPU refused; errno tells in the host's words."""

    def __init__(self, message: str, errno: int) -> None:
        super().__init__(message, script_line())
        self.errno = errno


class VcpuStateError(VcpuError):
    """A call in the wrong order; nothing was changed."""


class KvmError(FatalError):
    """A request that the host's KVM refused.

    errno: in the host's words; ioctl: the request's name, "open" for the
    device itself, "" where several requests make up what was asked.
    """

    def __init__(self, message: str, errno: int = 0, ioctl: str = "") -> None:
        super().__init__(message, script_line())
        self.errno = errno
        self.ioctl = ioctl


class KvmUnavailable(KvmError):
    """There is no KVM here that programs could run on."""


def is_conversion(filename: str) -> bool:
    """Whether code from @filename reads values such as "50ns"."""
    params = os.path.join(PACKAGE_DIR, "params") + os.sep
    convert = os.path.join(PACKAGE_DIR, "convert.py")
    return filename == convert or filename.startswith(params)


def is_internal(filename: str) -> bool:
    """Whether code from @filename belongs to this package."""
    return filename.startswith(_internal_dirs) or filename.startswith("<froz")


def display(filename: str) -> str:
    """The path as a user would type it: relative when below the cwd."""
    if not os.path.isabs(filename):
        return filename
    try:
        cwd = os.getcwd() + os.sep
    except OSError:
        return filename
    return filename[len(cwd) :] if filename.startswith(cwd) else filename


def script_line() -> Optional[str]:
    """Innermost line outside the package, as "configs/se.py:57"."""
    frame: Optional[FrameType] = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name == _COMMAND:
            return None  # the command line is to blame, not a script
        if not is_internal(name):
            return f"{display(name)}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def nearest(name: str, known: Iterable[str]) -> str:
    """ "; did you mean 'size'?", or nothing when no name is near."""
    by_lower = {word.lower(): word for word in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    if not near:
        return ""
    words = [f"'{by_lower[word]}'" for word in near]
    listed = words[0]
    if len(words) > 1:
        listed = ", ".join(words[:-1]) + " or " + words[-1]
    return f"; did you mean {listed}?"
