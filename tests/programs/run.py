#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Run programs natively and under gearshift and compare: run.py [PATTERN...]

Both runs start in a fresh directory of the same path and contents.  Standard
output, standard error, exit status and every file written must be equal.  The
programs are the rows of programs.py and the lines of the file `list`.  The
last line is
"N passed, N failed, N skipped"; the exit status tells whether any failed.
"""
import argparse
import fnmatch
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

from programs import ROWS, Row

ROOT = Path(__file__).resolve().parent.parent.parent
GUEST = ROOT / "build" / "guest" / "c"
SECONDS = 300


class Outcome(NamedTuple):
    """What a program did."""

    status: int
    stdout: bytes
    stderr: bytes
    files: Dict[str, Tuple[int, Any]]


class Verdict(NamedTuple):
    """Result of one row."""

    row: Row
    status: str
    why: str
    native: float
    guest: float


def is_installed(package: str) -> bool:
    """Whether dpkg knows the package as installed."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
        capture_output=True,
        check=False,
    )
    return done.stdout.startswith(b"installed")


def environment(folder: Path) -> Dict[str, str]:
    """The whole environment of both runs."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": "86400",
        "GIT_CONFIG_NOSYSTEM": "1",
        "CCACHE_DISABLE": "1",
    }


def fill(folder: Path, row: Row) -> None:
    """Make the directory that a run starts in."""
    (folder / "tmp").mkdir(parents=True)
    for name, data in row.files.items():
        (folder / name).write_bytes(data)


def tree(folder: Path) -> Dict[str, Tuple[int, Any]]:
    """Type, mode and contents of everything below a folder."""
    found: Dict[str, Tuple[int, Any]] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        mode = path.lstat().st_mode
        if path.is_symlink():
            found[name] = (mode, os.readlink(path))
        elif path.is_file():
            found[name] = (mode, path.read_bytes())
        else:
            found[name] = (mode, None)
    return found


def run(argv: List[str], folder: Path, row: Row) -> Tuple[Outcome, float]:
    """Run in a fresh folder; the folder is gone afterwards."""
    fill(folder, row)
    start = time.monotonic()
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            input=row.stdin,
            env=environment(folder),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        outcome = Outcome(
            done.returncode, done.stdout, done.stderr, tree(folder)
        )
    except subprocess.TimeoutExpired:
        outcome = Outcome(-1, b"", b"no end after %d s" % SECONDS, {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome, time.monotonic() - start


def without_reports(data: bytes) -> bytes:
    """The guest's errors without what gearshift tells about a crash."""
    lines = data.splitlines(keepends=True)
    return b"".join(x for x in lines if not x.startswith(b"warn: system."))


def as_shell_status(status: int) -> int:
    """A signal that ended a process as a shell reports it."""
    return 128 - status if status < 0 else status


def excerpt(data: Any) -> str:
    """Something short to print."""
    if isinstance(data, bytes):
        text = data.decode("utf-8", "backslashreplace")
        return text if len(text) < 600 else text[:300] + " ... " + text[-300:]
    return repr(data)


def first_difference(kind: str, native: bytes, guest: bytes) -> List[str]:
    """The first line that differs."""
    if native == guest:
        return []
    mine, theirs = guest.split(b"\n"), native.split(b"\n")
    at = next(
        (i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b),
        min(len(mine), len(theirs)),
    )
    return [
        f"{kind} differs from line {at + 1}:\n"
        f"  native: {excerpt(b' / '.join(theirs[at:at + 3]))}\n"
        f"  guest:  {excerpt(b' / '.join(mine[at:at + 3]))}"
    ]


def differences(row: Row, native: Outcome, guest: Outcome) -> List[str]:
    """All that differs between two runs."""
    keep = row.filter or (lambda data: data)
    found = []
    if as_shell_status(native.status) != guest.status:
        found.append(f"status: native {native.status}, guest {guest.status}")
    for kind in ("stdout", "stderr"):
        found += first_difference(
            kind, keep(getattr(native, kind)), keep(getattr(guest, kind))
        )
    for name in sorted(native.files.keys() | guest.files.keys()):
        mine, theirs = guest.files.get(name), native.files.get(name)
        if mine is None or theirs is None:
            found.append(f"file {name}: only {'guest' if mine else 'native'}")
        elif mine[0] != theirs[0]:
            found.append(f"mode of {name}: {theirs[0]:o}, guest {mine[0]:o}")
        elif isinstance(mine[1], bytes):
            found += first_difference(
                f"file {name}", keep(theirs[1]), keep(mine[1])
            )
        elif mine[1] != theirs[1]:
            found.append(f"link {name}: {theirs[1]}, guest {mine[1]}")
    return found


