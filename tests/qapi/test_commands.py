"""Handlers: what is accepted at import, and what happens when they are called."""

from __future__ import annotations

import asyncio
from types import ModuleType, SimpleNamespace

import pytest

from pyqemu.qapi.commands import COMMANDS, Registry, find, handlers
from pyqemu.qapi.errors import ErrorClass, QapiError, SchemaMismatch
from pyqemu.qapi.unsupported import reason

PREAMBLE = "from __future__ import annotations\nfrom small_types import *\nfrom pyqemu.qapi.base import Null\n"


def define(registry: Registry, name: str, text: str, **flags: bool) -> None:
    """Register the function that ``text`` defines, as a module of its own would."""
    namespace = {"__name__": "handling", "command": lambda: registry.command(name, **flags)}
    exec(f"{PREAMBLE}@command()\n{text}", namespace)


FEED = "def feed(system, *, fish: Fish, paint: PaintRef | None = None, times: int | None = None) -> list[Fish]:"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("feed", f"{FEED} ..."),
        ("feed", f"async {FEED} ..."),
        ("count-fish", "def f(system: Unknown) -> int: ..."),
        (
            "add-animal",
            "def f(system, *, name: str, scales_count: int, class_: int | None = None, "
            "weights: list[float] | None = None, friend: Fish | None = None) -> None: ...",
        ),
        ("mix", "async def f(system, *, arguments: Paint) -> None: ..."),
        ("raw", "def f(system, /, **arguments: object) -> object: ..."),
        ("raw", "def f(system, **arguments: object) -> object: ..."),
        ("vanish", "def f(system) -> None: ..."),
    ],
)
def test_signature_that_fits(registry: Registry, name: str, text: str) -> None:
    define(registry, name, text)
    assert list(registry.handlers()) == [name]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("vanish", "def f() -> None: ...", "exactly one positional parameter, the system, is expected"),
        ("vanish", "def f(system, other) -> None: ...", "exactly one positional parameter, the system, is expected"),
        ("vanish", "def f(system, *more) -> None: ...", r"it must not take \*args"),
        ("vanish", "def f(system, **more) -> None: ...", r"it must not take \*\*keywords"),
        ("vanish", "def f(system, *, x: int) -> None: ...", "parameter 'x' is not in the schema"),
        ("vanish", "def f(system): ...", "the result has no annotation"),
        ("vanish", "def f(system) -> int: ...", "the result is of another type"),
        ("count-fish", "def f(system) -> None: ...", "the result is of another type"),
        ("count-fish", "def f(system) -> float: ...", "the result is of another type"),
        ("mix", "def f(system, *, colour: Colour) -> None: ...", "parameter 'arguments' is missing"),
        ("mix", "def f(system, *, arguments) -> None: ...", "parameter 'arguments' has no annotation"),
        ("mix", "def f(system, *, arguments: Paint_red) -> None: ...", "parameter 'arguments' is of another type"),
        (
            "mix",
            "def f(system, *, arguments: Elsewhere) -> None: ...",
            "the annotation of parameter 'arguments' can't be evaluated when the program runs: name 'Elsewhere' is not",
        ),
        (
            "mix",
            "def f(system, *, arguments: Paint = None) -> None: ...",
            "parameter 'arguments' must not have a default",
        ),
        ("raw", "def f(system, *, driver: str) -> object: ...", r"it must take \*\*arguments"),
        ("raw", "def f(system, **arguments: object) -> None: ...", "the result is of another type"),
        ("feed", f"{FEED} ...".replace("list[Fish]", "Fish"), "the result is of another type"),
        ("feed", f"{FEED} ...".replace("times: int | None = None", "times: int"), "parameter 'times' is optional"),
        ("feed", f"{FEED} ...".replace("times: int | None = None", "times: int = 0"), "parameter 'times' is optional"),
        (
            "feed",
            f"{FEED} ...".replace("times: int | None", "times: str | None"),
            "parameter 'times' is of another type",
        ),
        ("feed", f"{FEED} ...".replace("fish: Fish", "fish: Animal"), "parameter 'fish' is of another type"),
    ],
)
def test_signature_that_does_not_fit(registry: Registry, name: str, text: str, problem: str) -> None:
    with pytest.raises(SchemaMismatch, match=rf"^handler of {name} does not fit the schema: {problem}"):
        define(registry, name, text)
    assert not registry.handlers()


@pytest.mark.usefixtures("small")
def test_mismatch_shows_both_sides(registry: Registry) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        define(registry, "feed", "def wrong(system, *, fish: str) -> None: ...")
    assert str(caught.value).splitlines()[1:] == [
        "  the schema has "
        "(system, *, fish: Fish, paint: PaintRef | None = None, times: int | None = None) -> list[Fish]",
        "  handling.wrong has (system, *, fish: 'str') -> 'None'",
    ]


