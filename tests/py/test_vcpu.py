# SPDX-License-Identifier: BSD-3-Clause
"""vCPUs of CPU objects as scripts see them; rings in memory."""

import importlib.util
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gearshift import _core, errors

ROOT = Path(__file__).resolve().parent.parent.parent
SCAN = ROOT / "util" / "ring_scan.py"

MACHINE = """\
import m5
from m5.objects import *

def machine(program=None, cpus=1, **params):
    root = Root(full_system=program is None)
    root.system = System(mem_mode="atomic", mem_ranges=[AddrRange("64MiB")])
    root.system.clk_domain = SrcClockDomain(
        clock="1GHz", voltage_domain=VoltageDomain()
    )
    root.system.membus = SystemXBar()
    root.system.mem = SimpleMemory(range=root.system.mem_ranges[0])
    root.system.mem.port = root.system.membus.mem_side_ports
    root.system.system_port = root.system.membus.cpu_side_ports
    root.system.cpu = [
        X86AtomicSimpleCPU(cpu_id=i, **params) for i in range(cpus)
    ]
    for cpu in root.system.cpu:
        cpu.icache_port = root.system.membus.cpu_side_ports
        cpu.dcache_port = root.system.membus.cpu_side_ports
    if program:
        root.system.workload = SEWorkload.init_compatible(program)
        root.system.cpu[0].workload = Process(cmd=[program])
    m5.instantiate()
    return root.system.cpu

"""


def run(runner, body):
    """What a script prints that builds a machine."""
    done = runner.script(MACHINE + body)
    assert done.returncode == 0, done.stderr
    return done.stdout


def load_scan():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("ring_scan", SCAN)
    module = importlib.util.module_from_spec(spec)
    sys.modules["ring_scan"] = module
    spec.loader.exec_module(module)
    return module


# --------------------------------------------------------------- identity


def test_ids_are_dense_and_predicates_follow(runner):
    out = run(
        runner,
        """
cpus = machine("/bin/true", cpus=3)
for cpu in cpus:
    print(cpu.id, cpu.vm_id, cpu.state, cpu.is_bsp, cpu.is_bootstrap,
          cpu.is_host_vm, cpu.is_guest_vm, cpu.is_running,
          cpu.is_initialized, cpu.bound_thread)
""",
    )
    assert out.splitlines() == [
        f"{i} 0 CREATED {i == 0} {i == 0} True False False False None"
        for i in range(3)
    ]


def test_state_follows_the_life_cycle(runner):
    out = run(
        runner,
        """
import os
cpu = machine("/bin/true")[0]
print(cpu.state)
m5.simulate(1000)
print(cpu.state, cpu.bound_thread == os.getpid(), cpu.back_end)
m5.simulate()
print(cpu.state)
""",
    )
    assert out.splitlines() == [
        "CREATED",
        "READY True functional core, syscall emulation",
        "READY",
    ]


def test_a_cpu_cannot_be_copied_or_pickled(runner):
    out = run(
        runner,
        """
import copy, pickle
cpu = machine("/bin/true")[0]
for call in (copy.copy, pickle.dumps):
    try:
        call(cpu)
    except TypeError as error:
        print(error)
""",
    )
    assert out.splitlines() == [
        "system.cpu: a CPU cannot be copied",
        "system.cpu: a CPU cannot be pickled",
    ]


def test_before_instantiate_there_is_no_vcpu(runner):
    done = runner.script(
        """
from m5.objects import *
cpu = X86AtomicSimpleCPU()
print(cpu.state)
"""
    )
    assert done.returncode == 1
    assert "script.py:4" in done.stderr


# --------------------------------------------------- registers, translation


