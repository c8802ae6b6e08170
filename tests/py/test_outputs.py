# SPDX-License-Identifier: BSD-3-Clause
"""Files in the output directory: configuration, diagram, statistics."""

import json
import shutil
import xml.etree.ElementTree as ET

import pytest

RUN = "m5.instantiate()\nm5.simulate(1000)\n"


def sections(text):
    """config.ini as {section: {key: value}}."""
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith("["):
            current = found[line[1:-1]] = {}
        elif line:
            key, _, value = line.partition("=")
            current[key] = value
    return found


def test_config_ini_has_gem5s_layout(runner, system_text):
    assert runner.script(system_text + RUN).returncode == 0
    text = runner.path("m5out/config.ini").read_text()
    found = sections(text)
    assert text.startswith("[root]\ntype=Root\nchildren=system\n")
    assert list(found) == sorted(found)
    assert found["system"]["children"] == "clk_domain mem membus"
    assert found["system"]["mem_mode"] == "timing"
    assert found["system"]["mem_ranges"] == "0:16777216"
    assert found["system"]["system_port"] == "system.membus.cpu_side_ports[0]"
    assert found["system.clk_domain"]["clock"] == "1000"
    assert found["system.mem"]["clk_domain"] == "system.clk_domain"
    assert found["system.membus"]["cpu_side_ports"] == "system.system_port"
    assert found["root"]["full_system"] == "false"


def test_config_json_nests_children(runner, system_text):
    runner.script(system_text + RUN)
    root = json.loads(runner.path("m5out/config.json").read_text())
    system = root["system"]
    assert (root["name"], root["path"], root["type"]) == (
        "root",
        "root",
        "Root",
    )
    assert system["mem"]["path"] == "system.mem"
    assert system["mem"]["port"] == {
        "peer": "system.membus.mem_side_ports[0]",
        "role": "RESPONDER",
    }
    assert system["membus"]["cpu_side_ports"]["peer"] == ["system.system_port"]
    assert system["clk_domain"]["clock"] == [1000]
    assert system["cache_line_size"] == 64


@pytest.mark.skipif(shutil.which("dot") is None, reason="no graphviz")
def test_the_diagram_shows_objects_and_connections(runner, system_text):
    runner.write(system_text + RUN)
    assert runner.run("-q", "script.py").returncode == 0
    dot = runner.path("m5out/config.dot").read_text()
    assert '"system.system_port" -> "system.membus.cpu_side_ports"' in dot
    svg = ET.parse(runner.path("m5out/config.svg"))
    words = {item.text for item in svg.iter() if item.text}
    assert "membus: SystemXBar" in words and "mem: SimpleMemory" in words


def test_the_diagram_of_domains_shows_what_each_clocks(runner, system_text):
    runner.write(
        system_text
        + "clk = root.system.clk_domain\n"
        + "root.system.slow = DerivedClockDomain(clk_domain=clk, "
        + "clk_divider=4)\n"
        + "root.system.mem.clk_domain = root.system.slow\n"
        + "m5.instantiate()\n"
    )
    done = runner.run("-q", "--dot-dvfs-config=dvfs.dot", "script.py")
    assert (done.returncode, done.stderr) == (0, "")
    picture = runner.path("m5out/dvfs.svg").read_text()
    for text in ("voltage 1<", "clock 1000<", "clk_divider 4<"):
        assert text in picture
    slow = runner.path("m5out/dvfs.dot").read_text().split("system.slow")[-1]
    assert "SimpleMemory" in slow and "SystemXBar" not in slow


def test_a_missing_graphviz_is_told_once(runner, system_text):
    runner.write(system_text + RUN)
    done = runner.run("-q", "script.py", PATH="/nonexistent")
    assert done.returncode == 0
    assert done.stderr == (
        "warn: no config.svg: the program 'dot' is missing (Debian package "
        "graphviz)\n"
    )


def test_config_files_can_be_named_and_left_out(runner, system_text):
    runner.write(system_text + RUN)
    runner.run(
        "-q",
        "-d",
        "out",
        "--dump-config=c.ini",
        "--json-config=",
        "--dot-config=",
        "--stats-file=s.txt",
        "script.py",
    )
    names = sorted(path.name for path in runner.path("out").iterdir())
    assert names == ["c.ini", "s.txt"]


def test_statistics_are_dumped_at_exit_and_on_demand(runner, system_text):
    runner.script(
        system_text + RUN + "m5.stats.dump()\nm5.stats.dump()\n"
        "m5.stats.reset()\nm5.simulate(500)\n"
    )
    text = runner.path("m5out/stats.txt").read_text()
    ticks = [
        line.split()[1]
        for line in text.splitlines()
        if line.startswith("simTicks ")
    ]
    assert ticks == ["1000", "500"]
    dumps = json.loads(runner.path("m5out/stats.json").read_text())
    assert [dump["simTicks"]["value"] for dump in dumps] == [1000, 500]


def test_stats_outputs_are_urls(runner, system_text):
    runner.write(
        system_text + "m5.stats.addStatVisitor('text://more.txt?desc=False')\n"
        "m5.stats.addStatVisitor('json://more.json')\n" + RUN
    )
    done = runner.run(
        "-q", "--dot-config=", "--stats-file=text://a.txt", "script.py"
    )
    assert done.stderr == ""
    names = {path.name for path in runner.path("m5out").iterdir()}
    assert {"a.txt", "more.txt", "more.json"} <= names
    assert "stats.txt" not in names
    assert "#" in runner.path("m5out/a.txt").read_text()
    assert "#" not in runner.path("m5out/more.txt").read_text()


def test_periodic_dumps_reset_each_time(runner, system_text):
    runner.script(
        system_text + "m5.instantiate()\nm5.stats.periodicStatDump(300)\n"
        "m5.simulate(1000)\n"
    )
    dumps = json.loads(runner.path("m5out/stats.json").read_text())
    ends = [dump["finalTick"]["value"] for dump in dumps]
    assert ends == [300, 600, 900, 1000]
    assert [d["simTicks"]["value"] for d in dumps] == [300, 300, 300, 100]


def test_a_part_of_the_tree_is_dumped(runner, system_text):
    runner.script(
        system_text + RUN + "m5.stats.dump(root.system.membus)\n"
        "m5.stats.dump([root.system.clk_domain])\n"
    )
    text = runner.path("m5out/stats.txt").read_text()
    dumps = text.split("Begin Simulation Statistics")[1:]
    assert "simTicks" not in dumps[0] and "system.membus." in dumps[0]
    assert "system.clk_domain.clock " in dumps[1]
    assert "simTicks" in dumps[2]


def test_the_same_script_twice_gives_the_same_files(runner, system_text):
    def keep(text):
        return [ln for ln in text.splitlines() if not ln.startswith("host")]

    found = []
    for _ in range(2):
        runner.script(system_text + RUN)
        found.append(
            [
                runner.path("m5out/config.ini").read_text(),
                runner.path("m5out/config.json").read_text(),
                keep(runner.path("m5out/stats.txt").read_text()),
            ]
        )
    assert found[0] == found[1]
