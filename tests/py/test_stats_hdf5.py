# SPDX-License-Identifier: BSD-3-Clause
"""Statistics as HDF5: gem5's layout, the values of the JSON output."""

import json
import math

import pytest

SCRIPT = """
m5.stats.addStatVisitor("h5://s.h5?chunking=4")
m5.stats.addStatVisitor("h5://plain.h5?desc=False&formulas=False")
root.system.gen = TrafficGen(mode="random", rd_perc=70, end="16MiB",
                             port=root.system.membus.cpu_side_ports)
m5.instantiate()
m5.stats.periodicStatDump(1_000_000)
m5.simulate(2_500_000)
m5.stats.dump(root.system.mem)
"""


@pytest.fixture(name="h5py")
def fixture_h5py():
    """The module; Debian's python3-h5py is not needed otherwise."""
    return pytest.importorskip("h5py", reason="python3-h5py is missing")


def numbers(group, path=""):
    """The single numbers of a JSON dump: {"system/mem/bwRead": value}."""
    for key, item in group.items():
        if not isinstance(item, dict):
            continue
        name = f"{path}/{key}" if path else key
        if "value" not in item:
            yield from numbers(item, name)
        elif not isinstance(item["value"], (dict, list)):
            yield name, item["value"]


def test_a_file_holds_all_dumps_of_all_objects(runner, system_text, h5py):
    run = runner.script(system_text + SCRIPT)
    assert run.returncode == 0, run.stderr
    dumps = json.loads(runner.path("m5out/stats.json").read_text())
    with h5py.File(runner.path("m5out/s.h5"), "r") as file:
        ticks = file["simTicks"]
        # Two periodic dumps, one of the memory, one at the end.
        assert [None if math.isnan(x) else int(x) for x in ticks] == [
            1_000_000,
            1_000_000,
            None,
            500_000,
        ]
        assert ticks.chunks == (4,)
        assert ticks.attrs["description"][0].startswith(b"Simulated ticks")
        assert ticks.attrs["unit"][0] == b"Tick"
        compared = 0
        for name, wanted in numbers(dumps[0]):
            if name.startswith("host"):
                continue
            value = float(file[name][0])
            if wanted is None:
                assert not math.isfinite(value), name
            else:
                assert value == pytest.approx(wanted), name
            compared += 1
        assert compared > 20
        reads = file["system/mem/numReads"]
        names = list(reads.attrs["subnames"])
        assert reads.shape == (4, len(names))
        assert "gen" in names
        assert reads[0].sum() > 0
    assert "h5:// statistics leave out distributions" in run.stderr


def test_options_leave_out_descriptions_and_formulas(
    runner, system_text, h5py
):
    assert runner.script(system_text + SCRIPT).returncode == 0
    with h5py.File(runner.path("m5out/plain.h5"), "r") as file:
        assert list(file["system/mem/numReads"].attrs) == ["subnames"]
        assert "simSeconds" not in file
    with h5py.File(runner.path("m5out/s.h5"), "r") as file:
        assert "simSeconds" in file


@pytest.mark.parametrize(
    "query, text",
    [
        ("chunking=0", "option 'chunking' in 'h5://s.h5?chunking=0': '0' is"),
        ("desc=maybe", "option 'desc' in 'h5://s.h5?desc=maybe':"),
        ("spaces=no", "unknown option 'spaces' in"),
    ],
)
def test_wrong_options_are_refused(runner, system_text, query, text):
    run = runner.script(
        system_text + f'm5.stats.addStatVisitor("h5://s.h5?{query}")\n'
    )
    assert run.returncode == 1
    assert f"fatal: {text}" in run.stderr and "script.py:" in run.stderr


def test_without_the_module_the_message_names_the_package(runner, system_text):
    runner.path("h5py.py").write_text("raise ImportError('no')\n")
    run = runner.script(system_text + 'm5.stats.addStatVisitor("h5://s.h5")\n')
    assert run.returncode == 1
    assert (
        "fatal: statistics as h5:// need the Python module h5py: install the "
        "Debian package python3-h5py\n" in run.stderr
    )
    assert "Traceback" not in run.stderr
