# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors of parameters: type, default, limits and the check of values.

A script that defines its own classes writes them as in gem5:
`size = Param.MemorySize("64KiB", "Capacity")`.  Types are resolved by name
when they are first needed, so that classes may refer to later ones.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Type

from gearshift.errors import ParamRangeError, ParamTypeError, script_line
from gearshift.params import addr_range, enums, values
from gearshift.params.null import NULL, is_null
from gearshift.proxy import isproxy

# All SimObject classes by name; filled by their metaclass.
object_classes: Dict[str, Type[Any]] = {}

assert addr_range  # AddrRange registers itself as a parameter type


def resolve_type(name: str) -> Type[Any]:
    """The class that a parameter type names."""
    if name in object_classes:
        return object_classes[name]
    if name in enums.allEnums:
        return enums.allEnums[name]
    try:
        return values.param_type(name)
    except KeyError:
        raise ParamTypeError(
            f"there is no parameter type '{name}'", script_line()
        ) from None


def describe(value: Any) -> str:
    """A short spelling of a value for error messages."""
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(describe(item) for item in value) + "]"
    if type(value).__name__ in object_classes:
        return f"an object of class {type(value).__name__}"
    return repr(value)


class ParamDesc:
    """One parameter of a class."""

    is_vector = False

    def __init__(
        self,
        type_name: str,
        desc: str = "",
        default: Any = None,
        has_default: bool = False,
    ) -> None:
        self.name = ""
        self.type_name = type_name
        self.desc = desc
        self._default = default
        self.has_default = has_default
        self.native = False  # the core knows it
        self.unit = ""
        self.kind = ""  # of the core's row
        self.minimum: Optional[int] = None
        self.maximum: Optional[int] = None
        self.pow2 = False
        self.nonempty = False
        self.ignored = ""  # why values but the default change nothing

    @property
    def ptype(self) -> Type[Any]:
        """The class of values (a value class or a SimObject class)."""
        return resolve_type(self.type_name)

    @property
    def ptype_str(self) -> str:
        """gem5's name of the same."""
        return self.type_name

    @property
    def is_object(self) -> bool:
        """Whether the value is a reference to an object."""
        return self.type_name in object_classes

    def default(self) -> Any:
        """The default, converted; a callable gives a fresh object."""
        value = self._default
        if callable(value) and not isproxy(value) and value is not NULL:
            value = value()
        if value is None:
            return None
        return self.convert(value, self.name)

    def convert(self, value: Any, where: str) -> Any:
        """What a script assigned, as a checked value; proxies pass."""
        if isinstance(value, (list, tuple)) and not self._accepts_pair(value):
            raise ParamTypeError(
                f"{where}: expects one value, not the list {describe(value)}",
                script_line(),
            )
        return self._convert_one(value, where)

    def _accepts_pair(self, value: Any) -> bool:
        """AddrRange takes (start, end); clocks take a list of one."""
        if self.type_name == "AddrRange":
            return len(value) == 2
        return self.type_name in ("Clock", "Voltage") and len(value) == 1

    def _convert_one(self, value: Any, where: str) -> Any:
        if isproxy(value):
            return value
        if self.is_object:
            return self._convert_object(value, where)
        if isinstance(value, list) and self.type_name != "AddrRange":
            value = value[0]
        ptype = self.ptype
        try:
            result = ptype.from_user(value)
        except OverflowError as error:
            raise ParamRangeError(
                f"{where} = {describe(value)}: {error} ({self.desc})",
                script_line(),
            ) from None
        except (TypeError, ValueError) as error:
            self._refuse(value, where, str(error))
        self._check_limits(result, where)
        return result

    def _convert_object(self, value: Any, where: str) -> Any:
        if is_null(value):
            return NULL
        if isinstance(value, type) and issubclass(value, self.ptype):
            return value()
        if not isinstance(value, self.ptype):
            raise ParamTypeError(
                f"{where}: expects an object of class {self.type_name}, "
                f"got {describe(value)}",
                script_line(),
            )
        return value

    def _refuse(self, value: Any, where: str, reason: str) -> None:
        expects = getattr(self.ptype, "expects", self.type_name)
        detail = ""
        if isinstance(value, (tuple, list)) or type(value) is self.ptype:
            detail = f": {reason}"
        raise ParamTypeError(
            f"{where} = {describe(value)}: expects {expects}{detail}",
            script_line(),
        ) from None

    def _check_limits(self, value: Any, where: str) -> None:
        if not isinstance(value, (int, float)):
            return
        number = value.getValue()  # type: ignore[union-attr]
        why = None
        if self.minimum is not None and number < self.minimum:
            why = f"minimum is {self._limit(self.minimum)}"
        elif self.maximum is not None and number > self.maximum:
            why = f"maximum is {self._limit(self.maximum)}"
        elif self.pow2 and (number <= 0 or number & (number - 1)):
            why = "must be a power of two"
        if why:
            raise ParamRangeError(
                f"{where} = {describe(value)}: {why} ({self.desc})",
                script_line(),
            )

    def _limit(self, number: int) -> str:
        return hex(number) if self.unit == "addr" else str(number)


