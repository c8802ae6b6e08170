# SPDX-License-Identifier: BSD-3-Clause
"""NULL: no object."""

from __future__ import annotations

from typing import Any


class NullSimObject:
    """Stands where an object could be and is not; there is one."""

    _instance: "NullSimObject | None" = None

    def __new__(cls) -> "NullSimObject":
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __call__(self, **_kwargs: Any) -> "NullSimObject":
        return self

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "Null"

    __repr__ = __str__

    def ini_str(self) -> str:
        """Spelling in config.ini."""
        return "Null"

    def json_value(self) -> None:
        """Spelling in config.json."""

    def getValue(self) -> None:
        """No native object."""

    def has_parent(self) -> bool:
        """Never an orphan."""
        return True


NULL = NullSimObject()


def is_null(value: object) -> bool:
    """Whether @value stands for no object."""
    return value is NULL or value is None
