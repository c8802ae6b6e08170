# SPDX-License-Identifier: BSD-3-Clause
"""gearshift stats: show, compare and plot statistics files.

Files are stats.txt or stats.json; FILE@N chooses the N-th dump (0 is the
first, -1, the default, the last).
"""

from __future__ import annotations

import argparse
from typing import List

from gearshift import statsdiff, statsfile, statsplot

HELP = "show, compare or plot statistics files"


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE[@DUMP]")
    parser.add_argument(
        "patterns",
        nargs="*",
        metavar="PATTERN",
        help="names to show, with * and ?",
    )
    parser.set_defaults(run=_show)


def _add_diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD[@DUMP]")
    parser.add_argument("new", metavar="NEW[@DUMP]")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="PERCENT",
        help="relative difference that is equal [0]",
    )
    parser.add_argument(
        "--row",
        action="append",
        default=[],
        metavar="PATTERN=PERCENT",
        help="tolerance of some rows; the last that matches counts",
    )
    parser.add_argument(
        "--ignore",
        action="append",
        default=["host*"],
        metavar="PATTERN",
        help="rows to leave out, besides host*",
    )
    parser.set_defaults(run=_diff)


def _add_plot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE[@DUMP]")
    parser.add_argument(
        "-s",
        "--stat",
        action="append",
        required=True,
        metavar="PATTERN",
        help="rows to plot, repeatable",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="stats.png",
        metavar="FILE",
        help="*.png, *.svg or *.pdf [stats.png]",
    )
    parser.add_argument(
        "--over-time",
        action="store_true",
        help="all dumps of each file, as lines",
    )
    parser.add_argument("--log", action="store_true", help="logarithmic axis")
    parser.set_defaults(run=_plot)


def _show(options: argparse.Namespace) -> int:
    dump = statsfile.load(options.file)
    rows = statsfile.select(dump, options.patterns)
    print(statsfile.table(rows), end="")
    return 0


def _diff(options: argparse.Namespace) -> int:
    rules = statsdiff.Rules(options.tolerance, options.row, options.ignore)
    differences = statsdiff.compare(
        statsfile.load(options.old), statsfile.load(options.new), rules
    )
    print(statsdiff.report(differences), end="")
    return 1 if differences else 0


def _plot(options: argparse.Namespace) -> int:
    statsplot.plot(
        options.files,
        options.stat,
        options.output,
        over_time=options.over_time,
        logarithmic=options.log,
    )
    print(f"wrote {options.output}")
    return 0


def main(argv: List[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="gearshift stats",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_show(actions.add_parser("show", help="print rows as a table"))
    _add_diff(actions.add_parser("diff", help="compare two dumps"))
    _add_plot(actions.add_parser("plot", help="draw rows with matplotlib"))
    options = parser.parse_args(argv)
    return int(options.run(options))
