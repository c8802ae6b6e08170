# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints of running programs: what follows is as if there were none."""

import ctypes
import os
import random
import re
import shutil
import subprocess

import pytest
from conftest import ROOT

GUEST = ROOT / "build" / "guest" / "c"
STOPPED = 99
TABLE = b"\n[root.checksums]\n"

# script.py MODE INSTS DIR CPU NUM_CPUS PROGRAM ARGS...
SCRIPT = """\
import os
import re
import sys

import m5
from m5 import objects
from m5.objects import *

mode, insts, place, model, cpus, *command = sys.argv[1:]
system = System(mem_ranges=[AddrRange("512MiB")])
system.clk_domain = SrcClockDomain(
    clock="3GHz", voltage_domain=VoltageDomain()
)
system.membus = SystemXBar()
system.system_port = system.membus.cpu_side_ports
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports
system.workload = SEWorkload.init_compatible("program")
if "Kvm" in model:
    system.kvm_vm = KvmVM()
cpu = getattr(objects, model)
system.cpu = [cpu(cpu_id=i) for i in range(int(cpus))]
for cpu in system.cpu:
    cpu.connectBus(system.membus)
if "Kvm" not in model:
    system.cpu[0].max_insts_any_thread = int(insts)
system.cpu[0].workload = Process(
    cmd=command,
    env=["PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/"],
    cwd=os.getcwd(),
)
root = Root(full_system=False, system=system)
m5.instantiate(place if mode.startswith("restore") else None)
if mode == "restore-copy":
    m5.checkpoint(place + ".copy")
    sys.exit(0)
if "Kvm" in model and int(insts):
    event = m5.simulate(int(insts))
else:
    event = m5.simulate()
cause = event.getCause()
if re.search("max instruction count|limit|^checkpoint$", cause):
    if mode == "pause":
        m5.stats.reset()
        event = m5.simulate()
    else:
        m5.checkpoint(sys.argv[3] if mode == "save" else place + ".next")
        sys.exit(99)
print("tick", m5.curTick(), file=sys.stderr)
sys.exit(event.getCode())
"""


class Saver:
    """Runs one program in a directory of its own."""

    def __init__(self, runner, command, cpus=1, stdin=""):
        self.runner = runner
        self.command = command
        self.stdin = stdin
        self.cpus = cpus
        runner.write(SCRIPT)

    def run(self, mode, insts=0, place="../cpt", model="X86AtomicSimpleCPU"):
        """The script; only a restored run finds what another one left."""
        work = self.runner.path("work")
        if not mode.startswith("restore"):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            (work / "file.c").write_text("int main(void) { return 0; }\n")
            shutil.rmtree(self.runner.path("m5out"), ignore_errors=True)
        inside = type(self.runner)(work)
        done = inside.run(
            "-q",
            "--outdir=../m5out",
            "--dot-config=",
            "../script.py",
            mode,
            str(insts),
            place,
            model,
            str(self.cpus),
            *self.command,
            stdin=self.stdin,
        )
        text = done.stdout.replace("info: Writing checkpoint\n", "")
        return text, done.returncode, done.stderr

    def stats(self):
        """What the last run counted."""
        text = self.runner.path("m5out/stats.txt").read_text()
        return [s for s in text.splitlines() if not s.startswith("host")]

    def insts(self):
        """Instructions of the last run, on the first CPU."""
        name = "cpu0" if self.cpus > 1 else "cpu"
        pattern = rf"^system.{name}.commitStats0.numInsts +(\d+)"
        return int(re.search(pattern, "\n".join(self.stats()), re.M)[1])

    def text(self, name="cpt"):
        """A checkpoint without date and checksum."""
        path = self.runner.path(name) / "m5.cpt"
        text = path.read_text(errors="replace").split("\n", 1)[1]
        return text[: text.rindex("## checksum")]


def guest(name):
    """A program of tests/guest/c."""
    if not (GUEST / name).exists():
        pytest.skip(f"build/guest/c/{name} is not built (scons guest)")
    return str(GUEST / name)


