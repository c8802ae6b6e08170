# SPDX-License-Identifier: BSD-3-Clause
"""Root: the top of the tree."""

from __future__ import annotations

import weakref
from typing import Any, List, Optional

_created: "List[weakref.ref[Any]]" = []


class RootMethods:
    """Keeps track of the most recent Root, which m5.instantiate() takes."""

    _top_name = "root"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _created.append(weakref.ref(self))

    @classmethod
    def getInstance(cls) -> Optional[Any]:
        """The most recent Root, or None."""
        while _created:
            root = _created[-1]()
            if root is not None:
                return root
            _created.pop()
        return None


MIXINS = {"Root": RootMethods}
ALIASES: "dict[str, str]" = {}
