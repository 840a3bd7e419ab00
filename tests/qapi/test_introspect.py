"""What ``query-qmp-schema`` answers: for ``small.json`` as written by hand; for the real one, that it is complete."""

from __future__ import annotations

import pytest

from pyqemu.qapi.generated import introspect
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.generated.events import EVENTS
from pyqemu.qapi.generator.introspect import Info, Introspection
from pyqemu.qapi.schema.load import load_text
from pyqemu.qapi.schema.model import Schema
from pyqemu.qapi.visit import VISITOR


def enum(name: str, *values: str) -> Info:
    return {"name": name, "meta-type": "enum", "members": [{"name": v} for v in values], "values": list(values)}


def member(name: str, type_: str) -> Info:
    return {"name": name, "type": type_}


def optional(name: str, type_: str) -> Info:
    return {"name": name, "type": type_, "default": None}


def struct(name: str, *members: Info) -> Info:
    return {"name": name, "meta-type": "object", "members": list(members)}


def array(element: str) -> Info:
    return {"name": f"[{element}]", "meta-type": "array", "element-type": element}


def builtin(name: str, json: str) -> Info:
    return {"name": name, "meta-type": "builtin", "json-type": json}


EXPECTED = [
    {"name": "feed", "meta-type": "command", "arg-type": "0", "ret-type": "[1]"},
    {"name": "count-fish", "meta-type": "command", "arg-type": "2", "ret-type": "int", "allow-oob": True},
    {"name": "add-animal", "meta-type": "command", "arg-type": "1", "ret-type": "2"},
    {"name": "mix", "meta-type": "command", "arg-type": "3", "ret-type": "2"},
    {"name": "raw", "meta-type": "command", "arg-type": "4", "ret-type": "5"},
    {"name": "vanish", "meta-type": "command", "arg-type": "2", "ret-type": "2"},
    {"name": "SPLASH", "meta-type": "event", "arg-type": "6"},
    {"name": "MIXED", "meta-type": "event", "arg-type": "3"},
    {"name": "EBB", "meta-type": "event", "arg-type": "2"},
    struct("0", member("fish", "1"), optional("paint", "7"), optional("times", "int")),
    array("1"),
    struct(
        "1",
        member("name", "str"),
        optional("class", "int"),
        member("scales_count", "int"),
        optional("weights", "[number]"),
        optional("friend", "1"),
    )
    | {"features": ["wet"]},
    struct("2"),
    builtin("int", "int"),
    struct("3", member("colour", "8"), optional("litres", "int"))
    | {
        "tag": "colour",
        "variants": [{"case": "red", "type": "9"}, {"case": "dark-blue", "type": "2"}, {"case": "7up", "type": "2"}],
    },
    struct("4", member("driver", "str")),
    struct("5", member("name", "str"), optional("class", "int")),
    struct("6", member("thing", "10"), optional("node-name", "str")),
    {"name": "7", "meta-type": "alternate", "members": [{"type": "3"}, {"type": "str"}, {"type": "null"}]},
    builtin("str", "string"),
    array("number"),
    builtin("number", "number"),
    enum("8", "red", "dark-blue", "7up"),
    struct("9", member("shade", "int"), optional("alpha", "int")),
    struct("10", member("type", "11"))
    | {
        "tag": "type",
        "variants": [
            {"case": "number", "type": "12"},
            {"case": "fish", "type": "13"},
            {"case": "colours", "type": "14"},
        ],
    },
    builtin("null", "null"),
    enum("11", "number", "fish", "colours"),
    struct("12", member("data", "int")),
    struct("13", member("data", "1")),
    struct("14", member("data", "[8]")),
    array("8"),
]


def test_small_schema(small_schema: Schema) -> None:
    assert Introspection(small_schema).infos == EXPECTED


def test_types_that_nothing_uses_are_not_shown() -> None:
    schema = load_text("{ 'struct': 'Ss', 'data': {} } { 'event': 'X' }")
    assert [info["name"] for info in Introspection(schema).infos] == ["X", "0"]


def test_integers_of_all_sizes_are_one_type() -> None:
    schema = load_text("{ 'event': 'X', 'data': { 'a': 'int', 'b': 'uint8', 'c': [ 'size' ], 'd': [ 'int8' ] } }")
    infos = Introspection(schema).infos
    assert [m["type"] for m in infos[1]["members"]] == ["int", "int", "[int]", "[int]"]  # type: ignore[attr-defined]
    assert [info["name"] for info in infos] == ["X", "0", "int", "[int]"]


@pytest.mark.parametrize(
    "text",
    [
        "{ 'command': 'c', 'features': [ 'f', 'g' ] }",
        "{ 'event': 'X', 'features': [ 'f', 'g' ] }",
    ],
)
def test_features_of_commands_and_events(text: str) -> None:
    assert Introspection(load_text(text)).infos[0]["features"] == ["f", "g"]


def test_features_of_values_and_members() -> None:
    infos = Introspection(
        load_text(
            "{ 'enum': 'Ee', 'data': [ { 'name': 'a', 'features': [ 'f' ] } ] }"
            "{ 'event': 'X', 'data': { 'm': { 'type': 'Ee', 'features': [ 'g' ] } } }"
        )
    ).infos
    assert infos[1]["members"] == [{"name": "m", "type": "1", "features": ["g"]}]
    assert infos[2]["members"] == [{"name": "a", "features": ["f"]}]


def test_real_answer_is_what_the_schema_says_it_is() -> None:
    answer = introspect.schema()
    assert VISITOR.to_json(VISITOR.from_json("[SchemaInfo]", answer)) == answer


def test_real_answer_defines_every_name_that_it_uses() -> None:
    answer = introspect.schema()
    defined = [str(info["name"]) for info in answer]
    used = {value for info in answer for key, value in info.items() if key in ("arg-type", "ret-type", "element-type")}
    for info in answer:
        for part in (*info.get("members", ()), *info.get("variants", ())):  # type: ignore[misc]
            used |= {part["type"]} if "type" in part else set()
    assert used <= set(defined)
    assert len(defined) == len(set(defined))
    assert {*COMMANDS, *EVENTS} <= set(defined)
