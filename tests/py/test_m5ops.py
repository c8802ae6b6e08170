# SPDX-License-Identifier: BSD-3-Clause
"""Pseudo operations of programs: by instruction, by address, by command."""

import re
import subprocess

import pytest

from conftest import ROOT

from gearshift.gearbox import kvm_refusal

M5 = ROOT / "build" / "guest" / "m5" / "m5"
LIBRARY = ROOT / "build" / "guest" / "m5" / "libm5.a"
INCLUDE = ROOT / "util" / "m5" / "include"

WAYS = pytest.mark.parametrize("way", ["--inst", "--addr"])

BOTH_WAYS = """
#include <gem5/m5_mmap.h>
#include <gem5/m5ops.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    char *fresh = malloc(1 << 20); /* pages that nobody has touched */
    map_m5_mem();
    printf("%u ", m5_sum(1, 2, 3, 4, 5, 6));
    printf("%u\\n", m5_sum_addr(1, 2, 3, 4, 5, 6));
    uint64_t start = m5_rpns();
    m5_quiesce_ns(1000000);
    uint64_t slept = m5_rpns_addr() - start;
    printf("slept %d\\n", slept >= 1000000 && slept < 1100000);
    printf("told %d\\n", m5_quiesce_time() == 1000000);
    printf("read %d\\n", (int)m5_read_file(fresh + 4096 * 3 - 8, 16, 0));
    printf("%.16s\\n", fresh + 4096 * 3 - 8);
    m5_work_begin(3, 0);
    m5_work_begin_addr(4, 0);
    m5_work_end(3, 0);
    unmap_m5_mem();
    fflush(stdout);
    m5_fail(1000, 9);
    for (;;)
        ;
}
"""

STATS = """
#include <gem5/m5ops.h>
static void work(int n) { for (volatile int i = 0; i < n; i++); }
int main(void) {
    m5_reset_stats(0, 0);
    work(1000);
    m5_dump_reset_stats(0, 0);
    work(10000);
    m5_dump_stats(0, 0);
    m5_exit(0);
    for (;;)
        ;
}
"""

UNKNOWN = """
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static void on_sigill(int number) {
    (void)number;
    if (write(1, "SIGILL\\n", 7) == 7) _exit(0);
}
int main(void) {
    signal(SIGILL, on_sigill);
    __asm__ volatile(".byte 0x0f, 0x04, 0x55, 0x00");
    return 1;
}
"""

# By VMCALL and VMMCALL in the program's own code, in code that it writes, over
# the boundary of two pages, whichever becomes executable first, in a child.
HYPERCALLS = r"""
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define SUM 0x6d350023
#define ASK(name, insn) \
    static uint64_t name(uint64_t number, uint64_t a, uint64_t b) { \
        register uint64_t r8 __asm__("r8") = 0, r9 __asm__("r9") = 0; \
        __asm__ volatile(insn : "+a"(number) : "D"(a), "S"(b), "d"(0), \
                         "c"(0), "r"(r8), "r"(r9) : "memory"); \
        return number; \
    }
ASK(intel, "vmcall")
ASK(amd, "vmmcall")
enum { PAGE = 4096 };
static uint64_t written(int cut, int last_first) {
    static const uint8_t code[] = {
        0xb8, 0x23, 0, 0x35, 0x6d,  0x31, 0xd2,  0x31, 0xc9,
        0x45, 0x31, 0xc0,  0x45, 0x31, 0xc9,  0x0f, 0x01, 0xc1,  0xc3};
    uint8_t *at = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *entry = at + PAGE - 15 - cut;
    memcpy(entry, code, sizeof code);
    at[PAGE + 100] = 0xc3;
    for (int i = 0; i < 2; i++) {
        int page = i ^ last_first;
        mprotect(at + page * PAGE, PAGE, PROT_READ | PROT_EXEC);
        if (page)
            ((void (*)(void))(at + PAGE + 100))();
    }
    uint64_t sum = ((uint64_t (*)(uint64_t, uint64_t))entry)(30, 12);
    munmap(at, 2 * PAGE);
    return sum;
}
static volatile int done;
static void *count(void *arg) {
    uint64_t *turns = arg;
    while (!done || *turns < 1000000) ++*turns;
    return 0;
}
static void on_sigill(int number) {
    printf("signal %d\n", number);
    fflush(stdout);
    _exit(0);
}
int main(void) {
    pthread_t thread;
    uint64_t turns = 0, sum = 0;
    pthread_create(&thread, 0, count, &turns);
    for (int i = 0; i < 100; i++) sum += intel(SUM, i, 1) + amd(SUM, i, 2);
    printf("%lu\n", sum);
    for (int cut = 0; cut < 4; cut++)
        printf("%lu %lu\n", written(cut, 0), written(cut, 1));
    done = 1;
    pthread_join(thread, 0);
    fflush(stdout);
    if (!fork()) { printf("child %lu\n", intel(SUM, 3, 4)); return 0; }
    wait(0);
    signal(SIGILL, on_sigill);
    fflush(stdout);
    intel(12, 0, 0);
    return 1;
}
"""

