# SPDX-License-Identifier: BSD-3-Clause
"""Gearshift: a computer-architecture simulator.

    import gearshift
    from gearshift.objects import Root, System, SimpleMemory

The classes come from the tables of the simulator's core.  Scripts for gem5 use
the names of the modules m5 and m5.objects; importing gearshift makes them
importable.
"""

from __future__ import annotations

import os
import sys

from gearshift import catalog
from gearshift.errors import (
    FatalError,
    HierarchyError,
    ParamRangeError,
    ParamTypeError,
    PortError,
    ProxyError,
    StateError,
    UnknownNameError,
)
from gearshift.log import fatal, inform, panic, warn
from gearshift.params.addr_range import AddrRange, AllMemory
from gearshift.params.desc import Param, VectorParam
from gearshift.params.null import NULL
from gearshift.proxy import Parent, Self
from gearshift.settings import settings
from gearshift.simobject import SimObject
from gearshift.simulation import ExitEvent, MaxTick, Simulation
from gearshift.version import __version__

__all__ = [
    "AddrRange",
    "AllMemory",
    "ExitEvent",
    "FatalError",
    "HierarchyError",
    "MaxTick",
    "NULL",
    "Param",
    "ParamRangeError",
    "ParamTypeError",
    "Parent",
    "PortError",
    "ProxyError",
    "Self",
    "SimObject",
    "Simulation",
    "StateError",
    "UnknownNameError",
    "VectorParam",
    "__version__",
    "fatal",
    "objects",
    "inform",
    "panic",
    "settings",
    "warn",
]

catalog.build()

# Asks for classes, so that it comes after them.
from gearshift import objects  # noqa: E402  pylint: disable=C0413


def _find_compat() -> None:
    """Put the m5 modules at the end of the path unless they are there."""
    above = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folder = os.path.join(above, "compat")
    if os.path.isdir(folder) and folder not in sys.path:
        sys.path.append(folder)


_find_compat()
