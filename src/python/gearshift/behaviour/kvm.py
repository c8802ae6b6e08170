# SPDX-License-Identifier: BSD-3-Clause
"""KvmVM and the CPUs that it runs: what the host has made of them."""

from __future__ import annotations

from typing import Any, List, NamedTuple

from gearshift import _core


class Slot(NamedTuple):
    """Guest RAM that KVM maps; addresses and sizes in bytes."""

    number: int
    gpa: int
    size: int
    read_only: bool
    logs_dirty: bool


class KvmVcpu(NamedTuple):
    """A vCPU of the host: KVM's number for it, and the CPU that it is."""

    id: int
    fd: int
    cpu: Any


class KvmVMMethods:
    """What there is after the first simulate(); nothing before it."""

    @property
    def is_started(self: Any) -> bool:
        """Whether guest RAM is mapped."""
        return bool(self._told("is_started", False))

    @property
    def fd(self: Any) -> int:
        """The descriptor of the host's VM; -1: there is none yet."""
        return int(self._told("fd", -1))

    def slots(self: Any) -> List[Slot]:
        """The memory slots that are mapped, by number."""
        return [Slot(*row) for row in self._told("slots", [])]

    def vcpus(self: Any) -> List[KvmVcpu]:
        """The vCPUs that are open, by number; a CPU that stands by has one."""
        if self._native is None:
            return []
        found = []
        for obj in _top(self).descendants():
            info = obj._native and _core.kvm_vcpu_info(obj._native)
            if info and info["vm"] == self._native.path:
                found.append(KvmVcpu(info["id"], info["fd"], obj))
        return sorted(found, key=lambda vcpu: vcpu.id)

    def _told(self: Any, name: str, before: Any) -> Any:
        if self._native is None:
            return before
        return _core.kvm_vm_info(self._native)[name]


def _top(obj: Any) -> Any:
    while obj.get_parent() is not None:
        obj = obj.get_parent()
    return obj


def _print(cpu: Any, group: str) -> None:
    print(_core.vcpu_dump_group(cpu.getCCObject(), group), end="", flush=True)


# Where KVM's number of a register has the base 2 logarithm of its bytes.
_REG_SIZE_SHIFT = 52


class KvmRegisterMethods:
    """gem5's access to one register of the host's vCPU, by KVM's number.

    These are the vCPU's own, for what the simulator does not carry: what it
    does carry may be newer in `cpu.regs`, and goes in at the next entry.
    KvmError where KVM refuses: kernels know few numbers on x86, or none.
    """

    def getOneReg(self: Any, number: int) -> int:
        """The value."""
        value = _core.kvm_get_reg(self.getCCObject(), number)
        return int.from_bytes(value, "little")

    def setOneReg(self: Any, number: int, value: int) -> None:
        """Set it; the value must fit into the size that @number tells."""
        size = 1 << (number >> _REG_SIZE_SHIFT & 15)
        _core.kvm_set_reg(
            self.getCCObject(), number, value.to_bytes(size, "little")
        )


class KvmDumpMethods:
    """gem5's dumps: each prints; `cpu.dump()` returns all of it as text."""

    def dumpIntRegs(self: Any) -> None:
        """General registers, RIP, RFLAGS."""
        _print(self, "registers")

    def dumpSpecRegs(self: Any) -> None:
        """Segments, tables, control registers, EFER."""
        _print(self, "sregs")

    def dumpFpuRegs(self: Any) -> None:
        """x87 and vector registers, as XSAVE lays them out."""
        _print(self, "xsave")

    def dumpXSave(self: Any) -> None:
        """The image of XSAVE; lines of zeros are left out."""
        _print(self, "xsave")

    def dumpXCRs(self: Any) -> None:
        """XCR0."""
        _print(self, "xcrs")

    def dumpMSRs(self: Any) -> None:
        """MSRs."""
        _print(self, "msrs")

    def dumpDebugRegs(self: Any) -> None:
        """DR0 to DR7."""
        _print(self, "debug")

    def dumpVCpuEvents(self: Any) -> None:
        """Exceptions, NMIs and interrupts on their way."""
        _print(self, "events")


MIXINS = {
    "KvmVM": KvmVMMethods,
    "BaseKvmCPU": KvmRegisterMethods,
    "X86KvmCPU": KvmDumpMethods,
}
