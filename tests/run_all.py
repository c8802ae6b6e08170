#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Run test suites and count: run_all.py [--variant=V] SUITE[:VARIANT]...

build     scons builds what the other suites need (counted as one test)
unit      build/VARIANT/unit_tests (GoogleTest)
threads   build/tsan/thread_tests: those that use threads, under the
          sanitizer of threads
pytest    tests/py
regress   tests/regress: scripts whose statistics are compared
diff      tests/diff: against the host's own execution
programs  tests/programs: Debian's programs against the same run natively
kvm       the same programs under KVM
fuzz      build/fuzz/*: each fuzz target for --fuzz-seconds
check     util/check.py: style, lint, layers, sizes

SUITE:VARIANT runs a suite in another variant: `build unit:debug pytest:cov`;
`unit`, `pytest`, `regress` and `programs` are meant for that.

A suite writes JUnit XML; a suite that crashes, hangs or writes nothing counts
as one failed test.  Each skipped test is listed with its reason.  The last
line is "N passed, N failed, N skipped"; the exit status tells whether any
failed.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"
JOBS = len(os.sched_getaffinity(0))


class Result(NamedTuple):
    """Outcome of one test: status is passed, failed or skipped."""

    suite: str
    name: str
    status: str
    why: str = ""


class Command(NamedTuple):
    """One process of a suite; writes JUnit XML to `xml` unless it is None."""

    argv: List[str]
    xml: Optional[Path]
    env: dict
    seconds: int


def parse_junit(suite: str, xml: Path) -> List[Result]:
    """Results in a JUnit file, as written by GoogleTest and pytest."""
    results = []
    for case in ET.parse(xml).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        status, why = "passed", ""
        skipped = case.find("skipped")
        failures = case.findall("failure") + case.findall("error")
        if failures:
            status = "failed"
            why = failures[0].get("message") or failures[0].text or ""
        elif skipped is not None:
            status = "skipped"
            why = skipped.get("message") or skipped.text or ""
        elif case.get("status") == "notrun":
            status, why = "skipped", "disabled in its source"
        results.append(Result(suite, name, status, " ".join(why.split())))
    return results


def variant_env(variant: str) -> dict:
    """Environment in which Python finds the package of a variant."""
    build = ROOT / "build" / variant
    env = dict(os.environ)
    paths = [build / "python", build / "python" / "compat"]
    env["PYTHONPATH"] = os.pathsep.join(str(path) for path in paths)
    env["GEARSHIFT"] = str(build / "gearshift")
    env["GEARSHIFT_VARIANT"] = variant
    env["GEARSHIFT_BUILD"] = str(ROOT / "build")
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return env


def preload(variant: str) -> dict:
    """What a plain Python needs to load a sanitized extension."""
    launcher = ROOT / "build" / variant / "gearshift"
    found = re.search(r'^PRELOAD = "(.*)"$', launcher.read_text(), re.M)
    if not found or not found.group(1):
        return {}
    return {"LD_PRELOAD": found.group(1), "ASAN_OPTIONS": "detect_leaks=0"}


def build_commands(variants: List[str], suites: List[str]) -> List[Command]:
    """Build everything that the suites of these variants need."""
    env = dict(os.environ)
    scons = ["scons", f"-j{JOBS}", "-Q"]
    argv = scons + variants + ["unit", "guest", "compile_commands.json"]
    if "diff" in suites or "pytest" in suites:  # which runs guest kernels
        argv.append("diff")
    argv += [suite for suite in ("fuzz", "threads") if suite in suites]
    return [Command(argv, None, env, 1800)]


def unit_commands(variant: str, tmp: Path) -> List[Command]:
    """The unit tests, in as many shares as there are processors."""
    commands = []
    for shard in range(JOBS):
        env = variant_env(variant)
        env["GTEST_TOTAL_SHARDS"] = str(JOBS)
        env["GTEST_SHARD_INDEX"] = str(shard)
        xml = tmp / f"unit-{variant}-{shard}.xml"
        program = str(ROOT / "build" / variant / "unit_tests")
        argv = [program, "--gtest_brief=1", f"--gtest_output=xml:{xml}"]
        commands.append(Command(argv, xml, env, 900))
    return commands


def thread_commands(tmp: Path) -> List[Command]:
    """The unit tests that use threads, in the variant tsan."""
    xml = tmp / "threads.xml"
    program = str(ROOT / "build" / "tsan" / "thread_tests")
    argv = [program, "--gtest_brief=1", f"--gtest_output=xml:{xml}"]
    return [Command(argv, xml, variant_env("tsan"), 900)]


def pytest_commands(variant: str, tmp: Path, folder: str) -> List[Command]:
    """pytest on one folder below tests/."""
    if not list((ROOT / "tests" / folder).glob("**/test_*.py")):
        return []
    xml = tmp / f"{folder}-{variant}.xml"
    argv = [
        PYTHON,
        "-m",
        "pytest",
        "-q",
        f"tests/{folder}",
        f"--junitxml={xml}",
        "-p",
        "no:cacheprovider",
    ]
    env = {**variant_env(variant), **preload(variant)}
    return [Command(argv, xml, env, 1200)]


def fuzz_commands(seconds: int) -> List[Command]:
    """Each fuzz target for some seconds, from its corpus if it has one."""
    commands = []
    for program in sorted((ROOT / "build" / "fuzz").glob("*_fuzz")):
        corpus = ROOT / "tests" / "fuzz" / (program.name + ".corpus")
        argv = [
            str(program),
            f"-max_total_time={seconds}",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-verbosity=0",
            "-print_final_stats=1",
            "-artifact_prefix=build/fuzz/",
        ]
        if corpus.is_dir():
            # libFuzzer adds what it finds to the first folder.
            found = ROOT / "build" / "fuzz" / (program.name + ".found")
            found.mkdir(exist_ok=True)
            argv += [str(found), str(corpus)]
        commands.append(
            Command(argv, None, dict(os.environ), 10 * seconds + 60)
        )
    return commands


