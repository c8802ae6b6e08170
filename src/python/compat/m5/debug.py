# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.debug: `m5.debug.flags["Exec"].enable()`."""

from gearshift.debug import flags, help_text, schedule_break

__all__ = ["flags", "help", "schedBreak"]

schedBreak = schedule_break


def help() -> None:  # pylint: disable=redefined-builtin
    """List all flags."""
    print(help_text(), end="")
