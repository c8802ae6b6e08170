# SPDX-License-Identifier: BSD-3-Clause
"""SimObject: the Python half of an object, with gem5's semantics.

A class has parameters and ports; a subclass may override values in its body.
Values are looked up in the instance, then along the classes, then in the
defaults.  Assigning an object makes it a child unless it has a parent; calling
an instance clones it with everything below.
"""

from __future__ import annotations

import ast
import re
import types
from typing import Any, Dict, Iterator, List, Optional, Tuple, Type

from gearshift.errors import (
    FatalError,
    HierarchyError,
    StateError,
    UnknownNameError,
    nearest,
    script_line,
)
from gearshift.params.desc import (
    DeprecatedParam,
    ParamDesc,
    VectorParamValue,
    object_classes,
)
from gearshift.params.null import NULL, is_null
from gearshift.ports import Port, PortRef, clone_connections
from gearshift.proxy import MISSING, isproxy
from gearshift.vector import SimObjectVector, is_object_list

# Names of a class body that are no values: gem5's declarations to its core.
_DECLARATIONS = {
    "abstract",
    "type",
    "cxx_header",
    "cxx_class",
    "cxx_base",
    "cxx_exports",
    "cxx_param_exports",
    "cxx_extra_bases",
    "cxx_template_params",
    "override_create",
    "cxx_type",
}
_PLAIN_TYPES = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    classmethod,
    staticmethod,
    property,
)


def _is_plain(name: str, value: Any) -> bool:
    """Whether a name of a class body stays an ordinary class attribute."""
    if name.startswith("_") or name in _DECLARATIONS:
        return True
    if isinstance(value, type):
        return not issubclass(value, SimObject)
    return isinstance(value, _PLAIN_TYPES)


class MetaSimObject(type):
    """Splits a class body into parameters, ports, values and the rest."""

    _params: Dict[str, ParamDesc]
    _ports: Dict[str, Port]
    _deprecated: Dict[str, str]
    _class_values: Dict[str, Any]
    _class_origins: Dict[str, Optional[str]]
    _class_ports: "List[Tuple[str, Any]]"

    def __new__(
        mcs, name: str, bases: Tuple[type, ...], body: Dict[str, Any]
    ) -> Any:
        plain: Dict[str, Any] = {}
        values: Dict[str, Any] = {}
        for key, value in body.items():
            special = isinstance(value, (ParamDesc, Port, DeprecatedParam))
            keep = not special and (not bases or _is_plain(key, value))
            (plain if keep else values)[key] = value
        plain.setdefault("_native_type", None)
        plain.setdefault("_abstract", bool(plain.get("abstract", False)))
        cls: Any = super().__new__(mcs, name, bases, plain)
        cls._inherit()
        known = object_classes.get(name)
        if known is None or not known.__dict__.get("_native_type"):
            object_classes[name] = cls  # a notebook may define it anew
        cls._apply(values)
        return cls

    def _inherit(cls) -> None:
        """Collect what the bases declare."""
        own: Any = {"_params": {}, "_ports": {}, "_deprecated": {}}
        for base in reversed(cls.__mro__[1:]):
            for table, rows in own.items():
                rows.update(base.__dict__.get(table, {}))
        for table, rows in own.items():
            type.__setattr__(cls, table, rows)
        type.__setattr__(cls, "_class_values", {})
        type.__setattr__(cls, "_class_origins", {})
        type.__setattr__(cls, "_class_ports", [])

    def _apply(cls, values: Dict[str, Any]) -> None:
        """Declarations first: values of the body may refer to them."""
        rest = {}
        for name, value in values.items():
            if isinstance(value, ParamDesc):
                value.name = name
                cls._params[name] = value
            elif isinstance(value, Port):
                value.name = name
                cls._ports[name] = value
            elif isinstance(value, DeprecatedParam):
                value.old_name = name
                cls._deprecated[name] = value.new_name
            else:
                rest[name] = value
        for name, value in rest.items():
            setattr(cls, name, value)

    def __setattr__(cls, name: str, value: Any) -> None:
        if _is_plain(name, value):
            type.__setattr__(cls, name, value)
            return
        name = cls._deprecated.get(name, name)
        if name in cls._ports:
            cls._class_ports.append((name, value))
            return
        desc = cls._params.get(name)
        if desc is not None:
            value = desc.convert(value, f"{cls.__name__}.{name}")
        elif is_object_list(value):
            value = SimObjectVector.coerce(value)
        elif not isinstance(value, SimObject):
            raise cls._unknown(name)
        cls._class_values[name] = value
        cls._class_origins[name] = script_line()

    def __getattr__(cls, name: str) -> Any:
        if not name.startswith("_"):
            name = cls._deprecated.get(name, name)
            value = cls._class_value(name)
            if value is not MISSING:
                return value
            desc = cls._params.get(name)
            if desc is not None and desc.has_default:
                return desc.default()
        raise AttributeError(
            f"object '{cls.__name__}' has no attribute '{name}'"
        )

    def _class_value(cls, name: str) -> Any:
        """The value that the classes give; MISSING if none does."""
        for base in cls.__mro__:
            values = base.__dict__.get("_class_values")
            if values and name in values:
                return values[name]
        return MISSING

    def _all_class_values(cls) -> Dict[str, Any]:
        """Values of the class and its bases."""
        merged: Dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            merged.update(base.__dict__.get("_class_values", {}))
        return merged

    def _unknown(cls, name: str, where: str = "") -> UnknownNameError:
        known = [*cls._params, *cls._ports]
        prefix = f"{where}: " if where else ""
        return UnknownNameError(
            f"{prefix}{cls.__name__} has no parameter '{name}'"
            + nearest(name, known),
            script_line(),
        )


