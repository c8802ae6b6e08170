# SPDX-License-Identifier: BSD-3-Clause
"""
The runs whose statistics are kept: one row each.

A run is a script with arguments; its golden statistics are in
golden/NAME.txt.  Values must be equal unless a row's name matches a pattern of
`tolerance`, which gives the percentage by which it may differ.  Rows that
depend on the host (host*) are never compared.
"""
from typing import Dict, List, NamedTuple


class Run(NamedTuple):
    """One run of a script below the root of the project."""

    name: str
    script: str
    args: List[str] = []
    tolerance: Dict[str, float] = {}


TRAFFIC = "configs/example/traffic.py"

RUNS = [
    Run("traffic-linear", TRAFFIC, ["--requests=2000"]),
    Run(
        "traffic-saturated",
        TRAFFIC,
        ["--requests=2000", "--period=0ns", "--rd-perc=70"],
        # The host's libm takes part in deviations and logarithms.
        {"*::gmean": 1e-6, "*::stdev": 1e-6},
    ),
    Run(
        "traffic-interleaved",
        TRAFFIC,
        ["--requests=2000", "--period=0ns", "--memories=4", "--generators=4"],
    ),
    Run(
        "traffic-random",
        TRAFFIC,
        ["--requests=2000", "--mode=random", "--rd-perc=50", "--generators=3"],
    ),
    Run(
        "traffic-strided",
        TRAFFIC,
        ["--requests=2000", "--mode=strided", "--memories=2"],
    ),
    Run(
        "traffic-trace",
        TRAFFIC,
        ["--trace=tests/regress/traces/burst.txt", "--generators=1"],
    ),
]
