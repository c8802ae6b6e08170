# SPDX-License-Identifier: BSD-3-Clause
"""What a program in the simulator cannot change on the host."""

import os
import subprocess

import pytest
from conftest import ROOT

ESCAPE = ROOT / "build" / "guest" / "c" / "escape"


@pytest.fixture
def jail(runner):
    """A runner in `work`, beside `outside` with a file and a directory."""
    top = runner.folder
    outside = top / "outside"
    (outside / "dir").mkdir(parents=True)
    (outside / "file").write_text("precious")
    os.chmod(outside / "file", 0o666)
    os.utime(outside / "file", (1000, 1000))
    os.utime(outside, (1000, 1000))
    (top / "work").mkdir()
    runner.folder = top / "work"
    runner.outside = outside
    return runner


def snapshot(folder):
    """All that can be seen of a tree."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        info = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (
            info.st_mode,
            info.st_nlink,
            info.st_uid,
            info.st_gid,
            info.st_mtime_ns,
            content,
            os.listxattr(path, follow_symlinks=False),
        )
    return found


def needs_escape():
    """The guest program comes from `scons guest`."""
    if not ESCAPE.exists():
        pytest.skip("build/guest/c/escape is not built (scons guest)")


def test_no_attempt_changes_what_is_outside(jail):
    needs_escape()
    before = snapshot(jail.outside)
    done = jail.run("se", str(ESCAPE), str(jail.outside))
    assert snapshot(jail.outside) == before
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_the_attempts_succeed_where_they_may(jail):
    needs_escape()
    before = snapshot(jail.outside)
    done = jail.run(
        "se", f"--allow-write={jail.outside}", str(ESCAPE), str(jail.outside)
    )
    assert done.returncode == 1, done.stderr
    assert snapshot(jail.outside) != before
    for attempt in ("by_name", "by_link", "by_rename_out", "by_chdir"):
        assert attempt in done.stdout.split()


@pytest.mark.parametrize(
    "attempt",
    [
        "by_name",
        "by_dangling_link",
        "by_reopening",
        "by_exchange",
        "by_link_to_parent",
        "by_link_in_proc",
        "by_truncating_openat2",
    ],
)
def test_the_attempts_succeed_natively(jail, attempt):
    needs_escape()
    before = snapshot(jail.outside)
    done = subprocess.run(
        [ESCAPE, jail.outside, attempt],
        cwd=jail.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == attempt + "\n"
    assert snapshot(jail.outside) != before


def test_a_link_made_by_the_host_leads_nowhere_either(jail):
    needs_escape()
    (jail.folder / "link").symlink_to(jail.outside / "file")
    (jail.folder / "dirlink").symlink_to(jail.outside)
    before = snapshot(jail.outside)
    done = jail.run(
        "se",
        "/bin/sh",
        "-c",
        "echo x > link; echo x > dirlink/new; rm -rf dirlink/; "
        ": > dirlink/file",
    )
    assert done.returncode != 0
    assert snapshot(jail.outside) == before


def test_temporary_and_shared_memory_folders_stay_closed(jail):
    name = f"gearshift-test-{os.getpid()}"
    done = jail.run(
        "se",
        "/bin/sh",
        "-c",
        f"echo x > /tmp/{name}; echo x > /dev/shm/{name}; "
        f"echo x > /var/tmp/{name}",
    )
    assert done.returncode != 0 or done.stderr == ""
    for folder in ("/tmp", "/dev/shm", "/var/tmp"):
        assert not os.path.exists(f"{folder}/{name}")


def test_what_is_allowed_reaches_no_further(jail):
    (jail.outside / "dir" / "sub").mkdir()
    before = (jail.outside / "file").read_text()
    done = jail.run(
        "se",
        f"--allow-write={jail.outside / 'dir'}",
        "/bin/sh",
        "-c",
        f"cd {jail.outside}/dir/sub && echo x > ../ok; echo x > ../../file; "
        "ln -s ../../file l; echo x > l; ln ../../file h; mv ../../file m",
    )
    assert done.returncode != 0
    assert (jail.outside / "dir" / "ok").read_text() == "x\n"
    assert (jail.outside / "file").read_text() == before
    assert (jail.outside / "file").lstat().st_nlink == 1


def test_there_is_no_network(jail):
    script = (
        "import errno, socket\n"
        "for family in (socket.AF_INET, socket.AF_INET6):\n"
        "    try:\n"
        "        socket.socket(family)\n"
        "        print('open')\n"
        "    except OSError as error:\n"
        "        print(errno.errorcode[error.errno])\n"
    )
    done = jail.run("se", "/usr/bin/python3", "-I", "-c", script)
    assert done.stdout == "EAFNOSUPPORT\nEAFNOSUPPORT\n", done.stderr


def test_other_processes_are_out_of_reach(jail):
    with subprocess.Popen(["/bin/sleep", "30"]) as victim:
        done = jail.run("se", "/bin/sh", "-c", f"kill -KILL {victim.pid}")
        assert done.returncode != 0
        assert victim.poll() is None
        victim.kill()
