# SPDX-License-Identifier: BSD-3-Clause
"""The examples of the documents compile, run and print what they say."""

import re
import subprocess

import pytest

from conftest import BUILD, ROOT

WARNINGS = ["-Wall", "-Wextra", "-Werror"]
INCLUDES = [
    f"-I{ROOT}/src",
    f"-I{ROOT}/tests/unit",
    f"-I{ROOT}/tests/unit/mem",
]
LIBRARIES = "-lgtest -lgtest_main -lZydis -lzstd -lz -lxxhash -lpthread -lm"


def blocks(name, language):
    """The examples of a document in a language, one after the other."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"```{re.escape(language)}\n(.*?)```", text, re.S)


def run(*words):
    """Run a program; its output is the message of a failure."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compiled(folder, document):
    """The object file of the example, all C blocks together."""
    parts = [
        block
        for block in blocks(document, "c")
        if not block.startswith("SIM_TYPE")
    ]
    source = folder / "example.c"
    source.write_text("".join(parts), encoding="utf-8")
    made = folder / "example.o"
    run("gcc", "-std=c17", *WARNINGS, *INCLUDES, "-c", source, "-o", made)
    return made


@pytest.mark.parametrize("name", ["device", "memory_object"])
def test_the_example_passes_its_own_test(tmp_path, name):
    document = f"docs/howto_{name}.md"
    made = [compiled(tmp_path, document)]
    (test,) = blocks(document, "c++")
    source = tmp_path / "test.cc"
    source.write_text(test, encoding="utf-8")
    if "mem_tree.h" in test:
        made.append(tmp_path / "toy.o")
        toy = ROOT / "tests/unit/mem/toy_mem.c"
        run("gcc", "-std=gnu17", *INCLUDES, "-c", toy, "-o", made[-1])
    program = tmp_path / "test"
    run(
        *["g++", "-std=c++17", *WARNINGS, *INCLUDES, source, *made],
        *[BUILD / "libgearshift_core.a", *LIBRARIES.split(), "-o", program],
    )
    assert "[  PASSED  ] 1 test." in run(program)


def test_the_first_script_of_the_readme_runs(runner):
    done = runner.script(blocks("README.md", "python")[0])
    assert done.stdout == "1000000000 ps: simulate() limit reached\n"
    assert (done.stderr, done.returncode) == ("", 0)
