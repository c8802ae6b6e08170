# SPDX-License-Identifier: BSD-3-Clause
"""Gear plans: their language, their errors, and what they do."""

import itertools
import subprocess

import pytest
from conftest import ROOT

from gearshift import gearplan
from gearshift.gearplan import Plan, PlanError

GEARS = ROOT / "build" / "guest" / "c" / "gears"


def steps(text, most=20):
    """(gear, kind, place, count) of the first steps."""
    return [
        (s.gear, s.limit.kind, s.limit.place, s.limit.count)
        for s in itertools.islice(Plan(text).steps(), most)
    ]


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("kvm", [("kvm", "end", "", 1)]),
        (
            "kvm until main; atomic 10M insts; kvm",
            [
                ("kvm", "place", "main", 1),
                ("atomic", "insts", "", 10_000_000),
                ("kvm", "end", "", 1),
            ],
        ),
        (
            "atomic until libm:sin+0x10*3\n  # then\nkvm 1.5ms\n",
            [
                ("atomic", "place", "libm:sin+0x10", 3),
                ("kvm", "ticks", "", 1_500_000_000),
            ],
        ),
        (
            "atomic until 0x401000 * 2; kvm 7 ticks;",
            [("atomic", "place", "0x401000", 2), ("kvm", "ticks", "", 7)],
        ),
        (
            "kvm until workbegin*2; atomic until workend; kvm until switchcpu",
            [
                ("kvm", "event", "workbegin", 2),
                ("atomic", "event", "workend", 1),
                ("kvm", "event", "switchcpu", 1),
            ],
        ),
        (
            "repeat 2 (kvm 1us; atomic 2 insts); kvm 3 insts",
            [
                ("kvm", "ticks", "", 1_000_000),
                ("atomic", "insts", "", 2),
            ]
            * 2
            + [("kvm", "insts", "", 3)],
        ),
        ("repeat (kvm 1e3 insts)", [("kvm", "insts", "", 1000)] * 20),
        (
            "repeat 2 (atomic 1 insts; repeat 2 (kvm 1 insts))",
            [
                ("atomic", "insts", "", 1),
                ("kvm", "insts", "", 1),
                ("kvm", "insts", "", 1),
            ]
            * 2,
        ),
    ],
)
def test_a_plan_is_read(text, wanted):
    assert steps(text) == wanted


@pytest.mark.parametrize(
    "text, message, column",
    [
        ("", "expected a gear: kvm, atomic, timing, o3", 0),
        ("atomc", "'atomc' is no gear; did you mean 'atomic'?", 0),
        ("kvm; atomic", "has no limit, so that this one would never come", 5),
        ("kvm until", "'until' needs a place", 9),
        ("kvm until ;", "'until' needs a place", 10),
        ("kvm until main*x", "expected the number of hits", 15),
        ("kvm until main*0", "the number of hits is 1 or more", 15),
        ("kvm 5", "expected 'insts' or 'ticks' behind a number", 5),
        ("kvm 5 apples", "expected 'insts' or 'ticks'", 6),
        ("kvm 5ys", "'5ys' is no limit", 4),
        ("kvm 0 insts", "the length of a step is 1 or more", 4),
        ("kvm 5 insts atomic", "expected ';' and the next step", 12),
        ("repeat kvm", "expected the number of times", 7),
        ("repeat 3 kvm", "expected '(' and the steps to repeat", 9),
        ("repeat 3 (kvm 1us", "expected ')'", 17),
        ("repeat 3 (kvm)", "a step inside 'repeat' needs a limit", 0),
        ("repeat (kvm 1us); kvm", "would never come", 18),
        ("kvm 1us)", "expected a step, not ')'", 7),
        ("kvm 1us\natomic 5", "expected 'insts'", 8),
    ],
)
def test_an_error_points_at_the_word(text, message, column):
    with pytest.raises(PlanError) as caught:
        Plan(text)
    lines = str(caught.value).splitlines()
    assert message in lines[0]
    assert lines[2].index("^") == 4 + column


