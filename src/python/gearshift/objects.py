# SPDX-License-Identifier: BSD-3-Clause
"""All SimObject classes, enumerations and parameter types by name."""

from __future__ import annotations

from typing import Any, Dict, List

from gearshift import catalog
from gearshift.errors import UnknownNameError, nearest, script_line
from gearshift.params import addr_range, enums, network, points, values
from gearshift.params.desc import (
    DeprecatedParam,
    OptionalParam,
    Param,
    VectorParam,
    object_classes,
)
from gearshift.params.null import NULL
from gearshift.ports import (
    MasterPort,
    Port,
    RequestPort,
    ResponsePort,
    SlavePort,
    VectorMasterPort,
    VectorPort,
    VectorRequestPort,
    VectorResponsePort,
    VectorSlavePort,
)
from gearshift.proxy import Parent, Self

assert catalog and points  # they register classes and types

_MORE: Dict[str, Any] = {
    "AllMemory": addr_range.AllMemory,
    "DeprecatedParam": DeprecatedParam,
    "MasterPort": MasterPort,
    "MaxAddr": values.MaxAddr,
    "MaxTick": values.MaxTick,
    "NULL": NULL,
    "NextEthernetAddr": network.NextEthernetAddr,
    "OptionalParam": OptionalParam,
    "Param": Param,
    "Parent": Parent,
    "Port": Port,
    "RequestPort": RequestPort,
    "ResponsePort": ResponsePort,
    "Self": Self,
    "SlavePort": SlavePort,
    "VectorMasterPort": VectorMasterPort,
    "VectorParam": VectorParam,
    "VectorPort": VectorPort,
    "VectorRequestPort": VectorRequestPort,
    "VectorResponsePort": VectorResponsePort,
    "VectorSlavePort": VectorSlavePort,
}


def names() -> Dict[str, Any]:
    """Everything that `from m5.objects import *` gives."""
    classes = {
        name: cls
        for name, cls in object_classes.items()
        if cls.__module__ == "m5.objects" or name == "SimObject"
    }
    found = {**values.param_types(), **enums.allEnums, **classes, **_MORE}
    return {name: item for name, item in found.items() if name[0] != "_"}


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        found = names()
        if name in found:
            return found[name]
        raise UnknownNameError(
            f"there is no class '{name}'" + nearest(name, found),
            script_line(),
        )
    raise AttributeError(name)


def __dir__() -> List[str]:
    return sorted(names())
