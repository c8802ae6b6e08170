# SPDX-License-Identifier: BSD-3-Clause
"""Root: the top of the tree."""

from __future__ import annotations

from typing import Any, List, Optional

# The latest one lives on, as a script need not keep a name for it.
_latest: List[Any] = []


class RootMethods:
    """Keeps track of the most recent Root, which m5.instantiate() takes."""

    _top_name = "root"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _latest[:] = [self]

    @classmethod
    def getInstance(cls) -> Optional[Any]:
        """The most recent Root, or None."""
        return _latest[0] if _latest else None


MIXINS = {"Root": RootMethods}
ALIASES: "dict[str, str]" = {}