def test_gears_and_places_are_listed_once():
    plan = Plan("repeat (kvm until a; atomic 1us; kvm until b)")
    assert plan.gears() == ["kvm", "atomic"]
    assert plan.places() == ["a", "b"]


# ------------------------------------------------------------------ running


def native(*words):
    """What the host prints."""
    if not GEARS.exists():
        pytest.skip(f"{GEARS} is not built (scons guest)")
    return subprocess.run(
        [GEARS, *words], capture_output=True, text=True, check=True
    ).stdout


def table(text):
    """Rows of the printed table as (gear, instructions)."""
    rows = [line.split("  ") for line in text.splitlines()]
    cells = [[c.strip() for c in row if c.strip()] for row in rows]
    return [
        (row[0], int(row[2].replace(",", "")))
        for row in cells
        if row[0] in gearplan.GEARS and row[2] != "not counted"
    ]


def test_a_plan_runs_and_counts_its_gears(runner):
    plan = "atomic until main; repeat 2 (atomic 50K insts; atomic 1us); atomic"
    done = runner.run("se", "--gears", plan, str(GEARS), "2", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout == native("2", "3")
    rows = table(done.stderr)
    assert [gear for gear, _ in rows] == ["atomic"] * 6
    assert rows[1][1] == 50_000 and rows[3][1] == 50_000
    # 1 us of 3 GHz, whose period is 333 ps: 3003 cycles and the one under way.
    assert rows[2][1] == 3004
    still = runner.run(
        "se", "--max-insts=0", "--outdir=o", str(GEARS), "2", "3"
    )
    total = runner.path("o/stats.txt").read_text()
    insts = next(x for x in total.splitlines() if x.startswith("simInsts"))
    assert sum(n for _, n in rows) == int(insts.split()[1]), still.stderr


def test_a_plan_ends_the_run_with_its_last_limit(runner):
    done = runner.run(
        "se", "--gears", "atomic until main*1; atomic 5 insts", str(GEARS)
    )
    assert done.returncode == 0 and done.stdout == ""
    assert table(done.stderr)[1] == ("atomic", 5)


@pytest.mark.parametrize(
    "place, text",
    [
        ("mane", "'mane' is in no file that the program has mapped"),
        ("main*2", "'main' was reached 1 times, not 2"),
    ],
)
def test_a_place_that_is_not_reached_is_told(runner, place, text):
    plan = f"atomic until {place}; atomic"
    done = runner.run("se", "--gears", plan, str(GEARS), "1", "1")
    assert done.returncode == 0 and done.stdout == native("1", "1")
    assert text in done.stderr


def test_several_cpus_change_together(runner):
    plan = "repeat (atomic 20K insts; atomic 7us)"
    words = ("se", "--cpus=4", "--gears", plan, str(GEARS), "4", "4")
    done = runner.run(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == native("4", "4")
    assert len(table(done.stderr)) > 20


def test_a_gear_that_is_not_built_is_refused(runner):
    missing = [
        gear
        for gear, name in gearplan.GEARS.items()
        if name not in gearplan_classes()
    ]
    if not missing:
        pytest.skip("this build has all gears")
    done = runner.run("se", "--gears", missing[0], "/bin/true")
    assert done.returncode == 1
    assert f"the gear '{missing[0]}'" in done.stderr
    assert "is not part of this build; there are: " in done.stderr


def gearplan_classes():
    """Names of all classes of the build."""
    from gearshift.params.desc import object_classes

    return object_classes


def test_auto_says_what_it_takes(runner):
    done = runner.run("se", "--cpu=auto", str(GEARS), "1", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == native("1", "1")
    from gearshift.gearbox import kvm_refusal

    why = kvm_refusal()
    assert bool(why) == ("--cpu=auto takes atomic: " in done.stderr)
