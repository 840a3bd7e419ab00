"""Expressions to definitions, in two rounds.

``declare`` makes an empty object for each definition, so that all names are known; ``fill`` gives them their members,
whose types can now be looked up in any order. What must hold between finished definitions is checked in ``rules``.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.qapi.schema import shape
from pyqemu.qapi.schema.condition import always
from pyqemu.qapi.schema.errors import SchemaError
from pyqemu.qapi.schema.model import (
    BUILTINS,
    EMPTY,
    AlternateType,
    ArrayType,
    Branch,
    Command,
    Definition,
    EnumType,
    Event,
    Member,
    Named,
    ObjectType,
    Schema,
    Type,
    Variants,
)
from pyqemu.qapi.schema.names import VALUE, check_collisions, check_event, check_lower, check_member, check_type
from pyqemu.qapi.schema.parser import Defining, Parsed, Pragmas
from pyqemu.qapi.schema.shape import Entry, Header, TypeRef
from pyqemu.qapi.schema.syntax import Expression, Table, Text

CLASSES: dict[str, type[Definition]] = {
    "enum": EnumType,
    "struct": ObjectType,
    "union": ObjectType,
    "alternate": AlternateType,
    "command": Command,
    "event": Event,
}


class Builder:
    """Makes a :class:`Schema` of what was parsed; ``headers`` remembers kind and name of each definition."""

    def __init__(self, parsed: Parsed) -> None:
        self.pragmas: Pragmas = parsed.pragmas
        self.parsed = parsed
        self.definitions: dict[str, Definition] = {}
        self.arrays: dict[str, ArrayType] = {}
        self.wrappers: dict[str, ObjectType] = {}
        self.headers: list[tuple[Header, Defining]] = []

    def build(self) -> Schema:
        """:raise SchemaError: a definition is malformed, or names a type that is none."""
        for defining in self.parsed.definitions:
            self.declare(defining)
        fill: dict[str, Callable[[Header, Table], None]] = {
            "enum": self.fill_enum,
            "struct": self.fill_struct,
            "union": self.fill_union,
            "alternate": self.fill_alternate,
            "command": self.fill_command,
            "event": self.fill_event,
        }
        for header, defining in self.headers:
            fill[header.kind](header, defining.table)
        return Schema(self.definitions)

    # Names

    def declare(self, defining: Defining) -> None:
        """Check a definition's name and keys; make its object."""
        table = defining.table
        header = shape.header(table)
        self.check_name(header)
        self.check_doc(header, defining)
        name = header.name.value
        if name in BUILTINS:
            raise SchemaError(header.name.place, f"'{name}' is a built-in type")
        if name in self.definitions:
            raise SchemaError(header.name.place, f"'{name}' is already defined at {self.definitions[name].place}")
        definition = CLASSES[header.kind](
            name,
            header.name.place,
            shape.condition(table),
            shape.features(table, str(header)),
            defining.doc,
            defining.module,
        )
        self.definitions[name] = definition
        self.headers.append((header, defining))
        if header.kind == "union" and "discriminator" not in table.entries:
            self.declare_kind(definition, header, table)

    def declare_kind(self, union: Definition, header: Header, table: Table) -> None:
        """The enum that lists the branches of a union without discriminator."""
        entries = shape.member_entries(table.entries["data"], f"'data' of {header}", allow_features=False)
        values = [Named(entry.name.value, entry.name.place, entry.condition) for entry in entries]
        name = f"{union.name}Kind"
        self.definitions[name] = EnumType(
            name, union.place, union.condition, module=union.module, values=values, implicit=True
        )

    def check_name(self, header: Header) -> None:
        """As the kind of definition demands."""
        if header.kind == "command":
            check_lower(header.name, "command", self.pragmas.allows("command-name-exceptions", header.name.value))
        elif header.kind == "event":
            check_event(header.name)
        else:
            check_type(header.name, header.kind)

    def check_doc(self, header: Header, defining: Defining) -> None:
        """It must be there if the pragma says so, and speak of this definition."""
        doc = defining.doc
        if doc is None:
            if defining.doc_required:
                raise SchemaError(defining.table.place, f"{header} is not documented")
        elif doc.symbol != header.name.value:
            raise SchemaError(doc.symbol_place, f"documentation of '{doc.symbol}' stands before {header}")

    def type(self, ref: TypeRef, what: str) -> Type:
        """Look a type up."""
        found = BUILTINS.get(ref.name) or self.definitions.get(ref.name)
        if not isinstance(found, Type):
            raise SchemaError(ref.place, f"{what} uses the unknown type '{ref.name}'")
        if not ref.is_array:
            return found
        name = f"[{ref.name}]"
        return self.arrays.setdefault(name, ArrayType(name, element=found))

    # Members

    def members(self, value: Expression, header: Header, what: str) -> list[Member]:
        """``data`` of a struct, or what is written like it."""
        excepted = self.pragmas.allows("member-name-exceptions", header.name.value)
        return [self.member(entry, header, excepted) for entry in shape.member_entries(value, what)]

    def member(self, entry: Entry, header: Header, excepted: bool) -> Member:
        """One member; a star before its name makes it optional."""
        optional = entry.name.value.startswith("*")
        name = Text(entry.name.value.removeprefix("*"), entry.name.place)
        check_member(name, f"member of {header},", excepted)
        assert entry.value is not None
        what = f"member '{name.value}' of {header}"
        type_ = self.type(shape.type_ref(entry.value, what), what)
        return Member(name.value, name.place, entry.condition, entry.features, type_, optional)

    def branch_name(self, entry: Entry, header: Header, what: str) -> None:
        """The name of a branch or alternative."""
        excepted = self.pragmas.allows("member-name-exceptions", header.name.value)
        check_lower(entry.name, f"{what} of {header},", excepted, VALUE)

    def object_named(self, value: Expression, what: str, wanted: str) -> ObjectType:
        """The struct or union that ``value`` names."""
        ref = shape.type_ref(value, what, array=False)
        found = self.type(ref, what)
        if not isinstance(found, ObjectType):
            raise SchemaError(ref.place, f"{what} must be {wanted}, '{ref.name}' is none")
        return found

    # Each kind of definition

    def fill_enum(self, header: Header, table: Table) -> None:
        """``{'enum': NAME, 'data': [...]}``."""
        enum = self.definitions[header.name.value]
        assert isinstance(enum, EnumType)
        excepted = self.pragmas.allows("member-name-exceptions", enum.name)
        prefix = table.entries.get("prefix")
        if prefix is not None and not isinstance(prefix, Text):
            raise SchemaError(prefix.place, f"'prefix' of {header} must be a string")
        for entry in shape.enum_entries(table.entries["data"], str(header)):
            check_lower(entry.name, f"value of {header},", excepted, VALUE)
            enum.values.append(Named(entry.name.value, entry.name.place, entry.condition, entry.features))
        check_collisions((v.name, v.place, f"value '{v.name}' of {header}") for v in enum.values)

    def fill_struct(self, header: Header, table: Table) -> None:
        """``{'struct': NAME, 'base': NAME, 'data': {...}}``."""
        struct = self.definitions[header.name.value]
        assert isinstance(struct, ObjectType)
        if "base" in table.entries:
            struct.base = self.object_named(table.entries["base"], f"'base' of {header}", "a struct")
        struct.local_members = self.members(table.entries["data"], header, f"'data' of {header}")

    def fill_union(self, header: Header, table: Table) -> None:
        """``{'union': NAME, 'base': ..., 'discriminator': MEMBER, 'data': {...}}``, or only with ``data``."""
        union = self.definitions[header.name.value]
        assert isinstance(union, ObjectType)
        entries = shape.member_entries(table.entries["data"], f"'data' of {header}", allow_features=False)
        if not entries:
            raise SchemaError(table.entries["data"].place, f"{header} has no branches")
        for entry in entries:
            self.branch_name(entry, header, "branch")
        if "discriminator" in table.entries:
            self.fill_flat(union, header, table, entries)
        elif "base" in table.entries:
            raise SchemaError(table.keys["base"], f"{header} has a base, but no 'discriminator'")
        else:
            self.fill_simple(union, header, entries)

    def fill_flat(self, union: ObjectType, header: Header, table: Table, entries: list[Entry]) -> None:
        """A union whose discriminator is a member of its base."""
        if "base" not in table.entries:
            raise SchemaError(table.place, f"{header} has a discriminator, but no 'base'")
        base = table.entries["base"]
        if isinstance(base, Table):
            union.local_members = self.members(base, header, f"'base' of {header}")
        else:
            union.base = self.object_named(base, f"'base' of {header}", "a struct")
        tag = self.discriminator(union, header, table.entries["discriminator"])
        assert isinstance(tag.type, EnumType)
        values = {value.name: value for value in tag.type.values}
        branches = []
        for entry in entries:
            what = f"branch '{entry.name.value}' of {header}"
            if entry.name.value not in values:
                raise SchemaError(entry.name.place, f"{what} is no value of enum '{tag.type.name}'")
            assert entry.value is not None
            type_ = self.object_named(entry.value, what, "a struct")
            branches.append(Branch(entry.name.value, entry.name.place, entry.condition, type=type_))
        covered = {branch.name for branch in branches}
        branches += [Branch(v.name, v.place, v.condition, type=EMPTY) for v in values.values() if v.name not in covered]
        union.variants = Variants(tag, branches)

    def discriminator(self, union: ObjectType, header: Header, value: Expression) -> Member:
        """The member of the base that selects the branch."""
        if not isinstance(value, Text):
            raise SchemaError(value.place, f"'discriminator' of {header} must be a string")
        tag = next((member for member in union.members if member.name == value.value), None)
        what = f"discriminator '{value.value}' of {header}"
        if tag is None:
            raise SchemaError(value.place, f"{what} is no member of its base")
        if not isinstance(tag.type, EnumType):
            raise SchemaError(value.place, f"{what} must be of an enum type")
        if tag.optional or tag.condition is not always:
            raise SchemaError(value.place, f"{what} must not be {'optional' if tag.optional else 'conditional'}")
        return tag

    def fill_simple(self, union: ObjectType, header: Header, entries: list[Entry]) -> None:
        """A union without discriminator: every branch is ``{'type': NAME, 'data': VALUE}``."""
        kinds = self.definitions[f"{union.name}Kind"]
        assert isinstance(kinds, EnumType)
        tag = Member("type", union.place, type=kinds)
        union.local_members = [tag]
        branches = []
        for entry in entries:
            what = f"branch '{entry.name.value}' of {header}"
            assert entry.value is not None
            data = Member("data", entry.name.place, type=self.type(shape.type_ref(entry.value, what), what))
            wrapper = self.wrapper(data)
            branches.append(Branch(entry.name.value, entry.name.place, entry.condition, type=wrapper))
        union.variants = Variants(tag, branches, wrapped=True)

    def wrapper(self, data: Member) -> ObjectType:
        """The object around a branch's value; branches of the same type share it."""
        name = f"q_obj_{data.type.name}-wrapper"
        known = self.wrappers.get(name)
        if known is None:
            known = self.wrappers[name] = ObjectType(name, data.place, local_members=[data], implicit=True)
        return known

    def fill_alternate(self, header: Header, table: Table) -> None:
        """``{'alternate': NAME, 'data': {...}}``."""
        alternate = self.definitions[header.name.value]
        assert isinstance(alternate, AlternateType)
        entries = shape.member_entries(table.entries["data"], f"'data' of {header}", allow_features=False)
        if not entries:
            raise SchemaError(table.entries["data"].place, f"{header} has no alternatives")
        for entry in entries:
            self.branch_name(entry, header, "alternative")
            what = f"alternative '{entry.name.value}' of {header}"
            assert entry.value is not None
            type_ = self.type(shape.type_ref(entry.value, what), what)
            alternate.alternatives.append(Member(entry.name.value, entry.name.place, entry.condition, type=type_))

    def arguments(self, header: Header, table: Table, boxed: bool) -> ObjectType | None:
        """``data`` of a command or event: members, or the name of a struct, of a union if boxed."""
        value = table.entries.get("data")
        what = f"'data' of {header}"
        if value is None:
            if boxed:
                raise SchemaError(table.keys["boxed"], f"{header} is boxed, but has no 'data'")
            return None
        if isinstance(value, Table):
            if boxed:
                raise SchemaError(value.place, f"{what} must be the name of a type, because it is boxed")
            members = self.members(value, header, what)
            return ObjectType(f"q_obj_{header.name.value}-arg", value.place, local_members=members, implicit=True)
        return self.object_named(value, what, "a struct or union" if boxed else "a struct")

    def fill_command(self, header: Header, table: Table) -> None:
        """``{'command': NAME, 'data': ..., 'returns': ...}``."""
        command = self.definitions[header.name.value]
        assert isinstance(command, Command)
        what = str(header)
        command.boxed = shape.flag(table, "boxed", what, True)
        command.gen = shape.flag(table, "gen", what, False)
        command.success_response = shape.flag(table, "success-response", what, False)
        command.allow_oob = shape.flag(table, "allow-oob", what, True)
        command.allow_preconfig = shape.flag(table, "allow-preconfig", what, True)
        command.coroutine = shape.flag(table, "coroutine", what, True)
        if command.allow_oob and command.coroutine:
            raise SchemaError(table.keys["coroutine"], f"{header} can't be both 'coroutine' and 'allow-oob'")
        command.arguments = self.arguments(header, table, command.boxed)
        if "returns" in table.entries:
            ref = shape.type_ref(table.entries["returns"], f"'returns' of {header}")
            command.returns = self.type(ref, f"'returns' of {header}")

    def fill_event(self, header: Header, table: Table) -> None:
        """``{'event': NAME, 'data': ...}``."""
        event = self.definitions[header.name.value]
        assert isinstance(event, Event)
        event.boxed = shape.flag(table, "boxed", str(header), True)
        event.arguments = self.arguments(header, table, event.boxed)
