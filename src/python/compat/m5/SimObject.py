# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.SimObject."""

from __future__ import annotations

from typing import Any, Callable, Optional

from gearshift.errors import FatalError, script_line
from gearshift.params.desc import object_classes
from gearshift.simobject import (
    MetaSimObject,
    SimObject,
    isNullPointer,
    isSimObject,
    isSimObjectClass,
    isSimObjectOrSequence,
    isSimObjectSequence,
    isSimObjectVector,
)
from gearshift.vector import SimObjectVector

__all__ = [
    "MetaSimObject",
    "PyBindMethod",
    "PyBindProperty",
    "SimObject",
    "SimObjectVector",
    "cxxMethod",
    "isNullPointer",
    "isRoot",
    "isSimObject",
    "isSimObjectClass",
    "isSimObjectOrSequence",
    "isSimObjectSequence",
    "isSimObjectVector",
]


def cxxMethod(*args: Any, **_kwargs: Any) -> Any:
    """Marks a method that gem5 implements in C++.

    Calling it asks the object in the core for a method of that name.
    """

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        name = func.__name__

        def call(self: Any, *call_args: Any, **call_kwargs: Any) -> Any:
            native = self.getCCObject()
            method: Optional[Any] = getattr(native, name, None)
            if method is None:
                raise FatalError(
                    f"{self.path()}: the core has no method '{name}'",
                    script_line(),
                )
            return method(*call_args, **call_kwargs)

        call.__name__ = name
        call.__doc__ = func.__doc__
        return call

    if len(args) == 1 and callable(args[0]):
        return decorate(args[0])
    return decorate


def isRoot(obj: Any) -> bool:
    """Whether it is a Root object."""
    return isinstance(obj, object_classes["Root"])


class PyBindProperty:
    """Names a C++ member in gem5's cxx_exports; has no effect here."""

    def __init__(self, name: str, writable: bool = True) -> None:
        self.name = name
        self.writable = writable


class PyBindMethod:
    """Names a C++ method in gem5's cxx_exports; has no effect here."""

    def __init__(self, name: str) -> None:
        self.name = name
