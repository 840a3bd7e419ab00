"""Reading assembler source: expressions and operands in NASM's Intel syntax.

An expression is an ``int`` as soon as its value is known, otherwise a small tree that :func:`evaluate` turns
into a number when the labels have their addresses: ``("sym", name)``, ``("here",)``, ``("section",)``,
``("neg", a)``, ``("not", a)``, or ``(operator, a, b)``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Expression = int | tuple[object, ...]


class AssemblerError(Exception):
    """A mistake in assembler source; the message names the line."""


class UndefinedSymbol(AssemblerError):
    """An expression names a symbol that has no value (yet)."""


_TOKEN = re.compile(
    r"""\s*(?: (?P<hex>0[xX][0-9a-fA-F_]+|[0-9][0-9a-fA-F_]*[hH]\b) | (?P<bin>0[bB][01_]+|[01_]+[bB]\b)
      | (?P<dec>[0-9][0-9_]*) | (?P<str>'[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`) | (?P<sym>[A-Za-z_.?@][\w.?@]*)
      | (?P<op>\$\$|\$|<<|>>|//|[-+*/%&|^~()]) )""",
    re.VERBOSE,
)
_SIMPLE = re.compile(r"[A-Za-z_.][\w.]*\Z")

_BINARY: dict[str, Callable[[int, int], int]] = {
    "|": operator.or_, "^": operator.xor, "&": operator.and_, "<<": operator.lshift, ">>": operator.rshift,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv, "%": operator.mod,
}  # fmt: skip
_PRECEDENCE = {"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}


def string_bytes(token: str) -> bytes:
    """The bytes of a quoted string; only back quotes know escapes, as in NASM."""
    body = token[1:-1]
    if token[0] == "`":
        return body.encode("latin-1").decode("unicode_escape").encode("latin-1")
    return body.encode("latin-1")


class ExpressionParser:
    """Precedence climbing over the tokens of one expression; symbols known as constants are folded at once."""

    def __init__(self, constants: Mapping[str, int], scope: str) -> None:
        self.constants = constants
        self.scope = scope
        self.tokens: list[tuple[str, str]] = []
        self.pos = 0

    def parse(self, text: str) -> Expression:
        """Parse *text* completely.

        :raise AssemblerError: on anything that is no expression.
        """
        self.tokens = []
        self.pos = 0
        at = 0
        text = text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise AssemblerError(f"cannot read {text[at:]!r}")
            assert match.lastgroup is not None
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        value = self._binary(1)
        if self.pos != len(self.tokens):
            raise AssemblerError(f"cannot read {text!r} as an expression")
        return value

    def _binary(self, level: int) -> Expression:
        left = self._unary()
        while self.pos < len(self.tokens):
            kind, name = self.tokens[self.pos]
            if kind != "op" or _PRECEDENCE.get(name, 0) < level:
                break
            self.pos += 1
            right = self._binary(_PRECEDENCE[name] + 1)
            if isinstance(left, int) and isinstance(right, int):
                left = _BINARY[name](left, right)
            else:
                left = (name, left, right)
        return left

    def _unary(self) -> Expression:
        if self.pos >= len(self.tokens):
            raise AssemblerError("an expression is missing")
        kind, text = self.tokens[self.pos]
        self.pos += 1
        if kind == "dec":
            return int(text)
        if kind == "hex":
            return int(text.rstrip("hH"), 16)
        if kind == "bin":
            return int(text[2:] if text[:2] in ("0b", "0B") else text[:-1], 2)
        if kind == "str":
            return int.from_bytes(string_bytes(text), "little")
        if kind == "sym":
            return self.symbol(text)
        return self._operator(text)

    def _operator(self, text: str) -> Expression:
        if text == "(":
            value = self._binary(1)
            if self.pos >= len(self.tokens) or self.tokens[self.pos][1] != ")":
                raise AssemblerError("a closing parenthesis is missing")
            self.pos += 1
            return value
        if text == "$":
            return ("here",)
        if text == "$$":
            return ("section",)
        if text not in "+-~":
            raise AssemblerError(f"{text!r} stands where a value is expected")
        value = self._unary()
        if text == "+":
            return value
        if isinstance(value, int):
            return -value if text == "-" else ~value
        return ("neg" if text == "-" else "not", value)

    def symbol(self, name: str) -> Expression:
        """A symbol: its constant if it has one by now, otherwise a reference. ``.name`` is local to the last label."""
        if name[0] == ".":
            name = self.scope + name
        value = self.constants.get(name)
        return ("sym", name) if value is None else value


def evaluate(expression: Expression, symbols: Mapping[str, int], here: int, section: int) -> int:
    """The value of *expression*.

    :raise UndefinedSymbol: for a name without value.
    """
    if isinstance(expression, int):
        return expression
    head = expression[0]
    if head == "sym":
        name = str(expression[1])
        if name not in symbols:
            raise UndefinedSymbol(f"{name} is not defined")
        return symbols[name]
    if head == "here":
        return here
    if head == "section":
        return section
    first: Expression = expression[1]  # type: ignore[assignment]
    a = evaluate(first, symbols, here, section)
    if head == "neg":
        return -a
    if head == "not":
        return ~a
    second: Expression = expression[2]  # type: ignore[assignment]
    return _BINARY[str(head)](a, evaluate(second, symbols, here, section))


# --- operands ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Register:
    """A register operand; *kinds* are the operand kinds of the instruction table that it satisfies."""

    name: str
    number: int
    size: int  # 8..64, 128 for xmm, 0 otherwise
    kinds: frozenset[str]
    rex: int = 0  # 1: only with a REX prefix (spl..dil), 2: never with one (ah..bh)


@dataclass
class Memory:
    """``[segment: base + index*scale + displacement]``."""

    base: Register | None
    index: Register | None
    scale: int
    displacement: Expression
    segment: str | None
    kinds: frozenset[str]
    size: int  # as written, 0 if not
    relative: bool = False  # rip-relative


@dataclass
class Immediate:
    """A value, or a jump target."""

    value: Expression
    size: int = 0  # as written
    distance: str = ""  # "short", "near" or "far"


@dataclass
class FarPointer:
    """``segment:offset``."""

    segment: Expression
    offset: Expression
    size: int = 0


Operand = Register | Memory | Immediate | FarPointer


def _registers() -> dict[str, Register]:
    table: dict[str, Register] = {}

    def add(name: str, number: int, size: int, *kinds: str, rex: int = 0) -> None:
        table[name] = Register(name, number, size, frozenset(kinds), rex)

    for n, name in enumerate(["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"]):
        extra = {0: ("ax", "eax", "rax")}.get(n, ("", "", ""))
        add(name, n, 16, "r16", "rm16", "RM16", "g16", extra[0], *(("dx",) if n == 2 else ()))
        add("e" + name, n, 32, "r32", "rm32", "RM32", "g32", extra[1])
        add("r" + name, n, 64, "r64", "rm64", "RM64", "g64", extra[2])
    for n, name in enumerate(["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"]):
        add(name, n, 8, "r8", "rm8", "RM8", {0: "al", 1: "cl"}.get(n, ""), rex=2 if n >= 4 else 0)
    for n, name in enumerate(["spl", "bpl", "sil", "dil"]):
        add(name, n + 4, 8, "r8", "rm8", "RM8", rex=1)
    for n in range(8, 16):
        for suffix, size in (("b", 8), ("w", 16), ("d", 32), ("", 64)):
            add(f"r{n}{suffix}", n, size, f"r{size}", f"rm{size}", f"RM{size}", f"g{size}")
    for n in range(16):
        add(f"xmm{n}", n, 128, "x", "xm", "xx")
    for n, name in enumerate(["es", "cs", "ss", "ds", "fs", "gs"]):
        add(name, n, 0, "sreg", name)
    for n in (0, 2, 3, 4, 8):
        add(f"cr{n}", n, 0, "cr")
    for n in range(8):
        add(f"dr{n}", n, 0, "dr")
        add(f"st{n}", n, 0, "sti", *(("st0",) if n == 0 else ()))
    return table


REGISTERS = _registers()
_SIZES = {"byte": 8, "word": 16, "dword": 32, "qword": 64, "tword": 80, "oword": 128}
_UNSIZED = frozenset(["m", "rm8", "rm16", "rm32", "rm64", "xm"])
_SIZED = {
    size: frozenset(f"m m{size} rm{size} RM{size} moff{size}".split()) | ({"xm"} if size >= 32 else set())
    for size in _SIZES.values()
}
_TERM = re.compile(r"[+-]?[^+-]+")
_QUALIFIER = re.compile(r"(byte|word|dword|qword|tword|oword|short|near|far|strict)\b\s*", re.IGNORECASE)


class OperandParser:
    """Turns the text of an operand into an :data:`Operand`."""

    def __init__(self, constants: Mapping[str, int], scope: str) -> None:
        self.expressions = ExpressionParser(constants, scope)

    def parse(self, text: str) -> Operand:
        """Parse one operand.

        :raise AssemblerError: if it is none.
        """
        register = REGISTERS.get(text) or REGISTERS.get(text.lower())
        if register is not None:
            return register
        size, distance = 0, ""
        while match := _QUALIFIER.match(text):
            word = match.group(1).lower()
            size = _SIZES.get(word, size)
            distance = word if word in ("short", "near", "far") else distance
            text = text[match.end() :]
        register = REGISTERS.get(text.lower())
        if register is not None:
            return register
        if text.startswith("["):
            return self._memory(text, size, distance)
        if ":" in text and "'" not in text and '"' not in text:
            segment, offset = text.split(":", 1)
            return FarPointer(self.expressions.parse(segment), self.expressions.parse(offset), size)
        if _SIMPLE.match(text):
            return Immediate(self.expressions.symbol(text), size, distance)
        return Immediate(self.expressions.parse(text), size, distance)

    def _memory(self, text: str, size: int, distance: str) -> Memory:
        if not text.endswith("]"):
            raise AssemblerError(f"{text!r}: a closing bracket is missing")
        body = text[1:-1].strip()
        segment: str | None = None
        relative = False
        if body[2:3] == ":" and body[:2].lower() in ("es", "cs", "ss", "ds", "fs", "gs"):
            segment, body = body[:2].lower(), body[3:]
        if body.startswith("rel "):
            relative, body = True, body[4:]
        kinds = _SIZED[size] if size else _UNSIZED
        memory = Memory(None, None, 1, 0, segment, kinds, size, relative)
        rest = []
        for term in _TERM.findall(body.replace("- ", "-")) if "(" not in body else [body]:
            if not self._register_term(memory, term.strip()):
                rest.append(term)
        memory.displacement = self.expressions.parse("".join(rest)) if rest else 0
        return memory

    @staticmethod
    def _register_term(memory: Memory, term: str) -> bool:
        """Take *term* as base or index if it is a register, perhaps scaled."""
        name = term.lstrip("+").strip()
        scale = 1
        if "*" in name:
            left, right = (part.strip() for part in name.split("*", 1))
            if right in REGISTERS and left.isdigit():
                left, right = right, left
            if left not in REGISTERS or not right.isdigit():
                return False
            name, scale = left, int(right)
        register = REGISTERS.get(name)
        if register is None:
            return False
        if term.startswith("-") or register.size not in (16, 32, 64):
            raise AssemblerError(f"{term!r} cannot be part of an address")
        if memory.base is None and scale == 1:
            memory.base = register
        elif memory.index is None:
            memory.index, memory.scale = register, scale
        else:
            raise AssemblerError(f"{term!r}: too many registers in an address")
        return True
