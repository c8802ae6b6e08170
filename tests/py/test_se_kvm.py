# SPDX-License-Identifier: BSD-3-Clause
"""Programs under KVM: what only that CPU model could get wrong."""

import re
import subprocess

import pytest
from conftest import ROOT

from gearshift.gearbox import kvm_refusal

GUEST = ROOT / "build/guest/c"
WHY = kvm_refusal()
needs_kvm = pytest.mark.skipif(bool(WHY), reason=f"no KVM: {WHY}")


def output(runner, program, *options):
    """What a guest program prints; its errors must be none."""
    done = runner.run("se", *options, str(GUEST / program))
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_kvm
def test_cpuid_is_that_of_the_other_models(runner):
    told = output(runner, "cpuid", "--cpu=kvm", "--model=x86-64-v2")
    assert told == output(runner, "cpuid", "--model=x86-64-v2")
    assert told != output(runner, "cpuid", "--cpu=kvm")


@needs_kvm
@pytest.mark.parametrize("count", [1, 2, 4])
def test_threads_share_memory_over_cpus(runner, count):
    native = subprocess.run(
        [GUEST / "threads"], capture_output=True, text=True, check=True
    )
    told = output(runner, "threads", "--cpu=kvm", f"--cpus={count}")
    assert told == native.stdout


def test_a_missing_device_is_told(runner):
    done = runner.script(
        "import m5\n"
        "from m5.objects import *\n"
        "system = System(mem_ranges=[AddrRange('64MiB')])\n"
        "system.clk_domain = SrcClockDomain(\n"
        "    clock='1GHz', voltage_domain=VoltageDomain())\n"
        "system.membus = SystemXBar()\n"
        "system.mem = SimpleMemory(range=system.mem_ranges[0])\n"
        "system.mem.port = system.membus.mem_side_ports\n"
        "system.workload = X86EmuLinux()\n"
        "system.kvm_vm = KvmVM(device='/nowhere/kvm')\n"
        "system.cpu = X86KvmCPU()\n"
        "system.cpu.connectBus(system.membus)\n"
        "root = Root(full_system=False, system=system)\n"
        "m5.instantiate()\n"
        "print('built')\n"
        "m5.simulate()\n"
    )
    assert done.returncode == 1
    assert "/nowhere/kvm" in done.stderr
    assert "Traceback" not in done.stderr


SCRIPT = """
import sys
import m5
from m5.objects import *
system = System(mem_ranges=[AddrRange('256MiB')])
system.clk_domain = SrcClockDomain(
    clock='3GHz', voltage_domain=VoltageDomain())
system.membus = SystemXBar()
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports
system.workload = X86EmuLinux()
system.kvm_vm = KvmVM(coalescedMMIO=[AddrRange(0xD0000000, size=4096)])
system.cpu = [
    X86KvmCPU(
        cpu_id=i,
        alwaysSyncTC=sys.argv[2] == "always",
        coreInsts=0,
        usePerfOverflow=True,
    )
    for i in range(int(sys.argv[1]))
]
for cpu in system.cpu:
    cpu.connectBus(system.membus)
system.cpu[0].workload = [Process(cmd=sys.argv[3:])]
root = Root(full_system=False, system=system)
m5.instantiate()
m5.simulate()
"""


@needs_kvm
def test_state_that_always_travels_is_the_same(runner):
    command = [str(GUEST / "gears"), "4", "8"]
    native = subprocess.run(
        command, capture_output=True, text=True, check=True
    )
    done = runner.script(SCRIPT, "2", "always", *command)
    assert done.returncode == 0, done.stderr
    assert native.stdout in done.stdout
    assert "usePerfOverflow" in done.stderr


@needs_kvm
@pytest.mark.parametrize("threads,changes", [("1", "300"), ("4", "100")])
def test_no_translation_outlives_its_mapping(runner, threads, changes):
    """The core takes no turns: KVM makes every access itself."""
    command = [str(GUEST / "stale"), threads, changes]
    native = subprocess.run(
        command, capture_output=True, text=True, check=True
    )
    done = runner.script(SCRIPT, threads, "seldom", *command)
    assert done.returncode == 0, done.stderr
    assert native.stdout in done.stdout


