# SPDX-License-Identifier: BSD-3-Clause
"""Parameter types, ranges, enums and the descriptors that check them."""
