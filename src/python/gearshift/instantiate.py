# SPDX-License-Identifier: BSD-3-Clause
"""From the Python tree to objects of the core, step by step.

settle()  every parameter has its final value, every port its peer
create()  objects exist in the core, parameters set, ports bound
"""

from __future__ import annotations

from typing import Any, Iterator, List, Optional

from gearshift import _core, catalog
from gearshift.errors import FatalError, PortError, ProxyError
from gearshift.params.desc import ParamDesc, VectorParamValue
from gearshift.params.null import is_null
from gearshift.ports import PortRef, elements
from gearshift.proxy import MISSING, isproxy, unproxy
from gearshift.simobject import SimObject
from gearshift.vector import SimObjectVector, is_object_list

_INT_KINDS = {"u8", "u16", "u32", "u64", "i64", "vec_u64"}


def settle(root: SimObject) -> None:
    """Give every parameter and port of the tree its final value."""
    _check_defaults(root)
    objects = list(root.descendants())
    for obj in objects:
        for name, desc in obj._params.items():
            _settle_param(obj, name, desc)
    for obj in objects:
        for ref in list(obj._port_refs.values()):
            _settle_port(obj, ref)
    for obj in objects:
        _check_references(root, obj)
        _check_ports(obj)


def _check_defaults(root: SimObject) -> None:
    """Make the objects that are defaults, and those that they need."""
    waiting: List[SimObject] = [root]
    while waiting:
        obj = waiting.pop()
        for name, desc in obj._params.items():
            if desc.is_object and obj._lookup(name) is MISSING:
                continue  # reported by _settle_param, with its place
        waiting += obj.children()


def _settle_param(obj: SimObject, name: str, desc: ParamDesc) -> None:
    value = obj._lookup(name)
    if value is MISSING:
        raise FatalError(
            f"{obj.path()}.{name}: a value is required and none is set "
            f"({desc.desc})",
            obj._created_at,
            "created at",
        )
    if not isproxy(value):
        return
    origin, verb = obj._origin_of(name), "set at"
    if origin is None:
        origin, verb = obj._created_at, "created at"
    try:
        found = unproxy(value, obj, desc, name)
        obj._values[name] = _as_vector(
            desc.convert(found, f"{obj.path()}.{name}")
        )
    except ProxyError as error:
        text = error.message
        if not text.startswith("cycle"):
            text = f"{obj.path()}.{name}: {text}"
        raise ProxyError(text, origin, verb) from None
    except FatalError as error:
        raise type(error)(error.message, origin, verb) from None


def _as_vector(value: Any) -> Any:
    if isinstance(value, VectorParamValue) and is_object_list(value):
        return SimObjectVector.coerce(value)
    return value


def _settle_port(obj: SimObject, ref: Any) -> None:
    try:
        ref.unproxy()
    except ProxyError as error:
        raise ProxyError(
            f"{ref.path()}: {error.message}",
            elements(ref)[0].origin or obj._created_at,
        ) from None


def _references(value: Any) -> Iterator[SimObject]:
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, SimObject):
            yield item


def _top(obj: SimObject) -> SimObject:
    while obj._parent is not None:
        obj = obj._parent
    return obj


def _check_references(root: SimObject, obj: SimObject) -> None:
    for name in obj._params:
        for other in _references(obj._lookup(name)):
            if _top(other) is not root:
                raise FatalError(
                    f"{obj.path()}.{name}: refers to {other!r}, which is not "
                    "in the tree of this Root",
                    obj._origin_of(name) or obj._created_at,
                    "set at",
                )


def _check_ports(obj: SimObject) -> None:
    for name, desc in obj._ports.items():
        if name not in obj._port_refs:
            bound = desc.is_vector or desc.is_optional
        else:
            ref = obj._get_port_ref(name)
            bound = desc.is_optional or all(
                element.peer is not None for element in elements(ref)
            )
        if not bound:
            raise PortError(
                f"{obj.path()}.{name}: the port is not connected "
                f"({desc.desc})",
                obj._created_at,
                "created at",
            )


# ------------------------------------------------------------------ the core


def create(core: Any, root: SimObject) -> None:
    """Build the tree in the core; parents come before their children."""
    objects = list(root.descendants())
    for obj in objects:
        _create_one(core, obj)
    for obj in objects:
        for name, desc in obj._params.items():
            if desc.native:
                _set_native(obj, name, desc)
    for obj in objects:
        _bind_ports(obj)


def _create_one(core: Any, obj: SimObject) -> None:
    if obj._native is not None:
        raise FatalError(
            f"{obj.path()} is already part of a simulation", obj._created_at
        )
    _check_implemented(obj)
    parent = obj._parent
    obj._native = _core.create(
        core,
        catalog.native_name(type(obj)),
        parent._native if parent is not None else None,
        obj.get_name(),
        obj._created_at,
    )


def _check_implemented(obj: SimObject) -> None:
    """A class that declares C++ code of its own would silently do nothing."""
    native = catalog.native_class(type(obj))
    for cls in type(obj).__mro__:
        if cls is native:
            break
        if "cxx_header" in cls.__dict__ or "cxx_class" in cls.__dict__:
            raise FatalError(
                f"{obj.path()}: class {cls.__name__} declares C++ code, which "
                "does not exist in the core",
                obj._created_at,
                "created at",
            )


def native_value(desc: ParamDesc, value: Any) -> Any:
    """The value as the extension takes it."""
    if value is None or is_null(value):
        return None
    if isinstance(value, list):
        return [native_value(desc, item) for item in value]
    raw = value.getValue()
    return round(raw) if desc.kind in _INT_KINDS else raw


def _set_native(obj: SimObject, name: str, desc: ParamDesc) -> None:
    value = native_value(desc, obj._lookup(name))
    if desc.is_vector and value is None:
        value = []
    obj._native.set_param(name, value, obj._origin_of(name))


def report_ignored(obj: SimObject) -> None:
    """Tell which values of an object change nothing, and why."""
    texts = []
    for name, desc in obj._params.items():
        value = obj._lookup(name)
        if not desc.ignored or value == desc.default():
            continue
        origin = obj._origin_of(name)
        where = f", set at {origin}" if origin else ""
        texts.append(f"{name} has no effect: {desc.ignored}{where}")
    if texts:
        obj._native.unimplemented("; ".join(texts))


def _bind_ports(obj: SimObject) -> None:
    """Bind the connections of which @obj is the requesting end."""
    for name, desc in obj._ports.items():
        if desc.role != "requestor" or name not in obj._port_refs:
            continue
        for element in elements(obj._port_refs[name]):
            peer: Optional[PortRef] = element.peer  # type: ignore
            if peer is None:
                continue
            if not (desc.native and peer.desc.native):
                raise PortError(
                    f"cannot connect {element.path()} to {peer.path()}: "
                    "ports that Python classes add do not exist in the core",
                    element.origin,
                )
            _core.bind_ports(
                obj._native,
                name,
                element.index,
                peer.simobj.getCCObject(),
                peer.name,
                peer.index,
            )
