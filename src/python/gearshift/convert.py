# SPDX-License-Identifier: BSD-3-Clause
"""Strings with units to numbers, by gem5's rules.

A prefix needs a unit ("2GHz" but not "2G").  Metric quantities know decimal
and binary prefixes (k is 1000, Ki is 1024); sizes and memory bandwidths know
binary prefixes only, so that "512MB" is 512 MiB, with a warning.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Callable, Mapping, Sequence, Tuple, TypeVar, Union

from gearshift import log

Number = TypeVar("Number", int, float)
Units = Union[None, str, Sequence[str]]

atto, femto, pico, nano, micro, milli = 1e-18, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3
kilo, mega, giga, tera, peta, exa = 1e3, 1e6, 1e9, 1e12, 1e15, 1e18
kibi, mebi, gibi, tebi, pebi, exbi = (
    1 << shift for shift in range(10, 70, 10)
)

_BINARY = {
    "Ki": kibi,
    "Mi": mebi,
    "Gi": gibi,
    "Ti": tebi,
    "Pi": pebi,
    "Ei": exbi,
}
metric_prefixes: Mapping[str, float] = {
    **_BINARY,
    "E": exa,
    "P": peta,
    "T": tera,
    "G": giga,
    "M": mega,
    "k": kilo,
    "m": milli,
    "u": micro,
    "n": nano,
    "p": pico,
    "f": femto,
    "a": atto,
}
binary_prefixes: Mapping[str, int] = {
    **_BINARY,
    **{name[0]: factor for name, factor in _BINARY.items() if name != "Ki"},
    "k": kibi,
}


def assertStr(value: object) -> None:
    """Refuse what is not a string."""
    if not isinstance(value, str):
        raise TypeError(f"wrong type '{type(value)}' should be str")


def _split(value: str, suffixes: Sequence[str]) -> Tuple[str, str]:
    """Cut the longest of @suffixes off @value."""
    for suffix in sorted(suffixes, key=len, reverse=True):
        if value.endswith(suffix):
            return value[: -len(suffix)], suffix
    return value, ""


def toNum(
    value: str,
    target_type: str,
    units: Units,
    prefixes: Mapping[str, float],
    converter: Callable[[str], Number],
) -> Tuple[Number, str]:
    """The number that @value means, and the unit it came with."""
    assertStr(value)
    known = (units,) if isinstance(units, str) else tuple(units or ())
    magnitude, unit = _split(value.strip(), known)
    scale: float = 1
    if unit:
        magnitude, prefix = _split(magnitude, list(prefixes))
        scale = prefixes[prefix] if prefix else 1
    try:
        number = converter(magnitude)
    except ValueError:
        raise ValueError(
            f"cannot convert '{value}' to {target_type}"
        ) from None
    return number * scale, unit  # type: ignore[return-value]


def toFloat(
    value: str,
    target_type: str = "float",
    units: Units = None,
    prefixes: Mapping[str, float] = MappingProxyType({}),
) -> float:
    """A real number, optionally with a unit."""
    return toNum(value, target_type, units, prefixes, float)[0]


def toMetricFloat(
    value: str, target_type: str = "float", units: Units = None
) -> float:
    """A real number with metric prefixes."""
    return toFloat(value, target_type, units, metric_prefixes)


def toBinaryFloat(
    value: str, target_type: str = "float", units: Units = None
) -> float:
    """A real number with binary prefixes."""
    return toFloat(value, target_type, units, binary_prefixes)


def toInteger(
    value: str,
    target_type: str = "integer",
    units: Units = None,
    prefixes: Mapping[str, float] = MappingProxyType({}),
) -> int:
    """An integer in decimal, hex or octal, optionally with a unit."""

    def convert(text: str) -> int:
        return int(text, 0)

    return toNum(value, target_type, units, prefixes, convert)[0]


def toMetricInteger(
    value: str, target_type: str = "integer", units: Units = None
) -> int:
    """An integer with metric prefixes."""
    return toInteger(value, target_type, units, metric_prefixes)


def toBinaryInteger(
    value: str, target_type: str = "integer", units: Units = None
) -> int:
    """An integer with binary prefixes."""
    return toInteger(value, target_type, units, binary_prefixes)


def toBool(value: str) -> bool:
    """yes, true, t, y, 1 and their opposites."""
    assertStr(value)
    word = value.lower()
    if word in ("true", "t", "yes", "y", "1"):
        return True
    if word in ("false", "f", "no", "n", "0"):
        return False
    raise ValueError(f"cannot convert '{value}' to bool")


def toFrequency(value: str) -> float:
    """Hertz."""
    return toMetricFloat(value, "frequency", "Hz")


def toLatency(value: str) -> float:
    """Seconds."""
    return toMetricFloat(value, "latency", "s")


def _any_time(value: str, target: str, wanted: str, other: str) -> float:
    number, unit = toNum(
        value, target, (wanted, other), metric_prefixes, float
    )
    if not unit:
        raise ValueError(f"'{value}' needs a valid unit to be unambiguous.")
    if unit == wanted:
        return number
    if number == 0:
        raise ValueError(f"cannot convert '{value}' to {target}")
    return 1.0 / number


def anyToLatency(value: str) -> float:
    """Seconds, from a time or a frequency."""
    return _any_time(value, "latency", "s", "Hz")


def anyToFrequency(value: str) -> float:
    """Hertz, from a frequency or a time."""
    return _any_time(value, "frequency", "Hz", "s")


def toNetworkBandwidth(value: str) -> float:
    """Bits per second."""
    return toMetricFloat(value, "network bandwidth", "bps")


def checkBaseConversion(value: object, unit: str) -> None:
    """Warn that a decimal prefix is read as a binary one."""
    if not isinstance(value, str) or not value.endswith(unit):
        return
    size, prefix = _split(value[: -len(unit)], list(binary_prefixes))
    if prefix and not prefix.endswith("i"):
        log.warn(
            f"Base 10 memory/cache size {value} will be cast to base 2"
            f" size {size}{prefix[0].upper()}i{unit}."
        )


def toMemoryBandwidth(value: str) -> float:
    """Bytes per second."""
    number = toBinaryFloat(value, "memory bandwidth", "B/s")
    checkBaseConversion(value, "B/s")
    return number


def toMemorySize(value: str) -> int:
    """Bytes."""
    number = toBinaryInteger(value, "memory size", "B")
    checkBaseConversion(value, "B")
    return number


def toIpAddress(value: str) -> int:
    """The 32 bits of a dotted address."""
    assertStr(value)
    parts = value.split(".")
    if len(parts) != 4 or not all(
        part.isdigit() and int(part) <= 255 for part in parts
    ):
        raise ValueError(f"invalid ip address {value}")
    return sum(int(part) << (24 - 8 * i) for i, part in enumerate(parts))


def toIpNetmask(value: str) -> Tuple[int, int]:
    """Address and prefix length of "10.0.0.0/8" or ".../255.0.0.0"."""
    assertStr(value)
    address, _, mask = value.partition("/")
    if "." not in mask:
        if not mask.isdigit() or int(mask) > 32:
            raise ValueError(f"invalid netmask {value}")
        return toIpAddress(address), int(mask)
    bits = toIpAddress(mask)
    length = bin(bits).count("1")
    if bits != ((1 << length) - 1) << (32 - length):
        raise ValueError(f"invalid netmask {value}")
    return toIpAddress(address), length


def toIpWithPort(value: str) -> Tuple[int, int]:
    """Address and port of "10.0.0.1:80"."""
    assertStr(value)
    address, _, port = value.partition(":")
    if not port.isdigit() or int(port) > 0xFFFF:
        raise ValueError(f"invalid port {value}")
    return toIpAddress(address), int(port)


def toVoltage(value: str) -> float:
    """Volts."""
    return toMetricFloat(value, "voltage", "V")


def toCurrent(value: str) -> float:
    """Amperes."""
    return toMetricFloat(value, "current", "A")


def toEnergy(value: str) -> float:
    """Joules."""
    return toMetricFloat(value, "energy", "J")


def toPower(value: str) -> float:
    """Watts."""
    return toMetricFloat(value, "power", "W")


def toTemperature(value: str) -> float:
    """Kelvin, from K, C or F."""
    number, unit = toNum(
        value, "temperature", ("K", "C", "F"), metric_prefixes, float
    )
    if not unit:
        raise ValueError(f"'{value}' needs a valid temperature unit.")
    kelvin = {
        "K": number,
        "C": number + 273.15,
        "F": (number + 459.67) / 1.8,
    }[unit]
    if kelvin < 0:
        raise ValueError(f"{value} is an invalid temperature")
    return kelvin
