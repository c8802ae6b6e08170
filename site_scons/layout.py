# SPDX-License-Identifier: BSD-3-Clause
"""
What is built from which folder.

build/VARIANT/libgearshift_core.a     src/**/*.c
build/VARIANT/python/gearshift/       links to src/python/gearshift, and the
                                      extension from src/python/*.cc
build/VARIANT/python/compat/          links to src/python/compat (m5, gem5)
build/VARIANT/configs/                links to configs/
build/VARIANT/gearshift               the command
build/VARIANT/unit_tests              tests/unit/**
build/tsan/thread_tests               those of tests/unit that use threads
build/VARIANT/bench/                  tests/bench/*_bench.c
build/VARIANT/diff_fuzz               tests/diff/*.c
build/VARIANT/lockstep                tests/lockstep/*.c
build/VARIANT/kernel_run              tests/kernel/*.c
build/VARIANT/fuzz/                   tests/fuzz/*_fuzz.{c,cc}
build/guest/                          tests/guest/{asm,c,flat,kernel}: programs
                                      that are simulated
build/guest/m5/                       util/m5: the guests' library and command
"""
import os
import re
import subprocess

from SCons.Script import (
    Action,
    Alias,
    AlwaysBuild,
    COMMAND_LINE_TARGETS,
    Default,
    File,
    Glob,
    SConscript,
)

import dependencies
import variants

# What starts threads: the sanitizer of threads looks at its tests.
THREADS = re.compile(r'#include (<pthread\.h>|<thread>|"base/crew\.h")')

# What a guest program is built with, unless a line "guest-flags: ..." in it
# says something else; by folder.
GUEST_FLAGS = {
    "asm": "-static -nostdlib",
    "c": "-O2 -g -static",
    "flat": "-m32 -nostdlib -static -no-pie -Wl,--oformat=binary,"
    "--build-id=none -Ttext=0x7c00",
    "kernel": "-m32 -O1 -ffreestanding -fno-pic -fno-stack-protector "
    "-mgeneral-regs-only -static -nostdlib -no-pie -Wl,--build-id=none "
    "-Wl,--section-start=.multiboot=0x100000,-Ttext=0x101000,-z,norelro,"
    "-z,max-page-size=4096",
}


# Both gcc and SCons, which looks for what programs include, search here.
GUEST_INCLUDES = ["tests/guest"]


def folders(top):
    """TOP and all folders below it, sorted."""
    found = []
    for folder, subdirs, _ in os.walk(top):
        subdirs[:] = sorted(d for d in subdirs if d != "__pycache__")
        found.append(folder)
    return found


def core_objects(env, variant):
    """Objects of all C files below src/."""
    objects = []
    for folder in folders("src"):
        sources = Glob(f"build/{variant}/{folder}/*.c")
        if os.path.exists(f"{folder}/SConscript"):
            # It gets `sources` and an `env` of its own, and returns objects:
            #     Import("env", "sources")
            #     env.Append(CCFLAGS=["-fno-gcse"])
            #     objects = [env.Object(source) for source in sources]
            #     Return("objects")
            objects += SConscript(
                f"build/{variant}/{folder}/SConscript",
                exports={"env": env.Clone(), "sources": sources},
            )
        else:
            objects += [env.Object(source) for source in sources]
    return objects


def link_tree(target, source, env):
    """Make each file below the source folders appear below the target."""
    del source
    top = os.path.dirname(str(target[0]))
    wanted = {}
    for name, folder in env["LINK_TREES"].items():
        for where in folders(folder):
            for file in os.listdir(where):
                path = os.path.join(where, file)
                if os.path.isfile(path):
                    below = os.path.relpath(path, folder)
                    wanted[os.path.join(top, name, below)] = path
    for name in env["LINK_TREES"]:
        for where in folders(os.path.join(top, name)):
            for file in os.listdir(where):
                path = os.path.join(where, file)
                if os.path.islink(path) and path not in wanted:
                    os.unlink(path)
    for link, path in wanted.items():
        value = os.path.relpath(path, os.path.dirname(link))
        if os.path.islink(link) and os.readlink(link) == value:
            continue
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(value, link)


