# SPDX-License-Identifier: BSD-3-Clause
"""The live line on a terminal."""

import os
import pty
import subprocess

from conftest import COMMAND
from gearshift import progress


def test_the_line_tells_time_rate_and_what_is_left():
    text = progress.line_text(
        10**12, 10.0, 5_000_000, 3 * 10**12, 2 * 10**12
    )
    assert text == ("sim 2 s  host 00:10  100 ms/s  0.5 MIPS  25% ETA 00:30")
    assert progress.line_text(10**6, 2.0, 0, None, 10**6) == (
        "sim 1 us  host 00:02  500 ns/s"
    )
    assert progress.clock_text(3723) == "1:02:03"


# Waits for updates of the line, so that nothing depends on the host's speed.
SCRIPT = """
import time
from gearshift import progress
m5.instantiate()
texts = []
plain = progress.line_text
def counted(*args):
    texts.append(plain(*args))
    return texts[-1]
progress.line_text = counted
def wait_for_updates():
    start = len(texts)
    while len(texts) < start + 2:
        time.sleep(0.02)
def work():
    wait_for_updates()
    m5.warn("half")
    wait_for_updates()
m5.event.mainq.schedule(m5.event.create(work), 750)
m5.simulate(1500)
print("end")
"""


def test_a_terminal_shows_the_line(runner, system_text):
    runner.write(system_text + SCRIPT)
    main, side = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "--dot-config=", "script.py"],
        cwd=runner.folder,
        stdout=subprocess.PIPE,
        stderr=side,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(side)
        shown = b""
        while True:
            try:
                data = os.read(main, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data
        out, _ = process.communicate()
    os.close(main)
    assert process.returncode == 0 and out.endswith(b"end\n")
    before, _, after = shown.partition(b"warn: half")
    assert b"host 00:0" in before and b"ETA" in before
    assert b"ETA" in after
