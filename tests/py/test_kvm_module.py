# SPDX-License-Identifier: BSD-3-Clause
"""gearshift.kvm beside a kernel that the test plays, and the host's own."""

import ctypes
import errno
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import BUILD, COMMAND, ROOT

from gearshift import kvm
from gearshift.errors import FatalError

GUEST = ROOT / "build/guest/c"
WHY = kvm.refusal()
needs_kvm = pytest.mark.skipif(bool(WHY), reason=WHY)


_MAKERS = ("KVM_CREATE_VM", "KVM_CREATE_VCPU")


class Kernel:
    """KVM with every capability, two leaves and three MSRs."""

    def __init__(self, **answers):
        self.answers = {
            "open": 5,
            "KVM_GET_API_VERSION": 12,
            "KVM_GET_VCPU_MMAP_SIZE": 12288,
            "KVM_CHECK_EXTENSION": 1,
            **answers,
        }
        self.asked = []
        self.open_fds = 0

    def open(self, _path):
        """A descriptor or an error."""
        self.open_fds += self.answers["open"] > 0
        return self.answers["open"]

    def close(self, _fd):
        """Counts."""
        self.open_fds -= 1
        return 0

    def ioctl(self, _fd, name, arg):
        """An answer of the table, or a list."""
        self.asked.append(name)
        answer = self.answers.get(name)
        if answer is not None:
            self.open_fds += name in _MAKERS and answer > 0
            return answer
        words = ctypes.cast(arg, ctypes.POINTER(ctypes.c_uint32))
        if name == "KVM_GET_SUPPORTED_CPUID":
            assert words[0] >= 2
            words[0] = 2
            for i in range(20):
                words[2 + i] = 100 + i
        elif "MSR" in name:
            words[0] = 3
            words[1], words[2], words[3] = 0x10, 0x174, 0xC0000081
        return 0


def test_the_lists_are_those_of_the_kernel():
    kernel = Kernel()
    first, second = kvm.supported_cpuid(kernel=kernel)
    assert first == kvm.CpuidEntry(100, 101, 102, 103, 104, 105, 106)
    assert second.function == 110
    assert kvm.supported_msrs(kernel=kernel) == [0x10, 0x174, 0xC0000081]
    assert kvm.feature_msrs(kernel=kernel) == [0x10, 0x174, 0xC0000081]
    assert kernel.open_fds == 0


def test_a_request_that_fails_is_named():
    kernel = Kernel(KVM_GET_SUPPORTED_CPUID=-errno.EIO)
    with pytest.raises(kvm.KvmError) as raised:
        kvm.supported_cpuid(kernel=kernel)
    assert raised.value.errno == errno.EIO
    assert raised.value.ioctl == "KVM_GET_SUPPORTED_CPUID"
    assert "KVM_GET_SUPPORTED_CPUID: Input/output error" in str(raised.value)
    assert "test_kvm_module.py" in str(raised.value)
    assert not isinstance(raised.value, kvm.KvmUnavailable)
    assert kernel.open_fds == 0


def test_a_list_that_grows_is_asked_for_again():
    class Growing(Kernel):
        """Refuses the first, small list."""

        def ioctl(self, fd, name, arg):
            if name == "KVM_GET_SUPPORTED_CPUID" and name not in self.asked:
                self.asked.append(name)
                return -errno.E2BIG
            return super().ioctl(fd, name, arg)

    assert len(kvm.supported_cpuid(kernel=Growing())) == 2


@pytest.mark.parametrize(
    "error,hint",
    [
        (errno.ENOENT, "module"),
        (errno.EACCES, "group kvm"),
        (errno.EBUSY, "another"),
    ],
)
def test_a_device_that_does_not_open_has_a_hint(error, hint):
    kernel = Kernel(open=-error)
    with pytest.raises(kvm.KvmUnavailable) as raised:
        kvm.check(kernel=kernel)
    assert raised.value.errno == error
    assert raised.value.ioctl == "open"
    assert hint in str(raised.value)
    assert isinstance(raised.value, FatalError)
    assert not kvm.available(kernel=kernel)
    assert kvm.refusal(kernel=kernel).startswith("no KVM: /dev/kvm: ")


@pytest.mark.parametrize(
    "name", ["KVM_CREATE_VM", "KVM_CREATE_VCPU", "KVM_SET_USER_MEMORY_REGION"]
)
def test_a_vm_that_cannot_be_made_is_told(name):
    kernel = Kernel(**{name: -errno.EBUSY})
    for other in ("KVM_CREATE_VM", "KVM_CREATE_VCPU"):
        kernel.answers.setdefault(other, 7)
    with pytest.raises(kvm.KvmUnavailable, match="another hyp") as raised:
        kvm.check(kernel=kernel)
    assert f"makes no VM: {name}: Device or resource" in str(raised.value)
    assert raised.value.errno == errno.EBUSY
    assert kernel.open_fds == 0


