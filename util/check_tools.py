# SPDX-License-Identifier: BSD-3-Clause
"""
The checks that other programs make: compilers, clang-format, clang-tidy,
cppcheck, black, flake8, mypy.

Slow ones remember what passed, by a hash of the command, the file and all
project headers that it includes: build/check/TOOL.json.
"""
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from check_common import C_SUFFIXES, files_below

PYTHON = "/usr/bin/python3"
JOBS = len(os.sched_getaffinity(0))
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.M)
MAX_LINES = 40
PYTHON_TREES = ["site_scons", "util", "tests", "configs", "src/python"]


def run(root: Path, argv: List[str]) -> Tuple[int, str]:
    """Status and output of a program; a missing one names its package."""
    if not shutil.which(argv[0]):
        return 127, f"no program {argv[0]}: run util/install-deps.sh"
    done = subprocess.run(
        argv,
        cwd=root,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout


def problems_of(root: Path, argv: List[str]) -> List[str]:
    """Output of a program that fails, as problems."""
    status, output = run(root, argv)
    if status == 0:
        return []
    lines = [line for line in output.splitlines() if line.strip()]
    return lines or [f"{argv[0]}: exit status {status}"]


class Cache:
    """Which files passed a tool, in which state."""

    def __init__(self, root: Path, tool: str):
        self.root = root
        self.path = root / "build" / "check" / f"{tool}.json"
        self.texts: Dict[str, Tuple[str, List[str]]] = {}
        try:
            self.passed = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.passed = {}

    def read(self, name: str) -> Tuple[str, List[str]]:
        """Hash of a file, and the files that it includes."""
        if name not in self.texts:
            data = (self.root / name).read_bytes()
            found = INCLUDE.findall(data.decode())
            self.texts[name] = (
                hashlib.sha256(data).hexdigest(),
                [path for inc in found for path in self.places(name, inc)],
            )
        return self.texts[name]

    def places(self, name: str, included: str) -> List[str]:
        """The file that an #include in `name` names, if it is of ours."""
        for folder in ["src", "tests/unit", str(Path(name).parent)]:
            path = os.path.normpath(f"{folder}/{included}")
            if (self.root / path).is_file():
                return [path]
        return []

    def key(self, name: str, command: str) -> str:
        """Hash of all that the verdict on a file depends on."""
        seen: Dict[str, str] = {}
        todo = [name]
        while todo:
            path = todo.pop()
            if path not in seen:
                seen[path], includes = self.read(path)
                todo += includes
        text = command + "".join(f"{k} {seen[k]}\n" for k in sorted(seen))
        return hashlib.sha256(text.encode()).hexdigest()

    def save(self) -> None:
        """Write the file anew."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.passed, indent=0))


def compile_flags(root: Path) -> Dict[str, List[str]]:
    """File -> flags, from compile_commands.json; build that first."""
    flags: Dict[str, List[str]] = {}
    path = root / "compile_commands.json"
    for entry in json.loads(path.read_text()):
        words = shlex.split(entry["command"])
        while not words[0].startswith("-"):
            words.pop(0)
        output = words.index("-o")
        del words[output : output + 2]
        flags[entry["file"]] = [
            word for word in words if word not in ("-c", entry["file"])
        ]
    return flags


def not_listed(root: Path, flags: Dict[str, List[str]]) -> List[str]:
    """Sources that compile_commands.json does not know: it is old."""
    return [
        f"{name}: not in compile_commands.json; build first"
        for path in files_below(root / "src", {".c", ".cc"})
        if (name := path.relative_to(root).as_posix()) not in flags
    ]


def each_file(
    root: Path, tool: str, commands: Dict[str, List[str]], salt: str
) -> List[str]:
    """Run a command per file, unless the file passed before."""
    cache = Cache(root, tool)
    keys = {
        name: cache.key(name, " ".join(argv) + salt)
        for name, argv in commands.items()
    }
    todo = [name for name in commands if cache.passed.get(name) != keys[name]]
    problems: List[str] = []
    with ThreadPoolExecutor(JOBS) as pool:
        for name, found in zip(
            todo,
            pool.map(lambda name: problems_of(root, commands[name]), todo),
        ):
            problems += found[:MAX_LINES]
            if not found:
                cache.passed[name] = keys[name]
    cache.save()
    return problems


def check_gcc(root: Path) -> List[str]:
    """The build itself: gcc, warnings are errors."""
    scons = ["scons", "-Q", f"-j{JOBS}", "-s"]
    return problems_of(root, scons + ["opt", "unit", "compile_commands.json"])


def check_clang(root: Path) -> List[str]:
    """The same warnings, as clang sees them; syntax only.

    Of signs gcc has the better judgement: it sees that a promoted bit-field
    or uint8_t cannot be negative.
    """
    commands = {}
    files = compile_flags(root)
    for name, flags in files.items():
        compiler = "clang" if name.endswith(".c") else "clang++"
        quiet = "-Wno-sign-conversion"
        commands[name] = [compiler, "-fsyntax-only", *flags, quiet, name]
    return not_listed(root, files) + each_file(root, "clang", commands, "")


def check_clang_tidy(root: Path) -> List[str]:
    """clang-tidy with .clang-tidy, on src/."""
    commands = {}
    for name, flags in compile_flags(root).items():
        if name.startswith("src/"):
            flags = [flag for flag in flags if flag != "-Werror"]
            argv = ["clang-tidy", "--quiet", name, "--", *flags]
            commands[name] = argv
    settings = [root / ".clang-tidy", root / "src/python/.clang-tidy"]
    salt = "".join(p.read_text() for p in settings if p.exists())
    problems = each_file(root, "clang-tidy", commands, salt)
    verdict = re.compile(
        r"^(?:" + re.escape(str(root)) + r"/)?(\S+: (?:error|" r"warning): .*)"
    )
    found = [verdict.match(line) for line in problems]
    return list(dict.fromkeys(match.group(1) for match in found if match))


def check_clang_format(root: Path) -> List[str]:
    """Layout as in .clang-format."""
    names = [
        path.relative_to(root).as_posix()
        for folder in ("src", "tests")
        for path in files_below(root / folder, C_SUFFIXES)
    ]
    argv = ["clang-format", "--dry-run", "-Werror"]
    shares = [argv + names[start::JOBS] for start in range(JOBS)]
    with ThreadPoolExecutor(JOBS) as pool:
        found = pool.map(lambda argv: problems_of(root, argv), shares)
        output = [line for lines in found for line in lines]
    places = [line for line in output if "error:" in line]
    if output and not places:
        return output
    files = [line.partition(":")[0] for line in places]
    return [
        f"{line} ({files.count(file)} places)"
        for index, (line, file) in enumerate(zip(places, files))
        if file not in files[:index]
    ]


def check_cppcheck(root: Path) -> List[str]:
    """cppcheck with util/cppcheck.suppress."""
    work = root / "build" / "check" / "cppcheck"
    work.mkdir(parents=True, exist_ok=True)
    argv = """cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11
        --enable=warning,style,performance,portability --library=posix
        --suppressions-list=util/cppcheck.suppress -Isrc
        --template={file}:{line}:{id}:{message}""".split()
    return problems_of(
        root, argv + [f"--cppcheck-build-dir={work}", f"-j{JOBS}", "src"]
    )


def python_files(root: Path) -> List[str]:
    """All Python of the project."""
    names = ["SConstruct"]
    for folder in PYTHON_TREES:
        for path in files_below(root / folder, {".py"}):
            names.append(path.relative_to(root).as_posix())
    return names


def check_black(root: Path) -> List[str]:
    """Layout of Python."""
    argv = [PYTHON, "-m", "black", "--quiet", "--check"]
    status, _ = run(root, argv + python_files(root))
    if status == 0:
        return []
    argv.remove("--quiet")
    return [
        line
        for line in problems_of(root, argv + python_files(root))
        if line.startswith(("would", "error", "/usr"))
    ]


def check_flake8(root: Path) -> List[str]:
    """Lint of Python."""
    return problems_of(root, [PYTHON, "-m", "flake8", *python_files(root)])


MYPY_TREES = [
    ["util"],
    ["tests/run_all.py", "tests/run_bench.py"],
    ["src/python/gearshift"],
]


def check_mypy(root: Path) -> List[str]:
    """Types of Python."""
    problems: List[str] = []
    for tree in MYPY_TREES:
        present = [name for name in tree if (root / name).exists()]
        if present:
            argv = [PYTHON, "-m", "mypy", "--no-error-summary"]
            argv.append(f"--cache-dir={root}/build/check/mypy")
            problems += problems_of(root, argv + present)
    return problems


def version(root: Path, program: str) -> Optional[str]:
    """First line that a program says of its version."""
    status, output = run(root, [program, "--version"])
    return output.splitlines()[0] if status == 0 and output else None
