# SPDX-License-Identifier: BSD-3-Clause
"""Finds what the build needs; tells the Debian package of what is missing."""
import re
import shutil
import subprocess

# Debian's own, even where another python3 comes first on PATH.
PYTHON = "/usr/bin/python3"
PYTHON_CONFIG = "/usr/bin/python3-config"

# header, Debian package
HEADERS = [
    ("Zydis/Zydis.h", "libzydis-dev"),
    ("zstd.h", "libzstd-dev"),
    ("zlib.h", "zlib1g-dev"),
    ("xxhash.h", "libxxhash-dev"),
    ("linux/kvm.h", "linux-libc-dev"),
    ("pybind11/pybind11.h", "pybind11-dev"),
    ("gtest/gtest.h", "libgtest-dev"),
    ("gmock/gmock.h", "libgmock-dev"),
]
ZYDIS_MAJOR = 4


def install_hint(what, package):
    """The one line that tells what to do."""
    return (
        f"{what}: install the Debian package {package} "
        f"(apt-get install {package}, or util/install-deps.sh for all)"
    )


def python_flags():
    """Include flags and file suffix of extension modules."""

    def ask(option):
        return subprocess.run(
            [PYTHON_CONFIG, option],
            check=True,
            text=True,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin"},
        ).stdout.strip()

    includes = [flag[2:] for flag in ask("--includes").split()]
    return list(dict.fromkeys(includes)), ask("--extension-suffix")


def missing_program(env):
    """A compiler or interpreter that is not there, or None."""
    for variable, package in [("CC", "gcc"), ("CXX", "g++")]:
        for word in env[variable].split():
            if not shutil.which(word):
                return install_hint(
                    f"{variable}: no program '{word}'",
                    word if word == "ccache" else package,
                )
    if not shutil.which(PYTHON):
        return install_hint(f"no {PYTHON}", "python3")
    if not shutil.which(PYTHON_CONFIG):
        return install_hint(f"no {PYTHON_CONFIG}", "python3-dev")
    return None


def missing_header(env):
    """A header that is not there or too old, or None."""
    lines = [
        f"#if !__has_include(<{header}>)\n@missing {index}\n#endif\n"
        for index, (header, _) in enumerate(HEADERS)
    ]
    probe = (
        "".join(lines) + "#if __has_include(<Zydis/Zydis.h>)\n"
        "#include <Zydis/Zydis.h>\n@zydis ZYDIS_VERSION\n#endif\n"
    )
    run = subprocess.run(
        [*env["CXX"].split(), "-E", "-P", "-x", "c++", "-"],
        input=probe,
        text=True,
        capture_output=True,
        check=False,
    )
    if run.returncode:
        return f"{env['CXX']} does not work: {run.stderr.strip()}"
    found = re.search(r"^@missing (\d+)", run.stdout, re.M)
    if found:
        header, package = HEADERS[int(found.group(1))]
        return install_hint(f"no header <{header}>", package)
    found = re.search(r"^@zydis.*0x([0-9A-Fa-f]+)", run.stdout, re.M)
    if not found or int(found.group(1), 16) >> 48 < ZYDIS_MAJOR:
        return install_hint(
            f"Zydis is older than {ZYDIS_MAJOR}.0", "libzydis-dev"
        )
    return None


def missing(env):
    """One line about the first dependency that is missing; None if none is."""
    return missing_program(env) or missing_header(env)