def kvm_refusal(gearshift: str) -> str:
    """Why programs cannot run under KVM here; empty if they can."""
    done = subprocess.run(
        [gearshift, "se", "--cpu=kvm", "/bin/true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.splitlines()[0]


def check_row(row: Row, gearshift: str, cpu: str) -> Verdict:
    """Run one row both ways."""
    if not is_installed(row.package):
        why = f"package {row.package} is not installed"
        return Verdict(row, "skipped", why, 0, 0)
    argv = shlex.split(row.command.replace("{guest}", str(GUEST)))
    found = shutil.which(argv[0], path=environment(ROOT)["PATH"])
    if found is None:
        return Verdict(row, "failed", f"no program {argv[0]}", 0, 0)
    se = [gearshift, "se", f"--cpu={cpu}", f"--cpus={row.cpus}", found]
    with tempfile.TemporaryDirectory(prefix="programs-") as top:
        folder = Path(top) / "cwd"
        native, seconds = run([found] + argv[1:], folder, row)
        guest, longer = run(se + argv[1:], folder, row)
    guest = guest._replace(stderr=without_reports(guest.stderr))
    found_differences = differences(row, native, guest)
    if found_differences:
        if guest.stderr:
            found_differences.append("stderr: " + excerpt(guest.stderr))
        why = "\n".join(found_differences)
        return Verdict(row, "failed", why, seconds, longer)
    return Verdict(row, "passed", "", seconds, longer)


def print_verdict(verdict: Verdict) -> None:
    """One line, more for a failure."""
    print(
        f"{verdict.status:8}{verdict.row.name:22}"
        f"native {verdict.native:6.2f} s  guest {verdict.guest:6.2f} s",
        flush=True,
    )
    if verdict.why:
        print("    " + verdict.why.replace("\n", "\n    "), flush=True)


def write_junit(path: str, verdicts: List[Verdict]) -> None:
    """JUnit XML for tests/run_all.py."""
    suite = ET.Element("testsuite", name="programs")
    for verdict in verdicts:
        case = ET.SubElement(
            suite,
            "testcase",
            classname="programs",
            name=verdict.row.name,
            time=f"{verdict.guest:.2f}",
        )
        if verdict.status == "failed":
            why = "".join(
                c for c in verdict.why if c.isprintable() or c == "\n"
            )
            ET.SubElement(case, "failure", message=why)
        elif verdict.status == "skipped":
            ET.SubElement(case, "skipped", message=verdict.why)
    ET.ElementTree(suite).write(path)


def chosen(row: Row, options: argparse.Namespace) -> bool:
    """Whether the command line asks for a row."""
    if options.patterns:
        return any(fnmatch.fnmatch(row.name, p) for p in options.patterns)
    return options.long or not row.slow


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--gearshift", default=os.environ.get("GEARSHIFT"))
    add("--cpu", default="atomic", help="CPU model of the guest")
    add("--junit", metavar="FILE")
    add("--long", action="store_true", help="slow programs, too")
    add("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    add("--packages", action="store_true", help="print the packages needed")
    add("patterns", nargs="*", metavar="PATTERN")
    return parser.parse_args()


def main() -> int:
    """Run the rows that were asked for."""
    options = parse_arguments()
    if options.packages:
        print("\n".join(sorted({row.package for row in ROWS})))
        return 0
    gearshift = options.gearshift or str(ROOT / "build/opt/gearshift")
    rows = [row for row in ROWS if chosen(row, options)]
    verdicts = []
    why = kvm_refusal(gearshift) if options.cpu == "kvm" else ""
    if why:
        verdicts = [Verdict(row, "skipped", why, 0, 0) for row in rows]
        rows = []
        print(f"skipped: {why}")
    with ThreadPoolExecutor(options.jobs) as pool:
        for verdict in pool.map(
            lambda row: check_row(row, gearshift, options.cpu), rows
        ):
            verdicts.append(verdict)
            print_verdict(verdict)
    if options.junit:
        write_junit(options.junit, verdicts)
    count = {
        status: sum(v.status == status for v in verdicts)
        for status in ("passed", "failed", "skipped")
    }
    print(
        f"{count['passed']} passed, {count['failed']} failed, "
        f"{count['skipped']} skipped"
    )
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
