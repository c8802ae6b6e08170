# SPDX-License-Identifier: BSD-3-Clause
"""Linux programs as users start them: gearshift se and scripts."""

import os
import re
import stat
import subprocess
import sys

import pytest
from conftest import ROOT

import gearshift
from gearshift import objects

PYTHON_DIR = os.path.dirname(os.path.dirname(gearshift.__file__))

HELLO = """
#include <stdio.h>
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) puts(argv[i]);
    return argc;
}
"""

CRASH = """
__attribute__((noinline)) int inner(int *p) { return *p; }
__attribute__((noinline)) int outer(int *p) { return inner(p) + 1; }
int main(void) { return outer((int *)64); }
"""

ESCAPE = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
static void expect(const char *what, int result) {
    printf("%s %s\\n", what, result < 0 ? "refused" : "ALLOWED");
}
int main(int argc, char **argv) {
    const char *victim = argv[1];
    char path[4096];
    int dir = open(".", O_RDONLY);
    expect("write", open(victim, O_WRONLY));
    expect("truncate", truncate(victim, 0));
    expect("unlink", unlink(victim));
    expect("rename", rename(victim, "mine"));
    expect("link", link(victim, "mine"));
    expect("chmod", chmod(victim, 0777));
    if (symlink(victim, "link")) return 1;
    expect("through link", open("link", O_WRONLY));
    expect("truncate link", open("link", O_RDONLY | O_TRUNC));
    expect("chmod link", chmod("link", 0777));
    snprintf(path, sizeof(path), "../../../../../../../..%s", victim);
    expect("dots", openat(dir, path, O_WRONLY));
    snprintf(path, sizeof(path), "/proc/self/cwd/../../../..%s", victim);
    expect("proc", open(path, O_WRONLY));
    snprintf(path, sizeof(path), "/proc/self/root%s", victim);
    expect("root", open(path, O_WRONLY));
    int fd = open(victim, O_RDONLY);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    expect("reopen", open(path, O_WRONLY) < 0 ||
           write(open(path, O_WRONLY), "x", 1) < 0 ? -1 : 0);
    expect("fchmod", fchmod(fd, 0777));
    expect("write fd", (int)write(fd, "x", 1));
    expect("host process", open("/proc/1/environ", O_RDONLY));
    fd = open("/dev/mem", O_RDWR); /* the window of pseudo operations */
    expect("read memory", (int)pread(fd, path, 1, 0));
    expect("write memory", (int)pwrite(fd, "x", 1, 0));
    expect("map memory", mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) ==
                                 MAP_FAILED ? -1 : 0);
    expect("map behind", mmap(NULL, 0x11000, PROT_READ, MAP_SHARED, fd,
                              0xffff0000) == MAP_FAILED ? -1 : 0);
    expect("mknod", mknod("node", S_IFCHR | 0600, 0x101));
    expect("socket", socket(AF_INET, SOCK_STREAM, 0));
    expect("chroot", chroot("."));
    return 0;
}
"""


def compile_c(tmp_path, text, *options):
    """A program from its source."""
    source = tmp_path / "program.c"
    source.write_text(text)
    program = tmp_path / "program"
    subprocess.run(
        ["gcc", "-O1", "-g", str(source), "-o", str(program), *options],
        check=True,
    )
    return str(program)


def run_se(*words, cwd=None, stdin=subprocess.DEVNULL):
    """gearshift se."""
    return subprocess.run(
        [sys.executable, "-m", "gearshift", "se", *words],
        env={**os.environ, "PYTHONPATH": PYTHON_DIR},
        cwd=cwd,
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_arguments_output_and_status_are_the_programs(tmp_path):
    done = run_se(compile_c(tmp_path, HELLO), "one", "two words")
    assert (done.stdout, done.stderr) == ("one\ntwo words\n", "")
    assert done.returncode == 3


def test_the_shell_finds_programs_and_input_is_passed_on():
    with subprocess.Popen(["echo", "b\na"], stdout=subprocess.PIPE) as echo:
        done = run_se("sort", stdin=echo.stdout)
    assert (done.stdout, done.returncode) == ("a\nb\n", 0)


def test_a_crash_is_reported_with_functions(tmp_path):
    done = run_se(compile_c(tmp_path, CRASH, "-fno-omit-frame-pointer"))
    assert done.returncode == 128 + 11
    assert "SIGSEGV" in done.stderr and "address 0x40" in done.stderr
    assert "#0" in done.stderr and "inner+0x" in done.stderr
    assert "outer+0x" in done.stderr and "main+0x" in done.stderr


@pytest.mark.parametrize(
    "damage, text",
    [
        (lambda data: data[:40], "ends inside the ELF header"),
        (lambda data: b"", "ends inside the ELF header"),
        (lambda data: data[:18] + b"\xb7\x00" + data[20:], "another machine"),
        (lambda data: b"garbage" * 100, "not an ELF file"),
        (
            lambda data: data.replace(
                b"/lib64/ld-linux-x86-64.so.2", b"/lib64/no-such-loader-64.s\0"
            ),
            "interpreter",
        ),
    ],
)
def test_a_bad_program_is_an_error_not_a_crash(tmp_path, damage, text):
    good = compile_c(tmp_path, HELLO)
    bad = tmp_path / "bad"
    with open(good, "rb") as file:
        bad.write_bytes(damage(file.read()))
    bad.chmod(0o755)
    done = run_se(str(bad))
    assert done.returncode == 1
    assert "fatal" in done.stderr and text in done.stderr


def test_a_missing_program_is_an_error(tmp_path):
    done = run_se(str(tmp_path / "missing"))
    assert done.returncode == 1 and "No such file" in done.stderr
    done = run_se(str(tmp_path))
    assert done.returncode == 1 and "is a directory" in done.stderr


def test_the_guest_cannot_change_what_is_not_its_own(tmp_path):
    program = compile_c(tmp_path, ESCAPE)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o600)
    work = tmp_path / "work"
    work.mkdir()
    done = run_se(program, str(victim), cwd=work)
    assert done.returncode == 0, done.stderr
    assert "ALLOWED" not in done.stdout, done.stdout
    assert done.stdout.count("refused") == 23
    assert victim.read_text() == "precious"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600
    assert not (work / "mine").exists()


def test_what_the_user_allows_can_be_written(tmp_path):
    work, other = tmp_path / "work", tmp_path / "other"
    work.mkdir()
    other.mkdir()
    command = ["/bin/sh", "-c", f"echo text > {other}/file"]
    assert run_se(*command, cwd=work).returncode != 0
    done = run_se("--allow-write", str(other), *command, cwd=work)
    assert done.returncode == 0, done.stderr
    assert (other / "file").read_text() == "text\n"


def test_far_transfers_beyond_a_segment(tmp_path):
    """As on the host's processor."""
    command = [str(ROOT / "build/guest/c/far"), "all"]
    native = subprocess.run(
        command, capture_output=True, text=True, check=True
    )
    assert run_se(*command).stdout == native.stdout


