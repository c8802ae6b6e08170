# SPDX-License-Identifier: BSD-3-Clause
"""Values of parameters of network devices: addresses, ports and sockets.

Their getValue() is what a device of the core would store: an integer, or a
string for a socket with a name.
"""

from __future__ import annotations

import itertools
from typing import Any, Iterator, Tuple, Union

from gearshift import convert
from gearshift.params.values import ParamValue


def IncEthernetAddr(addr: str, val: int = 1) -> str:
    """The address @val places after @addr."""
    number = int(addr.replace(":", ""), 16) + val
    return ":".join(f"{byte:02x}" for byte in number.to_bytes(6, "big"))


def _next_numbers() -> Iterator[str]:
    return (
        IncEthernetAddr("00:90:00:00:00:00", number)
        for number in itertools.count(1)
    )


_addresses = _next_numbers()


def NextEthernetAddr() -> str:
    """An address that no earlier call gave."""
    return next(_addresses)


class EthernetAddr(ParamValue):
    """Six bytes in hexadecimal; "00:90:00:00:00:01"."""

    expects = "an Ethernet address such as '00:90:00:00:00:01'"

    value: str

    def __init__(self, value: Any) -> None:
        if value is NextEthernetAddr:
            value = NextEthernetAddr()
        if isinstance(value, EthernetAddr):
            value = value.value
        if not isinstance(value, str):
            raise TypeError("expected an Ethernet address")
        parts = value.split(":")
        if len(parts) != 6 or any(int(part, 16) > 0xFF for part in parts):
            raise TypeError(f"invalid Ethernet address {value}")
        self.value = value

    def getValue(self) -> int:
        return int("".join(f"{int(x, 16):02x}" for x in self._parts()), 16)

    def _parts(self) -> "list[str]":
        return self.value.split(":")

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return self.value

    def json_value(self) -> str:
        return self.value


class IpAddress(ParamValue):
    """An IP address; "127.0.0.1", or a number."""

    expects = "an IP address such as '127.0.0.1'"

    ip: int

    def __init__(self, value: Any) -> None:
        if isinstance(value, IpAddress):
            value = value.ip
        elif isinstance(value, str):
            value = convert.toIpAddress(value)
        self.ip = int(value)
        self._verify_ip()

    def _verify_ip(self) -> None:
        if not 0 <= self.ip < 1 << 32:
            raise TypeError(f"invalid IP address {self.ip:#08x}")

    def _key(self) -> Tuple[int, ...]:
        return (self.ip,)

    def getValue(self) -> Any:
        return self.ip

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int) and type(self) is IpAddress:
            return self.ip == other
        try:
            return self._key() == type(self)(other)._key()
        except (TypeError, ValueError):
            return False

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return ".".join(str(byte) for byte in self.ip.to_bytes(4, "big"))

    def json_value(self) -> str:
        return str(self)


def _pair(words: Any, named: Any, second: str, parse: Any) -> Tuple[int, int]:
    """(ip, second) of the forms that the constructors of pairs take."""
    if not named and len(words) == 1:
        value = words[0]
        if isinstance(value, str):
            found: Tuple[int, int] = parse(value)
            return found
        if hasattr(value, second):
            return int(value.ip), int(getattr(value, second))
    names = [name for name in ("ip", second) if name not in named]
    if len(words) != len(names) or set(named) - {"ip", second}:
        raise TypeError(f"needs a string, or ip and {second}")
    values = {**named, **dict(zip(names, words))}
    return int(values["ip"]), int(values[second])


class IpNetmask(IpAddress):
    """A network; "127.0.0.0/24" or "127.0.0.0/255.255.255.0"."""

    expects = "a network such as '127.0.0.0/24'"

    def __init__(self, *words: Any, **named: Any) -> None:
        ip, self.netmask = _pair(words, named, "netmask", convert.toIpNetmask)
        super().__init__(ip)
        if not 0 <= self.netmask <= 32:
            raise TypeError(f"invalid netmask {self.netmask}")

    def _key(self) -> Tuple[int, ...]:
        return (self.ip, self.netmask)

    def getValue(self) -> Any:
        return self._key()

    def __str__(self) -> str:
        return f"{super().__str__()}/{self.netmask}"


class IpWithPort(IpAddress):
    """An address and a port; "127.0.0.1:80"."""

    expects = "an address with a port such as '127.0.0.1:80'"

    def __init__(self, *words: Any, **named: Any) -> None:
        ip, self.port = _pair(words, named, "port", convert.toIpWithPort)
        super().__init__(ip)
        if not 0 <= self.port <= 0xFFFF:
            raise TypeError(f"invalid port {self.port}")

    def _key(self) -> Tuple[int, ...]:
        return (self.ip, self.port)

    def getValue(self) -> Any:
        return self._key()

    def __str__(self) -> str:
        return f"{super().__str__()}:{self.port}"


class HostSocket(ParamValue):
    """A TCP port of the host (0: none), a path, or an "@name"."""

    expects = "a port number, the path of a socket or '@name'"

    def __init__(self, value: Any) -> None:
        if isinstance(value, HostSocket):
            value = value.value
        if not isinstance(value, (int, str)) or value == "":
            raise TypeError("expected a port number or the name of a socket")
        self.value: Union[int, str] = value

    def getValue(self) -> Union[int, str]:
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostSocket) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        if isinstance(self.value, str):
            return self.value
        return f"#{self.value}"

    def ini_str(self) -> str:
        if isinstance(self.value, str) and self.value[0] != "@":
            return f"P{self.value}"
        return str(self)

    def json_value(self) -> str:
        return self.ini_str()
