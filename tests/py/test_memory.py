# SPDX-License-Identifier: BSD-3-Clause
"""Memories, crossbars and traffic as scripts see them."""

import pytest

# A crossbar 16 bytes wide needs 5 cycles for 64: less than the memory gives.
SATURATE = """
root.system.membus.width = 64
root.system.mem.bandwidth = "12.8GiB/s"
root.system.gens = [
    TrafficGen(min_period="0ns", max_period="0ns", end="16MiB")
    for _ in range(COUNT)
]
for gen in root.system.gens:
    gen.port = root.system.membus.cpu_side_ports
m5.instantiate()
m5.simulate(100000000)
from m5.stats.gem5stats import get_simstat
stats = get_simstat(root).system
print(stats.mem.bwTotal.total / 2**30)
for name, group in stats.children.items():
    if name.startswith("gens"):
        print(group.readBW.value / 2**30)
"""


@pytest.mark.parametrize("count", [1, 2, 4])
def test_generators_share_the_bandwidth_of_a_memory(
    runner, system_text, count
):
    """Together they get all of it, each the same."""
    text = system_text + SATURATE.replace("COUNT", str(count))
    done = runner.script(text)
    assert done.returncode == 0, done.stderr
    total, *shares = [float(word) for word in done.stdout.split()]
    assert total == pytest.approx(12.8, rel=0.01)
    assert shares == pytest.approx([12.8 / count] * count, rel=0.01)


def test_the_memory_mode_changes_while_it_runs(runner, system_text):
    """getMemoryMode and setMemoryMode, before and after instantiate."""
    text = system_text + (
        "print(root.system.getMemoryMode())\n"
        "root.system.setMemoryMode('atomic')\n"
        "m5.instantiate()\n"
        "print(root.system.getMemoryMode())\n"
        "root.system.setMemoryMode('atomic_noncaching')\n"
        "print(root.system.getMemoryMode())\n"
    )
    done = runner.script(text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["timing", "atomic", "atomic_noncaching"]


GEN = "root.system.gen = TrafficGen(port=root.system.membus.cpu_side_ports)\n"
ERRORS = {
    "memories that overlap": (
        "root.system.mem1 = SimpleMemory(range=AddrRange('8MiB', '24MiB'))\n"
        "root.system.mem1.port = root.system.membus.mem_side_ports\n",
        "system.mem1: [0x800000, 0x1800000) overlaps [0, 0x1000000) of "
        "system.mem",
    ),
    "shared memory": (
        "root.system.shared_backstore = 'ram'\n",
        "system: guest RAM cannot be shared with other processes",
    ),
    "a trace that is wrong": (
        GEN + "open('t.txt', 'w').write('0 r 0 64\\n5 x 0 64\\n')\n"
        "root.system.gen.mode = 'trace'\n"
        "root.system.gen.trace_file = 't.txt'\n",
        "system.gen: t.txt:2: the second word must be r or w",
    ),
    "a trace that is missing": (
        GEN + "root.system.gen.mode = 'trace'\n"
        "root.system.gen.trace_file = 'none.txt'\n",
        "system.gen: none.txt: No such file or directory",
    ),
    "an unknown memory mode": (
        "root.system.setMemoryMode('quick')\n",
        "system: there is no memory mode 'quick'; choose atomic, timing, "
        "atomic_noncaching",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_wrong_memories_are_the_users_errors(runner, system_text, name):
    """One message with the object's path, status 1, no traceback."""
    script, message = ERRORS[name]
    done = runner.script(system_text + script + "m5.instantiate()\n")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "script.py:" in done.stderr


CONTINUE = """
root.system.gen = TrafficGen(mode="random", rd_perc=50, max_requests=1000,
                             max_period="30ns", end="16MiB",
                             port=root.system.membus.cpu_side_ports)
m5.instantiate(None if STEP == "save" else "cpt")
if STEP == "save":
    m5.simulate(5000000)
    m5.checkpoint("cpt")
print(m5.simulate().getCause())
print(m5.curTick())
"""


def test_a_restored_generator_goes_on_where_it_was(runner, system_text):
    """The rest of the run is the same, with and without the restore."""
    text = system_text + CONTINUE
    first = runner.script(text.replace("STEP", "'save'"))
    again = runner.script(text.replace("STEP", "'restore'"))
    assert first.returncode == 0, first.stderr
    assert again.returncode == 0, again.stderr
    assert "all traffic generators are done" in again.stdout
    assert first.stdout.split()[-1] == again.stdout.split()[-1]
    image = runner.path("cpt") / "system.physmem.store0.pmem"
    assert image.stat().st_size < 100
