# SPDX-License-Identifier: BSD-3-Clause
"""Stops at functions and addresses: exact, counted, in programs, libraries,
threads and children."""

import re
import subprocess

import pytest

PROGRAM = r"""
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

long total;

__attribute__((noipa)) void step(long i)
{
    total += i;
}

/* Its first instruction is the target of its own jump. */
__attribute__((noipa, naked)) void spin(void)
{
    __asm__("mov $3, %ecx\nspin_loop: dec %ecx\njnz spin_loop\nret");
}

static void *work(void *arg)
{
    step((long)arg);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "loop";
    pthread_t threads[3];

    if (!strcmp(what, "threads")) {
        for (long i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, work, (void *)i);
        for (long i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
    } else if (!strcmp(what, "fork")) {
        if (!fork()) {
            step(1);
            _exit(0);
        }
        wait(NULL);
        step(2);
    } else if (!strcmp(what, "dlopen")) {
        double (*cosine)(double) =
            (double (*)(double))dlsym(dlopen("libm.so.6", RTLD_NOW), "cbrt");
        printf("%g\n", cosine(27.0));
    } else {
        for (long i = 1; i <= 10; i++)
            step(i);
        spin();
    }
    printf("total %ld\n", total);
    return 0;
}
"""

SCRIPT = """\
import os, sys
import m5
from m5.objects import *

root = Root(full_system=False)
system = root.system = System(mem_ranges=[AddrRange("256MiB")])
system.clk_domain = SrcClockDomain(
    clock="2GHz", voltage_domain=VoltageDomain()
)
system.membus = SystemXBar()
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports
system.workload = X86EmuLinux(quantum=1000)
system.cpu = [X86AtomicSimpleCPU(cpu_id=i) for i in range(2)]
system.other = X86AtomicSimpleCPU(switched_out=True)
system.cpu[0].workload = [
    Process(cmd=sys.argv[1:], executable=sys.argv[1], cwd=os.getcwd())
]
workload = system.workload


def go(times=1):
    for _ in range(times):
        event = m5.simulate()
        print(event.getCause(), event.getCode(), flush=True)


def change():
    m5.switchCpus(system, [(system.cpu[0], system.other)], verbose=False)


m5.instantiate()
"""

END = "exiting with last active thread context 0"


