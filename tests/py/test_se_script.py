# SPDX-License-Identifier: BSD-3-Clause
"""A script for one program, written as gem5's users write it."""

import re

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


def test_a_cpu_tells_its_progress(runner):
    """As often as the script wants, in gem5's words."""
    fast = SCRIPT.replace(
        "X86AtomicSimpleCPU()", 'X86AtomicSimpleCPU(progress_interval="1MHz")'
    )
    run = runner.script(fast)
    assert run.returncode == 0, run.stderr
    told = re.findall(
        r"^info: system\.cpu: (\d+): progress event, "
        r"total committed:(\d+), progress insts committed: (\d+)$",
        run.stdout,
        re.M,
    )
    rows = [tuple(map(int, row)) for row in told]
    assert len(rows) > 10
    ticks = [tick for tick, _, _ in rows]
    assert ticks == [10**6 * (i + 1) for i in range(len(rows))]
    # One instruction per cycle of 1 ns, as long as it runs.
    assert rows[0] == (10**6, 1000, 1000)
    assert all(
        all_ == sum(r[2] for r in rows[: i + 1])
        for i, (_, all_, _) in enumerate(rows)
    )
    assert "progress" not in runner.script(SCRIPT).stdout


def test_values_without_effect_are_reported(runner):
    run = runner.script(
        SCRIPT.replace(
            "X86AtomicSimpleCPU()",
            "X86AtomicSimpleCPU(simulate_data_stalls=True, "
            "simulate_inst_stalls=False,\n    socket_id=1)",
        ).replace("SystemXBar()", "SystemXBar(snoop_response_latency=9)")
    )
    assert run.returncode == 0
    assert run.stderr == (
        "unimplemented: system.cpu: socket_id has no effect: CPUID describes "
        "one socket, set at script.py:11; simulate_data_stalls has no "
        "effect: memory takes no time in this CPU, set at script.py:11\n"
        "unimplemented: system.membus: snoop_response_latency has no effect: "
        "snoops do not travel through crossbars, set at script.py:13\n"
    )


def test_a_strict_run_ends_where_a_value_has_no_effect(runner):
    run = runner.script(
        SCRIPT.replace(
            "X86AtomicSimpleCPU()",
            "X86AtomicSimpleCPU(simulate_data_stalls=True)",
        ).replace("Root(", "Root(strict=True, ")
    )
    assert run.returncode == 0
    assert "unimplemented: system.cpu: simulate_data_stalls" in run.stdout
