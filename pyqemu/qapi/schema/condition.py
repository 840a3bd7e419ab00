"""``'if'``: whether a definition, member, value, branch or feature exists in this build.

``'CONFIG_X'``, ``{'all': [...]}``, ``{'any': [...]}``, ``{'not': ...}``, nested at will.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from typing import TypeAlias

from pyqemu.qapi.schema.errors import SchemaError
from pyqemu.qapi.schema.syntax import Expression, Sequence, Table, Text, kind

Condition: TypeAlias = Callable[[Set[str]], bool]
"""From the set of configured names to whether the thing exists."""

OPERATORS = ("all", "any", "not")


def always(configured: Set[str]) -> bool:
    """The condition of what has none."""
    return True


def parse_condition(value: Expression) -> Condition:
    """Check an ``if`` and make a function of it.

    :raise SchemaError: it is malformed.
    """
    if isinstance(value, Text):
        return _symbol(value)
    if not isinstance(value, Table):
        raise SchemaError(value.place, f"'if' needs a string or an object, not {kind(value)}")
    if len(value.entries) != 1:
        raise SchemaError(value.place, "a condition is one of 'all', 'any' and 'not'")
    ((operator, operand),) = value.entries.items()
    if operator not in OPERATORS:
        raise SchemaError(value.keys[operator], f"unknown operator '{operator}' in a condition")
    if operator == "not":
        inner = parse_condition(operand)
        return lambda configured: not inner(configured)
    if not isinstance(operand, Sequence) or not operand.items:
        raise SchemaError(operand.place, f"'{operator}' needs an array that is not empty")
    parts = [parse_condition(item) for item in operand.items]
    combine: Callable[[Iterable[object]], bool] = all if operator == "all" else any
    return lambda configured: combine([part(configured) for part in parts])


def _symbol(value: Text) -> Condition:
    name = value.value
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        raise SchemaError(value.place, f"'{name}' is no name of a configuration: upper case, digits and '_'")
    return lambda configured: name in configured