def test_capabilities_have_names_and_zero_where_they_miss():
    kernel = Kernel(KVM_CHECK_EXTENSION=3)
    caps = kvm.capabilities(kernel=kernel)
    assert set(caps.values()) == {3}
    assert {"USER_MEMORY", "SYNC_REGS", "ONE_REG"} < set(caps)
    with pytest.raises(kvm.KvmUnavailable, match="lacks KVM_CAP_USER_MEMORY"):
        kvm.capabilities(kernel=Kernel(KVM_CHECK_EXTENSION=0))


def test_a_kernel_that_raises_is_an_error_of_the_host(monkeypatch):
    class Broken(Kernel):
        """Fails in Python."""

        def ioctl(self, fd, name, arg):
            raise ValueError("no answer")

    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    with pytest.raises(kvm.KvmUnavailable, match="not a KVM device"):
        kvm.check(kernel=Broken())
    assert str(told[0].exc_value) == "no answer"


def test_a_missing_device_ends_a_script_without_a_traceback(runner):
    done = runner.script(
        "from gearshift import kvm\nprint(kvm.available('/nowhere'))\n"
        "kvm.check('/nowhere')\n"
    )
    assert done.returncode == 1
    assert done.stdout == "False\n"
    assert "no KVM: /nowhere: No such file or directory" in done.stderr
    assert "script.py:3" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_probe_is_what_the_command_prints(runner):
    told = json.loads(runner.run("kvm-info", "--json").stdout)
    info = kvm.probe()
    assert bool(info["reason"]) == bool(told["reason"]) == bool(WHY)
    assert set(info) == set(told)
    assert kvm.probe("/nowhere")["reason"].startswith("/nowhere: No such")
    if "probe" in told:
        for name in ("vendor", "ring0", "runs_ring3", "stub_addr"):
            assert info["probe"][name] == told["probe"][name]


@needs_kvm
def test_the_host_has_lists():
    kvm.check()
    assert kvm.available()
    assert len(kvm.supported_cpuid()) > 2
    assert kvm.supported_cpuid()[0].function == 0
    assert 0xC0000081 in kvm.supported_msrs()
    caps = kvm.capabilities()
    assert caps["USER_MEMORY"] == 1
    rows = {row[1]: row[2] for row in kvm.probe()["caps"]}
    assert rows == caps


def test_the_example_of_the_guide_runs(runner):
    text = (ROOT / "docs/gears.md").read_text(encoding="utf-8")
    (example,) = [
        block
        for block in re.findall(r"```python\n(.*?)```", text, re.S)
        if "from gearshift import kvm" in block
    ]
    done = runner.script(example)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(WHY or kvm.probe()["probe"]["ring0"])
    done = runner.script(example.replace("check()", "check('/nowhere')"))
    assert done.stdout.startswith("no KVM: /nowhere: No such file")


MACHINE = """
import m5
from m5.objects import *

def system(program, memory, kvm_vm, **params):
    made = System(mem_ranges=[AddrRange(memory)])
    made.clk_domain = SrcClockDomain(
        clock="3GHz", voltage_domain=VoltageDomain())
    made.membus = SystemXBar()
    made.mem = SimpleMemory(range=made.mem_ranges[0])
    made.mem.port = made.membus.mem_side_ports
    made.workload = X86EmuLinux()
    made.kvm_vm = kvm_vm
    made.cpu = [X86KvmCPU(cpu_id=i, **params) for i in range(2)]
    for cpu in made.cpu:
        cpu.connectBus(made.membus)
    made.cpu[0].workload = [Process(cmd=program)]
    return made
"""


