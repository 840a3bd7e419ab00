"""QEMU's option strings: ``key=value,flag,nokey,other=a,,b``.

A comma in a value is written twice. A bare word is ``word=on``; ``noword`` is ``word=off`` only
where the caller says so (QEMU: ``server,nowait``); the first word may have an implied key
(``-device isa-serial,...`` means ``driver=isa-serial``).
"""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu.util.errors import OptionError

_TRUE = ("on", "yes", "true", "y")
_FALSE = ("off", "no", "false", "n")


def _split(text: str) -> Iterator[str]:
    """Split at single commas; a doubled one stands for itself."""
    part = ""
    position = 0
    while position < len(text):
        char = text[position]
        if char != ",":
            part += char
        elif text[position + 1 : position + 2] == ",":
            part += ","
            position += 1
        else:
            yield part
            part = ""
        position += 1
    yield part


def parse_options(text: str, implied: str | None = None) -> dict[str, str]:
    """Return the keys and values of an option string in their order; a later one wins.

    :raise OptionError: a part has an empty key.
    """
    return dict(parse_pairs(text, implied))


def parse_pairs(text: str, implied: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of an option string, also those of a key that comes again.

    :raise OptionError: a part has an empty key.
    """
    if not text:
        return
    for number, part in enumerate(_split(text)):
        key, equals, value = part.partition("=")
        if number == 0 and not equals and implied is not None:
            key, value = implied, part
        elif not equals:
            key, value = _flag(key)
        if not key:
            raise OptionError(f"Invalid parameter '{part}' in '{text}'")
        yield key, value


def _flag(word: str) -> tuple[str, str]:
    """A word without ``=`` is a boolean; a ``no`` in front negates it."""
    if word.startswith("no") and len(word) > 2:
        return word[2:], "off"
    return word, "on"


def parse_bool(text: str, what: str) -> bool:
    """Return the truth of ``on`` or ``off`` (and QEMU's synonyms).

    :raise OptionError: it is neither.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise OptionError(f"Parameter '{what}' expects 'on' or 'off'")


def join_options(options: dict[str, str]) -> str:
    """The inverse of :func:`parse_options`."""
    return ",".join(f"{key}={value.replace(',', ',,')}" for key, value in options.items())
