# SPDX-License-Identifier: BSD-3-Clause
"""What the command line sets for all simulations of the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List


@dataclass
class Settings:
    """gem5's m5.options; the names are gem5's."""

    outdir: str = "m5out"
    dump_config: str = "config.ini"
    json_config: str = "config.json"
    dot_config: str = "config.dot"
    dot_dvfs_config: str = ""
    stats_file: List[str] = field(
        default_factory=lambda: ["stats.txt", "json://stats.json"]
    )
    quiet: bool = False
    verbose: int = 0
    interactive: bool = False
    pdb: bool = False
    listener_mode: str = "auto"
    allow_remote_connections: bool = False
    remote_gdb_port: int = 7000
    progress: bool = True
    listeners_disabled: bool = False
    listeners_loopback_only: bool = False


settings = Settings()
