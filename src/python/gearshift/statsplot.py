# SPDX-License-Identifier: BSD-3-Clause
"""Draws statistics with matplotlib: bars per file, or lines over dumps."""

from __future__ import annotations

from typing import Any, List

from gearshift.errors import FatalError
from gearshift.statsfile import load, load_all, select, split_name


def _pyplot() -> Any:
    try:
        # pylint: disable-next=import-outside-toplevel
        import matplotlib
    except ImportError:
        raise FatalError(
            "plotting needs matplotlib (Debian package python3-matplotlib)"
        ) from None
    matplotlib.use("Agg")
    # pylint: disable-next=import-outside-toplevel
    from matplotlib import pyplot

    return pyplot


def _bars(axes: Any, files: List[str], patterns: List[str]) -> None:
    """One group of bars per row, one bar per file."""
    dumps = [select(load(name), patterns) for name in files]
    names = list(dict.fromkeys(name for dump in dumps for name in dump))
    width = 0.8 / len(files)
    for index, (file, dump) in enumerate(zip(files, dumps)):
        places = [i + index * width for i in range(len(names))]
        heights = [dump[n].value if n in dump else 0.0 for n in names]
        axes.bar(places, heights, width, label=file)
    middle = 0.4 - width / 2
    axes.set_xticks([i + middle for i in range(len(names))])
    axes.set_xticklabels(names, rotation=30, ha="right")
    units = {dump[name].unit for dump in dumps for name in dump}
    if len(units) == 1:
        axes.set_ylabel(units.pop())


def _lines(axes: Any, files: List[str], patterns: List[str]) -> None:
    """One line per row and file, over simulated time or number of dump."""
    for file in files:
        dumps = load_all(split_name(file)[0])
        names = list(select(dumps[-1], patterns))
        times = [dump["finalTick"].value / 1e12 for dump in dumps]
        for name in names:
            values = [
                dump[name].value if name in dump else float("nan")
                for dump in dumps
            ]
            label = name if len(files) == 1 else f"{file}: {name}"
            axes.plot(times, values, marker=".", label=label)
    axes.set_xlabel("simulated time [s]")


def plot(
    files: List[str],
    patterns: List[str],
    output: str,
    *,
    over_time: bool = False,
    logarithmic: bool = False,
) -> None:
    """Draw the rows that match into a PNG, SVG or PDF file."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(9, 5))
    (_lines if over_time else _bars)(axes, files, patterns)
    if logarithmic:
        axes.set_yscale("log")
    axes.legend()
    axes.grid(axis="y", alpha=0.3)
    figure.tight_layout()
    try:
        figure.savefig(output)
    except (OSError, ValueError) as error:
        raise FatalError(f"cannot write '{output}': {error}") from None
    finally:
        pyplot.close(figure)
