# SPDX-License-Identifier: BSD-3-Clause
"""Values that name a point: a date, or an instruction and how often it ran."""

from __future__ import annotations

import calendar
import datetime
import time
from typing import Any

from gearshift.params.values import ParamValue

# The spellings that gem5 understands.
time_formats = [
    "%a %b %d %H:%M:%S %Z %Y",
    "%a %b %d %H:%M:%S %Y",
    *(
        f"{day}{clock}"
        for day in ("%Y/%m/%d", "%m/%d/%Y", "%m/%d/%y")
        for clock in (" %H:%M:%S", " %H:%M", "")
    ),
]


def parse_time(value: Any) -> time.struct_time:
    """A date of any of the forms that a script may write."""
    if isinstance(value, time.struct_time):
        return value
    if isinstance(value, int):
        return time.gmtime(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.timetuple()
    if value in ("Now", "Today"):
        return time.gmtime(time.time())
    for form in time_formats:
        try:
            return time.strptime(value, form)
        except (TypeError, ValueError):
            pass
    raise ValueError(f"Could not parse '{value}' as a time")


class Time(ParamValue):
    """A date and time; "2012/01/01", "Now"."""

    expects = "a date such as '2012/01/01' or '2012/01/01 12:30:00'"

    value: time.struct_time

    def __init__(self, value: Any) -> None:
        if isinstance(value, Time):
            value = value.value
        self.value = parse_time(value)

    def getValue(self) -> int:
        """Seconds since 1970."""
        return calendar.timegm(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self.getValue() == other.getValue()

    def __hash__(self) -> int:
        return hash(self.getValue())

    def __str__(self) -> str:
        return time.asctime(self.value)

    def json_value(self) -> str:
        return str(self)


class PcCountPair(ParamValue):
    """An address of code, and how often it is reached."""

    expects = "a PcCountPair(pc, count)"

    pc: int
    count: int

    def __init__(self, pc: Any, count: Any = None) -> None:
        if isinstance(pc, PcCountPair) and count is None:
            pc, count = pc.pc, pc.count
        if count is None:
            raise TypeError("needs an address and a count")
        self.pc, self.count = int(pc), int(count)

    def get_pc(self) -> int:
        """The address."""
        return self.pc

    def get_count(self) -> int:
        """How often it is reached."""
        return self.count

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PcCountPair)
            and self.pc == other.pc
            and self.count == other.count
        )

    def __hash__(self) -> int:
        return hash((self.pc, self.count))

    def __str__(self) -> str:
        return f"({self.pc},{self.count})"
