# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.util."""

from __future__ import annotations

import functools
import inspect
import itertools
import os
import re
import shutil
import sys
import textwrap
from typing import Any, Callable, Iterator, List

from m5.util import convert
from gearshift.log import fatal, inform, panic, warn
from m5.util import fdthelper
from m5.util.attrdict import attrdict, multiattrdict, optiondict
from m5.util.multidict import multidict


def addToPath(path: str) -> None:
    """Make modules of a directory importable; relative to the script."""
    if not os.path.isabs(path):
        frame = inspect.stack()[1]
        path = os.path.join(os.path.dirname(frame.filename), path)
    path = os.path.realpath(path)
    if path not in sys.path:
        sys.path.insert(1, path)


def repoPath() -> str:
    """Directory above configs/."""
    above = os.path.abspath(__file__)
    for _ in range(5):
        above = os.path.dirname(above)
    return above


def flatten(items: Any) -> Iterator[Any]:
    """Items of nested lists and tuples, one by one."""
    if isinstance(items, (list, tuple)):
        for item in items:
            yield from flatten(item)
    else:
        yield items


def printList(items: Any, indent: int = 4) -> None:
    """Print a list, comma separated, in lines of the terminal's width."""
    text = ", ".join(str(item) for item in items)
    width = shutil.get_terminal_size().columns
    margin = " " * indent
    for line in textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin
    ):
        print(line)


def callOnce(func: Callable[..., Any]) -> Callable[..., None]:
    """Decorates a function of which only the first call counts."""
    done: List[bool] = []

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        if not done:
            done.append(True)
            func(*args, **kwargs)

    return wrapper


def _full_name(thing: Any) -> str:
    """Module and name of a function; a string as it is."""
    if callable(thing):
        return f"{thing.__module__}.{thing.__qualname__}"
    return str(thing)


def deprecated(
    replacement: Any = None, logger: Callable[..., None] = warn
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function that tells, once, what to use instead."""

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        text = f"Function {_full_name(func)} is deprecated."
        if replacement:
            text += f" Prefer {_full_name(replacement)} instead."

        @callOnce
        def notify() -> None:
            logger(text)

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            notify()
            return func(*args, **kwargs)

        return wrapper

    return decorate


def makeList(items: Any) -> List[Any]:
    """A list as it is, anything else as a list of one."""
    return items if isinstance(items, list) else [items]


def applyMethod(obj: Any, meth: str, *args: Any, **kwargs: Any) -> Any:
    """Call the method of that name."""
    return getattr(obj, meth)(*args, **kwargs)


def applyOrMap(items: Any, meth: str, *args: Any, **kwargs: Any) -> Any:
    """Call the method of an object, or of each one of a list or tuple."""
    if isinstance(items, (list, tuple)):
        return [applyMethod(item, meth, *args, **kwargs) for item in items]
    return applyMethod(items, meth, *args, **kwargs)


def crossproduct(items: Any) -> Iterator[Any]:
    """All ways to take one element of each list."""
    return (list(found) for found in itertools.product(*items))


def make_version_list(version: str) -> List[int]:
    """ "9.4.1" as [9, 4, 1]."""
    numbers = [re.sub(r"\D.*", "", part) for part in version.split(".")]
    return [int(number or 0) for number in numbers]


def compare_versions(left: str, right: str) -> int:
    """-1, 0 or 1."""
    a, b = make_version_list(left), make_version_list(right)
    return (a > b) - (a < b)


def isInteractive() -> bool:
    """Whether a Python prompt follows the script."""
    return hasattr(sys, "ps1") or bool(sys.flags.interactive)


class Singleton(type):
    """Metaclass of classes with one instance."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "_instance" not in cls.__dict__:
            cls._instance = super().__call__(*args, **kwargs)
        return cls._instance


__all__ = [
    "Singleton",
    "addToPath",
    "applyMethod",
    "applyOrMap",
    "attrdict",
    "callOnce",
    "compare_versions",
    "convert",
    "crossproduct",
    "deprecated",
    "fatal",
    "fdthelper",
    "flatten",
    "inform",
    "isInteractive",
    "makeList",
    "multiattrdict",
    "multidict",
    "optiondict",
    "os",
    "panic",
    "printList",
    "re",
    "repoPath",
    "sys",
    "warn",
]
