# SPDX-License-Identifier: BSD-3-Clause
"""What the check_*.py programs share: files, C text, and how they report."""
import re
import sys
from pathlib import Path
from typing import Callable, Iterator, List

ROOT = Path(__file__).resolve().parent.parent
C_SUFFIXES = {".c", ".h", ".cc", ".hh"}
SKIPPED_FOLDERS = {"build", "__pycache__", ".git", "m5out"}

Check = Callable[[Path], List[str]]


def files_below(top: Path, suffixes: set[str]) -> Iterator[Path]:
    """Files with one of the suffixes, sorted by path."""
    if not top.is_dir():
        return
    for path in sorted(top.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED_FOLDERS and not path.is_symlink():
                yield from files_below(path, suffixes)
        elif path.suffix in suffixes:
            yield path


TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/" r'|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])+'",
    re.S,
)


def blank(text: str, strings: bool = True) -> str:
    """C text whose comments (and strings) are spaces; lines stay in place."""

    def spaces(match: re.Match) -> str:
        token = match.group(0)
        if token[0] != "/":
            if not strings:
                return token
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(spaces, text)


def is_exempt(lines: List[str], index: int, what: str) -> bool:
    """Whether line `index` or the one before says NOLINT...(what): reason."""
    pattern = re.compile(r"NOLINT\w*\([^)]*" + re.escape(what) + r"\): *\w")
    return any(
        pattern.search(line) for line in lines[max(0, index - 1) : index + 1]
    )


def main(check: Check, name: str) -> int:
    """A check as a program: problems on stdout, one line of summary."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    problems = check(root)
    for problem in problems:
        print(problem)
    print(f"{name}: {len(problems)} problems")
    return 1 if problems else 0
