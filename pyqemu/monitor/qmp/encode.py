"""JSON text of values, as it goes to clients."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pyqemu.monitor.qmp.stream import JSON

_compact = json.JSONEncoder(allow_nan=False).encode
_pretty = json.JSONEncoder(allow_nan=False, indent=4).encode


def encode(value: JSON, *, pretty: bool = False) -> bytes:
    """One message and the end of its line.

    :raise ValueError: infinity or not a number
    :raise TypeError: a value that JSON does not know
    """
    try:
        text = (_pretty if pretty else _compact)(value)
    except RecursionError:  # as deep as a client's "id" may be
        text = "".join(_pieces(value))
    return text.encode("ascii") + b"\r\n"


def _pieces(value: JSON) -> Iterator[str]:
    """The text of a value of any depth, without recursion."""
    waiting: list[Iterator[JSON]] = []
    ends: list[str] = []
    while True:
        if isinstance(value, dict):
            yield "{"
            waiting.append(iter(value.items()))
            ends.append("}")
        elif isinstance(value, list | tuple):
            yield "["
            waiting.append(iter(value))
            ends.append("]")
        else:
            yield _compact(value)
        first = isinstance(value, dict | list | tuple)
        while waiting:
            item = next(waiting[-1], waiting)
            if item is not waiting:
                break
            waiting.pop()
            yield ends.pop()
            first = False
        else:
            return
        if not first:
            yield ", "
        if ends[-1] == "}":
            name, value = item
            yield f"{_compact(name)}: "
        else:
            value = item
