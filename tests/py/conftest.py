# SPDX-License-Identifier: BSD-3-Clause
"""Finds the built package and command; runs scripts through the command."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / os.environ.get("GEARSHIFT_VARIANT", "opt")
COMMAND = os.environ.get("GEARSHIFT", str(BUILD / "gearshift"))

for folder in (BUILD / "python" / "compat", BUILD / "python"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

# A shell's background jobs ignore Ctrl-C, which some tests need.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Runner:
    """Runs the command in a directory of its own."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        """A file in the directory."""
        return self.folder / name

    def write(self, text, name="script.py"):
        """Make a script."""
        self.path(name).write_text(text, encoding="utf-8")

    def run(self, *words, stdin=None, **env):
        """Run the command; stdout and stderr are captured."""
        return subprocess.run(
            [COMMAND, *words],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **env},
        )

    def script(self, text, *words):
        """Run a script with -q."""
        self.write(text)
        return self.run("-q", "--dot-config=", "script.py", *words)


@pytest.fixture
def runner(tmp_path):
    """A Runner."""
    return Runner(tmp_path)


SYSTEM = """\
import m5
from m5.objects import *

root = Root(full_system=False)
root.system = System(mem_ranges=[AddrRange("16MiB")], mem_mode="timing")
root.system.clk_domain = SrcClockDomain(
    clock="1GHz", voltage_domain=VoltageDomain()
)
root.system.membus = SystemXBar()
root.system.mem = SimpleMemory(range=root.system.mem_ranges[0])
root.system.mem.port = root.system.membus.mem_side_ports
root.system.system_port = root.system.membus.cpu_side_ports
"""


@pytest.fixture
def system_text():
    """A script that builds a small system, without instantiate()."""
    return SYSTEM


@pytest.fixture
def make_root():
    """Builds the same system in this process."""

    def make():
        scope = {}
        exec(SYSTEM, scope)  # pylint: disable=exec-used
        return scope["root"]

    return make
