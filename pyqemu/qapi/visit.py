"""JSON values to generated types and back, strictly, with QEMU's words for what is wrong.

A type is given by its name in the schema (``"[BlockInfo]"`` is an array) or as the Python object (``list[BlockInfo]``,
``BlockdevRef``). How a type is converted is worked out when it is first met: most of a schema is never used in a run.

QEMU names a member in two ways, and so do we: with its whole path (``a.b[1].c``) if it is missing, unexpected or of a
wrong type; with its own name only if a value is out of range, or none of an enum's or alternate's. (Elements of arrays
have no name of their own; QEMU says 'null' then, we say the path.)
"""

from __future__ import annotations

import enum
import math
import types as python_types
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias, cast

from pyqemu.qapi.base import NULL, Null, Struct
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as generated_types
from pyqemu.qapi.names import attribute, branch_class
from pyqemu.util.errors import InternalError

Json: TypeAlias = object
"""None, bool, int, float, str, list or dict, as the json module has them."""

Converter: TypeAlias = Callable[[Json, str, str], object]
"""From a value, its path and its own name to what it is in Python."""

ObjectConverter: TypeAlias = Callable[[Json, str, tuple[str, ...]], dict[str, object]]
"""From an object, its path and the names of members that were looked at already to its attributes."""

UINT64_END = 1 << 64
PYTHON_NAMES = {str: "str", int: "int", float: "number", bool: "bool", object: "any", Null: "null"}


class Field(NamedTuple):
    """A member: its name in JSON, its attribute, the name of its type."""

    name: str
    attribute: str
    type: str
    optional: bool


def fields(members: str) -> tuple[Field, ...]:
    """What a list like ``"name:str node-name*:str"`` in a generated module says."""
    result = []
    for text in members.split():
        name, _, type_ = text.partition(":")
        plain = name.removesuffix("*")
        result.append(Field(plain, attribute(plain), type_, plain != name))
    return tuple(result)


def _wrong_type(name: str, expected: str) -> QapiError:
    return QapiError(f"Invalid parameter type for '{name or 'null'}', expected: {expected}")


def _string(value: Json, path: str, name: str) -> str:
    if type(value) is not str:
        raise _wrong_type(path, "string")
    return value


def _boolean(value: Json, path: str, name: str) -> bool:
    if type(value) is not bool:
        raise _wrong_type(path, "boolean")
    return value


