# SPDX-License-Identifier: BSD-3-Clause
"""Runs a script the way gem5 does: __name__ is "__m5_main__"."""

from __future__ import annotations

import code
import os
import pdb
import platform
import runpy
import shlex
import sys
import time
import types
from typing import Any, Dict, List

from gearshift import debug, doc, statsout
from gearshift.cli import options as cli_options
from gearshift.cli import report
from gearshift.errors import FatalError
from gearshift.version import __version__

MAIN = "__m5_main__"


def run(options: Any, script: List[str]) -> int:
    """Do what the options say, then run the script."""
    cli_options.apply(options)
    if _show_facts(options):
        return 0
    if not (script or options.cmd or options.mod or options.interactive):
        cli_options.make_parser().print_usage(sys.stderr)
        return 2
    scope: Dict[str, Any] = {}

    def work() -> None:
        _prepare(options)
        scope.update(_main_module().__dict__)
        _execute(options, script, scope)

    def post_mortem(error: BaseException) -> None:
        if options.pdb:
            pdb.post_mortem(error.__traceback__)

    status = report.guard(work, post_mortem)
    if options.interactive:
        _interact(scope)
    return status


def _interact(scope: Dict[str, Any]) -> None:
    """A prompt with the names of the script."""
    try:
        # pylint: disable-next=unused-import,import-outside-toplevel
        import readline  # noqa: F401  # it edits the line by being there
    except ImportError:
        pass
    code.interact("Gearshift interactive console", local=scope, exitmsg="")


def _show_facts(options: Any) -> bool:
    """Options that print something instead of running a script."""
    found = False
    for wanted, show in (
        (options.build_info, _print_build_info),
        (options.copyright, _print_file("LICENSE")),
        (options.readme, _print_file("README.md")),
        (options.stats_help, lambda: print(statsout.HELP, end="")),
        (options.debug_help, lambda: print(debug.help_text(), end="")),
        (options.list_sim_objects, lambda: print(doc.list_text(), end="")),
    ):
        if wanted:
            show()
            found = True
    return found


def _print_build_info() -> None:
    print(f"gearshift {__version__}")
    print(f"python {platform.python_version()}")
    print(f"package {os.path.dirname(os.path.dirname(__file__))}")


def _print_file(name: str) -> Any:
    """Prints a file of the source tree, wherever it is found above."""

    def show() -> None:
        folder = os.path.dirname(os.path.realpath(__file__))
        while folder != os.path.dirname(folder):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    print(file.read(), end="")
                return
            folder = os.path.dirname(folder)
        print(f"{name} is not installed; it is part of the source tree")

    return show


def _prepare(options: Any) -> None:
    """Output directory, redirection, banner, debug flags, path."""
    try:
        os.makedirs(options.outdir, exist_ok=True)
    except OSError as error:
        raise FatalError(
            f"cannot create the output directory '{options.outdir}': "
            f"{error.strerror}"
        ) from None
    _redirect(options)
    if not options.quiet:
        _print_banner()
    debug.apply_options(options)
    for entry in reversed(options.path):
        sys.path[0:0] = entry.split(":")


def _redirect(options: Any) -> None:
    """Files instead of the terminal, for C and Python alike."""
    if not (options.redirect_stdout or options.redirect_stderr):
        return
    out = os.path.join(options.outdir, options.stdout_file)
    err = os.path.join(options.outdir, options.stderr_file)
    if not options.silent_redirect:
        if options.redirect_stdout:
            both = "" if options.redirect_stderr else " and stderr"
            print(f"Redirecting stdout{both} to {out}")
        if options.redirect_stderr:
            print(f"Redirecting stderr to {err}")
    sys.stdout.flush()
    sys.stderr.flush()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    if options.redirect_stdout:
        file = os.open(out, flags, 0o644)
        os.dup2(file, 1)
        if not options.redirect_stderr:
            os.dup2(file, 2)
        os.close(file)
    if options.redirect_stderr:
        file = os.open(err, flags, 0o644)
        os.dup2(file, 2)
        os.close(file)


def _print_banner() -> None:
    now = time.strftime("%b %d %Y %H:%M:%S")
    words = " ".join(shlex.quote(word) for word in sys.argv)
    print("Gearshift: an x86-64 computer-architecture simulator\n")
    print(f"gearshift version {__version__}")
    print(f"gearshift started {now}")
    print(f"gearshift executing on {platform.node()}, pid {os.getpid()}")
    print(f"command line: {words}\n", flush=True)


def _main_module() -> types.ModuleType:
    module = types.ModuleType(MAIN)
    sys.modules[MAIN] = module
    return module


def _execute(options: Any, script: List[str], scope: Dict[str, Any]) -> None:
    if options.cmd:
        sys.argv = ["-c", *script]
        if not options.safe_path:
            sys.path.insert(0, "")
        _exec(options, compile(options.cmd, "<string>", "exec"), scope)
    elif options.mod:
        sys.argv = [options.mod, *script]
        if not options.safe_path:
            sys.path.insert(0, "")
        scope.update(
            runpy.run_module(options.mod, run_name=MAIN, alter_sys=True)
        )
    elif script:
        _execute_file(options, script, scope)


def _exec(options: Any, program: Any, scope: Dict[str, Any]) -> None:
    """Run compiled code, from its first line in the debugger if wanted."""
    if options.pdb:
        pdb.Pdb().run(program, scope)
    else:
        exec(program, scope)  # pylint: disable=exec-used


def _execute_file(
    options: Any, script: List[str], scope: Dict[str, Any]
) -> None:
    path = script[0]
    sys.argv = list(script)
    if not options.safe_path:
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        raise FatalError(
            f"cannot read the script '{path}': {error.strerror}"
        ) from None
    scope["__file__"] = path
    module = sys.modules[MAIN]
    module.__dict__.update(scope)
    _exec(options, compile(text, path, "exec"), module.__dict__)
    scope.update(module.__dict__)
