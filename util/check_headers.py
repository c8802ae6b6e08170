#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Every header of src/ compiles alone, as C17 and as C++17, with the project's
warnings; its guard is its path in capitals.  In C++ it may use what -Wpedantic
and -Wshadow refuse: flexible array members, functions named as a struct.
Headers of src/python may be C++ only: *.hh, and those that include pybind11 or
the standard library of C++, or open a namespace.
"""
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import List

from check_common import ROOT, files_below, main

sys.path.insert(0, str(ROOT / "site_scons"))
import dependencies  # noqa: E402
import variants  # noqa: E402


def guard_problem(name: str, text: str) -> List[str]:
    """The guard of src/mem/cache/mshr.h is MEM_CACHE_MSHR_H."""
    below = name.removeprefix("src/")
    guard = re.sub(r"\W", "_", below).upper()
    if re.search(rf"^#ifndef {guard}\n#define {guard}$", text, re.M):
        return []
    return [f"{name}: its guard is not {guard}"]


CXX_ONLY = re.compile(
    r"^#include <(?:pybind11/\w+\.h|[a-z_]+)>|^namespace\b", re.M
)


def is_cxx_only(name: str, text: str) -> bool:
    """Whether the header need not be C."""
    is_binding = name.startswith("src/python/")
    return name.endswith(".hh") or is_binding and bool(CXX_ONLY.search(text))


def compile_alone(root: Path, name: str, language: str) -> List[str]:
    """Problems of the header as the only thing in a source file."""
    is_c = language == "c"
    flags = variants.C_FLAGS if is_c else variants.CXX_FLAGS
    includes = ["-Isrc"] if is_c else ["-Isrc", "-Wno-pedantic", "-Wno-shadow"]
    if name.startswith("src/python/") and not is_c:
        includes += ["-I" + path for path in dependencies.python_flags()[0]]
    argv = ["gcc" if is_c else "g++", "-fsyntax-only", "-x", language, "-"]
    argv += flags + variants.COMMON + includes
    run = subprocess.run(
        argv,
        cwd=root,
        text=True,
        check=False,
        capture_output=True,
        # Twice: the guard works.
        input=f'#include "{name.removeprefix("src/")}"\n' * 2
        + "extern int not_empty;\n",
    )
    if run.returncode == 0:
        return []
    where = f"{name}: not alone as {'C17' if is_c else 'C++17'}"
    return [where] + ["    " + line for line in run.stderr.splitlines()[:6]]


def check(root: Path) -> List[str]:
    """All problems below root/src."""
    problems: List[str] = []
    jobs = []
    for path in files_below(root / "src", {".h", ".hh"}):
        name = path.relative_to(root).as_posix()
        text = path.read_text()
        problems += guard_problem(name, text)
        jobs.append((name, "c++"))
        if not is_cxx_only(name, text):
            jobs.append((name, "c"))
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda job: compile_alone(root, *job), jobs):
            problems += found
    return problems


if __name__ == "__main__":
    sys.exit(main(check, "headers"))
