# SPDX-License-Identifier: BSD-3-Clause
"""Programs that cannot be run: a message and status 1, never a crash."""

import os
import random
import re
import struct
import subprocess

import pytest
from conftest import ROOT

STATIC = ROOT / "build" / "guest" / "c" / "crash"
STATUS_OF_SIGNALS = {128 + n for n in (4, 5, 6, 7, 8, 11)}

# Offsets in the header of an ELF64 file and in a program header.
TYPE, MACHINE, ENTRY, PHOFF, PHENTSIZE, PHNUM = 16, 18, 24, 32, 54, 56
P_FLAGS, P_OFFSET, P_VADDR, P_FILESZ, P_MEMSZ, P_ALIGN = 4, 8, 16, 32, 40, 48
PT_LOAD, PT_INTERP = 1, 3


def elf():
    """The bytes of a dynamic program."""
    with open("/bin/true", "rb") as file:
        return bytearray(file.read())


def put(data, offset, form, value):
    """Change a field."""
    struct.pack_into("<" + form, data, offset, value)


def segments(data, kind):
    """Offsets of the program headers of a type."""
    (start,) = struct.unpack_from("<Q", data, PHOFF)
    (count,) = struct.unpack_from("<H", data, PHNUM)
    offsets = [start + 56 * i for i in range(count)]
    return [
        at for at in offsets if struct.unpack_from("<I", data, at)[0] == kind
    ]


def install(runner, data, name="program"):
    """A file that may be executed."""
    path = runner.path(name)
    path.write_bytes(data)
    path.chmod(0o755)
    return str(path)


