# SPDX-License-Identifier: BSD-3-Clause
"""CPUs: the methods that gem5's scripts call on them."""

from __future__ import annotations

from typing import Any


class BaseCPUMethods:
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
    """Choice of the emulated system."""

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