PYTHON = """
import hashlib, json, tempfile
with tempfile.TemporaryFile("w+") as file:
    for i in range(100):
        digest = hashlib.md5(json.dumps(list(range(i))).encode()).hexdigest()
        file.write(digest + chr(10))
        if i % 10 == 0:
            print(i, digest, flush=True)
    file.seek(0)
    print(len(file.read()))
"""
TREE = """
(for i in 1 2 3; do (sleep 0.0$i; echo child $i) & done; wait; echo all)
trap 'echo term' TERM; kill -TERM $$
echo $RANDOM; ls /proc/self/fd | wc -l
read x < <(echo late; sleep 0.1); echo $x; exit 3
"""
ASYNC = """
import asyncio
async def tell(i):
    await asyncio.sleep(i / 100)
    print(i, flush=True)
async def main():
    await asyncio.gather(*[tell(i) for i in range(4)])
asyncio.run(main())
"""
LOCKS = """
import fcntl, os
f = open("lock", "w")
g = open("lock2", "w")
fcntl.lockf(f, fcntl.LOCK_EX, 10, 5)
fcntl.flock(g, fcntl.LOCK_EX)
first = os.fork()
if not first:
    fcntl.lockf(open("lock", "r+"), fcntl.LOCK_EX, 20, 0)
    print("record", flush=True)
    os._exit(0)
second = os.fork()
if not second:
    fcntl.flock(open("lock2"), fcntl.LOCK_SH)
    print("whole", flush=True)
    os._exit(0)
for i in range(1000000):
    pass
fcntl.lockf(f, fcntl.LOCK_UN)
os.waitpid(first, 0)
fcntl.flock(g, fcntl.LOCK_UN)
os.waitpid(second, 0)
"""
PIPES = """
for i in 5 3 9; do echo $i; done | sort | tee /tmp/sorted.$$
wc -l < /tmp/sorted.$$
"""
UNNAMED = """
open F, '+>', undef; print F $_ x 99, "\n" for 1..300; seek F, 0, 0;
$n += length while <F>; print "$n\n"
"""
PROGRAMS = {
    "static": lambda: ([guest("basics")], 1, ""),
    "dynamic": lambda: (["/bin/ls", "-l", "/etc/apt"], 1, ""),
    "32bit": lambda: ([guest("basics32")], 1, ""),
    "python": lambda: (["/usr/bin/python3", "-c", PYTHON], 1, ""),
    "asyncio": lambda: (["/usr/bin/python3", "-c", ASYNC], 1, ""),
    "locks": lambda: (["/usr/bin/python3", "-c", LOCKS], 1, ""),
    "threads": lambda: ([guest("threads")], 1, ""),
    "threads-2cpus": lambda: ([guest("contend")], 2, ""),
    "openmp-4cpus": lambda: ([guest("openmp")], 4, ""),
    "pipeline": lambda: (["/bin/bash", "-c", PIPES], 1, ""),
    "tree": lambda: (["/bin/bash", "-c", TREE], 1, ""),
    "signals": lambda: ([guest("signals")], 1, ""),
    "mappings": lambda: ([guest("mmaps")], 1, ""),
    "kinds": lambda: ([guest("keeps")], 1, ""),
    "fifos": lambda: ([guest("fifo")], 1, ""),
    "watches": lambda: ([guest("inotify")], 1, ""),
    "rights": lambda: ([guest("rights")], 1, ""),
    "unnamed": lambda: (["/usr/bin/perl", "-e", UNNAMED], 1, ""),
    "input": lambda: (["/usr/bin/tac"], 1, "one\ntwo\n"),
    "compiler": lambda: (["/usr/bin/gcc", "-c", "file.c"], 1, ""),
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_restored_program_goes_on_as_if_nothing_happened(runner, name):
    saver = Saver(runner, *PROGRAMS[name]())
    whole = saver.run("run")
    total = saver.insts()
    for insts in random.Random(name).sample(range(1, total), 2):
        first = saver.run("save", insts)
        if first[1] != STOPPED:
            # Several CPUs: the stop of one changes who does the work.
            assert saver.cpus > 1 and first[:2] == whole[:2]
            continue
        rest = saver.run("restore")
        stats = saver.stats()
        assert (first[0] + rest[0], rest[1]) == whole[:2], insts
        paused = saver.run("pause", insts)
        assert first[2] + rest[2] == paused[2]
        assert stats == saver.stats(), insts


@pytest.mark.parametrize("name", ["kinds", "threads-2cpus", "tree"])
def test_a_restored_program_is_saved_as_it_was(runner, name):
    saver = Saver(runner, *PROGRAMS[name]())
    saver.run("run")
    insts = saver.insts() // 2
    assert saver.run("save", insts)[1] == STOPPED
    _text, status, errors = saver.run("restore-copy")
    assert status == 0, errors
    assert saver.text("cpt") == saver.text("cpt.copy")
    names = os.listdir(runner.path("cpt"))
    assert sorted(names) == sorted(os.listdir(runner.path("cpt.copy")))
    for file in set(names) - {"m5.cpt"}:
        one, two = (runner.path(f"{d}/{file}") for d in ("cpt", "cpt.copy"))
        assert one.read_bytes() == two.read_bytes(), file


def test_checkpoints_of_restored_programs_form_a_chain(runner):
    saver = Saver(runner, *PROGRAMS["tree"]())
    whole = saver.run("run")
    step = saver.insts() // 5
    text, status, _errors = saver.run("save", step)
    place = "../cpt"
    for _link in range(3):
        assert status == STOPPED
        part, status, _errors = saver.run("restore", step, place)
        text += part
        place += ".next"
    part, status, _errors = saver.run("restore", 0, place)
    assert (text + part, status) == whole[:2]


def test_the_output_file_of_a_process_comes_along(runner):
    saver = Saver(runner, ["/bin/sh", "-c", "echo one; echo two; exit 4"])
    runner.write(
        SCRIPT.replace("cwd=os.getcwd(),", 'cwd=os.getcwd(), output="out",')
    )
    saver.run("run")
    assert runner.path("m5out/out").read_text() == "one\ntwo\n"
    assert saver.run("save", saver.insts() - 100)[1] == STOPPED
    shutil.rmtree(runner.path("m5out"))
    assert saver.run("restore")[1] == 4
    assert runner.path("m5out/out").read_text() == "one\ntwo\n"


# ------------------------------------------------------------ changed files

WRITER = """
open F, ">log"; $| = 1; select F; $| = 1; select STDOUT;
open G, "file.c"; $line = <G>;
print F "before\n"; for (1..200000) { $n += $_ } print F "after $n\n";
"""


def test_a_file_open_for_writing_gets_its_content_back(runner):
    saver = Saver(runner, ["/usr/bin/perl", "-e", WRITER])
    saver.run("run")
    log = runner.path("work/log")
    whole = log.read_text()
    assert saver.run("save", saver.insts() - 5000000)[1] == STOPPED
    assert log.read_text() == "before\n"
    log.write_text("before\nand more from elsewhere\n")
    _text, status, errors = saver.run("restore")
    assert status == 0 and log.read_text() == whole
    assert "log has changed since the checkpoint was written" in errors
    log.unlink()
    _text, status, errors = saver.run("restore")
    assert status == 0 and log.read_text() == whole
    assert "log was gone" in errors


def test_a_changed_file_that_was_only_read_is_refused(runner):
    saver = Saver(runner, ["/usr/bin/perl", "-e", WRITER])
    saver.run("run")
    assert saver.run("save", saver.insts() - 5000000)[1] == STOPPED
    source = runner.path("work/file.c")
    text = source.read_text()
    os.utime(source, (1, 1))
    assert saver.run("restore")[1] == 0
    source.write_text("other")
    _text, status, errors = saver.run("restore")
    assert status == 1 and "Traceback" not in errors
    assert "file.c has changed since the checkpoint was written" in errors
    source.unlink()
    _text, status, errors = saver.run("restore")
    assert status == 1 and "file.c: No such file" in errors
    source.write_text(text)
    assert saver.run("restore")[1] == 0


def test_what_cannot_be_saved_is_refused_by_name(runner):
    # 0x220000: O_PATH | O_NOFOLLOW
    program = (
        'symlink "x", "gone"; sysopen(D, "gone", 0x220000) or exit 3; '
        'unlink "gone"; for (1..100000) { $n += $_ } exit 2'
    )
    saver = Saver(runner, ["/usr/bin/perl", "-e", program])
    assert saver.run("run")[1] == 2
    _text, status, errors = saver.run("save", saver.insts() - 50000)
    assert status == 1 and "Traceback" not in errors
    pattern = r"process 100 \(perl\), descriptor 3 \(.*gone\): it was removed"
    assert re.search(pattern, errors), errors
    assert not runner.path("cpt").exists()


# ------------------------------------------------------------------- damage


def signed(text):
    """A checkpoint whose checksum is right."""
    body = text.encode(errors="surrogateescape")
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH64.restype = ctypes.c_uint64
    library.XXH64.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint64,
    ]
    # All, the first line, the table of checksums.
    parts = [body, body.split(b"\n")[0], body[body.index(TABLE) :]]
    words = [f"{library.XXH64(part, len(part), 0):016x}" for part in parts]
    return body + f"## checksum: xxh64 {' '.join(words)}\n".encode()


