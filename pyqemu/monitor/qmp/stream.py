"""JSON values from a stream of bytes, with limits; whatever is no JSON becomes an error, and the stream goes on.

A message is a value on the top level.  An object or array is complete when its braces and brackets balance (each kind
counted for itself), or when one closes that was not open: so after any garbage the next message is read from its start.
The values are built while the tokens come; the first thing that is wrong with a message is what its error tells.

Most messages come whole, in plain ASCII: the standard library's decoder reads those.  What it accepts here, it reads as
the parser below does; what it does not accept is left to that parser, which knows the right words.

Differences from QEMU, all on the strict side: a number too large for a double, and the character U+0000 however it is
written, are errors.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyqemu.monitor.qmp.lexer import Kind, Lexer
from pyqemu.qapi.errors import QapiError

JSON = Any
"""What JSON can say: None, bool, int, float, str, list, dict. (Recursive types are not worth their casts here.)"""


class ParseError(QapiError):
    """A message is no JSON."""


@dataclass(frozen=True)
class Limits:
    """How large a message may be."""

    size: int = 64 << 20  #: bytes of its tokens together
    tokens: int = 2 << 20
    nesting: int = 1024


class _Expect(enum.Enum):
    """What the parser waits for within the innermost object or array."""

    VALUE = "value"
    VALUE_OR_END = "value or end"
    KEY = "key"
    KEY_OR_END = "key or end"
    COLON = "colon"
    SEPARATOR = "separator"


INT_MIN, INT_MAX = -(1 << 63), (1 << 64) - 1
LONGEST_INTEGER = 20  # characters of an integer that may fit; longer ones are not worth an exact conversion
QUOTED = 100  # characters of the client's own text in an error message
KEYWORDS = {b"true": True, b"false": False, b"null": None}
ESCAPES = {b'"': '"', b"'": "'", b"\\": "\\", b"/": "/", b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"}
_PIECE = re.compile(rb"[^\\]+|\\u(?P<hex>[0-9a-fA-F]{4})?|\\(?P<escape>.)", re.DOTALL)
_TRAILING = re.compile(rb"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_LAST_OF_PLANES = "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
_NO_CHARACTER = re.compile(f"[\0\ufdd0-\ufdef{_LAST_OF_PLANES}]")


def _quote(text: bytes) -> str:
    shown = text[: QUOTED * 4].decode("utf-8", "replace")
    return shown if len(shown) <= QUOTED else shown[:QUOTED] + "..."


def _syntax_error(what: str) -> ParseError:
    return ParseError(f"JSON parse error, {what}")


def parse_number(text: bytes | str) -> int | float:
    """A number: an int if it is written as one and fits into 64 bits, signed or unsigned; else a float.

    :raise ParseError: it does not even fit into that.
    """
    value: int | float
    if len(text) <= LONGEST_INTEGER:
        try:
            value = int(text)
        except ValueError:
            value = float(text)
        else:
            if not INT_MIN <= value <= INT_MAX:
                value = float(value)
    else:
        value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _syntax_error(f"number out of range '{_quote(text if isinstance(text, bytes) else text.encode())}'")
    return value


def parse_string(token: bytes) -> str:
    """A string token, with its quotes.

    :raise ParseError: a bad escape, bad UTF-8, or what is no character.
    """
    if b"\\" not in token:
        return _plain(token[1:-1])
    pieces: list[str] = []
    position, end = 1, len(token) - 1
    while position < end:
        piece = _PIECE.match(token, position, end)
        assert piece is not None
        position = piece.end()
        if token[piece.start()] != 0x5C:
            pieces.append(_plain(piece.group()))
        elif token[piece.start() + 1] == 0x75:
            character, position = _unicode_escape(token, piece)
            pieces.append(character)
        elif piece["escape"] in ESCAPES:
            pieces.append(ESCAPES[piece["escape"]])
        else:
            raise _syntax_error("invalid escape sequence in string")
    return "".join(pieces)


def _plain(text: bytes) -> str:
    try:
        string = text.decode("utf-8")
    except UnicodeDecodeError:
        raise _syntax_error("invalid UTF-8 sequence in string") from None
    if not text.isascii() and _NO_CHARACTER.search(string):
        raise _syntax_error("invalid UTF-8 sequence in string")
    return string


def _unicode_escape(token: bytes, piece: re.Match[bytes]) -> tuple[str, int]:
    """The character of ``\\uXXXX``, or of a pair of them, and where it ends."""
    begin, end = piece.start(), piece.start() + 6
    code = int(piece["hex"], 16) if piece["hex"] else 0
    if 0xD800 <= code < 0xDC00 and (second := _TRAILING.match(token, end)):
        code = 0x10000 + ((code & 0x3FF) << 10) + (int(second[1], 16) & 0x3FF)
        end = second.end()
    if 0xD800 <= code < 0xE000 or _NO_CHARACTER.match(chr(code)):
        raise _syntax_error(f"{_quote(token[begin:end])} is not a valid Unicode character")
    return chr(code), end


class _Builder:
    """Builds one message from its tokens."""

    def __init__(self) -> None:
        self.problem: ParseError | None = None
        self.result: JSON = None
        self._open: list[list[JSON] | dict[str, JSON]] = []
        self._expectations: list[_Expect] = []  # of the containers around the innermost
        self._keys: list[str] = []  # whose values are still to come
        self._expect = _Expect.VALUE

    def add(self, kind: Kind, text: bytes) -> None:
        """Take a token; nothing more is built after a problem."""
        if self.problem is not None:
            return
        try:
            if self._expect is _Expect.SEPARATOR:
                self._separator(kind)
            elif self._expect is _Expect.COLON:
                if kind is not Kind.COLON:
                    raise _syntax_error("missing : in object pair")
                self._expect = _Expect.VALUE
            else:
                self._begin(kind, text)
        except ParseError as error:
            self.problem = error
            self._open.clear()

    def _separator(self, kind: Kind) -> None:
        in_list = isinstance(self._open[-1], list)
        if kind is Kind.COMMA:
            self._expect = _Expect.VALUE if in_list else _Expect.KEY
        elif kind is (Kind.CLOSE_BRACKET if in_list else Kind.CLOSE_BRACE):
            self._close()
        else:
            raise _syntax_error(f"expected separator in {'list' if in_list else 'dict'}")

    def _begin(self, kind: Kind, text: bytes) -> None:
        """A value or key begins, or an empty container ends."""
        if kind is Kind.OPEN_BRACE:
            self._enter({}, _Expect.KEY_OR_END)
        elif kind is Kind.OPEN_BRACKET:
            self._enter([], _Expect.VALUE_OR_END)
        elif kind is Kind.STRING:
            self._value(parse_string(text))
        elif kind is Kind.INTEGER or kind is Kind.FLOAT:
            self._value(parse_number(text))
        elif kind is Kind.KEYWORD:
            if text not in KEYWORDS:
                raise _syntax_error(f"invalid keyword '{_quote(text)}'")
            self._value(KEYWORDS[text])
        elif (kind is Kind.CLOSE_BRACKET and self._expect is _Expect.VALUE_OR_END) or (
            kind is Kind.CLOSE_BRACE and self._expect is _Expect.KEY_OR_END
        ):
            self._close()
        else:
            raise _syntax_error("expecting value")

    def _enter(self, container: list[JSON] | dict[str, JSON], expect: _Expect) -> None:
        self._open.append(container)
        self._expectations.append(self._expect)
        self._expect = expect

    def _close(self) -> None:
        container = self._open.pop()
        self._expect = self._expectations.pop()
        self._value(container)

    def _value(self, value: JSON) -> None:
        """A value is complete: where does it belong?"""
        if not self._open:
            self.result = value
            return
        container = self._open[-1]
        if isinstance(container, list):
            container.append(value)
        elif self._expect is _Expect.VALUE:
            key = self._keys.pop()
            if key in container:
                raise _syntax_error("duplicate key")
            container[key] = value
        else:
            if not isinstance(value, str):
                raise _syntax_error("key is not a string in object")
            self._keys.append(value)
            self._expect = _Expect.COLON
            return
        self._expect = _Expect.SEPARATOR


# -- the fast path -----------------------------------------------------------------------------------------------------

_PLAIN_TEXT = re.compile(rb"[\t\n\r\x20-\x5b\x5d-\x7e]*")  # no escapes, and every byte is a character
_GAP = re.compile(r"[ \t\r\n]*")
FAST_NESTING = 256  # far from where the decoder would run out of stack


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse(constant: str) -> JSON:
    raise ValueError(constant)  # NaN and Infinity, which are no JSON


def _fast_number(text: str) -> int | float:
    try:
        return parse_number(text)
    except ParseError as error:
        raise ValueError from error


_decode = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_fast_number, parse_float=_fast_number, parse_constant=_refuse
).raw_decode


class JsonStream:
    """Turns bytes into messages."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._lexer = Lexer(limits.size)
        self._begin()

    def _begin(self) -> None:
        """Nothing of the next message has been seen."""
        self._builder = _Builder()
        self._braces = self._brackets = 0
        self._size = self._count = 0

    @property
    def idle(self) -> bool:
        """Whether no message has begun."""
        return self._lexer.idle and not self._count

    def feed(self, data: bytes) -> Iterator[JSON | ParseError]:
        """The messages that end in *data*: their values, or what is wrong with them."""
        if self.idle and self._may_be_fast(data):
            text, position = data.decode("ascii"), 0
            while True:
                position = _GAP.match(text, position).end()  # type: ignore[union-attr]
                if not text.startswith("{", position):
                    break
                try:
                    value, position = _decode(text, position)
                except ValueError:
                    break
                yield value
            data = data[position:]
        for kind, token in self._lexer.feed(data):
            if self._take(kind, token):
                builder = self._builder
                self._begin()
                yield builder.result if builder.problem is None else builder.problem

    def _may_be_fast(self, data: bytes) -> bool:
        limits = self.limits
        return (
            len(data) <= min(limits.size, limits.tokens)
            and data.count(b"{") + data.count(b"[") <= min(FAST_NESTING, limits.nesting)
            and _PLAIN_TEXT.fullmatch(data) is not None
        )

    def _take(self, kind: Kind, token: bytes) -> bool:
        """Count and build; returns whether the message is complete."""
        if kind is Kind.OPEN_BRACE:
            self._braces += 1
        elif kind is Kind.CLOSE_BRACE:
            self._braces -= 1
        elif kind is Kind.OPEN_BRACKET:
            self._brackets += 1
        elif kind is Kind.CLOSE_BRACKET:
            self._brackets -= 1
        self._size += len(token)
        self._count += 1
        problem = self._excess(kind, token)
        if problem is not None:
            self._builder.problem = problem
            return True
        self._builder.add(kind, token)
        lowest, highest = sorted((self._braces, self._brackets))
        return lowest < 0 or highest == 0

    def _excess(self, kind: Kind, token: bytes) -> ParseError | None:
        """What ends a message at once."""
        if kind is Kind.STRAY:
            return _syntax_error(f"stray '{_quote(token)}'")
        if kind is Kind.TOO_LONG or self._size > self.limits.size:
            return ParseError("JSON token size limit exceeded")
        if self._count > self.limits.tokens:
            return ParseError("JSON token count limit exceeded")
        if self._braces + self._brackets > self.limits.nesting:
            return ParseError("JSON nesting depth limit exceeded")
        return None
