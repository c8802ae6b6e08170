# SPDX-License-Identifier: BSD-3-Clause
"""The machine of the examples: processors, a crossbar, a memory, a program.

Several sets of processors may share the seats: the first runs, the others
stand by until the script lets them take over with m5.switchCpus().
"""
import os
import shutil

from gearshift.gearbox import kvm_refusal
from m5.objects import (
    AddrRange,
    KvmVM,
    Process,
    Root,
    SEWorkload,
    SimpleMemory,
    SrcClockDomain,
    System,
    SystemXBar,
    VoltageDomain,
    X86AtomicSimpleCPU,
    X86KvmCPU,
)

FAST_CHOICES = ("auto", "kvm", "atomic")


def fast_class(choice):
    """The CPU for the parts that only have to go by."""
    why = kvm_refusal() if choice == "auto" else ""
    if why:
        print(f"without KVM ({why}): the atomic CPU goes fast, too")
    if choice == "atomic" or why:
        return X86AtomicSimpleCPU
    return X86KvmCPU


def make_root(command, *sets, num_cpus=1, mem="512MiB", clock="3GHz"):
    """A machine that runs @command.

    @sets: classes of CPUs.  Those of the first are system.cpu, those of the
    others system.cpus_2, system.cpus_3, ..., and stand by.
    """
    system = System(mem_ranges=[AddrRange(mem)])
    system.clk_domain = SrcClockDomain(
        clock=clock, voltage_domain=VoltageDomain()
    )
    system.membus = SystemXBar()
    system.system_port = system.membus.cpu_side_ports
    system.mem = SimpleMemory(range=system.mem_ranges[0])
    system.mem.port = system.membus.mem_side_ports
    system.mem_mode = sets[0].memory_mode()
    if X86KvmCPU in sets:
        system.kvm_vm = KvmVM()
    for number, cls in enumerate(sets, start=1):
        cpus = [
            cls(cpu_id=i, switched_out=number > 1) for i in range(num_cpus)
        ]
        setattr(system, f"cpus_{number}" if number > 1 else "cpu", cpus)
    for cpu in system.cpu:
        cpu.connectBus(system.membus)
    program = shutil.which(command[0]) or command[0]
    system.workload = SEWorkload.init_compatible(program)
    system.cpu[0].workload = [
        Process(
            cmd=command,
            executable=os.path.abspath(program),
            cwd=os.getcwd(),
            env=[f"{name}={value}" for name, value in os.environ.items()],
        )
    ]
    return Root(full_system=False, system=system)
