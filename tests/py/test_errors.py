# SPDX-License-Identifier: BSD-3-Clause
"""Errors as a user meets them: the exact text, status 1, no traceback."""

import pytest

# Each script fails at its last line that is not empty; {line} in the text is
# that line's number unless the text names another.
HEAD = """\
import m5
from m5.objects import *
root = Root(full_system=False)
root.system = System()
root.system.clk_domain = SrcClockDomain(
    clock="1GHz", voltage_domain=VoltageDomain())
"""
CASES = {
    "an unknown parameter offers near names": (
        "SimpleMemory(latncy='1ns')",
        "SimpleMemory has no parameter 'latncy'; did you mean 'latency' or "
        "'latency_var'?\n  at script.py:7",
    ),
    "an unknown parameter of an object in the tree has its path": (
        "root.system.mem_modus = 'timing'",
        "system: System has no parameter 'mem_modus'; did you mean "
        "'mem_mode'?\n  at script.py:7",
    ),
    "a name that is not there": (
        "print(root.system.membus)",
        "system: System has no attribute 'membus'\n  at script.py:7",
    ),
    "an unknown class": (
        "m5.objects.SimpleMemroy()",
        "there is no class 'SimpleMemroy'; did you mean 'SimpleMemory'?\n"
        "  at script.py:7",
    ),
    "a wrong unit": (
        "root.system.mem = SimpleMemory(latency='5GB')",
        "SimpleMemory.latency = '5GB': expects a time such as '50ns'\n"
        "  at script.py:7",
    ),
    "a time without a unit": (
        "root.system.mem = SimpleMemory()\nroot.system.mem.latency = 30",
        "system.mem.latency = 30: expects a time such as '50ns'\n"
        "  at script.py:8",
    ),
    "a number out of range": (
        "root.system.bus = SystemXBar()\nroot.system.bus.width = -4",
        "system.bus.width = -4: must lie between 0 and "
        "18446744073709551615 "
        "({width_doc})\n  at script.py:8",
    ),
    "a number that is no power of two": (
        "root.system.cache_line_size = 48",
        "system.cache_line_size = 48: must be a power of two "
        "({line_doc})\n  at script.py:7",
    ),
    "a word that is not in the enumeration": (
        "root.system.mem_mode = 'fast'",
        "system.mem_mode = 'fast': expects one of 'invalid', 'atomic', "
        "'timing', 'atomic_noncaching'\n  at script.py:7",
    ),
    "an object of a wrong class": (
        "root.system.clk_domain.voltage_domain = SystemXBar()",
        "system.clk_domain.voltage_domain: expects an object of class "
        "VoltageDomain, got an object of class SystemXBar\n  at script.py:7",
    ),
    "a list where one value is expected": (
        "root.system.cache_line_size = [64, 128]",
        "system.cache_line_size: expects one value, not the list [64, 128]\n"
        "  at script.py:7",
    ),
    "a required parameter that is not set": (
        "root.domain = SrcClockDomain(clock='1GHz')\nm5.instantiate()",
        "domain.voltage_domain: a value is required and none is set "
        "(Voltage domain that feeds the clock)\n  created at script.py:7",
    ),
    "a port that is not connected": (
        "root.system.mem = SimpleMemory()\nm5.instantiate()",
        "system.mem.port: the port is not connected ({port_doc})\n"
        "  created at script.py:7",
    ),
    "two ports that answer": (
        "bus = root.system.bus = SystemXBar()\n"
        "root.system.mem = SimpleMemory(port=bus.cpu_side_ports)",
        "cannot connect SimpleMemory.port to system.bus.cpu_side_ports[0]: "
        "both are responders\n  at script.py:8",
    ),
    "a port that is connected twice": (
        "bus = root.system.bus = SystemXBar()\n"
        "mem = root.system.mem = SimpleMemory()\n"
        "mem.port = bus.mem_side_ports\n"
        "mem.port = bus.mem_side_ports",
        "system.mem.port is already connected to "
        "system.bus.mem_side_ports[0], cannot connect "
        "system.bus.mem_side_ports[1]\n  at script.py:10",
    ),
    "a port that is no port": (
        "root.system.mem = SimpleMemory()\nroot.system.mem.port = 5",
        "system.mem.port: expects a port, got 5\n  at script.py:8",
    ),
    "a proxy that finds nothing": (
        "root.system.bus = SystemXBar(width=Parent.bus_width)\n"
        "m5.instantiate()",
        "system.bus.width: cannot resolve Parent.bus_width\n"
        "  set at script.py:7",
    ),
    "a cycle of proxies": (
        "a = root.system.a = SystemXBar()\n"
        "a.width = Self.frontend_latency\n"
        "a.frontend_latency = Self.width\n"
        "m5.instantiate()",
        "cycle of proxies: system.a.frontend_latency -> system.a.width -> "
        "system.a.frontend_latency\n  set at script.py:9",
    ),
    "a cycle of proxies through other objects": (
        "a = root.system.a = SystemXBar(width=Parent.b.frontend_latency)\n"
        "b = root.system.b = SystemXBar(frontend_latency=Parent.a.width)\n"
        "m5.instantiate()",
        "cycle of proxies: system.a.width -> system.b.frontend_latency -> "
        "system.a.width\n  set at script.py:7",
    ),
    "a range that cannot be read": (
        "root.system.mem = SimpleMemory(range=AddrRange('3 apples'))",
        "cannot convert '3 apples' to memory size\n  at script.py:7",
    ),
    "an import of a class that is not there": (
        "from m5.objects import System, SimpleMemroy",
        "there is no class 'SimpleMemroy'; did you mean 'SimpleMemory'?\n"
        "  at script.py:7",
    ),
    "an import of such a class from a module of gem5's": (
        "from m5.objects.SimpleMemory import SimpleMemroy",
        "there is no class 'SimpleMemroy'; did you mean 'SimpleMemory'?\n"
        "  at script.py:7",
    ),
    "an object with two parents": (
        "root.system.mem = SimpleMemory()\nroot.other = root.system.mem",
        "root.other: the object already has a parent, as system.mem; an "
        "object has one parent\n  at script.py:8",
    ),
    "an object below itself": (
        "bus = SystemXBar()\nbus.inner = bus",
        "SystemXBar.inner: an object cannot be below itself\n"
        "  at script.py:8",
    ),
    "an object that is in no tree": (
        "v = VoltageDomain()\nlost = SrcClockDomain(clock='1GHz', "
        "voltage_domain=v)\n"
        "root.system.clk_domain.voltage_domain = v\nm5.instantiate()",
        "system.clk_domain.voltage_domain: refers to <VoltageDomain "
        "SrcClockDomain.voltage_domain>, which is not in the tree of this "
        "Root\n  set at script.py:9",
    ),
    "instantiate twice": (
        "m5.instantiate()\nm5.instantiate()",
        "instantiate() was called twice; the first call was at script.py:7\n"
        "  at script.py:8",
    ),
    "simulate before instantiate": (
        "m5.simulate()",
        "simulate() was called before instantiate()\n  at script.py:7",
    ),
    "a parameter that is set too late": (
        "m5.instantiate()\nroot.system.cache_line_size = 32",
        "system.cache_line_size: cannot be set after instantiate()\n"
        "  at script.py:8",
    ),
    "an object of an abstract class": (
        "BaseXBar()",
        "BaseXBar is an abstract class; create an object of a class derived "
        "from it\n  at script.py:7",
    ),
    "another tick frequency": (
        "m5.ticks.setGlobalFrequency('1GHz')",
        "one tick is 1 ps (1 THz); it cannot be set to 1GHz\n"
        "  at script.py:7",
    ),
    "a switch of what is no CPU": (
        "m5.instantiate()\nm5.switchCpus(root.system, [(root, root)])",
        "switchCpus(): root is not a CPU\n  at script.py:8",
    ),
    "an unknown statistics output": (
        "m5.stats.addStatVisitor('hdf://stats.h5')",
        "unknown statistics output 'hdf://stats.h5'; there are: text://, "
        "json://, h5://\n  at script.py:7",
    ),
    "a class with code that the core does not have": (
        "class Hello(SimObject):\n"
        "    type = 'Hello'\n"
        "    cxx_header = 'hello.hh'\n"
        "root.hello = Hello()\n"
        "m5.instantiate()",
        "hello: class Hello declares C++ code, which does not exist in the "
        "core\n  created at script.py:10",
    ),
    "m5.fatal": ("m5.fatal('no %s', 'luck')", "no luck\n  at script.py:7"),
}


