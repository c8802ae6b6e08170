# SPDX-License-Identifier: BSD-3-Clause
"""gearshift stats: show, diff, plot."""

import json
import math

import pytest

from gearshift import statsdiff, statsfile

TEXT = """
---------- Begin Simulation Statistics ----------
simTicks                                    {ticks}                       # Ticks (Tick)
hostSeconds                                  {host}                       # Host time (Second)
system.bus.reads::cpu0                           3     30.00%     30.00% # Reads per port (Count)
system.bus.reads::total                         10                       # Reads per port (Count)
system.bus.rate                                nan                       # Reads per tick ((Count/Tick))

---------- End Simulation Statistics   ----------
"""  # noqa: E501


@pytest.fixture
def files(runner):
    """a.txt with two dumps, b.txt with one."""
    runner.write(
        TEXT.format(ticks=100, host=1) + TEXT.format(ticks=200, host=2),
        "a.txt",
    )
    runner.write(TEXT.format(ticks=210, host=9), "b.txt")
    return runner


def test_dumps_of_a_text_file_are_read(files):
    dumps = statsfile.load_all(str(files.path("a.txt")))
    assert [dump["simTicks"].value for dump in dumps] == [100, 200]
    row = dumps[0]["system.bus.reads::cpu0"]
    assert row == statsfile.Row(3.0, "Count", "Reads per port")
    assert dumps[0]["system.bus.rate"].unit == "(Count/Tick)"
    assert math.isnan(dumps[0]["system.bus.rate"].value)


def test_show_prints_rows(files):
    done = files.run("stats", "show", "a.txt@0", "sim*", "*reads*")
    assert done.stdout == (
        "simTicks                              100 Tick           Ticks\n"
        "system.bus.reads::cpu0                  3 Count          "
        "Reads per port\n"
        "system.bus.reads::total                10 Count          "
        "Reads per port\n"
    )
    assert done.returncode == 0


def test_diff_lists_what_differs(files):
    done = files.run("stats", "diff", "a.txt", "b.txt")
    assert done.stdout == (
        "simTicks             200            210     +5.00%\n1 rows differ\n"
    )
    assert done.returncode == 1
    done = files.run("stats", "diff", "a.txt", "b.txt", "--row=sim*=5")
    assert (done.stdout, done.returncode) == ("no differences\n", 0)
    done = files.run("stats", "diff", "a.txt@0", "b.txt", "--tolerance=20")
    assert done.returncode == 1


def test_missing_rows_differ():
    old = {"a": statsfile.Row(1), "b": statsfile.Row(2)}
    new = {"b": statsfile.Row(2), "c": statsfile.Row(3)}
    found = statsdiff.compare(old, new, statsdiff.Rules(50))
    assert [(d.name, d.old, d.new) for d in found] == [
        ("a", 1, None),
        ("c", None, 3),
    ]
    assert statsdiff.percent_of(0, 1) == math.inf
    assert statsdiff.percent_of(math.nan, math.nan) == 0


def test_both_formats_of_a_run_hold_the_same_numbers(runner, system_text):
    runner.script(system_text + "m5.instantiate()\nm5.simulate(1000)\n")
    text, tree = (
        statsfile.load(str(runner.path(f"m5out/stats.{kind}")))
        for kind in ("txt", "json")
    )
    assert tree["finalTick"].value == 1000
    rules = statsdiff.Rules(0.1, ignore=["host*", "simSeconds"])
    # The tree holds rows that the text leaves out while they are zero.
    found = [d for d in statsdiff.compare(text, tree, rules) if d.name in text]
    assert not found
    name = "system.clk_domain.clock"
    assert text[name].unit == tree[name].unit == "Tick"


@pytest.mark.parametrize(
    "name, begin", [("p.png", b"\x89PNG"), ("p.svg", b"<?xml")]
)
def test_plots_are_drawn(files, name, begin):
    done = files.run(
        "stats", "plot", "a.txt", "b.txt", "-s", "simTicks", "-o", name
    )
    assert done.stdout == f"wrote {name}\n"
    assert files.path(name).read_bytes().startswith(begin)


def test_mistakes_are_told(files):
    for words, text in (
        (("show", "no.txt"), "cannot read 'no.txt': No such file"),
        (("show", "a.txt@7"), "'a.txt' holds 2 dumps; there is no number 7"),
        (("show", "a.txt", "x*"), "no statistic matches x*"),
        (("diff", "a.txt", "b.txt", "--row=x"), "'x' is not of the form"),
        (("plot", "a.txt", "-s", "sim*", "-o", "p.xyz"), "cannot write"),
    ):
        done = files.run("stats", *words)
        assert done.stderr.startswith("fatal: " + text), done.stderr
        assert done.returncode == 1
    files.write("hello\n", "c.txt")
    assert "no dump" in files.run("stats", "show", "c.txt").stderr
    files.write(json.dumps([{"a": 1}])[:-1], "c.json")
    assert "not JSON" in files.run("stats", "show", "c.json").stderr
