# SPDX-License-Identifier: BSD-3-Clause
"""Statistics of whole runs: as they were, and the same every time."""
import pytest

import harness
from runs import RUNS

IDS = [run.name for run in RUNS]


def test_names_are_unique():
    """A golden file belongs to one run."""
    assert len(set(IDS)) == len(IDS)


def test_every_golden_file_has_a_run():
    """No golden file is left behind when a run goes."""
    found = {path.stem for path in harness.GOLDEN.glob("*.txt")}
    assert found == set(IDS)


@pytest.mark.parametrize("run", RUNS, ids=IDS)
def test_statistics_are_golden(run):
    """A run gives the statistics that were agreed on."""
    differences = harness.compare(run)
    assert not differences, differences


@pytest.mark.parametrize("run", RUNS, ids=IDS)
def test_two_runs_are_equal(run):
    """Equal input gives byte-identical statistics."""
    assert harness.statistics(run, []) == harness.statistics(run, [])


@pytest.mark.parametrize("run", RUNS, ids=IDS)
def test_addresses_of_the_host_do_not_matter(run):
    """A fixed address space gives the same statistics as a random one."""
    prefix = harness.without_aslr()
    if not prefix:
        pytest.skip("setarch -R does not work on this host")
    assert harness.statistics(run, prefix) == harness.statistics(run, [])


def test_a_changed_value_is_reported(tmp_path, monkeypatch):
    """The comparison can fail: one number altered is one row reported."""
    run = RUNS[0]
    golden = harness.golden_path(run).read_text(encoding="utf-8")
    altered = golden.replace("simTicks", "simTicks 1 #", 1)
    (tmp_path / f"{run.name}.txt").write_text(altered, encoding="utf-8")
    monkeypatch.setattr(harness, "GOLDEN", tmp_path)
    differences = harness.compare(run)
    assert "simTicks" in differences
    assert "1 rows differ" in differences
