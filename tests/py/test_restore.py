# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints from scripts."""

RUN = "m5.instantiate({})\nm5.simulate(500)\nprint(m5.curTick())\n"


def test_a_run_goes_on_from_a_checkpoint(runner, system_text):
    done = runner.script(
        system_text + RUN.format("") + "m5.checkpoint('m5out/cpt.%d')\n"
        "m5.simulate(50)\nprint(m5.curTick())\n"
    )
    assert done.stderr == ""
    assert done.stdout == "500\ninfo: Writing checkpoint\n550\n"
    assert runner.path("m5out/cpt.500/m5.cpt").exists()
    done = runner.script(system_text + RUN.format("'m5out/cpt.500'"))
    assert (done.stdout, done.stderr) == ("1000\n", "")


def test_a_damaged_checkpoint_is_refused(runner, system_text):
    runner.script(system_text + RUN.format("") + "m5.checkpoint('cpt')\n")
    path = runner.path("cpt/m5.cpt")
    path.write_text(path.read_text()[:-40])
    done = runner.script(system_text + RUN.format("'cpt'"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("fatal: cannot load the checkpoint 'cpt': ")
    line = system_text.count("\n") + 1
    assert done.stderr.endswith(f"\n  at script.py:{line}\n")


def test_a_checkpoint_that_is_not_there(runner, system_text):
    done = runner.script(system_text + RUN.format("'nothing'"))
    assert done.returncode == 1
    assert "cannot load the checkpoint 'nothing'" in done.stderr
    assert "No such file or directory" in done.stderr
