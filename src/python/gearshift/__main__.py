# SPDX-License-Identifier: BSD-3-Clause
"""The gearshift command, also as python3 -m gearshift."""

from __future__ import annotations

import sys
from typing import List, Optional

from gearshift.cli import commands, report, runner
from gearshift.cli.options import parse


def main(argv: Optional[List[str]] = None) -> int:
    """Run a script or a sub-command; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    command = commands.find(words[0]) if words else None
    if command is not None:
        return report.guard(lambda: command.main(words[1:]))
    options, script = parse(words)
    return runner.run(options, script)


if __name__ == "__main__":
    sys.exit(main())