# Pattern, replacement, what the message says.
EDITS = [
    (r"^parent=0", "parent=7", "there is no process 7"),
    (r"^kind=\w+", "kind=teapot", "no files of kind teapot"),
    (r"^pt.root.v=\d+", "pt.root.v=4198400001", "no page tables at"),
    (r"^pages=0 \d+", "pages=0 18446744073709547520", "cannot be in frame"),
    (r"^run_queue=.*", "run_queue=100", "thread 100 cannot run"),
    (r"^num_vmas=\d+", "num_vmas=9999", "key vma"),
    (r"^table=1", "table=2", "2 is more than 1"),
    (r"^threads=100", "threads=100 100", "is there twice"),
    (r"^run_state=1", "run_state=0", "does not run"),
    (r"^entries=0 1", "entries=0 9", "descriptor 0 cannot be"),
    (r"^frames_fresh=\d+", "frames_fresh=0", "frames are in use"),
    (r"^last_pid=\d+\n", "", "missing"),
    (r"^xsave=0x.{56}", "xsave=0x" + "f" * 56, "reserved bits"),
    (r"^num_cpus=1", "num_cpus=2", "here are 1"),
]


# In what the program "kinds" has when it computes.
EDITS_OF_KINDS = [
    (r"^(in|out)_rights0=\S+ \S+", r"\1_rights0=9 9", "bytes 9 to 9 cannot"),
    (r"^(in|out)_rights0_files=\d+", r"\1_rights0_files=999", "no file 999"),
    (r"^((?:in|out)_rights)=\d+ \d+", r"\1=1 2", "such a queue cannot be"),
    (
        r"^watch0_path=.*",
        "watch0_path=/none",
        "/none, which a program watches",
    ),
    (r"^event0_name=.*\n", "", "missing"),
    (r"^num_events=\d+", "num_events=99999", "99999 is more than"),
    (r"^(kind=fifo[^[]*)^host=\d+", r"\1host=1", "is not a named pipe"),
    (r"^opening=[1-9]\d*", "opening=999", "999 is more than"),
]


