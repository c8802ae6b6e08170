#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Find trace rings in a core file, a live process or a raw dump.

    util/ring_scan.py core              an ELF core file
    util/ring_scan.py 1234              the process 1234, or /proc/1234/mem
    util/ring_scan.py dump.bin          bytes of any kind

A ring is found by its tags; src/sim/ring.h has the layout.  Only what the
tags enclose is believed: lengths that lead out of a ring end its records.
"""
import argparse
import re
import struct
import sys
from pathlib import Path
from typing import BinaryIO, Iterator, List, NamedTuple, Tuple

HEAD_TAG = struct.pack("<Q", 0x9E3A71C5D204B86F)
TAIL_TAG = struct.pack("<Q", 0x6F8B402D5C17A3E9)
HEADER = struct.Struct("<8sQQQQQQII")
RECORD = struct.Struct("<QII")
NO_ID = 0xFFFFFFFFFFFFFFFF
MAX_SIZE = 1 << 24
PT_LOAD = 1


class Record(NamedTuple):
    """What an object said, and when."""

    tick: int
    text: str


class Ring(NamedTuple):
    """A ring as it was found."""

    address: int
    id: int
    dropped: int
    lost: int
    records: List[Record]

    @property
    def owner(self) -> str:
        """The vCPU by its halves, or "object" for anything else."""
        if self.id == NO_ID:
            return "object"
        return f"vCPU {self.id >> 32}.{self.id & 0xFFFFFFFF}"


def records_of(data: bytes, first: int, end: int) -> Iterator[Record]:
    """Records between two positions; they wrap in DATA."""

    def take(position: int, count: int) -> bytes:
        start = position % len(data)
        return (data[start:] + data)[:count]

    while first + RECORD.size <= end:
        tick, length, _ = RECORD.unpack(take(first, RECORD.size))
        first += RECORD.size
        if not length or first + length > end:
            return
        text = take(first, length - 1).decode("utf-8", "replace")
        yield Record(tick, text)
        first += length


def rings_in(data: bytes, base: int = 0) -> Iterator[Ring]:
    """Rings that lie wholly in DATA, which starts at address BASE."""
    at = data.find(HEAD_TAG)
    while at >= 0:
        header = data[at : at + HEADER.size]
        if len(header) == HEADER.size:
            _, ring, size, first, end, dropped, lost, _, _ = HEADER.unpack(
                header
            )
            start = at + HEADER.size
            body = data[start : start + size] if size < MAX_SIZE else b""
            tail = data[start + size : start + size + 8]
            if tail == TAIL_TAG and first <= end <= first + size:
                found = list(records_of(body, first, end))
                yield Ring(base + at, ring, dropped, lost, found)
        at = data.find(HEAD_TAG, at + 1)


def live_segments(pid: int) -> Iterator[Tuple[int, bytes]]:
    """Readable and writable private memory of a process."""
    line = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw.p .* (\d+) *(.*)")
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for text in maps.splitlines():
            match = line.match(text)
            # Files are not rings; guest RAM is large and holds none.
            if not match or match[3] != "0":
                continue
            start, end = int(match[1], 16), int(match[2], 16)
            if end - start > 1 << 30:
                continue
            try:
                memory.seek(start)
                yield start, memory.read(end - start)
            except OSError:  # it went away, or may not be read
                continue


def core_segments(core: BinaryIO) -> Iterator[Tuple[int, bytes]]:
    """PT_LOAD segments of an ELF core file of this kind of machine."""
    core.seek(32)
    (phoff,) = struct.unpack("<Q", core.read(8))
    core.seek(54)
    phentsize, phnum = struct.unpack("<HH", core.read(4))
    for i in range(phnum):
        core.seek(phoff + i * phentsize)
        kind, _, offset, address, _, size = struct.unpack(
            "<IIQQQQ", core.read(40)
        )
        if kind == PT_LOAD and size:
            core.seek(offset)
            yield address, core.read(size)


def segments(source: str) -> Iterator[Tuple[int, bytes]]:
    """Pieces of memory of whatever SOURCE is."""
    match = re.fullmatch(r"(?:/proc/)?(\d+)(?:/mem)?", source)
    if match:
        yield from live_segments(int(match[1]))
        return
    with open(source, "rb") as file:
        is_core = file.read(18)[:4] == b"\x7fELF"
        file.seek(16)
        if is_core and file.read(2) == b"\x04\x00":
            yield from core_segments(file)
            return
        file.seek(0)
        yield 0, file.read()


def scan_rings(source: str) -> List[Ring]:
    """All rings of a core file, a process or a raw dump, by address."""
    found: List[Ring] = []
    for base, data in segments(source):
        found += rings_in(data, base)
    return sorted(found)


def main() -> int:
    """Print what is found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("source", help="core file, pid, or dump")
    options = parser.parse_args()
    try:
        rings = scan_rings(options.source)
    except OSError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    for ring in rings:
        print(
            f"{ring.owner} at {ring.address:#x}: {len(ring.records)} records, "
            f"{ring.dropped} older ones dropped, {ring.lost} lost"
        )
        for record in ring.records:
            print(f"{record.tick:>16}: {record.text}")
    if not rings:
        print(f"{parser.prog}: no rings in {options.source}", file=sys.stderr)
    return 0 if rings else 1


if __name__ == "__main__":
    sys.exit(main())
