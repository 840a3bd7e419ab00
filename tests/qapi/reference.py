"""The QMP of May 2016 as ``reference_2_6.txt`` tells it, and what a schema has different from it.

Both are brought into one form first: a thing with its members, bases included. A schema may have more than the
reference: values, branches and members that say in which later release they came; of these an argument must be
optional, so that a client of 2016 need not know it. All else is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyqemu.qapi.schema import model
from pyqemu.qapi.schema.doc import Doc

TEXT = Path(__file__).with_name("reference_2_6.txt")
LAST = (2, 7)
"""The release that the tree of May 2016 became."""


@dataclass(frozen=True)
class Member:
    """A member, or a value of an enumeration (which has no type). ``owner_since`` is that of what declares it."""

    type: str = ""
    optional: bool = False
    since: str = ""
    owner_since: str = ""


@dataclass
class Thing:
    """A command, event or type. ``branches`` have the members that a union has besides ``members``."""

    kind: str
    name: str
    since: str = ""
    returns: str = ""
    tag: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    branches: dict[str, dict[str, Member]] = field(default_factory=dict)


def release(text: str) -> tuple[int, int]:
    """``2.6.0`` → (2, 6); what is not known is oldest."""
    numbers = [int(part) for part in re.findall(r"\d+", text)[:2]]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


# --- the reference


@dataclass
class _Entry:
    head: list[str]
    items: list[str] = field(default_factory=list)

    def option(self, name: str) -> str:
        return next((word.removeprefix(f"{name}=") for word in self.head if word.startswith(f"{name}=")), "")


def _entries(text: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            if entry is not None:
                yield entry
            entry = _Entry(line.split())
        else:
            assert entry is not None
            entry.items += line.split()
    if entry is not None:
        yield entry


class _Reader:
    def __init__(self, text: str) -> None:
        self.entries = {entry.head[1]: entry for entry in _entries(text)}

    def members(self, name: str) -> dict[str, Member]:
        """Those of a type by its name; of a built-in type or an enumeration none."""
        entry = self.entries.get(name)
        if entry is None or entry.head[0] == "enum":
            return {}
        found = self.members(base) if (base := entry.option("base") or entry.option("data")) else {}
        for item in entry.items:
            if match := re.fullmatch(r"([\w-]+)(\*?):([^@]+)@?(.*)", item):
                found[match[1]] = Member(match[3], match[2] == "*", match[4])
        return found

    def thing(self, entry: _Entry) -> Thing:
        kind, name = entry.head[:2]
        since = next((word for word in entry.head[2:] if re.fullmatch(r"[\d.]+", word)), "")
        thing = Thing(kind, name, since, tag=entry.option("tag"))
        if "->" in entry.head:
            thing.returns = entry.head[entry.head.index("->") + 1]
        if kind == "enum":
            for item in entry.items:
                value, _, since = item.partition("@")
                thing.members[value] = Member(since=since)
            return thing
        thing.members = self.members(name)
        for item in entry.items:
            if kind == "union" and "=" in item:
                branch, _, type_ = item.partition("=")
                simple = not thing.tag
                thing.branches[branch] = {"data": Member(type_)} if simple else self.members(type_)
        if kind == "union" and not thing.tag:
            thing.tag = "type"
        return thing


def reference() -> dict[str, Thing]:
    """Everything in ``reference_2_6.txt``."""
    reader = _Reader(TEXT.read_text("utf-8"))
    return {name: reader.thing(entry) for name, entry in reader.entries.items()}


# --- the schema


def _since(doc: Doc | None, member: str) -> str:
    section = doc.members.get(member) if doc is not None else None
    match = re.search(r"\(since\s+([\d.]+)\)$", section.text) if section is not None else None
    return match[1] if match else ""


def _members(type_: model.ObjectType | None, doc: Doc | None) -> dict[str, Member]:
    """``doc`` is that of the command or event if the type has none of its own."""
    if type_ is None:
        return {}
    found = _members(type_.base, doc)
    doc = type_.doc or doc
    owner_since = doc.tag("Since") if doc is not None else ""
    for member in type_.local_members:
        found[member.name] = Member(member.type.name, member.optional, _since(doc, member.name), owner_since)
    return found


def _branches(variants: model.Variants) -> dict[str, dict[str, Member]]:
    return {branch.name: _members(branch.type, None) for branch in variants.branches}


def _thing(definition: model.Definition) -> Thing:
    since = definition.doc.tag("Since") if definition.doc is not None else ""
    thing = Thing("", definition.name, since)
    match definition:
        case model.EnumType():
            thing.kind = "enum"
            thing.members = {v.name: Member(since=_since(definition.doc, v.name)) for v in definition.values}
        case model.AlternateType():
            thing.kind = "alternate"
            thing.members = {m.name: Member(m.type.name) for m in definition.alternatives}
        case model.ObjectType():
            thing.kind = "struct" if definition.variants is None else "union"
            thing.members = _members(definition, None)
            if definition.variants is not None:
                thing.tag, thing.branches = definition.variants.tag.name, _branches(definition.variants)
                if definition.variants.wrapped:
                    del thing.members["type"]
        case model.Command():
            thing.kind = "command"
            thing.members = _members(definition.arguments, definition.doc)
            thing.returns = definition.returns.name if definition.returns is not None else ""
        case model.Event():
            thing.kind = "event"
            thing.members = _members(definition.arguments, definition.doc)
    return thing


def _inputs(schema: model.Schema) -> set[str]:
    """Names of the types that clients send."""
    found: set[str] = set()

    def visit(type_: model.Type | None) -> None:
        if type_ is None or type_.name in found:
            return None
        if isinstance(type_, model.ArrayType):
            return visit(type_.element)
        if not isinstance(type_, model.ObjectType | model.AlternateType):
            return None
        if not (isinstance(type_, model.ObjectType) and type_.implicit):
            found.add(type_.name)
        if isinstance(type_, model.AlternateType):
            inner: list[model.Type] = [alternative.type for alternative in type_.alternatives]
        else:
            inner = [member.type for member in type_.members]
            inner += [branch.type for branch in type_.variants.branches] if type_.variants is not None else []
        for other in inner:
            visit(other)
        return None

    for command in schema.commands():
        visit(command.arguments)
    return found


# --- the comparison


def _compare_members(where: str, old: dict[str, Member], new: dict[str, Member], sent: bool) -> Iterator[str]:
    for name, was in old.items():
        now = new.get(name)
        if now is None:
            yield f"{where}: '{name}' is missing"
            continue
        if was.type != now.type:
            yield f"{where}: '{name}' is {now.type}, was {was.type}"
        if was.optional != now.optional:
            yield f"{where}: '{name}' is {'optional' if now.optional else 'required'}"
        if was.since and was.since != now.since:
            yield f"{where}: '{name}' is since {now.since or 'ever'}, was since {was.since}"
    for name in new.keys() - old.keys():
        if release(new[name].since or new[name].owner_since) < LAST:
            yield f"{where}: '{name}' is new and does not say since when"
        if sent and new[name].type and not new[name].optional:
            yield f"{where}: '{name}' is new and required"


def _compare(old: Thing, new: Thing, sent: bool) -> Iterator[str]:
    where = f"{old.kind} {old.name}"
    if old.kind != new.kind:
        yield f"{where} is a {new.kind}"
        return
    if old.since and old.since != new.since:
        yield f"{where} is since {new.since or 'ever'}, was since {old.since}"
    if old.returns != new.returns:
        yield f"{where} returns {new.returns or 'nothing'}, was {old.returns or 'nothing'}"
    if old.tag != new.tag:
        yield f"{where} has the tag {new.tag}, was {old.tag}"
    yield from _compare_members(where, old.members, new.members, sent)
    for name, members in old.branches.items():
        if name not in new.branches:
            yield f"{where}: branch '{name}' is missing"
            continue
        yield from _compare_members(f"{where}: branch '{name}'", members, new.branches[name], sent)


def differences(things: Iterable[Thing], schema: model.Schema) -> set[str]:
    """One sentence for each thing that a client of 2016 would meet otherwise than it expects."""
    found, inputs = set(), _inputs(schema)
    for thing in things:
        definition = schema.definitions.get(thing.name)
        if definition is None:
            found.add(f"{thing.kind} {thing.name} is missing")
        else:
            sent = thing.kind == "command" or thing.name in inputs
            found.update(_compare(thing, _thing(definition), sent))
    return found
