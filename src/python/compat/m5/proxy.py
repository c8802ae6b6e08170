# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.proxy."""

from gearshift.proxy import (
    AllProxy,
    AnyProxy,
    AttrProxy,
    BaseProxy,
    Parent,
    Self,
    isproxy,
)

__all__ = [
    "AllProxy",
    "AnyProxy",
    "AttrProxy",
    "BaseProxy",
    "Parent",
    "Self",
    "isproxy",
]
