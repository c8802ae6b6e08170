# SPDX-License-Identifier: BSD-3-Clause
"""Descriptions of the configured tree: config.ini and config.json.

The layout is gem5's: sections sorted by path; type, children, parameters and
ports sorted by name.  The diagram is made by gearshift.diagram.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterator, TextIO, Tuple

from gearshift import diagram, dvfs
from gearshift.ports import PortRef, elements
from gearshift.proxy import MISSING
from gearshift.settings import settings
from gearshift.vector import SimObjectVector


def write_all(root: Any, outdir: str) -> None:
    """Write the files that the settings name."""
    if settings.dump_config:
        path = os.path.join(outdir, settings.dump_config)
        with diagram.create(path) as file:
            for obj in sorted(root.descendants(), key=lambda o: o.path()):
                print_ini(obj, file)
    if settings.json_config:
        path = os.path.join(outdir, settings.json_config)
        with diagram.create(path) as file:
            json.dump(as_dict(root), file, indent=4)
    for name, describe in (
        (settings.dot_config, diagram.dot_text),
        (settings.dot_dvfs_config, dvfs.dot_text),
    ):
        if name:
            diagram.write(describe(root), os.path.join(outdir, name))


def _params(obj: Any) -> Iterator[Tuple[str, Any]]:
    for name in sorted(obj._params):
        value = obj._lookup(name)
        if value is not None and value is not MISSING:
            yield name, value


def _peers(ref: Any) -> "list[str]":
    return [
        element.peer.path()
        for element in elements(ref)
        if isinstance(element.peer, PortRef)
    ]


def print_ini(obj: Any, file: TextIO) -> None:
    """One section of config.ini."""
    print(f"[{obj.path()}]", file=file)
    print(f"type={type(obj).type}", file=file)
    names = sorted(child.get_name() for child in obj.children())
    if names:
        print("children=" + " ".join(names), file=file)
    for name, value in _params(obj):
        print(f"{name}={value.ini_str()}", file=file)
    for name, ref in sorted(obj._port_refs.items()):
        peers = _peers(ref)
        if peers:
            print(f"{name}=" + " ".join(peers), file=file)
    print(file=file)


def as_dict(obj: Any) -> Any:
    """The tree below @obj as config.json holds it."""
    if isinstance(obj, SimObjectVector):
        return [as_dict(item) for item in obj]
    found: Dict[str, Any] = {
        "type": type(obj).type,
        "cxx_class": type(obj).type,
        "name": obj.get_name(),
        "path": obj.path(),
    }
    for name, value in _params(obj):
        found[name] = value.json_value()
    for name, child in sorted(obj._children.items()):
        found[name] = as_dict(child)
    for name, ref in sorted(obj._port_refs.items()):
        peers = _peers(ref)
        if peers:
            found[name] = {
                "peer": peers if ref.desc.is_vector else peers[0],
                "role": ref.role.upper(),
            }
    return found