def test_command_that_is_not_in_the_schema(registry: Registry) -> None:
    with pytest.raises(SchemaMismatch, match=r"^command starve is not in the schema$"):
        registry.command("starve")


def test_second_handler(registry: Registry) -> None:
    define(registry, "vanish", "def f(system) -> None: ...")
    with pytest.raises(SchemaMismatch, match=r"^command vanish has a handler already: handling\.f$"):
        define(registry, "vanish", "def g(system) -> None: ...")


def test_flags_that_are_said_must_be_those_of_the_schema(registry: Registry) -> None:
    define(registry, "count-fish", "def f(system) -> int: ...", allow_oob=True, allow_preconfig=True)
    handler = registry.find("count-fish")
    assert (handler.allow_oob, handler.allow_preconfig, handler.success_response) == (True, True, True)
    with pytest.raises(SchemaMismatch, match=r"^handler of vanish has allow-oob=True, the schema has False$"):
        define(registry, "vanish", "def f(system) -> None: ...", allow_oob=True)


@pytest.mark.usefixtures("small")
def test_call_converts_both_ways(registry: Registry, small: ModuleType) -> None:
    define(registry, "feed", f"{FEED}\n    system.seen = fish, paint, times\n    return [fish]")
    system = SimpleNamespace()
    fish = {"name": "Wanda", "scales_count": 3, "class": 7}
    answer = registry.find("feed").call(system, {"fish": fish, "paint": {"colour": "7up"}})
    assert system.seen == (small.Fish(name="Wanda", class_=7, scales_count=3), small.Paint_7up(), None)
    assert answer == [fish]


@pytest.mark.usefixtures("small")
def test_arguments_are_validated_before_the_call(registry: Registry) -> None:
    define(registry, "mix", "def f(system, *, arguments: Paint) -> None:\n    raise AssertionError")
    with pytest.raises(QapiError, match=r"^Parameter 'colour' is missing$"):
        registry.find("mix").call(None, {})
    define(registry, "vanish", "def f(system) -> None:\n    raise AssertionError")
    with pytest.raises(QapiError, match=r"^Parameter 'x' is unexpected$"):
        registry.find("vanish").call(None, {"x": 1})


@pytest.mark.usefixtures("small")
def test_coroutine_functions_are_awaited(registry: Registry) -> None:
    define(registry, "mix", "async def f(system, *, arguments: Paint) -> None:\n    system.append(arguments.colour)")
    handler, seen = registry.find("mix"), []
    assert handler.is_async
    assert asyncio.run(handler.call_async(seen, {"colour": "dark-blue"})) == {}
    assert seen == ["dark-blue"]

    async def through_call() -> object:
        return await handler.call(seen, {"colour": "7up"})  # type: ignore[misc]

    assert asyncio.run(through_call()) == {}
    assert seen == ["dark-blue", "7up"]


def test_call_async_serves_plain_functions_too(registry: Registry) -> None:
    define(registry, "count-fish", "def f(system) -> int:\n    return 3")
    assert not registry.find("count-fish").is_async
    assert asyncio.run(registry.find("count-fish").call_async(None, {})) == 3


@pytest.mark.parametrize(("slash", "accepted"), [("/, ", True), ("", False)])
def test_raw_command_gets_what_the_client_sent(registry: Registry, slash: str, accepted: bool) -> None:
    define(registry, "raw", f"def f(system, {slash}**arguments: object) -> object:\n    return arguments")
    handler = registry.find("raw")
    assert handler.call(None, {"driver": 1, "some-property": None}) == {"driver": 1, "some-property": None}
    if accepted:
        assert handler.call(None, {"system": 1}) == {"system": 1}
    else:
        with pytest.raises(QapiError, match=r"^Parameter 'system' is unexpected$"):
            handler.call(None, {"system": 1})


def test_result_that_is_missing(registry: Registry) -> None:
    define(registry, "count-fish", "def f(system) -> int: ...")
    with pytest.raises(SchemaMismatch, match="returned None instead of int"):
        registry.find("count-fish").call(None, {})


def test_unknown_command(registry: Registry) -> None:
    with pytest.raises(QapiError) as caught:
        registry.find("starve")
    assert (caught.value.error_class, caught.value.desc) == (
        ErrorClass.CommandNotFound,
        "The command starve has not been found",
    )


def test_command_without_handler_says_why(registry: Registry) -> None:
    with pytest.raises(QapiError) as caught:
        registry.find("vanish")
    assert (caught.value.error_class, caught.value.desc) == (
        ErrorClass.GenericError,
        "The command vanish is not supported by this build of pyqemu: nothing in it does this yet",
    )


def test_real_registry() -> None:
    assert handlers().keys() <= COMMANDS.keys()
    with pytest.raises(QapiError, match="has not been found"):
        find("no-such-command")
    assert reason("query-rocker", COMMANDS["query-rocker"][3]) == "there is no rocker switch"
