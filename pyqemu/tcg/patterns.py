"""Instructions as bit patterns, and the decoder that is made of them: for instruction sets of fixed-length words.

An instruction is a function that stages its meaning, decorated with the patterns of its encodings::

    @A64.insn("sf:1 00 100010 0 imm:12 Rn:5 Rd:5")
    def add_immediate(t: Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None: ...

A pattern is words from the most significant bit down:

=====================  =========================================================================================
``0110``               these bits; ``x`` is one that does not matter
``Rd:5``               a field of so many bits: an argument of that name, and a part of the shape
``imm:12`` ``disp:…``  a number that is no part of the shape: the argument is a :class:`~pyqemu.tcg.hole.Hole`
``imm:s19*4``          the same, signed, times 4 (only numbers have signs and factors)
``imm[20:2]``          bits 20 to 2 of a number or field, whose other bits stand elsewhere
=====================  =========================================================================================

A number that no field has as it is needed can be computed: ``insn(pattern, imm=function)``. The function's parameters
are fields; those that the instruction's function does not take as well are then no part of the shape. A word for which
it returns None is no instruction.

Of two patterns that a word matches, the one that fixes more bits wins; it must fix all that the other one fixes, else
importing the set fails. So do patterns of a wrong width, and functions whose parameters are no fields.

The same patterns encode: ``add_immediate.encode(sf=1, Rn=2, Rd=3, imm=4)``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from struct import Struct
from struct import error as StructError
from typing import Any

from pyqemu.tcg.shape import Shape, Truncated

NUMBERS = ("disp", "imm")  #: fields that are no part of a shape
MAX_WORDS = 1 << 17  #: words whose decoding is remembered
MAX_SHAPES = 1 << 17
_WORD = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?:\[(?P<high>\d+):(?P<low>\d+)\])?(?::(?P<sign>s?)(?P<width>\d+)?(?:\*(?P<factor>\d+))?)?"
)

Stage = Callable[..., None]
Compute = Callable[..., "int | None"]
Decoded = tuple[Shape, int, int]
Undefined = Callable[[Any, int], None]
"""Stages a word that is no instruction."""


class Field:
    """A field of a pattern.

    :ivar pieces: (lowest bit in the field, lowest bit in the word, bits)
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.pieces: list[tuple[int, int, int]] = []
        self.signed = False
        self.factor = 1

    @property
    def bits(self) -> int:
        """Its width."""
        return max(low + width for low, _, width in self.pieces)

    @property
    def mask(self) -> int:
        """Its bits in the word."""
        return sum((1 << width) - 1 << at for _, at, width in self.pieces)

    def read(self, word: int) -> int:
        """Its value in a word."""
        value = 0
        for low, at, width in self.pieces:
            value |= (word >> at & (1 << width) - 1) << low
        if self.signed and value >> self.bits - 1:
            value -= 1 << self.bits
        return value * self.factor

    def write(self, value: int) -> int:
        """The bits of the word that stand for a value.

        :raise ValueError: it cannot be encoded.
        """
        number, rest = divmod(value, self.factor)
        least, most = (-(1 << self.bits - 1), (1 << self.bits - 1) - 1) if self.signed else (0, (1 << self.bits) - 1)
        lost = number & (1 << min(low for low, _, _ in self.pieces)) - 1
        if rest or lost or not least <= number <= most:
            raise ValueError(f"{self.name}={value:#x} cannot be encoded")
        return sum((number >> low & (1 << width) - 1) << at for low, at, width in self.pieces)


@cache
def _fixed_bits(word: str) -> tuple[int, int] | None:
    """Mask and value of a word that is bits; None for others."""
    if word.strip("01x"):
        return None
    return int(word.replace("0", "1").replace("x", "0"), 2), int(word.replace("x", "0"), 2)


@cache
def _piece(word: str) -> tuple[str, int, int, bool, int] | None:
    """Name, lowest bit, width, sign and factor (or 0) of a word that is a field or a part of one; None for others."""
    match = _WORD.fullmatch(word)
    if match is None or not (match["width"] or match["high"]):
        return None
    low, high = int(match["low"] or 0), int(match["high"] or 0)
    width = high - low + 1 if match["high"] else int(match["width"])
    return match["name"], low, width, bool(match["sign"]), int(match["factor"] or 0)