class SimObject(metaclass=MetaSimObject):
    """Base of everything that a configuration is made of."""

    _native_type: Optional[Dict[str, Any]]
    _abstract = True
    _top_name: Optional[str] = None  # path of an object that needs no parent
    _name: Optional[str]
    _parent: "Optional[SimObject]"
    _vector: Optional[SimObjectVector]

    def __init__(self, **kwargs: Any) -> None:
        ancestor = kwargs.pop("_ancestor", None)
        memo = kwargs.pop("_memo", {})
        self._refuse_abstract()
        self._name = None
        self._parent = None
        self._vector = None
        self._children: Dict[str, Any] = {}
        self._values: Dict[str, Any] = {}
        self._origins: Dict[str, Optional[str]] = {}
        self._port_refs: Dict[str, Any] = {}
        self._native: Any = None
        self._created_at = script_line()
        if ancestor is None:
            self._take_class_values(memo)
        else:
            self._take_ancestor(ancestor, memo)
        for name, value in kwargs.items():
            setattr(self, name, value)

    def _refuse_abstract(self) -> None:
        if type(self).__dict__.get("_abstract"):
            raise FatalError(
                f"{type(self).__name__} is an abstract class; "
                "create an object of a class derived from it",
                script_line(),
            )

    def _take_class_values(self, memo: Dict[int, Any]) -> None:
        """Clone the objects that the class body names; bind its ports."""
        cls = type(self)
        for name, value in cls._all_class_values().items():
            if isinstance(value, (SimObject, SimObjectVector)):
                setattr(self, name, _clone(value, memo))
        for name, value in cls._class_values_and_ports():
            if isinstance(value, PortRef) and id(value.simobj) in memo:
                twin = memo[id(value.simobj)]
                value = twin._get_port_ref(value.name)
            self._get_port_ref(name).connect(value)
        for twin_of, twin in list(memo.items()):
            source = _by_id(cls, twin_of)
            if source is not None:
                clone_connections(source, twin, memo)

    @classmethod
    def _class_values_and_ports(cls) -> List[Tuple[str, Any]]:
        found: List[Tuple[str, Any]] = []
        for base in reversed(cls.__mro__):
            found += base.__dict__.get("_class_ports", [])
        return found

    def _take_ancestor(
        self, ancestor: "SimObject", memo: Dict[int, Any]
    ) -> None:
        """Become a clone; connections follow when the whole tree exists."""
        is_top = not memo
        memo[id(ancestor)] = self
        self._origins.update(ancestor._origins)
        for name, child in ancestor._children.items():
            self.add_child(name, _clone(child, memo))
        for name, value in ancestor._values.items():
            self._values[name] = _clone_value(value, memo)
        if is_top:
            for old in ancestor.descendants():
                clone_connections(old, memo[id(old)], memo)

    def __call__(self, **kwargs: Any) -> Any:
        """A clone, with everything below; connections inside are kept."""
        return type(self)(_ancestor=self, **kwargs)

    # ------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or _has_setter(type(self), name):
            object.__setattr__(self, name, value)
            return
        name = self._deprecated.get(name, name)
        if name in self._ports:
            self._get_port_ref(name).connect(value)
            return
        is_object = isinstance(value, SimObject) or is_object_list(value)
        if self._native is not None:
            self._refuse_late(name)
        desc = self._params.get(name)
        if desc is not None:
            self._set_param(name, desc, value)
        elif is_object:
            self.add_child(name, value)
        elif name in self._children and is_null(value):
            self._clear_child(name)
        else:
            where = self.path() if self._parent is not None else ""
            raise type(self)._unknown(name, where)

    def _refuse_late(self, name: str) -> None:
        raise StateError(
            f"{self.path()}.{name}: cannot be set after instantiate()",
            script_line(),
        )

    def _set_param(self, name: str, desc: ParamDesc, value: Any) -> None:
        value = desc.convert(value, f"{self.path()}.{name}")
        if name in self._children and self._children[name] is not value:
            self._clear_child(name)
        if isinstance(value, VectorParamValue) and is_object_list(value):
            value = SimObjectVector.coerce(value)
        self._values[name] = value
        self._origins[name] = script_line()
        self._adopt_value(name, value)

    def _adopt_value(self, name: str, value: Any) -> None:
        """Make an orphan that is set as a parameter a child."""
        if isinstance(value, (SimObject, SimObjectVector)):
            if not value.has_parent():
                self.add_child(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        name = self._deprecated.get(name, name)
        value = self._lookup(name)
        if value is not MISSING:
            return value
        if self._native is not None and hasattr(self._native, name):
            return getattr(self._native, name)
        known = [*self._params, *self._ports, *self._children]
        where = f"{self.path()}: " if self._parent is not None else ""
        raise UnknownNameError(
            f"{where}{type(self).__name__} has no attribute '{name}'"
            + nearest(name, known),
            script_line(),
        )

    def _lookup(self, name: str) -> Any:
        """Value, default, child or port of that name, or MISSING."""
        if name in self._values:
            return self._values[name]
        value = type(self)._class_value(name)
        if value is not MISSING and not isinstance(
            value, (SimObject, SimObjectVector)
        ):
            return value
        if name in self._children:
            return self._children[name]
        if name in self._ports:
            return self._get_port_ref(name)
        desc = self._params.get(name)
        if desc is None:
            return getattr(type(self), name, MISSING)
        if desc.has_default:
            return self._take_default(name, desc)
        return MISSING

    def _take_default(self, name: str, desc: ParamDesc) -> Any:
        value = desc.default()
        if isinstance(value, VectorParamValue):
            if is_object_list(value):
                value = SimObjectVector.coerce(value)
            self._values[name] = value
        if isinstance(value, (SimObject, SimObjectVector)):
            self._values[name] = value
            self._adopt_value(name, value)
        return value

    def _is_set(self, name: str) -> bool:
        """Whether a script or a class gave the parameter a value."""
        if name in self._values:
            return True
        return type(self)._class_value(name) is not MISSING

    def _origin_of(self, name: str) -> Optional[str]:
        """Script line that set the parameter; None for a default."""
        if name in self._origins:
            return self._origins[name]
        for base in type(self).__mro__:
            origins = base.__dict__.get("_class_origins", {})
            if name in origins:
                return origins[name]  # type: ignore[no-any-return]
        return None

    def _get_port_ref(self, name: str) -> Any:
        if name not in self._port_refs:
            self._port_refs[name] = self._ports[name].make_ref(self)
        return self._port_refs[name]

    # ------------------------------------------------------------- hierarchy

    def has_parent(self) -> bool:
        """Whether the object hangs in a tree."""
        return self._parent is not None

    def get_parent(self) -> "Optional[SimObject]":
        """The object that this one is a child of."""
        return self._parent

    def get_name(self) -> Optional[str]:
        """Last part of the path."""
        if self._vector is not None:
            return self._vector.name_of(self)
        return self._name or self._top_name

    def path(self) -> str:
        """ "system.cpu0"; the class name while the object has no parent."""
        if self._parent is None:
            return self._top_name or type(self).__name__
        above = self._parent.path()
        if above == "root":
            return str(self.get_name())
        return f"{above}.{self.get_name()}"

    path_list_name = get_name

    def __str__(self) -> str:
        return self.path()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path()}>"

    def ini_str(self) -> str:
        """Spelling in config.ini."""
        return self.path()

    def json_value(self) -> str:
        """Spelling in config.json."""
        return self.path()

    def getValue(self) -> Any:
        """The object in the core."""
        return self.getCCObject()

    def add_child(self, name: str, child: Any) -> None:
        """Attach an object or a list of objects under @name."""
        child = SimObjectVector.coerce(child)
        if is_null(child):
            return
        if self._children.get(name) is child:
            return
        self._check_parents(name, child)
        if name in self._children:
            self._clear_child(name)
        child.set_parent(self, name)
        self._children[name] = child

    def _check_parents(self, name: str, child: Any) -> None:
        items = child if isinstance(child, SimObjectVector) else [child]
        for item in items:
            if item._parent is not None:
                raise HierarchyError(
                    f"{self.path()}.{name}: the object already has a parent, "
                    f"as {item.path()}; an object has one parent",
                    script_line(),
                )
            above: Optional[SimObject] = self
            while above is not None:
                if above is item:
                    raise HierarchyError(
                        f"{self.path()}.{name}: an object cannot be below "
                        "itself",
                        script_line(),
                    )
                above = above._parent

    def _clear_child(self, name: str) -> None:
        self._children.pop(name).clear_parent()

    def set_parent(self, parent: "SimObject", name: str) -> None:
        """Called by add_child."""
        self._parent = parent
        self._name = name

    def clear_parent(self) -> None:
        """Detach; the inverse of set_parent."""
        self._parent = None
        self._name = None
        self._vector = None

    def children(self) -> "Iterator[SimObject]":
        """All children, sorted by name as in gem5; lists item by item."""
        for _name, child in sorted(self._children.items()):
            if isinstance(child, SimObjectVector):
                yield from child
            else:
                yield child

    def descendants(self) -> "Iterator[SimObject]":
        """The object and everything below it, parents first."""
        yield self
        for child in self.children():
            yield from child.descendants()

    def find_any(self, ptype: Type[Any]) -> Tuple[Any, bool]:
        """The one object of that type here: self, a child or a value."""
        if isinstance(self, ptype):
            return self, True
        found: List[Any] = []
        for child in self.children():
            if isinstance(child, ptype):
                found.append(child)
        for name in self._params:
            value = self._values.get(name)
            if isinstance(value, ptype) and value not in found:
                found.append(value)
        if len(found) > 1:
            raise AttributeError(
                f"parent.any matched more than one: {found[0].path()} "
                f"{found[1].path()}"
            )
        return (found[0], True) if found else (None, False)

    def find_all(self, ptype: Type[Any]) -> Tuple[List[Any], bool]:
        """All objects of that type below, and True."""
        found = {
            id(obj): obj
            for obj in self.descendants()
            if obj is not self and isinstance(obj, ptype)
        }
        return list(found.values()), True

    def get_simobj(self, path: str) -> Any:
        """What stands at @path, such as "root.system.cpu[0]".

        A path through a list or a slice, "cpu[1:].icache", gives a list.
        """
        steps = re.findall(r"\w+|\[[^\]]*\]", path)
        if steps and steps[0] == "root" and self.path() == "root":
            steps = steps[1:]
        found: Any = self
        for step in steps:
            if step.startswith("["):
                found = found[_index(step[1:-1], path)]
            elif isinstance(found, list):
                found = [getattr(obj, step) for obj in found]
            else:
                found = getattr(found, step)
        return found

    def apply_config(
        self, params: List[str], simobj_path: Optional[str] = None
    ) -> None:
        """Set parameters from "path.to.param=value" strings.

        The value is a literal of Python's or plain text; a path that gives a
        list sets the parameter of each element.
        """
        target = self.get_simobj(simobj_path) if simobj_path else self
        for text in params:
            path, found, value = text.partition("=")
            if not found:
                raise FatalError(
                    f"'{text}' is not of the form path.param=value",
                    script_line(),
                )
            holder_path, _, name = path.strip().rpartition(".")
            try:
                holder = target.get_simobj(holder_path or ".")
            except (AttributeError, IndexError, TypeError) as error:
                raise FatalError(f"'{text}': {error}", script_line()) from None
            for obj in holder if isinstance(holder, list) else [holder]:
                if not isinstance(obj, SimObject):
                    raise FatalError(
                        f"'{text}': '{holder_path}' is no object that has "
                        "parameters",
                        script_line(),
                    )
                setattr(obj, name, _literal(value.strip()))

    def has(self, name: str) -> bool:
        """Whether there is a value, child or port of that name."""
        return self._lookup(self._deprecated.get(name, name)) is not MISSING

    def get(self, name: str, default: Any = None) -> Any:
        """Value, child or port of that name, or @default."""
        value = self._lookup(self._deprecated.get(name, name))
        return default if value is MISSING else value

    # ------------------------------------------------------------ the core

    @property
    def _ccObject(self) -> Any:
        """gem5's name of the object in the core; None before it exists."""
        return self._native

    def getCCObject(self) -> Any:
        """The object in the core; an error before instantiate()."""
        if self._native is None:
            raise StateError(
                f"{self.path()} does not exist in the simulation before "
                "instantiate()",
                script_line(),
            )
        return self._native


