#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The gearshift command: finds the package beside itself and runs it."""
import os
import sys

# Sanitizer runtimes that must be in the process before the extension is.
PRELOAD = "@PRELOAD@"


def package_root():
    """The folder that holds python/gearshift: in a build, or installed."""
    here = os.path.dirname(os.path.realpath(__file__))
    for root in (here, os.path.join(here, "..", "lib", "gearshift")):
        if os.path.isdir(os.path.join(root, "python", "gearshift")):
            return os.path.normpath(root)
    sys.exit(
        f"{sys.argv[0]}: no package 'gearshift' beside {here}; "
        "build it with scons"
    )


def preload():
    """Start again with the sanitizer runtimes, once."""
    if not PRELOAD or PRELOAD in os.environ.get("LD_PRELOAD", ""):
        return
    os.environ["LD_PRELOAD"] = PRELOAD
    # Python itself leaves memory behind at exit.
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    os.execv(sys.executable, [sys.executable, *sys.argv])


preload()
sys.path[0] = os.path.join(package_root(), "python")
from gearshift.__main__ import main  # noqa: E402

sys.exit(main())