def test_registers_by_name_and_number(runner):
    out = run(
        runner,
        """
cpu = machine("/bin/true")[0]
m5.simulate(2000000)
cpu.regs.r15 = 0x123456789abcdef0
print(hex(cpu.regs[15]), cpu.regs[4] == cpu.regs.rsp, cpu.regs.rsp != 0)
cpu.set_gpr(14, 5)
print(cpu.regs["r14"], cpu.rip == cpu.pc, cpu.rip == cpu.regs.rip)
print(cpu.mode, hex(cpu.regs.cs), len(cpu.regs.as_dict()) > 60)
for wrong in (lambda: cpu.regs[16], lambda: cpu.regs.eax,
              lambda: cpu.regs["eax"]):
    try:
        wrong()
    except (IndexError, AttributeError, KeyError) as error:
        print(type(error).__name__)
""",
    )
    assert out.splitlines() == [
        "0x123456789abcdef0 True True",
        "5 True True",
        "64-bit 0x33 True",
        "IndexError",
        "AttributeError",
        "KeyError",
    ]


def test_translate_walks_the_tables(runner):
    out = run(
        runner,
        """
cpu = machine("/bin/true")[0]
m5.simulate(2000000)
code = cpu.translate(cpu.pc, "xu")
print(code.is_mapped, code.user, code.executable, code.page_size >= 4096,
      code.paddr % 4096 == cpu.pc % 4096)
hole = cpu.translate(0x10, "wu")
print(hole.is_mapped, hole.vector, hole.error)
odd = cpu.translate(1 << 60)
print(odd.is_mapped, odd.vector)
try:
    cpu.translate(0, "q")
except ValueError as error:
    print(error)
""",
    )
    assert out.splitlines() == [
        "True True True True True",
        "False 14 6",
        "False 13",
        "no access 'q'; use r, w, x, u",
    ]


def test_a_dump_has_its_sections(runner):
    out = run(
        runner,
        """
cpu = machine("/bin/true")[0]
m5.simulate(2000000)
print(cpu.dump())
""",
    )
    for part in ("vCPU 0.0", "mode 64-bit", "registers", "xsave", "MSRs"):
        assert part in out


# --------------------------------------------------------- events and entry


def test_syscall_emulation_takes_no_events(runner):
    out = run(
        runner,
        """
from gearshift.errors import VcpuError
cpu = machine("/bin/true")[0]
m5.simulate(1000)
try:
    cpu.inject("interrupt", 0x30)
except VcpuError as error:
    print(error.errno, error)
""",
    )
    assert out.startswith("95 vCPU 0.0: event interrupt 48:")


def test_wrong_order_is_a_vcpu_state_error(runner):
    out = run(
        runner,
        """
from gearshift.errors import VcpuStateError
cpu = machine("/bin/true")[0]
try:
    print(cpu.regs.rax)
except VcpuStateError as error:
    print(error.errno, "CREATED" in str(error))
print(cpu.state)
""",
    )
    assert out.splitlines() == ["77 True", "CREATED"]


# ------------------------------------------------------------------ affinity


def test_the_thread_is_confined_to_phys_cpu_set(runner):
    allowed = sorted(os.sched_getaffinity(0))
    out = run(
        runner,
        f"""
import os
cpu = machine("/bin/true", phys_cpu_set=[{allowed[0]}])[0]
m5.simulate(1000)
print(os.sched_getaffinity(cpu.bound_thread))
""",
    )
    assert out.strip() == str({allowed[0]})


def test_processors_that_are_not_there_are_told(runner):
    done = runner.script(
        MACHINE
        + """
machine("/bin/true", phys_cpu_set=[1023])
m5.simulate(1000)
"""
    )
    assert done.returncode == 1
    assert "may run on none of its host processors" in done.stderr
    done = runner.script(
        MACHINE + 'machine("/bin/true", phys_cpu_set=[5000])\n'
    )
    assert done.returncode == 1
    assert "no host has a processor 5000" in done.stderr


# --------------------------------------------------------------------- rings


def test_a_ring_is_written_by_scripts_and_counts(runner):
    out = run(
        runner,
        """
cpu = machine("/bin/true")[0]
print(cpu.write("from the script"), cpu.write("x" * 100000))
print(cpu.ring.lost, cpu.ring.dropped, cpu.ring.size > 4096)
print(cpu.ring.records[-1])
print("from the script" in cpu.ring.text())
for i in range(1000):
    cpu.write(f"line {i}")
print(cpu.ring.dropped > 500, cpu.ring.records[-1].text)
print(all(r.text.startswith("line") for r in cpu.ring.records))
""",
    )
    assert out.splitlines() == [
        "True False",
        "1 0 True",
        "RingRecord(tick=0, text='from the script')",
        "True",
        "True line 999",
        "True",
    ]


