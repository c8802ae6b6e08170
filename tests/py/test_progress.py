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


def test_a_terminal_shows_the_line(runner, system_text):
    runner.write(
        "import time\n" + system_text + "m5.instantiate()\n"
        "def again():\n"
        "    time.sleep(0.1)\n"
        "    m5.event.mainq.schedule(m5.event.create(again),"
        " m5.curTick() + 100)\n"
        "m5.event.mainq.schedule(m5.event.create("
        "lambda: m5.warn('half')), 750)\n"
        "again()\nm5.simulate(1500)\nprint('end')\n"
    )
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
