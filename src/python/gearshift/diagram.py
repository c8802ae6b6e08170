# SPDX-License-Identifier: BSD-3-Clause
"""The tree of objects as a picture: config.dot, and config.svg by graphviz.

An object is a box, its ports are small nodes in it, its children boxes inside.
A hint that the mouse shows lists the parameters.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from typing import Any, List, TextIO

from gearshift import log
from gearshift.errors import FatalError
from gearshift.ports import PortRef, elements
from gearshift.proxy import MISSING
from gearshift.vector import SimObjectVector

# Depth of the tree sets the shade of a box.
_SHADES = ["#ffffff", "#f0f4f8", "#dde7f0", "#c9d9e8", "#b6cce0", "#a3bfd8"]
_warned: List[str] = []
DOT_SECONDS = 60  # a picture that takes longer is given up


def create(path: str) -> TextIO:
    """Open an output file, or tell the user why that fails."""
    try:
        return open(path, "w", encoding="utf-8")
    except OSError as error:
        raise FatalError(f"cannot write '{path}': {error.strerror}") from None


def quote(text: str) -> str:
    """A string of graphviz's language."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _hint(obj: Any) -> str:
    lines = []
    for name in sorted(obj._params):
        value = obj._lookup(name)
        if value is not None and value is not MISSING:
            if not isinstance(value, SimObjectVector):
                lines.append(f"{name}={value.ini_str()}")
    return "\n".join(lines)


def _node_name(obj: Any, port: str) -> str:
    return quote(f"{obj.path()}.{port}")


def _connected_ports(obj: Any) -> List[str]:
    return [
        name
        for name, ref in sorted(obj._port_refs.items())
        if any(element.peer is not None for element in elements(ref))
    ]


def _label_side(obj: Any) -> str:
    """Lines reach responders from above, where they would cross a label."""
    roles = {obj._ports[name].role for name in _connected_ports(obj)}
    is_leaf = not list(obj.children())
    return "b" if is_leaf and roles == {"responder"} else "t"


def _box(obj: Any, depth: int) -> List[str]:
    """The subgraph of an object."""
    pad = "    " * (depth + 1)
    shade = _SHADES[min(depth, len(_SHADES) - 1)]
    lines = [
        f"{'    ' * depth}subgraph {quote('cluster_' + obj.path())} {{",
        f"{pad}label={quote(f'{obj.get_name()}: {type(obj).__name__}')};",
        f"{pad}tooltip={quote(_hint(obj))};",
        f'{pad}style="rounded,filled"; fillcolor="{shade}";',
        f"{pad}labeljust=l; labelloc={_label_side(obj)};",
    ]
    ports = _connected_ports(obj)
    for name in ports:
        node = _node_name(obj, name)
        lines.append(f"{pad}{node} [label={quote(name)}];")
    children = list(obj.children())
    if not ports and not children:
        node = quote(obj.path() + "#")
        lines.append(f'{pad}{node} [label="", style=invis, height=0.1];')
    for child in children:
        lines += _box(child, depth + 1)
    lines.append(f"{'    ' * depth}}}")
    return lines


def _edges(root: Any) -> List[str]:
    lines = []
    for obj in root.descendants():
        for name, ref in sorted(obj._port_refs.items()):
            for element in elements(ref):
                peer = element.peer
                if element.role == "requestor" and isinstance(peer, PortRef):
                    source = _node_name(obj, name)
                    target = _node_name(peer.simobj, peer.name)
                    lines.append(f"    {source} -> {target};")
    return lines


def dot_text(root: Any) -> str:
    """The graph in graphviz's language."""
    lines = [
        "digraph config {",
        '    node [shape=box, style="rounded,filled", fillcolor="#ffffff",'
        ' fontname="sans-serif", fontsize=10, height=0.3];',
        '    graph [fontname="sans-serif", fontsize=12, ranksep=0.7];',
        '    edge [color="#304860a0", arrowsize=0.8];',
        *_box(root, 1),
        *_edges(root),
        "}",
    ]
    return "\n".join(lines) + "\n"


def write(text: str, path: str) -> None:
    """Write @path (*.dot) and, in the background, the picture beside it."""
    with create(path) as file:
        file.write(text)
    picture = os.path.splitext(path)[0] + ".svg"
    dot = shutil.which("dot")
    if dot is None:
        if not _warned:
            _warned.append("dot")
            log.warn(
                f"no {os.path.basename(picture)}: the program 'dot' is "
                "missing (Debian package graphviz)"
            )
        return
    # pylint: disable-next=consider-using-with
    process = subprocess.Popen(
        [dot, "-Tsvg", "-o", picture, path],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_finish, process)


def _finish(process: "subprocess.Popen[bytes]") -> None:
    """At the end of the script: the picture is complete, or given up."""
    try:
        process.wait(DOT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        log.warn("no config.svg: the picture takes too long to draw")
