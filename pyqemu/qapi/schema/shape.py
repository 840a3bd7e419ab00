"""The shape of expressions: which keys there are, and what kind of value they have.

Everything here takes an expression apart or raises :class:`SchemaError` at the offending place.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu.qapi.schema.condition import Condition, always, parse_condition
from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.model import Feature
from pyqemu.qapi.schema.names import check_any
from pyqemu.qapi.schema.syntax import Expression, Flag, Sequence, Table, Text, kind

KEYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    kind: (frozenset(required.split()), frozenset(allowed.split()) | {"if", "features"})
    for kind, required, allowed in (
        ("enum", "data", "prefix"),
        ("struct", "data", "base"),
        ("union", "data", "base discriminator"),
        ("alternate", "data", ""),
        ("command", "", "data returns boxed gen success-response allow-oob allow-preconfig coroutine"),
        ("event", "", "data boxed"),
    )
}
"""Kind of definition → keys that it must have, keys that it may have."""


def article(noun: str) -> str:
    """The noun with "a" or "an"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@dataclass(frozen=True)
class Header:
    """A definition's kind and name."""

    kind: str
    name: Text

    def __str__(self) -> str:
        return f"{self.kind} '{self.name.value}'"


@dataclass(frozen=True)
class TypeRef:
    """The name of a type, or of the elements of an array."""

    name: str
    is_array: bool
    place: Place


@dataclass(frozen=True)
class Entry:
    """An item of ``data``: short form or ``{'type': ..., 'if': ..., 'features': ...}``. ``type`` is None in enums."""

    name: Text
    value: Expression | None
    condition: Condition
    features: list[Feature]


def header(table: Table) -> Header:
    """What a top-level object defines; its keys are checked."""
    kinds = [key for key in table.entries if key in KEYS]
    if not kinds:
        raise SchemaError(table.place, f"definition has none of the keys {', '.join(repr(key) for key in KEYS)}")
    name = table.entries[kinds[0]]
    if len(kinds) > 1:
        raise SchemaError(table.keys[kinds[1]], f"definition is both {kinds[0]} and {kinds[1]}")
    if not isinstance(name, Text):
        raise SchemaError(name.place, f"name of {article(kinds[0])} must be a string, not {kind(name)}")
    result = Header(kinds[0], name)
    required, allowed = KEYS[kinds[0]]
    only_keys(table, str(result), required, allowed | {kinds[0]})
    return result


def only_keys(table: Table, what: str, required: frozenset[str], allowed: frozenset[str]) -> None:
    """No key is missing, none is unknown."""
    for key in table.entries:
        if key not in required and key not in allowed:
            raise SchemaError(table.keys[key], f"{what} has the unknown key '{key}'")
    for key in sorted(required):
        if key not in table.entries:
            raise SchemaError(table.place, f"{what} lacks the key '{key}'")


def flag(table: Table, key: str, what: str, meaningful: bool) -> bool:
    """A switch that may only be written with the value that differs from its default."""
    value = table.entries.get(key)
    if value is None:
        return not meaningful
    if not isinstance(value, Flag) or value.value != meaningful:
        raise SchemaError(value.place, f"'{key}' of {what} can only be {str(meaningful).lower()}")
    return meaningful


def type_ref(value: Expression, what: str, array: bool = True) -> TypeRef:
    """The name of a type, or an array with one."""
    if isinstance(value, Text):
        return TypeRef(value.value, False, value.place)
    if isinstance(value, Sequence) and array:
        if len(value.items) != 1 or not isinstance(value.items[0], Text):
            raise SchemaError(value.place, f"{what}: an array must contain the name of one type")
        return TypeRef(value.items[0].value, True, value.place)
    expected = "the name of a type" + (" or an array of one" if array else "")
    raise SchemaError(value.place, f"{what} must be {expected}, not {kind(value)}")


def condition(table: Table) -> Condition:
    """The ``if`` of a definition or member."""
    return parse_condition(table.entries["if"]) if "if" in table.entries else always


def features(table: Table, what: str) -> list[Feature]:
    """The ``features`` of a definition or member."""
    value = table.entries.get("features")
    if value is None:
        return []
    if not isinstance(value, Sequence):
        raise SchemaError(value.place, f"'features' of {what} must be an array, not {kind(value)}")
    result: list[Feature] = []
    for item in value.items:
        entry = _named(item, f"a feature of {what}", frozenset({"if"}))
        check_any(entry.name, f"feature of {what}")
        if any(known.name == entry.name.value for known in result):
            raise SchemaError(entry.name.place, f"feature '{entry.name.value}' of {what} is there twice")
        result.append(Feature(entry.name.value, entry.name.place, entry.condition))
    return result


def _named(item: Expression, what: str, allowed: frozenset[str]) -> Entry:
    """``'name'`` or ``{'name': ..., 'if': ...}``."""
    if isinstance(item, Text):
        return Entry(item, None, always, [])
    if not isinstance(item, Table):
        raise SchemaError(item.place, f"{what} must be a string or an object, not {kind(item)}")
    only_keys(item, what, frozenset({"name"}), allowed)
    name = item.entries["name"]
    if not isinstance(name, Text):
        raise SchemaError(name.place, f"name of {what} must be a string, not {kind(name)}")
    return Entry(name, None, condition(item), features(item, f"'{name.value}'"))


def enum_entries(value: Expression, what: str) -> list[Entry]:
    """The values of an enum."""
    if not isinstance(value, Sequence):
        raise SchemaError(value.place, f"'data' of {what} must be an array, not {kind(value)}")
    return [_named(item, f"a value of {what}", frozenset({"if", "features"})) for item in value.items]


def member_entries(value: Expression, what: str, allow_features: bool = True) -> list[Entry]:
    """The members of an object, branches of a union, alternatives of an alternate."""
    if not isinstance(value, Table):
        raise SchemaError(value.place, f"{what} must be an object, not {kind(value)}")
    allowed = frozenset({"if", "features"} if allow_features else {"if"})
    result = []
    for key, item in value.entries.items():
        name = Text(key, value.keys[key])
        if isinstance(item, Table):
            inner = f"'{key}' in {what}"
            only_keys(item, inner, frozenset({"type"}), allowed)
            result.append(Entry(name, item.entries["type"], condition(item), features(item, inner)))
        else:
            result.append(Entry(name, item, always, []))
    return result
