# SPDX-License-Identifier: BSD-3-Clause
"""The host's KVM, for scripts that want to know before they use it.

    from gearshift import kvm

    if kvm.available():
        print(kvm.probe()["ring0"], kvm.capabilities()["NR_MEMSLOTS"])
    else:
        print(kvm.refusal())

Nothing here is needed to use KVM: X86KvmCPU opens the device itself when the
simulation starts.  Each function takes the device's path, and asks the host
when it is called.  `kernel` is for tests: an object with open(path), close(fd)
and ioctl(fd, name, arg) that stands in the place of the host; they return 0 or
more, or -errno, and `arg` is a number or an address, as for ioctl(2).
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

from gearshift import _core
from gearshift.errors import KvmError, KvmUnavailable

__all__ = [
    "CpuidEntry",
    "DEVICE",
    "KvmError",
    "KvmUnavailable",
    "available",
    "capabilities",
    "check",
    "feature_msrs",
    "probe",
    "refusal",
    "supported_cpuid",
    "supported_msrs",
]

DEVICE = "/dev/kvm"


class CpuidEntry(NamedTuple):
    """A leaf of CPUID that KVM offers to guests."""

    function: int
    index: int  # type: ignore[assignment]
    flags: int
    eax: int
    ebx: int
    ecx: int
    edx: int


def check(device: str = DEVICE, kernel: Optional[Any] = None) -> None:
    """Raise KvmUnavailable, with what --cpu=kvm would say, unless programs can
    run under KVM here.  A VM of a few instructions is run to find out."""
    _core.KvmHost(device, kernel).check()


def available(device: str = DEVICE, kernel: Optional[Any] = None) -> bool:
    """Whether check() raises nothing."""
    return not refusal(device, kernel)


def refusal(device: str = DEVICE, kernel: Optional[Any] = None) -> str:
    """The message of check(), "" if there is none."""
    try:
        check(device, kernel)
    except KvmUnavailable as error:
        return error.message
    return ""


def capabilities(
    device: str = DEVICE, kernel: Optional[Any] = None
) -> Dict[str, int]:
    """KVM_CAP_X by the name X: KVM's value, 0 where it is missing.

    `gearshift kvm-info` tells what each is for.
    """
    return _core.KvmHost(device, kernel).capabilities()


def supported_cpuid(
    device: str = DEVICE, kernel: Optional[Any] = None
) -> List[CpuidEntry]:
    """What KVM offers as a guest's CPUID, in its order.

    Not what guests are given: that is the parameter `model` of a CPU.
    """
    rows = _core.KvmHost(device, kernel).supported_cpuid()
    return [CpuidEntry(*row) for row in rows]


def supported_msrs(
    device: str = DEVICE, kernel: Optional[Any] = None
) -> List[int]:
    """Numbers of the MSRs that KVM saves and restores."""
    return _core.KvmHost(device, kernel).supported_msrs()


def feature_msrs(
    device: str = DEVICE, kernel: Optional[Any] = None
) -> List[int]:
    """Numbers of the MSRs that tell what the host has."""
    return _core.KvmHost(device, kernel).feature_msrs()


def probe(device: str = DEVICE) -> Dict[str, Any]:
    """What `gearshift kvm-info --json` prints.

    "reason" is why KVM cannot be used, "" if it can; "path"; and where the
    device could be opened "api_version", "caps" as (number, name, value, is
    needed, purpose), and "probe": what a VM of a few instructions found.
    """
    return _core.kvm_info(device)
