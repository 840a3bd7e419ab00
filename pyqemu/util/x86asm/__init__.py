"""A small x86 assembler for the code that pyqemu runs inside its own guests.

Source is Intel syntax, a subset of NASM's, kept in ``.asm`` files in the tree::

    org 0x7c00
    bits 16
    start:  mov  si, message
    .next:  lodsb
            test al, al
            jz   .done
            mov  ah, 0x0e
            int  0x10
            jmp  .next
    .done:  hlt
            jmp  .done
    message: db "Hello", 13, 10, 0
            times 510-($-$$) db 0
            dw   0xaa55

``assemble(source).code`` are the bytes, ``.symbols`` the labels. Known: ``org bits db dw dd dq resb times align
equ``, labels (``.x`` is local to the last full label), expressions with ``$`` and ``$$``, the prefixes ``rep repe
repne lock o16 o32 a16 a32`` and segment names, ``short near far byte word dword qword tword``, jumps as short as they
can be. The instructions are the rows of :mod:`pyqemu.util.x86asm.table`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pyqemu.util.x86asm.encode import Encoder, Evaluate
from pyqemu.util.x86asm.syntax import (
    AssemblerError,
    Expression,
    FarPointer,
    Immediate,
    Memory,
    Operand,
    OperandParser,
    UndefinedSymbol,
    evaluate,
    string_bytes,
)
from pyqemu.util.x86asm.table import Form, forms

__all__ = ["AssemblerError", "Program", "assemble"]

_LABEL = re.compile(r"([A-Za-z_.?@][\w.?@]*):\s*")
_EQU = re.compile(r"([A-Za-z_.?@][\w.?@]*):?\s+equ\s+(.*)", re.IGNORECASE)
_COMMENT = re.compile(r"""((?:[^;'"`]|'[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`)*);.*""")
_PIECE = re.compile(r"""(?:[^,'"`]|'[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`)+""")
_DATA = {"db": 1, "dw": 2, "dd": 4, "dq": 8}
_PREFIXES = {"rep": 0xF3, "repe": 0xF3, "repz": 0xF3, "repne": 0xF2, "repnz": 0xF2, "lock": 0xF0, "es": 0x26,
             "cs": 0x2E, "ss": 0x36, "ds": 0x3E, "fs": 0x64, "gs": 0x65}  # fmt: skip
_MAX_PASSES = 40


@dataclass(frozen=True)
class Program:
    """What came out: the bytes, the address of the first one, and every label and ``equ``."""

    code: bytes
    origin: int
    symbols: Mapping[str, int]


@dataclass
class _Statement:
    """One line. *fixed* are its bytes if they depend on no label, otherwise it is encoded in every pass."""

    line: int
    bits: int
    label: str = ""
    fixed: bytes | None = b""
    prefix: bytes = b""
    forms: tuple[Form, ...] = ()
    operands: list[Operand] = field(default_factory=list)
    data: list[tuple[int, Expression]] | None = None
    equ: Expression | None = None
    times: Expression | None = None  # repetition count; None: once
    align: int = 0
    fill: int = 0
    choice: int = 0  # index of the form in use: it only grows, so that the passes come to an end


class _Source:
    """Reads the lines into statements."""

    def __init__(self, bits: int, origin: int, symbols: Mapping[str, int]) -> None:
        self.bits = bits
        self.origin = origin
        self.constants: dict[str, int] = dict(symbols)
        self.scope = ""
        self.parser = OperandParser(self.constants, "")
        self.statements: list[_Statement] = []

    def read(self, text: str) -> list[_Statement]:
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw
            if ";" in line and (match := _COMMENT.match(line)):
                line = match.group(1)
            line = line.strip()
            if line:
                try:
                    self._line(number, line)
                except AssemblerError as error:
                    raise AssemblerError(f"line {number}: {error}") from None
        return self.statements

    def _line(self, number: int, line: str) -> None:
        if " equ " in line and (match := _EQU.match(line)):
            self._equ(number, match.group(1), match.group(2))
            return
        while (match := _LABEL.match(line)) is not None:
            name = match.group(1)
            if name[0] == ".":
                name = self.scope + name
            else:
                self.scope = name
                self.parser.expressions.scope = name
            self.statements.append(_Statement(number, self.bits, label=name))
            line = line[match.end() :]
        if line:
            self.statements.extend(self._statement(number, line))

    def _equ(self, number: int, name: str, text: str) -> None:
        if name[0] == ".":
            name = self.scope + name
        value = self.parser.expressions.parse(text)
        if isinstance(value, int):
            self.constants[name] = value
        else:
            self.statements.append(_Statement(number, self.bits, label=name, equ=value))

    def _statement(self, number: int, line: str) -> Iterator[_Statement]:
        word, rest = (*line.split(None, 1), "")[:2]
        word = word.lower()
        if word in _DATA:
            yield self._data(number, _DATA[word], rest)
        elif word in ("bits", "use"):
            self.bits = int(rest)
        elif word == "org":
            self.origin = self._constant(rest)
        elif word == "times":
            yield from self._times(number, rest)
        elif word == "resb":
            yield _Statement(number, self.bits, fixed=bytes(self._constant(rest)))
        elif word == "align":
            amount, _, fill = rest.partition(",")
            default = 0x90 if not fill else self._constant(fill.replace("db", ""))
            yield _Statement(number, self.bits, fixed=None, align=self._constant(amount), fill=default)
        else:
            yield self._instruction(number, word, rest)

    def _constant(self, text: str) -> int:
        value = self.parser.expressions.parse(text)
        if not isinstance(value, int):
            raise AssemblerError(f"{text!r} must be a constant")
        return value

    def _times(self, number: int, rest: str) -> Iterator[_Statement]:
        match = re.match(r"(.*?)\s+((?:d[bwdq]|[a-z]+)\b.*)$", rest, re.IGNORECASE)
        if match is None:
            raise AssemblerError("times needs a count and a statement")
        for statement in self._statement(number, match.group(2)):
            statement.times = self.parser.expressions.parse(match.group(1))
            yield statement

    def _data(self, number: int, size: int, rest: str) -> _Statement:
        items: list[tuple[int, Expression]] = []
        out = bytearray()
        constant = True
        for piece in _PIECE.findall(rest):
            piece = piece.strip()
            if piece[0] in "'\"`" and piece[-1] == piece[0] and piece.count(piece[0]) == 2:
                content = string_bytes(piece)
                content += bytes(-len(content) % size)
                out += content
                items.extend((1, byte) for byte in content)
                continue
            value = self.parser.expressions.parse(piece)
            items.append((size, value))
            if isinstance(value, int):
                out += (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
            else:
                constant = False
        if constant:
            return _Statement(number, self.bits, fixed=bytes(out))
        return _Statement(number, self.bits, fixed=None, data=items)

    def _instruction(self, number: int, word: str, rest: str) -> _Statement:
        prefix = bytearray()
        while word in _PREFIXES or word in ("o16", "o32", "a16", "a32"):
            if word in _PREFIXES:
                prefix.append(_PREFIXES[word])
            elif int(word[1:]) != self.bits and not (self.bits == 64 and word == "o32"):
                prefix.append(0x66 if word[0] == "o" else 0x67)
            word, _, rest = rest.partition(" ")
            word, rest = word.lower(), rest.strip()
        statement = _Statement(number, self.bits, fixed=None, prefix=bytes(prefix))
        if not word:
            statement.fixed = bytes(prefix)
            return statement
        if rest[:4].lower() == "far " and word in ("jmp", "call"):
            word += " far"
            rest = rest[4:]
        statement.forms = forms(word)
        if not statement.forms:
            raise AssemblerError(f"unknown instruction {word}")
        statement.operands = [self.parser.parse(piece.strip()) for piece in _PIECE.findall(rest)] if rest else []
        if _is_constant(statement):
            statement.fixed = _encode(statement, 0, lambda e: evaluate(e, {}, 0, 0))
        return statement


def _is_constant(statement: _Statement) -> bool:
    """Whether the encoding depends on no label: no jump, and all expressions are numbers."""
    if statement.forms[0].operands[:1] in (("rel8",), ("relv",)):
        return False
    expressions: list[Expression] = []
    for operand in statement.operands:
        if isinstance(operand, Immediate):
            expressions.append(operand.value)
        elif isinstance(operand, FarPointer):
            expressions += (operand.segment, operand.offset)
        elif isinstance(operand, Memory):
            expressions.append(("here",) if operand.relative else operand.displacement)
    return all(isinstance(expression, int) for expression in expressions)


def _encode(statement: _Statement, here: int, value: Evaluate) -> bytes:
    encoder = Encoder(statement.bits, value, here + len(statement.prefix))
    for n in range(statement.choice, len(statement.forms)):
        form = statement.forms[n]
        if encoder.matches(form, statement.operands):
            statement.choice = n
            return statement.prefix + encoder.encode(form, statement.operands)
    raise AssemblerError("no form of the instruction takes these operands")


class _Assembly:
    """The passes: addresses are assigned and jumps grow until nothing moves any more."""

    def __init__(self, statements: list[_Statement], origin: int, symbols: Mapping[str, int]) -> None:
        self.statements = statements
        self.origin = origin
        self.symbols: dict[str, int] = dict(symbols)
        self.final = False

    def run(self) -> bytes:
        code = b""
        for _ in range(_MAX_PASSES):
            before = dict(self.symbols)
            code = self._pass()
            if self.final:
                return code
            self.final = before == self.symbols
        raise AssemblerError("the program does not settle: an address depends on itself")

    def _pass(self) -> bytes:
        out = bytearray()
        for statement in self.statements:
            here = self.origin + len(out)
            try:
                if statement.label:
                    self._define(statement, here)
                elif statement.times is not None:
                    out += self._bytes(statement, here) * self._count(statement, here)
                elif statement.fixed is not None:
                    out += statement.fixed
                else:
                    out += self._bytes(statement, here)
            except AssemblerError as error:
                raise AssemblerError(f"line {statement.line}: {error}") from None
        return bytes(out)

    def _define(self, statement: _Statement, here: int) -> None:
        if statement.equ is not None:
            here = self._value(statement.equ, here)
        self.symbols[statement.label] = here

    def _count(self, statement: _Statement, here: int) -> int:
        assert statement.times is not None
        count = self._value(statement.times, here)
        if count < 0 and self.final:
            raise AssemblerError(f"times {count}: the code before is {-count} bytes too long")
        return max(count, 0)

    def _value(self, expression: Expression, here: int) -> int:
        try:
            return evaluate(expression, self.symbols, here, self.origin)
        except UndefinedSymbol:
            if self.final:
                raise
            return here  # a label that comes later: near, until we know better

    def _bytes(self, statement: _Statement, here: int) -> bytes:
        if statement.fixed is not None:
            return statement.fixed
        if statement.align:
            return bytes((statement.fill,)) * (-here % statement.align)
        if statement.data is not None:
            return b"".join(
                (self._value(e, here) & ((1 << 8 * size) - 1)).to_bytes(size, "little") for size, e in statement.data
            )
        return _encode(statement, here, lambda e: self._value(e, here))


def assemble(source: str, *, org: int = 0, bits: int = 16, symbols: Mapping[str, int] | None = None) -> Program:
    """Assemble *source*; *symbols* are constants that it may use.

    :raise AssemblerError: with the line number of the mistake.
    """
    reader = _Source(bits, org, symbols or {})
    statements = reader.read(source)
    labels = [s.label for s in statements if s.label]
    if len(labels) != len(set(labels)):
        twice = next(name for name in labels if labels.count(name) > 1)
        raise AssemblerError(f"label {twice} is defined twice")
    assembly = _Assembly(statements, reader.origin, reader.constants)
    code = assembly.run()
    return Program(code, reader.origin, assembly.symbols)