def test_what_goes_to_a_ring_stays_there(runner):
    done = runner.script(
        MACHINE + 'machine("/bin/true")[0].write("secret")\nm5.simulate()\n'
    )
    assert "secret" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "place, wanted",
    [
        ("m5.simulate()", "[True, False, False]"),
        (
            "with cpus[1].takes_messages(): m5.simulate()",
            "[False, True, False]",
        ),
        (
            "with cpus[1].takes_messages():\n"
            "    with cpus[2].takes_messages(): m5.simulate()",
            "[False, False, True]",
        ),
        (
            "with cpus[1].takes_messages():\n"
            "    with cpus[2].takes_messages(): pass\n"
            "    m5.simulate()",
            "[False, True, False]",
        ),
    ],
)
def test_messages_go_to_the_ring_that_takes_them(runner, place, wanted):
    """The first CPU's, unless a with statement names another."""
    body = f"""
cpus = machine("{ROOT / "build/guest/c/crash"}", 3)
{place}
def has(cpu):
    return any("workload: process" in line.text for line in cpu.ring.records)
print([has(cpu) for cpu in cpus])
"""
    assert run(runner, body).splitlines()[-1] == wanted


def test_rings_that_take_messages_are_limited_in_number(runner):
    body = """
import contextlib
cpu = machine("/bin/true")[0]
with contextlib.ExitStack() as stack:
    for _ in range(20):
        stack.enter_context(cpu.takes_messages())
"""
    done = runner.script(MACHINE + body)
    assert "too many rings take messages already" in done.stderr
    assert done.returncode == 1


def test_runs_and_changed_registers_are_traced(runner):
    out = run(
        runner,
        """
cpu = machine("/bin/true")[0]
cpu.trace_runs()
m5.simulate(1000)
print(cpu.ring.records[-1].text)
cpu.trace_runs(regs=True)
m5.simulate(1000)
print(cpu.ring.records[-1].text)
cpu.trace_runs(False)
count = len(cpu.ring.records)
m5.simulate(1000)
print(len(cpu.ring.records) == count)
""",
    )
    lines = out.splitlines()
    assert lines[0] == "exit INST_STOP raw=0 insts=1"
    assert re.search(r"rip \w+ -> \w+", lines[1])
    assert lines[2] == "True"


WAITING = """
cpus = machine("/bin/true", cpus=3)
for cpu in cpus:
    cpu.write(f"this is {cpu.id}")
print("ready", *[hex(cpu.ring.address) for cpu in cpus], flush=True)
import os, signal, sys
if sys.argv[1:] == ["crash"]:
    os.kill(os.getpid(), signal.SIGSEGV)
import time
time.sleep(60)
"""


def start(runner, *words, **kwargs):
    """A child that has filled its rings, and their addresses."""
    runner.write(MACHINE + WAITING)
    child = subprocess.Popen(
        [os.environ.get("GEARSHIFT", str(ROOT / "build/opt/gearshift"))]
        + ["-q", "--dot-config=", "script.py", *words],
        cwd=runner.folder,
        stdout=subprocess.PIPE,
        text=True,
        **kwargs,
    )
    words = child.stdout.readline().split()
    assert words[0] == "ready"
    return child, [int(word, 16) for word in words[1:]]


def check_rings(rings, addresses):
    """All three, with their ids and what they said."""
    found = {ring.address: ring for ring in rings}
    for i, address in enumerate(addresses):
        ring = found[address]
        assert ring.id == i
        assert ring.owner == f"vCPU 0.{i}"
        assert f"this is {i}" in [record.text for record in ring.records]


