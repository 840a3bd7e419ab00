"""``small.json`` as schema, as generated Python, and what is built on that."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyqemu.qapi.commands import Registry
from pyqemu.qapi.events import Events
from pyqemu.qapi.generator.tables import commands_module, events_module
from pyqemu.qapi.generator.types import types_module
from pyqemu.qapi.schema import load
from pyqemu.qapi.schema.model import Schema
from pyqemu.qapi.visit import Visitor

SMALL = Path(__file__).with_name("small.json")


def module(name: str, text: str) -> types.ModuleType:
    """A module with that text."""
    result = types.ModuleType(name)
    exec(compile(text, name, "exec"), result.__dict__)
    return result


@pytest.fixture(scope="session")
def small_schema() -> Schema:
    """As configured without magic."""
    return load(SMALL, frozenset())


@pytest.fixture(scope="session")
def small(small_schema: Schema) -> Iterator[types.ModuleType]:
    """Its generated types, importable as ``small_types``."""
    sys.modules["small_types"] = module("small_types", types_module(small_schema))
    yield sys.modules["small_types"]
    del sys.modules["small_types"]


@pytest.fixture(scope="session")
def visitor(small: types.ModuleType) -> Visitor:
    """Converts its types."""
    return Visitor(vars(small))


@pytest.fixture
def registry(small_schema: Schema, visitor: Visitor) -> Registry:
    """Nothing is registered."""
    return Registry(module("small_commands", commands_module(small_schema)).COMMANDS, visitor)


@pytest.fixture
def events(small_schema: Schema, visitor: Visitor) -> Events:
    """Its events."""
    return Events(module("small_events", events_module(small_schema)).EVENTS, visitor)


@pytest.fixture
def write_schema(tmp_path: Path) -> Callable[..., Path]:
    """Writes files by name, ``main`` without suffix being ``main.json``; returns the path of that."""

    def write(main: str, **others: str) -> Path:
        for name, text in {"main": main, **others}.items():
            (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        return tmp_path / "main.json"

    return write
