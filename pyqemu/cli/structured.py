"""Arguments that have structure: JSON (``-device '{"driver": ...}'``) and dotted keys (``file.filename=x``)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_options

Tree = dict[str, object]


def is_json(text: str) -> bool:
    """Whether an option's argument is the JSON form; the other form never begins with a brace."""
    return text.startswith("{")


def parse_json(text: str) -> Tree:
    """The JSON form.

    :raise OptionError: it is no JSON object.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise OptionError(f"JSON parse error, {error.msg} at character {error.pos + 1}", _HINT) from None
    except RecursionError:
        raise OptionError("JSON parse error, nested too deeply", _HINT) from None
    if not isinstance(value, dict):
        raise OptionError("JSON parse error, this is no object", _HINT)
    return value


_HINT = 'the form is {"key": "value", ...}'


def _unique(pairs: list[tuple[str, object]]) -> Tree:
    tree: Tree = {}
    for key, value in pairs:
        if key in tree:
            raise OptionError(f"JSON parse error, duplicate key '{key}'")
        tree[key] = value
    return tree


def flatten(tree: Mapping[str, object]) -> dict[str, str]:
    """A tree as keys and values of text: ``{"a": {"b": [true]}}`` is ``a.b.0=on``.

    :raise OptionError: a value has no such form.
    """
    flat: dict[str, str] = {}
    for key, value in tree.items():
        match value:
            case bool():
                flat[key] = "on" if value else "off"
            case int() | str():
                flat[key] = str(value)
            case dict():
                flat |= {f"{key}.{rest}": text for rest, text in flatten(value).items()}
            case list():
                items = {str(index): item for index, item in enumerate(value)}
                flat |= {f"{key}.{rest}": text for rest, text in flatten(items).items()}
            case _:
                raise OptionError(
                    f"Parameter '{key}' cannot be {json.dumps(value)}", "text, a whole number, true or false"
                )
    return flat


def nest(flat: Mapping[str, str]) -> Tree:
    """The opposite, with all leaves left as text.

    :raise OptionError: a key is a value and a group at once, or a list has gaps.
    """
    tree: Tree = {}
    for key, value in flat.items():
        *groups, last = key.split(".")
        place = tree
        for group in groups:
            inner = place.setdefault(group, {})
            if not isinstance(inner, dict):
                raise OptionError(f"Parameters '{group}.*' used inconsistently")
            place = inner
        if last in place:
            raise OptionError(f"Parameters '{key}.*' used inconsistently")
        place[last] = value
    return {key: _with_lists(value, key) for key, value in tree.items()}


def _with_lists(value: object, name: str) -> object:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(item, f"{name}.{key}") for key, item in value.items()}
    if not all(key.isdigit() for key in inner):
        return inner
    for index in range(len(inner)):
        if str(index) not in inner:
            raise OptionError(f"Parameter '{name}.{index}' missing")
    return [inner[str(index)] for index in range(len(inner))]


def parse_flat(text: str, implied: str) -> dict[str, str]:
    """Either form, as keys and values of text."""
    return flatten(parse_json(text)) if is_json(text) else parse_options(text, implied)


def parse_tree(text: str, implied: str) -> Tree:
    """Either form, as a tree. Numbers and truth values of the form without JSON are left as text."""
    return parse_json(text) if is_json(text) else nest(parse_options(text, implied))
