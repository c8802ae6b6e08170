# SPDX-License-Identifier: BSD-3-Clause
"""Images on bare processors: gearshift bare, and scripts."""

import shutil
import subprocess

import pytest

from conftest import ROOT

FLAT = ROOT / "build" / "guest" / "flat"
QEMU = shutil.which("qemu-system-i386")


def bare(runner, *words):
    """Run the command on an image."""
    return runner.run("bare", *map(str, words))


def image(runner, hexadecimal, name="image"):
    """A flat image of these bytes."""
    runner.path(name).write_bytes(bytes.fromhex(hexadecimal))
    return name


def test_a_boot_sector_begins_in_real_mode(runner):
    """It prints by OUT and ends by the exit port."""
    done = bare(runner, FLAT / "hello16")
    assert done.stdout == "hello from real mode\n"
    assert done.returncode == 0x15 * 2 + 1, done.stderr


@pytest.mark.skipif(not QEMU, reason="qemu-system-i386 is not installed")
def test_the_boot_sector_does_the_same_in_qemu(runner):
    """From a floppy disk."""
    floppy = runner.path("floppy")
    sector = (FLAT / "hello16").read_bytes()
    floppy.write_bytes(sector.ljust(1440 * 1024, b"\0"))
    done = subprocess.run(
        [
            QEMU,
            *"-machine pc,accel=tcg -display none -no-reboot".split(),
            *"-nodefaults -boot a -device isa-debug-exit,iobase=0xf4".split(),
            *"-chardev stdio,id=c -device isa-debugcon,chardev=c".split(),
            "-drive",
            f"file={floppy},format=raw,if=floppy",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = bare(runner, FLAT / "hello16")
    assert (done.stdout, done.returncode) == (ours.stdout, ours.returncode)


def test_an_image_begins_in_protected_mode(runner):
    """With descriptors for 32 and 16 bits; it switches itself off."""
    done = bare(
        runner,
        "--entry-mode=protected",
        "--load-addr=0x100000",
        FLAT / "protected",
    )
    assert done.stdout.splitlines() == [
        "hello from protected mode",
        "and from its 16-bit half",
    ]
    assert done.returncode == 0, done.stderr


def test_an_image_begins_in_long_mode(runner):
    """Pseudo operations by instruction, address and hypercall."""
    done = bare(
        runner, "--entry-mode=long", "--load-addr=0x200000", FLAT / "long"
    )
    assert done.stdout == "hello from long mode\n"
    assert done.returncode == 0, f"check {done.returncode} {done.stderr}"


def test_firmware_begins_at_the_reset_vector(runner):
    """It ends by the word Shutdown."""
    done = bare(runner, "--entry-mode=reset", FLAT / "firmware")
    assert done.stdout == "hello from the reset vector\n"
    assert done.returncode == 0, done.stderr


def test_a_triple_fault_ends_the_run_not_the_process(runner):
    """LIDT of an empty table, then UD2, in real mode."""
    name = image(runner, "0f011e077c0f0b" + "00" * 6)
    done = bare(runner, name)
    assert done.returncode == 100
    assert "processor shutdown after a triple fault" in done.stderr


def test_a_halt_for_ever_ends_the_run(runner):
    """CLI, HLT: nothing can happen any more."""
    done = bare(runner, image(runner, "faf4ebfd"))
    assert done.returncode == 101
    assert "simulate() limit reached" in done.stderr


def test_a_limit_of_instructions_ends_the_run(runner):
    """JMP to itself."""
    done = bare(runner, "--max-insts=1000", image(runner, "ebfe"))
    assert done.returncode == 102


def test_unclaimed_ports_are_counted(runner):
    """IN from nowhere, twice, then out of the exit port what was read."""
    name = image(runner, "ba3412eceee4f4e5f4ed" + "e7f4" + "f4")
    done = bare(runner, "--outdir=out", name)
    stats = runner.path("out/stats.txt").read_text()
    assert done.returncode == 0xFF, done.stderr
    assert "membus.numUnclaimed" in stats
    assert "nobody answers at 0x8000000000001234" in done.stderr


@pytest.mark.parametrize(
    "words, message",
    [
        (["nowhere"], "nowhere: No such file"),
        (["--format=multiboot", "image"], "no Multiboot header"),
        (["--load-addr=0x100000", "image"], "real mode begins below 1 MiB"),
        (["--load-addr=0x10000000000", "image"], "there is no RAM for"),
    ],
)
def test_wrong_images_are_the_user_s_errors(runner, words, message):
    """Told in one line, status 1."""
    image(runner, "f4")
    done = bare(runner, *words)
    assert message in done.stderr
    assert done.returncode == 1


def test_the_example_script_runs_an_image(runner):
    """configs/example/bare_metal.py does as the command."""
    script = ROOT / "configs" / "example" / "bare_metal.py"
    done = runner.run("-q", str(script), str(FLAT / "hello16"))
    assert "hello from real mode\n" in done.stdout
    assert "exit port written, code 43" in done.stdout, done.stderr
    assert runner.path("m5out/config.ini").exists()
