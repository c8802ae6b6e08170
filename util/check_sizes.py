#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Size budgets: functions, parameters, files, lines.

    function  at most 80 lines, 95 of 100 at most 40 (src/ only)
    parameters at most 6; none of type bool in a header of src/
    file      at most 800 lines, a header of src/ 400
    line      at most 80 columns; in tables 120: those in *.def, and those
              between clang-format off and on

A dispatch switch or a table may be longer.  It says so, with the reason, on
the line before:  NOLINTNEXTLINE(readability-function-size): the reason
(bool-parameter for a value that is a bool) or, in the first lines of a file:
NOLINT(file-size): the reason
"""
import re
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple

from check_common import C_SUFFIXES, blank, files_below, is_exempt, main

MAX_FUNCTION = 80
MAX_FUNCTION_P95 = 40
MAX_PARAMETERS = 6
MAX_FILE = 800
MAX_HEADER = 400
MAX_COLUMNS = 80
MAX_TABLE_COLUMNS = 120
FILE_COMMENT_LINES = 40


class Function(NamedTuple):
    """A function definition; lines count from 0."""

    name: str
    first: int
    last: int
    parameters: int


def count_parameters(signature: str) -> int:
    """Parameters of a function, given its text up to the body."""
    start = signature.find("(")
    depth = 0
    count = 0
    inner = ""
    for char in signature[start:]:
        if char == "," and depth == 1:
            count += 1
        depth += {"(": 1, ")": -1}.get(char, 0)
        inner += char
        if depth == 0:
            break
    return 0 if inner.strip("() \n") in ("", "void") else count + 1


def functions(text: str) -> Iterator[Function]:
    """Functions of formatted C text: the body's brace stands in column 1."""
    lines = blank(text).splitlines()
    start = None
    for index, line in enumerate(lines):
        if line.rstrip() == "{":
            start = index
        elif line.startswith("}") and start is not None:
            first = start
            while first > 0 and re.match(r"[^\s#}].*|\s+\S", lines[first - 1]):
                if re.search(r"[;}]\s*$", lines[first - 1]):
                    break
                first -= 1
            signature = "\n".join(lines[first:start])
            name = re.search(r"(\w+)\s*\(", signature)
            if name:
                yield Function(
                    name.group(1), first, index, count_parameters(signature)
                )
            start = None


def check_functions(name: str, text: str, lengths: List[int]) -> List[str]:
    """Problems with the functions of a file; their lengths are collected."""
    problems = []
    lines = text.splitlines()
    for function in functions(text):
        length = function.last - function.first + 1
        lengths.append(length)
        if is_exempt(lines, function.first, "function-size"):
            continue
        where = f"{name}:{function.first + 1}: {function.name}"
        if length > MAX_FUNCTION:
            problems.append(f"{where}: {length} lines, limit {MAX_FUNCTION}")
        if function.parameters > MAX_PARAMETERS:
            problems.append(
                f"{where}: {function.parameters} parameters, "
                f"limit {MAX_PARAMETERS}"
            )
    return problems


BOOL_PARAMETER = re.compile(r"^[\w *]+?(\w+)\([^;{(]*\bbool \w+[,)]", re.M)


def check_bool_parameters(name: str, text: str) -> List[str]:
    """A call f(x, true) says nothing: headers declare an enum or flags."""
    problems = []
    lines = text.splitlines()
    text = blank(text)
    for match in BOOL_PARAMETER.finditer(text):
        index = text.count("\n", 0, match.start())
        if not is_exempt(lines, index, "bool-parameter"):
            problems.append(
                f"{name}:{index + 1}: {match.group(1)}: "
                "parameter of type bool; use an enum"
            )
    return problems


def columns_allowed(name: str, lines: List[str]) -> Iterator[int]:
    """The limit of each line."""
    is_def = name.endswith(".def")
    is_table = is_def
    for line in lines:
        if "clang-format o" in line:
            is_table = is_def or "clang-format off" in line
        yield MAX_TABLE_COLUMNS if is_table else MAX_COLUMNS


def check_lines(name: str, text: str, limit: int) -> List[str]:
    """Problems with the length of a file and of its lines."""
    lines = text.splitlines()
    problems = [
        f"{name}:{index + 1}: {len(line)} columns, limit {columns}"
        for index, (line, columns) in enumerate(
            zip(lines, columns_allowed(name, lines))
        )
        if len(line) > columns
        and "guest-flags:" not in line
        and not is_exempt(lines, index, "line-length")
    ]
    head = "\n".join(lines[:FILE_COMMENT_LINES])
    if len(lines) > limit and not re.search(r"NOLINT\(file-size\): *\w", head):
        problems.append(f"{name}: {len(lines)} lines, limit {limit}")
    return problems


def check(root: Path) -> List[str]:
    """All problems below root."""
    problems: List[str] = []
    lengths: List[int] = []
    for path in files_below(root / "src", C_SUFFIXES | {".def"}):
        name = path.relative_to(root).as_posix()
        text = path.read_text()
        is_header = path.suffix in {".h", ".hh"}
        limit = MAX_HEADER if is_header else MAX_FILE
        if path.suffix != ".def":
            problems += check_functions(name, text, lengths)
            problems += check_lines(name, text, limit)
        else:
            problems += check_lines(name, text, 10**6)
        if path.suffix == ".h":
            problems += check_bool_parameters(name, text)
    # Of lines of Python flake8 judges.
    for path in files_below(root / "tests", C_SUFFIXES):
        name = path.relative_to(root).as_posix()
        problems += check_lines(name, path.read_text(), MAX_FILE)
        problems += check_functions(name, path.read_text(), [])
    lengths.sort()
    if lengths and lengths[len(lengths) * 95 // 100] > MAX_FUNCTION_P95:
        problems.append(
            f"src: 5 % of the functions are longer than "
            f"{lengths[len(lengths) * 95 // 100] - 1} lines, "
            f"limit {MAX_FUNCTION_P95}"
        )
    return problems


if __name__ == "__main__":
    sys.exit(main(check, "sizes"))
