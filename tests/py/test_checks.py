# SPDX-License-Identifier: BSD-3-Clause
"""Each checker finds what it is for, and lets a good sample pass."""
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "util"))
import check_catalog  # noqa: E402
import check_globals  # noqa: E402
import check_headers  # noqa: E402
import check_layers  # noqa: E402
import check_sizes  # noqa: E402
import check_tests  # noqa: E402
import check_tools  # noqa: E402
import check_words  # noqa: E402

SPDX = "/* SPDX-License-Identifier: BSD-3-Clause */\n"
GOOD_HEADER = (
    SPDX
    + """#ifndef BASE_GOOD_H
#define BASE_GOOD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** good_sum() - the sum of both. */
uint64_t good_sum(uint64_t a, uint64_t b);

#ifdef __cplusplus
}
#endif

#endif
"""
)
GOOD_SOURCE = (
    SPDX
    + """#include "base/good.h"

uint64_t good_sum(uint64_t a, uint64_t b)
{
    return a + b; /* may malloc() be mentioned? In a comment, yes. */
}
"""
)


@pytest.fixture(name="tree")
def make_tree(tmp_path):
    """A tiny project without a fault."""
    write(tmp_path, "src/LAYERS", "# lowest first\nbase:\nsim: base\n")
    write(tmp_path, "src/base/good.h", GOOD_HEADER)
    write(tmp_path, "src/base/good.c", GOOD_SOURCE)
    write(tmp_path, "tests/unit/base/good_test.cc", SPDX)
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "util", tmp_path / "util")
    return tmp_path


