# SPDX-License-Identifier: BSD-3-Clause
"""The example scripts about gears, gem5's options of se.py, and forks."""

import os
import re
import subprocess

import pytest
from conftest import ROOT

from gearshift.gearbox import kvm_refusal

GEARS = ROOT / "build" / "guest" / "c" / "gears"
EXAMPLES = ROOT / "configs" / "example"
END = "exiting with last active thread context"

WHY = kvm_refusal()
FAST = [
    "atomic",
    pytest.param(
        "kvm", marks=pytest.mark.skipif(bool(WHY), reason=f"no KVM: {WHY}")
    ),
]


def native(*words):
    """Lines that the host prints."""
    if not GEARS.exists():
        pytest.skip(f"{GEARS} is not built (scons guest)")
    done = subprocess.run(
        [GEARS, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def run(runner, script, *words):
    """Lines that a script and its program print."""
    done = runner.run("-q", "--dot-config=", str(script), *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def threads(lines):
    """What the program printed."""
    return [line for line in lines if line.startswith("thread ")]


def stat(path, name):
    """A number of the first block of a file."""
    block = path.read_text().split("End Simulation")[0]
    return float(re.search(rf"^{name} +(\S+)", block, re.M)[1])


@pytest.mark.parametrize("cpu", FAST)
def test_fast_forward_measures_one_part(runner, cpu):
    lines = run(
        runner,
        EXAMPLES / "fast_forward.py",
        f"--cpu={cpu}",
        "--roi=round_done",
        "--insts=70000",
        *(str(GEARS), "2", "4"),
    )
    assert threads(lines) == native("2", "4")
    assert lines[0].startswith("reached round_done @ tick ")
    assert "measured: 70000 instructions" in lines
    stats = runner.path("m5out/stats.txt")
    assert stat(stats, "simInsts") == 70000
    assert stat(stats, "system.cpus_2.commitStats0.numInsts") == 70000
    assert stat(stats, "system.cpus_2.ipc") == 1


def test_fast_forward_tells_of_a_function_that_is_not_there(runner):
    done = runner.run(
        *("-q", str(EXAMPLES / "fast_forward.py"), "--cpu=atomic"),
        *("--roi=nowhere", str(GEARS), "1", "1"),
    )
    assert done.returncode == 1
    assert "the program has never come to nowhere" in done.stderr


@pytest.mark.parametrize("cpu", FAST)
def test_switch_gears_takes_samples(runner, cpu):
    lines = run(
        runner,
        EXAMPLES / "switch_gears.py",
        *(f"--cpu={cpu}", "--period=200us", "--insts=20000"),
        *(str(GEARS), "2", "9"),
    )
    assert threads(lines) == native("2", "9")
    samples = [x for x in lines if re.match(r" +\d+ +20000 +\d+%", x)]
    assert len(samples) >= 3


@pytest.mark.parametrize("cpu", FAST)
def test_run_until_names_each_stop(runner, cpu):
    lines = run(
        runner,
        EXAMPLES / "run_until.py",
        *(f"--cpu={cpu}", "--at=round_done*3", "--at=main"),
        *(str(GEARS), "2", "4"),
    )
    assert threads(lines) == native("2", "4")
    causes = [x.split(" @ ")[0] for x in lines if " @ tick " in x]
    assert causes == ["reached main", "reached round_done", END]
    assert lines[-2:] == [
        "  reached round_done: 3 times",
        "  reached main: 1 times",
    ]


def test_run_until_takes_ticks_and_instructions(runner):
    lines = run(
        runner,
        EXAMPLES / "run_until.py",
        *("--cpu=atomic", "--tick=3330000", "--insts=20000"),
        *(str(GEARS), "1", "1"),
    )
    assert lines[:2] == [
        "reached the tick @ tick 3330000",
        "reached the instruction @ tick 6660000",
    ]


@pytest.mark.parametrize("cpu", FAST)
def test_parallel_fork_gives_each_sample_a_directory(runner, cpu):
    # A fork makes KVM map the memory anew, which takes its time.
    period, rounds = ("300us", "6") if cpu == "atomic" else ("4ms", "40")
    lines = run(
        runner,
        EXAMPLES / "parallel_fork.py",
        *(f"--cpu={cpu}", f"--period={period}", "--insts=30000", "--jobs=2"),
        *(str(GEARS), "2", rounds),
    )
    assert threads(lines) == native("2", rounds)
    samples = int(re.search(r"(\d+) samples$", lines[-1])[1])
    assert samples >= 2
    # The last ones may meet the end.
    insts = [
        stat(
            runner.path(f"m5out.f{number}/stats.txt"),
            "system.cpus_2.commitStats0.numInsts",
        )
        for number in range(1, samples + 1)
    ]
    assert insts[0] == 30000 and all(0 < n <= 30000 for n in insts)


# ------------------------------------------------------------------- se.py


@pytest.mark.parametrize(
    "words, gears",
    [
        (["--gears=atomic until main; atomic"], ["atomic", "atomic"]),
        (["--fast-forward=5000"], ["atomic", "atomic"]),
        (["-F", "5000", "--cpu-type=X86AtomicSimpleCPU"], ["atomic"] * 2),
    ],
)
def test_se_script_follows_plans(runner, words, gears):
    lines = run(
        runner,
        ROOT / "configs" / "se.py",
        *("-c", str(GEARS), "-o", "1 2", *words),
    )
    assert threads(lines) == native("1", "2")
    rows = [x.split()[0] for x in lines if re.match(r"(atomic|kvm) ", x)]
    assert rows == gears
    assert lines[-1].endswith(END)


def test_se_script_takes_one_kind_of_plan(runner):
    done = runner.run(
        *("-q", str(ROOT / "configs" / "se.py"), "-c", "/bin/true"),
        *("-F", "5", "--repeat-switch=7"),
    )
    assert done.returncode == 1
    assert "give one of --gears, --fast-forward, --repeat-switch" in (
        done.stderr
    )


# ------------------------------------------------------------------- forks

FORK = """\
import os, sys
import m5
from m5.objects import *

m5.util.addToPath(sys.argv[1])
from se_machine import make_root

Before, After = (globals()[name] for name in sys.argv[2:4])
root = make_root(sys.argv[4:], Before, *{After} - {Before})
system = root.system
m5.instantiate()
system.workload.stop_at("libc:read", count=4)
print(m5.simulate().getCause(), flush=True)
pid = m5.fork()
if not pid and After is not Before:
    m5.switchCpus(system, [(system.cpu[0], system.cpus_2[0])], verbose=False)
if pid:
    assert os.waitpid(pid, 0)[1] == 0
event = m5.simulate()
who = "parent" if pid else "child"
print(who, event.getCause(), event.getCode(), m5.options.outdir, flush=True)
os._exit(0) if not pid else None
"""

ATOMIC, KVM = "X86AtomicSimpleCPU", "X86KvmCPU"


@pytest.mark.parametrize(
    "before, after",
    [
        (ATOMIC, ATOMIC),
        *(
            pytest.param(
                *pair,
                marks=pytest.mark.skipif(bool(WHY), reason=f"no KVM: {WHY}"),
            )
            for pair in [(KVM, KVM), (KVM, ATOMIC), (ATOMIC, KVM)]
        ),
    ],
)
def test_parent_and_child_read_a_file_to_its_end(runner, before, after):
    """Each has a position of its own in the file that the program reads."""
    source = runner.path("read.c")
    source.write_text(
        "#include <stdio.h>\n#include <unistd.h>\n#include <fcntl.h>\n"
        "int main(void) { char b[1000]; unsigned sum = 0; long n;\n"
        'int fd = open("input", O_RDONLY);\n'
        "while ((n = read(fd, b, sizeof(b))) > 0)\n"
        "    for (long i = 0; i < n; i++) sum = sum * 31 + b[i];\n"
        'printf("sum %u\\n", sum); return 0; }\n'
    )
    subprocess.run(
        ["gcc", "-O1", "read.c", "-o", "read"], cwd=runner.folder, check=True
    )
    runner.path("input").write_bytes(os.urandom(100_000))
    wanted = subprocess.run(
        ["./read"],
        cwd=runner.folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    done = runner.script(
        FORK, str(ROOT / "configs" / "lib"), before, after, "./read"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "reached libc:read",
        wanted,
        f"child {END} 0 m5out.f1",
        wanted,
        f"parent {END} 0 m5out",
    ]