def documentation():
    """Descriptions of parameters that messages repeat."""
    from gearshift.objects import SimpleMemory, System, SystemXBar

    return {
        "width_doc": SystemXBar._params["width"].desc,
        "line_doc": System._params["cache_line_size"].desc,
        "port_doc": SimpleMemory._ports["port"].desc,
    }


@pytest.mark.parametrize("name", CASES)
def test_an_error_names_object_and_line(runner, name):
    code, text = CASES[name]
    done = runner.script(HEAD + code + "\n")
    for key, words in documentation().items():
        text = text.replace("{" + key + "}", words)
    assert done.stderr == f"fatal: {text}\n"
    assert done.returncode == 1


def test_no_root_at_all(runner):
    done = runner.script("import m5\nm5.instantiate()\n")
    assert done.stderr == (
        "fatal: there is no Root; create one before instantiate()\n"
        "  at script.py:2\n"
    )
    assert done.returncode == 1


def test_an_error_in_a_module_of_the_script_names_that_module(runner):
    runner.write(
        "from m5.objects import SimpleMemory\n"
        "def make():\n    return SimpleMemory(size=5)\n",
        "board.py",
    )
    done = runner.script("import board\nboard.make()\n")
    assert done.stderr == (
        "fatal: SimpleMemory has no parameter 'size'\n  at board.py:3\n"
    )


