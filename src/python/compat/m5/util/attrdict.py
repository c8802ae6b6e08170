# SPDX-License-Identifier: BSD-3-Clause
"""Dictionaries whose items are attributes too."""

from __future__ import annotations

from typing import Any, Dict

__all__ = ["attrdict", "multiattrdict", "optiondict"]


class attrdict(Dict[str, Any]):
    """d.x is d["x"]."""

    def __getattr__(self, attr: str) -> Any:
        try:
            return self[attr]
        except KeyError:
            raise AttributeError(attr) from None

    def __setattr__(self, attr: str, value: Any) -> None:
        self[attr] = value

    def __delattr__(self, attr: str) -> None:
        try:
            del self[attr]
        except KeyError:
            raise AttributeError(attr) from None

    def copy(self) -> "attrdict":
        """A copy of the same class."""
        return type(self)(self)


class multiattrdict(attrdict):
    """Reading what is not there makes a nested dictionary."""

    def __getattr__(self, attr: str) -> Any:
        if attr.startswith("__"):
            raise AttributeError(attr)
        return self.setdefault(attr, type(self)())


class optiondict(attrdict):
    """Reading what is not there gives None."""

    def __getattr__(self, attr: str) -> Any:
        return self.get(attr)
