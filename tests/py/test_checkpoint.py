# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints as a script sees them."""

SCRIPT = """\
import sys

import m5
from m5.objects import Root

root = Root(full_system=False)
m5.instantiate(sys.argv[1] if len(sys.argv) > 1 else None)
m5.simulate(1000)
print("tick", m5.curTick())
if len(sys.argv) == 1:
    m5.checkpoint("cpt.%d")
"""


def test_a_run_goes_on_from_its_checkpoint(runner):
    first = runner.script(SCRIPT)
    assert first.returncode == 0, first.stderr
    text = runner.path("cpt.1000/m5.cpt").read_text(encoding="utf-8")
    assert text.startswith("## checkpoint generated: ")
    assert "\n[root.globals]\ncurTick=1000\n" in text
    second = runner.script(SCRIPT, "cpt.1000")
    assert second.returncode == 0, second.stderr
    assert "tick 2000" in second.stdout


def test_a_damaged_checkpoint_is_refused_with_the_reason(runner):
    runner.script(SCRIPT)
    path = runner.path("cpt.1000/m5.cpt")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("=1000", "=1001"), encoding="utf-8")
    result = runner.script(SCRIPT, "cpt.1000")
    assert result.returncode == 1
    assert (
        "cannot load the checkpoint 'cpt.1000': the checksum does not match: "
        "damaged or edited: section [root.globals], key curTick\n"
        in result.stderr
    )
    assert "Traceback" not in result.stderr


def test_a_directory_with_other_files_is_not_replaced(runner):
    runner.path("cpt.1000").mkdir()
    runner.path("cpt.1000/notes").write_text("mine", encoding="utf-8")
    result = runner.script(SCRIPT)
    assert result.returncode == 1
    assert (
        "cpt.1000 holds notes, which is no part of a checkpoint"
        in result.stderr
    )
    assert runner.path("cpt.1000/notes").read_text(encoding="utf-8") == "mine"
