# SPDX-License-Identifier: BSD-3-Clause
"""gearshift doc: reference of the classes, from the core's tables."""

from __future__ import annotations

import argparse
import os
from typing import List

from gearshift import doc, stubs
from gearshift.errors import PACKAGE_DIR, FatalError, nearest
from gearshift.params.desc import object_classes

HELP = "show or write the reference of the classes"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gearshift doc",
        description="Parameters, ports and statistics of the classes.",
    )
    parser.add_argument("classes", nargs="*", metavar="CLASS")
    parser.add_argument(
        "--html", metavar="DIR", help="write the reference as HTML pages"
    )
    parser.add_argument(
        "--stubs",
        metavar="DIR",
        nargs="?",
        const=os.path.dirname(PACKAGE_DIR),
        help="write .pyi stubs for editors and type checkers, below DIR or "
        "beside the modules of the package",
    )
    return parser


def main(argv: List[str]) -> int:
    """The command."""
    options = _parser().parse_args(argv)
    if options.html:
        print(f"wrote {doc.write_html(options.html)}")
    if options.stubs:
        for path in stubs.write(options.stubs):
            print(f"wrote {path}")
    if options.classes:
        for name in options.classes:
            if name not in object_classes:
                raise FatalError(
                    f"there is no class '{name}'"
                    + nearest(name, object_classes)
                )
            print(doc.class_text(object_classes[name]), end="")
    elif not options.html and not options.stubs:
        print(doc.index_text(), end="")
    return os.EX_OK
