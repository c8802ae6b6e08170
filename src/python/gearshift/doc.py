# SPDX-License-Identifier: BSD-3-Clause
"""Reference documentation of the classes, from the same tables as the classes.

Text for the terminal (class_text, index_text, list_text) and linked HTML.
"""

from __future__ import annotations

import html
import inspect
import os
from typing import Any, Dict, Iterator, List, Tuple

from gearshift.params import enums
from gearshift.params.desc import ParamDesc, object_classes
from gearshift.simobject import SimObject


def native_classes() -> Dict[str, Any]:
    """Classes that the core's tables make, by name, bases first."""
    return {
        name: cls
        for name, cls in object_classes.items()
        if cls.__dict__.get("_native_type") and name == cls.__name__
    }


def default_text(desc: ParamDesc) -> str:
    """The default as a user would write it."""
    if not desc.has_default:
        return "required"
    value = desc._default
    if callable(value) and not hasattr(value, "unproxy"):
        value = value()
    return str(value) if not isinstance(value, SimObject) else repr(value)


def type_text(desc: ParamDesc) -> str:
    """ "list of AddrRange"."""
    return f"list of {desc.ptype_str}" if desc.is_vector else desc.ptype_str


def limits_text(desc: ParamDesc) -> str:
    """Limits of a value, empty if its type says it all."""
    parts: List[str] = []
    if desc.minimum and desc.minimum == desc.maximum:
        return f"only {desc._limit(desc.minimum)}"
    bits = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "i64": 63}
    if desc.minimum:
        parts.append(f"at least {desc._limit(desc.minimum)}")
    top = (1 << bits.get(desc.kind, 64)) - 1
    if desc.maximum is not None and desc.maximum < top:
        parts.append(f"at most {desc._limit(desc.maximum)}")
    if desc.pow2:
        parts.append("a power of two")
    if desc.nonempty:
        parts.append("at least one element")
    if desc.type_name in enums.allEnums:
        parts.append("one of " + ", ".join(desc.ptype.vals))
    return "; ".join(parts)


def meaning_text(desc: ParamDesc) -> str:
    """What it is for, and whether it has an effect."""
    if not desc.ignored:
        return desc.desc
    return f"{desc.desc} (no effect: {desc.ignored})"


