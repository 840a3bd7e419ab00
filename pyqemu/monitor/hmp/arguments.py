"""From a command line's rest to a command's arguments, as its signature says.

A signature is QEMU's: ``force:-f,device:B,target:F,arg:s?``, each part a name and a type.

=====  ==============================================================================
``F``  file name (completed as such)        ``B``  block device        ``s``  word
``S``  rest of the line                     ``O``  options, ``key=value,...``
``i``  number of 32 bits                    ``l``  number of 64 bits
``M``  MiB, not negative (the argument has bytes)
``o``  size with a suffix; without, MiB     ``T``  seconds, or ``ms us ns``
``/``  gdb's format, ``/Nfs``               ``b``  ``on`` or ``off``
``-x`` flag                                 ``?``  behind a type: may be left out
``.``  behind a type: may be left out, and is introduced by a dot
=====  ==============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu.monitor.hmp.expression import ExpressionError, Registers, no_registers, parse_expression
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_options
from pyqemu.util.units import MIB, parse_size

_ESCAPES = {"n": "\n", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_LETTERS = frozenset("FBsSOilMoT/b-")
_SIZES = {"b": 1, "h": 2, "w": 4, "g": 8, "L": 8}
_FORMATS = frozenset("odxuci")
_INFERRED_SIZE = -1  # of format i: the instruction's own
_IMPLIED_KEYS = {"device": "driver", "netdev": "type", "object": "qom-type"}  # of options, by the argument's name
_MAX_COUNT = (1 << 31) - 1


class ArgumentError(Exception):
    """The line does not fit the signature; ``str()`` is what the monitor says, maybe in several lines."""


@dataclass(frozen=True)
class Argument:
    """One part of a signature."""

    name: str
    letter: str
    flag: str = ""
    optional: bool = False
    dotted: bool = False

    @property
    def parameter(self) -> str:
        """Its name as a Python parameter."""
        return self.name.replace("-", "_")

    @property
    def display(self) -> str:
        """How help shows it."""
        if self.letter == "-":
            return f"[-{self.flag}]"
        text = "/fmt" if self.letter == "/" else self.name
        return f"[.{text}]" if self.dotted else f"[{text}]" if self.optional else text


@dataclass(frozen=True)
class Format:
    """How values are shown: *count* of them, as ``o d x u c i``, *size* bytes each (-1: what is natural)."""

    count: int
    format: str
    size: int


@dataclass
class FormatDefaults:
    """What was used last, which is what a command without ``/fmt`` uses."""

    format: str = "x"
    size: int = 4


@dataclass
class Context:
    """What parsing depends on besides the text."""

    command: str = ""
    registers: Registers = no_registers
    formats: FormatDefaults = field(default_factory=FormatDefaults)


def parse_signature(text: str) -> tuple[Argument, ...]:
    """The parts of a signature.

    :raise ValueError: it is malformed.
    """
    return tuple(_part(part) for part in text.split(",")) if text else ()


def _part(text: str) -> Argument:
    name, colon, kind = text.partition(":")
    if not (name and colon and kind and kind[0] in _LETTERS):
        raise ValueError(f"argument '{text}' is no NAME:TYPE")
    if kind[0] == "-":
        if len(kind) != 2:
            raise ValueError(f"argument '{text}': a flag is one letter")
        return Argument(name, "-", flag=kind[1], optional=True)
    if kind[1:] not in ("", "?", "."):
        raise ValueError(f"argument '{text}': only ? or . may follow the type")
    return Argument(name, kind[0], optional=kind[1:] != "", dotted=kind[1:] == ".")


class Line:
    """A line that is being taken apart."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def rest(self) -> str:
        """What is left, from the next character that is no space on."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.text[self.position :]

    def word(self) -> str | None:
        """The next word, without its quotes; None at the end.

        :raise ArgumentError: quotes or escapes are wrong.
        """
        rest = self.rest()
        if not rest:
            return None
        if rest[0] == '"':
            return self._quoted()
        match = re.match(r"\S+", rest)
        assert match is not None
        self.position += match.end()
        return match[0]

    def _quoted(self) -> str:
        out: list[str] = []
        text, at = self.text, self.position + 1
        while at < len(text):
            char = text[at]
            if char == '"':
                self.position = at + 1
                return "".join(out)
            if char == "\\" and at + 1 < len(text):
                at += 1
                if text[at] not in _ESCAPES:
                    raise ArgumentError(f"unsupported escape code: '\\{text[at]}'")
                char = _ESCAPES[text[at]]
            out.append(char)
            at += 1
        raise ArgumentError("unterminated string")


def parse_arguments(signature: tuple[Argument, ...], text: str, context: Context) -> dict[str, object]:
    """The arguments by their Python names; optional ones that were left out are missing, flags never.

    :raise ArgumentError: the text does not fit.
    """
    line = Line(text)
    values: dict[str, object] = {}
    for number, argument in enumerate(signature):
        if argument.letter == "-":
            values[argument.parameter] = _flag(argument, signature[number:], line, context)
            continue
        if argument.letter != "/" and _left_out(argument, line):
            continue
        values[argument.parameter] = _PARSERS[argument.letter](argument, line, context)
    if line.rest():
        raise ArgumentError(f"{context.command}: extraneous characters at the end of line")
    return values


def _left_out(argument: Argument, line: Line) -> bool:
    rest = line.rest()
    if argument.dotted:
        if not rest.startswith("."):
            return True
        line.position += 1
        return False
    return argument.optional and not rest


def _flag(argument: Argument, following: tuple[Argument, ...], line: Line, context: Context) -> bool:
    rest = line.rest()
    if not rest.startswith("-"):
        return False
    letter = rest[1:2]
    if letter == argument.flag:
        line.position += 2
        return True
    if any(letter == other.flag for other in following if other.letter == "-"):
        return False  # one of the flags before it was left out
    raise ArgumentError(f"{context.command}: unsupported option -{letter}")


_EXPECTED = {"F": "filename", "B": "block device name"}


def _word(argument: Argument, line: Line, context: Context) -> str:
    problem = f"{context.command}: {_EXPECTED.get(argument.letter, 'string')} expected"
    try:
        word = line.word()
    except ArgumentError as error:
        raise ArgumentError(f"{error}\n{problem}") from None
    if word is None:
        raise ArgumentError(problem)
    return word


def _rest(_argument: Argument, line: Line, context: Context) -> str:
    rest = line.rest()
    if not rest:
        raise ArgumentError(f"{context.command}: string expected")
    line.position = len(line.text)
    return rest


def _options(argument: Argument, line: Line, _context: Context) -> dict[str, str]:
    word = line.word()
    if word is None:
        return {}
    try:
        return parse_options(word, _IMPLIED_KEYS.get(argument.name))
    except OptionError as error:
        raise ArgumentError(error.message) from None


def _number(argument: Argument, line: Line, context: Context) -> int:
    try:
        value, line.position = parse_expression(line.text, line.position, context.registers)
    except ExpressionError as error:
        raise ArgumentError(str(error)) from None
    if argument.letter == "i" and not 0 <= value < 1 << 32:
        raise ArgumentError(f"'{context.command}' has failed: integer is for 32-bit values")
    if argument.letter == "M":
        if value < 0:
            raise ArgumentError("enter a positive value")
        return value * MIB
    return value


def _size(_argument: Argument, line: Line, _context: Context) -> int:
    word = line.word() or ""
    try:
        value = parse_size(word, default_suffix="M")
    except OptionError:
        raise ArgumentError("invalid size") from None
    if value >= 1 << 63:
        raise ArgumentError("invalid size")
    return value


_SECONDS = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(\S*)")
_UNITS = {"": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def _time(_argument: Argument, line: Line, _context: Context) -> float:
    match = _SECONDS.match(line.rest())
    if match is None:
        raise ArgumentError("number expected")
    if match[2] not in _UNITS:
        raise ArgumentError("unknown unit suffix")
    value = float(match[1]) * _UNITS[match[2]]
    if value in (float("inf"), float("-inf")):
        raise ArgumentError("bad number")
    line.position += match.end()
    return value


def _boolean(_argument: Argument, line: Line, _context: Context) -> bool:
    match = re.match(r"(on|off)(?=\s|\Z)", line.rest())
    if match is None:
        raise ArgumentError("Expected 'on' or 'off'")
    line.position += match.end()
    return match[0] == "on"


def _format(_argument: Argument, line: Line, context: Context) -> Format:
    defaults = context.formats
    if not line.rest().startswith("/"):
        return Format(1, defaults.format, _INFERRED_SIZE if defaults.format == "i" else defaults.size)
    match = re.match(r"/(\d*)([odxucibhwgL]*)", line.rest())
    assert match is not None
    line.position += match.end()
    following = line.text[line.position : line.position + 1]
    if following and not following.isspace():
        raise ArgumentError(f"invalid char in format: '{following}'")
    kind, size = "", 0
    for letter in match[2]:
        if letter in _FORMATS:
            kind = letter
        else:
            size = _SIZES[letter]
    defaults.format = kind = kind or defaults.format
    if kind == "i":
        size = size or _INFERRED_SIZE
    else:
        defaults.size = size = size or defaults.size
    return Format(min(int(match[1] or "1"), _MAX_COUNT), kind, size)


_PARSERS: dict[str, Callable[[Argument, Line, Context], object]] = {
    "F": _word,
    "B": _word,
    "s": _word,
    "S": _rest,
    "O": _options,
    "i": _number,
    "l": _number,
    "M": _number,
    "o": _size,
    "T": _time,
    "b": _boolean,
    "/": _format,
}
