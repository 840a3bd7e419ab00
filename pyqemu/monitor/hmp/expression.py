"""The arithmetic of the human monitor: ``print $eip + 4*2``.

Three levels, the loosest first: sums (``+ -``), logic (``& | ^``), products (``* / %``), all from left to right; then
``+ - ~`` as signs, parentheses, ``'c'``, ``$register``, and numbers as C writes them. Values are 64 bits wide, signed
where it matters (division truncates, as C's does).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Registers = Callable[[str], int | None]
"""The value of a register by name; None if there is none of that name."""

_M64 = (1 << 64) - 1
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
_REGISTER = re.compile(r"[A-Za-z0-9_.:]*")
_DEEPEST = 100  # parentheses and signs within each other


class ExpressionError(Exception):
    """The text is no expression; ``str()`` is what the monitor says."""


def no_registers(_name: str) -> int | None:
    """For where there is no processor."""
    return None


def signed(value: int) -> int:
    """*value* as a signed number of 64 bits."""
    value &= _M64
    return value - (1 << 64) if value >> 63 else value


@dataclass
class _Reader:
    text: str
    position: int
    registers: Registers
    depth: int = 0

    def peek(self) -> str:
        """The next character that is no space, without taking it; empty at the end."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.text[self.position : self.position + 1]

    def take(self, operators: str) -> str:
        """The next character if it is one of *operators*, else an empty string."""
        char = self.peek()
        if not char or char not in operators:
            return ""
        self.position += 1
        return char


def parse_expression(text: str, position: int = 0, registers: Registers = no_registers) -> tuple[int, int]:
    """The value of the longest expression that begins at *position*, and where the next word begins.

    :raise ExpressionError: there is none, or it cannot be computed.
    """
    reader = _Reader(text, position, registers)
    value = _sum(reader)
    reader.peek()
    return value, reader.position


def evaluate(text: str, registers: Registers = no_registers) -> int:
    """The value, signed, of a text that is one expression.

    :raise ExpressionError: it is not.
    """
    value, end = parse_expression(text, 0, registers)
    if end != len(text):
        raise ExpressionError("extraneous characters at the end of line")
    return value


def _sum(reader: _Reader) -> int:
    value = _logic(reader)
    while operator := reader.take("+-"):
        right = _logic(reader)
        value = signed(value + right if operator == "+" else value - right)
    return value


def _logic(reader: _Reader) -> int:
    value = _product(reader)
    while operator := reader.take("&|^"):
        right = _product(reader)
        value = value & right if operator == "&" else value | right if operator == "|" else value ^ right
    return value


def _product(reader: _Reader) -> int:
    value = _unary(reader)
    while operator := reader.take("*/%"):
        right = _unary(reader)
        if operator == "*":
            value = signed(value * right)
        elif not right:
            raise ExpressionError("division by zero")
        else:
            quotient = abs(value) // abs(right)
            if (value < 0) != (right < 0):
                quotient = -quotient
            value = signed(quotient if operator == "/" else value - quotient * right)
    return value


def _unary(reader: _Reader) -> int:
    reader.depth += 1
    if reader.depth > _DEEPEST:
        raise ExpressionError("expression too deeply nested")
    try:
        match reader.take("+-~("):
            case "+":
                return _unary(reader)
            case "-":
                return signed(-_unary(reader))
            case "~":
                return ~_unary(reader)
            case "(":
                value = _sum(reader)
                if not reader.take(")"):
                    raise ExpressionError("')' expected")
                return value
            case _:
                return _primary(reader)
    finally:
        reader.depth -= 1


def _primary(reader: _Reader) -> int:
    if reader.take("'"):
        return _character(reader)
    if reader.take("$"):
        return _register(reader)
    if not reader.peek():
        raise ExpressionError("unexpected end of expression")
    match = _NUMBER.match(reader.text, reader.position)
    if match is None:
        raise ExpressionError(f"invalid char '{reader.peek()}' in expression")
    reader.position = match.end()
    digits = match[0]
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    value = int(digits, 8) if octal else int(digits, 0)
    if value > _M64:
        raise ExpressionError("number too large")
    return signed(value)


def _character(reader: _Reader) -> int:
    char = reader.text[reader.position : reader.position + 1]
    if not char:
        raise ExpressionError("character constant expected")
    if reader.text[reader.position + 1 : reader.position + 2] != "'":
        raise ExpressionError("missing terminating ' character")
    reader.position += 2
    return ord(char)


def _register(reader: _Reader) -> int:
    match = _REGISTER.match(reader.text, reader.position)
    assert match is not None
    value = reader.registers(match[0])
    if value is None:
        raise ExpressionError("unknown register")
    reader.position = match.end()
    return signed(value)
