# SPDX-License-Identifier: BSD-3-Clause
"""Ports of objects and their connections.

`a.port = b.port` connects both ways.  A vector port grows by one element per
assignment; `len(bus.cpu_side_ports)` and `bus.cpu_side_ports[i]` work.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Union

from gearshift.errors import PortError, script_line
from gearshift.proxy import BaseProxy, isproxy

REQUESTOR, RESPONDER = "requestor", "responder"
GEM5_ROLE = {REQUESTOR: "GEM5 REQUESTOR", RESPONDER: "GEM5 RESPONDER"}


class Port:
    """A port of a class, by name, kind and role."""

    is_vector = False
    role = REQUESTOR

    def __init__(self, desc: str = "", kind: str = "mem") -> None:
        self.name = ""
        self.desc = desc
        self.kind = kind
        self.native = False
        self.is_optional = True
        self.old_name: Optional[str] = None

    def make_ref(self, obj: Any) -> "Union[PortRef, VectorPortRef]":
        """The port of one object."""
        if self.is_vector:
            return VectorPortRef(obj, self)
        return PortRef(obj, self)


class RequestPort(Port):
    """Asks."""


class ResponsePort(Port):
    """Answers."""

    role = RESPONDER


class VectorPort(Port):
    """Any number of ports under one name."""

    is_vector = True


class VectorRequestPort(VectorPort):
    """Any number of ports that ask."""


class VectorResponsePort(VectorPort):
    """Any number of ports that answer."""

    role = RESPONDER


MasterPort = RequestPort
SlavePort = ResponsePort
VectorMasterPort = VectorRequestPort
VectorSlavePort = VectorResponsePort


class PortRef:
    """One end of a connection."""

    def __init__(self, obj: Any, desc: Port, index: int = -1) -> None:
        self.simobj = obj
        self.desc = desc
        self.index = index
        self.peer: "Union[PortRef, BaseProxy, None]" = None
        self.origin: Optional[str] = None

    @property
    def name(self) -> str:
        """Name of the port."""
        return self.desc.name

    @property
    def role(self) -> str:
        """Requestor or responder."""
        return self.desc.role

    def path(self) -> str:
        """ "system.bus.cpu_side_ports[1]"."""
        index = f"[{self.index}]" if self.index >= 0 else ""
        return f"{self.simobj.path()}.{self.desc.name}{index}"

    ini_str = __str__ = path

    def connect(self, other: Any) -> None:
        """Connect to another port or to a proxy of one."""
        self.origin = script_line()
        if isproxy(other):
            self._set_peer(other)
            return
        if isinstance(other, VectorPortRef):
            other = other.next()
        if not isinstance(other, PortRef):
            raise PortError(
                f"{self.path()}: expects a port, got {other!r}", self.origin
            )
        self._check_match(other)
        self._set_peer(other)
        other.origin = self.origin
        other._set_peer(self)

    def _set_peer(self, peer: "Union[PortRef, BaseProxy]") -> None:
        if self.peer is not None and self.peer is not peer:
            if not isproxy(self.peer):
                raise PortError(
                    f"{self.path()} is already connected to {self.peer}, "
                    f"cannot connect {peer}",
                    self.origin,
                )
        self.peer = peer

    def _check_match(self, other: "PortRef") -> None:
        if self is other:
            why = "a port cannot be connected to itself"
        elif self.desc.kind != other.desc.kind:
            why = (
                f"the kinds '{self.desc.kind}' and '{other.desc.kind}' "
                "do not match"
            )
        elif self.role == other.role:
            why = f"both are {self.role}s"
        else:
            return
        raise PortError(
            f"cannot connect {self.path()} to {other.path()}: {why}",
            self.origin,
        )

    def unproxy(self) -> None:
        """Resolve a proxy peer."""
        if isproxy(self.peer):
            found = self.peer.unproxy(self.simobj)  # type: ignore
            origin, self.peer = self.origin, None
            if isinstance(found, VectorPortRef):
                found = found.next()
            self.connect(found)
            self.origin = origin

    def splice(self, new_1: Any, new_2: Any) -> None:
        """Put an object with two ports into the connection."""
        peer = self.peer
        if not isinstance(peer, PortRef):
            raise PortError(
                f"{self.path()} is not connected, cannot splice in new peers",
                script_line(),
            )
        self.peer = peer.peer = None
        self.connect(new_1)
        peer.connect(new_2)

    def disconnect(self) -> None:
        """Undo the connection."""
        if isinstance(self.peer, PortRef):
            self.peer.peer = None
        self.peer = None


class VectorPortRef:
    """All elements of a vector port of one object."""

    def __init__(self, obj: Any, desc: Port) -> None:
        self.simobj = obj
        self.desc = desc
        self.elements: List[PortRef] = []

    @property
    def name(self) -> str:
        """Name of the port."""
        return self.desc.name

    @property
    def role(self) -> str:
        """Requestor or responder."""
        return self.desc.role

    def path(self) -> str:
        """ "system.bus.cpu_side_ports"."""
        return f"{self.simobj.path()}.{self.desc.name}"

    __str__ = path

    def ini_str(self) -> str:
        """All elements' paths."""
        return " ".join(element.path() for element in self.elements)

    def __len__(self) -> int:
        return len(self.elements)

    def __iter__(self) -> Any:
        return iter(self.elements)

    def next(self) -> PortRef:
        """A new element at the end."""
        ref = PortRef(self.simobj, self.desc, len(self.elements))
        self.elements.append(ref)
        return ref

    def __getitem__(self, key: int) -> PortRef:
        if not isinstance(key, int):
            raise TypeError("VectorPort index must be integer")
        if key < 0:
            return self.elements[key]
        while key >= len(self.elements):
            self.next()
        return self.elements[key]

    def __setitem__(self, key: int, value: Any) -> None:
        self[key].connect(value)

    def connect(self, other: Any) -> None:
        """Connect one more element, or one per item of a list."""
        if isinstance(other, (list, tuple)):
            for item in other:
                self.next().connect(item)
        elif isinstance(other, VectorPortRef) and len(other) and not len(self):
            for item in other.elements:
                self.next().connect(item)
        else:
            ref = self.next()
            try:
                ref.connect(other)
            except PortError:
                self.elements.pop()
                raise

    append = connect

    def unproxy(self) -> None:
        """Resolve proxy peers."""
        for element in list(self.elements):
            element.unproxy()


AnyPortRef = Union[PortRef, VectorPortRef]


def elements(ref: AnyPortRef) -> List[PortRef]:
    """The single ports of a port or vector port."""
    return list(ref.elements) if isinstance(ref, VectorPortRef) else [ref]


def clone_connections(old: Any, new: Any, memo: Dict[int, Any]) -> None:
    """Give the clone @new the connections of @old to cloned objects.

    A connection whose other end is not part of the clone is left out; proxies
    are kept.
    """
    for name, ref in old._port_refs.items():
        for element in elements(ref):
            peer = element.peer
            mine = new._get_port_ref(name)
            if isproxy(peer):
                mine.connect(peer)
            elif isinstance(peer, PortRef) and id(peer.simobj) in memo:
                _clone_one(element, mine, peer, memo[id(peer.simobj)])


def _clone_one(old: PortRef, mine: Any, peer: PortRef, twin: Any) -> None:
    other = twin._get_port_ref(peer.name)
    source = mine[old.index] if old.index >= 0 else mine
    target = other[peer.index] if peer.index >= 0 else other
    if source.peer is None and target.peer is None:
        source.connect(target)
