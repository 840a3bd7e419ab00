"""Pieces of generated Python text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from pyqemu.qapi.schema.model import ArrayType, BuiltinType, Member, Type

WIDTH = 120
HEADER = '''"""{subject}

Generated from ``qapi-schema.json`` by ``python -m pyqemu.qapi``; changes belong there.
"""

# fmt: off
'''
PYTHON = {"str": "str", "number": "float", "bool": "bool", "any": "object", "null": "Null"}


def header(subject: str) -> str:
    """The top of a generated module."""
    return HEADER.format(subject=subject)


def annotation(type_: Type) -> str:
    """A type in Python."""
    if isinstance(type_, ArrayType):
        return f"list[{annotation(type_.element)}]"
    if isinstance(type_, BuiltinType):
        return PYTHON.get(type_.name, "int")
    return type_.name


def wrapped(text: str, indent: str) -> list[str]:
    """Text over as many lines as it takes, broken at blanks only."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def wrapped_list(items: Iterable[str], indent: str) -> list[str]:
    """Items with commas between and behind them, broken between items only."""
    glued = " ".join(f"{item},".replace(" ", "\0") for item in items)
    return [line.replace("\0", " ") for line in wrapped(glued, indent)]


def docstring(text: str, indent: str = "    ") -> list[str]:
    """A sentence as docstring."""
    clean = text.replace("\\", "/").replace('"', "'")
    clean = clean if clean.endswith((".", "!", "?")) else f"{clean}."
    line = f'{indent}"""{clean}"""'
    if len(line) <= WIDTH:
        return [line]
    return [*wrapped(f'"""{clean}', indent), f'{indent}"""']


def members_text(members: Iterable[Member]) -> str:
    """Members as :func:`pyqemu.qapi.visit.fields` reads them."""
    return " ".join(f"{member.name}{'*' if member.optional else ''}:{member.type.name}" for member in members)


def string(text: str, indent: str, prefix: str = "", suffix: str = "") -> list[str]:
    """A string literal behind ``prefix``, on several lines in parentheses if it is long."""
    line = f'{indent}{prefix}"{text}"{suffix}'
    if len(line) <= WIDTH:
        return [line]
    parts = textwrap.wrap(text, WIDTH - len(indent) - 8, break_long_words=False, break_on_hyphens=False)
    inner = [f'{indent}    "{part} "' for part in parts[:-1]] + [f'{indent}    "{parts[-1]}"']
    return [f"{indent}{prefix}(", *inner, f"{indent}){suffix}"]