class Pattern:
    """A pattern, read.

    :ivar mask: the bits that are fixed
    :ivar value: and how
    :raise ValueError: it makes no sense, or is not *bits* wide
    """

    def __init__(self, text: str, bits: int) -> None:
        self.text = text
        self.mask = self.value = 0
        self.fields: dict[str, Field] = {}
        at = bits
        for word in text.split():
            at -= self._word(word, at)
        if at:
            raise ValueError(f"the pattern '{text}' has {bits - at} bits, not {bits}")

    def _word(self, word: str, end: int) -> int:
        """Take a word whose first bit is just below *end*; returns how many bits it has."""
        bits = _fixed_bits(word)
        if bits is not None:
            at = end - len(word)
            if at >= 0:
                self.mask |= bits[0] << at
                self.value |= bits[1] << at
            return len(word)
        piece = _piece(word)
        if piece is None:
            raise ValueError(f"'{word}' in the pattern '{self.text}' is neither bits nor a field")
        name, low, width, signed, factor = piece
        field = self.fields.setdefault(name, Field(name))
        if any(low < there + bits and there < low + width for there, _, bits in field.pieces):
            raise ValueError(f"'{word}' in the pattern '{self.text}' stands there twice")
        field.pieces.append((low, end - width, width))
        field.signed |= signed
        field.factor = factor or field.factor
        if (field.signed or field.factor > 1) and field.name not in NUMBERS:
            raise ValueError(f"'{word}' in the pattern '{self.text}': only {' and '.join(NUMBERS)} are numbers")
        return width

    def matches(self, word: int) -> bool:
        """Whether the word has the fixed bits."""
        return word & self.mask == self.value

    def refines(self, other: Pattern) -> bool:
        """Whether it fixes all that *other* does, and more."""
        return self.mask & other.mask == other.mask and self.mask != other.mask

    def encode(self, values: Mapping[str, int]) -> int:
        """The word with these fields.

        :raise ValueError: one is missing, unknown, or cannot be encoded.
        """
        if values.keys() != self.fields.keys():
            raise ValueError(f"the pattern '{self.text}' has the fields {', '.join(self.fields) or '(none)'}")
        return self.value | sum(self.fields[name].write(value) for name, value in values.items())


class Computed:
    """A number that is computed of fields.

    :ivar mask: the bits of the word that only it depends on
    """

    def __init__(self, function: Compute, fields: list[Field], literals: set[str]) -> None:
        self._function = function
        self._fields = fields
        self.mask = sum(field.mask for field in fields if field.name not in literals)

    def read(self, word: int) -> int | None:
        """Its value in a word; None: the word is no instruction."""
        return self._function(*(field.read(word) for field in self._fields))


class Encoding:
    """One pattern of an instruction.

    :ivar feature: what a CPU must have for it; empty: every CPU has it
    """

    def __init__(self, pattern: Pattern, stage: Stage, name: str, feature: str,
                 computed: dict[str, Compute] | None = None) -> None:  # fmt: skip
        self.pattern, self.stage, self.name, self.feature = pattern, stage, name, feature
        consumed = {name: _parameters(function) for name, function in (computed or {}).items()}
        own = set(_parameters(stage)[1:])
        inside = {field for fields in consumed.values() for field in fields} - own
        self.literals = [field for name, field in pattern.fields.items() if name not in NUMBERS and name not in inside]
        numbers: dict[str, Field | Computed | None] = {name: pattern.fields.get(name) for name in NUMBERS}
        for name, function in (computed or {}).items():
            numbers[name] = Computed(function, [pattern.fields[field] for field in consumed[name]], own)
        self.disp, self.imm = numbers["disp"], numbers["imm"]
        self.shape_mask = ~sum(field.mask for field in (self.disp, self.imm) if field is not None)

    def shape(self, word: int, length: int) -> Shape:
        """What is left of a word when its numbers are taken away."""
        literals = {field.name: field.read(word) for field in self.literals}
        return Shape(
            length, partial(_stage, self.stage, literals, self.disp is not None, self.imm is not None), self.name
        )

    def __repr__(self) -> str:
        return f"<{self.name} '{self.pattern.text}'>"


