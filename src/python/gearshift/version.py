# SPDX-License-Identifier: BSD-3-Clause
"""The version of Gearshift."""

__version__ = "0.1.0"
