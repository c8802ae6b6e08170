# SPDX-License-Identifier: BSD-3-Clause
"""gem5's module m5 on top of gearshift."""

import gearshift
from m5 import (
    SimObject,
    core,
    debug,
    defines,
    event,
    internal,
    options,
    params,
    proxy,
    stats,
    ticks,
    trace,
    util,
)
from m5 import objects as objects
from m5.simulate import *  # noqa: F401,F403
from m5.util import fatal, inform, panic, warn

gem5Version = f"Gearshift {gearshift.__version__}"

__all__ = [
    "SimObject",
    "core",
    "debug",
    "defines",
    "event",
    "fatal",
    "inform",
    "internal",
    "objects",
    "options",
    "panic",
    "params",
    "proxy",
    "stats",
    "ticks",
    "trace",
    "util",
    "warn",
]
