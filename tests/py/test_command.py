# SPDX-License-Identifier: BSD-3-Clause
"""The gearshift command: gem5's options with gem5's meanings."""

import re

import pytest
from conftest import ROOT

import gearshift


def test_the_script_runs_as_gem5_runs_it(runner):
    runner.path("sub").mkdir()
    runner.write("value = 5\n", "sub/helper.py")
    runner.write(
        "import sys, helper\n"
        "print(__name__, __file__, sys.argv, helper.value)\n",
        "sub/main.py",
    )
    done = runner.run("-q", "sub/main.py", "-x", "--outdir=y")
    assert done.stdout == (
        "__m5_main__ sub/main.py ['sub/main.py', '-x', '--outdir=y'] 5\n"
    )
    assert done.returncode == 0


def test_the_banner_has_version_and_command_line(runner):
    runner.write("print('done')\n")
    done = runner.run("script.py", "a b")
    assert f"gearshift version {gearshift.__version__}\n" in done.stdout
    assert re.search(r"\ngearshift started \w+ \d+ \d+ ", done.stdout)
    assert "script.py 'a b'\n" in done.stdout
    assert done.stdout.endswith("\ndone\n")
    assert runner.run("-q", "script.py").stdout == "done\n"


def test_the_exit_status_is_the_scripts(runner):
    assert runner.script("import sys; sys.exit(7)\n").returncode == 7
    assert runner.script("pass\n").returncode == 0
    done = runner.script("import sys; sys.exit('no good')\n")
    assert (done.returncode, done.stderr) == (1, "no good\n")