def test_rings_are_found_in_a_stopped_process(runner):
    scan = load_scan()
    child, addresses = start(runner)
    try:
        child.send_signal(signal.SIGSTOP)
        check_rings(scan.scan_rings(str(child.pid)), addresses)
        done = subprocess.run(
            [str(SCAN), f"/proc/{child.pid}/mem"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "vCPU 0.2 at" in done.stdout
        assert "this is 1" in done.stdout
    finally:
        child.kill()
        child.wait()


def test_rings_are_found_in_a_raw_dump(runner, tmp_path):
    scan = load_scan()
    child, addresses = start(runner)
    try:
        with open(f"/proc/{child.pid}/mem", "rb", buffering=0) as memory:
            memory.seek(addresses[1])
            page = memory.read(8192)
    finally:
        child.kill()
        child.wait()
    dump = tmp_path / "dump"
    dump.write_bytes(b"\x7fELF" + b"junk" * 99 + page + page[:200])
    (ring,) = scan.scan_rings(str(dump))
    assert ring.id == 1
    assert ring.records[-1].text == "this is 1"


def test_rings_are_found_in_a_core_file(runner):
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith("|") or "/" in pattern:
        pytest.skip(f"core files do not come here: {pattern}")

    def allow():
        limit = resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))

    child, addresses = start(runner, "crash", preexec_fn=allow)
    child.wait()
    assert child.returncode == -signal.SIGSEGV
    cores = list(runner.folder.glob("core*"))
    if not cores:
        pytest.skip("the host wrote no core file")
    check_rings(load_scan().scan_rings(str(cores[0])), addresses)


def test_a_ring_survives_what_lies_in_it():
    scan = load_scan()
    head = scan.HEADER.pack(scan.HEAD_TAG, 5, 64, 0, 200, 0, 0, 0, 0)
    assert not list(scan.rings_in(head + bytes(64) + scan.TAIL_TAG))
    head = scan.HEADER.pack(scan.HEAD_TAG, 5, 64, 0, 40, 0, 0, 0, 0)
    body = scan.RECORD.pack(7, 1000, 0) + bytes(48)
    (ring,) = scan.rings_in(head + body + scan.TAIL_TAG)
    assert ring.records == []


