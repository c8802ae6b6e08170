# SPDX-License-Identifier: BSD-3-Clause
"""Options of the command: gem5's names with gem5's meanings.

And one that the commands and scripts below it share.
"""

from __future__ import annotations

import argparse
import optparse
from typing import Any, List, Tuple

from gearshift import log
from gearshift.cli import commands
from gearshift.settings import settings
from gearshift.version import __version__

USAGE = """%prog [gearshift options] script.py [script options]
       %prog COMMAND [options]

commands:
"""


def add_param_option(parser: argparse.ArgumentParser) -> None:
    """-P PATH=VALUE into "param", for Root.apply_config()."""
    parser.add_argument(
        "-P",
        "--param",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="set a parameter below root, such as "
        "'system.cpu[:].coreInsts=0'",
    )


class _Formatter(optparse.IndentedHelpFormatter):
    """Keeps the line breaks of the usage."""

    def format_usage(self, usage: str) -> str:
        return f"usage: {usage}\n"


def _add_general(parser: optparse.OptionParser) -> None:
    add = parser.add_option
    add("-B", "--build-info", action="store_true", help="Show build facts")
    add("-C", "--copyright", action="store_true", help="Show the licence")
    add("-R", "--readme", action="store_true", help="Show the readme")
    add(
        "-d",
        "--outdir",
        metavar="DIR",
        default=settings.outdir,
        help="Set the output directory to DIR [%default]",
    )
    add(
        "-r",
        "--redirect-stdout",
        action="store_true",
        help="Redirect stdout (and stderr, without -e) to a file",
    )
    add(
        "-e",
        "--redirect-stderr",
        action="store_true",
        help="Redirect stderr to a file",
    )
    add(
        "--silent-redirect",
        action="store_true",
        help="Do not say that output is redirected",
    )
    for name in ("stdout", "stderr"):
        add(
            f"--{name}-file",
            metavar="FILE",
            default=f"sim{name[3:]}.txt",
            help=f"File for -{'r' if name == 'stdout' else 'e'} [%default]",
        )
    add("-q", "--quiet", action="count", default=0, help="Reduce verbosity")
    add("-v", "--verbose", action="count", default=0, help="More verbosity")
    add("--no-progress", action="store_true", help="No live progress line")
    add("-s", action="store_true", help="Ignored, for compatibility")


def _take_rest(option: Any, _word: str, value: str, parser: Any) -> None:
    """As in Python, all that follows -c or -m belongs to the script."""
    setattr(parser.values, option.dest, value)
    parser.largs += parser.rargs
    del parser.rargs[:]


def _add_python(parser: optparse.OptionParser) -> None:
    group = optparse.OptionGroup(parser, "Python")
    add = group.add_option
    add(
        "-i",
        "--interactive",
        action="store_true",
        help="A Python prompt after the script",
    )
    add(
        "--pdb",
        action="store_true",
        help="Run the script in Python's debugger",
    )
    add(
        "-p",
        "--path",
        metavar="PATH[:PATH]",
        action="append",
        default=[],
        help="Prepend PATH to Python's path",
    )
    for option, dest, what in (
        ("-m", "mod", "a module"),
        ("-c", "cmd", "CMD"),
    ):
        add(
            option,
            dest=dest,
            metavar=dest.upper(),
            type="string",
            action="callback",
            callback=_take_rest,
            help=f"Run {what} as the script; ends the options",
        )
    add(
        "-P",
        dest="safe_path",
        action="store_true",
        help="Do not put the script's directory on Python's path",
    )
    parser.add_option_group(group)


