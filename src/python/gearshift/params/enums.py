# SPDX-License-Identifier: BSD-3-Clause
"""Enumerations: a fixed set of words, compared as strings."""

from __future__ import annotations

import enum
from typing import Any, Dict, List, Sequence, Type

from gearshift.params.values import ParamValue

allEnums: Dict[str, Type["Enum"]] = {}


class Enum(str, ParamValue):
    """Base of enumerations.  A subclass lists its words in `vals`."""

    vals: List[str] = []
    map: Dict[str, int] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.map and not cls.vals:
            cls.vals = sorted(cls.map, key=cls.map.__getitem__)
        if not cls.map:
            cls.map = {word: index for index, word in enumerate(cls.vals)}
        words = [f"'{word}'" for word in cls.vals]
        cls.expects = "one of " + ", ".join(words)
        allEnums[cls.__name__] = cls

    def __new__(cls, value: Any) -> "Enum":
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not one of {cls.vals}")
        if value not in cls.map:
            raise ValueError(f"{value!r} is not one of {cls.vals}")
        return super().__new__(cls, value)

    @classmethod
    def from_user(cls, value: Any) -> "Enum":
        if isinstance(value, enum.Enum):
            value = value.name
        return cls(value)

    @property
    def value(self) -> str:
        """The word."""
        return str(self)

    def __str__(self) -> str:
        return str.__str__(self)

    def getValue(self) -> int:
        return self.map[str(self)]

    def json_value(self) -> str:
        return str(self)

    @classmethod
    def as_python_enum(cls) -> Type[enum.Enum]:
        """The same words as an enum.Enum (m5.internal.params.enum_X)."""
        return enum.Enum(cls.__name__, dict(cls.map))  # type: ignore


class ScopedEnum(Enum):
    """The same; gem5 tells them apart in C++ only."""


class ByteOrder(ScopedEnum):
    """Which byte of a number comes first in memory."""

    vals = ["big", "little"]


def make_enum(name: str, words: Sequence[str]) -> Type[Enum]:
    """An enumeration from a row of the catalog; one class per name."""
    known = allEnums.get(name)
    if known is not None:
        if known.vals != list(words):
            raise RuntimeError(f"two enumerations are named {name}")
        return known
    return type(name, (Enum,), {"vals": list(words), "__module__": __name__})