@pytest.fixture(scope="module", name="programs")
def compile_program(tmp_path_factory):
    """Builds the program dynamic and static, with and without a fixed
    address."""
    folder = tmp_path_factory.mktemp("stops")
    (folder / "p.c").write_text(PROGRAM)
    kinds = {
        "pie": ["-pie", "-fPIE"],
        "fixed": ["-no-pie"],
        "static": ["-static", "-no-pie"],
    }
    for name, flags in kinds.items():
        subprocess.run(
            ["gcc", "-O1", "-pthread", *flags, "p.c", "-o", name, "-ldl"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder


def run(runner, program, calls, *words):
    """Lines of a script that stops."""
    done = runner.script(SCRIPT + calls, str(program), *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", ["pie", "fixed", "static"])
def test_a_function_of_the_program_is_met_once_each_time(
    runner, programs, kind
):
    calls = (
        "workload.stop_at('main')\n"
        "step = workload.stop_at('step', count=7)\n"
        "go(2)\nprint(step.hits, step.is_over)\ngo()\n"
    )
    assert run(runner, programs / kind, calls) == [
        "reached main 0",
        "reached step 0",
        "7 True",
        "total 55",
        END,
    ]


def address(program, symbol):
    """Where the linker put a symbol."""
    table = subprocess.run(
        ["nm", program], capture_output=True, text=True, check=True
    ).stdout
    return int(re.search(rf"^(\w+) . {symbol}$", table, re.M)[1], 16)


def test_an_address_and_an_offset_name_one_instruction(runner, programs):
    loop = address(programs / "static", "spin_loop")
    start = address(programs / "static", "spin")
    calls = (
        f"a = workload.stop_at({loop:#x}, count=3, cause='third')\n"
        f"b = workload.stop_at('spin+{loop - start}', count=2)\n"
        f"c = workload.stop_at('{start:#x}')\n"
        "go(3)\nprint(a.hits, b.hits, c.hits)\ngo()\n"
    )
    assert run(runner, programs / "static", calls) == [
        f"reached {start:#x} 0",
        f"reached spin+{loop - start} 0",
        "third 0",
        "3 2 1",
        "total 55",
        END,
    ]


@pytest.mark.parametrize("budget", [1, 2, 3, 7])
def test_hits_do_not_depend_on_where_runs_end(runner, programs, budget):
    """Runs end before each instruction, also at the stop itself."""
    loop = address(programs / "static", "spin_loop")
    calls = (
        "workload.stop_at('spin')\n"
        "go()\n"
        f"a = workload.stop_at({loop:#x}, count=99)\n"
        "b = workload.stop_at('spin', count=99)\n"
        "cpu = max(system.cpu, key=lambda c: c.totalInsts())\n"
        "for i in range(60):\n"
        f"    cpu.scheduleInstStop(0, {budget}, 'count')\n"
        "    assert m5.simulate().getCause() == 'count'\n"
        "print(a.hits, b.hits)\n"
    )
    assert run(runner, programs / "static", calls) == [
        "reached spin 0",
        "3 0",
    ]


def test_a_stop_survives_a_change_of_cpu(runner, programs):
    calls = (
        "workload.stop_at('main')\n"
        "s = workload.stop_at('step', count=3)\n"
        "go()\nchange()\ngo()\nprint(system.other.totalInsts() > 0)\n"
        "t = workload.stop_at('step', count=1)\n"
        "go()\nprint(s.hits, t.hits)\ngo()\n"
    )
    assert run(runner, programs / "pie", calls) == [
        "reached main 0",
        "reached step 0",
        "True",
        "reached step 0",
        "3 1",
        "total 55",
        END,
    ]


def test_libraries_are_found_when_they_are_mapped(runner, programs):
    calls = (
        "s = workload.stop_at('libm:cbrt')\n"
        "n = workload.stop_at('libc:cbrt')\n"
        "workload.stop_at('main')\n"
        "go()\nprint(s.was_found, s.sites)\n"
        "go()\nprint(s.was_found, n.was_found, len(s.sites))\n"
        "go()\n"
    )
    assert run(runner, programs / "pie", calls, "dlopen") == [
        "reached main 0",
        "False []",
        "reached libm:cbrt 0",
        "True False 0",
        "3",
        "total 0",
        END,
    ]


def test_every_thread_and_every_child_counts(runner, programs):
    calls = "s = workload.stop_at('step', count=3)\ngo(2)\nprint(s.hits)\n"
    assert run(runner, programs / "pie", calls, "threads") == [
        "reached step 0",
        "total 3",
        END,
        "3",
    ]
    calls = (
        "s = workload.stop_at('step', count=9)\n"
        "child = workload.stop_at('step', count=9, pid=101)\n"
        "go()\nprint(s.hits, child.hits)\n"
    )
    assert run(runner, programs / "pie", calls, "fork") == [
        "total 2",
        END,
        "2 1",
    ]


def test_a_removed_stop_is_not_met(runner, programs):
    calls = (
        "workload.stop_at('main')\n"
        "s = workload.stop_at('step')\n"
        "go()\ns.remove()\ngo()\n"
    )
    assert run(runner, programs / "fixed", calls) == [
        "reached main 0",
        "total 55",
        END,
    ]


def test_a_stop_can_come_again(runner, programs):
    calls = (
        "s = workload.stop_at('step', count=3, repeats=True)\n"
        "go(3)\nprint(s.hits, s.is_over)\ngo()\n"
    )
    assert run(runner, programs / "pie", calls) == [
        "reached step 0",
        "reached step 0",
        "reached step 0",
        "9 False",
        "total 55",
        END,
    ]


def test_stops_change_no_instruction_count(runner, programs):
    calls = (
        "s = workload.stop_at('step', count=100)\n"
        "{}go()\nprint(sum(c.totalInsts() for c in system.cpu))\n"
    )
    with_stops = run(runner, programs / "static", calls.format(""))
    without = run(runner, programs / "static", calls.format("s.remove()\n"))
    assert with_stops == without


@pytest.mark.parametrize(
    "call, text",
    [
        ("stop_at(1.5)", "a place to stop is a function's name or an address"),
        ("stop_at('a b')", "'a b' is no place to stop; say main, libm:sin"),
        ("stop_at('main', count=0)", "the count of hits is 1 or more, not 0"),
        ("stop_at(-1)", "-0x1 is no address"),
    ],
)
def test_a_place_that_is_none_is_refused(runner, programs, call, text):
    done = runner.script(SCRIPT + "workload." + call, str(programs / "static"))
    assert done.returncode == 1
    assert text in done.stderr and "at script.py:" in done.stderr


def test_a_stop_needs_the_objects(runner, programs):
    script = SCRIPT.replace("m5.instantiate()", "workload.stop_at('main')")
    done = runner.script(script, str(programs / "static"))
    assert done.returncode == 1
    assert "before instantiate()" in done.stderr