class VectorParamDesc(ParamDesc):
    """A parameter that holds a list."""

    is_vector = True

    @property
    def ptype_str(self) -> str:
        return self.type_name

    def convert(self, value: Any, where: str) -> Any:
        if isproxy(value):
            return value
        items = self._items(value)
        result = VectorParamValue(
            self._convert_one(item, f"{where}[{index}]")
            for index, item in enumerate(items)
        )
        if self.nonempty and not result:
            raise ParamRangeError(
                f"{where} = []: needs at least one element ({self.desc})",
                script_line(),
            )
        return result

    def _items(self, value: Any) -> List[Any]:
        if isinstance(value, (list, tuple)):
            return list(value)
        if isinstance(value, str) and not self.is_object:
            if self.type_name == "String" and not value.startswith("["):
                return [value]
            inner = value.strip().strip("[]")
            return [word.strip() for word in inner.split(",") if word.strip()]
        if is_null(value):
            return []
        return [value]

    def _accepts_pair(self, value: Any) -> bool:
        return True


class VectorParamValue(List[Any]):
    """The value of a vector parameter."""

    def ini_str(self) -> str:
        """Spelling in config.ini."""
        return " ".join(item.ini_str() for item in self)

    def json_value(self) -> List[Any]:
        """Spelling in config.json."""
        return [item.json_value() for item in self]

    def getValue(self) -> List[Any]:
        """What the core stores."""
        return [item.getValue() for item in self]

    @property
    def value(self) -> List[Any]:
        """Plain values."""
        return [getattr(item, "value", item) for item in self]


class ParamFactory:
    """`Param.Int(5, "doc")`; the last attribute is the type."""

    def __init__(self, desc_class: Type[ParamDesc], prefix: str = "") -> None:
        self._desc_class = desc_class
        self._prefix = prefix

    def __getattr__(self, name: str) -> "ParamFactory":
        if name.startswith("__"):
            raise AttributeError(name)
        prefix = f"{self._prefix}." if self._prefix else ""
        return ParamFactory(self._desc_class, prefix + name)

    def __call__(self, *args: Any, **kwargs: Any) -> ParamDesc:
        if not 1 <= len(args) <= 2:
            raise TypeError(
                f"Param.{self._prefix}: expects [default,] description"
            )
        has_default = len(args) == 2 or "default" in kwargs
        default = args[0] if len(args) == 2 else kwargs.get("default")
        type_name = self._prefix.rsplit(".", maxsplit=1)[-1]
        return self._desc_class(type_name, args[-1], default, has_default)


Param = ParamFactory(ParamDesc)
VectorParam = ParamFactory(VectorParamDesc)


class _OptionalDesc(ParamDesc):
    """A parameter that may stay unset; reads as None."""

    def __init__(self, type_name: str, desc: str, *_rest: Any) -> None:
        super().__init__(type_name, desc, None, True)

    def convert(self, value: Any, where: str) -> Any:
        return None if value is None else super().convert(value, where)


OptionalParam = ParamFactory(_OptionalDesc)


class DeprecatedParam:
    """An old name of a parameter or port; forwards to the new one."""

    def __init__(self, new: Any, message: str = "") -> None:
        self.new_desc = new
        self.message = message
        self.old_name = ""

    @property
    def new_name(self) -> str:
        """Name of the replacement."""
        return str(self.new_desc.name)
