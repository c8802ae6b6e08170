# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.options: the options of the command line as attributes."""

from __future__ import annotations

import sys
import types
from dataclasses import fields
from typing import Any, List

from gearshift.settings import settings


class _Options(types.ModuleType):
    """Reads and writes gearshift's settings."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(settings, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {field.name for field in fields(settings)}:
            setattr(settings, name, value)
        else:
            super().__setattr__(name, value)

    def __dir__(self) -> List[str]:
        return [field.name for field in fields(settings)]


sys.modules[__name__].__class__ = _Options
