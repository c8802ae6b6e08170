# SPDX-License-Identifier: BSD-3-Clause
"""The language of gear plans.

    plan   := step { ';' step }
    step   := GEAR [ limit ]
            | 'repeat' [ COUNT ] '(' plan ')'
    limit  := 'until' place [ '*' COUNT ]
            | COUNT 'insts'
            | COUNT 'ticks' | TIME
    place  := FUNCTION | 'FILE:FUNCTION' | 'FUNCTION+OFFSET' | 0xADDRESS
            | 'workbegin' | 'workend' | 'switchcpu'
    COUNT  := 12, 500K, 10M, 2G or 1e6
    TIME   := 10ms, 1.5us

A line break may stand for ';', and '#' begins a comment.  A step without a
limit lasts to the end of the program, so that it is the last one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Tuple, Union

from gearshift import convert, ticks
from gearshift.errors import FatalError, nearest

# Gears and the classes of their CPUs.
GEARS: Dict[str, str] = {
    "kvm": "X86KvmCPU",
    "atomic": "X86AtomicSimpleCPU",
    "timing": "X86TimingSimpleCPU",
    "o3": "X86O3CPU",
}

# Pseudo instructions of the program that can end a step: words and causes.
EVENTS = ("workbegin", "workend", "switchcpu")

_TOKEN = re.compile(r"[^\S\n]*(?:#[^\n]*)?(\n|[;()*]|[^\s;()*#]+)")
_COUNT = re.compile(r"(\d+(?:\.\d+)?(?:e\d+)?)([KMGT]?)")
_TIME = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?(?:s|ms|us|ns|ps)")
_SCALE = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Limit:
    """What ends a step."""

    kind: str  # "end", "place", "event", "insts", "ticks"
    place: str = ""  # of "place" and "event"
    count: int = 1  # hits, instructions or ticks
    text: str = ""


@dataclass(frozen=True)
class Step:
    """One gear."""

    gear: str
    limit: Limit


@dataclass(frozen=True)
class Repeat:
    """Steps that come several times; None: until the program ends."""

    times: Optional[int]
    body: "Tuple[Part, ...]"


Part = Union[Step, Repeat]


class PlanError(FatalError):
    """A plan that cannot be read; shows where."""

    def __init__(self, plan: str, at: int, message: str) -> None:
        start = plan.rfind("\n", 0, at) + 1
        line = plan[start:].split("\n", 1)[0]
        super().__init__(
            f"gear plan: {message}\n    {line}\n    {' ' * (at - start)}^"
        )


@dataclass
class _Reader:
    """The tokens of a plan, with their places."""

    plan: str
    tokens: List[Tuple[str, int]] = field(default_factory=list)
    next: int = 0

    def __post_init__(self) -> None:
        at = 0
        while match := _TOKEN.match(self.plan, at):
            self.tokens.append((match[1], match.start(1)))
            at = match.end()

    def peek(self, ahead: int = 0) -> str:
        """The word, "" at the end."""
        at = self.next + ahead
        return self.tokens[at][0] if at < len(self.tokens) else ""

    def take(self) -> str:
        """The word; the next one follows."""
        word = self.peek()
        self.next += 1
        return word

    def error(self, message: str, back: int = 0) -> PlanError:
        """An error at the word that comes next, or some words before it."""
        at = self.next - back
        place = self.tokens[at][1] if at < len(self.tokens) else -1
        return PlanError(
            self.plan,
            place if place >= 0 else len(self.plan.rstrip()),
            message,
        )


def _count(text: str) -> Optional[int]:
    match = _COUNT.fullmatch(text)
    if not match:
        return None
    value = float(match[1]) * _SCALE[match[2]]
    exact = match[1].isdigit()
    return int(match[1]) * _SCALE[match[2]] if exact else int(value)


def _read_count(reader: _Reader, what: str) -> int:
    count = _count(reader.peek())
    if count is None:
        raise reader.error(f"expected {what}, such as 3 or 10M")
    if count < 1:
        raise reader.error(f"{what} is 1 or more")
    reader.take()
    return count


def _read_until(reader: _Reader) -> Limit:
    place = reader.peek()
    if not place or place in ";()*\n":
        raise reader.error(
            "'until' needs a place: a function, 0xADDRESS, "
            + ", ".join(EVENTS[:-1])
            + f" or {EVENTS[-1]}"
        )
    reader.take()
    count = 1
    if reader.peek() == "*":
        reader.take()
        count = _read_count(reader, "the number of hits")
    text = place if count == 1 else f"{place}*{count}"
    kind = "event" if place in EVENTS else "place"
    return Limit(kind, place, count, f"until {text}")


def _read_amount(reader: _Reader) -> Limit:
    word = reader.peek()
    if _TIME.fullmatch(word):
        reader.take()
        length = ticks.fromSeconds(convert.toLatency(word))
        return Limit("ticks", count=max(1, length), text=word)
    if _count(word) is None:
        raise reader.error(
            f"'{word}' is no limit; expected 'until PLACE', 'N insts', "
            "'N ticks' or a time such as 10ms"
        )
    count = _read_count(reader, "the length of a step")
    unit = reader.peek()
    if unit not in ("insts", "ticks"):
        raise reader.error("expected 'insts' or 'ticks' behind a number")
    reader.take()
    return Limit(unit, count=count, text=f"{word} {unit}")


def _is_end(word: str) -> bool:
    return word in ("", ";", "\n", ")")


def _read_step(reader: _Reader) -> Step:
    gear = reader.peek()
    if gear not in GEARS:
        known = ", ".join(GEARS)
        raise reader.error(
            f"'{gear}' is no gear{nearest(gear, GEARS)}; there are: {known}"
            if gear
            else f"expected a gear: {known}"
        )
    reader.take()
    if _is_end(reader.peek()):
        return Step(gear, Limit("end", text="to the end"))
    if reader.peek() == "until":
        reader.take()
        limit = _read_until(reader)
    else:
        limit = _read_amount(reader)
    if not _is_end(reader.peek()):
        raise reader.error("expected ';' and the next step")
    return Step(gear, limit)


def _read_repeat(reader: _Reader) -> Repeat:
    reader.take()
    times = None
    if reader.peek() != "(":
        times = _read_count(reader, "the number of times")
    if reader.peek() != "(":
        raise reader.error("expected '(' and the steps to repeat")
    reader.take()
    body = _read_parts(reader)
    if reader.peek() != ")":
        raise reader.error("expected ')'")
    reader.take()
    if not _is_end(reader.peek()):
        raise reader.error("expected ';' and the next step")
    return Repeat(times, tuple(body))


def _lasts(part: Part) -> bool:
    """Whether nothing can come behind it."""
    if isinstance(part, Step):
        return part.limit.kind == "end"
    return part.times is None or _lasts(part.body[-1])


def _read_parts(reader: _Reader) -> List[Part]:
    parts: List[Part] = []
    while True:
        while reader.peek() in (";", "\n") and (
            parts or reader.peek() == "\n"
        ):
            reader.take()
        if parts and reader.peek() in ("", ")"):
            return parts
        start = reader.next
        if parts and _lasts(parts[-1]):
            raise reader.error(
                "the step before this one has no limit, so that this one "
                "would never come"
            )
        is_repeat = reader.peek() == "repeat"
        part: Part = _read_repeat(reader) if is_repeat else _read_step(reader)
        if is_repeat and _lasts_early(part):
            reader.next = start
            raise reader.error(
                "a step inside 'repeat' needs a limit, or it never repeats"
            )
        parts.append(part)


def _lasts_early(part: Part) -> bool:
    return isinstance(part, Repeat) and _lasts(part.body[-1])


class Plan:
    """A gear plan that was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        reader = _Reader(text)
        self.parts = tuple(_read_parts(reader))
        if reader.peek():
            raise reader.error("expected a step, not ')'")

    def steps(self) -> Iterator[Step]:
        """All steps in order; endless with a 'repeat' without a number."""
        yield from _steps(self.parts)

    def gears(self) -> List[str]:
        """Names of the gears, in order of their first use."""
        return list(dict.fromkeys(s.gear for s in _once(self.parts)))

    def places(self) -> List[str]:
        """All places that steps wait for."""
        return [s.limit.place for s in _once(self.parts) if s.limit.place]


def _steps(parts: Tuple[Part, ...]) -> Iterator[Step]:
    for part in parts:
        if isinstance(part, Step):
            yield part
            continue
        left = part.times
        while left is None or left > 0:
            yield from _steps(part.body)
            left = left - 1 if left is not None else None


def _once(parts: Tuple[Part, ...]) -> Iterator[Step]:
    for part in parts:
        if isinstance(part, Step):
            yield part
        else:
            yield from _once(part.body)
