# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.internal.params: enum_X as Python enumerations."""

from __future__ import annotations

import enum
from typing import Any, Dict, Type

from gearshift import catalog
from gearshift.params.enums import allEnums

assert catalog
_made: Dict[str, Type[enum.Enum]] = {}


def __getattr__(name: str) -> Any:
    if name.startswith("enum_"):
        word = name[len("enum_") :]
        if word in allEnums:
            if word not in _made:
                _made[word] = allEnums[word].as_python_enum()
            return _made[word]
    raise AttributeError(f"there is no enumeration '{name}'")