def write(root, name, text):
    """Create a file and its folder."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "module",
    [
        check_catalog,
        check_headers,
        check_layers,
        check_sizes,
        check_tests,
        check_words,
    ],
)
def test_a_good_project_passes(tree, module):
    assert module.check(tree) == []


# layers ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, text, problem",
    [
        (
            "src/base/up.c",
            '#include "sim/x.h"\n',
            'src/base/up.c:1: layer base may not include "sim/x.h"',
        ),
        (
            "src/base/gone.c",
            '\n#include "base/gone.h"\n',
            'src/base/gone.c:2: "base/gone.h" is not a path below src/',
        ),
        ("src/new/x.c", "", "src/new/x.c: its folder is not in LAYERS"),
        (
            "src/sim/inner.c",
            '#include "base/a_internal.h"\n',
            'src/sim/inner.c:1: "base/a_internal.h" is internal to its layer',
        ),
    ],
)
def test_an_include_that_points_up_or_nowhere_is_found(
    tree, name, text, problem
):
    write(tree, "src/sim/x.h", "")
    write(tree, "src/base/a_internal.h", "")
    write(tree, name, text)
    assert problem in check_layers.check(tree)


def test_an_include_in_a_comment_does_not_count(tree):
    write(tree, "src/base/x.c", '/*\n#include "sim/x.h"\n*/\n')
    assert check_layers.check(tree) == []


def test_layers_cannot_form_a_cycle(tree):
    write(tree, "src/LAYERS", "base: sim\nsim: base\n")
    assert check_layers.check(tree) == ["LAYERS:1: base: sim is not above it"]


# sizes ----------------------------------------------------------------------


def function(lines, parameters="void", before=""):
    """A function with some lines in its body."""
    return (
        SPDX
        + before
        + f"static int f({parameters})\n"
        + "{\n"
        + "    g();\n" * lines
        + "}\n"
    )


def test_a_function_may_have_eighty_lines_and_no_more(tree):
    write(tree, "tests/unit/x.cc", function(77))
    assert check_sizes.check(tree) == []
    write(tree, "tests/unit/x.cc", function(78))
    assert check_sizes.check(tree) == [
        "tests/unit/x.cc:2: f: 81 lines, limit 80"
    ]


def test_a_long_function_with_a_reason_passes(tree):
    mark = "/* NOLINTNEXTLINE(readability-function-size)"
    write(
        tree,
        "tests/unit/x.cc",
        function(99, before=mark + ": one switch */\n"),
    )
    assert check_sizes.check(tree) == []
    write(tree, "tests/unit/x.cc", function(99, before=mark + " */\n"))
    assert len(check_sizes.check(tree)) == 1


def test_most_functions_are_short(tree):
    write(tree, "src/base/x.c", function(40))
    assert "5 % of the functions" in check_sizes.check(tree)[0]


@pytest.mark.parametrize(
    "parameters, count",
    [
        ("void", 0),
        ("int a", 1),
        ("int a, int (*f)(int, int), int c", 3),
        ("int a, int b, int c, int d, int e, int f, int g", 7),
    ],
)
def test_parameters_are_counted(parameters, count):
    found = list(check_sizes.functions(function(1, parameters)))
    assert [one.parameters for one in found] == [count]


def test_seven_parameters_are_too_many(tree):
    write(tree, "src/base/x.c", function(1, ", ".join(["int a"] * 7)))
    assert check_sizes.check(tree) == [
        "src/base/x.c:2: f: 7 parameters, limit 6"
    ]


def test_long_files_and_lines_are_found(tree):
    write(tree, "src/base/x.c", "int x;\n" * 801 + "int " + "y" * 77 + ";\n")
    assert check_sizes.check(tree) == [
        "src/base/x.c:802: 82 columns, limit 80",
        "src/base/x.c: 802 lines, limit 800",
    ]


def test_a_table_may_have_longer_lines(tree):
    row = "x" * 100 + "\n"
    write(tree, "src/base/x.def", row)
    write(
        tree,
        "src/base/x.c",
        "/* clang-format off */\n" + row + "/* clang-format on */\n" + row,
    )
    assert check_sizes.check(tree) == ["src/base/x.c:4: 100 columns, limit 80"]


def test_a_bool_parameter_of_a_header_is_found(tree):
    write(tree, "src/base/x.h", "void x_set(int a, bool on);\nbool y(void);\n")
    assert check_sizes.check(tree) == [
        "src/base/x.h:1: x_set: parameter of type bool; use an enum"
    ]


# tests ----------------------------------------------------------------------


def test_a_source_without_test_or_reason_is_found(tree):
    write(tree, "src/base/x.c", "")
    assert check_tests.check(tree) == [
        "src/base/x.c: no tests/unit/base/x_test.cc"
    ]
    write(tree, "tests/UNTESTED", "# why\nsrc/base/x.c: needs hardware\n")
    assert check_tests.check(tree) == []


def test_a_group_of_sources_may_share_a_reason(tree):
    write(tree, "src/base/one/x.c", "")
    write(tree, "src/base/y_a.c", "")
    write(
        tree,
        "tests/UNTESTED",
        "src/base/one/: by others\nsrc/base/y_*: too\nsrc/base/z_*: gone\n",
    )
    assert check_tests.check(tree) == [
        "tests/UNTESTED: src/base/z_* does not exist"
    ]


def test_a_stale_or_bare_line_of_untested_is_found(tree):
    write(
        tree,
        "tests/UNTESTED",
        "src/base/gone.c: old\nsrc/base/good.c: lazy\nsrc/base/x.c:\n",
    )
    write(tree, "src/base/x.c", "")
    assert check_tests.check(tree) == [
        "tests/UNTESTED:3: no reason",
        "tests/UNTESTED: src/base/good.c has a test",
        "tests/UNTESTED: src/base/gone.c does not exist",
    ]


# catalog --------------------------------------------------------------------


def test_the_catalog_and_the_types_agree(tree):
    write(tree, "src/base/a.c", "const struct sim_type a_type = {\n};\n")
    assert check_catalog.check(tree) == [
        "src/base/a.c: a_type is not in catalog.def"
    ]
    write(tree, "src/python/catalog.def", "SIM_TYPE(a_type)\n")
    assert check_catalog.check(tree) == []
    write(
        tree,
        "src/python/catalog.def",
        "SIM_TYPE(a_type)\nSIM_TYPE(a_type)\nSIM_TYPE(b_type)\n",
    )
    assert check_catalog.check(tree) == [
        "catalog.def: a_type stands there 2 times",
        "catalog.def: nothing defines b_type",
    ]


# words ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "void *p = malloc(3);",
        "free(p);",
        "exit(1);",
        "abort();",
        'printf("x");',
        'fprintf(stderr, "x");',
        "t = time(NULL);",
        "r = rand();",
        "#if 0",
        "/* TO" "DO: later */",
        'char *s = "/wor' 'k/x";',
    ],
)
def test_a_word_in_the_wrong_place_is_found(tree, line):
    write(tree, "src/base/x.c", SPDX + line + "\n")
    problems = check_words.check(tree)
    assert len(problems) == 1
    assert problems[0].startswith("src/base/x.c:2: ")


@pytest.mark.parametrize(
    "line",
    [
        "obj->free(obj);",
        "mem_free(p);",
        'x("malloc(3)");',
        "/* exit(1) */",
        'fprintf(file, "x");',
        "run_time(3);",
        "#if 01",
        "/* TO" "DO(#7): x */",
        "exit(1); /* NOLINT(words): a child of ours */",
    ],
)
def test_a_word_that_only_looks_alike_passes(tree, line):
    write(tree, "src/base/x.c", SPDX + line + "\n")
    assert check_words.check(tree) == []


def test_a_file_without_licence_is_found(tree):
    write(tree, "src/base/x.c", "int x;\n")
    assert len(check_words.check(tree)) == 1


# headers and globals --------------------------------------------------------


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("#include <stdint.h>\n", "", "src/base/good.h: not alone as C17"),
        (
            "uint64_t b",
            "uint64_t class",
            "src/base/good.h: not alone as C++17",
        ),
        ("GOOD_H", "FINE_H", "src/base/good.h: its guard is not BASE_GOOD_H"),
    ],
)
def test_a_header_that_does_not_stand_alone_is_found(tree, old, new, problem):
    write(tree, "src/base/good.h", GOOD_HEADER.replace(old, new))
    assert problem in check_headers.check(tree)


def test_a_mutable_global_is_found_and_a_constant_table_is_not():
    dump = """x.o:     file format elf64-x86-64

