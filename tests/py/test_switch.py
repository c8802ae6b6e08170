# SPDX-License-Identifier: BSD-3-Clause
"""Changing gear: hundreds of changes at random instructions lose nothing."""

import subprocess

import pytest
from conftest import ROOT

GUEST = ROOT / "build" / "guest" / "c"

# Two sets of CPUs; every few thousand instructions the other one takes over.
SCRIPT = """\
import os, random, shlex, sys
import m5
from m5.objects import *

count, seed, step, command, other = sys.argv[1:6]
Other = globals()[other]
count, step = int(count), int(step)
random = random.Random(int(seed))
root = Root(full_system=False)
system = root.system = System(mem_ranges=[AddrRange("512MiB")])
system.clk_domain = SrcClockDomain(
    clock="2GHz", voltage_domain=VoltageDomain()
)
system.membus = SystemXBar()
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports
system.system_port = system.membus.cpu_side_ports
system.workload = X86EmuLinux(quantum=5000)
system.cpu = [X86AtomicSimpleCPU(cpu_id=i) for i in range(count)]
# The name comes first: standing by, it must not open the first seat.
system.a_cpu = [Other(cpu_id=i, switched_out=True) for i in range(count)]
if Other is X86KvmCPU:
    system.kvm_vm = KvmVM()
for cpu in system.cpu:
    cpu.createInterruptController()
    cpu.connectBus(system.membus)
command = shlex.split(command)
process = Process(cmd=command, executable=command[0], cwd=os.getcwd())
system.cpu[0].workload = [process]
m5.instantiate()
active, waiting = list(system.cpu), list(system.a_cpu)
changes = 0
while True:
    if step:
        which = random.randrange(count)
        # An idle CPU never gets there; time passes in any case.
        is_counted = isinstance(active[which], X86AtomicSimpleCPU)
        if count == 1 and is_counted and random.random() < 0.7:
            insts = random.randrange(1, step)
            active[which].scheduleInstStop(0, insts, "change")
        elif is_counted:
            m5.scheduleTickExitFromCurrent(random.randrange(1, 500 * step))
        else:
            m5.scheduleTickExitFromCurrent(random.randrange(1, 300_000_000))
    event = m5.simulate()
    if event.getCause() not in ("change", "Tick exit reached"):
        break
    # CPUs that need different memory modes change together.
    share = 0.7 if Other is X86AtomicSimpleCPU else 1
    pairs = [p for p in zip(active, waiting) if random.random() < share]
    m5.switchCpus(system, pairs, verbose=False)
    for old, new in pairs:
        index = active.index(old)
        assert old.switchedOut() and not new.switchedOut()
        active[index], waiting[index] = new, old
    changes += len(pairs)
sys.stdout.flush()
total = sum(cpu.totalInsts() for cpu in [*system.cpu, *system.a_cpu])
print(event.getCause(), event.getCode())
print("changes", changes)
print("insts", total, "ticks", m5.curTick())
"""


