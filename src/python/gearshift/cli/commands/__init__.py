# SPDX-License-Identifier: BSD-3-Clause
"""Sub-commands: one module here per command, named like it.

A module holds HELP (one line) and main(argv) -> exit status.  A dash in the
name of a command is an underscore in the module's.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
from types import ModuleType
from typing import List, Optional, Tuple


def _names() -> List[str]:
    return sorted(info.name for info in pkgutil.iter_modules(__path__))


def find(word: str) -> Optional[ModuleType]:
    """The module of a command, None if there is no such command."""
    name = word.replace("-", "_")
    if word.startswith("-") or name not in _names():
        return None
    return importlib.import_module(f"{__name__}.{name}")


def _help_of(name: str) -> str:
    """HELP of a module, read without importing it."""
    path = os.path.join(os.path.dirname(__file__), f"{name}.py")
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == "HELP":
                return str(ast.literal_eval(node.value))
    return ""


def summaries() -> List[Tuple[str, str]]:
    """Names of all commands, each with its one line."""
    return [(name.replace("_", "-"), _help_of(name)) for name in _names()]
