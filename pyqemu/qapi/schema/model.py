"""The definitions of a checked schema, as objects that refer to each other.

::

    Definition
      Type
        BuiltinType    str, int, uint8, size, number, bool, any, null ...
        ArrayType
        EnumType
        ObjectType     struct, union, or the nameless arguments of a command or event
        AlternateType
      Command
      Event
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pyqemu.qapi.schema.condition import Condition, always
from pyqemu.qapi.schema.doc import Doc
from pyqemu.qapi.schema.errors import BUILT_IN, Place


@dataclass(eq=False)
class Feature:
    """Something that clients can ask for; only its presence counts."""

    name: str
    place: Place
    condition: Condition = always


@dataclass(eq=False)
class Named:
    """A part of a definition: a member, value or branch."""

    name: str
    place: Place
    condition: Condition = always
    features: list[Feature] = field(default_factory=list)


@dataclass(eq=False)
class Definition:
    """Anything with a name of its own. ``module`` is its file without folder and suffix."""

    name: str
    place: Place = BUILT_IN
    condition: Condition = always
    features: list[Feature] = field(default_factory=list)
    doc: Doc | None = None
    module: str = ""

    @property
    def summary(self) -> str:
        """The first sentence of its documentation, or nothing."""
        return self.doc.summary if self.doc is not None else ""


@dataclass(eq=False)
class Type(Definition):
    """What values can be of. ``json_type`` is what they are in JSON; "value" stands for any."""

    @property
    def json_type(self) -> str:
        """One of string, number, int, boolean, null, object, array, value."""
        return "object"


@dataclass(eq=False)
class BuiltinType(Type):
    """A type that the language brings along."""

    json: str = ""

    @property
    def json_type(self) -> str:
        """As in the table of built-in types."""
        return self.json


@dataclass(eq=False)
class ArrayType(Type):
    """``['Element']``; its name is ``[Element]``."""

    element: Type = field(default_factory=lambda: BUILTINS["any"])

    @property
    def json_type(self) -> str:
        """Always "array"."""
        return "array"


@dataclass(eq=False)
class EnumType(Type):
    """A list of values; ``implicit`` if it lists the branches of a union without discriminator."""

    values: list[Named] = field(default_factory=list)
    implicit: bool = False

    @property
    def json_type(self) -> str:
        """Always "string"."""
        return "string"


@dataclass(eq=False)
class Member(Named):
    """A member of an object, or an alternative of an alternate."""

    type: Type = field(default_factory=lambda: BUILTINS["any"])
    optional: bool = False


@dataclass(eq=False)
class Branch(Named):
    """What a union has besides its base when the discriminator has the value ``name``."""

    type: ObjectType = field(default_factory=lambda: EMPTY)


@dataclass(eq=False)
class Variants:
    """The branches of a union. ``wrapped``: it has no discriminator of its own, but 'type' and 'data'."""

    tag: Member
    branches: list[Branch]
    wrapped: bool = False


@dataclass(eq=False)
class ObjectType(Type):
    """A struct or union. ``implicit`` ones have no name in the schema."""

    base: ObjectType | None = None
    local_members: list[Member] = field(default_factory=list)
    variants: Variants | None = None
    implicit: bool = False

    @property
    def members(self) -> list[Member]:
        """Own members behind those of the bases; not those of branches."""
        return [*(self.base.members if self.base else ()), *self.local_members]


@dataclass(eq=False)
class AlternateType(Type):
    """A value of one of several types, told apart by what it is in JSON."""

    alternatives: list[Member] = field(default_factory=list)

    @property
    def json_type(self) -> str:
        """Always "value"."""
        return "value"


@dataclass(eq=False)
class Command(Definition):
    """Something that a client can ask for. ``arguments`` is None without any, ``returns`` if it answers ``{}``."""

    arguments: ObjectType | None = None
    returns: Type | None = None
    boxed: bool = False
    gen: bool = True
    success_response: bool = True
    allow_oob: bool = False
    allow_preconfig: bool = False
    coroutine: bool = False


@dataclass(eq=False)
class Event(Definition):
    """Something that clients are told."""

    arguments: ObjectType | None = None
    boxed: bool = False


@dataclass
class Schema:
    """All definitions by name, in the order of the text."""

    definitions: dict[str, Definition]

    def enums(self) -> Iterator[EnumType]:
        """Also those that list the branches of simple unions."""
        return (d for d in self.definitions.values() if isinstance(d, EnumType))

    def objects(self) -> Iterator[ObjectType]:
        """Structs and unions that have a name."""
        return (d for d in self.definitions.values() if isinstance(d, ObjectType))

    def alternates(self) -> Iterator[AlternateType]:
        """All alternates."""
        return (d for d in self.definitions.values() if isinstance(d, AlternateType))

    def commands(self) -> Iterator[Command]:
        """All commands."""
        return (d for d in self.definitions.values() if isinstance(d, Command))

    def events(self) -> Iterator[Event]:
        """All events."""
        return (d for d in self.definitions.values() if isinstance(d, Event))


# fmt: off
BUILTIN_JSON = {
    "str": "string", "number": "number", "bool": "boolean", "any": "value", "null": "null",
    "int": "int", "int8": "int", "int16": "int", "int32": "int", "int64": "int",
    "uint8": "int", "uint16": "int", "uint32": "int", "uint64": "int", "size": "int",
}
# fmt: on
BUILTINS: dict[str, Type] = {name: BuiltinType(name, json=json) for name, json in BUILTIN_JSON.items()}
EMPTY: ObjectType = ObjectType("q_empty", implicit=True)
"""The arguments and the answer of a command that has none."""
