"""What may be called how: definitions, members, values.

Commands and members are ``lower-case-with-dashes``, events ``UPPER_CASE``, types ``CamelCase``. Names that are older
than this rule are let off by pragmas. A name may carry a downstream prefix, ``__com.example_``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.syntax import Text

PREFIX = r"(?:__[A-Za-z0-9.-]+_)?"
NAME = re.compile(rf"{PREFIX}[A-Za-z][A-Za-z0-9_-]*")
VALUE = re.compile(rf"{PREFIX}[A-Za-z0-9][A-Za-z0-9_-]*")
CAMEL = re.compile(rf"{PREFIX}[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
UPPER = re.compile(rf"{PREFIX}[A-Z][A-Z0-9_]*")


def check_any(name: Text, what: str, pattern: re.Pattern[str] = NAME) -> None:
    """Rules for all names.

    :raise SchemaError: it is malformed or reserved.
    """
    if not pattern.fullmatch(name.value):
        raise SchemaError(name.place, f"{what} '{name.value}' has an invalid name")
    if name.value.startswith("q_"):
        raise SchemaError(name.place, f"{what} '{name.value}' uses a reserved name: 'q_' is for generated ones")


def check_type(name: Text, kind: str) -> None:
    """A type: CamelCase, and none of the endings that generated types have."""
    check_any(name, kind)
    if not CAMEL.fullmatch(name.value):
        raise SchemaError(name.place, f"name of {kind} '{name.value}' must be CamelCase")
    if name.value.endswith(("Kind", "List")):
        raise SchemaError(
            name.place, f"{kind} '{name.value}' uses a reserved name: 'Kind' and 'List' end generated ones"
        )


def check_event(name: Text) -> None:
    """An event: UPPER_CASE."""
    check_any(name, "event")
    if not UPPER.fullmatch(name.value):
        raise SchemaError(name.place, f"name of event '{name.value}' must be in upper case")


def check_lower(name: Text, what: str, excepted: bool, pattern: re.Pattern[str] = NAME) -> None:
    """A command, member or value: lower case with dashes, unless a pragma let its definition off."""
    check_any(name, what, pattern)
    stem = re.sub(rf"^{PREFIX}", "", name.value)
    if not excepted and (stem.lower() != stem or "_" in stem):
        raise SchemaError(name.place, f"name of {what} '{name.value}' must be in lower case, with '-' for '_'")


def check_member(name: Text, what: str, excepted: bool) -> None:
    """A member, which also must not look like what QEMU puts beside members in C."""
    check_lower(name, what, excepted)
    if name.value == "u" or name.value.startswith(("has-", "has_")):
        raise SchemaError(name.place, f"{what} '{name.value}' uses a reserved name")


def folded(name: str) -> str:
    """A name as programs spell it; two names that are the same folded would collide there."""
    return re.sub(r"[-.]", "_", name).lower()


def check_collisions(names: Iterable[tuple[str, Place, str]]) -> None:
    """No two of (name, place, description) may be the same folded.

    :raise SchemaError: two are; the place is that of the second.
    """
    known: dict[str, str] = {}
    for name, place, description in names:
        other = known.get(folded(name))
        if other is not None:
            raise SchemaError(place, f"{description} collides with {other}")
        known[folded(name)] = description