0000000000000000 l     O .bss\t0000000000000008 counter
0000000000000000 g     O .data.rel.ro\t0000000000000008 table
0000000000000000 g     O .data\t0000000000000008 .hidden current
0000000000000000 g     F .text\t0000000000000008 function
debug.o:     file format elf64-x86-64
0000000000000000 g     O .bss\t0000000000000008 debug_flags
"""
    assert check_globals.globals_in(dump) == [
        "x.o: counter is a mutable global (.bss)",
        "x.o: current is a mutable global (.data)",
    ]


# programs -------------------------------------------------------------------


def test_clang_format_finds_a_bad_layout(tree):
    assert check_tools.check_clang_format(tree) == []
    write(tree, "src/base/x.c", "int  x;\n")
    assert "src/base/x.c:1" in check_tools.check_clang_format(tree)[0]


def compile_database(tree, name):
    """compile_commands.json with one file."""
    write(
        tree,
        "compile_commands.json",
        '[{"command": "ccache gcc -o x.o -c -std=c17 -Isrc -Wall -Werror '
        f'{name}", "directory": ".", "file": "{name}"}}]',
    )


def test_clang_and_clang_tidy_find_faults_and_remember_what_passed(tree):
    compile_database(tree, "src/base/good.c")
    for check in (check_tools.check_clang, check_tools.check_clang_tidy):
        assert check(tree) == []
    key = (tree / "build/check/clang.json").read_text()
    write(tree, "src/base/good.h", GOOD_HEADER.replace("uint64_t b", "int b"))
    for check in (check_tools.check_clang, check_tools.check_clang_tidy):
        assert any("good_sum" in line for line in check(tree))
    write(tree, "src/base/good.h", GOOD_HEADER)
    assert check_tools.check_clang(tree) == []
    assert (tree / "build/check/clang.json").read_text() == key


def test_cppcheck_finds_a_fault(tree):
    assert check_tools.check_cppcheck(tree) == []
    write(
        tree,
        "src/base/x.c",
        "int f(void)\n{\n    int a[2] = {0};\n" "    return a[2];\n}\n",
    )
    assert any(
        "arrayIndexOutOfBounds" in line
        for line in check_tools.check_cppcheck(tree)
    )


def test_black_flake8_and_mypy_find_faults(tree):
    write(tree, "SConstruct", "")
    shutil.rmtree(tree / "util")
    write(tree, "util/good.py", '"""Good."""\n')
    checks = [
        check_tools.check_black,
        check_tools.check_flake8,
        check_tools.check_mypy,
    ]
    assert [check(tree) for check in checks] == [[], [], []]
    write(tree, "util/bad.py", "import os\nx: int =  ''\n")
    assert all("bad.py" in check(tree)[0] for check in checks)


def test_a_missing_program_names_what_to_do(tree):
    problems = check_tools.problems_of(tree, ["no-such-program"])
    assert problems == ["no program no-such-program: run util/install-deps.sh"]
