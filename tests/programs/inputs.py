# SPDX-License-Identifier: BSD-3-Clause
"""Input files of the programs; the same bytes in every run."""

import json
import random
from pathlib import Path

_WORDS = (
    "simulate cache core memory page table branch fetch decode commit bus "
    "port tick event queue packet request response snoop line set way tag"
).split()


def _make_text(lines: int) -> bytes:
    rng = random.Random(1)
    rows = (
        " ".join(rng.choices(_WORDS, k=rng.randint(3, 9)))
        + f" {rng.randint(0, 999)}\n"
        for _ in range(lines)
    )
    return "".join(rows).encode()


def _make_csv(lines: int) -> bytes:
    rng = random.Random(2)
    rows = (
        f"{i},{rng.choice(_WORDS)},{rng.random():.6f},{rng.randint(-99, 99)}\n"
        for i in range(lines)
    )
    return "".join(rows).encode()


def _make_json(items: int) -> bytes:
    rng = random.Random(3)
    return json.dumps(
        [
            {"id": i, "name": rng.choice(_WORDS), "value": rng.random()}
            for i in range(items)
        ]
    ).encode()


TEXT = _make_text(600)
BINARY = random.Random(4).randbytes(32768) + bytes(4096)
NUMBERS = b"".join(
    b"%d\n" % random.Random(5 + i).randint(-(10**9), 10**9)
    for i in range(1500)
)
CSV = _make_csv(200)
JSON = _make_json(200)
SOURCES = {
    path.name: path.read_bytes()
    for path in sorted((Path(__file__).parent / "sources").iterdir())
}