def test_a_real_time_thread_that_never_waits_lets_others_run():
    command = [str(ROOT / "build/guest/c/policies"), "spin"]
    native = subprocess.run(
        command, capture_output=True, text=True, check=True
    )
    done = run_se("--clock=20MHz", *command)
    assert done.stdout == native.stdout, done.stderr


def test_a_parameter_is_set_from_the_command_line(tmp_path):
    out = tmp_path / "out"
    param = "system.cpu[:].max_insts_any_thread=1234"
    done = run_se("-P", param, "--cpus=2", f"--outdir={out}", "/bin/true")
    assert "a thread reached the max instruction count" in done.stderr
    assert "simInsts 1234 " in " ".join(
        (out / "stats.txt").read_text().split()
    )


@pytest.mark.parametrize(
    "param, text",
    [
        ("system.cpu[0].max_inst=1", "max_inst"),
        ("system.cpu[7].max_insts_any_thread=1", "cpu[7]"),
        ("system.cpu[0]", "not of the form path.param=value"),
        ("system.mem_ranges[0].x=1", "mem_ranges"),
        ("system.cpu[0].max_insts_any_thread=ten", "ten"),
    ],
)
def test_a_wrong_parameter_is_told(param, text):
    done = run_se("-P", param, "/bin/true")
    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_max_insts_is_exact(tmp_path):
    out = tmp_path / "out"
    done = run_se("--max-insts=12345", "--outdir", str(out), "/bin/ls", "/")
    assert "max instruction count" in done.stderr
    stats = (out / "stats.txt").read_text()
    assert re.search(r"^simInsts +12345 ", stats, re.M)
    assert re.search(r"numCycles +12345 ", stats)


