"""JSON to generated types and back."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.qapi.base import NULL, Null
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated import types
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.visit import VISITOR, Json, Visitor, from_json, to_json
from pyqemu.util.errors import InternalError

FISH = {"name": "Wanda", "scales_count": 3}


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("Colour", "dark-blue"),
        ("Animal", {"name": "x", "class": 255}),
        ("Fish", FISH | {"weights": [0.5, 2.0], "friend": FISH}),
        ("Paint", {"colour": "red", "litres": 65535, "shade": -128}),
        ("Paint", {"colour": "7up"}),
        ("Thing", {"type": "number", "data": -(2**63)}),
        ("Thing", {"type": "fish", "data": FISH}),
        ("Thing", {"type": "colours", "data": ["red", "7up"]}),
        ("PaintRef", "name"),
        ("PaintRef", None),
        ("PaintRef", {"colour": "red", "shade": 0}),
        ("[PaintRef]", ["a", None, {"colour": "dark-blue"}]),
        ("any", {"x": [1, None, "y"]}),
        ("size", 2**64 - 1),
    ],
)
def test_there_and_back(visitor: Visitor, type_: str, value: Json) -> None:
    assert visitor.to_json(visitor.from_json(type_, value)) == value


def test_python_values(visitor: Visitor, small: ModuleType) -> None:
    assert visitor.from_json("Colour", "red") is small.Colour.RED
    assert visitor.from_json("Fish", FISH) == small.Fish(name="Wanda", scales_count=3)
    assert visitor.from_json("Paint", {"colour": "red", "shade": 1}) == small.Paint_red(shade=1)
    assert visitor.from_json("PaintRef", None) is NULL
    assert visitor.from_json("number", 3) == 3.0
    assert isinstance(visitor.from_json("number", 3), float)


def test_types_may_be_given_as_objects(visitor: Visitor, small: ModuleType) -> None:
    assert visitor.from_json(small.Fish, FISH) == small.Fish(name="Wanda", scales_count=3)
    assert visitor.from_json(list[small.Colour], ["red"]) == [small.Colour.RED]
    assert visitor.from_json(small.Paint, {"colour": "7up"}) == small.Paint_7up()
    assert visitor.from_json(small.PaintRef, "x") == "x"
    assert visitor.from_json(int, 3) == 3
    assert visitor.from_json(Null, None) is NULL
    for name in ("[Fish]", "Thing", "PaintRef", "Colour", "str", "number", "bool", "any", "null"):
        assert visitor.type_name(visitor.python_type(name)) == name
    with pytest.raises(InternalError):
        visitor.from_json(dict, {})
    with pytest.raises(InternalError):
        visitor.from_json("Nothing", {})


ERRORS = [
    ("Animal", [], "Invalid parameter type for 'null', expected: object"),
    ("Animal", {}, "Parameter 'name' is missing"),
    ("Animal", {"name": None}, "Invalid parameter type for 'name', expected: string"),
    ("Animal", {"name": "x", "legs": 4, "eyes": 2}, "Parameter 'legs' is unexpected"),
    ("Animal", {"name": "x", "class": None}, "Parameter 'class' expects uint64"),
    ("Animal", {"name": "x", "class": 1.5}, "Parameter 'class' expects uint64"),
    ("Animal", {"name": "x", "class": 256}, "Parameter 'class' expects uint8_t"),
    ("Animal", {"name": "x", "class": -1}, "Parameter 'class' expects uint8_t"),
    ("Fish", FISH | {"scales_count": True}, "Invalid parameter type for 'scales_count', expected: integer"),
    ("Fish", FISH | {"scales_count": 3.0}, "Invalid parameter type for 'scales_count', expected: integer"),
    ("Fish", FISH | {"scales_count": 2**63}, "Invalid parameter type for 'scales_count', expected: integer"),
    ("Fish", FISH | {"weights": {}}, "Invalid parameter type for 'weights', expected: array"),
    ("Fish", FISH | {"weights": [1, "2"]}, "Invalid parameter type for 'weights[1]', expected: number"),
    ("Fish", FISH | {"friend": {"name": "x"}}, "Parameter 'friend.scales_count' is missing"),
    ("Fish", FISH | {"friend": FISH | {"friend": FISH | {"x": 1}}}, "Parameter 'friend.friend.x' is unexpected"),
    ("Paint", "red", "Invalid parameter type for 'null', expected: object"),
    ("Paint", {"shade": 1}, "Parameter 'colour' is missing"),
    ("Paint", {"colour": 1}, "Invalid parameter type for 'colour', expected: string"),
    ("Paint", {"colour": "octarine"}, "Parameter 'colour' does not accept value 'octarine'"),
    ("Paint", {"colour": "red"}, "Parameter 'shade' is missing"),
    ("Paint", {"colour": "red", "shade": 128}, "Parameter 'shade' expects int8_t"),
    ("Paint", {"colour": "red", "shade": "1"}, "Invalid parameter type for 'shade', expected: integer"),
    ("Paint", {"colour": "dark-blue", "shade": 1}, "Parameter 'shade' is unexpected"),
    ("Thing", {"type": "number"}, "Parameter 'data' is missing"),
    ("[Thing]", [{"type": "number", "data": 1}, {"data": 1}], "Parameter '[1].type' is missing"),
    ("Thing", {"type": "fish", "data": FISH | {"name": 1}}, "Invalid parameter type for 'data.name', expected: string"),
    ("Thing", {"type": "colours", "data": ["red", "x"]}, "Parameter 'data[1]' does not accept value 'x'"),
    ("PaintRef", 1, "Invalid parameter type for 'null', expected: PaintRef"),
    ("Colour", "Red", "Parameter 'null' does not accept value 'Red'"),
    ("number", 1e999, "Invalid parameter type for 'null', expected: number"),
    ("number", 10**400, "Invalid parameter type for 'null', expected: number"),
    ("bool", 1, "Invalid parameter type for 'null', expected: boolean"),
    ("null", 0, "Invalid parameter type for 'null', expected: null"),
    ("uint64", 2**64, "Parameter 'null' expects uint64"),
]


@pytest.mark.parametrize(("type_", "value", "message"), ERRORS)
def test_message(visitor: Visitor, type_: str, value: Json, message: str) -> None:
    with pytest.raises(QapiError) as caught:
        visitor.from_json(type_, value)
    assert (caught.value.desc, caught.value.error_class) == (message, ErrorClass.GenericError)


QEMU_ANSWERS = [
    ("set_link", {}, "Parameter 'name' is missing"),
    ("set_link", {"name": 1, "up": True}, "Invalid parameter type for 'name', expected: string"),
    ("set_link", {"name": "a", "up": "x"}, "Invalid parameter type for 'up', expected: boolean"),
    ("set_link", {"name": "a", "up": True, "z": 1}, "Parameter 'z' is unexpected"),
    ("memsave", {"val": 1.5, "size": 1, "filename": "x"}, "Invalid parameter type for 'val', expected: integer"),
    ("memsave", {"val": 2**64 - 1, "size": 1, "filename": "x"}, "Invalid parameter type for 'val', expected: integer"),
    ("blockdev-add", {}, "Parameter 'driver' is missing"),
    ("blockdev-add", {"driver": 5}, "Invalid parameter type for 'driver', expected: string"),
    ("blockdev-add", {"driver": "qcow2", "file": {"driver": "file"}}, "Parameter 'file.filename' is missing"),
    ("blockdev-add", {"driver": "qcow2", "file": {}}, "Parameter 'file.driver' is missing"),
    (
        "blockdev-add",
        {"driver": "qcow2", "file": {"driver": "nope"}},
        "Parameter 'driver' does not accept value 'nope'",
    ),
    ("blockdev-add", {"driver": "qcow2", "file": 5}, "Invalid parameter type for 'file', expected: BlockdevRef"),
    (
        "blockdev-add",
        {"driver": "qcow2", "file": "x", "overlap-check": "zz"},
        "Parameter 'overlap-check' does not accept value 'zz'",
    ),
    ("send-key", {"keys": 1}, "Invalid parameter type for 'keys', expected: array"),
    ("send-key", {"keys": [1]}, "Invalid parameter type for 'keys[0]', expected: object"),
    ("send-key", {"keys": [{"type": "number"}]}, "Parameter 'keys[0].data' is missing"),
    (
        "send-key",
        {"keys": [{"type": "number", "data": "x"}]},
        "Invalid parameter type for 'keys[0].data', expected: integer",
    ),
    ("send-key", {"keys": [{"type": "qcode", "data": "xx"}]}, "Parameter 'data' does not accept value 'xx'"),
    ("send-key", {"keys": [{"type": "qcode", "data": "a", "x": 2}]}, "Parameter 'keys[0].x' is unexpected"),
    ("send-key", {"keys": [{"type": "foo", "data": "a"}]}, "Parameter 'type' does not accept value 'foo'"),
    (
        "query-rocker-of-dpa-groups",
        {"name": "x", "type": 256},
        "Parameter 'type' expects uint8_t",
    ),
    ("query-block", {"x": 1}, "Parameter 'x' is unexpected"),
]


@pytest.mark.parametrize(("command", "arguments", "message"), QEMU_ANSWERS)
def test_what_qemu_answered(command: str, arguments: dict[str, Json], message: str) -> None:
    """Version 7.2 was asked."""
    members, _, flags, _ = COMMANDS[command]
    convert = VISITOR.from_json if "boxed" in flags else VISITOR.members_from_json
    with pytest.raises(QapiError) as caught:
        convert(members, arguments)
    assert caught.value.desc == message


def test_path_stands_before_member_names(visitor: Visitor) -> None:
    with pytest.raises(QapiError, match=r"^Parameter 'a\.b\.name' is missing$"):
        visitor.from_json("Animal", {}, "a.b")


def test_own_name_suffices_for_values_that_are_out_of_range(visitor: Visitor) -> None:
    """As with QEMU, which forgets the path here; clients have met it."""
    with pytest.raises(QapiError, match=r"^Parameter 'class' expects uint8_t$"):
        visitor.from_json("Fish", FISH | {"friend": FISH | {"class": 999}})


def test_minus_one_is_the_largest_size(visitor: Visitor) -> None:
    assert visitor.from_json("size", -1) == 2**64 - 1
    assert visitor.from_json("uint64", -(2**63)) == 2**63


def test_deep_nesting_is_an_error_of_the_client(visitor: Visitor) -> None:
    value: dict[str, object] = dict(FISH)
    for _ in range(5000):
        value = FISH | {"friend": value}
    with pytest.raises(QapiError, match="nested too deeply"):
        visitor.from_json("Fish", value)


def test_null_for_an_optional_any_is_not_absence() -> None:
    member = {"name": "x", "type": "int", "default": None}
    assert to_json(from_json("SchemaInfoObjectMember", member)) == member
    assert to_json(types.SchemaInfoObjectMember(name="x", type="int")) == {"name": "x", "type": "int"}


@pytest.mark.parametrize("value", [object(), {1: object()}, float("nan"), float("inf"), b"bytes"])
def test_what_json_cannot_express(value: object) -> None:
    with pytest.raises(InternalError):
        to_json(value)


def test_member_that_must_be_there(small: ModuleType, visitor: Visitor) -> None:
    with pytest.raises(InternalError, match=r"member name of .* must not be None"):
        visitor.to_json(small.Animal(name=None))


# Round trips

NAMES = st.text(max_size=5)
INTS = st.integers(-(2**63), 2**63 - 1)


def struct(required: dict[str, st.SearchStrategy], optional: dict[str, st.SearchStrategy]) -> st.SearchStrategy:  # type: ignore[type-arg]
    return st.fixed_dictionaries(required, optional=optional)


COLOURS = st.sampled_from(["red", "dark-blue", "7up"])
WEIGHTS = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3)
FISHES = st.recursive(
    struct({"name": NAMES, "scales_count": INTS}, {"class": st.integers(0, 255), "weights": WEIGHTS}),
    lambda inner: struct({"name": NAMES, "scales_count": INTS, "friend": inner}, {}),
    max_leaves=4,
)
LITRES = {"litres": st.integers(0, 65535)}
PAINTS = struct(
    {"colour": st.just("red"), "shade": st.integers(-128, 127)}, LITRES | {"alpha": st.integers(0, 2**64 - 1)}
) | struct({"colour": st.sampled_from(["dark-blue", "7up"])}, LITRES)
THINGS = (
    struct({"type": st.just("number"), "data": INTS}, {})
    | struct({"type": st.just("fish"), "data": FISHES}, {})
    | struct({"type": st.just("colours"), "data": st.lists(COLOURS)}, {})
)
VALUES = {"Fish": FISHES, "Paint": PAINTS, "Thing": THINGS, "PaintRef": PAINTS | NAMES | st.none()}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "class", "colour", "type", "data", "friend", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])))
def test_valid_values_survive_a_round_trip(visitor: Visitor, pair: tuple[str, Json]) -> None:
    type_, value = pair
    converted = visitor.from_json(type_, value)
    assert visitor.to_json(converted) == value
    assert visitor.from_json(type_, visitor.to_json(converted)) == converted


@given(st.sampled_from(sorted(VALUES)), JSON)
def test_any_json_is_converted_or_refused(visitor: Visitor, type_: str, value: Json) -> None:
    try:
        converted = visitor.from_json(type_, value)
    except QapiError:
        return
    assert visitor.from_json(type_, visitor.to_json(converted)) == converted