@needs_kvm
def test_slots_and_vcpus_are_listed_after_the_start(runner):
    done = runner.script(
        MACHINE
        + """
root = Root(full_system=False)
root.system = system(["/bin/true"], "256MiB", KvmVM())
vm = root.system.kvm_vm
print(vm.slots(), vm.vcpus(), vm.fd, vm.is_started)
m5.instantiate()
print(vm.slots(), vm.vcpus(), vm.fd, vm.is_started)
m5.simulate(1000)
print(vm.is_started, vm.fd > 2, [slot[1:] for slot in vm.slots()])
print([(v.id, v.fd > 2, v.cpu.path()) for v in vm.vcpus()])
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[] [] -1 False",
        "[] [] -1 False",
        f"True True [(0, {256 << 20}, False, False)]",
        "[(0, True, 'system.cpu0'), (1, True, 'system.cpu1')]",
    ]


@needs_kvm
def test_each_dump_prints_its_part(runner):
    done = runner.script(
        MACHINE
        + """
root = Root(full_system=False)
root.system = system(["/bin/true"], "256MiB", KvmVM())
m5.instantiate()
m5.simulate(1000)
cpu = root.system.cpu[0]
for name in ("IntRegs", "SpecRegs", "FpuRegs", "XSave", "XCRs", "MSRs",
             "DebugRegs", "VCpuEvents"):
    print("=", name)
    getattr(cpu, "dump" + name)()
whole = cpu.dump()
print("=", "rip" in whole, "xsave" in whole)
"""
    )
    assert done.returncode == 0, done.stderr
    parts = dict(part.split("\n", 1) for part in done.stdout.split("= ")[1:-1])
    for name, word in {
        "IntRegs": "rsp",
        "SpecRegs": "cr3",
        "FpuRegs": "xsave",
        "XSave": "xsave",
        "XCRs": "xcr0",
        "MSRs": "lstar",
        "DebugRegs": "dr7",
        "VCpuEvents": "events",
    }.items():
        assert word in parts[name], (name, parts[name])
    assert "rsp" not in parts["SpecRegs"]
    assert done.stdout.endswith("= True True\n")


@needs_kvm
def test_two_vms_run_side_by_side(runner):
    """The same addresses, other programs: neither sees the other's."""
    done = runner.script(
        MACHINE
        + """
import sys
root = Root(full_system=False)
root.one = system([sys.argv[1], "3", "5"], "256MiB", KvmVM(), coreInsts=0)
root.two = system([sys.argv[1], "4", "6"], "128MiB", KvmVM(), coreInsts=0)
m5.instantiate()
for _ in range(2):
    print(m5.simulate().getCause())
for each in (root.one, root.two):
    print("=", [slot.size >> 20 for slot in each.kvm_vm.slots()],
          [(v.id, v.cpu.path()) for v in each.kvm_vm.vcpus()],
          [(cpu.vm_id, cpu.is_guest_vm, cpu.is_bsp) for cpu in each.cpu])
print("=", root.one.kvm_vm.fd != root.two.kvm_vm.fd)
""",
        str(GUEST / "gears"),
    )
    assert done.returncode == 0, done.stderr
    for words in (["3", "5"], ["4", "6"]):
        native = subprocess.run(
            [GUEST / "gears", *words],
            capture_output=True,
            text=True,
            check=True,
        )
        assert native.stdout in done.stdout
    assert done.stdout.count("exiting with last active thread context\n") == 2
    assert [line for line in done.stdout.splitlines() if line[0] == "="] == [
        "= [256] [(0, 'one.cpu0'), (1, 'one.cpu1')]"
        " [(0, False, True), (0, False, False)]",
        "= [128] [(0, 'two.cpu0'), (1, 'two.cpu1')]"
        " [(1, True, True), (1, True, False)]",
        "= True",
    ]


# ------------------------------------------------ as a user without permission


def as_stranger(*words):
    """The command as a user who is in no group."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv")
    if not os.path.exists(kvm.DEVICE):
        pytest.skip(f"no {kvm.DEVICE}")
    if os.stat(kvm.DEVICE).st_mode & 0o006:
        pytest.skip(f"{kvm.DEVICE} is open to everyone")
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run(
        [*become, "test", "-r", COMMAND, "-a", "-r", BUILD / "python"],
        check=False,
    ).returncode:
        pytest.skip(f"others cannot read {BUILD}")
    return subprocess.run(
        [*become, COMMAND, *words],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


DENIED = "/dev/kvm: Permission denied; is the user in group kvm? (sudo usermod"


def test_a_stranger_is_told_how_to_get_permission():
    done = as_stranger("kvm-info")
    assert done.returncode == 1
    assert done.stderr.startswith(f"KVM is not usable: {DENIED}")
    done = as_stranger("se", "--cpu=kvm", "/bin/true")
    assert done.returncode == 1
    assert done.stderr.startswith(f"fatal: system.kvm_vm: no KVM: {DENIED}")
    assert done.stderr.count("\n") == 1


def test_a_stranger_gets_the_functional_cpu_and_hears_of_it():
    done = as_stranger("se", "--cpu=auto", "/bin/echo", "runs")
    assert done.returncode == 0
    assert done.stdout == "runs\n"
    assert f"gearshift: --cpu=auto takes atomic: {DENIED}" in done.stderr