def test_output_is_redirected(runner):
    text = (
        "import os, sys\nprint('to out')\nprint('to err', file=sys.stderr)\n"
        "sys.stdout.flush()\nos.system('echo child')\n"
    )
    runner.write(text)
    done = runner.run("-q", "-r", "-e", "script.py")
    assert done.stdout == (
        "Redirecting stdout to m5out/simout.txt\n"
        "Redirecting stderr to m5out/simerr.txt\n"
    )
    assert runner.path("m5out/simout.txt").read_text() == "to out\nchild\n"
    assert runner.path("m5out/simerr.txt").read_text() == "to err\n"
    assert runner.run("-q", "-r", "script.py").stdout == (
        "Redirecting stdout and stderr to m5out/simout.txt\n"
    )
    done = runner.run(
        "-q", "-r", "--silent-redirect", "--stdout-file=o", "script.py"
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert "to err" in runner.path("m5out/o").read_text()


def test_code_and_modules_can_be_the_script(runner):
    done = runner.run("-q", "-c", "import sys; print(sys.argv)", "a")
    assert done.stdout == "['-c', 'a']\n"
    runner.write("print(__name__)\n", "board.py")
    assert runner.run("-q", "-m", "board").stdout == "__m5_main__\n"
    done = runner.run("-q", "-i", "-c", "x = 5", stdin="print(x + 1)\n")
    assert "6" in done.stdout
    assert done.stderr.startswith("Gearshift interactive console\n")


def test_paths_of_modules(runner):
    runner.path("lib").mkdir()
    runner.write("value = 9\n", "lib/mine.py")
    runner.write("import mine; print(mine.value)\n")
    assert runner.run("-q", "-p", "lib", "script.py").stdout == "9\n"
    runner.write("import mine; print(mine.value)\n", "lib/s.py")
    done = runner.run("-q", "-P", "lib/s.py")
    assert "No module named 'mine'" in done.stderr and done.returncode == 1


def test_the_script_runs_in_the_debugger(runner):
    runner.write("x = 1\ndef f(deep):\n    1 / 0\nf('bottom')\n")
    done = runner.run(
        "-q", "--pdb", "script.py", stdin="n\np x + 6\nc\np deep\nq\n"
    )
    assert done.stdout.startswith("> ") and "script.py(1)" in done.stdout
    assert "(Pdb) 7" in done.stdout
    assert "(Pdb) 'bottom'" in done.stdout
    assert done.returncode == 1


def test_options_end_with_code_and_modules(runner):
    show = "import sys; print(sys.argv)"
    done = runner.run("-q", "-c", show, "-v", "--outdir=x")
    assert done.stdout == "['-c', '-v', '--outdir=x']\n"
    runner.write(show, "board.py")
    done = runner.run("-q", "-m", "board", "-d", "x")
    assert done.stdout.endswith("board.py', '-d', 'x']\n")


def test_facts_are_printed(runner):
    version = f"gearshift {gearshift.__version__}\n"
    assert runner.run("--version").stdout == version
    assert version in runner.run("-B").stdout
    assert "text://FILE" in runner.run("--stats-help").stdout
    listed = runner.run("--list-sim-objects").stdout
    assert listed.startswith("SimObjects:\n")
    assert "\n    SimpleMemory\n" in listed and "default: 30ns" in listed
    helped = runner.run("--help").stdout
    for option in ("--outdir", "--debug-flags", "--stats-file", "--pdb"):
        assert option in helped
    assert "  doc " in helped and "  stats " in helped
    assert runner.run("--debug-help").stdout.startswith("Base Flags:\n")
    assert "Redistribution" in runner.run("-C").stdout
    assert runner.run().returncode == 2


def test_mistakes_on_the_command_line(runner):
    done = runner.run("-q", "nothing.py")
    assert (done.returncode, done.stderr) == (
        1,
        "fatal: cannot read the script 'nothing.py': "
        "No such file or directory\n",
    )
    runner.write("pass\n")
    done = runner.run("-q", "-d", "script.py/x", "script.py")
    assert done.returncode == 1
    assert done.stderr == (
        "fatal: cannot create the output directory 'script.py/x': "
        "Not a directory\n"
    )
    done = runner.run("-q", "--debug-flags=Exek", "script.py")
    assert done.stderr == (
        "fatal: there is no debug flag 'Exek'; did you mean 'Exec'?\n"
    )
    done = runner.run("-q", "--debug-break=1,soon", "script.py")
    assert done.stderr == "fatal: --debug-break: expects ticks, got 'soon'\n"
    assert runner.run("--no-such-option").returncode == 2


def test_debug_output_goes_to_its_file(runner, system_text):
    runner.write(system_text + "m5.instantiate()\nm5.simulate(100)\n")
    done = runner.run(
        "-q",
        "--dot-config=",
        "--debug-flags=Event",
        "--debug-file=trace.txt",
        "script.py",
    )
    assert done.stderr == ""
    assert runner.path("m5out/trace.txt").exists()


def test_debug_output_of_chosen_objects(runner, system_text):
    runner.write(
        system_text
        + "root.system.gen = [TrafficGen() for _ in range(2)]\n"
        + "for gen in root.system.gen:\n"
        + "    gen.port = root.system.membus.cpu_side_ports\n"
        + "m5.instantiate()\nm5.simulate(15000)\n"
    )

    def names(*options):
        done = runner.run(
            "-q", "--dot-config=", "--debug-flags=All", *options, "script.py"
        )
        assert done.stderr == ""
        return {line.split(": ")[1] for line in done.stdout.splitlines()}

    every = {"root", "system.gen0", "system.gen1", "system.mem"}
    assert names() >= every | {"system.membus"}
    assert names("--debug-activate=system.gen0,system.mem") == {
        "system.gen0",
        "system.mem",
    }
    assert names("--debug-ignore=system.membus", "--debug-flags=-Drain") == (
        every
    )
    assert names("--debug-activate=*.gen1", "--debug-ignore=root") == {
        "system.gen1"
    }


def test_a_break_raises_a_trap(runner, system_text):
    runner.write(
        "import signal\n"
        "signal.signal(signal.SIGTRAP, lambda *a: print('trap', "
        "m5.curTick()))\n"
        + system_text
        + "m5.instantiate()\nm5.simulate(1000)\nm5.simulate(1000)\n"
    )
    done = runner.run("-q", "--debug-break=250,1700", "script.py")
    assert done.stdout.splitlines() == ["trap 250", "trap 1700"]


def test_the_options_are_visible_to_scripts(runner):
    done = runner.run(
        "-q",
        "-d",
        "there",
        "--listener-mode=off",
        "-c",
        "import m5; print(m5.options.outdir, m5.listenersDisabled())",
    )
    assert done.stdout == "there True\n"


def test_a_pipe_shows_no_progress(runner, system_text):
    done = runner.script(
        "import time\n"
        + system_text
        + "m5.instantiate()\n"
        + "m5.event.mainq.schedule(m5.event.create(lambda: time.sleep(0.7)),"
        + " 5)\nm5.simulate(100)\n"
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_a_port_for_debuggers_is_not_taken_silently(runner):
    runner.write("import m5\nprint(m5.options.remote_gdb_port)\n")
    told = runner.run("-q", "--remote-gdb-port=7001", "script.py")
    assert told.stdout == "7001\n"
    assert told.stderr == (
        "warn: --remote-gdb-port: there are no debugger stubs yet\n"
    )
    none = runner.run("-q", "--remote-gdb-port=0", "script.py")
    assert (none.stdout, none.stderr) == ("0\n", "")
    assert runner.run("-q", "script.py").stdout == "7000\n"


@pytest.mark.parametrize(
    "command, program",
    [
        (["se"], ["/bin/true"]),
        (["bare"], ["/bin/true"]),
        ([str(ROOT / "configs" / "se.py")], ["-c", "/bin/true"]),
    ],
)
def test_parameters_are_set_alike_by_commands_and_scripts(
    runner, command, program
):
    done = runner.run(*command, "-P", "system.cpu[:].nope=1", *program)
    assert done.returncode == 1
    assert "has no parameter 'nope'" in done.stderr
    told = runner.run(*command, "--help").stdout
    assert "-P PATH=VALUE, --param PATH=VALUE" in told
