# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.util.convert."""

from gearshift.convert import *  # noqa: F401,F403
