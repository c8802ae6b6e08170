# SPDX-License-Identifier: BSD-3-Clause
"""Values of parameters: numbers, strings and booleans that know their unit.

A value is an ordinary int, float or str of Python with gem5's extras:
`.value` is the number in its natural unit, `.getValue()` the number the core
stores, `ini_str()` and `json_value()` its spelling in config.ini and
config.json.
"""

from __future__ import annotations

from typing import Any, Dict, Type

from gearshift import convert, ticks

_registry: Dict[str, type] = {}


def param_type(name: str) -> type:
    """The value class of that name; KeyError if there is none."""
    return _registry[name]


def param_types() -> Dict[str, type]:
    """All value classes by name."""
    return dict(_registry)


class ParamValue:
    """Base of all values."""

    expects = "a value"  # completes "expects ..." in an error

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__name__.startswith("_"):
            _registry[cls.__name__] = cls

    @classmethod
    def from_user(cls, value: Any) -> Any:
        """Convert what a script assigned; TypeError or ValueError if not."""
        make: Any = cls
        return make(value)

    def getValue(self) -> Any:
        """What the core stores."""
        return self

    def ini_str(self) -> str:
        """Spelling in config.ini."""
        return str(self)

    def json_value(self) -> Any:
        """Spelling in config.json."""
        return self.getValue()


class String(str, ParamValue):
    """Text."""

    expects = "a string"

    @classmethod
    def from_user(cls, value: Any) -> "String":
        if not isinstance(value, str):
            raise TypeError
        return cls(value)

    @property
    def value(self) -> str:
        """The plain string."""
        return str(self)

    def getValue(self) -> str:
        return str(self)


class Bool(int, ParamValue):
    """True or False; also "yes", "no", 0 and 1."""

    expects = "True or False"

    def __new__(cls, value: Any) -> "Bool":
        if isinstance(value, str):
            value = convert.toBool(value)
        if not isinstance(value, (bool, int)) or int(value) not in (0, 1):
            raise ValueError(f"{value!r} is not a boolean")
        return super().__new__(cls, value)

    @property
    def value(self) -> bool:
        """The plain boolean."""
        return bool(self)

    def getValue(self) -> bool:
        return bool(self)

    def ini_str(self) -> str:
        return "true" if self else "false"

    def __str__(self) -> str:
        return str(bool(self))

    __repr__ = __str__


class NumericParamValue(ParamValue):
    """Base of integers and times, as in gem5."""

    @staticmethod
    def unwrap(value: Any) -> Any:
        """The plain number of a value."""
        if isinstance(value, NumericParamValue):
            return value.config_value()
        return value

    def config_value(self) -> Any:
        """The plain number."""
        return getattr(self, "value")


class CheckedInt(int, NumericParamValue):
    """An integer with the limits of its type."""

    expects = "an integer"
    size = 64  # bits
    unsigned = False

    def __new__(cls, value: Any = 0) -> "CheckedInt":
        return cls._checked(cls._parse(value))

    @classmethod
    def _parse(cls, value: Any) -> int:
        if isinstance(value, str):
            return convert.toInteger(value)
        if isinstance(value, float) and not value.is_integer():
            raise TypeError(f"{value!r} is not an integer")
        if isinstance(value, (int, float)):
            return int(value)
        raise TypeError(f"{value!r} is not an integer")

    @classmethod
    def _checked(cls, number: int) -> "CheckedInt":
        low = 0 if cls.unsigned else -(1 << (cls.size - 1))
        high = (1 << (cls.size - (0 if cls.unsigned else 1))) - 1
        if not low <= number <= high:
            raise OverflowError(f"must lie between {low} and {high}")
        return int.__new__(cls, number)

    @property
    def value(self) -> int:
        """The plain integer."""
        return int(self)

    def getValue(self) -> int:
        return int(self)

    def ini_str(self) -> str:
        return str(int(self))


def _int_type(name: str, size: int, unsigned: bool, doc: str) -> Type[Any]:
    members: Dict[str, Any] = {"size": size, "unsigned": unsigned}
    members.update(__doc__=doc, __module__=__name__)
    return type(name, (CheckedInt,), members)