def test_a_dump_without_rings_is_an_error(tmp_path):
    (tmp_path / "empty").write_bytes(bytes(100))
    for name in ("empty", "missing"):
        done = subprocess.run(
            [str(SCAN), str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr


# ---------------------------------------------------------------- exit kinds


def test_exit_kinds_cover_those_of_other_hypervisors():
    names = [name for name, _ in _core.vcpu_exit_kinds()]
    assert len(names) == len(set(names))
    for name in (
        "HYPERCALL MMIO_RD MMIO_WR MSR_RD MSR_WR IO_IN IO_OUT EXT_INTR "
        "NESTED_PF HALT CPU_UP CPU_DOWN SYSTEM_DOWN NOTHING FAIL_ENTRY "
        "SEND_IPI"
    ).split():
        assert name in names


def test_the_contract_knows_no_architecture():
    files = set((ROOT / "src" / "cpu").glob("vcpu*"))
    files -= set((ROOT / "src" / "cpu").glob("vcpu_x86.*"))
    assert len(files) > 8
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert '#include "arch/' not in text, file
        assert not re.search(r"\bX86_|x86_(?!state\b)", text), file


def test_properties_are_documented_and_in_the_stubs(runner):
    done = runner.run("doc", "X86AtomicSimpleCPU")
    assert "Registers; what is written counts" in done.stdout
    done = runner.run("doc", "--stubs", str(runner.folder))
    assert done.returncode == 0, done.stderr
    stubs = next(runner.folder.glob("**/objects.pyi"))
    assert "    def regs(self) -> Any:" in stubs.read_text(encoding="utf-8")


def test_errors_are_of_the_package():
    assert issubclass(errors.VcpuStateError, errors.VcpuError)
    assert issubclass(errors.VcpuError, errors.FatalError)
    assert errors.VcpuError("text", 5).errno == 5


# --------------------------------------------- events on a machine without OS

# [SDM] Vol. 3A, "Interrupt and Exception Handling in Real-Address Mode": the
# vector table is at 0.  Counts interrupts in BX; what is at IDLE repeats.
REAL_MODE = bytes.fromhex(
    "fa"  # cli
    "31c0 8ed8"  # xor ax, ax; mov ds, ax
    "c706c0001a7c"  # mov word [0x30 * 4], 0x7c1a
    "c706c2000000"  # mov word [0x30 * 4 + 2], 0
    "8ed0 bc0070"  # mov ss, ax; mov sp, 0x7000
    "fb"  # sti
)
COUNTING = bytes.fromhex("41 ebfd" "43 cf")  # inc cx; jmp; inc bx; iret
HALTING = bytes.fromhex("f4 ebfd" "43 cf")  # hlt; jmp; inc bx; iret

PC = """
import m5
from m5.objects import *
system = System(mem_mode="atomic", mem_ranges=[AddrRange("64MiB")])
system.clk_domain = SrcClockDomain(
    clock="1GHz", voltage_domain=VoltageDomain()
)
system.membus = SystemXBar()
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports
system.system_port = system.membus.cpu_side_ports
cpu = system.cpu = X86AtomicSimpleCPU()
cpu.createInterruptController()
cpu.connectBus(system.membus)
system.workload = X86BareMetalWorkload(
    object_file="image", entry_mode="real", load_addr=0x7C00
)
root = Root(full_system=True, system=system)
m5.instantiate()
"""


def bare(runner, code, body):
    """What a script prints that runs an image of 16-bit code."""
    runner.path("image").write_bytes(REAL_MODE + code)
    done = runner.script(PC + body)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_interrupt_waits_for_its_window(runner):
    assert (
        bare(
            runner,
            COUNTING,
            """
m5.simulate(2000)
print(cpu.mode, cpu.regs.rflags & 512, hex(cpu.pc))
cpu.inject("interrupt", 0x30)
print(cpu.pending_events)
m5.simulate(2000)
print(cpu.pending_events, cpu.regs.rbx & 0xffff)
m5.simulate(10000)
print(cpu.pending_events, cpu.regs.rbx & 0xffff, cpu.regs.rflags & 512)
for i in range(3):
    cpu.inject("interrupt", 0x30)
m5.simulate(100000)
print(cpu.pending_events, cpu.regs.rbx & 0xffff)
""",
        )
        == [
            "real 0 0x7c03",
            "[('interrupt', 48, None)]",
            "[('interrupt', 48, None)] 0",
            "[] 1 512",
            "[] 4",
        ]
    )


def test_an_event_wakes_a_halted_guest(runner):
    assert (
        bare(
            runner,
            HALTING,
            """
m5.simulate(100000)
print(cpu.state, cpu.regs.mp_state, cpu.regs.rbx & 0xffff)
cpu.inject("interrupt", 0x30)
print(cpu.state)
m5.simulate(100000)
print(cpu.state, cpu.regs.rbx & 0xffff)
""",
        )
        == ["BLOCKED 3 0", "READY", "BLOCKED 1"]
    )


def test_an_exception_is_delivered_at_once(runner):
    assert (
        bare(
            runner,
            COUNTING,
            """
m5.simulate(20000)
cpu.inject("exception", 6)  # its vector is 0000:0000, where zeros lie
m5.simulate(1000)
print(cpu.pending_events, hex(cpu.pc), hex(cpu.regs.rsp & 0xffff))
""",
        )
        == ["[] 0x2 0x6ffa"]
    )


def test_a_live_entry_starts_there(runner):
    assert (
        bare(
            runner,
            HALTING,
            """
m5.simulate(100000)
cpu.set_entry(0x7c17 + 3, 0x55)  # inc bx; iret
print(hex(cpu.pc), hex(cpu.regs.cs), hex(cpu.regs.rax), cpu.state)
m5.simulate(1000)
print(cpu.regs.rbx & 0xffff)
""",
        )
        == ["0x7c1a 0x7c1 0x55 READY", "1"]
    )


def test_the_first_processor_is_the_bootstrap_one(runner):
    assert (
        bare(
            runner,
            COUNTING,
            """
m5.simulate(1000)
print(cpu.is_bsp, hex(cpu.regs.apic_base))
""",
        )
        == ["True 0xfee00900"]
    )
