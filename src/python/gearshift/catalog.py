# SPDX-License-Identifier: BSD-3-Clause
"""Builds the SimObject classes from the core's tables.

Methods that gem5's classes have in Python (BaseCPU.createThreads and so on)
are mixed in from the modules of gearshift.behaviour: see there.
"""

from __future__ import annotations

import ast
import re
from typing import Any, Dict, Optional

from gearshift import _core, behaviour
from gearshift.params import addr_range, enums
from gearshift.params.desc import (
    ParamDesc,
    VectorParamDesc,
    object_classes,
)
from gearshift.params.null import NULL
from gearshift.params.values import MaxAddr
from gearshift.ports import (
    Port,
    RequestPort,
    ResponsePort,
    VectorRequestPort,
    VectorResponsePort,
)
from gearshift.proxy import Parent, Self
from gearshift.simobject import MetaSimObject, SimObject

_UNIT_TYPES = {
    "ticks": "Latency",
    "period": "Clock",
    "bytes": "MemorySize",
    "B/s": "MemoryBandwidth",
    "addr": "Addr",
    "port": "Addr",
    "V": "Voltage",
    "cycles": "Cycles",
    "degC": "Temperature",
    "W": "Power",
    "Hz": "Frequency",
    "%": "Percent",
}
_KIND_TYPES = {
    "bool": "Bool",
    "u8": "UInt8",
    "u16": "UInt16",
    "u32": "UInt32",
    "u64": "UInt64",
    "i64": "Int64",
    "f64": "Float",
    "str": "String",
    "range": "AddrRange",
    "vec_u64": "UInt64",
    "vec_f64": "Float",
    "vec_str": "String",
    "vec_range": "AddrRange",
}
_KIND_MAX = {
    "u8": (1 << 8) - 1,
    "u16": (1 << 16) - 1,
    "u32": (1 << 32) - 1,
    "u64": (1 << 64) - 1,
    "i64": (1 << 63) - 1,
}
# gem5's names of enumerations whose parameter has another name.
_ENUM_NAMES = {
    "mem_mode": "MemoryMode",
    "addr_mapping": "AddrMap",
    "clusivity": "Clusivity",
    "page_policy": "PageManage",
}
# Times that gem5's scripts give as a number of ticks.
_TICK_PARAMS = {"sim_quantum"}
_EXPRESSION = re.compile(r"(Parent|Self|NULL|AllMemory|MaxAddr|[A-Z]\w*\()")


def _namespace() -> Dict[str, Any]:
    return {
        **object_classes,
        "Parent": Parent,
        "Self": Self,
        "NULL": NULL,
        "AddrRange": addr_range.AddrRange,
        "AllMemory": addr_range.AllMemory,
        "MaxAddr": MaxAddr,
        "__builtins__": {},
    }


def _literal(text: str) -> Any:
    """A list or a quoted string; None if it is something else."""
    if text[:1] in "[\"'" and text:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return None
    return None


def parse_default(text: str) -> Any:
    """The value, proxy or maker of objects that a row's default spells."""
    if _EXPRESSION.match(text):
        code = compile(text, "<catalog>", "eval")
        if "(" in text and not text.startswith("AddrRange"):
            return lambda: eval(code, _namespace())  # pylint: disable=W0123
        return eval(code, _namespace())  # pylint: disable=eval-used
    literal = _literal(text)
    return text if literal is None else literal


class CatalogParam(ParamDesc):
    """A parameter that a row of the core describes."""


class CatalogVectorParam(VectorParamDesc):
    """A list parameter that a row of the core describes."""


def _enum_type(row: Dict[str, Any]) -> str:
    """Rows that share a table of words share one enumeration."""
    name = row["name"]
    camel = "".join(part.title() for part in name.split("_"))
    wanted = _ENUM_NAMES.get(name, camel)
    known = enums.allEnums.get(wanted)
    suffix = 2
    base = wanted
    while known is not None and known.vals != row["names"]:
        wanted = f"{base}{suffix}"
        known = enums.allEnums.get(wanted)
        suffix += 1
    return enums.make_enum(wanted, row["names"]).__name__