@pytest.mark.parametrize("cpus", ["1", "4"])
def test_two_runs_are_identical(tmp_path, cpus):
    def run(name):
        out = tmp_path / name
        done = run_se(
            f"--cpus={cpus}",
            "--outdir",
            str(out),
            "/bin/bash",
            "-c",
            "for i in 1 2 3; do echo $i & done; wait; echo $RANDOM | wc -c",
        )
        assert done.returncode == 0, done.stderr
        stats = (out / "stats.txt").read_text()
        kept = [
            line for line in stats.splitlines() if not line.startswith("host")
        ]
        return done.stdout, kept

    assert run("one") == run("two")


def test_instructions_and_calls_are_traced():
    done = run_se("--debug-flags=SyscallVerbose,Exec", "/bin/true")
    assert "exit_group(0)" in done.stderr
    line = r"\d+: system.cpu: T0 : 0x[0-9a-f]+.* : syscall +: "
    assert re.search(line, done.stderr)


def build(command, **process):
    """The smallest machine that runs a program, gem5's way."""
    system = objects.System(mem_mode="atomic")
    system.clk_domain = objects.SrcClockDomain(
        clock="1GHz", voltage_domain=objects.VoltageDomain()
    )
    system.mem_ranges = [gearshift.AddrRange("512MiB")]
    system.cpu = objects.AtomicSimpleCPU()
    system.membus = objects.SystemXBar()
    system.cpu.icache_port = system.membus.cpu_side_ports
    system.cpu.dcache_port = system.membus.cpu_side_ports
    system.cpu.createInterruptController()
    system.mem = objects.SimpleMemory(range=system.mem_ranges[0])
    system.mem.port = system.membus.mem_side_ports
    system.system_port = system.membus.cpu_side_ports
    system.workload = objects.SEWorkload.init_compatible(command[0])
    system.cpu.workload = objects.Process(cmd=command, **process)
    system.cpu.createThreads()
    return objects.Root(full_system=False, system=system)


def test_a_script_of_gem5s_kind_runs_a_program(tmp_path):
    out = tmp_path / "out"
    root = build(
        ["/bin/sh", "-c", "echo $A; exit 4"],
        env=["A=text"],
        output="guest.out",
    )
    sim = gearshift.Simulation(root, outdir=str(out))
    sim.instantiate()
    event = sim.simulate()
    assert event.getCause() == "exiting with last active thread context"
    assert event.getCode() == 4
    assert (out / "guest.out").read_text() == "text\n"
    assert sim.stat("system.cpu.commitStats0.numInsts")["value"] > 1000


def test_a_process_needs_an_se_workload(tmp_path):
    root = build(["/bin/true"])
    root.system.workload = gearshift.NULL
    sim = gearshift.Simulation(root, outdir=str(tmp_path))
    with pytest.raises(gearshift.FatalError, match="SEWorkload"):
        sim.instantiate()


def test_sleeping_takes_simulated_time_only(tmp_path):
    sim = gearshift.Simulation(
        build(["/bin/sleep", "1000"]), outdir=str(tmp_path)
    )
    sim.instantiate()
    assert sim.simulate().getCode() == 0
    assert 1000e12 < sim.now < 1001e12