def test_other_exceptions_show_the_script_only(runner):
    done = runner.script("def f():\n    return 1 / 0\nf()\n")
    assert done.returncode == 1
    assert (
        done.stderr
        == (
            "Traceback (most recent call last):\n"
            '  File "script.py", line 3, in <module>\n'
            '  File "script.py", line 2, in f\n'
            "ZeroDivisionError: division by zero\n"
        )
        or 'File "script.py", line 2, in f' in done.stderr
    )
    assert "runner.py" not in done.stderr


def test_an_unknown_class_gets_a_hint(runner):
    done = runner.script("from m5.objects import *\nSimpleMemroy()\n")
    assert done.stderr.endswith(
        "\nNameError: name 'SimpleMemroy' is not defined\n"
        "hint: there is no object class 'SimpleMemroy'; did you mean "
        "'SimpleMemory'?\n"
    )
    done = runner.script("import m5\nSystemXBar()\n")
    assert done.stderr.endswith("\nhint: from m5.objects import SystemXBar\n")
    assert done.returncode == 1


def test_a_missing_class_can_be_caught(runner):
    done = runner.script(
        "import m5.objects\n"
        "try:\n    from m5.objects import Missing\n"
        "except ImportError as error:\n    print(type(error).__name__)\n"
        "print(getattr(m5.objects, 'Missing', None))\n"
    )
    assert done.stdout == "UnknownImportError\nNone\n"


def test_panics_and_syntax_errors_show_the_script_only(runner):
    done = runner.script("import m5\nm5.panic('all %s', 'lost')\n")
    assert done.stderr.endswith(
        "m5.panic('all %s', 'lost')\npanic: all lost\n"
    )
    done = runner.script("def f(:\n")
    assert done.stderr.startswith('  File "script.py", line 1\n')
    assert done.returncode == 1


def test_the_core_names_the_line_that_set_a_parameter(runner, system_text):
    done = runner.script(
        system_text + "root.system.mem.range = AddrRange(4096, 4096)\n"
        "m5.instantiate()\n"
    )
    assert done.returncode == 1
    assert done.stderr.startswith("fatal: system.mem: ")
    assert done.stderr.endswith("\n  set at script.py:13\n")
    assert "Traceback" not in done.stderr
