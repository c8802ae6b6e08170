#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Words that may not stand where they stand.

Memory comes from base/alloc.c, the process ends in base/log.c, host time and
randomness are read in few places, so that a run can be repeated; nothing is
disabled instead of deleted; every file says its licence.  An exemption is a
NOLINT(words): reason on the line or the line before.
"""
import re
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Pattern, Set

from check_common import C_SUFFIXES, blank, files_below, is_exempt, main


class Rule(NamedTuple):
    """Words that only the files in `allowed` (or folders) may use."""

    pattern: Pattern[str]
    why: str
    allowed: Set[str]


def call(names: str) -> Pattern[str]:
    """A call of one of the functions; not a member of that name."""
    return re.compile(r"(?<![\w.>])(?:" + names + r")\s*\(")


# Looked for in src/, outside comments and strings.
CODE_RULES = [
    Rule(
        call(
            "malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf"
            "|vasprintf|aligned_alloc|posix_memalign"
        ),
        "memory comes from base/alloc.h",
        {"src/base/alloc.c"},
    ),
    Rule(
        call("exit|_exit|_Exit|abort|quick_exit"),
        "only base/log.c ends the process; see sim/report.h",
        {"src/base/log.c"},
    ),
    Rule(
        re.compile(
            r"(?<![\w.>])(?:(?:v?printf|puts|putchar|perror)\s*\("
            r"|v?fprintf\s*\(\s*stderr|fput[sc]\s*\([^;]*stderr)"
        ),
        "messages go through sim/report.h",
        {"src/base/log.c", "src/sim/report.c"},
    ),
    Rule(
        call(
            "time|gettimeofday|clock|clock_gettime|timespec_get|__rdtsc"
            "|_rdtsc|__builtin_ia32_rdtsc"
        ),
        "host time makes runs differ; ask base/host_clock.h",
        {"src/base/host_clock.c"},
    ),
    Rule(
        call("rand|srand|random|srandom|drand48|rand_r|getrandom|arc4random"),
        "random numbers come from the seeded generator",
        set(),
    ),
    Rule(
        re.compile(r"^[ \t]*#[ \t]*if[ \t]+0\b", re.M),
        "delete; do not disable",
        set(),
    ),
]

# Looked for in every text of the project.
TEXT_RULES = [
    Rule(
        re.compile(r"\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))"),
        "name the issue, as in TO" "DO(#12), or do it",
        {"util/check_words.py"},
    ),
    Rule(
        re.compile(r"(?<![\w.$\-)}])/(?:work|root/\.)(?:/|\w)"),
        "a path of one machine",
        {"util/check_words.py"},
    ),
]

TEXT_SUFFIXES = C_SUFFIXES | {".py", ".sh", ".md", ".def", ".S", ".asm"}
LICENSED_SUFFIXES = TEXT_SUFFIXES - {".md"}
LICENSE_LINE = "SPDX-License-Identifier: BSD-3-Clause"
TOP_FOLDERS = ["src", "tests", "util", "configs", "docs", "site_scons"]


def apply(rules: List[Rule], name: str, text: str, raw: str) -> List[str]:
    """Problems that the rules find in a text."""
    problems = []
    lines = raw.splitlines()
    for rule in rules:
        if name in rule.allowed:
            continue
        for match in rule.pattern.finditer(text):
            index = text.count("\n", 0, match.start())
            if not is_exempt(lines, index, "words"):
                word = match.group(0).strip(" \n\t(")
                problems.append(f"{name}:{index + 1}: {word}: {rule.why}")
    return problems


def check_license(name: str, text: str) -> List[str]:
    """The licence stands in one of the first three lines."""
    if LICENSE_LINE in "\n".join(text.splitlines()[:3]) or not text.strip():
        return []
    return [f"{name}:1: no line '{LICENSE_LINE}'"]


def check(root: Path) -> List[str]:
    """All problems below root."""
    problems: List[str] = []
    texts: Dict[str, str] = {}
    for folder in TOP_FOLDERS:
        for path in files_below(root / folder, TEXT_SUFFIXES):
            texts[path.relative_to(root).as_posix()] = path.read_text()
    for path in sorted(root.glob("*.md")):
        texts[path.name] = path.read_text()
    for name, text in texts.items():
        suffix = Path(name).suffix
        if name.startswith("src/") and suffix in C_SUFFIXES:
            problems += apply(CODE_RULES, name, blank(text), text)
        problems += apply(TEXT_RULES, name, text, text)
        if suffix in LICENSED_SUFFIXES:
            problems += check_license(name, text)
    return problems


if __name__ == "__main__":
    sys.exit(main(check, "words"))
