"""The contract: QEMU's commands, events and types of May 2016 are all there, and what came later says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pyqemu
from pyqemu.qapi.schema import load, model
from pyqemu.qapi.schema.errors import BUILT_IN
from tests.qapi.reference import LAST, Thing, differences, reference, release

SCHEMA = Path(pyqemu.__file__).parents[1] / "qapi-schema.json"

REPLACED = {
    "blockdev-add": "BlockdevOptions are the arguments themselves, as since 2.9: no schema can allow 'options', too",
    "Netdev": "a union, as netdev_add needs it; the struct of that name was never in the protocol",
    "NumaOptions": "its members stand beside 'type', as set-numa-node needs it; it was not in the protocol",
}
"""Things whose old form was given up."""

BACKING = "may also be null, which today's clients send"
DEVICE = "'id' can be given instead"
URL = "'url' can be given instead"
EXCEPTIONS = {
    "command block_set_io_throttle: 'device' is optional": DEVICE,
    "command blockdev-change-medium: 'device' is optional": DEVICE,
    "command blockdev-close-tray: 'device' is optional": DEVICE,
    "command blockdev-open-tray: 'device' is optional": DEVICE,
    "command eject: 'device' is optional": DEVICE,
    "command netdev_add: 'type' is NetClientDriver, was str": "the values of the string; clients look for them",
    "command object-add: 'qom-type' is ObjectType, was str": "the values of the string; clients look for them",
    "struct BlockdevOptionsGenericCOWFormat: 'backing' is BlockdevRefOrNull, was BlockdevRef": BACKING,
    "struct BlockdevOptionsQcow2: 'backing' is BlockdevRefOrNull, was BlockdevRef": BACKING,
    "union BlockdevOptions: branch 'ftp': 'filename' is optional": URL,
    "union BlockdevOptions: branch 'ftps': 'filename' is optional": URL,
    "union BlockdevOptions: branch 'http': 'filename' is optional": URL,
    "union BlockdevOptions: branch 'https': 'filename' is optional": URL,
    "union BlockdevOptions: branch 'qcow': 'backing' is BlockdevRefOrNull, was BlockdevRef": BACKING,
    "union BlockdevOptions: branch 'qcow2': 'backing' is BlockdevRefOrNull, was BlockdevRef": BACKING,
    "union BlockdevOptions: branch 'qed': 'backing' is BlockdevRefOrNull, was BlockdevRef": BACKING,
    "union BlockdevOptions: branch 'tftp': 'filename' is optional": URL,
    "union BlockdevOptions: branch 'vmdk': 'backing' is BlockdevRefOrNull, was BlockdevRef": BACKING,
}
"""Each loosens what is accepted."""


@pytest.fixture
def schema() -> model.Schema:
    return load(SCHEMA)


def things() -> list[Thing]:
    return [thing for name, thing in reference().items() if name not in REPLACED]


def test_the_reference_is_complete() -> None:
    kinds = [thing.kind for thing in reference().values()]
    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "alternate": 2,
        "command": 140,
        "enum": 63,
        "event": 37,
        "struct": 158,
        "union": 15,
    }


def test_everything_of_2016_is_there(schema: model.Schema) -> None:
    """Both ways: an exception that is no longer one has to go."""
    assert differences(things(), schema) == set(EXCEPTIONS)


@pytest.mark.parametrize("name", REPLACED)
def test_what_was_replaced_exists_in_another_form(schema: model.Schema, name: str) -> None:
    assert name in schema.definitions
    assert differences([reference()[name]], schema)


def test_what_came_later_says_when(schema: model.Schema) -> None:
    later = [d for d in (*schema.commands(), *schema.events()) if d.name not in reference()]
    assert later
    assert not [d.name for d in later if d.doc is None or release(d.doc.tag("Since")) < LAST]


def documented_parts(definition: model.Definition) -> Iterator[str]:
    match definition:
        case model.EnumType():
            yield from () if definition.implicit else (value.name for value in definition.values)
        case model.AlternateType():
            yield from (alternative.name for alternative in definition.alternatives)
        case model.ObjectType():
            wrapped = definition.variants is not None and definition.variants.wrapped
            yield from () if wrapped else (member.name for member in definition.local_members)
        case model.Command() | model.Event():
            if definition.arguments is not None and definition.arguments.implicit:
                yield from (member.name for member in definition.arguments.local_members)


def test_every_member_and_value_is_explained(schema: model.Schema) -> None:
    silent = []
    for definition in schema.definitions.values():
        texts = {name: section.text for name, section in definition.doc.members.items()} if definition.doc else {}
        silent += [f"{definition.name}: {name}" for name in documented_parts(definition) if not texts.get(name)]
    assert not silent


# --- the comparison itself: each of these must be noticed


def object_type(schema: model.Schema, name: str) -> model.ObjectType:
    found = schema.definitions[name]
    assert isinstance(found, model.ObjectType)
    return found


def member(type_: model.ObjectType | None, name: str) -> model.Member:
    assert type_ is not None
    return next(found for found in type_.members if found.name == name)


def arguments(schema: model.Schema, name: str) -> model.ObjectType:
    found = schema.definitions[name]
    assert isinstance(found, model.Command | model.Event)
    assert found.arguments is not None
    return found.arguments


def remove_command(schema: model.Schema) -> None:
    del schema.definitions["query-status"]


def remove_event(schema: model.Schema) -> None:
    del schema.definitions["STOP"]


def remove_member(schema: model.Schema) -> None:
    type_ = object_type(schema, "StatusInfo")
    type_.local_members.remove(member(type_, "running"))


def remove_inherited_member(schema: model.Schema) -> None:
    type_ = object_type(schema, "ChardevCommon")
    type_.local_members.remove(member(type_, "logfile"))


def remove_argument(schema: model.Schema) -> None:
    type_ = arguments(schema, "set_link")
    type_.local_members.remove(member(type_, "up"))


def remove_value(schema: model.Schema) -> None:
    enum = schema.definitions["RunState"]
    assert isinstance(enum, model.EnumType)
    del enum.values[0]


def remove_branch(schema: model.Schema) -> None:
    variants = object_type(schema, "ChardevBackend").variants
    assert variants is not None
    del variants.branches[0]


def change_type(schema: model.Schema) -> None:
    member(arguments(schema, "balloon"), "value").type = model.BUILTINS["str"]


def change_result(schema: model.Schema) -> None:
    command = schema.definitions["query-name"]
    assert isinstance(command, model.Command)
    command.returns = None


def require_argument(schema: model.Schema) -> None:
    member(arguments(schema, "device_add"), "id").optional = False


def make_optional(schema: model.Schema) -> None:
    member(arguments(schema, "BALLOON_CHANGE"), "actual").optional = True


def add_required_argument(schema: model.Schema) -> None:
    new = model.Member("since-ever", BUILT_IN, type=model.BUILTINS["str"])
    arguments(schema, "closefd").local_members.append(new)


@pytest.mark.parametrize(
    ("sabotage", "noticed"),
    [
        (remove_command, {"command query-status is missing"}),
        (remove_event, {"event STOP is missing"}),
        (remove_member, {"struct StatusInfo: 'running' is missing"}),
        (remove_inherited_member, {"struct ChardevMux: 'logfile' is missing"}),
        (remove_argument, {"command set_link: 'up' is missing"}),
        (remove_value, {"enum RunState: 'debug' is missing"}),
        (remove_branch, {"union ChardevBackend: branch 'file' is missing"}),
        (change_type, {"command balloon: 'value' is str, was int"}),
        (change_result, {"command query-name returns nothing, was NameInfo"}),
        (require_argument, {"command device_add: 'id' is required"}),
        (make_optional, {"event BALLOON_CHANGE: 'actual' is optional"}),
        (
            add_required_argument,
            {
                "command closefd: 'since-ever' is new and required",
                "command closefd: 'since-ever' is new and does not say since when",
            },
        ),
    ],
)
def test_a_broken_contract_is_noticed(
    schema: model.Schema, sabotage: Callable[[model.Schema], None], noticed: set[str]
) -> None:
    sabotage(schema)
    assert noticed <= differences(things(), schema) - set(EXCEPTIONS)
