# SPDX-License-Identifier: BSD-3-Clause
"""Model-specific registers that a script answers."""

import pytest

from conftest import ROOT
from gearshift.gearbox import kvm_refusal

# Real mode: ECX = 0x1234, RDMSR, AL to the debug console, add 1, WRMSR, the
# exit port.
READS_AND_WRITES = "66b934120000 0f32 e6e9 0401 0f30 b003 e6f4 f4"
# lidt [0x7d00], an empty table: an exception is a triple fault.
NO_HANDLERS = "0f011e007d"

EXAMPLE = (ROOT / "configs/example/bare_metal.py").read_text()
HEAD, TAIL = EXAMPLE.split("m5.instantiate()\n")


def run(runner, handlers, cpu="X86AtomicSimpleCPU"):
    """The image on the example's machine, with handlers of registers."""
    code = (
        READS_AND_WRITES if "ring0" in cpu else NO_HANDLERS + READS_AND_WRITES
    )
    code = bytes.fromhex(code.replace(" ", ""))
    path = runner.path("image")
    path.write_bytes(code.ljust(0x200, b"\0"))
    head = HEAD
    cpu, _, ring0 = cpu.partition(" ")
    if cpu != "X86AtomicSimpleCPU":
        head = head.replace(
            "[X86AtomicSimpleCPU(",
            f"[m5.objects.{cpu}(",
        ).replace(
            "system = System(",
            "import m5.objects\nsystem = System("
            f"kvm_vm=m5.objects.KvmVM({ring0}), ",
        )
        assert head != HEAD
    script = f"{head}m5.instantiate()\n{handlers}\n{TAIL}"
    return runner.script(script, str(path))


CPUS = [
    "X86AtomicSimpleCPU",
    "X86KvmCPU",
    "X86KvmCPU ring0='kvm'",
    "X86KvmCPU ring0='kvm', filtered_msrs=[0x1234, 0x10]",
]


@pytest.mark.parametrize("cpu", CPUS)
def test_a_script_answers(runner, cpu):
    """With the CPU's number, the register's and the value."""
    if "Kvm" in cpu and kvm_refusal():
        pytest.skip(f"no KVM: {kvm_refusal()}")
    handlers = """
def read(cpu, index):
    print("read", cpu, hex(index), flush=True)
    return 0x1122334400000041
def write(cpu, index, value):
    print("write", cpu, hex(index), hex(value), flush=True)
system.on_msr(0x1230, read, write, count=8)
"""
    done = run(runner, handlers, cpu)
    lines = done.stdout.replace("A", "A\n").splitlines()
    assert "read 0 0x1234" in lines, done.stderr
    assert "A" in lines
    assert "write 0 0x1234 0x1122334400000042" in lines
    assert "exit port written, code 7" in done.stdout, done.stderr


@pytest.mark.parametrize(
    "handlers",
    [
        "",
        "system.on_msr(0x1235, lambda *_: 1, lambda *_: None)",
        "system.on_msr(0x1234)",
        "system.on_msr(0x1234, lambda cpu, index: None)",
        "system.on_msr(0x1234, lambda cpu, index: 1)",
        "system.on_msr(0x1234, lambda *_: 1, lambda *_: False)",
    ],
)
def test_otherwise_it_is_a_fault(runner, handlers):
    """#GP, which the image does not survive."""
    done = run(runner, handlers)
    assert "triple fault" in done.stdout + done.stderr
    assert "exit port" not in done.stdout


@pytest.mark.parametrize(
    "handlers, text",
    [
        ("system.on_msr(0x1234, lambda *_: 1 / 0)", "ZeroDivisionError"),
        ("system.on_msr(0x1234, lambda *_: -1)", "number of 64 bits"),
        ("system.on_msr(0x1234, lambda *_: 'x')", "number of 64 bits"),
        ("system.on_msr(-1)", "below 2**32"),
        ("system.on_msr(0xffffffff, count=2)", "below 2**32"),
    ],
)
def test_an_error_of_the_script_is_the_script_s(runner, handlers, text):
    """It ends the run and names the line."""
    done = run(runner, handlers)
    assert text in done.stderr
    assert done.returncode == 1


@pytest.mark.skipif(bool(kvm_refusal()), reason=f"no KVM: {kvm_refusal()}")
def test_a_filter_has_room_for_some(runner):
    """The simulator needs a few of KVM's sixteen ranges itself."""
    cpu = f"X86KvmCPU ring0='kvm', filtered_msrs={list(range(1, 17))}"
    done = run(runner, "", cpu)
    assert done.returncode == 1
    assert "KVM takes no filter for so many; here at most 1" in done.stderr