def run(runner, count, seed, step, command, other="X86AtomicSimpleCPU"):
    """Output and status of the program; changes; instructions and ticks."""
    done = runner.script(
        SCRIPT, str(count), str(seed), str(step), command, other
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *out, cause, changes, insts = done.stdout.splitlines()
    words, code = cause.rsplit(" ", 1)
    assert words == "exiting with last active thread context"
    return (out, int(code)), int(changes.split()[1]), insts


def native(command, folder):
    """What the host prints."""
    done = subprocess.run(
        command.split(),
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    code = done.returncode
    return done.stdout.splitlines(), code if code >= 0 else 128 - code


def guest(name):
    """A guest program, or skip."""
    path = GUEST / name.split()[0]
    if not path.exists():
        pytest.skip(f"{path} is not built (scons guest)")
    return str(GUEST / name)


@pytest.mark.parametrize(
    "name, step",
    [
        ("gears 1 4", 3000),
        ("gears 3 6", 6000),
        ("signals", 400),
        ("basics", 400),
        ("mmaps", 2500),
        ("exceptions", 3000),
    ],
)
def test_one_cpu_loses_nothing_and_no_instruction(runner, name, step):
    command = guest(name)
    out, changes, still = run(runner, 1, 0, 0, command)
    assert changes == 0 and out == native(command, runner.folder)
    moved_out, changes, moved = run(runner, 1, 7, step, command)
    assert moved_out == out
    assert changes > 60
    assert moved == still


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize(
    "name, step",
    [
        ("gears 4 6", 20000),
        ("threads", 4000),
        ("openmp", 3000),
        ("contend", 6000),
        ("rseq", 20000),
    ],
)
def test_several_cpus_change_one_by_one(runner, count, name, step):
    command = guest(name)
    out, changes, _ = run(runner, count, count, step, command)
    assert out == native(command, runner.folder)
    assert changes > 100


ERRORS = """\
import m5
from m5.objects import *

root = Root(full_system=False)
system = root.system = System(mem_ranges=[AddrRange("64MiB")])
system.clk_domain = SrcClockDomain(
    clock="2GHz", voltage_domain=VoltageDomain()
)
system.membus = SystemXBar()
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports
system.workload = X86EmuLinux()
system.cpu = X86AtomicSimpleCPU()
system.other = X86AtomicSimpleCPU(switched_out=True)
system.second = X86AtomicSimpleCPU(switched_out=True, cpu_id=1)
system.older = X86AtomicSimpleCPU(switched_out=True, model="haswell")
system.cpu.workload = [Process(cmd=["/bin/true"])]
cpu, other = system.cpu, system.other


def change(*pairs):
    m5.switchCpus(system, list(pairs))


"""

CALLS = [
    ("change((root, other))", "switchCpus(): root is not a CPU"),
    (
        "m5.switchCpus(system, cpu)",
        "switchCpus(): expected a list of pairs (old CPU, new CPU)",
    ),
    (
        "change((cpu, other), (cpu, system.second))",
        "switchCpus(): Old CPU (system.cpu) is in the list twice.",
    ),
    (
        "change((cpu, other), (other, cpu))",
        "switchCpus(): New CPU (system.other) is in the list of old CPUs.",
    ),
    (
        "change((cpu, other))\nchange((system.second, other))",
        "switchCpus(): New CPU (system.other) is already active.",
    ),
    (
        "change((other, system.second))",
        "switchCpus(): Old CPU (system.other) is inactive.",
    ),
    (
        "change((cpu, system.second))",
        "system.second: number 1, but that of system.cpu is 0; a CPU "
        "takes over from one with its own number",
    ),
    (
        "change((cpu, system.older))",
        "system.older: model 'haswell', but that of system.cpu is "
        "'host'; what CPUID tells cannot change while programs run",
    ),
    (
        "cpu.switchOut()",
        "system.cpu: switchOut() needs a drained simulation; call m5.drain() "
        "before it, or use m5.switchCpus()",
    ),
    (
        "m5.drain(); other.switchOut()",
        "system.other: is already switched out",
    ),
    (
        "m5.drain(); other.takeOverFrom(cpu)",
        "system.other: system.cpu has to be switched out before another CPU "
        "takes over from it",
    ),
    (
        "m5.drain(); cpu.switchOut(); system.second.takeOverFrom(other)",
        "system.second: there is nothing to take over from system.other",
    ),
    (
        "cpu.scheduleInstStop(1, 10, 'x')",
        "system.cpu: there is no thread 1; a CPU has one, 0",
    ),
]


@pytest.mark.parametrize("call, text", CALLS)
def test_a_wrong_change_is_refused(runner, call, text):
    done = runner.script(ERRORS + "m5.instantiate()\n" + call)
    assert done.returncode == 1
    assert text in done.stderr, done.stderr
    assert "script.py:" in done.stderr


def test_a_refused_change_changes_nothing(runner):
    script = ERRORS + (
        "m5.instantiate()\n"
        "try:\n    change((cpu, system.second))\n"
        "except RuntimeError:\n    print('refused')\n"
        "print(cpu.switchedOut(), system.second.switchedOut())\n"
        "print(m5.simulate().getCause())\n"
    )
    done = runner.script(script)
    assert done.stdout.splitlines() == [
        "refused",
        "False True",
        "exiting with last active thread context",
    ], done.stderr


def test_a_change_needs_the_objects(runner):
    done = runner.script(ERRORS + "change((cpu, other))")
    assert done.returncode == 1
    assert "does not exist in the simulation before instantiate()" in (
        done.stderr
    )


def test_instruction_stops_are_exact_and_in_order(runner):
    script = ERRORS + (
        "m5.instantiate()\n"
        "cpu.scheduleInstStop(0, 1000, 'late')\n"
        "cpu.scheduleInstStop(0, 10, 'early')\n"
        "for i in range(2):\n"
        "    print(m5.simulate().getCause(), cpu.totalInsts())\n"
        "change((cpu, other))\n"
        "other.scheduleInstStop(0, 5, 'other')\n"
        "print(m5.simulate().getCause(), cpu.totalInsts(),"
        " other.getCurrentInstCount(0), m5.curTick())\n"
    )
    done = runner.script(script)
    assert done.stdout.splitlines() == [
        "early 10",
        "late 1000",
        "switching cpus",
        "other 1000 5 502500",
    ], done.stderr
