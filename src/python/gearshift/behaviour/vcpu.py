# SPDX-License-Identifier: BSD-3-Clause
"""The vCPU of a CPU: identity, registers, ring, events.

All of it exists from instantiate() on, and may be used whenever the
simulation stands still, and in callbacks.
"""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, List, NamedTuple, NoReturn, Optional

from gearshift import _core
from gearshift.errors import FatalError, script_line

NUM_GPRS = 16
_ACCESS = {"r": 0, "w": 1, "x": 2, "u": 4}


class Translation(NamedTuple):
    """What the page tables say of an address.

    If it is not mapped for that access, vector and error are the fault's.
    """

    is_mapped: bool
    paddr: int
    page_size: int
    writable: bool
    user: bool
    executable: bool
    dirty: bool
    is_global: bool
    pkey: int
    vector: int
    error: int


class RingRecord(NamedTuple):
    """A line of a ring and its tick."""

    tick: int
    text: str


class Registers:
    """Registers by name (regs.rax, regs["cs_base"]) or number (regs[4])."""

    def __init__(self, native: Any) -> None:
        object.__setattr__(self, "_native", native)

    def __getitem__(self, key: Any) -> int:
        return _core.vcpu_read_reg(self._native, _name(key))

    def __setitem__(self, key: Any, value: int) -> None:
        _core.vcpu_write_reg(self._native, _name(key), value)

    def __getattr__(self, name: str) -> int:
        if name not in _core.vcpu_reg_names():
            raise AttributeError(f"no register '{name}'")
        return self[name]

    def __setattr__(self, name: str, value: int) -> None:
        if name not in _core.vcpu_reg_names():
            raise AttributeError(f"no register '{name}'")
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(_core.vcpu_reg_names())

    def __dir__(self) -> List[str]:
        return _core.vcpu_reg_names()

    def as_dict(self) -> Dict[str, int]:
        """All registers, read one by one."""
        return {name: self[name] for name in self}


def _name(key: Any) -> str:
    if isinstance(key, str):
        return key
    if not 0 <= key < NUM_GPRS:
        raise IndexError(f"no general register {key}")
    return _core.vcpu_reg_names()[key]


class Ring:
    """The trace ring of a vCPU, as it is now."""

    def __init__(self, native: Any) -> None:
        self._native = native

    @property
    def address(self) -> int:
        """Where it lies in this process; util/ring_scan.py finds it."""
        return int(_core.vcpu_ring(self._native)["address"])

    @property
    def size(self) -> int:
        """Bytes of records that it holds."""
        return int(_core.vcpu_ring(self._native)["size"])

    @property
    def dropped(self) -> int:
        """Records that made room for newer ones."""
        return int(_core.vcpu_ring(self._native)["dropped"])

    @property
    def lost(self) -> int:
        """Records that were too large, or came while another was written."""
        return int(_core.vcpu_ring(self._native)["lost"])

    @property
    def records(self) -> List[RingRecord]:
        """Oldest first."""
        return [
            RingRecord(*record)
            for record in _core.vcpu_ring(self._native)["records"]
        ]

    def text(self) -> str:
        """The records as lines."""
        return "".join(f"{tick}: {text}\n" for tick, text in self.records)


