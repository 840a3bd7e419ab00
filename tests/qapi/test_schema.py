"""The language: what the parser understands and how it is represented."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.qapi.schema import SchemaError, load
from pyqemu.qapi.schema.condition import parse_condition
from pyqemu.qapi.schema.errors import BUILT_IN, Place
from pyqemu.qapi.schema.load import load_text
from pyqemu.qapi.schema.model import ArrayType, Command, EnumType, Event, ObjectType, Schema
from pyqemu.qapi.schema.syntax import Expression, Sequence, Table, Text

SMALL = Path(__file__).with_name("small.json")


def names(parts: object) -> list[str]:
    return [part.name for part in parts]  # type: ignore[attr-defined]


def command(schema: Schema, name: str) -> Command:
    found = schema.definitions[name]
    assert isinstance(found, Command)
    return found


def struct(schema: Schema, name: str) -> ObjectType:
    found = schema.definitions[name]
    assert isinstance(found, ObjectType)
    return found


def test_definitions_keep_their_order() -> None:
    schema = load_text("{ 'event': 'B' }\n{ 'command': 'a' }\n{ 'event': 'A' }")
    assert list(schema.definitions) == ["B", "a", "A"]


def test_comments_and_layout_mean_nothing() -> None:
    schema = load_text("# one\n{'event':'A'}{ 'event' # two\n :\n\t'B' }\n##\n# Free.\n##\n")
    assert list(schema.definitions) == ["A", "B"]


def test_strings_may_escape_quote_and_backslash() -> None:
    schema = load_text("{ 'enum': 'Ee', 'data': [], 'prefix': 'it\\'s \\\\' }")
    assert list(schema.definitions) == ["Ee"]


def test_members_of_bases_come_first(small_schema: Schema) -> None:
    fish = struct(small_schema, "Fish")
    assert names(fish.members) == ["name", "class", "scales_count", "weights", "friend"]
    assert [member.optional for member in fish.members] == [False, True, False, True, True]
    assert fish.members[4].type is fish
    assert names(fish.features) == ["wet"]


def test_array(small_schema: Schema) -> None:
    returns = command(small_schema, "feed").returns
    assert isinstance(returns, ArrayType)
    assert (returns.name, returns.element.name, returns.json_type) == ("[Fish]", "Fish", "array")


def test_flat_union_has_an_empty_branch_for_each_value_without_one(small_schema: Schema) -> None:
    paint = struct(small_schema, "Paint")
    assert names(paint.members) == ["colour", "litres"]
    assert paint.variants is not None
    assert paint.variants.tag.name == "colour"
    branches = {branch.name: names(branch.type.members) for branch in paint.variants.branches}
    assert branches == {"red": ["shade", "alpha"], "dark-blue": [], "7up": []}


def test_simple_union_wraps_its_branches_in_data(small_schema: Schema) -> None:
    thing = struct(small_schema, "Thing")
    assert thing.variants is not None
    assert thing.variants.wrapped
    kinds = thing.variants.tag.type
    assert isinstance(kinds, EnumType)
    assert kinds is small_schema.definitions["ThingKind"]
    assert names(kinds.values) == ["number", "fish", "colours"]
    wrapped = [(m.name, m.type.name) for branch in thing.variants.branches for m in branch.type.members]
    assert wrapped == [("data", "int"), ("data", "Fish"), ("data", "[Colour]")]


def test_switches_of_commands(small_schema: Schema) -> None:
    count, mix, raw, vanish = (command(small_schema, name) for name in ("count-fish", "mix", "raw", "vanish"))
    assert (count.allow_oob, count.allow_preconfig, count.boxed, count.gen) == (True, True, False, True)
    assert (mix.boxed, mix.coroutine, raw.gen) == (True, True, False)
    assert (count.success_response, vanish.success_response) == (True, False)


def test_arguments_may_be_the_members_of_a_struct(small_schema: Schema) -> None:
    assert command(small_schema, "add-animal").arguments is small_schema.definitions["Fish"]


def test_what_is_not_configured_is_gone() -> None:
    with_magic, without = load(SMALL, {"CONFIG_MAGIC"}), load(SMALL, frozenset())
    assert ("vanish" in with_magic.definitions, "vanish" in without.definitions) == (False, True)
    assert "magic" in names(struct(with_magic, "Fish").members)
    assert "magic" not in names(struct(without, "Fish").members)
    paint = struct(with_magic, "Paint")
    assert paint.variants is not None
    assert names(paint.variants.branches) == ["red", "octarine", "dark-blue", "7up"]


def test_without_configuration_everything_is_there() -> None:
    schema = load(SMALL)
    assert "vanish" in schema.definitions
    assert "magic" in names(struct(schema, "Fish").members)


def test_features_may_be_conditional() -> None:
    text = "{ 'command': 'c', 'features': [ 'always', { 'name': 'some', 'if': 'A' } ] }"
    assert names(load_text(text, configured={"A"}).definitions["c"].features) == ["always", "some"]
    assert names(load_text(text, configured=frozenset()).definitions["c"].features) == ["always"]


def test_a_file_is_read_once(write_schema: Callable[..., Path]) -> None:
    path = write_schema(
        "{ 'include': 'a.json' }\n{ 'include': 'b.json' }\n{ 'event': 'MAIN' }",
        a="{ 'include': 'b.json' }\n{ 'event': 'A' }",
        b="{ 'event': 'B' }",
    )
    schema = load(path)
    assert list(schema.definitions) == ["B", "A", "MAIN"]
    assert [d.module for d in schema.definitions.values()] == ["b", "a", "main"]


def test_included_files_stand_beside_the_including_one(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "main.json").write_text("{ 'include': 'sub/a.json' }")
    (tmp_path / "sub" / "a.json").write_text("{ 'include': 'b.json' }")
    (tmp_path / "sub" / "b.json").write_text("{ 'event': 'B' }")
    assert list(load(tmp_path / "main.json").definitions) == ["B"]


@pytest.mark.parametrize(
    "text",
    [
        "{ 'pragma': { 'command-name-exceptions': [ 'do_it' ] } } { 'command': 'do_it' }",
        "{ 'pragma': { 'command-returns-exceptions': [ 'c' ] } } { 'command': 'c', 'returns': 'int' }",
        "{ 'pragma': { 'member-name-exceptions': [ 'Ee' ] } } { 'enum': 'Ee', 'data': [ 'A_B' ] }",
        "{ 'pragma': { 'member-name-exceptions': [ 'c' ] } } { 'command': 'c', 'data': { 'A': 'str' } }",
        "{ 'pragma': { 'documentation-exceptions': [ 'X' ] } }\n##\n# @X:\n#\n# @no: such\n##\n{ 'event': 'X' }",
        "{ 'pragma': { 'doc-required': true } } { 'pragma': { 'doc-required': false } } { 'event': 'X' }",
    ],
)
def test_pragma_lets_a_definition_off_a_rule(text: str) -> None:
    load_text(text)


@pytest.mark.parametrize("name", ["__com.example_foo", "__org.x-y_do-it"])
def test_downstream_names(name: str) -> None:
    assert name in load_text(f"{{ 'command': '{name}' }}").definitions


# Documentation


def documented(comment: str, definition: str = "{ 'struct': 'Ss', 'data': { 'a': 'str', '*b': 'str' } }") -> Schema:
    return load_text(f"##\n# @Ss:\n#\n{comment}\n##\n{definition}")


def test_sections_belong_to_members() -> None:
    doc = (
        documented("# One thing. Another.\n#\n# @a: first\n#     and more\n# @b: second\n#\n# Since: 2.6")
        .definitions["Ss"]
        .doc
    )
    assert doc is not None
    assert doc.summary == "One thing."
    assert doc.members["a"].text.split() == ["first", "and", "more"]
    assert doc.members["b"].text == "second"
    assert doc.tag("Since") == "2.6"
    assert doc.tag("Note") == ""


def test_summary_is_the_first_sentence_of_the_first_paragraph() -> None:
    doc = documented("# Goes over\n# two lines, e.g. here (see below). And on.\n#\n# Later.").definitions["Ss"].doc
    assert doc is not None
    assert doc.summary == "Goes over two lines, e.g. here (see below)."


def test_at_sign_within_text_is_no_section() -> None:
    doc = documented("# Mail to a@b: no section.\n# @a: text @b: more").definitions["Ss"].doc
    assert doc is not None
    assert list(doc.members) == ["a"]


def test_example_may_contain_anything() -> None:
    doc = documented("# Example:\n#\n# -> { 'execute': 'x' }\n# <- { 'return': {} }").definitions["Ss"].doc
    assert doc is not None
    assert doc.tag("Example").startswith("-> {")


def test_features_are_documented_apart_from_members() -> None:
    definition = "{ 'struct': 'Ss', 'data': { 'a': 'str' }, 'features': [ 'a' ] }"
    with pytest.raises(SchemaError, match="is documented twice"):
        documented("# @a: member\n#\n# Features:\n# @a: feature", definition)
    doc = documented("# Features:\n# @a: feature", definition).definitions["Ss"].doc
    assert doc is not None
    assert (list(doc.members), list(doc.features)) == ([], ["a"])


# Conditions

FLAGS = ["A", "B", "C"]


def text(value: str) -> Text:
    return Text(value, BUILT_IN)


def table(key: str, value: Expression) -> Table:
    return Table({key: value}, {key: BUILT_IN}, BUILT_IN)


def conditions() -> st.SearchStrategy[tuple[Expression, Callable[[set[str]], bool]]]:
    """A condition and, independently, what it means."""
    leaves = st.sampled_from(FLAGS).map(lambda name: (text(name), lambda configured: name in configured))

    def grow(inner: st.SearchStrategy) -> st.SearchStrategy:  # type: ignore[type-arg]
        several = st.lists(inner, min_size=1, max_size=3)
        return (
            inner.map(lambda pair: (table("not", pair[0]), lambda c: not pair[1](c)))
            | several.map(
                lambda pairs: (
                    table("all", Sequence([p[0] for p in pairs], BUILT_IN)),
                    lambda c: False not in [p[1](c) for p in pairs],
                )
            )
            | several.map(
                lambda pairs: (
                    table("any", Sequence([p[0] for p in pairs], BUILT_IN)),
                    lambda c: True in [p[1](c) for p in pairs],
                )
            )
        )

    return st.recursive(leaves, grow, max_leaves=8)


@given(conditions(), st.sets(st.sampled_from(FLAGS)))
def test_condition(pair: tuple[Expression, Callable[[set[str]], bool]], configured: set[str]) -> None:
    expression, meaning = pair
    assert parse_condition(expression)(configured) == meaning(configured)


# Hostile text


def place_of_error(schema: str) -> Place | None:
    try:
        load_text(schema)
    except SchemaError as error:
        return error.place
    return None


@given(st.text(alphabet="{}[]:,'#@\\ \nabE10-_"))
def test_any_text_is_a_schema_or_an_error_with_a_place(garbage: str) -> None:
    place = place_of_error(garbage)
    assert place is None or (place.file == "schema.json" and 1 <= place.line <= garbage.count("\n") + 1)


@given(st.integers(min_value=0), st.sampled_from(["", "{", "}", "[", "'", ",", "#", "##\n", " 'x': 'y',", "true"]))
def test_damaged_schema_is_refused_or_understood(position: int, insert: str) -> None:
    whole = SMALL.read_text(encoding="utf-8")
    position %= len(whole)
    place = place_of_error(whole[:position] + insert + whole[position + 1 :])
    assert place is None or place.line <= whole.count("\n") + 2


def test_event_data(small_schema: Schema) -> None:
    events = {event.name: event for event in small_schema.events()}
    assert list(events) == ["SPLASH", "MIXED", "EBB"]
    splash = events["SPLASH"]
    assert isinstance(splash, Event)
    assert splash.arguments is not None
    assert names(splash.arguments.members) == ["thing", "node-name"]
    assert (events["MIXED"].boxed, events["EBB"].arguments) == (True, None)
