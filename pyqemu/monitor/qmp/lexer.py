"""JSON tokens from bytes that come in pieces.

A state machine whose states look at each byte once, however the bytes are cut into pieces: no input makes it slower
than linear.  The dialect is QEMU's: strings in double or single quotes, keywords of small letters.  After a byte that
cannot be, everything is skipped up to a structural character, the end of the line, or a byte that no JSON text contains
(a control character, 0xFE, 0xFF), so that a client gets back into step by sending 0xFF.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator


class Kind(enum.IntEnum):
    """What a token is. Structural characters are tokens by themselves."""

    OPEN_BRACE = ord("{")
    CLOSE_BRACE = ord("}")
    OPEN_BRACKET = ord("[")
    CLOSE_BRACKET = ord("]")
    COMMA = ord(",")
    COLON = ord(":")
    STRING = 1
    INTEGER = 2
    FLOAT = 3
    KEYWORD = 4
    STRAY = 5  #: bytes that begin no token; the last one is the culprit
    TOO_LONG = 6  #: a token that would not end; its text is dropped


Token = tuple[Kind, bytes]

WHITESPACE = b" \t\r\n"
STRUCTURE = b"{}[],:"
DIGITS = b"0123456789"
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
CONTROL = bytes([*range(0x20), 0xFE, 0xFF])  # never part of a JSON text outside whitespace
OTHERS = bytes(byte for byte in range(256) if byte not in CONTROL)

# What a state does with a byte: go on to another state, or end the token with this byte or before it.
_Action = tuple[int, int]
GO, END_WITH, END_BEFORE = range(3)

(START, ZERO, SIGN, WHOLE, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, POWER,
 DOUBLE, DOUBLE_ESCAPE, SINGLE, SINGLE_ESCAPE, WORD, RECOVERY) = range(15)  # fmt: skip

_STRAY: _Action = (END_WITH, Kind.STRAY)


def _table(default: _Action, *rules: tuple[bytes, _Action]) -> tuple[_Action, ...]:
    row = [default] * 256
    for characters, action in rules:
        for byte in characters:
            row[byte] = action
    return tuple(row)


_INTEGER_ENDS: _Action = (END_BEFORE, Kind.INTEGER)
_FLOAT_ENDS: _Action = (END_BEFORE, Kind.FLOAT)
_SKIPPED = -1  # END_BEFORE without a token

# fmt: off
TABLES: dict[int, tuple[_Action, ...]] = {
    START:         _table(_STRAY, (STRUCTURE, (END_WITH, 0)), (WHITESPACE, (GO, START)), (LETTERS, (GO, WORD)),
                          (b"0", (GO, ZERO)), (DIGITS[1:], (GO, WHOLE)), (b"-", (GO, SIGN)),
                          (b'"', (GO, DOUBLE)), (b"'", (GO, SINGLE))),
    ZERO:          _table(_INTEGER_ENDS, (DIGITS, _STRAY), (b".", (GO, POINT)), (b"eE", (GO, EXPONENT))),
    SIGN:          _table(_STRAY, (b"0", (GO, ZERO)), (DIGITS[1:], (GO, WHOLE))),
    WHOLE:         _table(_INTEGER_ENDS, (b".", (GO, POINT)), (b"eE", (GO, EXPONENT))),
    POINT:         _table(_STRAY, (DIGITS, (GO, FRACTION))),
    FRACTION:      _table(_FLOAT_ENDS, (b"eE", (GO, EXPONENT))),
    EXPONENT:      _table(_STRAY, (DIGITS, (GO, POWER)), (b"+-", (GO, EXPONENT_SIGN))),
    EXPONENT_SIGN: _table(_STRAY, (DIGITS, (GO, POWER))),
    POWER:         _table(_FLOAT_ENDS),
    DOUBLE:        _table(_STRAY, (b'"', (END_WITH, Kind.STRING)), (b"\\", (GO, DOUBLE_ESCAPE))),
    DOUBLE_ESCAPE: _table(_STRAY, (OTHERS, (GO, DOUBLE))),
    SINGLE:        _table(_STRAY, (b"'", (END_WITH, Kind.STRING)), (b"\\", (GO, SINGLE_ESCAPE))),
    SINGLE_ESCAPE: _table(_STRAY, (OTHERS, (GO, SINGLE))),
    WORD:          _table((END_BEFORE, Kind.KEYWORD)),
    RECOVERY:      _table((END_BEFORE, _SKIPPED)),
}
# fmt: on

RUNS: dict[int, re.Pattern[bytes]] = {
    START: re.compile(rb"[ \t\r\n]*"),
    WHOLE: re.compile(rb"[0-9]*"),
    FRACTION: re.compile(rb"[0-9]*"),
    POWER: re.compile(rb"[0-9]*"),
    DOUBLE: re.compile(rb'[^\x00-\x1f\xfe\xff"\\]*'),
    SINGLE: re.compile(rb"[^\x00-\x1f\xfe\xff'\\]*"),
    WORD: re.compile(rb"[a-z]*"),
    RECOVERY: re.compile(rb"[^\x00-\x08\x0a-\x1f\xfe\xff{}\[\],:]*"),
}
"""States that stay as they are over a run of bytes."""


class Lexer:
    """Cuts bytes into tokens.

    :param limit: longest token in bytes
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._state = START
        self._held = bytearray()  # of the token that has begun

    @property
    def idle(self) -> bool:
        """Whether no token has begun and nothing is being skipped."""
        return self._state == START

    def feed(self, data: bytes) -> Iterator[Token]:
        """The tokens that end in *data*."""
        position, begin, size, state = 0, 0, len(data), self._state
        while True:
            run = RUNS.get(state)
            if run is not None:
                position = run.match(data, position).end()  # type: ignore[union-attr]
            if position == size:
                break
            byte = data[position]
            what, which = TABLES[state][byte]
            if what == GO:
                if state == START:
                    begin = position
                state = which
                position += 1
                continue
            if state == START:
                begin = position
            position += what == END_WITH
            state = self._state = RECOVERY if which == Kind.STRAY else START
            if which != _SKIPPED:
                text = data[begin:position]
                if self._held:
                    text = bytes(self._held) + text
                    self._held.clear()
                yield Kind(which or byte), text
        self._state = state
        if state not in (START, RECOVERY):
            yield from self._hold(data[begin:])

    def _hold(self, text: bytes) -> Iterator[Token]:
        """Keep the beginning of a token, if it is not too long already."""
        self._held += text
        if len(self._held) > self.limit:
            self._held.clear()
            self._state = RECOVERY
            yield Kind.TOO_LONG, b""
