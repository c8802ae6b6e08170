# SPDX-License-Identifier: BSD-3-Clause
"""CPUs: the methods that gem5's scripts call on them."""

from __future__ import annotations

from typing import Any, Optional

from gearshift import _core
from gearshift.errors import FatalError, StateError, script_line
from gearshift.stops import Stop, add_stop

# What a class of CPUs needs of the memory system, with gem5's words; a class
# that is not here cannot take over from another one.
MEMORY_MODES = {
    "X86AtomicSimpleCPU": "atomic",
    "X86KvmCPU": "atomic_noncaching",
}


def _memory_mode(cls: Any) -> str:
    for base in cls.__mro__:
        if base.__name__ in MEMORY_MODES:
            return MEMORY_MODES[base.__name__]
    return "invalid"


class ChangeMethods:
    """Changing gear and stopping: methods of BaseCPU."""

    @classmethod
    def memory_mode(cls: Any) -> str:
        """The mode of the System that CPUs of this class need."""
        return _memory_mode(cls)

    @classmethod
    def require_caches(cls: Any) -> bool:
        """Whether the class runs only with caches."""
        return False

    @classmethod
    def support_take_over(cls: Any) -> bool:
        """Whether CPUs of this class can take over from others."""
        return _memory_mode(cls) != "invalid"

    def switchedOut(self: Any) -> bool:
        """Whether the CPU stands by while another one runs in its place."""
        if self._native is None:
            return bool(self.switched_out)
        return _core.cpu_is_switched_out(self._native)

    def switchOut(self: Any) -> None:
        """Stop running; the simulation must be drained."""
        _check_drained(self, "switchOut()")
        _blame(_core.cpu_switch_out, self.getCCObject())

    def checkTakeOver(self: Any, old: Any) -> None:
        """An error unless this is the same processor as @old."""
        _blame(_core.cpu_check_pair, self.getCCObject(), old.getCCObject())

    def takeOverFrom(self: Any, old: Any) -> None:
        """Go on where @old, which is switched out, has stopped."""
        _check_drained(self, "takeOverFrom()")
        _blame(_core.cpu_take_over, self.getCCObject(), old.getCCObject())

    def totalInsts(self: Any) -> int:
        """Instructions that this object has executed."""
        return _core.cpu_num_insts(self.getCCObject())

    def countsInsts(self: Any) -> bool:
        """Whether the instructions that this CPU executes are counted."""
        return _core.cpu_counts_insts(self.getCCObject())

    def getCurrentInstCount(self: Any, tid: int = 0) -> int:
        """The same; there is one thread."""
        _check_thread(self, tid)
        return _core.cpu_num_insts(self.getCCObject())

    def scheduleInstStop(self: Any, tid: int, insts: int, cause: str) -> None:
        """End simulate() with this cause after so many instructions more."""
        _check_thread(self, tid)
        if insts < 0:
            raise FatalError(
                f"{self.path()}: cannot stop after {insts} instructions",
                script_line(),
            )
        _blame(_core.cpu_stop_after, self.getCCObject(), int(insts), cause)

    def cancelInstStops(self: Any, cause: str) -> None:
        """Forget the instruction stops that would give this cause."""
        _core.cpu_cancel_stops(self.getCCObject(), cause)


def _blame(call: Any, *args: Any) -> None:
    """Let an error of the core name the script's line."""
    try:
        call(*args)
    except FatalError as error:
        raise FatalError(str(error), script_line()) from None


def _check_thread(cpu: Any, tid: int) -> None:
    if tid != 0:
        raise FatalError(
            f"{cpu.path()}: there is no thread {tid}; a CPU has one, 0",
            script_line(),
        )


def _check_drained(cpu: Any, what: str) -> None:
    cpu.getCCObject()
    if not cpu._simulation.is_drained:
        raise StateError(
            f"{cpu.path()}: {what} needs a drained simulation; call "
            "m5.drain() before it, or use m5.switchCpus()",
            script_line(),
        )


class BaseCPUMethods(ChangeMethods):
    """Set-up methods of BaseCPU."""

    def createThreads(self: Any) -> None:
        """There is one thread, and it exists already."""

    def createInterruptController(self: Any) -> None:
        """One local APIC, to be wired by the script: `cpu.interrupts[0]`."""
        from gearshift import objects

        self.interrupts = [objects.X86LocalApic()]

    def connectAllPorts(
        self: Any, cached_in: Any, uncached_in: Any = None, _out: Any = None
    ) -> None:
        """Both ports to one bus."""
        self.icache_port = cached_in
        self.dcache_port = cached_in

    def connectCachedPorts(self: Any, in_ports: Any) -> None:
        """Both ports to one bus."""
        self.connectAllPorts(in_ports)

    def connectUncachedPorts(
        self: Any, in_ports: Any = None, out_ports: Any = None
    ) -> None:
        """Nothing here is uncached."""

    def connectBus(self: Any, bus: Any) -> None:
        """Both ports to a crossbar."""
        self.connectAllPorts(bus.cpu_side_ports)


class SEWorkloadMethods:
    """Choice of the emulated system; stops; outputs."""

    def redirect_outputs(self: Any, path: str) -> None:
        """What programs write to their standard outputs from now on is
        appended to the file at @path; for the child of a fork."""
        _blame(_core.redirect_outputs, self.getCCObject(), str(path))

    def stop_at(
        self: Any,
        place: Any,
        count: int = 1,
        cause: Optional[str] = None,
        pid: int = 0,
        repeats: bool = False,
    ) -> Stop:
        """End simulate() at a function or an address.

        @place: "main", "libm:sin", "main+0x10" or 0x401000; @count: at this
        hit; @cause: of the exit event, "reached PLACE" if None; @pid: in this
        process, 0: in any; @repeats: at each multiple of @count, not once.
        """
        return add_stop(self, place, count, cause, pid=pid, repeats=repeats)

    @classmethod
    def init_compatible(cls: Any, path: str, *args: Any, **kwargs: Any) -> Any:
        """The workload that can run the program at path."""
        from gearshift import objects

        return objects.X86EmuLinux(*args, **kwargs)


MIXINS = {
    "BaseCPU": BaseCPUMethods,
    "SEWorkload": SEWorkloadMethods,
}
ALIASES = {
    "AtomicSimpleCPU": "X86AtomicSimpleCPU",
}
