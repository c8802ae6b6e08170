# SPDX-License-Identifier: BSD-3-Clause
"""SimObjectVector: a list of objects under one name.

The elements of `system.cpu = [a, b]` are "cpu0" and "cpu1" (zero-padded from
eleven on); a list of one is just "cpu".
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, List, Optional

from gearshift.params.desc import object_classes
from gearshift.params.null import is_null


def _is_object(value: Any) -> bool:
    base = object_classes.get("SimObject")
    return base is not None and isinstance(value, base)


def is_object_list(value: Any) -> bool:
    """Whether @value is a list with objects (and NULLs) only."""
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return any(_is_object(item) for item in value) and all(
        _is_object(item) or is_null(item) for item in value
    )


class SimObjectVector(List[Any]):
    """A list of objects; knows its place in the tree."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self._parent: Optional[Any] = None
        self._name = ""

    @staticmethod
    def coerce(value: Any) -> Any:
        """Turn a list of objects into a vector; others stay."""
        if isinstance(value, SimObjectVector) or not is_object_list(value):
            return value
        return SimObjectVector(value)

    def _objects(self) -> Iterator[Any]:
        return (item for item in self if not is_null(item))

    def set_parent(self, parent: Any, name: str) -> None:
        """Attach all elements."""
        self._parent = parent
        self._name = name
        for item in self._objects():
            item.set_parent(parent, name)
            item._vector = self

    def clear_parent(self) -> None:
        """Detach all elements."""
        self._parent = None
        for item in self._objects():
            item.clear_parent()

    def has_parent(self) -> bool:
        """Whether every element hangs in a tree."""
        return all(item.has_parent() for item in self._objects())

    def name_of(self, item: Any) -> str:
        """Name of an element."""
        if len(self) == 1:
            return self._name
        index = next(i for i, other in enumerate(self) if other is item)
        width = len(str(len(self) - 1))
        return f"{self._name}{index:0{width}d}"

    def get_name(self) -> str:
        """Common part of the names."""
        return self._name

    def append(self, item: Any) -> None:
        """Add an element; it becomes a child where the list is one."""
        super().append(item)
        if self._parent is not None and not item.has_parent():
            item.set_parent(self._parent, self._name)
            item._vector = self

    def extend(self, items: Iterable[Any]) -> None:
        """Add elements."""
        for item in items:
            self.append(item)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._parent is not None and isinstance(key, int):
            self[key].clear_parent()
            super().__setitem__(key, value)
            value.set_parent(self._parent, self._name)
            value._vector = self
            return
        super().__setitem__(key, value)

    def __sub__(self, other: Any) -> List[Any]:
        return [item for item in self if item not in other]

    def descendants(self) -> Iterator[Any]:
        """Everything at and below the elements."""
        for item in self._objects():
            yield from item.descendants()

    def __call__(self, **kwargs: Any) -> "SimObjectVector":
        """Clone all elements."""
        return SimObjectVector(item(**kwargs) for item in self)

    def ini_str(self) -> str:
        """Spelling in config.ini."""
        return " ".join(item.ini_str() for item in self)

    def json_value(self) -> List[str]:
        """Spelling in config.json."""
        return [item.json_value() for item in self]

    def getValue(self) -> List[Any]:
        """The objects in the core."""
        return [item.getValue() for item in self]
