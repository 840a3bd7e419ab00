"""``generated/introspect.py``: what ``query-qmp-schema`` answers.

Names of types are no interface, so QEMU hides them: every type but the built-in ones is called by a number, an array by
its element's name in brackets. Commands and events come first, then the types that they use, in the order of first use.
All integer types are shown as "int".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from pyqemu.qapi.generator.text import header
from pyqemu.qapi.schema.model import (
    BUILTINS,
    EMPTY,
    AlternateType,
    ArrayType,
    BuiltinType,
    Command,
    EnumType,
    Event,
    Feature,
    Member,
    ObjectType,
    Schema,
    Type,
)

Info: TypeAlias = dict[str, object]

MODULE = '''# ruff: noqa: E501

from __future__ import annotations

import json


def schema() -> list[dict[str, object]]:
    """A new copy of the answer."""
    result: list[dict[str, object]] = json.loads(TEXT)
    return result


TEXT = r"""[
{lines}
]"""
'''


class Introspection:
    """Collects one SchemaInfo after the other; ``used`` grows while its types are visited."""

    def __init__(self, schema: Schema) -> None:
        self.used: list[Type] = []
        self.numbers: dict[str, str] = {}
        self.integers = ArrayType("[int]", element=BUILTINS["int"])
        self.infos: list[Info] = []
        for definition in schema.definitions.values():
            if isinstance(definition, Command):
                self.command(definition)
            elif isinstance(definition, Event):
                self.event(definition)
        position = 0
        while position < len(self.used):
            self.type(self.used[position])
            position += 1

    def use(self, type_: Type) -> str:
        """The name that a type is shown by; it will be visited."""
        if isinstance(type_, BuiltinType) and type_.json_type == "int":
            type_ = BUILTINS["int"]
        elif isinstance(type_, ArrayType) and type_.element.json_type == "int":
            type_ = self.integers
        if type_ not in self.used:
            self.used.append(type_)
        if isinstance(type_, ArrayType):
            return f"[{self.use(type_.element)}]"
        return type_.name if isinstance(type_, BuiltinType) else self.number(type_.name)

    def number(self, name: str) -> str:
        """What hides a name."""
        return self.numbers.setdefault(name, str(len(self.numbers)))

    def add(self, name: str, meta_type: str, features: list[Feature], info: Mapping[str, object]) -> None:
        """One SchemaInfo."""
        self.infos.append({"name": name, "meta-type": meta_type, **info, **_features(features)})

    def command(self, command: Command) -> None:
        """A command; without arguments, or without a result, it has the empty object."""
        arguments, returns = self.use(command.arguments or EMPTY), self.use(command.returns or EMPTY)
        info: Info = {"arg-type": arguments, "ret-type": returns}
        if command.allow_oob:
            info["allow-oob"] = True
        self.add(command.name, "command", command.features, info)

    def event(self, event: Event) -> None:
        """An event."""
        self.add(event.name, "event", event.features, {"arg-type": self.use(event.arguments or EMPTY)})

    def type(self, type_: Type) -> None:
        """A type that something uses."""
        if isinstance(type_, BuiltinType):
            self.add(type_.name, "builtin", [], {"json-type": type_.json_type})
        elif isinstance(type_, ArrayType):
            element = self.use(type_.element)
            self.add(f"[{element}]", "array", [], {"element-type": element})
        elif isinstance(type_, EnumType):
            self.enum(type_)
        elif isinstance(type_, AlternateType):
            members = [{"type": self.use(alternative.type)} for alternative in type_.alternatives]
            self.add(self.number(type_.name), "alternate", type_.features, {"members": members})
        elif isinstance(type_, ObjectType):
            self.object(type_)

    def enum(self, enum: EnumType) -> None:
        """An enum; ``values`` is for clients that are older than ``members``."""
        info: Info = {
            "members": [{"name": value.name, **_features(value.features)} for value in enum.values],
            "values": [value.name for value in enum.values],
        }
        self.add(self.number(enum.name), "enum", enum.features, info)

    def object(self, object_: ObjectType) -> None:
        """A struct or union; members of bases are shown as its own."""
        info: Info = {"members": [self.member(member) for member in object_.members]}
        if object_.variants is not None:
            info["tag"] = object_.variants.tag.name
            info["variants"] = [
                {"case": branch.name, "type": self.use(branch.type)} for branch in object_.variants.branches
            ]
        self.add(self.number(object_.name), "object", object_.features, info)

    def member(self, member: Member) -> Info:
        """A member; that a default exists, whatever it is, makes it optional."""
        info: Info = {"name": member.name, "type": self.use(member.type)}
        if member.optional:
            info["default"] = None
        return {**info, **_features(member.features)}


def _features(features: list[Feature]) -> Info:
    return {"features": [feature.name for feature in features]} if features else {}


def introspect_module(schema: Schema) -> str:
    """The text of ``introspect.py``: one SchemaInfo a line."""
    lines = ",\n".join(json.dumps(info) for info in Introspection(schema).infos)
    return header("What ``query-qmp-schema`` answers.") + MODULE.replace("{lines}", lines)
