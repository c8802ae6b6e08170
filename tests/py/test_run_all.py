# SPDX-License-Identifier: BSD-3-Clause
"""The test runner counts right, whatever its suites do."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import run_all  # noqa: E402

JUNIT = """<testsuites><testsuite name="s">
<testcase classname="A" name="passes" status="run"/>
<testcase classname="A" name="fails"><failure message="1 != 2"/></testcase>
<testcase classname="A" name="skips"><skipped message="no kvm"/></testcase>
<testcase classname="A" name="off" status="notrun"/>
</testsuite></testsuites>"""


def command(argv, xml=None, seconds=20):
    """A process of a suite."""
    return run_all.Command(argv, xml, {}, seconds)


def statuses(results):
    """Just the verdicts."""
    return [result.status for result in results]


def test_junit_gives_every_kind_of_outcome_with_its_reason(tmp_path):
    xml = tmp_path / "x.xml"
    xml.write_text(JUNIT)
    results = run_all.parse_junit("unit", xml)
    assert statuses(results) == ["passed", "failed", "skipped", "skipped"]
    assert results[1].why == "1 != 2"
    assert results[2].why == "no kvm"


def test_a_suite_that_dies_without_results_is_a_failure(tmp_path):
    results = run_all.run_commands(
        "unit", [command(["/bin/true"], tmp_path / "none.xml")]
    )
    assert statuses(results) == ["failed"]


def test_a_bad_exit_status_is_a_failure_even_if_all_results_pass(tmp_path):
    xml = tmp_path / "x.xml"
    xml.write_text(
        '<testsuites><testcase classname="A" name="a"/>' "</testsuites>"
    )
    results = run_all.run_commands("unit", [command(["/bin/false"], xml)])
    assert statuses(results) == ["passed", "failed"]


def test_a_suite_that_hangs_is_killed_and_fails():
    results = run_all.run_commands(
        "unit", [command(["/bin/sleep", "60"], None, 0)]
    )
    assert statuses(results) == ["failed"]
    assert "no end after" in results[0].why


@pytest.mark.parametrize(
    "verdicts, status",
    [
        (["passed"], 0),
        (["passed", "skipped"], 0),
        (["passed", "failed"], 1),
        ([], 1),
        (["skipped"], 1),
    ],
)
def test_exit_status_is_zero_only_if_something_passed_and_nothing_failed(
    verdicts, status, capsys
):
    results = [run_all.Result("s", "n", verdict) for verdict in verdicts]
    assert run_all.print_summary(results) == status
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{verdicts.count('passed')} passed, "
        f"{verdicts.count('failed')} failed, "
        f"{verdicts.count('skipped')} skipped"
    )