def _add_outputs(parser: optparse.OptionParser) -> None:
    group = optparse.OptionGroup(parser, "Statistics and configuration")
    add = group.add_option
    add(
        "--stats-file",
        metavar="FILE",
        action="append",
        default=[],
        help="Statistics output, repeatable [stats.txt, json://stats.json]",
    )
    add("--stats-help", action="store_true", help="Show the output formats")
    for option, default, what in (
        ("dump-config", settings.dump_config, "the configuration"),
        ("json-config", settings.json_config, "the configuration as JSON"),
        ("dot-config", settings.dot_config, "the diagram"),
        ("dot-dvfs-config", "", "the clock and voltage domains"),
    ):
        add(
            f"--{option}",
            metavar="FILE",
            default=default,
            help=f"File for {what}; empty for none [%default]",
        )
    parser.add_option_group(group)


def _add_debug(parser: optparse.OptionParser) -> None:
    group = optparse.OptionGroup(parser, "Debugging")
    add = group.add_option
    add(
        "--debug-break",
        metavar="TICK[,TICK]",
        action="append",
        default=[],
        help="Raise SIGTRAP at these ticks",
    )
    add("--debug-help", action="store_true", help="List the debug flags")
    add(
        "--debug-flags",
        metavar="FLAG[,FLAG]",
        action="append",
        default=[],
        help="Switch flags on (-FLAG: off)",
    )
    add(
        "--debug-start",
        metavar="TICK",
        type="int",
        help="Begin debug output at TICK",
    )
    add(
        "--debug-end",
        metavar="TICK",
        type="int",
        help="End debug output at TICK",
    )
    add(
        "--debug-file",
        metavar="FILE",
        default="cout",
        help="File for debug output; *.gz is compressed [%default]",
    )
    for word in ("activate", "ignore"):
        add(
            f"--debug-{word}",
            metavar="EXPR[,EXPR]",
            action="append",
            default=[],
            help=f"{word.capitalize()} objects and all below them: paths, "
            "'*' for any name",
        )
    add(
        "--remote-gdb-port",
        metavar="PORT",
        type="int",
        help=f"First port of debugger stubs [{settings.remote_gdb_port}]",
    )
    add(
        "--listener-mode",
        type="choice",
        choices=["on", "off", "auto"],
        default="auto",
        help="Port listeners: on, off, auto [%default]",
    )
    add(
        "--allow-remote-connections",
        action="store_true",
        help="Let listeners accept connections from other hosts",
    )
    add(
        "--list-sim-objects",
        action="store_true",
        help="List all SimObjects, their parameters and ports",
    )
    parser.add_option_group(group)


def make_parser() -> optparse.OptionParser:
    """The parser of everything before the script."""
    lines = [
        f"  {name:10} {help_text}" for name, help_text in commands.summaries()
    ]
    parser = optparse.OptionParser(
        prog="gearshift",
        usage=USAGE + "\n".join(lines),
        version=f"gearshift {__version__}",
        formatter=_Formatter(),
    )
    parser.disable_interspersed_args()
    _add_general(parser)
    _add_python(parser)
    _add_outputs(parser)
    _add_debug(parser)
    return parser


def parse(words: List[str]) -> Tuple[Any, List[str]]:
    """Options, and the script with its arguments."""
    options, rest = make_parser().parse_args(words)
    return options, rest


def apply(options: Any) -> None:
    """Copy what simulations need to the settings."""
    settings.outdir = options.outdir
    settings.quiet = bool(options.quiet)
    settings.verbose = options.verbose
    settings.interactive = bool(options.interactive)
    settings.pdb = bool(options.pdb)
    settings.progress = not options.no_progress
    if options.stats_file:
        settings.stats_file = options.stats_file
    settings.dump_config = options.dump_config
    settings.json_config = options.json_config
    settings.dot_config = options.dot_config
    settings.dot_dvfs_config = options.dot_dvfs_config
    settings.listener_mode = options.listener_mode
    settings.listeners_disabled = options.listener_mode == "off"
    settings.allow_remote_connections = bool(options.allow_remote_connections)
    if options.remote_gdb_port is not None:
        settings.remote_gdb_port = options.remote_gdb_port
        if options.remote_gdb_port:
            log.warn("--remote-gdb-port: there are no debugger stubs yet")
