"""``generated/types.py``: enums, structs, unions and alternates as Python."""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu.qapi.generator.text import WIDTH, annotation, docstring, header, members_text, string, wrapped_list
from pyqemu.qapi.names import attribute, branch_class, constant
from pyqemu.qapi.schema.model import AlternateType, Branch, EnumType, Member, ObjectType, Schema, Type, Variants

IMPORTS = """# ruff: noqa: RUF023 (slots are in the order of the schema)

from __future__ import annotations

import enum
from typing import Final, TypeAlias

from pyqemu.qapi.base import {names}
"""


def types_module(schema: Schema) -> str:
    """The text of the module."""
    body: list[str] = []
    for enum in schema.enums():
        body += ["", "", *_enum(enum)]
    for struct in _bases_first([o for o in schema.objects() if o.variants is None]):
        body += ["", "", *_struct(struct)]
    unions = [o for o in schema.objects() if o.variants is not None]
    for union in unions:
        assert union.variants is not None
        for branch in union.variants.branches:
            body += ["", "", *_branch(union, union.variants, branch)]
    for union in unions:
        body += ["", "", *_union_alias(union)]
    for alternate in schema.alternates():
        body += ["", "", *_alias(alternate.name, [annotation(a.type) for a in alternate.alternatives], alternate)]
    body += ["", "", *_tables(unions, list(schema.alternates()))]
    names = "Null, Struct" if any("Null" in line for line in body) else "Struct"
    return header("Types of the schema.") + IMPORTS.format(names=names) + "\n".join(body) + "\n"


def _bases_first(structs: list[ObjectType]) -> Iterator[ObjectType]:
    done: set[str] = set()

    def visit(struct: ObjectType) -> Iterator[ObjectType]:
        if struct.name not in done:
            done.add(struct.name)
            if struct.base is not None:
                yield from visit(struct.base)
            yield struct

    for struct in structs:
        yield from visit(struct)


def _summary(type_: Type, fallback: str) -> list[str]:
    return docstring(type_.summary or fallback)


def _enum(enum: EnumType) -> list[str]:
    fallback = f"Branches of {enum.name.removesuffix('Kind')}." if enum.implicit else f"QAPI enum {enum.name}."
    values = [f'    {constant(value.name)} = "{value.name}"' for value in enum.values]
    return [f"class {enum.name}(enum.StrEnum):", *_summary(enum, fallback), *([""] if values else []), *values]


def _struct(struct: ObjectType) -> list[str]:
    base = struct.base.name if struct.base is not None else "Struct"
    return [
        f"class {struct.name}({base}):",
        *_summary(struct, f"QAPI struct {struct.name}."),
        "",
        *_content(struct.local_members, struct.members),
    ]


def _branch(union: ObjectType, variants: Variants, branch: Branch) -> list[str]:
    common = [member for member in union.members if member is not variants.tag]
    members = [*common, *branch.type.members]
    enum = variants.tag.type.name
    return [
        f"class {branch_class(union.name, branch.name)}(Struct):",
        *docstring(f"{union.name} whose {variants.tag.name} is '{branch.name}'."),
        "",
        f'    _tag = "{variants.tag.name}"',
        f"    {attribute(variants.tag.name)}: Final = {enum}.{constant(branch.name)}",
        *_content(members, members),
    ]


def _content(own: list[Member], members: list[Member]) -> list[str]:
    """Slots for the ``own`` members, a constructor for all."""
    slots = [f'"{attribute(member.name)}"' for member in own]
    lines = [f"    __slots__ = ({', '.join(slots)}{',' if len(slots) == 1 else ''})"]
    if len(lines[0]) > WIDTH:
        lines = ["    __slots__ = (", *wrapped_list(slots, " " * 8), "    )"]
    if not members:
        return lines
    parameters = ["self", "*", *(_parameter(member) for member in members)]
    init = [f"    def __init__({', '.join(parameters)}) -> None:"]
    if len(init[0]) > WIDTH:
        init = ["    def __init__(", *wrapped_list(parameters, " " * 8), "    ) -> None:"]
    assignments = [f"        self.{attribute(member.name)} = {attribute(member.name)}" for member in members]
    return [*lines, *string(members_text(members), "    ", "_members = "), "", *init, *assignments]


def _parameter(member: Member) -> str:
    text = f"{attribute(member.name)}: {annotation(member.type)}"
    return f"{text} | None = None" if member.optional else text


def _union_alias(union: ObjectType) -> list[str]:
    assert union.variants is not None
    return _alias(union.name, [branch_class(union.name, b.name) for b in union.variants.branches], union)


def _alias(name: str, parts: list[str], type_: Type) -> list[str]:
    doc = docstring(type_.summary or f"QAPI type {name}.", "")
    line = f"{name}: TypeAlias = {' | '.join(parts)}"
    if len(line) <= WIDTH:
        return [line, *doc]
    return [f"{name}: TypeAlias = (", f"    {parts[0]}", *(f"    | {part}" for part in parts[1:]), ")", *doc]


def _tables(unions: list[ObjectType], alternates: list[AlternateType]) -> list[str]:
    lines = ["UNIONS: Final[dict[str, tuple[str, str]]] = {"]
    for union in unions:
        assert union.variants is not None
        values = " ".join(branch.name for branch in union.variants.branches)
        lines += [f'    "{union.name}": (', f'        "{union.variants.tag.name}",', *string(values, " " * 8, "", ",")]
        lines.append("    ),")
    lines += ["}", '"""Union → its discriminator, its branches."""', ""]
    lines.append("ALTERNATES: Final[dict[str, str]] = {")
    for alternate in alternates:
        names = " ".join(alternative.type.name for alternative in alternate.alternatives)
        lines += string(names, "    ", f'"{alternate.name}": ', ",")
    return [*lines, "}", '"""Alternate → the types that it may be of."""']