def check_commands(tmp: Path) -> List[Command]:
    """The checks of style and structure."""
    xml = tmp / "check.xml"
    argv = [PYTHON, "util/check.py", f"--junit={xml}"]
    return [Command(argv, xml, dict(os.environ), 1800)]


def program_commands(variant: str, tmp: Path, cpu: str) -> List[Command]:
    """Programs natively and in the simulator."""
    xml = tmp / f"programs-{cpu}-{variant}.xml"
    argv = [PYTHON, "tests/programs/run.py", f"--cpu={cpu}", f"--junit={xml}"]
    return [Command(argv, xml, variant_env(variant), 1800)]


def commands_of(
    suite: str, variant: str, tmp: Path, options: argparse.Namespace
) -> List[Command]:
    """The processes of a suite."""
    table: dict[str, Callable[[], List[Command]]] = {
        "build": lambda: build_commands(
            options.variants, [suite for suite, _ in options.pairs]
        ),
        "unit": lambda: unit_commands(variant, tmp),
        "pytest": lambda: pytest_commands(variant, tmp, "py"),
        "regress": lambda: pytest_commands(variant, tmp, "regress"),
        "diff": lambda: pytest_commands(variant, tmp, "diff"),
        "threads": lambda: thread_commands(tmp),
        "fuzz": lambda: fuzz_commands(options.fuzz_seconds),
        "programs": lambda: program_commands(variant, tmp, "atomic"),
        "kvm": lambda: program_commands(variant, tmp, "kvm"),
        "check": lambda: check_commands(tmp),
    }
    if suite not in table:
        sys.exit(
            f"run_all.py: no suite '{suite}'; there are: " + " ".join(table)
        )
    return table[suite]()


def run_commands(label: str, commands: List[Command]) -> List[Result]:
    """Run the processes of a suite, as many at once as processors."""
    results: List[Result] = []
    waiting = list(commands)
    running: List[Tuple[Command, subprocess.Popen, float]] = []
    while waiting or running:
        while waiting and len(running) < JOBS:
            command = waiting.pop(0)
            print("+", " ".join(command.argv), flush=True)
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(
                command.argv,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                env=command.env,
            )
            running.append((command, process, time.monotonic()))
        time.sleep(0.05)
        for item in list(running):
            command, process, start = item
            if process.poll() is None:
                if time.monotonic() - start < command.seconds:
                    continue
                process.kill()
                process.wait()
                results.append(
                    Result(
                        label,
                        name_of(command),
                        "failed",
                        f"no end after {command.seconds} s",
                    )
                )
            else:
                results += results_of(label, command, process.returncode)
            running.remove(item)
    return results


def name_of(command: Command) -> str:
    """Short name of a process."""
    return os.path.basename(command.argv[0])


def results_of(label: str, command: Command, status: int) -> List[Result]:
    """Results of a process that ended; its status must agree with them."""
    results: List[Result] = []
    if command.xml is None:
        verdict = "failed" if status else "passed"
        return [
            Result(
                label,
                name_of(command),
                verdict,
                f"exit status {status}" if status else "",
            )
        ]
    try:
        results = parse_junit(label, command.xml)
    except (OSError, ET.ParseError):
        results.append(
            Result(
                label,
                name_of(command),
                "failed",
                f"wrote no results; exit status {status}",
            )
        )
    if status and not any(r.status == "failed" for r in results):
        results.append(
            Result(label, name_of(command), "failed", f"exit status {status}")
        )
    return results


def print_summary(results: List[Result]) -> int:
    """Failures, skips with reasons, the counts; returns the exit status."""
    for status in ("skipped", "failed"):
        for result in results:
            if result.status == status:
                print(
                    f"{status}: {result.suite}: {result.name}: "
                    f"{result.why[:300]}"
                )
    count = {
        status: sum(r.status == status for r in results)
        for status in ("passed", "failed", "skipped")
    }
    print(
        f"{count['passed']} passed, {count['failed']} failed, "
        f"{count['skipped']} skipped"
    )
    return 1 if count["failed"] or not count["passed"] else 0


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--variant", default="opt")
    parser.add_argument("--fuzz-seconds", type=int, default=30)
    parser.add_argument("suites", nargs="+", metavar="SUITE[:VARIANT]")
    options = parser.parse_args()
    pairs = [suite.partition(":") for suite in options.suites]
    options.pairs = [
        (suite, variant or options.variant) for suite, _, variant in pairs
    ]
    options.variants = list(
        dict.fromkeys(
            variant
            for suite, variant in options.pairs
            if suite not in ("fuzz", "threads")
        )
    )
    return options


def main() -> int:
    """Run what the command line names."""
    options = parse_arguments()
    results: List[Result] = []
    times = []
    with tempfile.TemporaryDirectory() as tmp:
        for suite, variant in options.pairs:
            label = f"{suite}:{variant}"
            start = time.monotonic()
            commands = commands_of(suite, variant, Path(tmp), options)
            if not commands:
                print(f"{label}: nothing to run", flush=True)
                continue
            found = run_commands(label, commands)
            results += found
            failed = sum(result.status == "failed" for result in found)
            times.append(
                f"{label}: {len(found)} tests, {failed} failed, "
                f"{time.monotonic() - start:.0f} s"
            )
            print(times[-1], flush=True)
            if suite == "build" and failed:
                break
    print("-" * 70, *times, sep="\n")
    return print_summary(results)


if __name__ == "__main__":
    sys.exit(main())
