# SPDX-License-Identifier: BSD-3-Clause
"""Python methods and aliases of classes that the catalog makes.

Each module here may hold

    MIXINS = {"BaseCPU": BaseCPUMethods}   methods, class methods, properties
    ALIASES = {"O3CPU": "X86O3CPU"}        other names of a class

A mixin is a plain class; its methods see a SimObject as self.  Adding one
takes one file in this folder.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from types import ModuleType
from typing import Dict, List


@lru_cache(maxsize=None)
def _modules() -> List[ModuleType]:
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def mixins(class_name: str) -> List[type]:
    """Classes to mix into the class of that name."""
    found = []
    for module in _modules():
        table: Dict[str, type] = getattr(module, "MIXINS", {})
        if class_name in table:
            found.append(table[class_name])
    return found


def aliases() -> Dict[str, str]:
    """Other names of classes."""
    merged: Dict[str, str] = {}
    for module in _modules():
        merged.update(getattr(module, "ALIASES", {}))
    return merged
