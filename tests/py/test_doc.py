# SPDX-License-Identifier: BSD-3-Clause
"""gearshift doc: text, HTML and stubs from the tables."""

import ast
import html.parser
import os
import shutil
import subprocess
from pathlib import Path

import gearshift
from gearshift import _core, doc, objects, stubs


def test_a_class_is_described(runner):
    text = runner.run("doc", "SimpleMemory").stdout
    assert text.startswith("SimpleMemory < AbstractMemory < ClockedObject")
    assert "  latency  (Latency; default 30ns)\n" in text
    assert "  port  (mem responder" in text
    done = runner.run("doc", "SimpleMemroy")
    assert done.stderr == (
        "fatal: there is no class 'SimpleMemroy'; did you mean "
        "'SimpleMemory'?\n"
    )
    assert done.returncode == 1


def test_the_index_names_all_classes(runner):
    lines = runner.run("doc").stdout.splitlines()
    names = [line.split()[0] for line in lines]
    assert sorted(row["name"] for row in _core.types()) == sorted(names)


class Links(html.parser.HTMLParser):
    """Collects targets of links."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found |= {value for key, value in attrs if key == "href"}


def test_html_pages_link_to_pages_that_exist(tmp_path):
    index = doc.write_html(str(tmp_path))
    pages = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert index.endswith("index.html") and "System.html" in pages
    for text in pages.values():
        links = Links()
        links.feed(text)
        assert links.found <= set(pages)
    assert "mem_mode" in pages["System.html"]


def test_stubs_are_valid_python_and_complete(tmp_path):
    stubs.write(str(tmp_path))
    text = (tmp_path / "gearshift" / "objects.pyi").read_text()
    m5_text = (tmp_path / "compat/m5/objects/__init__.pyi").read_text()
    assert stubs.objects_stub() in text and stubs.objects_stub() in m5_text
    tree = ast.parse(text)
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    for row in _core.types():
        if row["base"] is None:
            continue
        members = {
            item.target.id
            for item in classes[row["name"]].body
            if isinstance(item, ast.AnnAssign)
        }
        wanted = {r["name"] for r in row["params"] + row["ports"]}
        assert members == wanted


TYPED = """\
import m5
from m5.objects import Root, SimpleMemory, System, SystemXBar

root = Root(full_system=False)
root.system = System(mem_mode="timing", membus=SystemXBar(width=32))
root.system.mem = SimpleMemory(latency="3ns")
root.system.mem.port = root.system.membus.mem_side_ports
m5.instantiate()
print(m5.simulate(100).getCause())
"""


def test_a_type_checker_uses_the_stubs(tmp_path):
    package = Path(gearshift.__file__).parent.parent
    place = tmp_path / "python"
    shutil.copytree(package, place)
    stubs.write(str(place))

    def check(text):
        (tmp_path / "script.py").write_text(text, encoding="utf-8")
        return subprocess.run(
            ["/usr/bin/mypy", "--cache-dir", tmp_path / "cache", "script.py"],
            cwd=tmp_path,
            env={**os.environ, "MYPYPATH": f"{place}:{place}/compat"},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    assert check(TYPED).startswith("Success")
    wrong = TYPED + 'SimpleMemory(latncy="3ns")\nSystem(mem_mode="quick")\n'
    lines = check(wrong).splitlines()
    assert [line.split(": ")[0] for line in lines[:2]] == [
        "script.py:10",
        "script.py:11",
    ]
    assert "Found 2 errors" in lines[-1]


def test_every_class_of_the_tables_is_in_m5_objects():
    for row in _core.types():
        cls = getattr(objects, row["name"])
        assert issubclass(cls, gearshift.SimObject)
        assert set(cls._params) >= {p["name"] for p in row["params"]}


def test_every_default_is_valid():
    for row in _core.types():
        cls = getattr(objects, row["name"])
        for param in row["params"]:
            desc = cls._params[param["name"]]
            if desc.has_default:
                desc.default()
            assert desc.ptype is not None


def test_the_stub_of_the_extension_names_what_it_has():
    path = doc.__file__.replace("doc.py", "_core.pyi")
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    told = set()
    for node in tree.body:
        if isinstance(node, ast.AnnAssign):
            told.add(node.target.id)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            told.add(node.name)
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                name = getattr(item, "name", None) or item.target.id
                told.add(f"{node.name}.{name}")
    told -= {"Event.__init__", "KvmHost.__init__"}
    classes = ("Object", "Simulation", "Event", "KvmHost")
    found = {name for name in dir(_core) if name[0] != "_"}
    for cls in classes:
        members = vars(getattr(_core, cls))
        found |= {f"{cls}.{name}" for name in members if name[0] != "_"}
    assert found == told