Int = _int_type("Int", 32, False, "32 bits with sign.")
Unsigned = _int_type("Unsigned", 32, True, "32 bits.")
Int8 = _int_type("Int8", 8, False, "8 bits with sign.")
UInt8 = _int_type("UInt8", 8, True, "8 bits.")
Int16 = _int_type("Int16", 16, False, "16 bits with sign.")
UInt16 = _int_type("UInt16", 16, True, "16 bits.")
Int32 = _int_type("Int32", 32, False, "32 bits with sign.")
UInt32 = _int_type("UInt32", 32, True, "32 bits.")
Int64 = _int_type("Int64", 64, False, "64 bits with sign.")
UInt64 = _int_type("UInt64", 64, True, "64 bits.")
Counter = _int_type("Counter", 64, True, "A number of events.")
Tick = _int_type("Tick", 64, True, "A number of ticks.")
TcpPort = _int_type("TcpPort", 16, True, "A TCP port.")
UdpPort = _int_type("UdpPort", 16, True, "A UDP port.")
Cycles = _int_type("Cycles", 64, True, "Cycles of the object's clock.")
Cycles.expects = "a number of cycles"


class Percent(CheckedInt):
    """A whole number from 0 to 100."""

    unsigned = True
    expects = "a percentage from 0 to 100"

    @classmethod
    def _checked(cls, number: int) -> CheckedInt:
        if not 0 <= number <= 100:
            raise OverflowError("must lie between 0 and 100")
        return int.__new__(cls, number)


class MemorySize(CheckedInt):
    """Bytes; "512MiB"."""

    unsigned = True
    expects = "a size such as '64KiB'"

    @classmethod
    def _parse(cls, value: Any) -> int:
        if isinstance(value, str):
            return int(convert.toMemorySize(value))
        return super()._parse(value)


class MemorySize32(MemorySize):
    """Bytes, below 4 GiB."""

    size = 32


class Addr(CheckedInt):
    """An address; also a size, which is the address behind it."""

    unsigned = True
    expects = "an address such as 0x1000 or '1MiB'"

    @classmethod
    def _parse(cls, value: Any) -> int:
        if isinstance(value, str):
            try:
                return convert.toInteger(value)
            except ValueError:
                return int(convert.toMemorySize(value))
        return super()._parse(value)

    def __str__(self) -> str:
        return hex(self)


MaxAddr = Addr((1 << 64) - 1)
MaxTick = Tick((1 << 64) - 1)


class Float(float, ParamValue):
    """A real number."""

    expects = "a number"

    def __new__(cls, value: Any = 0.0) -> "Float":
        return super().__new__(cls, cls._parse(value))

    @classmethod
    def _parse(cls, value: Any) -> float:
        if not isinstance(value, (int, float, str)):
            raise TypeError(f"{value!r} is not a number")
        return float(value)

    @property
    def value(self) -> float:
        """The plain number, in its natural unit."""
        return float(self)

    def getValue(self) -> Any:
        return float(self)

    def ini_str(self) -> str:
        return f"{self.getValue():g}"


class _UnitFloat(Float):
    """A real number whose string form may carry a unit."""

    unit_parser = staticmethod(convert.toFloat)

    @classmethod
    def _parse(cls, value: Any) -> float:
        if isinstance(value, str):
            return cls.unit_parser(value)
        return super()._parse(value)


class Voltage(_UnitFloat):
    """Volts; "1.2V"."""

    expects = "a voltage such as '1.2V'"
    unit_parser = staticmethod(convert.toVoltage)


class Current(_UnitFloat):
    """Amperes; "1mA"."""

    expects = "a current such as '1mA'"
    unit_parser = staticmethod(convert.toCurrent)


class Energy(_UnitFloat):
    """Joules; "1pJ"."""

    expects = "an energy such as '1pJ'"
    unit_parser = staticmethod(convert.toEnergy)


class Power(_UnitFloat):
    """Watts; "100mW"."""

    expects = "a power such as '100mW'"
    unit_parser = staticmethod(convert.toPower)


class Temperature(_UnitFloat):
    """Kelvin; "25C"."""

    expects = "a temperature such as '25C'"
    unit_parser = staticmethod(convert.toTemperature)

    @property
    def celsius(self) -> float:
        """Degrees Celsius."""
        return float(self) - 273.15

    def getValue(self) -> float:
        return self.celsius


