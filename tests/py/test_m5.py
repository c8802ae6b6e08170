# SPDX-License-Identifier: BSD-3-Clause
"""Names of gem5's Python modules, as its scripts use them."""

import pytest

import gearshift
import m5
import m5.objects
from m5.util import attrdict, multidict


def test_star_import_leaks_what_gem5s_does():
    scope = {}
    exec("from m5.objects import *", scope)  # pylint: disable=exec-used
    for name in ("os", "re", "sys", "Root", "System", "AddrRange", "Parent"):
        assert name in scope
    assert scope["NULL"] is gearshift.NULL
    assert scope["buildEnv"]["USE_X86_ISA"] is True


def test_modules_of_single_classes_can_be_imported():
    from m5.objects.SimpleMemory import SimpleMemory
    from m5.objects.XBar import SystemXBar

    assert SimpleMemory is m5.objects.SimpleMemory
    assert SystemXBar is m5.objects.SystemXBar


def test_the_modules_that_scripts_import_are_there():
    import m5.core
    import m5.debug
    import m5.defines
    import m5.event
    import m5.internal.params
    import m5.options
    import m5.params
    import m5.proxy
    import m5.SimObject
    import m5.stats
    import m5.ticks
    import m5.trace
    import m5.util.convert
    import m5.util.fdthelper

    assert m5.params.AddrRange is gearshift.AddrRange
    assert m5.internal.params.enum_MemoryMode.__members__["timing"].value >= 0
    assert m5.defines.buildEnv["USE_ARM_ISA"] is False
    assert m5.util.convert.toMemorySize("1KiB") == 1024
    assert m5.ticks.fromSeconds(1e-9) == 1000
    assert m5.core.getClockFrequency() == 10**12
    with pytest.raises(gearshift.FatalError, match="device trees"):
        m5.util.fdthelper.FdtNode("x")
    with pytest.raises(AttributeError):
        print(m5.internal.params.enum_Nothing)


def test_flags_switch_on_and_off():
    flag = m5.debug.flags["Exec"]
    flag.enable()
    assert flag
    flag.disable()
    assert not flag
    group = m5.debug.flags["SyscallAll"]
    group.enable()
    assert m5.debug.flags["SyscallBase"]
    group.disable()
    assert not m5.debug.flags["SyscallBase"]
    with pytest.raises(gearshift.FatalError, match="did you mean 'Exec'"):
        print(m5.debug.flags["Exek"])


def test_options_are_the_settings(monkeypatch):
    monkeypatch.setattr(gearshift.settings, "outdir", "elsewhere")
    assert m5.options.outdir == "elsewhere"
    m5.options.outdir = "there"
    assert gearshift.settings.outdir == "there"


def test_dictionaries_of_m5_util():
    plain = attrdict(a=1)
    plain.b = 2
    assert (plain.a, plain["b"]) == (1, 2)
    with pytest.raises(AttributeError):
        print(plain.c)
    nested = m5.util.multiattrdict()
    nested.x.y = 5
    assert nested == {"x": {"y": 5}}
    assert m5.util.optiondict().missing is None
    above = multidict()
    above["k"] = 1
    below = multidict(above)
    assert below["k"] == 1 and "k" in below
    del below["k"]
    assert "k" not in below and above["k"] == 1


def test_paths_are_relative_to_the_script(runner):
    runner.path("lib").mkdir()
    runner.path("conf").mkdir()
    runner.write("value = 3\n", "lib/thing.py")
    runner.write(
        "import m5\nm5.util.addToPath('../lib')\n"
        "import thing\nprint(thing.value)\n",
        "conf/script.py",
    )
    assert runner.run("-q", "conf/script.py").stdout == "3\n"


def test_messages_have_gem5s_form(capsys):
    m5.warn("no %s left", "space")
    m5.inform("done")
    captured = capsys.readouterr()
    assert captured.err == "warn: no space left\n"
    assert captured.out == "info: done\n"
    with pytest.raises(gearshift.FatalError, match="too bad"):
        m5.fatal("too bad")


def test_log_levels_silence_what_lies_above(capsys):
    import m5
    from m5.core import LogLevel, setLogLevel

    try:
        setLogLevel(LogLevel.WARN)
        m5.inform("unheard")
        m5.warn("heard")
        setLogLevel(LogLevel.FATAL)
        m5.warn("unheard")
    finally:
        setLogLevel(LogLevel.HACK)
    m5.inform("heard again")
    told = capsys.readouterr()
    assert told.err == "warn: heard\n"
    assert told.out == "info: heard again\n"


def test_lists_and_methods_of_m5_util():
    from m5.util import applyOrMap, crossproduct, makeList

    assert makeList(5) == [5] and makeList([5]) == [5]
    assert applyOrMap("ab", "upper") == "AB"
    assert applyOrMap(["a", "b"], "upper") == ["A", "B"]
    assert list(crossproduct([[1, 2], "a"])) == [[1, "a"], [2, "a"]]