def package(env, variant, core):
    """The Python package with its extension, and the command."""
    top = f"build/{variant}"
    includes, suffix = dependencies.python_flags()
    glue = env.Clone(SHLIBPREFIX="", SHLIBSUFFIX=suffix)
    glue.Append(CPPPATH=includes, CCFLAGS=variants.TABLE[variant]["glue"])
    made = []
    bindings = Glob(f"{top}/src/python/*.cc")
    if bindings:
        made += glue.SharedLibrary(
            f"{top}/python/gearshift/_core", bindings + core
        )
    tree = env.Command(
        f"{top}/.package",
        [],
        Action(link_tree, None),
        LINK_TREES={
            "python/gearshift": "src/python/gearshift",
            "python/compat": "src/python/compat",
            "configs": "configs",
        },
    )
    AlwaysBuild(tree)
    preload = [
        runtime_path(env, name) for name in variants.TABLE[variant]["preload"]
    ]
    made += env.Substfile(
        f"{top}/gearshift",
        "util/launcher.py",
        SUBST_DICT={"@PRELOAD@": ":".join(preload)},
    )
    env.AddPostAction(made[-1:], "@chmod +x $TARGET")
    return made + tree


def runtime_path(env, library):
    """Where the compiler keeps a runtime library."""
    run = subprocess.run(
        [*env["CC"].split(), "-print-file-name=" + library],
        check=True,
        text=True,
        capture_output=True,
    )
    return os.path.realpath(run.stdout.strip())


def uses_threads(test):
    """Whether a unit test, or the source that it tests, starts threads."""
    source = re.sub(r"^tests/unit/(.*)_test\.cc$", r"src/\1.c", test)
    for path in (test, source):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                if THREADS.search(file.read()):
                    return True
    return False


def unit_tests(env, variant, core):
    """One program with all unit tests."""
    return test_program(env, variant, core, "unit_tests", lambda test: True)


def test_program(env, variant, core, name, is_wanted):
    """A program of unit tests."""
    tests = env.Clone()
    tests.Append(
        CPPPATH=["#/tests/unit"],
        CCFLAGS=variants.TABLE[variant]["glue"],
    )
    sources = []
    for folder in folders("tests/unit"):
        for source in Glob(f"build/{variant}/{folder}/*.cc"):
            if is_wanted(f"{folder}/{source.name}"):
                sources.append(source)
        sources += Glob(f"build/{variant}/{folder}/*.c")
    return tests.Program(
        f"build/{variant}/{name}",
        sources + core,
        LIBS=["gmock", "gtest", "gtest_main"] + env["LIBS"],
    )


def diff_fuzz(env, variant, core):
    """The differential fuzzer: instructions on the host and on the core."""
    plain = env.Clone()
    # Its child runs with the registers of a test case: no instrumentation.
    plain.Append(
        CCFLAGS=["-fno-stack-protector", "-fno-sanitize=all", "-O2"],
    )
    top = f"build/{variant}/tests/diff"
    sources = [s for s in Glob(f"{top}/*.c") if s.name != "native.c"]
    return env.Program(
        f"build/{variant}/diff_fuzz",
        sources + [plain.Object(f"{top}/native.c")] + core,
    )


def benchmarks(env, variant, core):
    """One program per tests/bench/*_bench.c."""
    return [
        env.Program(
            f"build/{variant}/bench/" + os.path.basename(str(source))[:-2],
            [source] + core,
        )
        for source in Glob(f"build/{variant}/tests/bench/*_bench.c")
    ]


def fuzzers(base):
    """One libFuzzer program per tests/fuzz/*_fuzz.{c,cc}, with clang."""
    top = "build/fuzz"
    cache = "ccache " if base["CC"].startswith("ccache ") else ""
    env = base.Clone(CC=cache + "clang", CXX=cache + "clang++")
    env.Append(
        CCFLAGS=variants.COMMON
        + [
            "-O1",
            "-g",
            "-DSIM_DEBUG",
            "-fno-sanitize-recover=all",
            "-fsanitize=fuzzer-no-link,address,undefined",
        ],
        LINKFLAGS=["-fsanitize=fuzzer,address,undefined"],
    )
    env.Append(CFLAGS=["-Wno-sign-conversion"])
    env["LINK"] = "clang++"
    env.VariantDir(f"{top}/src", "src", duplicate=False)
    env.VariantDir(f"{top}/tests", "tests", duplicate=False)
    core = env.StaticLibrary(
        f"{top}/gearshift_core", core_objects(env, "fuzz")
    )
    return [
        env.Program(
            f"{top}/" + os.path.basename(str(source)).split(".")[0],
            [source] + core,
        )
        for pattern in ("*_fuzz.c", "*_fuzz.cc")
        for source in Glob(f"{top}/tests/fuzz/{pattern}")
    ]


def build_fuzzers(base):
    """The target `fuzz`, if it is asked for: it needs clang."""
    if "fuzz" in COMMAND_LINE_TARGETS:
        Alias("fuzz", fuzzers(base))