def _type_name(row: Dict[str, Any]) -> str:
    if row["obj_type"]:
        return str(row["obj_type"])
    if row["names"]:
        return _enum_type(row)
    if row["name"] in _TICK_PARAMS:
        return "TickTime"
    kind_type = _KIND_TYPES.get(row["kind"], "")
    if kind_type in ("AddrRange", "String", "Bool"):
        return kind_type
    return _UNIT_TYPES.get(row["unit"], kind_type)


def make_param(row: Dict[str, Any]) -> ParamDesc:
    """The descriptor of a parameter row."""
    is_vector = row["kind"].startswith("vec_")
    cls = CatalogVectorParam if is_vector else CatalogParam
    has_default = row["default"] is not None
    default = parse_default(row["default"]) if has_default else None
    desc: ParamDesc = cls(
        _type_name(row), row["doc"] or "", default, has_default
    )
    desc.native = True
    desc.unit = row["unit"] or ""
    desc.kind = row["kind"]
    if not row["names"] and row["kind"] in _KIND_MAX:
        desc.minimum = row["min"] or None
        kind_max = _KIND_MAX[row["kind"]]
        desc.maximum = min(row["max"] or kind_max, kind_max)
    desc.pow2 = row["pow2"]
    desc.nonempty = row["nonempty"]
    desc.ignored = row["ignored"] or ""
    return desc


def make_port(row: Dict[str, Any]) -> Port:
    """The descriptor of a port row."""
    kinds: Dict[Any, Any] = {
        ("requestor", False): RequestPort,
        ("requestor", True): VectorRequestPort,
        ("responder", False): ResponsePort,
        ("responder", True): VectorResponsePort,
    }
    port: Port = kinds[row["role"], row["is_vector"]](row["doc"], row["kind"])
    port.native = True
    port.is_optional = row["is_optional"]
    port.old_name = row["old_name"]
    return port


def _make_class(row: Dict[str, Any]) -> MetaSimObject:
    body: Dict[str, Any] = {
        "__doc__": row["doc"],
        "__module__": "m5.objects",
        "_native_type": row,
        "_abstract": row["is_abstract"],
        "type": row["name"],
    }
    for param in row["params"]:
        body[param["name"]] = make_param(param)
    for port in row["ports"]:
        body[port["name"]] = make_port(port)
    mixins = behaviour.mixins(row["name"])
    bases = (*mixins, object_classes[row["base"]])
    cls = MetaSimObject(row["name"], bases, body)
    for port in row["ports"]:
        if port["old_name"]:
            cls._deprecated[port["old_name"]] = port["name"]
    return cls


def _set_up_root_class(row: Dict[str, Any]) -> None:
    """The core's SimObject is this package's SimObject."""
    type.__setattr__(SimObject, "_native_type", row)
    type.__setattr__(SimObject, "_abstract", True)
    SimObject._apply({p["name"]: make_param(p) for p in row["params"]})


def build() -> None:
    """Make all classes; called once, at import."""
    for row in _core.types():
        if row["base"] is None:
            _set_up_root_class(row)
        else:
            _make_class(row)
    for alias, name in behaviour.aliases().items():
        if name in object_classes:
            object_classes.setdefault(alias, object_classes[name])


def native_name(cls: type) -> Optional[str]:
    """Name of the core's type that objects of @cls are made of."""
    for base in cls.__mro__:
        row = base.__dict__.get("_native_type")
        if row:
            return str(row["name"])
    return None


def native_class(cls: type) -> Any:
    """The class that the catalog made, among @cls and its bases."""
    return next(b for b in cls.__mro__ if b.__dict__.get("_native_type"))
