"""Characters to tokens.

The language is a small part of JSON with Python's quotes: ``{ } [ ] : ,``, strings in single quotes, ``true``,
``false``; ``#`` starts a comment that goes to the end of the line. A line ``##`` opens and closes a documentation
comment, which is one token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pyqemu.qapi.schema.errors import Place, SchemaError

PUNCTUATION = "{}[]:,"
STRING, WORD, DOC, END = "string", "word", "doc", "end"  # kinds; punctuation is its own kind
PRINTABLE = re.compile(r"[ -~]")


class Token(NamedTuple):
    """``value`` is a string's content, a word, or all lines of a documentation comment."""

    kind: str
    value: str
    place: Place

    def __str__(self) -> str:
        """As messages name it."""
        return {STRING: f"'{self.value}'", DOC: "a documentation comment", END: "end of file"}.get(
            self.kind, f"'{self.value}'"
        )


class _Lexer:
    def __init__(self, text: str, file: str) -> None:
        self.lines = text.split("\n")
        self.file = file

    def tokens(self) -> Iterator[Token]:
        number = 0
        while number < len(self.lines):
            line = self.lines[number]
            if line.startswith("##"):
                token, number = self.doc(number)
                yield token
            else:
                yield from self.line(line, number)
                number += 1
        yield Token(END, "", self.place(max(len(self.lines) - 1, 0), len(self.lines[-1])))

    def place(self, number: int, column: int) -> Place:
        return Place(self.file, number + 1, column + 1)

    def doc(self, start: int) -> tuple[Token, int]:
        """The comment that opens on line ``start``, and the number of the line behind it."""
        for number in range(start, len(self.lines)):
            line = self.lines[number]
            if line.startswith("##"):
                if line.rstrip() != "##":
                    raise SchemaError(self.place(number, 2), "junk after '##'")
                if number > start:
                    text = "\n".join(self.lines[start + 1 : number])
                    return Token(DOC, text, self.place(start, 0)), number + 1
            elif not line.startswith("#"):
                raise SchemaError(self.place(number, 0), "documentation comment must end with '##'")
        raise SchemaError(self.place(start, 0), "documentation comment is not closed by '##'")

    def line(self, line: str, number: int) -> Iterator[Token]:
        column = 0
        while column < len(line):
            char, place = line[column], self.place(number, column)
            if char == "#":
                return
            if char in " \t\r":
                column += 1
            elif char in PUNCTUATION:
                yield Token(char, char, place)
                column += 1
            elif char == "'":
                value, column = self.string(line, number, column)
                yield Token(STRING, value, place)
            elif match := re.compile(r"[A-Za-z_][\w-]*").match(line, column):
                yield Token(WORD, match.group(), place)
                column = match.end()
            elif char == '"':
                raise SchemaError(place, "strings stand in single quotes")
            else:
                raise SchemaError(place, f"stray character {char!a}")

    def string(self, line: str, number: int, start: int) -> tuple[str, int]:
        """The string that opens in column ``start``, and the column behind it."""
        value, column = "", start + 1
        while column < len(line):
            char = line[column]
            if char == "'":
                return value, column + 1
            if char == "\\":
                column += 1
                char = line[column : column + 1]
                if char not in ("\\", "'"):
                    raise SchemaError(self.place(number, column - 1), f"unknown escape \\{char}")
            elif not PRINTABLE.match(char):
                raise SchemaError(self.place(number, column), f"character {char!a} is not allowed in a string")
            value += char
            column += 1
        raise SchemaError(self.place(number, start), "string is not closed on its line")


def tokenize(text: str, file: str) -> Iterator[Token]:
    """The tokens of a file, ``END`` last.

    :raise SchemaError: a character that belongs nowhere, an open string or comment.
    """
    return _Lexer(text, file).tokens()