SCRIPT = """
import sys
import m5
from m5.objects import *

def build(program, **params):
    system = System(mem_ranges=[AddrRange("64MiB")], **params)
    system.clk_domain = SrcClockDomain(
        clock="1GHz", voltage_domain=VoltageDomain()
    )
    system.membus = SystemXBar()
    system.system_port = system.membus.cpu_side_ports
    system.mem = SimpleMemory(range=system.mem_ranges[0])
    system.mem.port = system.membus.mem_side_ports
    system.workload = SEWorkload.init_compatible(program)
    system.cpu = X86AtomicSimpleCPU()
    system.cpu.connectBus(system.membus)
    system.cpu.workload = Process(cmd=[program])
    system.cpu.createThreads()
    root = Root(full_system=False, system=system)
    m5.instantiate()

def run():
    event = m5.simulate()
    print(event.getCause(), event.getCode())
    return event.getCause()
"""


@pytest.fixture
def compiled(runner):
    """Compile a program against the guest library; its path."""

    def build(source, *flags):
        runner.write(source, "program.c")
        subprocess.run(
            ["gcc", "-O1", "-o", runner.path("program"), *flags]
            + [f"-I{INCLUDE}", runner.path("program.c"), LIBRARY],
            check=True,
        )
        return str(runner.path("program"))

    return build


def m5(runner, *words, se_options=()):
    """Run the m5 command in syscall emulation."""
    return runner.run("se", *se_options, str(M5), *words)


@WAYS
def test_the_command_adds_numbers(runner, way):
    """The interface works at all."""
    done = m5(runner, way, "sum", "1", "2", "3")
    assert done.stdout == "Sum is 6.\n", done.stderr


@WAYS
@pytest.mark.parametrize(
    "words, cause, code",
    [
        (["exit"], "m5_exit instruction encountered", 0),
        (["fail", "7"], "m5_fail instruction encountered", 7),
        (["checkpoint"], "checkpoint", 0),
        (["switchcpu"], "switchcpu", 0),
    ],
)
def test_the_command_ends_the_run(runner, way, words, cause, code):
    """With gem5's words."""
    done = m5(runner, way, *words)
    assert f"gearshift: {cause}\n" in done.stderr
    assert done.returncode == code


@WAYS
def test_the_command_copies_files_out(runner, way):
    """Into the output directory, and nowhere else."""
    runner.write("0123456789" * 20000, "input")
    options = ["--outdir=out"]
    done = m5(runner, way, "writefile", "input", "copy", se_options=options)
    assert done.returncode == 0, done.stderr
    assert runner.path("out/copy").read_text() == "0123456789" * 20000
    done = m5(runner, way, "writefile", "input", "../no", se_options=options)
    assert done.returncode == 1
    assert not runner.path("no").exists()