def _number(value: Json, path: str, name: str) -> float:
    if type(value) is not float and type(value) is not int:
        raise _wrong_type(path, "number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):  # could never be answered back
        raise _wrong_type(path, "number")
    return number


def _null(value: Json, path: str, name: str) -> Null:
    if value is not None:
        raise _wrong_type(path, "null")
    return NULL


def _any(value: Json, path: str, name: str) -> object:
    return value


def _signed(bits: int, c_name: str) -> Converter:
    end = 1 << (bits - 1)

    def convert(value: Json, path: str, name: str) -> int:
        if type(value) is not int or not -(1 << 63) <= value < 1 << 63:
            raise _wrong_type(path, "integer")
        if not -end <= value < end:
            raise QapiError(f"Parameter '{name}' expects {c_name}")
        return value

    return convert


def _unsigned(bits: int, c_name: str) -> Converter:
    def convert(value: Json, path: str, name: str) -> int:
        if type(value) is not int or not -(1 << 63) <= value < UINT64_END:
            raise QapiError(f"Parameter '{path or 'null'}' expects uint64")
        value %= UINT64_END  # clients rely on -1 for "as much as there is": QEMU accepts it
        if value >> bits:
            raise QapiError(f"Parameter '{name}' expects {c_name}")
        return value

    return convert


BUILTINS: dict[str, Converter] = {
    "str": _string,
    "bool": _boolean,
    "number": _number,
    "null": _null,
    "any": _any,
    "int": _signed(64, "int64_t"),
    "size": _unsigned(64, "uint64_t"),
    **{f"int{bits}": _signed(bits, f"int{bits}_t") for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": _unsigned(bits, f"uint{bits}_t") for bits in (8, 16, 32, 64)},
}


class Visitor:
    """Converts by the types of one generated module, given as its namespace."""

    def __init__(self, types: Mapping[str, object]) -> None:
        self._types = types
        self._unions = cast(Mapping[str, tuple[str, str]], types["UNIONS"])
        self._alternates = cast(Mapping[str, str], types["ALTERNATES"])
        self._converters: dict[str, Converter] = dict(BUILTINS)
        self._objects: dict[str, ObjectConverter] = {}
        self._fields: dict[type[Struct], tuple[Field, ...]] = {}

    def from_json(self, type_: object, value: Json, path: str = "") -> object:
        """``value`` as ``type_``; ``path`` is what messages put before the names of members.

        :raise QapiError: a member is missing, unexpected, of a wrong type or out of range.
        """
        convert = self.converter(type_ if isinstance(type_, str) else self.type_name(type_))
        try:
            return convert(value, path, path or "null")
        except RecursionError:
            raise QapiError("Parameters are nested too deeply") from None

    def members_from_json(self, members: str, value: Json, path: str = "") -> dict[str, object]:
        """The attributes of an object with these members, without the absent ones.

        :raise QapiError: as :meth:`from_json`.
        """
        try:
            return self._object(members)(value, path, ())
        except RecursionError:
            raise QapiError("Parameters are nested too deeply") from None

    def to_json(self, value: object) -> Json:
        """What goes over the wire for a value of a generated type, or anything made of such.

        :raise InternalError: it is none, or a member that must be there is None.
        """
        if isinstance(value, Struct):
            return self._struct_to_json(value)
        if isinstance(value, enum.Enum):
            return value.value
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            if not math.isfinite(value):
                raise InternalError(f"JSON has no {value}")
            return value
        if isinstance(value, list | tuple):
            return [self.to_json(item) for item in value]
        if isinstance(value, Mapping):
            return {str(key): self.to_json(item) for key, item in value.items()}
        raise InternalError(f"{value!r} can't be expressed in JSON")

    def python_type(self, name: str) -> object:
        """What annotations say for a type of the schema."""
        if name.startswith("["):
            return list[self.python_type(name[1:-1])]  # type: ignore[misc]
        if name in BUILTINS:
            return next((python for python, builtin in PYTHON_NAMES.items() if builtin == name), int)
        return self._types[name]

    def type_name(self, type_: object) -> str:
        """The reverse of :meth:`python_type`."""
        if isinstance(type_, python_types.GenericAlias) and type_.__origin__ is list:
            return f"[{self.type_name(type_.__args__[0])}]"
        if isinstance(type_, type) and type_ in PYTHON_NAMES:
            return PYTHON_NAMES[type_]
        for name in (*self._unions, *self._alternates, getattr(type_, "__name__", "")):
            if name in self._types and self._types[name] == type_:
                return name
        raise InternalError(f"{type_!r} is no type of the schema")

    def converter(self, name: str) -> Converter:
        """The function that converts values of the type with that name."""
        known = self._converters.get(name)
        if known is None:
            known = self._converters[name] = self._make(name)
        return known

    def _make(self, name: str) -> Converter:
        if name.startswith("["):
            return self._array(name[1:-1])
        if name in self._unions:
            return self._union(name)
        if name in self._alternates:
            return self._alternate(name)
        python = self._types.get(name)
        if isinstance(python, type) and issubclass(python, enum.StrEnum):
            return self._enum(python)
        if isinstance(python, type) and issubclass(python, Struct):
            return self._struct(python)
        raise InternalError(f"'{name}' is no type of the schema")

    def _array(self, element: str) -> Converter:
        def convert(value: Json, path: str, name: str) -> object:
            if type(value) is not list:
                raise _wrong_type(path, "array")
            inner = self.converter(element)
            paths = [f"{path}[{index}]" for index in range(len(value))]
            return [inner(item, where, where) for item, where in zip(value, paths, strict=True)]

        return convert

    def _enum(self, python: type[enum.StrEnum]) -> Converter:
        values = {member.value: member for member in python}

        def convert(value: Json, path: str, name: str) -> object:
            member = values.get(_string(value, path, name))
            if member is None:
                raise QapiError(f"Parameter '{name}' does not accept value '{value}'")
            return member

        return convert

    def _object(self, members: str) -> ObjectConverter:
        known = self._objects.get(members)
        if known is None:
            known = self._objects[members] = self._members(fields(members))
        return known

    def _members(self, members: tuple[Field, ...]) -> ObjectConverter:
        def convert(value: Json, path: str, seen: tuple[str, ...]) -> dict[str, object]:
            if type(value) is not dict:
                raise _wrong_type(path, "object")
            prefix = f"{path}." if path else ""
            found = {}
            for name, attribute_, type_, optional in members:
                if name in value:
                    found[attribute_] = self.converter(type_)(value[name], prefix + name, name)
                    if optional and found[attribute_] is None:  # null as any: None would say that it is absent
                        found[attribute_] = NULL
                elif not optional:
                    raise QapiError(f"Parameter '{prefix}{name}' is missing")
            if len(found) + len(seen) != len(value):
                known = {*seen, *(field.name for field in members)}
                unexpected = next(name for name in value if name not in known)
                raise QapiError(f"Parameter '{prefix}{unexpected}' is unexpected")
            return found

        return convert

    def _struct(self, python: type[Struct]) -> Converter:
        members = self._object(python._members)
        return lambda value, path, name: python(**members(value, path, ()))

    def _union(self, union: str) -> Converter:
        tag, values = self._unions[union]
        classes = {value: cast(type[Struct], self._types[branch_class(union, value)]) for value in values.split()}
        branches = {value: (python, self._object(python._members)) for value, python in classes.items()}

        def convert(value: Json, path: str, name: str) -> object:
            if type(value) is not dict:
                raise _wrong_type(path, "object")
            where = f"{path}.{tag}" if path else tag
            if tag not in value:
                raise QapiError(f"Parameter '{where}' is missing")
            branch = branches.get(_string(value[tag], where, tag))
            if branch is None:
                raise QapiError(f"Parameter '{tag}' does not accept value '{value[tag]}'")
            python, members = branch
            return python(**members(value, path, (tag,)))

        return convert

    def _alternate(self, alternate: str) -> Converter:
        alternatives = {self._python_json(name): name for name in self._alternates[alternate].split()}
        if float in alternatives:
            alternatives[int] = alternatives[float]
        elif int in alternatives:
            alternatives[float] = alternatives[int]  # which then complains in its own words

        def convert(value: Json, path: str, name: str) -> object:
            chosen = alternatives.get(type(value))
            if chosen is None:
                raise _wrong_type(name, alternate)
            return self.converter(chosen)(value, path, name)

        return convert

    def _python_json(self, name: str) -> type:
        """The class of the JSON values that a type has."""
        if name in BUILTINS:
            builtin = {"str": str, "number": float, "bool": bool, "null": type(None)}
            return builtin.get(name, int)
        if name.startswith("["):
            return list
        python = self._types[name]
        return str if isinstance(python, type) and issubclass(python, enum.StrEnum) else dict

    def _fields_of(self, python: type[Struct]) -> tuple[Field, ...]:
        known = self._fields.get(python)
        if known is None:
            known = self._fields[python] = fields(python._members)
        return known

    def _struct_to_json(self, value: Struct) -> Json:
        result: dict[str, Json] = {}
        if value._tag:
            result[value._tag] = self.to_json(getattr(value, attribute(value._tag)))
        for name, attribute_, type_, optional in self._fields_of(type(value)):
            member = getattr(value, attribute_)
            if member is not None:
                result[name] = self.to_json(member)
            elif not optional:
                if type_ != "any":
                    raise InternalError(f"member {attribute_} of {value!r} must not be None")
                result[name] = None
        return result


VISITOR = Visitor(vars(generated_types))
"""For the types of ``qapi-schema.json``."""

from_json = VISITOR.from_json
to_json = VISITOR.to_json
