# SPDX-License-Identifier: BSD-3-Clause
"""Changes between KVM and the functional CPU: a thousand in all, at random
times, in programs that use all register files, threads and signals; stops
under KVM; plans."""

import json
import re

import pytest
import test_stops
from test_gears import GEARS, table
from test_gears import native as native_gears
from test_stops import END, SCRIPT, address
from test_switch import guest, native, run

from gearshift.gearbox import kvm_refusal

WHY = kvm_refusal()
pytestmark = pytest.mark.skipif(bool(WHY), reason=f"no KVM: {WHY}")

programs = test_stops.compile_program  # a fixture

# Program, CPUs, length of the functional stretches, changes at least.
PROGRAMS = [
    ("gears 1 12", 1, 15000, 200),
    ("gears 4 12", 1, 15000, 250),
    ("gears 4 12", 2, 40000, 150),
    ("gears 6 8", 4, 40000, 150),
    ("threads", 1, 20000, 60),
    ("threads", 4, 20000, 60),
    ("signals", 1, 1500, 50),
    ("basics", 1, 1500, 40),
    ("exceptions", 1, 8000, 40),
    ("mmaps", 1, 8000, 30),
    ("rseq", 2, 20000, 40),
    ("contend", 4, 20000, 20),
    ("openmp", 4, 10000, 20),
]


@pytest.mark.parametrize("name, count, step, least", PROGRAMS)
def test_changes_lose_nothing(runner, name, count, step, least):
    command = guest(name)
    wanted = native(command, runner.folder)
    total = seed = 0
    while total < least:
        out, changes, _ = run(runner, count, seed, step, command, "X86KvmCPU")
        assert out == wanted, f"seed {seed}"
        total += changes
        seed += 1


def test_the_programs_make_a_thousand_changes():
    assert sum(row[3] for row in PROGRAMS) >= 1000


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_time_stamp_counter_never_goes_back(runner, cpus):
    """Whoever executes RDTSC, and over changes of gear."""
    plan = "repeat 20 (kvm 3ms; atomic 200K insts); kvm"
    done = runner.run("se", f"--cpus={cpus}", "--gears", plan, guest("tsc"))
    lines, status = native(guest("tsc"), runner.folder)
    assert done.stdout.splitlines() == lines, done.stderr
    assert done.returncode == status


# -------------------------------------------------------------------- stops

KVM_SCRIPT = SCRIPT.replace(
    "[X86AtomicSimpleCPU(cpu_id=i) for i in range(2)]",
    "[X86KvmCPU(cpu_id=i) for i in range(2)]\nsystem.kvm_vm = KvmVM()",
)


def stop(runner, program, calls, *words):
    """Lines of a script that stops under KVM."""
    done = runner.script(KVM_SCRIPT + calls, str(program), *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", ["pie", "fixed", "static"])
def test_a_function_is_met_once_each_time(runner, programs, kind):
    calls = (
        "workload.stop_at('main')\n"
        "step = workload.stop_at('step', count=7)\n"
        "go(2)\nprint(step.hits, step.is_over)\ngo()\n"
    )
    assert stop(runner, programs / kind, calls) == [
        "reached main 0",
        "reached step 0",
        "7 True",
        "total 55",
        END,
    ]


def test_an_instruction_that_jumps_to_itself_counts_each_time(
    runner, programs
):
    loop = address(programs / "static", "spin_loop")
    calls = (
        f"a = workload.stop_at({loop:#x}, count=3, cause='third')\n"
        "go()\nprint(a.hits)\ngo()\n"
    )
    assert stop(runner, programs / "static", calls) == [
        "third 0",
        "3",
        "total 55",
        END,
    ]


def test_a_stop_is_met_in_whichever_gear(runner, programs):
    calls = (
        "workload.stop_at('main')\n"
        "s = workload.stop_at('step', count=9)\n"
        "go()\nold, new = system.cpu[0], system.other\n"
        "for i in range(8):\n"
        "    t = workload.stop_at('step')\n"
        "    go()\n"
        "    m5.switchCpus(system, [(old, new)], verbose=False)\n"
        "    old, new = new, old\n"
        "    print(t.hits, s.hits)\n"
        "go(2)\n"
    ).replace("system.cpu[0], system.other", "system.cpu[0], system.other")
    lines = stop(runner, programs / "pie", calls)
    wanted = ["reached main 0"]
    for i in range(8):
        wanted += ["reached step 0", f"1 {i + 1}"]
    assert lines == wanted + ["reached step 0", "total 55", END]


@pytest.mark.parametrize(
    "what, hits", [("threads", "3"), ("fork", "2"), ("dlopen", "0")]
)
def test_threads_children_and_libraries(runner, programs, what, hits):
    calls = (
        "s = workload.stop_at('step', count=99)\n"
        "c = workload.stop_at('libm:cbrt', count=99)\n"
        "go()\nprint(s.hits, c.hits)\n"
    )
    *_, last = stop(runner, programs / "pie", calls, what)
    assert last == f"{hits} {int(what == 'dlopen')}"


def test_the_program_never_sees_a_stop_in_its_file(runner, programs):
    """INT3 is on a page of the process: a child's and the file's are as they
    were."""
    before = (programs / "pie").read_bytes()
    calls = "workload.stop_at('step', count=99)\ngo()\n"
    assert stop(runner, programs / "pie", calls)[-1] == END
    assert (programs / "pie").read_bytes() == before


def test_instructions_cannot_be_a_limit(runner, programs):
    """Unless the host has a counter; known when it was asked."""
    calls = "system.cpu[0].usePerf = False\n"
    later = "system.cpu[0].scheduleInstStop(0, 5, 'x')\ngo()\n"
    script = KVM_SCRIPT.replace("m5.instantiate()", calls + "m5.instantiate()")
    assert script != KVM_SCRIPT
    done = runner.script(script + later, str(programs / "pie"))
    assert done.returncode == 1
    assert (
        "system.cpu0: cannot stop after 5 instructions: usePerf=False "
        in done.stderr
    )


def test_instructions_are_counted_or_refused(runner, programs):
    """Which of both depends on the host; `gearshift kvm-info` tells."""
    probe = json.loads(runner.run("kvm-info", "--json").stdout)["probe"]
    calls = (
        "system.cpu[0].scheduleInstStop(0, 1000, 'x')\n"
        "print(go(), system.cpu[0].totalInsts())\n"
    )
    done = runner.script(KVM_SCRIPT + calls, str(programs / "pie"))
    if probe["perf_counter"] == "yes":
        assert done.stdout.splitlines()[-1] == "x 1000"
    else:
        assert done.returncode == 1
        assert "this host counts no instructions under KVM" in done.stderr


# -------------------------------------------------------------------- plans


def test_the_main_job(runner):
    plan = "kvm until main; atomic 1M insts; kvm"
    done = runner.run("se", "--gears", plan, str(GEARS), "2", "8")
    assert done.returncode == 0, done.stderr
    assert done.stdout == native_gears("2", "8")
    assert table(done.stderr) == [("atomic", 1_000_000)]
    assert len(re.findall("not counted", done.stderr)) == 2


def test_gears_change_many_times_on_several_cpus(runner):
    plan = "kvm until main; repeat (atomic 50us; kvm until use_all*2)"
    words = ("se", "--cpus=3", "--gears", plan, str(GEARS), "3", "6")
    done = runner.run(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == native_gears("3", "6")
