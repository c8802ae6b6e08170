# SPDX-License-Identifier: BSD-3-Clause
"""Statistics as HDF5, in the layout of gem5's h5:// output.

A group per object, a dataset per statistic; the first dimension of a dataset
counts the dumps, the others are those of the statistic.  What a dump leaves
out (it was of some objects only) is NaN.  As in gem5, distributions are left
out, with a warning.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List

from gearshift import log
from gearshift.errors import FatalError, script_line


def _h5py() -> Any:
    """The module, or an error that tells how to get it."""
    try:
        import h5py  # type: ignore # pylint: disable=C0415
    except ImportError:
        raise FatalError(
            "statistics as h5:// need the Python module h5py: install the "
            "Debian package python3-h5py",
            script_line(),
        ) from None
    return h5py


class Hdf5File:
    """One output; opened for each dump, so that it is complete in between."""

    def __init__(self, chunking: int, desc: bool, formulas: bool) -> None:
        self._h5py = _h5py()
        self._chunking = chunking
        self._desc = desc
        self._formulas = formulas
        self._path = ""
        self._dumps = 0
        self._has_warned = False

    def open(self, path: str) -> None:
        """Begin an empty file."""
        self._path = path
        self._dumps = 0
        with self._h5py.File(path, "w"):
            pass

    def write(self, path: str, tree: Dict[str, Any]) -> None:
        """Add a dump of the object at @path and all below."""
        with self._h5py.File(self._path, "a") as file:
            top = file
            if path != "root":
                top = file.require_group(path.replace(".", "/"))
            self._write_group(top, tree)
        self._dumps += 1

    def _write_group(self, group: Any, tree: Dict[str, Any]) -> None:
        for name, row in tree["stats"].items():
            if row["kind"] == "distribution":
                self._warn_once()
            elif self._formulas or not row["is_formula"]:
                self._append(group, name, row)
        for name, below in tree["groups"].items():
            self._write_group(group.require_group(name), below)

    def _warn_once(self) -> None:
        if not self._has_warned:
            log.warn("h5:// statistics leave out distributions")
        self._has_warned = True

    def _append(self, group: Any, name: str, row: Dict[str, Any]) -> None:
        shape = self._shape(row)
        values = row["values"] if shape else row["value"]
        if shape and shape[-1] == 0:
            return
        dataset = group.get(name)
        if dataset is None:
            dataset = self._create(group, name, shape, row)
        dataset.resize(self._dumps + 1, axis=0)
        if len(shape) == 2:
            width = shape[1]
            starts = range(0, len(values), width)
            values = [values[start : start + width] for start in starts]
        dataset[self._dumps] = values

    @staticmethod
    def _shape(row: Dict[str, Any]) -> List[int]:
        """Dimensions besides the dumps."""
        if row["kind"] == "scalar":
            return []
        count = len(row["values"])
        if row["kind"] == "vector2d":
            columns = row["columns"]
            return [count // columns if columns else 0, columns]
        return [count]

    def _create(
        self, group: Any, name: str, shape: List[int], row: Dict[str, Any]
    ) -> Any:
        dataset = group.create_dataset(
            name,
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(self._chunking, *shape),
            dtype="f8",
            fillvalue=math.nan,
            compression="gzip",
            compression_opts=1,
        )
        if self._desc:
            for key, text in (
                ("description", row["desc"]),
                ("unit", row["unit"]),
            ):
                data = text.encode()
                kind = self._h5py.string_dtype("utf-8", len(data) + 1)
                dataset.attrs.create(key, [data], dtype=kind)
        if row["kind"] == "vector":
            kind = self._h5py.string_dtype()
            dataset.attrs.create("subnames", row["subnames"], dtype=kind)
        return dataset