def _parameters(function: Callable[..., Any]) -> list[str]:
    """The names of a function's parameters."""
    code = getattr(function, "__code__", None)
    if code is None:
        return list(inspect.signature(function).parameters)
    return list(code.co_varnames[: code.co_argcount])


def _stage(stage: Stage, literals: dict[str, int], disp: bool, imm: bool, t: Any) -> None:
    if disp:
        literals = {**literals, "disp": t.disp}
    if imm:
        literals = {**literals, "imm": t.imm}
    stage(t, **literals)


class Instruction:
    """An instruction's function with its encodings."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.encodings: list[Encoding] = []
        self.__doc__ = stage.__doc__
        self.__name__ = stage.__name__

    def __call__(self, t: Any, *args: Any, **fields: Any) -> None:
        """Stage it within another one."""
        self.stage(t, *args, **fields)

    def encode(self, *, encoding: int = -1, **fields: int) -> int:
        """The word with these fields.

        :param encoding: which of its patterns, the one that stands first being 0; by default the one with these fields
        :raise ValueError: there is no such encoding.
        """
        found = self.encodings[::-1] if encoding < 0 else [self.encodings[::-1][encoding]]
        for each in found:
            if each.pattern.fields.keys() == fields.keys() or encoding >= 0:
                return each.pattern.encode(fields)
        raise ValueError(f"{self.__name__} has no encoding with the fields {', '.join(fields) or '(none)'}")


class InstructionSet:
    """All instructions of one width.

    :param bits: of a word
    """

    def __init__(self, name: str, bits: int = 32) -> None:
        self.name = name
        self.bits = bits
        self.encodings: list[Encoding] = []
        self._checked = 0

    def insn(self, pattern: str, *, feature: str = "", name: str = "",
             **computed: Compute) -> Callable[[Stage | Instruction], Instruction]:  # fmt: skip
        """Register a function for a pattern.

        :param name: the mnemonic; by default the function's name up to its first underscore
        :param computed: ``imm`` or ``disp``: how they are computed of fields
        :raise ValueError: the pattern makes no sense, or does not fit the function.
        """
        parsed = Pattern(pattern, self.bits)
        if not set(computed) <= set(NUMBERS) - parsed.fields.keys():
            raise ValueError(f"the pattern '{pattern}' cannot have {', '.join(computed)} computed")

        def register(stage: Stage | Instruction) -> Instruction:
            instruction = stage if isinstance(stage, Instruction) else Instruction(stage)
            function = instruction.stage
            _check_parameters(function, parsed, computed)
            mnemonic = name or function.__name__.split("_")[0]
            encoding = Encoding(parsed, function, mnemonic, feature, computed)
            instruction.encodings.append(encoding)
            self.encodings.append(encoding)
            return instruction

        return register

    def check(self) -> None:
        """:raise ValueError: two patterns overlap, and neither is the other one with more bits."""
        all_bits = [(each.pattern.mask, each.pattern.value) for each in self.encodings]
        for number, (mask, value) in enumerate(all_bits):
            start = max(number + 1, self._checked)
            both = [at for at, (m, v) in enumerate(all_bits[start:], start) if not (value ^ v) & mask & m]
            for first, second in ((self.encodings[number], self.encodings[at]) for at in both):
                if not (first.pattern.refines(second.pattern) or second.pattern.refines(first.pattern)):
                    raise ValueError(f"{self.name}: {first!r} and {second!r} overlap")
        self._checked = len(self.encodings)

    def tree(self, has: Callable[[str], bool] = lambda feature: True) -> Node:
        """What finds the encoding of a word, among those whose feature a CPU has."""
        self.check()
        return Node([each for each in self.encodings if not each.feature or has(each.feature)], 0)


def _check_parameters(function: Stage, pattern: Pattern, computed: dict[str, Compute]) -> None:
    parameters = _parameters(function)[1:]
    optional = len(function.__defaults__ or ())
    wanted, known = set(parameters[: len(parameters) - optional]), set(parameters)
    consumed = {name for compute in computed.values() for name in _parameters(compute)}
    given = (pattern.fields.keys() | computed.keys()) - (consumed - known)
    if not wanted <= given <= known or not consumed <= pattern.fields.keys():
        raise ValueError(
            f"{function.__name__} takes {', '.join(sorted(known)) or 'nothing'}, "
            f"but the pattern '{pattern.text}' has {', '.join(sorted(given | consumed)) or 'no fields'}"
        )


FEW = 3  #: encodings that are looked at one by one


class Node:
    """A node of the decision tree: by the bits that all its encodings fix, which come into question."""

    __slots__ = ("branches", "encodings", "mask")

    def __init__(self, encodings: Iterable[Encoding], used: int) -> None:
        self.encodings = sorted(encodings, key=lambda each: -each.pattern.mask.bit_count())
        self.mask = 0
        self.branches: dict[int, Node] = {}
        if len(self.encodings) <= FEW:
            return
        self.mask = self._common(used)
        if not self.mask:
            return
        for bits in {each.pattern.value & self.mask for each in self.encodings if self._fixes(each)}:
            inside = [
                each for each in self.encodings if not (each.pattern.value ^ bits) & each.pattern.mask & self.mask
            ]
            self.branches[bits] = Node(inside, used | self.mask)
        self.encodings = [each for each in self.encodings if not self._fixes(each)]

    def _fixes(self, encoding: Encoding) -> bool:
        return encoding.pattern.mask & self.mask == self.mask

    def _common(self, used: int) -> int:
        """The bits to look at: those that all fix; else those that the most particular one fixes."""
        common = ~used
        for each in self.encodings:
            common &= each.pattern.mask
        return common or max((each.pattern.mask & ~used for each in self.encodings), key=int.bit_count)

    def find(self, word: int) -> Encoding | None:
        """The encoding of a word."""
        node = self
        while node.mask:
            following = node.branches.get(word & node.mask)
            if following is None:
                break
            node = following
        return next((each for each in node.encodings if each.pattern.matches(word)), None)


class PatternDecoder:
    """The decoder of one instruction set in one mode of the CPU.

    :param undefined: stages a word that is no instruction
    :param big_endian: the byte order of instructions
    """

    def __init__(self, tree: Node, undefined: Undefined, *, bits: int = 32, big_endian: bool = False) -> None:
        self._tree = tree
        self._undefined = undefined
        self._length = bits // 8
        self._struct = Struct((">" if big_endian else "<") + {16: "H", 32: "I"}[bits])
        self._words: dict[int, Decoded] = {}
        self._shapes: dict[tuple[Encoding, int], Shape] = {}

    def decode(self, code: bytes, pos: int) -> Decoded:
        """The shape at a position of *code*, and its numbers.

        :raise Truncated: the word is not complete.
        """
        try:
            word = self._struct.unpack_from(code, pos)[0]
        except StructError:
            raise Truncated from None
        return self._words.get(word) or self.decode_word(word)

    def decode_word(self, word: int) -> Decoded:
        """The same of a word."""
        found = self._words.get(word)
        if found is not None:
            return found
        if len(self._words) >= MAX_WORDS or len(self._shapes) >= MAX_SHAPES:
            self._words.clear()
            self._shapes.clear()
        encoding = self._tree.find(word)
        decoded = self._decoded(encoding, word) if encoding is not None else None
        if decoded is None:
            decoded = Shape(self._length, partial(_stage_undefined, self._undefined, word), "undefined"), 0, 0
        self._words[word] = decoded
        return decoded

    def _decoded(self, encoding: Encoding, word: int) -> Decoded | None:
        disp = encoding.disp.read(word) if encoding.disp is not None else 0
        imm = encoding.imm.read(word) if encoding.imm is not None else 0
        if disp is None or imm is None:
            return None
        key = encoding, word & encoding.shape_mask
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = encoding.shape(word, self._length)
        return shape, disp, imm


def _stage_undefined(undefined: Undefined, word: int, t: Any) -> None:
    undefined(t, word)