class VcpuMethods:
    """The vCPU of a BaseCPU."""

    def _identity(self: Any, what: str) -> Any:
        return _core.vcpu_identity(self.getCCObject())[what]

    @property
    def id(self: Any) -> int:
        """VM in the upper half, index in the lower."""
        return int(self._identity("id"))

    @property
    def vm_id(self: Any) -> int:
        """0: the host's VM."""
        return int(self._identity("vm_id"))

    @property
    def state(self: Any) -> str:
        """Where it stands in its life: "FREE", "READY", "RUNNING"..."""
        return str(self._identity("state"))

    @property
    def back_end(self: Any) -> str:
        """What executes."""
        return str(self._identity("back_end"))

    @property
    def is_bsp(self: Any) -> bool:
        """Whether it is the first of its VM."""
        return bool(self._identity("is_bsp"))

    @property
    def is_bootstrap(self: Any) -> bool:
        """Whether its id is 0."""
        return bool(self._identity("is_bootstrap"))

    @property
    def is_host_vm(self: Any) -> bool:
        """Whether it is of VM 0."""
        return bool(self._identity("is_host_vm"))

    @property
    def is_guest_vm(self: Any) -> bool:
        """Whether it is of another VM."""
        return bool(self._identity("is_guest_vm"))

    @property
    def is_running(self: Any) -> bool:
        """Whether the guest executes right now."""
        return bool(self._identity("is_running"))

    @property
    def is_initialized(self: Any) -> bool:
        """Whether it is past its initialisation."""
        return bool(self._identity("is_initialized"))

    @property
    def bound_thread(self: Any) -> Optional[int]:
        """Number of the host's thread that runs it."""
        return self._identity("bound_thread") or None

    @property
    def regs(self: Any) -> Registers:
        """Registers; what is written counts from the next instruction on."""
        return Registers(self.getCCObject())

    @property
    def rip(self: Any) -> int:
        """Offset of the next instruction in the code segment."""
        return _core.vcpu_read_reg(self.getCCObject(), "rip")

    @property
    def pc(self: Any) -> int:
        """Linear address of the next instruction."""
        return _core.vcpu_pc(self.getCCObject())

    @property
    def mode(self: Any) -> str:
        """ "real", "virtual-8086", "protected", "compatibility", "64-bit"."""
        return _core.vcpu_mode(self.getCCObject())

    def translate(self: Any, va: int, access: str = "r") -> Translation:
        """Walk the page tables, changing nothing.

        access: letters of "r", "w", "x", and "u" for an access of ring 3.
        """
        bits = 0
        for letter in access:
            if letter not in _ACCESS:
                raise ValueError(f"no access '{letter}'; use r, w, x, u")
            bits |= _ACCESS[letter]
        return Translation(
            **_core.vcpu_translate(self.getCCObject(), va, bits)
        )

    @property
    def ring(self: Any) -> Ring:
        """What was recorded about this CPU."""
        return Ring(self.getCCObject())

    def write(self: Any, text: str) -> bool:
        """Add a line to the ring; False if it was too long."""
        return _core.vcpu_write(self.getCCObject(), text)

    @contextlib.contextmanager
    def takes_messages(self: Any) -> Iterator[None]:
        """In a with statement: messages of all objects go to this ring.

        They are still printed, and in the ring of the object that they are
        about.  Else the ring of the first CPU has them.
        """
        native = self.getCCObject()
        if not _core.log_push(native):
            raise FatalError(
                f"{self.path()}: too many rings take messages already",
                script_line(),
            )
        try:
            yield
        finally:
            _core.log_pop(native)

    def dump(self: Any) -> str:
        """Everything there is to know about the vCPU."""
        return _core.vcpu_dump(self.getCCObject())

    def inject(
        self: Any,
        kind: str,
        vector: int = 0,
        error: Optional[int] = None,
        addr: int = 0,
    ) -> None:
        """Queue an event: "exception", "nmi", "interrupt".

        error: the error code to push; addr: what a page fault puts in CR2.
        """
        _core.vcpu_inject(self.getCCObject(), kind, vector, error, addr)

    @property
    def pending_events(self: Any) -> List[Any]:
        """(kind, vector, error code) of what is queued, first to last."""
        return _core.vcpu_pending_events(self.getCCObject())

    def set_entry(self: Any, entry: int, arg: int = 0) -> None:
        """Go on at a linear address, with @arg in RAX."""
        _core.vcpu_start_at(self.getCCObject(), entry, arg)

    def set_gpr(self: Any, index: int, value: int) -> None:
        """Set a general register by the number of its encoding."""
        self.regs[index] = value

    def trace_runs(self: Any, runs: bool = True, regs: bool = False) -> None:
        """Record each run, or the registers that it changed, in the ring."""
        _core.vcpu_trace(self.getCCObject(), runs, regs)

    def __copy__(self: Any) -> NoReturn:
        raise TypeError(f"{self.path()}: a CPU cannot be copied")

    def __reduce__(self: Any) -> NoReturn:
        raise TypeError(f"{self.path()}: a CPU cannot be pickled")


MIXINS = {"BaseCPU": VcpuMethods}
