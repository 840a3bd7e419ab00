"""Expressions: values of the schema language that know where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pyqemu.qapi.schema.errors import Place


@dataclass(frozen=True)
class Text:
    """A string."""

    value: str
    place: Place


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``."""

    value: bool
    place: Place


@dataclass(frozen=True)
class Sequence:
    """``[ ... ]``."""

    items: list[Expression]
    place: Place


@dataclass(frozen=True)
class Table:
    """``{ ... }``; ``keys`` tells where each key stands."""

    entries: dict[str, Expression]
    keys: dict[str, Place]
    place: Place


Expression: TypeAlias = Text | Flag | Sequence | Table

KINDS: dict[type[object], str] = {
    Text: "a string",
    Flag: "a boolean",
    Sequence: "an array",
    Table: "an object",
}


def kind(value: Expression) -> str:
    """What an expression is, for messages."""
    return KINDS[type(value)]
