"""Leaves of a schema what a configuration has: ``if`` is decided here, once, before anything is generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import TypeVar

from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.model import (
    AlternateType,
    ArrayType,
    Branch,
    Command,
    Definition,
    EnumType,
    Event,
    Feature,
    Member,
    Named,
    ObjectType,
    Schema,
    Type,
)

Part = TypeVar("Part", Feature, Named, Member, Branch)


def prune(schema: Schema, configured: Set[str]) -> Schema:
    """Take away, in place, everything whose condition does not hold; return what remains.

    :raise SchemaError: something that remains uses something that does not.
    """
    remaining = {name: d for name, d in schema.definitions.items() if d.condition(configured)}
    for definition in remaining.values():
        _prune(definition, configured)
        for place, type_ in _uses(definition):
            while isinstance(type_, ArrayType):
                type_ = type_.element
            if type_.name in schema.definitions and type_.name not in remaining:
                raise SchemaError(place, f"'{definition.name}' uses '{type_.name}', which is not configured")
    return Schema(remaining)


def _prune(definition: Definition, configured: Set[str]) -> None:
    definition.features = [f for f in definition.features if f.condition(configured)]
    if isinstance(definition, EnumType):
        definition.values = _kept(definition.values, configured)
    elif isinstance(definition, AlternateType):
        definition.alternatives = _kept(definition.alternatives, configured)
    elif isinstance(definition, ObjectType):
        definition.local_members = _kept(definition.local_members, configured)
        if definition.variants is not None:
            values = {
                value.name
                for value in getattr(definition.variants.tag.type, "values", ())
                if value.condition(configured)
            }
            branches = _kept(definition.variants.branches, configured)
            definition.variants.branches = [branch for branch in branches if branch.name in values]
    elif isinstance(definition, Command | Event) and definition.arguments is not None and definition.arguments.implicit:
        definition.arguments.local_members = _kept(definition.arguments.local_members, configured)


def _kept(parts: Sequence[Part], configured: Set[str]) -> list[Part]:
    result = []
    for part in parts:
        if part.condition(configured):
            if isinstance(part, Named):
                part.features = [f for f in part.features if f.condition(configured)]
            result.append(part)
    return result


def _uses(definition: Definition) -> Iterator[tuple[Place, Type]]:
    """Types that a definition refers to, and where."""
    if isinstance(definition, AlternateType):
        yield from ((member.place, member.type) for member in definition.alternatives)
    elif isinstance(definition, ObjectType):
        yield from _object_uses(definition)
    elif isinstance(definition, Command | Event):
        if definition.arguments is not None:
            yield definition.place, definition.arguments
            if definition.arguments.implicit:
                yield from _object_uses(definition.arguments)
        if isinstance(definition, Command) and definition.returns is not None:
            yield definition.place, definition.returns


def _object_uses(definition: ObjectType) -> Iterator[tuple[Place, Type]]:
    if definition.base is not None:
        yield definition.place, definition.base
    yield from ((member.place, member.type) for member in definition.local_members)
    if definition.variants is not None:
        for branch in definition.variants.branches:
            yield branch.place, branch.type
            if branch.type.implicit:
                yield from ((branch.place, member.type) for member in branch.type.local_members)
