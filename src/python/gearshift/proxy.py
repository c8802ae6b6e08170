# SPDX-License-Identifier: BSD-3-Clause
"""Proxies: values that are looked up in the tree when it is complete.

`Parent.x` asks the ancestors, nearest first, for an attribute; `Self.x` asks
the object itself; `Parent.any` looks for an object of the parameter's type;
`Self.all` collects all of them below.  `Parent.x[0].y` and arithmetic
(`Parent.latency * 2`) are applied to what was found.
"""

from __future__ import annotations

import operator
from typing import Any, Callable, List, Optional, Tuple

from gearshift.errors import ProxyError

MISSING = object()


class BaseProxy:
    """A value that is not known yet."""

    def __init__(self, search_self: bool, search_up: bool) -> None:
        self._search_self = search_self
        self._search_up = search_up
        self._ops: List[Tuple[Callable[..., Any], Tuple[Any, ...]]] = []

    def __setattr__(self, attr: str, value: Any) -> None:
        if not attr.startswith("_"):
            raise AttributeError(
                f"cannot set attribute '{attr}' on proxy object"
            )
        super().__setattr__(attr, value)

    def _copy(self) -> "BaseProxy":
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._ops = list(self._ops)
        return twin

    def _then(self, func: Callable[..., Any], *args: Any) -> "BaseProxy":
        twin = self._copy()
        twin._ops.append((func, args))
        return twin

    def _find(self, obj: Any, desc: Any, trail: List[Any]) -> Any:
        raise NotImplementedError

    def unproxy(self, base: Any, desc: Any = None) -> Any:
        """The value that @base should use."""
        return self._resolve(base, desc, [])

    def _resolve(self, base: Any, desc: Any, trail: List[Any]) -> Any:
        found = MISSING
        if self._search_self:
            found = self._find(base, desc, trail)
        holder = base._parent if self._search_up else None
        while found is MISSING and holder is not None:
            found = self._find(holder, desc, trail)
            holder = holder._parent
        if found is MISSING:
            raise ProxyError(f"cannot resolve {self}")
        for func, args in self._ops:
            holder, found = found, func(found, *args)
            if func is getattr and isproxy(found):
                found = _settle(found, holder, args[0], trail)
        return found

    def __add__(self, other: Any) -> "BaseProxy":
        return self._then(operator.add, other)

    def __sub__(self, other: Any) -> "BaseProxy":
        return self._then(operator.sub, other)

    def __mul__(self, other: Any) -> "BaseProxy":
        return self._then(operator.mul, other)

    __rmul__ = __mul__
    __radd__ = __add__

    def __rsub__(self, other: Any) -> "BaseProxy":
        return self._then(lambda found: other - found)

    def __truediv__(self, other: Any) -> "BaseProxy":
        return self._then(operator.truediv, other)

    def __floordiv__(self, other: Any) -> "BaseProxy":
        return self._then(operator.floordiv, other)

    def _suffix(self) -> str:
        text = ""
        for func, args in self._ops:
            if func is getattr:
                text += f".{args[0]}"
            elif func is operator.getitem:
                text += f"[{args[0]}]"
            else:
                text = f"({text}...)"
        return text


def _settle(value: Any, obj: Any, attr: str, trail: List[Any]) -> Any:
    """Resolve @value, found as obj.attr, if it is itself a proxy."""
    here = (obj, attr)
    if any(o is obj and a == attr for o, a in trail):
        steps = [f"{o.path()}.{a}" for o, a in [*trail, here]]
        raise ProxyError("cycle of proxies: " + " -> ".join(steps))
    if isproxy(value):
        desc = obj._params.get(attr)
        return value._resolve(obj, desc, [*trail, here])
    return value


class AttrProxy(BaseProxy):
    """Looks for an attribute by name."""

    def __init__(self, search_self: bool, search_up: bool, attr: str) -> None:
        super().__init__(search_self, search_up)
        self._attr = attr

    def __getattr__(self, attr: str) -> "BaseProxy":
        if attr.startswith("_"):
            raise AttributeError(attr)
        return self._then(getattr, attr)

    def __getitem__(self, key: int) -> "BaseProxy":
        return self._then(operator.getitem, key)

    def __iter__(self) -> Any:
        raise TypeError("a proxy cannot be iterated")

    def _find(self, obj: Any, desc: Any, trail: List[Any]) -> Any:
        value = obj._lookup(self._attr)
        if value is MISSING:
            return MISSING
        return _settle(value, obj, self._attr, trail)

    def __str__(self) -> str:
        start = "Self" if self._search_self else "Parent"
        return f"{start}.{self._attr}{self._suffix()}"


class AnyProxy(BaseProxy):
    """Looks for an object of the parameter's type."""

    def _find(self, obj: Any, desc: Any, trail: List[Any]) -> Any:
        found, done = obj.find_any(desc.ptype)
        return found if done else MISSING

    def __str__(self) -> str:
        return "Self.any" if self._search_self else "Parent.any"


class AllProxy(BaseProxy):
    """Collects all objects of the parameter's type."""

    def _find(self, obj: Any, desc: Any, trail: List[Any]) -> Any:
        return obj.find_all(desc.ptype)[0]

    def __str__(self) -> str:
        return "Self.all" if self._search_self else "Parent.all"


class ProxyFactory:
    """`Parent` or `Self`; an attribute of it is a proxy."""

    def __init__(self, search_self: bool, search_up: bool) -> None:
        self._search = (search_self, search_up)

    def __getattr__(self, attr: str) -> BaseProxy:
        if attr.startswith("_"):
            raise AttributeError(attr)
        if attr == "any":
            return AnyProxy(*self._search)
        if attr == "all":
            return AllProxy(*self._search)
        return AttrProxy(*self._search, attr)


Parent: Any = ProxyFactory(search_self=False, search_up=True)
Self: Any = ProxyFactory(search_self=True, search_up=False)


def isproxy(value: object) -> bool:
    """Whether @value, or an element of the list it is, is a proxy."""
    if isinstance(value, BaseProxy):
        return True
    if isinstance(value, (list, tuple)):
        return any(isinstance(item, BaseProxy) for item in value)
    return False


def unproxy(value: Any, base: Any, desc: Optional[Any], attr: str) -> Any:
    """Resolve @value, the setting of base.attr, list elements too."""
    if isinstance(value, (list, tuple)):
        found = []
        for item in value:
            result = unproxy(item, base, desc, attr)
            if isinstance(item, AllProxy):
                found += result
            else:
                found.append(result)
        return found
    if isinstance(value, BaseProxy):
        return value._resolve(base, desc, [(base, attr)])
    return value
