# SPDX-License-Identifier: BSD-3-Clause
"""Where statistics go: text and JSON files, named by gem5's URLs.

    text://stats.txt?desc=False&spaces=False      json://stats.json
    stats.txt                                     the same as text://stats.txt
    h5://stats.h5?chunking=10&desc=True&formulas=True

A text file holds one dump after the other, a JSON file a list of dumps, an
HDF5 file a dataset per statistic (statshdf5.py).
"""

from __future__ import annotations

import atexit
from typing import Any, Callable, Dict, List, Tuple
from urllib.parse import parse_qs, urlsplit

from gearshift import _core, convert
from gearshift.errors import FatalError, script_line
from gearshift.settings import settings
from gearshift.statshdf5 import Hdf5File

_TEXT_OPTIONS = {
    "desc": _core.STAT_TEXT_DESC,
    "spaces": _core.STAT_TEXT_SPACES,
    "formulas": _core.STAT_TEXT_FORMULAS,
}
Adder = Callable[[Any], None]


def _text_output(path: str, words: Dict[str, Any]) -> Adder:
    bits = sum(
        bit for word, bit in _TEXT_OPTIONS.items() if words.get(word, True)
    )
    return lambda core: core.stats_add_text(path, bits)


def _json_output(path: str, _words: Dict[str, Any]) -> Adder:
    return lambda core: core.stats_add_json(path)


def _hdf5_output(path: str, words: Dict[str, Any]) -> Adder:
    file = Hdf5File(
        words.get("chunking", 10),
        words.get("desc", True),
        words.get("formulas", True),
    )
    return lambda core: core.stats_add_file(path, file)


def _positive(text: str) -> int:
    number = convert.toInteger(text)
    if number < 1:
        raise ValueError(f"'{text}' is not a positive number")
    return number


_TEXT_WORDS = {word: convert.toBool for word in _TEXT_OPTIONS}
_HDF5_WORDS = {
    "chunking": _positive,
    "desc": convert.toBool,
    "formulas": convert.toBool,
}
# scheme: (what adds the output to the core, known options)
_SCHEMES: Dict[str, Tuple[Callable[..., Adder], Dict[str, Any]]] = {
    "": (_text_output, _TEXT_WORDS),
    "text": (_text_output, _TEXT_WORDS),
    "json": (_json_output, {}),
    "h5": (_hdf5_output, _HDF5_WORDS),
}
HELP = """\
Statistics are written to the files named by --stats-file, which may be given
several times.  A file is a plain name or a URL:

    text://FILE[?OPTION=BOOL&...]  gem5's text, one dump after the other
        desc      descriptions and units (default: True)
        spaces    align the columns (default: True)
        formulas  also what is computed from other rows (default: True)
    json://FILE                    a list of dumps
    h5://FILE[?OPTION=VALUE&...]   HDF5, a dataset per statistic (needs
                                   python3-h5py)
        chunking  dumps per chunk of the file (default: 10)
        desc      descriptions and units (default: True)
        formulas  also what is computed from other rows (default: True)

The default is stats.txt and json://stats.json.
"""


def parse_url(url: str) -> Tuple[str, Adder]:
    """Path of an output, and what adds it to the core."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES if scheme)
        raise FatalError(
            f"unknown statistics output '{url}'; there are: {known}",
            script_line(),
        )
    make, known_words = _SCHEMES[parts.scheme]
    words = {}
    for key, values in parse_qs(parts.query).items():
        if key not in known_words:
            raise FatalError(
                f"unknown option '{key}' in '{url}'; there are: "
                + (", ".join(known_words) or "none"),
                script_line(),
            )
        try:
            words[key] = known_words[key](values[-1])
        except ValueError as error:
            raise FatalError(
                f"option '{key}' in '{url}': {error}", script_line()
            ) from None
    path = parts.netloc + parts.path
    return path, make(path, words)


class StatsOutputs:
    """All outputs of one simulation."""

    def __init__(self, simulation: Any) -> None:
        self._simulation = simulation
        self._wanted: Dict[str, Adder] = {}
        self._is_open = False
        self._exit_registered = False
        self.global_roots: List[Any] = []
        for url in settings.stats_file:
            self.add(url)

    def add(self, url: str) -> None:
        """Another output; of one file there is one output."""
        path, adder = parse_url(url)
        is_new = path not in self._wanted
        self._wanted[path] = adder
        if self._is_open and is_new:
            adder(self._simulation.core)

    def open(self) -> None:
        """Create the files; the output directory exists by now."""
        self._is_open = True
        for adder in self._wanted.values():
            adder(self._simulation.core)

    def dump(self, roots: Any = None) -> None:
        """Write the current values; once per tick, as in gem5."""
        if not self._is_open:
            return
        core = self._simulation.core
        chosen = list(roots or self.global_roots)
        if not chosen:
            core.stats_dump()
        for obj in chosen:
            core.stats_dump(obj.getCCObject())

    def reset(self) -> None:
        """Start counting afresh."""
        if self._simulation.is_instantiated:
            self._simulation.core.stats_reset()

    def periodic(self, period: int) -> None:
        """Dump and reset every @period ticks from now on; 0: no more."""
        if period < 0:
            raise FatalError(
                f"the period of statistics is {period} ticks; it must not be "
                "negative",
                script_line(),
            )
        self._simulation.core.stats_periodic(period)

    def dump_at_exit(self) -> None:
        """The last values are written when Python ends."""
        if not self._exit_registered:
            self._exit_registered = True
            atexit.register(self.close)

    def close(self) -> None:
        """A last dump; all files are complete afterwards."""
        if self._is_open:
            self.dump()
            self._simulation.core.stats_flush()

    def reopen(self) -> None:
        """In the child of a fork: fresh files in the new directory."""
        if self._is_open:
            self._simulation.core.stats_reopen()
