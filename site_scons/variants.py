# SPDX-License-Identifier: BSD-3-Clause
"""Compiler flags: those of all variants, and those of each."""

WARNINGS = """-Wall -Wextra -Wpedantic -Wshadow -Wundef
    -Wwrite-strings -Wvla -Werror""".split()
COMMON = WARNINGS + ["-fPIC", "-fexceptions", "-fvisibility=hidden"]
C_FLAGS = """-std=c17 -D_GNU_SOURCE -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes""".split()
# In C++ the two compilers differ on what -Wconversion says of signs.
CXX_FLAGS = """-std=c++17 -D_GNU_SOURCE -Wconversion
    -Wno-sign-conversion""".split()
# Binding and test code is large and never hot: keep it quick to compile.
GLUE = ["-O0", "-g1"]


def sanitizer(names):
    """Flags of a variant that finds NAMES at run time, and stops there."""
    return {
        # Instrumented code makes gcc see things that are not there.
        "cc": [
            "-O1",
            "-g",
            "-DSIM_DEBUG",
            "-Wno-error",
            "-fno-omit-frame-pointer",
            f"-fsanitize={names}",
            "-fno-sanitize-recover=all",
        ],
        "ld": [f"-fsanitize={names}"],
    }


# preload: what must be in the process before Python loads the extension.
TABLE = {
    "opt": {"cc": ["-O3", "-g"], "ld": [], "glue": GLUE, "preload": []},
    "debug": {
        "cc": ["-Og", "-g", "-DSIM_DEBUG", "-foptimize-sibling-calls"],
        "ld": [],
        "glue": ["-Og", "-g"],
        "preload": [],
    },
    "asan": {
        **sanitizer("address,undefined"),
        "glue": [],
        "preload": ["libasan.so", "libstdc++.so"],
    },
    "tsan": {
        **sanitizer("thread"),
        "glue": [],
        "preload": ["libtsan.so", "libstdc++.so"],
    },
    "cov": {
        "cc": [
            "-O1",
            "-g",
            "-DSIM_DEBUG",
            "--coverage",
            "-foptimize-sibling-calls",
        ],
        "ld": ["--coverage"],
        "glue": [],
        "preload": [],
    },
}
