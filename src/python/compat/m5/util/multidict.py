# SPDX-License-Identifier: BSD-3-Clause
"""A dictionary that falls back to a parent."""

from __future__ import annotations

from collections import ChainMap
from typing import Any, Iterator, Mapping, Optional

__all__ = ["multidict"]


class multidict:
    """Reads go to the local items, then to the parent's."""

    def __init__(
        self, parent: Optional[Mapping[Any, Any]] = None, **kwargs: Any
    ) -> None:
        self.local = dict(**kwargs)
        self.parent: Any = {} if parent is None else parent
        self.deleted = {}  # type: ignore[var-annotated]

    def _merged(self) -> "ChainMap[Any, Any]":
        above = {
            key: self.parent[key]
            for key in self.parent
            if key not in self.deleted
        }
        return ChainMap(self.local, above)

    def __getitem__(self, key: Any) -> Any:
        return self._merged()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.deleted.pop(key, None)
        self.local[key] = value

    def __delitem__(self, key: Any) -> None:
        if key not in self:
            raise KeyError(key)
        self.local.pop(key, None)
        self.deleted[key] = True

    def __contains__(self, key: Any) -> bool:
        return key in self._merged()

    has_key = __contains__

    def __iter__(self) -> Iterator[Any]:
        return iter(self._merged())

    def __len__(self) -> int:
        return len(self._merged())

    def __str__(self) -> str:
        return str(dict(self._merged()))

    __repr__ = __str__

    def get(self, key: Any, default: Any = None) -> Any:
        """The item, or @default."""
        return self._merged().get(key, default)

    def setdefault(self, key: Any, default: Any) -> Any:
        """The item, made from @default if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, other: Mapping[Any, Any]) -> None:
        """Take all items of @other."""
        for key in other:
            self[key] = other[key]

    def keys(self) -> Any:
        """All keys, the parent's too."""
        return self._merged().keys()

    def values(self) -> Any:
        """All values, the parent's too."""
        return self._merged().values()

    def items(self) -> Any:
        """All items, the parent's too."""
        return self._merged().items()
