# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.internal."""

from m5.internal import params

__all__ = ["params"]
