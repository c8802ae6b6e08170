# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.util.fdthelper: device trees, which no x86 machine here has.

Scripts import the module for its names; using one says that it is missing.
"""

from __future__ import annotations

import os
import re
from typing import Any

from gearshift.errors import FatalError, script_line

__all__ = ["Fdt", "FdtNode", "FdtProperty", "FdtState", "os", "re"]


class _Missing:
    """Refuses to be made."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        raise FatalError(
            f"{type(self).__name__}: device trees are not supported",
            script_line(),
        )


class Fdt(_Missing):
    """A device tree."""


class FdtNode(_Missing):
    """A node of a device tree."""


class FdtProperty(_Missing):
    """A property of a node."""


class FdtState(_Missing):
    """Cell sizes while a tree is generated."""