class TickParamValue(Float, NumericParamValue):
    """A time that the core stores in ticks; the float is in seconds.

    Twice a Latency is a Latency, the sum of two as well; the ratio of two is a
    plain number.
    """

    _exact_ticks: "int | None"

    def __new__(cls, value: Any = 0.0) -> "TickParamValue":
        exact = None
        if isinstance(value, str) and value.endswith("t"):
            exact = int(value[:-1])
            seconds = exact / ticks.PER_SECOND
        elif isinstance(value, TickParamValue):
            exact, seconds = value._exact_ticks, value.period
        else:
            seconds = cls._parse_time(value)
        self = float.__new__(cls, cls._natural(seconds))
        self._exact_ticks = exact
        return self

    @classmethod
    def _parse_time(cls, value: Any) -> float:
        """Seconds of what the user wrote."""
        if isinstance(value, str):
            seconds = convert.toLatency(value)
            if seconds and not value.rstrip().endswith("s"):
                raise ValueError(f"'{value}' has no unit")
            return seconds
        if value == 0 and isinstance(value, (int, float)):
            return 0.0
        raise TypeError(f"{value!r} has no unit")

    @classmethod
    def _natural(cls, seconds: float) -> float:
        return seconds

    def _with(self, number: float) -> "TickParamValue":
        """A value of this class, from a number in its natural unit."""
        found = float.__new__(type(self), number)
        found._exact_ticks = None
        return found

    def __mul__(self, other: Any) -> Any:
        return self._with(float(self) * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        ratio = float(self) / float(other)
        if isinstance(other, TickParamValue):
            return ratio
        return self._with(ratio)

    def __add__(self, other: Any) -> Any:
        return self._with(float(self) + float(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._with(float(self) - float(other))

    @property
    def period(self) -> float:
        """Seconds."""
        return float(self)

    @property
    def frequency(self) -> float:
        """Hertz; rounded, as "1GHz" is no exact number of seconds."""
        return round(1.0 / self.period, 6)

    def getValue(self) -> int:
        if self._exact_ticks is not None:
            return self._exact_ticks
        return ticks.fromSeconds(self.period)

    def ini_str(self) -> str:
        return str(self.getValue())


class Latency(TickParamValue):
    """A time; "50ns"."""

    expects = "a time such as '50ns'"


class TickTime(TickParamValue):
    """A time that gem5 counts in ticks; "1ms" is understood as well."""

    expects = "a number of ticks or a time such as '1us'"

    @classmethod
    def _parse_time(cls, value: Any) -> float:
        if isinstance(value, (int, float)) and float(value).is_integer():
            return int(value) / ticks.PER_SECOND
        return super()._parse_time(value)


class Clock(TickParamValue):
    """A clock: a frequency "2GHz" or a period "500ps"."""

    expects = "a clock such as '2GHz' or '500ps'"

    @classmethod
    def _parse_time(cls, value: Any) -> float:
        if isinstance(value, str):
            return convert.anyToLatency(value)
        raise TypeError(f"{value!r} has no unit")


class Frequency(TickParamValue):
    """Hertz; the core stores hertz as well."""

    expects = "a frequency such as '2GHz'"

    @classmethod
    def _parse_time(cls, value: Any) -> float:
        if isinstance(value, str):
            hertz = convert.toFrequency(value)
            return 1.0 / hertz if hertz else 0.0
        if isinstance(value, (int, float)):
            return 1.0 / value if value else 0.0
        raise TypeError(f"{value!r} is not a frequency")

    @classmethod
    def _natural(cls, seconds: float) -> float:
        return round(1.0 / seconds, 6) if seconds else 0.0

    @property
    def period(self) -> float:
        return 1.0 / float(self) if self else 0.0

    @property
    def frequency(self) -> float:
        return float(self)

    def getValue(self) -> float:  # type: ignore[override]
        return float(self)

    def ini_str(self) -> str:
        return f"{float(self):g}"


class NetworkBandwidth(_UnitFloat):
    """Bits per second; stored as ticks per byte."""

    expects = "a bandwidth such as '10Gbps'"
    unit_parser = staticmethod(convert.toNetworkBandwidth)

    def getValue(self) -> float:
        return 8.0 * ticks.PER_SECOND / float(self) if self else 0.0


class MemoryBandwidth(_UnitFloat):
    """Bytes per second; stored as ticks per byte, 0 for no limit."""

    expects = "a bandwidth such as '12.8GiB/s'"

    @classmethod
    def _parse(cls, value: Any) -> float:
        if isinstance(value, str):
            number = convert.toMemoryBandwidth(value)
            if number and not value.rstrip().endswith("B/s"):
                raise ValueError(f"'{value}' has no unit")
            return number
        return super()._parse(value)

    def getValue(self) -> float:
        return ticks.PER_SECOND / float(self) if self else 0.0

    def ini_str(self) -> str:
        return f"{self.getValue():.6f}"