def check_edits(runner, saver, edits):
    """Each edit of the checkpoint is a message; none is good again."""
    path = runner.path("cpt/m5.cpt")
    text = path.read_bytes().decode(errors="surrogateescape")
    text = text[: text.rindex("## checksum")]
    for pattern, replacement, message in edits:
        edited, count = re.subn(
            pattern, replacement, text, count=1, flags=re.M
        )
        assert count == 1, pattern
        path.write_bytes(signed(edited))
        _text, status, errors = saver.run("restore")
        assert status == 1 and "Traceback" not in errors, (pattern, errors)
        assert errors.startswith("fatal: cannot load the checkpoint")
        assert message in errors, (pattern, errors)
    path.write_bytes(signed(text))


def test_nonsense_in_a_checkpoint_is_a_message(runner):
    saver = Saver(runner, ["/bin/ls", "/"])
    saver.run("run")
    assert saver.run("save", saver.insts() - 1000)[1] == STOPPED
    check_edits(runner, saver, EDITS)
    assert saver.run("restore")[1] == 0


def test_nonsense_about_pipes_and_watches_is_a_message(runner):
    saver = Saver(runner, *PROGRAMS["kinds"]())
    saver.run("run")
    assert saver.run("save", saver.insts() // 2)[1] == STOPPED
    check_edits(runner, saver, EDITS_OF_KINDS)
    assert saver.run("restore")[1] == 5


# --------------------------------------------------------------- the command


def test_the_command_takes_and_restores_checkpoints(runner):
    program = ["/bin/sh", "-c", "echo text; exit 3"]
    places = ["se", "--checkpoint-dir=cpts"]
    done = runner.run(
        *places, "--take-checkpoints=90000,9", "--at-instruction", *program
    )
    assert (done.stdout, done.returncode) == ("text\n", 3), done.stderr
    done = runner.run(*places, "--take-checkpoints=100,50000000", *program)
    assert (done.stdout, done.returncode) == ("text\n", 3), done.stderr
    names = sorted(os.listdir(runner.path("cpts")))
    assert {"cpt.100", "cpt.29970000", "cpt.29972997", "cpt.50000100"} <= set(
        names
    )
    for number in range(1, len(names) + 1):
        done = runner.run(*places, f"--checkpoint-restore={number}")
        assert (done.stdout, done.returncode) == ("text\n", 3), done.stderr
    done = runner.run("se", "--restore=cpts/cpt.100")
    assert (done.stdout, done.returncode) == ("text\n", 3), done.stderr


@pytest.mark.parametrize(
    "words, message",
    [
        (["--take-checkpoints=5"], "checkpoints have no place"),
        (["--take-checkpoints=5,x"], "not M or M,N"),
        (["-r", "3", "--checkpoint-dir=none"], "there is no checkpoint 3"),
        (["-r", "none"], "none/m5.cpt: No such file"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_options(
    runner, words, message
):
    done = runner.run("se", *words, "/bin/true")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert message in done.stderr


def test_gem5s_script_takes_and_restores_checkpoints(runner):
    script = [str(ROOT / "configs" / "se.py"), "-c", "/bin/echo", "-o", "hi"]
    done = runner.run("-q", *script, "--take-checkpoints=100000000")
    assert "hi\nExiting @ tick" in done.stdout, done.stderr
    assert runner.path("m5out/cpt.100000000").exists()
    again = runner.run("-q", *script, "-r", "1")
    assert again.stdout == done.stdout.replace(
        "info: Writing checkpoint\n", ""
    )


def test_checkpoints_pass_between_kvm_and_the_functional_cpu(runner):
    info = runner.run("kvm-info")
    if info.returncode:
        pytest.skip(f"KVM: {info.stdout.strip()} {info.stderr.strip()}")
    saver = Saver(runner, ["/usr/bin/python3", "-c", PYTHON])
    whole = saver.run("run")
    first = saver.run("save", 10**10, model="X86KvmCPU")
    assert first[1] == STOPPED, first[2]
    for model in ("X86AtomicSimpleCPU", "X86KvmCPU"):
        rest = saver.run("restore", model=model)
        assert (first[0] + rest[0], rest[1]) == whole[:2], model
    first = saver.run("save", saver_half(saver))
    rest = saver.run("restore", model="X86KvmCPU")
    assert (first[0] + rest[0], rest[1]) == whole[:2]


# Parent, child and grandchild live when the parent asks for the checkpoint;
# each has code of its own that asks by VMCALL afterwards.
FAMILY = r"""
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
enum { PAGE = 4096, SUM = 0x6d350023 };
static uint64_t sum(uint64_t a, uint64_t b) {
    uint64_t number = SUM;
    register uint64_t r8 __asm__("r8") = 0, r9 __asm__("r9") = 0;
    __asm__ volatile("vmcall" : "+a"(number) : "D"(a), "S"(b), "d"(0), "c"(0),
                     "r"(r8), "r"(r9) : "memory");
    return number;
}
/* mov eax, SUM; xor edx, edx; xor ecx, ecx; xor r8d, r8d; xor r9d, r9d;
 * vmcall; ret */
static const uint8_t code[] = {
    0xb8, 0x23, 0, 0x35, 0x6d,  0x31, 0xd2,  0x31, 0xc9,
    0x45, 0x31, 0xc0,  0x45, 0x31, 0xc9,  0x0f, 0x01, 0xc1,  0xc3};
int main(void) {
    int up[2], down[2], level = 0;
    char byte = 0;
    if (pipe(up) || pipe(down)) return 1;
    while (level < 2 && !fork()) level++;
    uint8_t *own = mmap(0, PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(own, code, sizeof code);
    if (mprotect(own, PAGE, PROT_READ | PROT_EXEC)) return 1;
    if (level) {
        if (write(up[1], "", 1) != 1 || read(down[0], &byte, 1) != 1) return 1;
    } else {
        if (read(up[0], &byte, 1) != 1 || read(up[0], &byte, 1) != 1) return 1;
        __asm__ volatile(".byte 0x0f, 0x04, 0x43, 0x00" : : "D"(0L), "S"(0L)
                         : "rax", "memory"); /* m5_checkpoint() */
        if (write(down[1], "12", 2) != 2) return 1;
    }
    if (level < 2) wait(0);
    uint64_t other = ((uint64_t (*)(uint64_t, uint64_t))own)(level, 40);
    printf("%d: %lu %lu\n", level, sum(level, 30), other);
    return 0;
}
"""


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("model", ["X86AtomicSimpleCPU", "X86KvmCPU"])
def test_every_restored_process_may_ask_by_vmcall_under_kvm(
    runner, model, cpus
):
    """KVM's own kernel would answer: no process's code may go unseen."""
    info = runner.run("kvm-info")
    if info.returncode:
        pytest.skip(f"KVM: {info.stdout.strip()} {info.stderr.strip()}")
    runner.write(FAMILY, "family.c")
    program = str(runner.path("family"))
    command = ["gcc", "-O1", "-static", "-o", program, program + ".c"]
    subprocess.run(command, check=True)
    saver = Saver(runner, [program], cpus)
    first = saver.run("save", model=model)
    assert first[:2] == ("", STOPPED), first[2]
    done = saver.run("restore", model="X86KvmCPU")
    assert done[0] == "2: 32 42\n1: 31 41\n0: 30 40\n", done[2]
    assert done[1] == 0


def test_a_cpu_that_had_taken_over_does_so_again(runner):
    switch = """\
system.standby = [cpu(cpu_id=0, switched_out=True)]
root = Root(full_system=False, system=system)
"""
    text = SCRIPT.replace(
        "root = Root(full_system=False, system=system)\n", switch
    ).replace(
        "for cpu in system.cpu:\n    cpu.c", "for c in system.cpu:\n    c.c"
    )
    text = text.replace(
        "        m5.checkpoint(",
        "        m5.switchCpus(system, [(system.cpu[0], system.standby[0])])\n"
        "        m5.simulate(1000000)\n"
        "        m5.checkpoint(",
    )
    saver = Saver(runner, ["/bin/ls", "/etc/apt"])
    runner.write(text)
    whole = saver.run("run")
    insts = saver.insts()
    first = saver.run("save", insts // 2)
    assert first[1] == STOPPED, first[2]
    rest = saver.run("restore")
    text = (first[0] + rest[0]).replace("switching cpus\n", "")
    assert (text, rest[1]) == whole[:2], rest[2]
    executed = re.search(
        r"standby.commitStats0.numInsts +(\d+)", "\n".join(saver.stats())
    )
    assert int(executed[1]) > insts // 3


def saver_half(saver):
    """Half of the program, in instructions."""
    saver.run("run")
    return saver.insts() // 2
