# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints from the command line, with the options of gem5's se.py.

    parser = argparse.ArgumentParser()
    checkpoints.add_options(parser)
    plan = checkpoints.Plan(parser.parse_args(), default_dir="m5out")
    simulation.instantiate(plan.restore_from)
    event = plan.run(simulation, system.cpu[0])
"""

from __future__ import annotations

import argparse
import os
import re
from typing import Any, List, Optional, Tuple

from gearshift.errors import FatalError

_MAX_TICK = (1 << 64) - 1
_DUE = "a checkpoint is due"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add = parser.add_argument_group("checkpoints").add_argument
    add(
        "--take-checkpoints",
        metavar="M[,N]",
        help="write one at tick M, and if N is given every N ticks then",
    )
    add(
        "--at-instruction",
        action="store_true",
        help="M and N are instructions of the first CPU",
    )
    add("--max-checkpoints", type=int, default=5, metavar="COUNT")
    add(
        "--checkpoint-dir",
        metavar="DIR",
        help="where they are, as cpt.TICK; default: the output directory",
    )
    add(
        "-r",
        "--checkpoint-restore",
        "--restore",
        metavar="N|DIR",
        help="go on from the Nth checkpoint there, or from DIR",
    )


def _listed(directory: str) -> List[str]:
    """The checkpoints in a directory, earliest first."""
    found: List[Tuple[int, str]] = []
    names = os.listdir(directory) if os.path.isdir(directory) else []
    for name in names:
        match = re.fullmatch(r"cpt\.(\d+)", name)
        if match:
            found.append((int(match[1]), os.path.join(directory, name)))
    return [path for _tick, path in sorted(found)]


def _chosen(text: str, directory: str) -> str:
    """What -r names."""
    if not text.isdecimal():
        return text
    listed = _listed(directory)
    if not 1 <= int(text) <= len(listed):
        raise FatalError(
            f"there is no checkpoint {text}: {directory} has {len(listed)}"
        )
    return listed[int(text) - 1]


def _numbers(text: str) -> List[int]:
    """M and N."""
    words = text.split(",")
    if len(words) > 2 or not all(word.strip().isdecimal() for word in words):
        raise FatalError(f"--take-checkpoints={text}: not M or M,N")
    return [int(word) for word in words]


class Plan:
    """What the options ask for."""

    def __init__(self, options: Any, default_dir: Optional[str]) -> None:
        self.directory = options.checkpoint_dir or default_dir
        self.at_instruction = options.at_instruction
        self.max_checkpoints = options.max_checkpoints
        self.restore_from: Optional[str] = None
        self.points: List[int] = []
        if options.checkpoint_restore:
            self.restore_from = _chosen(
                options.checkpoint_restore, self.directory or "."
            )
        if options.take_checkpoints:
            self.points = _numbers(options.take_checkpoints)
            self._check()

    def _check(self) -> None:
        if not self.directory:
            raise FatalError(
                "checkpoints have no place: give --checkpoint-dir or --outdir"
            )

    def _save(self, simulation: Any) -> None:
        assert self.directory
        simulation.checkpoint(os.path.join(self.directory, "cpt.%d"))

    def run(
        self, simulation: Any, cpu: Any, max_tick: Optional[int] = None
    ) -> Any:
        """Simulate to the end, or to @max_tick, writing checkpoints.

        @cpu counts the instructions.
        """
        if max_tick not in (None, _MAX_TICK):
            simulation.max_tick = max_tick
        for step in self._steps(simulation.now):
            if self.at_instruction:
                cpu.scheduleInstStop(0, step, _DUE)
            else:
                simulation.schedule_exit(simulation.now + step, _DUE)
            event = simulation.simulate()
            if event.getCause() != _DUE:
                return event
            self._save(simulation)
        return simulation.simulate()

    def _steps(self, now: int) -> List[int]:
        """Distances of the checkpoints, the first from now."""
        if not self.points:
            return []
        first, step = self.points[0], self.points[-1]
        if not self.at_instruction:
            if first <= now:
                raise FatalError(
                    f"--take-checkpoints={first}: it is tick {now} already"
                )
            first -= now
        count = self.max_checkpoints if len(self.points) > 1 else 1
        return [first] + [step] * (count - 1)


def machine(directory: str) -> Tuple[int, int]:
    """Number of CPUs and bytes of RAM that a checkpoint was written with.

    Raises FatalError if it has no programs.
    """
    path = os.path.join(directory, "m5.cpt")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as error:
        raise FatalError(f"{path}: {error.strerror}") from None
    cpus = re.search(r"^num_cpus=(\d+)$", text, re.M)
    ram = re.search(r"^range_size=(\d+)$", text, re.M)
    if not cpus or not ram:
        raise FatalError(f"{path} holds no programs")
    return int(cpus[1]), int(ram[1])
