"""What must hold between finished definitions, and between a definition and its documentation."""

from __future__ import annotations

from collections.abc import Iterable

from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.model import (
    AlternateType,
    ArrayType,
    Command,
    Definition,
    EnumType,
    Event,
    Member,
    ObjectType,
    Schema,
    Type,
)
from pyqemu.qapi.schema.names import check_collisions
from pyqemu.qapi.schema.parser import Defining, Pragmas
from pyqemu.qapi.schema.shape import Header
from pyqemu.qapi.schema.syntax import Table


def check(schema: Schema, headers: Iterable[tuple[Header, Defining]], pragmas: Pragmas) -> None:
    """Check every definition.

    :raise SchemaError: the first rule that is broken.
    """
    headers = list(headers)
    for header, defining in headers:
        definition = schema.definitions[header.name.value]
        if isinstance(definition, ObjectType):
            _check_base(definition, header, defining.table)
    for header, defining in headers:
        definition = schema.definitions[header.name.value]
        if isinstance(definition, ObjectType):
            _check_object(definition, header)
        elif isinstance(definition, AlternateType):
            _check_alternate(definition, header)
        elif isinstance(definition, Command):
            _check_arguments(definition.arguments, definition.boxed, header, defining.table)
            _check_returns(definition, header, defining.table, pragmas)
        elif isinstance(definition, Event):
            _check_arguments(definition.arguments, definition.boxed, header, defining.table)
        if definition.doc is not None and not pragmas.allows("documentation-exceptions", definition.name):
            definition.doc.check(header.kind, _documentable(definition), [f.name for f in definition.features])


def _described(members: Iterable[Member], owner: str) -> list[tuple[str, Place, str]]:
    return [(member.name, member.place, f"member '{member.name}' of {owner}") for member in members]


def _check_base(definition: ObjectType, header: Header, table: Table) -> None:
    """Structs only, and no circles; everything that walks up the bases relies on it."""
    seen, base = {definition.name}, definition.base
    if base is not None and base.variants is not None:
        raise SchemaError(table.entries["base"].place, f"'base' of {header} must be a struct, '{base.name}' is none")
    while base is not None:
        if base.name in seen:
            raise SchemaError(table.entries["base"].place, f"{header} is its own base")
        seen.add(base.name)
        base = base.base


def _check_object(definition: ObjectType, header: Header) -> None:
    """No two members of the same name, in no branch either."""
    inherited = _described(definition.base.members, f"base '{definition.base.name}'") if definition.base else []
    common = [*inherited, *_described(definition.local_members, str(header))]
    check_collisions(common)
    for branch in definition.variants.branches if definition.variants is not None else ():
        if branch.type.variants is not None:
            raise SchemaError(branch.place, f"branch '{branch.name}' of {header} must be a struct, not a union")
        members = _described(branch.type.members, f"branch '{branch.name}'")
        check_collisions([*common, *[(name, branch.place, text) for name, _, text in members]])


def _check_alternate(definition: AlternateType, header: Header) -> None:
    """The alternatives must be told apart by what they are in JSON; digits and words are those of key=value options."""
    taken: dict[str, str] = {}
    for alternative in definition.alternatives:
        if isinstance(alternative.type, AlternateType) or alternative.type.json_type == "value":
            raise SchemaError(
                alternative.place,
                f"alternative '{alternative.name}' of {header} can't be of type '{alternative.type.name}'",
            )
        for json_type in _confusable(alternative.type):
            if json_type in taken:
                raise SchemaError(
                    alternative.place,
                    f"alternative '{alternative.name}' of {header} can't be told from '{taken[json_type]}'",
                )
        for json_type in _confusable(alternative.type):
            taken[json_type] = alternative.name


def _confusable(type_: Type) -> set[str]:
    """What a value of the type could be taken for when it was written as ``key=value``."""
    own = "number" if type_.json_type == "int" else type_.json_type
    if own != "string":
        return {own}
    if not isinstance(type_, EnumType):
        return {"string", "number", "boolean"}
    found = {"string"}
    if any(value.name in ("on", "off") for value in type_.values):
        found.add("boolean")
    if any(value.name[0] in "-+.0123456789" for value in type_.values):
        found.add("number")
    return found


def _check_arguments(arguments: ObjectType | None, boxed: bool, header: Header, table: Table) -> None:
    if arguments is None:
        return
    if arguments.variants is not None and not boxed:
        raise SchemaError(table.entries["data"].place, f"'data' of {header} can be a union only if it is 'boxed'")
    if arguments.implicit:
        check_collisions(_described(arguments.local_members, str(header)))


def _check_returns(command: Command, header: Header, table: Table, pragmas: Pragmas) -> None:
    """An object or an array of them can be extended later; anything else cannot, and needs leave by pragma."""
    type_ = command.returns
    if isinstance(type_, ArrayType):
        type_ = type_.element
    if type_ is None or isinstance(type_, ObjectType) or pragmas.allows("command-returns-exceptions", command.name):
        return
    raise SchemaError(table.entries["returns"].place, f"{header} must return an object or an array of objects")


def _documentable(definition: Definition) -> list[str]:
    """Names that may stand as ``@name:`` in the documentation."""
    if isinstance(definition, EnumType):
        return [value.name for value in definition.values]
    if isinstance(definition, AlternateType):
        return [alternative.name for alternative in definition.alternatives]
    if isinstance(definition, Command | Event):
        arguments = definition.arguments
        return [member.name for member in arguments.local_members] if arguments and arguments.implicit else []
    assert isinstance(definition, ObjectType)
    names = [member.name for member in definition.local_members]
    if definition.variants is not None:
        names += [branch.name for branch in definition.variants.branches]
        names += ["data"] if definition.variants.wrapped else []
    return names
