# SPDX-License-Identifier: BSD-3-Clause
"""Statistics as a Python tree (gem5's m5.stats.gem5stats.get_simstat)."""

from __future__ import annotations

import json
import math
import time
from typing import Any, Dict, List, Optional, Union


def _number(value: float) -> Any:
    """A JSON number; None for NaN and infinities."""
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


class Statistic:
    """One row: scalar, vector, matrix or distribution."""

    def __init__(self, name: str, row: Dict[str, Any]) -> None:
        self.name = name
        self.kind: str = row["kind"]
        self.unit: str = row["unit"]
        self.description: str = row["desc"]
        self._row = row

    @property
    def value(self) -> Any:
        """A number, a list of numbers, or {name: number}."""
        if self.kind == "scalar":
            return self._row["value"]
        if self.kind == "vector":
            return dict(zip(self._row["subnames"], self._row["values"]))
        return self._row["values"]

    @property
    def total(self) -> float:
        """Sum of the elements."""
        return float(self._row.get("total", sum(self._row.get("values", []))))

    def to_json(self) -> Dict[str, Any]:
        """As plain dictionaries."""
        names = {"scalar": "Scalar", "vector": "Vector"}
        found: Dict[str, Any] = {
            "type": names.get(self.kind, self.kind.title()),
            "unit": self.unit,
            "description": self.description,
        }
        if self.kind == "scalar":
            found["value"] = _number(self._row["value"])
        elif self.kind == "vector":
            found["value"] = {
                key: _number(item) for key, item in self.value.items()
            }
        else:
            found["value"] = [_number(item) for item in self._row["values"]]
        if self.kind == "distribution":
            found.update(
                {key: _number(x) for key, x in self._row["dist"].items()}
            )
        return found

    def __float__(self) -> float:
        return float(self._row["value"])

    def __repr__(self) -> str:
        return f"<{self.name} = {self.value} {self.unit}>"


class Group:
    """Statistics of one object, and the groups of its children.

    `group.system.cpu.numCycles.value`, also as `group["system"]`.
    """

    def __init__(self, name: str, tree: Dict[str, Any]) -> None:
        self.name = name
        self.type: Optional[str] = tree["type"]
        self.children: Dict[str, Union[Statistic, Group]] = {}
        for key, row in tree["stats"].items():
            self.children[key] = Statistic(key, row)
        for key, group in tree["groups"].items():
            self.children[key] = Group(key, group)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["children"][name]
        except KeyError:
            raise AttributeError(
                f"no statistic or group '{name}' in '{self.__dict__['name']}'"
            ) from None

    def __getitem__(self, name: str) -> Any:
        return self.children[name]

    def __contains__(self, name: str) -> bool:
        return name in self.children

    def to_json(self) -> Dict[str, Any]:
        """As plain dictionaries."""
        found: Dict[str, Any] = {"type": "Group", "name": self.name}
        for key, child in self.children.items():
            found[key] = child.to_json()
        return found


class SimStat(Group):
    """The whole tree, with the times it belongs to."""

    def __init__(self, tree: Dict[str, Any], now: int) -> None:
        super().__init__("root", tree)
        self.creation_time = time.strftime("%Y-%m-%dT%H:%M:%S")
        self.simulated_end_time = now

    def to_json(self) -> Dict[str, Any]:
        found = super().to_json()
        found["type"] = "SimStat"
        found["creation_time"] = self.creation_time
        found["simulated_end_time"] = self.simulated_end_time
        return found

    def dumps(self, indent: int = 2) -> str:
        """As JSON text."""
        return json.dumps(self.to_json(), indent=indent)

    def dump(self, file: Any, indent: int = 2) -> None:
        """JSON into an open file."""
        json.dump(self.to_json(), file, indent=indent)


def _below(tree: Dict[str, Any], path: str) -> Dict[str, Any]:
    for step in path.split("."):
        tree = tree["groups"][step]
    return tree


def get_simstat(simulation: Any, root: Any = None) -> SimStat:
    """Statistics of an object, of a list of objects, or of all."""
    tree = simulation.core.stats_tree()
    now = simulation.now
    if root is None:
        return SimStat(tree, now)
    items: List[Any] = root if isinstance(root, list) else [root]
    if len(items) == 1 and items[0].path() == "root":
        return SimStat(tree, now)
    groups = {item.get_name(): _below(tree, item.path()) for item in items}
    return SimStat({"type": None, "stats": {}, "groups": groups}, now)