def _rows(cls: Any, table: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Rows of a table of the core, base types first."""
    for base in reversed(cls.__mro__):
        row = base.__dict__.get("_native_type")
        if row:
            for item in row[table]:
                yield base.__name__, item


def _first_line(cls: Any) -> str:
    return str(cls.__doc__ or "").strip().split("\n", maxsplit=1)[0]


def bases_text(cls: Any) -> str:
    """ "ClockedObject < SimObject"."""
    names = [
        base.__name__
        for base in cls.__mro__[1:]
        if base.__dict__.get("_native_type")
    ]
    return " < ".join(names)


def class_text(cls: Any) -> str:
    """Everything about a class, for a terminal."""
    bases = bases_text(cls)
    lines = [cls.__name__ + (f" < {bases}" if bases else "")]
    lines += [f"    {line}" for line in str(cls.__doc__ or "").split("\n")]
    if cls._abstract:
        lines.append("    Abstract: scripts use classes derived from it.")
    lines += _section("Parameters", map(_param_lines, cls._params.values()))
    lines += _section("Ports", map(_port_lines, cls._ports.values()))
    lines += _section(
        "Statistics",
        (_stat_lines(item) for _, item in _rows(cls, "stats")),
    )
    lines += _section("Properties", map(_property_lines, properties(cls)))
    lines += _section("Methods", map(_method_lines, methods(cls)))
    return "\n".join(lines) + "\n"


def _section(title: str, items: Any) -> List[str]:
    rows = [line for item in items for line in item]
    return ["", f"{title}:", *rows] if rows else []


def _param_lines(desc: ParamDesc) -> List[str]:
    facts = [type_text(desc)]
    facts.append(
        f"default {default_text(desc)}" if desc.has_default else "required"
    )
    limits = limits_text(desc)
    if limits:
        facts.append(limits)
    return [
        f"  {desc.name}  ({'; '.join(facts)})",
        f"      {meaning_text(desc)}",
    ]


def _port_lines(port: Any) -> List[str]:
    vector = "vector of " if port.is_vector else ""
    old = f", formerly {port.old_name}" if port.old_name else ""
    return [
        f"  {port.name}  ({vector}{port.kind} {port.role}{old})",
        f"      {port.desc}",
    ]


def _stat_lines(row: Dict[str, Any]) -> List[str]:
    return [f"  {row['name']}  ({row['kind']}, {row['unit']})"] + [
        f"      {row['doc']}"
    ]


def methods(cls: Any) -> List[Tuple[str, str]]:
    """Public methods that behaviour modules add, with one line each."""
    found = []
    for base in cls.__mro__:
        if base.__module__.startswith("gearshift.behaviour"):
            for name, member in vars(base).items():
                func = getattr(member, "__func__", member)
                if not name.startswith("_") and inspect.isfunction(func):
                    found.append((name, _first_line(func)))
    return sorted(found)


def properties(cls: Any) -> List[Tuple[str, str]]:
    """Public properties that behaviour modules add, with one line each."""
    found = []
    for base in cls.__mro__:
        if base.__module__.startswith("gearshift.behaviour"):
            for name, member in vars(base).items():
                if not name.startswith("_") and isinstance(member, property):
                    found.append((name, _first_line(member)))
    return sorted(found)


def _property_lines(item: Tuple[str, str]) -> List[str]:
    return [f"  {item[0]}", f"      {item[1]}"]


def _method_lines(item: Tuple[str, str]) -> List[str]:
    return [f"  {item[0]}()", f"      {item[1]}"]


def index_text() -> str:
    """One line per class."""
    classes = native_classes()
    width = max(len(name) for name in classes)
    lines = [
        f"{name:{width}}  {_first_line(classes[name])}"
        for name in sorted(classes)
    ]
    return "\n".join(lines) + "\n"


def list_text() -> str:
    """What --list-sim-objects prints, in gem5's layout."""
    lines = ["SimObjects:"]
    for name, cls in sorted(native_classes().items()):
        lines.append(f"    {name}")
        for param_name, desc in sorted(cls._params.items()):
            lines.append(f"        {param_name}")
            if desc.has_default:
                lines.append(f"            default: {default_text(desc)}")
            lines.append(f"            desc: {desc.desc}")
            lines.append("")
        for port_name, port in sorted(cls._ports.items()):
            lines.append(f"        {port_name}")
            lines.append(f"            {port.role}: {port.desc}")
            lines.append("")
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------- HTML

_STYLE = """
body { font: 15px sans-serif; margin: 2em auto; max-width: 60em; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1.5em; }
th, td { border-bottom: 1px solid #ccc; padding: .3em .6em;
         text-align: left; vertical-align: top; }
th { background: #eef2f6; }
code { white-space: nowrap; }
"""


def _page(title: str, body: str) -> str:
    return (
        "<!DOCTYPE html>\n<html><head><meta charset='utf-8'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>\n{body}\n</body></html>\n"
    )


def _link(name: str) -> str:
    if name in native_classes():
        return f"<a href='{name}.html'><code>{name}</code></a>"
    return f"<code>{html.escape(name)}</code>"


def _table(title: str, head: List[str], rows: List[List[str]]) -> str:
    if not rows:
        return ""
    cells = "".join(f"<th>{word}</th>" for word in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n"
        for row in rows
    )
    heading = f"<h2>{title}</h2>\n" if title else ""
    return f"{heading}<table><tr>{cells}</tr>\n{body}</table>\n"


def _code(text: str) -> str:
    return f"<code>{html.escape(text)}</code>" if text else ""


def _class_page(cls: Any) -> str:
    bases = bases_text(cls)
    body = [
        "<p><a href='index.html'>All classes</a></p>",
        f"<h1>{cls.__name__}</h1>",
        f"<p>{html.escape(str(cls.__doc__ or ''))}</p>",
    ]
    if bases:
        links = " &lt; ".join(_link(name) for name in bases.split(" < "))
        body.append(f"<p>Derived from {links}</p>")
    body.append(_param_table(cls))
    body.append(
        _table(
            "Ports",
            ["name", "kind", "description"],
            [
                [
                    _code(port.name + ("[]" if port.is_vector else "")),
                    html.escape(f"{port.kind} {port.role}"),
                    html.escape(port.desc),
                ]
                for port in cls._ports.values()
            ],
        )
    )
    body.append(
        _table(
            "Statistics",
            ["name", "kind", "unit", "description"],
            [
                [
                    _code(row["name"]),
                    row["kind"],
                    html.escape(row["unit"] or ""),
                    html.escape(row["doc"] or ""),
                ]
                for _, row in _rows(cls, "stats")
            ],
        )
    )
    rows = [[_code(name), html.escape(text)] for name, text in methods(cls)]
    body.append(_table("Methods", ["name", "description"], rows))
    return _page(cls.__name__, "\n".join(body))


def _param_table(cls: Any) -> str:
    rows = []
    for desc in cls._params.values():
        kind = _link(desc.ptype_str)
        if desc.is_vector:
            kind = "list of " + kind
        rows.append(
            [
                _code(desc.name),
                kind,
                _code(default_text(desc)),
                html.escape(limits_text(desc)),
                html.escape(meaning_text(desc)),
            ]
        )
    head = ["name", "type", "default", "limits", "description"]
    return _table("Parameters", head, rows)


def write_html(folder: str) -> str:
    """One page per class and an index; returns the path of the index."""
    os.makedirs(folder, exist_ok=True)
    classes = native_classes()
    for name, cls in classes.items():
        path = os.path.join(folder, f"{name}.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_class_page(cls))
    rows = [
        [_link(name), html.escape(_first_line(classes[name]))]
        for name in sorted(classes)
    ]
    body = "<h1>Gearshift: classes</h1>" + _table(
        "", ["class", "description"], rows
    )
    index = os.path.join(folder, "index.html")
    with open(index, "w", encoding="utf-8") as file:
        file.write(_page("Gearshift: classes", body))
    return index