@needs_kvm
def test_nothing_is_kept_of_a_table_whose_frame_is_used_again(runner):
    """Some hosts forget it themselves, so that all is dropped counts, too."""
    command = [str(GUEST / "tables"), "300"]
    native = subprocess.run(
        command, capture_output=True, text=True, check=True
    )
    done = runner.script(SCRIPT, "1", "seldom", *command)
    assert done.returncode == 0, done.stderr
    assert native.stdout in done.stdout
    stats = runner.path("m5out/stats.txt").read_text(encoding="utf-8")
    (dropped,) = re.findall(r"kvm_vm.numInvalidations +(\d+)", stats)
    assert int(dropped) > 0


@needs_kvm
def test_pseudo_operations_work_in_all_forms(runner):
    tool = ROOT / "build/guest/m5/m5"
    for form in ("--inst", "--addr"):
        done = runner.run("se", "--cpu=kvm", str(tool), form, "sum", "1", "2")
        assert "3" in done.stdout + done.stderr, (form, done)
        done = runner.run("se", "--cpu=kvm", str(tool), form, "exit")
        assert "m5_exit instruction encountered" in done.stderr, (form, done)


ONE_REG = """\
import m5
from m5.objects import *
from gearshift.kvm import KvmError

U64 = 0x2030000000000000
EFER = U64 | 2 << 32 | 0xC0000080  # as KVM numbers MSRs, where it does
TSC_AUX = U64 | 2 << 32 | 0xC0000103

def told(call, *args):
    try:
        return call(*args)
    except KvmError as error:
        return f"{error.ioctl} {error.errno} {error.message}"

root = Root(full_system=False, system=System(mem_ranges=[AddrRange("64MiB")]))
system = root.system
system.clk_domain = SrcClockDomain(
    clock="1GHz", voltage_domain=VoltageDomain()
)
system.membus = SystemXBar()
system.system_port = system.membus.cpu_side_ports
system.mem = SimpleMemory(range=system.mem_ranges[0])
system.mem.port = system.membus.mem_side_ports
system.workload = X86EmuLinux()
system.kvm_vm = KvmVM()
system.cpu = X86KvmCPU(workload=Process(cmd=["/bin/true"]))
system.cpu.connectBus(system.membus)
m5.instantiate()
print(told(system.cpu.getOneReg, EFER))
m5.simulate()
print(told(system.cpu.getOneReg, U64 | 0x7777))
print(told(system.cpu.setOneReg, U64 | 0x7777, 5))
print(told(system.cpu.getOneReg, EFER))
print(told(system.cpu.setOneReg, TSC_AUX, 77))
print(told(system.cpu.getOneReg, TSC_AUX))
try:
    system.cpu.setOneReg(TSC_AUX, 1 << 64)
except OverflowError:
    print("too large")
"""


@needs_kvm
def test_a_single_register_of_the_vcpu_is_read_and_set(runner):
    """Or refused with KVM's word: only newer kernels have numbers for x86."""
    done = runner.script(ONE_REG)
    lines = done.stdout.splitlines()
    assert lines[0].endswith("from the first simulate() on"), done.stderr
    for line, name in zip(lines[1:3], ["KVM_GET_ONE_REG", "KVM_SET_ONE_REG"]):
        assert line.endswith(
            f"cpu: {name}: register 0x2030000000007777: Invalid argument"
        )
        assert line.startswith(f"{name} 22 system.")
    if lines[3].startswith("KVM_GET_ONE_REG 22"):
        assert lines[4].startswith("KVM_SET_ONE_REG 22")
        assert lines[5].startswith("KVM_GET_ONE_REG 22")
    else:
        assert int(lines[3]) & 0x501 == 0x501  # LMA, LME, SCE
        assert lines[4:6] == ["None", "77"]
    assert lines[6] == "too large"
