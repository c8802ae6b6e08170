# SPDX-License-Identifier: BSD-3-Clause
"""All SimObject classes and parameter types.

gem5's scripts rely on modules that leak out of `from m5.objects import *`
(os, re, sys and others); they are here too.  Submodules of gem5's m5.objects
(m5.objects.Cache and so on) are answered by this module.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import types
from typing import Any, List, Optional, Sequence

from gearshift import objects as _objects
from gearshift.errors import UnknownImportError, UnknownNameError
from m5 import params as _params
from m5 import util as _util

_LEAKED = {
    "os": os,
    "re": re,
    "sys": sys,
    "fatal": _util.fatal,
    "warn": _util.warn,
    "inform": _util.inform,
    "panic": _util.panic,
    "buildEnv": None,
    "isproxy": _params.isproxy,
}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return _all_names()
    if name == "buildEnv":
        from m5.defines import buildEnv

        return buildEnv
    if name in _LEAKED:
        return _LEAKED[name]
    try:
        return getattr(_objects, name)
    except UnknownNameError as error:
        if sys._getframe(1).f_code.co_name != "_handle_fromlist":
            raise
        # `from m5.objects import name`, which must not go on to look for a
        # submodule: the finder below has one for every name.
        raise UnknownImportError(error.message, error.origin) from None


def _all_names() -> List[str]:
    return sorted({*_objects.names(), *_LEAKED})


def __dir__() -> List[str]:
    return _all_names()


class _SubmoduleFinder(importlib.abc.MetaPathFinder):
    """`from m5.objects.Cache import Cache`: every file is this module."""

    def find_spec(
        self,
        fullname: str,
        path: Optional[Sequence[str]],
        target: Optional[types.ModuleType] = None,
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """A spec for any direct submodule of m5.objects."""
        del path, target
        if not fullname.startswith("m5.objects."):
            return None
        if fullname.count(".") != 2:
            return None
        return importlib.machinery.ModuleSpec(fullname, _SubmoduleLoader())


class _SubmoduleLoader(importlib.abc.Loader):
    """Makes a module that holds what m5.objects holds."""

    def create_module(
        self, spec: importlib.machinery.ModuleSpec
    ) -> types.ModuleType:
        """An empty module; exec_module fills it."""
        return types.ModuleType(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Copy the names."""
        for name in _all_names():
            setattr(module, name, getattr(sys.modules[__name__], name))
        setattr(module, "__path__", [])  # errors then come as for m5.objects
        setattr(module, "__getattr__", __getattr__)


class _Objects(types.ModuleType):
    """The import system binds submodules as attributes; a class of the same
    name must stay what m5.objects.Name means."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, types.ModuleType) and name in _objects.names():
            return
        super().__setattr__(name, value)


sys.meta_path.append(_SubmoduleFinder())
sys.modules[__name__].__class__ = _Objects