def refused(done):
    """It says why on one or two lines, and nothing crashed."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.startswith("fatal: "), done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 500
    return done.stderr


def test_files_that_are_no_programs(runner):
    runner.path("folder").mkdir()
    cases = {
        "empty": b"",
        "text": b"echo this is text\n",
        "short": b"\x7fELF",
        "random": random.Random(1).randbytes(5000),
        "zeros": bytes(5000),
    }
    for name, data in cases.items():
        assert name in refused(runner.run("se", install(runner, data, name)))
    assert "folder" in refused(runner.run("se", str(runner.path("folder"))))
    assert "missing" in refused(runner.run("se", "./missing"))
    refused(runner.run("se", "no-such-command-anywhere"))


def test_a_file_that_may_not_be_executed(runner):
    path = runner.path("plain")
    path.write_bytes(bytes(elf()))
    path.chmod(0o644)
    refused(runner.run("se", str(path)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(runner):
    path = install(runner, bytes(elf()))
    os.chmod(path, 0o111)
    refused(runner.run("se", path))


def test_a_named_pipe_does_not_block(runner):
    os.mkfifo(runner.path("fifo"), 0o755)
    refused(runner.run("se", str(runner.path("fifo"))))


@pytest.mark.parametrize(
    "keep", [1, 15, 16, 52, 63, 64, 100, 400, 4096, -4096]
)
def test_truncated_programs(runner, keep):
    done = runner.run("se", install(runner, bytes(elf()[:keep])))
    if keep > 400 or keep < 0:
        # The headers are there: what is missing shows in the program.
        assert done.returncode in {1} | STATUS_OF_SIGNALS, done
        assert "panic" not in done.stderr
    else:
        refused(done)


@pytest.mark.parametrize(
    "offset, form, value",
    [
        (4, "B", 0),  # class
        (4, "B", 3),
        (5, "B", 2),  # big endian
        (TYPE, "H", 0),
        (TYPE, "H", 1),  # relocatable
        (TYPE, "H", 4),  # core dump
        (MACHINE, "H", 0),
        (MACHINE, "H", 183),  # AArch64
        (PHOFF, "Q", 2**64 - 8),
        (PHOFF, "Q", 2**40),
        (PHENTSIZE, "H", 0),
        (PHENTSIZE, "H", 32),
        (PHNUM, "H", 0),
        (PHNUM, "H", 65535),
    ],
)
def test_headers_that_are_wrong(runner, offset, form, value):
    data = elf()
    put(data, offset, form, value)
    refused(runner.run("se", install(runner, bytes(data))))


@pytest.mark.parametrize(
    "field, value",
    [
        (P_MEMSZ, 2**62),
        (P_MEMSZ, 2**47),
        (P_MEMSZ, 2**64 - 1),
        (P_FILESZ, 2**40),
        (P_FILESZ, 2**64 - 1),
        (P_OFFSET, 2**63),
        (P_OFFSET, 7),  # does not fit the address
        (P_VADDR, 2**63),
        (P_VADDR, 2**47),
        (P_VADDR, 2**64 - 4096),
    ],
)
@pytest.mark.parametrize("which", [0, -1])
def test_segments_that_are_absurd(runner, field, value, which):
    data = elf()
    put(data, segments(data, PT_LOAD)[which] + field, "Q", value)
    done = runner.run("se", install(runner, bytes(data)))
    assert done.returncode in {1} | STATUS_OF_SIGNALS, done
    assert done.stderr
    assert "panic" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", [b"/no/such/interpreter", b"/etc", b"/etc/passwd", b"", b"ld.so"]
)
def test_interpreters_that_cannot_be_used(runner, name):
    data = elf()
    header = segments(data, PT_INTERP)[0]
    (offset,) = struct.unpack_from("<Q", data, header + P_OFFSET)
    data[offset : offset + len(name) + 1] = name + b"\0"
    put(data, header + P_FILESZ, "Q", len(name) + 1)
    refused(runner.run("se", install(runner, bytes(data))))


def test_an_interpreter_name_without_end(runner):
    for size in (0, 5, 2**20, 2**63):
        data = elf()
        put(data, segments(data, PT_INTERP)[0] + P_FILESZ, "Q", size)
        refused(runner.run("se", install(runner, bytes(data))))


@pytest.mark.parametrize(
    "first", ["#!/no/such/program", "#!", "#! ", "#!/etc", "#!./self"]
)
def test_scripts_that_cannot_be_run(runner, first):
    path = install(runner, first.encode() + b"\necho hi\n", "self")
    refused(runner.run("se", path))


def test_random_damage_to_headers(runner):
    rng = random.Random(7)
    for _ in range(25):
        data = elf()
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(16, 800)] = rng.randrange(256)
        done = runner.run(
            "se", "--max-insts=2000000", install(runner, bytes(data))
        )
        assert 0 <= done.returncode, (done, bytes(data[:800]).hex())
        assert "panic" not in done.stderr, bytes(data[:800]).hex()
        assert "Traceback" not in done.stderr, bytes(data[:800]).hex()


def test_random_code_ends_by_a_signal(runner):
    rng = random.Random(8)
    for _ in range(15):
        data = elf()
        (entry,) = struct.unpack_from("<Q", data, ENTRY)
        put(data, segments(data, PT_INTERP)[0], "I", 0)  # PT_NULL
        data[entry : entry + 2000] = rng.randbytes(2000)
        done = runner.run(
            "se", "--max-insts=1000000", install(runner, bytes(data))
        )
        assert 0 <= done.returncode, done
        assert "panic" not in done.stderr, data[entry : entry + 64].hex()


def test_a_crash_tells_signal_registers_and_back_trace(runner):
    if not STATIC.exists():
        pytest.skip("build/guest/c/crash is not built (scons guest)")
    done = runner.run("se", str(STATIC))
    assert done.returncode == 139
    assert "dies by SIGSEGV" in done.stderr
    assert "rip 0x" in done.stderr
    names = re.findall(r"#\d+ 0x[0-9a-f]+ (\w+)\+", done.stderr)
    names = [name for name in names if name in ("bottom", "middle", "main")]
    assert names == ["bottom", "middle", "main"], done.stderr


def test_the_status_is_that_of_the_shell(runner):
    for script in ("kill -TERM $$", "kill -SEGV $$", "exit 300", "exit 0"):
        argv = ["/bin/sh", "-c", script]
        native = subprocess.run(argv, check=False).returncode
        wanted = 128 - native if native < 0 else native
        assert runner.run("se", *argv).returncode == wanted


def test_options_that_are_wrong(runner):
    for words in (["--cpus=0"], ["--mem=1"], ["--clock=fast"], ["--model=x"]):
        done = runner.run("se", *words, "/bin/true")
        assert done.returncode in (1, 2), (words, done)
        assert done.stderr and "Traceback" not in done.stderr, (words, done)
        assert "panic" not in done.stderr