def install(env, variant, made):
    """What `scons install` copies; runs without this tree."""
    target = env.Command(
        f"always/install-{variant}",
        made,
        f"util/install.sh build/{variant} $PREFIX",
    )
    AlwaysBuild(target)
    return target


def run(env, name, needs, command):
    """A target that always runs COMMAND."""
    target = env.Command(f"always/{name}", needs, command)
    AlwaysBuild(target)
    return target


def build_core(base, variant):
    """The environment of a variant, and its library."""
    env = base.Clone()
    env.Tool("textfile")
    env.Append(
        CCFLAGS=variants.COMMON + variants.TABLE[variant]["cc"],
        LINKFLAGS=variants.TABLE[variant]["ld"],
    )
    env.VariantDir(f"build/{variant}/src", "src", duplicate=False)
    env.VariantDir(f"build/{variant}/tests", "tests", duplicate=False)
    core = env.StaticLibrary(
        f"build/{variant}/gearshift_core", core_objects(env, variant)
    )
    if variant == "tsan":
        Alias(
            "threads",
            test_program(env, variant, core, "thread_tests", uses_threads),
        )
    return env, core


def build_thread_tests(base, chosen):
    """The target `threads`: without the rest of the variant it belongs to."""
    if "threads" in COMMAND_LINE_TARGETS and "tsan" not in chosen:
        build_core(base, "tsan")


def build_variant(base, variant):
    """All targets of one variant."""
    env, core = build_core(base, variant)
    made = package(env, variant, core)
    Alias(variant, [core, made])
    Default(core, made)
    tests = unit_tests(env, variant, core)
    Alias("unit", tests)
    lockstep = env.Program(
        f"build/{variant}/lockstep",
        Glob(f"build/{variant}/tests/lockstep/*.c") + core,
    )
    kernel_run = env.Program(
        f"build/{variant}/kernel_run",
        Glob(f"build/{variant}/tests/kernel/*.c") + core,
    )
    Alias("diff", [diff_fuzz(env, variant, core), lockstep, kernel_run])
    runner = f"$PYTHON tests/run_all.py --variant={variant}"
    Alias(
        "test",
        run(
            env,
            f"test-{variant}",
            [tests, made, kernel_run, "guest"],
            f"{runner} unit pytest",
        ),
    )
    Alias(
        "bench",
        run(
            env,
            f"bench-{variant}",
            [benchmarks(env, variant, core), made],
            f"$PYTHON tests/run_bench.py --variant={variant}",
        ),
    )
    Alias("install", install(env, variant, made))


def guest_flags(source, folder):
    """The flags that the program itself asks for, or those of its folder."""
    with open(source, encoding="utf-8") as file:
        found = re.search(r"guest-flags: *(.*?) *(\*/)?$", file.read(), re.M)
    return found.group(1) if found else GUEST_FLAGS[folder]


def build_guest_programs(base):
    """build/guest/FOLDER/NAME from tests/guest/FOLDER/NAME.{c,cc,S}."""
    made = []
    for folder in GUEST_FLAGS:
        for source in Glob(f"tests/guest/{folder}/*"):
            name, suffix = os.path.splitext(os.path.basename(str(source)))
            if suffix not in (".c", ".cc", ".S"):
                continue
            compiler = "g++" if suffix == ".cc" else "gcc"
            made += base.Command(
                f"build/guest/{folder}/{name}",
                File(source),
                f"{compiler} $_CPPINCFLAGS $SOURCE -o $TARGET "
                + guest_flags(str(source), folder),
                CPPPATH=GUEST_INCLUDES,
            )
    Alias("guest", made + build_m5(base))


def build_m5(base):
    """The guests' own library and command for pseudo operations."""
    flags = "-O2 -Iutil/m5/include"
    objects = [
        base.Command(
            f"build/guest/m5/{name}.o",
            [File(f"util/m5/{name}.{suffix}")],
            f"gcc {flags} -fPIC -c $SOURCE -o $TARGET",
        )[0]
        for name, suffix in (("m5ops", "S"), ("m5_mmap", "c"))
    ]
    library = base.Command(
        "build/guest/m5/libm5.a",
        objects,
        "rm -f $TARGET; ar rcs $TARGET $SOURCES",
    )
    tool = base.Command(
        "build/guest/m5/m5",
        ["util/m5/m5.c", library],
        f"gcc {flags} -static $SOURCES -o $TARGET",
    )
    headers = Glob("util/m5/include/gem5/*.h") + Glob(
        "util/m5/include/gem5/asm/generic/*.h"
    )
    for target in objects + tool:
        base.Depends(target, headers)
    return library + tool
