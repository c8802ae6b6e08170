# SPDX-License-Identifier: BSD-3-Clause
"""Ranges of addresses, with gem5's ways to write and to interleave them.

The end is exclusive.  An interleaved range holds an address when, for each
mask i, the parity of (address & mask) equals bit i of the match value.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Optional, Tuple

from gearshift.params.values import Addr, MaxAddr, MemorySize, ParamValue

MAX_MASKS = 8


class AddrRange(ParamValue):
    """AddrRange("512MiB"), AddrRange(start, end), AddrRange(start, size=)."""

    expects = "an address range such as AddrRange('512MiB')"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        interleaving = {
            key: int(kwargs.pop(key, default))
            for key, default in (
                ("intlvMatch", 0),
                ("intlvHighBit", 0),
                ("xorHighBit", 0),
                ("intlvBits", 0),
            )
        }
        masks = kwargs.pop("masks", None)
        start, end = self._bounds(args, kwargs)
        if kwargs:
            raise TypeError(f"Too many keywords: {', '.join(kwargs)}")
        self.start = Addr(start)
        self.end = Addr(end)
        if self.end < self.start:
            raise ValueError(f"the end {self.end} lies before {self.start}")
        self.intlvMatch = interleaving["intlvMatch"]
        self.masks = self._masks(masks, interleaving)
        if self.intlvMatch >> len(self.masks):
            raise ValueError(
                f"intlvMatch {self.intlvMatch} needs more than "
                f"{len(self.masks)} interleaving bits"
            )

    @classmethod
    def from_user(cls, value: Any) -> "AddrRange":
        if isinstance(value, AddrRange):
            return value
        return cls(value)

    @staticmethod
    def _bounds(args: Tuple[Any, ...], kwargs: Any) -> Tuple[int, int]:
        """Start and end, taken out of the arguments."""
        if len(args) > 2:
            raise TypeError("Too many arguments specified")
        if len(args) == 2:
            return Addr(args[0]), Addr(args[1])
        if len(args) == 1 and not {"end", "size"} & set(kwargs):
            first = args[0]
            if isinstance(first, AddrRange):
                return first.start, first.end
            if isinstance(first, (tuple, list)):
                return Addr(first[0]), Addr(first[1])
            return 0, Addr(first)
        start = Addr(args[0] if args else kwargs.pop("start", 0))
        if "end" in kwargs:
            return start, Addr(kwargs.pop("end"))
        if "size" in kwargs:
            return start, start + MemorySize(kwargs.pop("size"))
        raise TypeError("Either end or size must be specified")

    @staticmethod
    def _masks(masks: Optional[Iterable[int]], words: Any) -> List[int]:
        bits = words["intlvBits"]
        if masks is not None:
            given = [int(mask) for mask in masks]
            if bits and bits != len(given):
                raise ValueError("intlvBits differs from the number of masks")
        else:
            given = []
            for i in reversed(range(bits)):
                mask = 1 << (words["intlvHighBit"] - i)
                if words["xorHighBit"]:
                    mask |= 1 << (words["xorHighBit"] - i)
                given.append(mask)
            given.sort()
        if len(given) > MAX_MASKS:
            raise ValueError(f"at most {MAX_MASKS} interleaving bits")
        return given

    @property
    def intlvBits(self) -> int:
        """Number of interleaving bits."""
        return len(self.masks)

    def interleaved(self) -> bool:
        """Whether the range shares its addresses with others."""
        return bool(self.masks)

    def size(self) -> int:
        """Bytes that belong to the range."""
        return (self.end - self.start) >> len(self.masks)

    def contains(self, addr: int) -> bool:
        """Whether the address belongs to the range."""
        if not self.start <= addr < self.end:
            return False
        for i, mask in enumerate(self.masks):
            if bin(addr & mask).count("1") % 2 != (self.intlvMatch >> i) & 1:
                return False
        return True

    def mergesWith(self, other: "AddrRange") -> bool:
        """Whether both are parts of one interleaved range."""
        return (
            self.start == other.start
            and self.end == other.end
            and self.masks == other.masks
        )

    def exclude(self, others: Iterable["AddrRange"]) -> List["AddrRange"]:
        """What remains of this range without the others."""
        if self.masks:
            raise ValueError("cannot exclude from an interleaved range")
        left, rest = int(self.start), []
        for other in sorted(others, key=lambda item: item.start):
            if other.start > left and left < self.end:
                rest.append(AddrRange(left, min(other.start, self.end)))
            left = max(left, int(other.end))
        if left < self.end:
            rest.append(AddrRange(left, self.end))
        return rest

    def getValue(self) -> Tuple[int, int, int, Tuple[int, ...]]:
        """Start, end, match, masks."""
        return (
            int(self.start),
            int(self.end),
            self.intlvMatch,
            tuple(self.masks),
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AddrRange)
            and self.getValue() == other.getValue()
        )

    def __hash__(self) -> int:
        return hash(self.getValue())

    def __str__(self) -> str:
        fields = [int(self.start), int(self.end)]
        if self.masks:
            fields += [self.intlvMatch, *self.masks]
        return ":".join(str(field) for field in fields)

    def __repr__(self) -> str:
        text = f"AddrRange({self.start}, {self.end}"
        if self.masks:
            text += f", masks={self.masks}, intlvMatch={self.intlvMatch}"
        return text + ")"

    def json_value(self) -> str:
        return str(self)


AllMemory = AddrRange(0, MaxAddr)