def _index(text: str, path: str) -> Any:
    """ "2" as 2, "1:" as a slice."""
    try:
        parts = [
            int(part) if part.strip() else None for part in text.split(":")
        ]
        return parts[0] if len(parts) == 1 else slice(*parts)
    except (ValueError, TypeError):
        raise FatalError(
            f"'{path}': '[{text}]' is no index", script_line()
        ) from None


def _literal(text: str) -> Any:
    """ "'3ns'" and "3ns" as a string, "5" as a number."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _has_setter(cls: type, name: str) -> bool:
    for base in cls.__mro__:
        member = base.__dict__.get(name)
        if isinstance(member, property):
            return member.fset is not None
    return False


def _clone(value: Any, memo: Dict[int, Any]) -> Any:
    """The clone of an object or a list; the same one each time."""
    if isinstance(value, SimObjectVector):
        return SimObjectVector(_clone(item, memo) for item in value)
    if id(value) not in memo:
        memo.setdefault(0, None)
        twin = type(value)(_ancestor=value, _memo=memo)
        memo[id(value)] = twin
    return memo[id(value)]


def _clone_value(value: Any, memo: Dict[int, Any]) -> Any:
    """Values are shared, except objects inside the cloned tree."""
    if isinstance(value, SimObject):
        return memo.get(id(value), value)
    if isinstance(value, SimObjectVector):
        return SimObjectVector(memo.get(id(item), item) for item in value)
    if isinstance(value, list) and not isproxy(value):
        return type(value)(value)
    return value


def _by_id(cls: MetaSimObject, wanted: int) -> Optional[SimObject]:
    """The object of a class body with that id, children included."""
    for value in cls._all_class_values().values():
        items = value if isinstance(value, SimObjectVector) else [value]
        for item in items:
            if isinstance(item, SimObject):
                for obj in item.descendants():
                    if id(obj) == wanted:
                        return obj
    return None


def isSimObject(value: Any) -> bool:
    """gem5's name of the test."""
    return isinstance(value, SimObject)


def isSimObjectClass(value: Any) -> bool:
    """Whether @value is a class of objects."""
    return isinstance(value, type) and issubclass(value, SimObject)


def isSimObjectSequence(value: Any) -> bool:
    """Whether @value is a list of objects."""
    return is_object_list(value)


def isSimObjectVector(value: Any) -> bool:
    """Whether @value is a list that hangs in a tree."""
    return isinstance(value, SimObjectVector)


def isNullPointer(value: Any) -> bool:
    """Whether @value is NULL."""
    return value is NULL


def isSimObjectOrSequence(value: Any) -> bool:
    """Whether @value is an object or a list of objects."""
    return isSimObject(value) or isSimObjectSequence(value)
