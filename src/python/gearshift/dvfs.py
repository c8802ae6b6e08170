# SPDX-License-Identifier: BSD-3-Clause
"""Clock and voltage domains as a picture: --dot-dvfs-config.

A voltage domain is a box around its clock domains, a clock domain a box around
the objects that it clocks and the domains that divide it.
"""

from __future__ import annotations

from typing import Any, List

from gearshift.diagram import quote


def _value(obj: Any, name: str) -> Any:
    return obj._lookup(name) if name in obj._params else None


def _clocked_by(domain: Any, objects: List[Any]) -> List[Any]:
    return [obj for obj in objects if _value(obj, "clk_domain") is domain]


def _open_box(obj: Any, param: str, depth: int) -> List[str]:
    pad = "    " * depth
    label = f"{obj.path()}\n{param} {_value(obj, param).ini_str()}"
    return [
        f"{pad}subgraph {quote('cluster_' + obj.path())} {{",
        f"{pad}    label={quote(label)};",
    ]


def _clock_box(domain: Any, objects: List[Any], depth: int) -> List[str]:
    param = "clock" if "clock" in domain._params else "clk_divider"
    pad = "    " * (depth + 1)
    lines = _open_box(domain, param, depth)
    lines.append(f"{pad}{quote(domain.path())} [style=invis];")
    for obj in _clocked_by(domain, objects):
        if "clk_divider" in obj._params:
            lines += _clock_box(obj, objects, depth + 1)
        else:
            label = f"{obj.path()}: {type(obj).__name__}"
            lines.append(f"{pad}{quote(obj.path())} [label={quote(label)}];")
    return lines + ["    " * depth + "}"]


def dot_text(root: Any) -> str:
    """The graph in graphviz's language."""
    objects = list(root.descendants())
    lines = [
        "digraph domains {",
        '    node [shape=box, fontname="sans-serif", fontsize=10];',
        '    graph [fontname="sans-serif", fontsize=12];',
    ]
    for supply in (obj for obj in objects if "voltage" in obj._params):
        lines += _open_box(supply, "voltage", 1)
        for clock in objects:
            if _value(clock, "voltage_domain") is supply:
                lines += _clock_box(clock, objects, 2)
        lines.append("    }")
    return "\n".join([*lines, "}"]) + "\n"
