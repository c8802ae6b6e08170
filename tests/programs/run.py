#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare programs in the simulator with the same programs on the host.

    tests/programs/run.py [--gearshift PATH] [-j N] [NAME...]

Each line of tests/programs/list runs twice in an empty directory: natively and
under `gearshift se`.  Output, errors, exit status and the files left behind
must be equal.  A command whose program is not installed is skipped and
counted.
"""
import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List, NamedTuple, Optional, Tuple

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TIMEOUT = 120

COMPILE = {
    "threads": ["gcc", "-O2", "threads.c", "-pthread"],
    "signals": ["gcc", "-O1", "signals.c"],
    "mmaps": ["gcc", "-O1", "mmaps.c"],
    "openmp": ["gcc", "-O2", "-fopenmp", "openmp.c"],
    "exceptions": ["g++", "-O1", "exceptions.cc", "-pthread"],
    "static64": ["gcc", "-O1", "-static", "basics.c", "-lm"],
    "static32": ["gcc", "-O1", "-m32", "-static", "basics.c", "-lm"],
}

# A program that shows that the package is there.
PROGRAMS = {
    "coreutils": "sort",
    "dash": "dash",
    "binutils": "ld",
    "busybox-static": "busybox",
    "lua5.4": "lua5.4",
    "p7zip-full": "7z",
    "gzip": "gzip",
    "bzip2": "bzip2",
    "xz-utils": "xz",
    "zstd": "zstd",
    "tar": "tar",
    "gcc": "gcc",
    "g++": "g++",
    "make": "make",
    "git": "git",
    "nasm": "nasm",
    "openssl": "openssl",
    "findutils": "xargs",
    "diffutils": "diff",
    "sqlite3": "sqlite3",
}


class Case(NamedTuple):
    """One line of the list."""

    name: str
    package: str
    words: List[str]


class Result(NamedTuple):
    """What a run did."""

    status: int
    out: bytes
    err: bytes
    files: Dict[str, str]


def read_list(path: str, testdir: str) -> List[Case]:
    """All lines."""
    cases = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            name, package, command = line.rstrip("\n").split(" | ", 2)
            command = command.replace("$TESTDIR", testdir)
            if command.startswith("sh: "):
                words = ["/bin/sh", "-c", command[4:]]
            else:
                words = shlex.split(command)
            cases.append(Case(name, package, words))
    return cases


def compile_all(testdir: str) -> None:
    """The programs that come as source."""
    for name, command in COMPILE.items():
        done = subprocess.run(
            command + ["-o", os.path.join(testdir, name)],
            cwd=os.path.join(HERE, "src"),
            check=False,
            capture_output=True,
        )
        if done.returncode:
            print(f"cannot compile {name}: {done.stderr.decode()}")


def files_below(folder: str) -> Dict[str, str]:
    """Names and digests of what was left behind."""
    found = {}
    for top, _, names in os.walk(folder):
        if "/.git" in top:
            continue
        for name in names:
            path = os.path.join(top, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[key] = "-> " + os.readlink(path)
            else:
                with open(path, "rb") as file:
                    found[key] = hashlib.sha256(file.read()).hexdigest()
    return found


def run_in(folder: str, words: List[str]) -> Optional[Result]:
    """Run in @folder; None if it takes too long."""
    env = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    status = done.returncode
    if status < 0:
        status = 128 - status
    return Result(
        status, done.stdout, without_reports(done.stderr), files_below(folder)
    )


def without_reports(err: bytes) -> bytes:
    """Errors of the program, without the simulator's report of a crash."""
    lines = err.splitlines(keepends=True)
    return b"".join(
        line for line in lines if not line.startswith(b"warn: system.")
    )


def run_case(case: Case, gearshift: str) -> Tuple[str, str]:
    """ "passed", "FAILED" or "skipped", and why."""
    program = case.words[0]
    if case.words[:2] == ["/bin/sh", "-c"]:
        first = case.words[2].split("| ")[-1].split()[0]
        program = PROGRAMS.get(case.package, first)
        if not shutil.which(program):
            return "skipped", f"{case.package} is not installed"
    elif not os.path.exists(program):
        return "skipped", f"{program} ({case.package}) is not installed"
    with tempfile.TemporaryDirectory(prefix="program-") as top:
        # The same name for both, as it may show in the output.
        folder = os.path.join(top, "work")
        os.mkdir(folder)
        native = run_in(folder, case.words)
        shutil.rmtree(folder)
        os.mkdir(folder)
        simulated = run_in(folder, [gearshift, "se"] + case.words)
    if native is None:
        return "skipped", "takes too long on the host"
    if simulated is None:
        return "FAILED", f"takes longer than {TIMEOUT} s"
    for what in Result._fields:
        wanted, got = getattr(native, what), getattr(simulated, what)
        if wanted != got:
            return "FAILED", f"{what}: {got!r:.300}, natively {wanted!r:.300}"
    return "passed", ""


def main() -> int:
    """Run the cases that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--gearshift", default=os.path.join(TOP, "build/opt/gearshift")
    )
    parser.add_argument("-j", type=int, default=2, metavar="N")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    counts = {"passed": 0, "FAILED": 0, "skipped": 0}
    with tempfile.TemporaryDirectory(prefix="programs-") as testdir:
        compile_all(testdir)
        cases = read_list(os.path.join(HERE, "list"), testdir)
        if options.names:
            cases = [case for case in cases if case.name in options.names]
        with ThreadPoolExecutor(options.j) as pool:
            results = pool.map(
                lambda case: run_case(case, options.gearshift), cases
            )
            for case, (verdict, why) in zip(cases, results):
                counts[verdict] += 1
                if verdict != "passed" or options.names:
                    print(f"{verdict} {case.name} {why}", flush=True)
    print(
        f"{counts['passed']} passed, {counts['FAILED']} failed, "
        f"{counts['skipped']} skipped"
    )
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
