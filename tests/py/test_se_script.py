# SPDX-License-Identifier: BSD-3-Clause
"""A script for one program, written as gem5's users write it."""

SCRIPT = """
import m5
from m5.objects import *

system = System()
system.clk_domain = SrcClockDomain()
system.clk_domain.clock = "1GHz"
system.clk_domain.voltage_domain = VoltageDomain()
system.mem_mode = "atomic"
system.mem_ranges = [AddrRange("512MiB")]
system.cpu = X86AtomicSimpleCPU()
system.membus = SystemXBar()
system.cpu.icache_port = system.membus.cpu_side_ports
system.cpu.dcache_port = system.membus.cpu_side_ports
system.cpu.createInterruptController()
system.cpu.interrupts[0].pio = system.membus.mem_side_ports
system.cpu.interrupts[0].int_requestor = system.membus.cpu_side_ports
system.cpu.interrupts[0].int_responder = system.membus.mem_side_ports
system.mem_ctrl = SimpleMemory(range=system.mem_ranges[0])
system.mem_ctrl.port = system.membus.mem_side_ports
system.system_port = system.membus.cpu_side_ports
system.workload = SEWorkload.init_compatible("/bin/echo")
process = Process()
process.cmd = ["/bin/echo", "Hello", "world!"]
system.cpu.workload = process
system.cpu.createThreads()

root = Root(full_system=False, system=system)
m5.instantiate()
event = m5.simulate()
print(f"{event.getCause()} {event.getCode()} {m5.curTick() > 0}")
"""


def test_a_program_runs_from_a_script(runner):
    """The wiring of gem5's first tutorial, with the atomic CPU."""
    run = runner.script(SCRIPT)
    assert run.returncode == 0, run.stderr
    assert run.stdout == (
        "Hello world!\nexiting with last active thread context 0 True\n"
    )