@pytest.mark.parametrize("flags", [["-static"], ["-static-pie"], []])
def test_a_program_asks_both_ways(runner, compiled, flags):
    """Static, position-independent and dynamic programs."""
    program = compiled(BOTH_WAYS, *flags)
    runner.write("what to read from the host", "host-file")
    script = SCRIPT + f"build({program!r}, readfile='host-file')\nrun()\n"
    done = runner.script(script)
    assert done.stdout.splitlines() == [
        "21 21",
        "slept 1",
        "told 1",
        "read 16",
        "what to read fro",
        "m5_fail instruction encountered 9",
    ], done.stderr
    stats = runner.path("m5out/stats.txt").read_text()
    assert re.search(r"system.cpu.numWorkItemsStarted +2 ", stats)
    assert re.search(r"system.cpu.numWorkItemsCompleted +1 ", stats)


@pytest.mark.parametrize("cpus", ["1", "2"])
@pytest.mark.parametrize("cpu", ["atomic", "kvm"])
def test_a_program_asks_by_hypercall(runner, compiled, cpu, cpus):
    """KVM answers VMCALL in the host's kernel: it must not meet one."""
    if cpu == "kvm" and kvm_refusal():
        pytest.skip(f"no KVM: {kvm_refusal()}")
    program = compiled(HYPERCALLS, "-pthread")
    done = runner.run("se", f"--cpu={cpu}", f"--cpus={cpus}", program)
    assert done.stdout.splitlines() == (
        ["10200"] + ["42 42"] * 4 + ["child 7", "signal 4"]
    ), done.stderr
    assert "unknown hypercall 0xc" in done.stderr


def test_a_program_reaches_the_window_behind_much_memory(runner, compiled):
    """RAM lies where the window was; programs need not know."""
    program = compiled(BOTH_WAYS)
    done = runner.run("se", "--mem=6GiB", program)
    assert done.stdout.startswith("21 21\n"), done.stderr
    assert done.returncode == 9


def test_a_program_divides_its_statistics(runner, compiled):
    """Each dump counts what was executed since the last reset."""
    done = runner.run("se", "--outdir=out", compiled(STATS, "-static"))
    assert "m5_exit" in done.stderr
    text = runner.path("out/stats.txt").read_text()
    insts = re.findall(r"cpu.commitStats0.numInsts +(\d+)", text)
    assert len(insts) >= 2
    assert 3000 <= int(insts[0]) < 10000
    assert 30000 <= int(insts[1]) < 100000


def test_work_items_leave_the_simulation(runner, compiled):
    """System.exit_on_work_items; the script goes on afterwards."""
    program = compiled(BOTH_WAYS, "-static")
    done = runner.script(
        SCRIPT
        + f"build({program!r}, exit_on_work_items=True)\n"
        + "while not run().startswith('m5_fail'): pass\n"
    )
    exits = re.findall(r"^(?:work|m5_).*", done.stdout, re.M)
    assert exits == [
        "workbegin 3",
        "workbegin 4",
        "workend 3",
        "m5_fail instruction encountered 9",
    ], done.stderr


def test_statistics_and_checkpoints_can_be_forbidden(runner, compiled):
    """gem5's do_statistics_insts and do_checkpoint_insts."""
    program = compiled(STATS, "-static")
    done = runner.script(
        SCRIPT.replace(
            "X86AtomicSimpleCPU()",
            "X86AtomicSimpleCPU(do_statistics_insts=False)",
        )
        + f"build({program!r})\nrun()\n"
    )
    assert "m5_exit" in done.stdout, done.stderr
    text = runner.path("m5out/stats.txt").read_text()
    assert text.count("Begin Simulation Statistics") == 1


def test_what_is_not_implemented_says_so(runner):
    """The program goes on."""
    done = m5(runner, "--inst", "loadsymbol")
    assert "unimplemented: system.cpu: pseudo operation load_symbol" in (
        done.stderr
    )
    assert done.returncode == 0


def test_an_unknown_operation_is_an_undefined_instruction(runner, compiled):
    """As in gem5."""
    done = runner.run("se", compiled(UNKNOWN, "-static"))
    assert done.stdout == "SIGILL\n", done.stderr


def test_without_a_window_there_is_no_device(runner):
    """System.m5ops_base = 0."""
    script = SCRIPT.replace("cmd=[program]", "cmd=[program, 'sum', '1', '2']")
    done = runner.script(script + f"build({str(M5)!r}, m5ops_base=0)\nrun()\n")
    assert "/dev/mem: No such file" in done.stderr
