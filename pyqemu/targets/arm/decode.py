"""The AArch32 instruction sets and their decoders (ARM DDI 0406C.b, A5 and A6). Instructions are in ``insns/``.

A32 has two sets of patterns, both without the uppermost four bits: what stands behind a condition, and what stands
behind 1111 instead of one. Thumb has two, too: a halfword by itself, and two halfwords as one word. Conditions, and IT
blocks, are no instruction's business: they are put around it here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, Any

from pyqemu.targets.arm.modes import M_IT, M_PLAIN_IT, M_THUMB
from pyqemu.tcg.patterns import Encoding, InstructionSet, Node
from pyqemu.tcg.shape import Shape, Truncated

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator

A32 = InstructionSet("A32", 28)
A32_UNCONDITIONAL = InstructionSet("A32, unconditional", 28)
T16 = InstructionSet("T16", 16)
T32 = InstructionSet("T32", 32)
SETS = (A32, A32_UNCONDITIONAL, T16, T32)

ALWAYS, UNCONDITIONAL = 14, 15  #: of the uppermost four bits
M28 = (1 << 28) - 1
MAX_WORDS = 1 << 17  #: words whose decoding is remembered
BREAKPOINT = "bkpt"  #: an instruction that conditions of an IT block do not hold back
FIRST_OF_TWO = 0b11101  #: halfwords whose upper five bits are this or more are the first of two (A6.1)

Decoded = tuple[Shape, int, int]
Stage = Callable[[Any], None]


def _stage(encoding: Encoding, literals: dict[str, Any], t: ArmTranslator) -> None:
    if encoding.disp is not None:
        literals = {**literals, "disp": t.disp}
    if encoding.imm is not None:
        literals = {**literals, "imm": t.imm}
    encoding.stage(t, **literals)


def stage_of(encoding: Encoding, word: int) -> Stage:
    """What stages the instruction that a word is."""
    return partial(_stage, encoding, {field.name: field.read(word) for field in encoding.literals})


def is_deprecated_behind_it(word: int) -> bool:
    """Whether an instruction of 16 bits is one of those that SCTLR.ITD disables in IT blocks (DDI 0487A.f, D7.2.81):
    branches and calls, loads and stores of several registers, miscellaneous ones, and what reads or writes R15."""
    if word >> 14 == 0b11 or word >> 12 == 0b1011 or word >> 11 in (0b10100, 0b01001):
        return True
    return word & 0xF478 == 0x4478 or word & 0xFC87 == 0x4487


def _undefined(t: ArmTranslator) -> None:
    t.undefined()


def _conditional(stage: Stage, cond: int, t: ArmTranslator) -> None:
    """An A32 instruction behind its condition."""
    if cond == ALWAYS:
        stage(t)
        return
    over = t.skip_unless(cond)
    stage(t)
    t.bind(over)
    if t.ended:
        t.goto(t.next_pc)


def _in_it_block(stage: Stage, t: ArmTranslator) -> None:
    """A Thumb instruction in an IT block: it ends its translation block, as ITSTATE is part of the mode."""
    over = t.skip_unless(t.itstate >> 4) if t.itstate >> 4 < ALWAYS else None
    stage(t)
    if over is not None:
        t.bind(over)
    if over is not None or not t.ended:
        t.goto(t.next_pc)


class _Decoder:
    """What both decoders remember."""

    def __init__(self) -> None:
        self._words: dict[int, Decoded] = {}
        self._shapes: dict[tuple[Encoding, int], Shape] = {}

    def decode_word(self, word: int) -> Decoded:
        """Shape and numbers of a word."""
        found = self._words.get(word)
        if found is None:
            if len(self._words) >= MAX_WORDS:
                self._words.clear()
                self._shapes.clear()
            found = self._words[word] = self._decoded(word)
        return found

    def _find(self, word: int) -> Encoding | None:
        raise NotImplementedError

    def _shape(self, encoding: Encoding | None, word: int) -> Shape:
        raise NotImplementedError

    def _decoded(self, word: int) -> Decoded:
        encoding = self._find(word)
        disp = imm = 0
        if encoding is not None:
            there = encoding.disp.read(word) if encoding.disp is not None else 0
            number = encoding.imm.read(word) if encoding.imm is not None else 0
            if there is None or number is None:
                encoding = None
            else:
                disp, imm = there, number
        if encoding is None:
            return self._shape(None, word), 0, 0
        key = encoding, word & encoding.shape_mask
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = self._shape(encoding, word)
        return shape, disp, imm


class A32Decoder(_Decoder):
    """The decoder of A32 in one mode.

    :param trees: what finds conditional and unconditional instructions
    """

    def __init__(self, trees: tuple[Node, Node], *, big_endian: bool = False) -> None:
        super().__init__()
        self._trees = trees
        self._struct = Struct(">I" if big_endian else "<I")

    def decode(self, code: bytes, pos: int) -> Decoded:
        """The shape at a position of *code*, and its numbers.

        :raise Truncated: the word is not complete.
        """
        try:
            word = self._struct.unpack_from(code, pos)[0]
        except StructError:
            raise Truncated from None
        return self._words.get(word) or self.decode_word(word)

    def _find(self, word: int) -> Encoding | None:
        return self._trees[word >> 28 == UNCONDITIONAL].find(word & M28)

    def _shape(self, encoding: Encoding | None, word: int) -> Shape:
        cond = word >> 28 if word >> 28 != UNCONDITIONAL else ALWAYS
        if encoding is None:
            return Shape(4, partial(_conditional, _undefined, cond), "undefined")
        return Shape(4, partial(_conditional, stage_of(encoding, word & M28), cond), encoding.name)


class ThumbDecoder(_Decoder):
    """The decoder of T16 and T32 in one mode.

    :param trees: what finds instructions of one and of two halfwords
    :param plain: IT blocks may not have all of them (:func:`is_deprecated_behind_it`)
    """

    def __init__(self, trees: tuple[Node, Node], *, in_it_block: bool, plain: bool = False,
                 big_endian: bool = False) -> None:  # fmt: skip
        super().__init__()
        self._trees = trees
        self._in_it_block, self._plain = in_it_block, in_it_block and plain
        self._struct = Struct(">H" if big_endian else "<H")

    def decode(self, code: bytes, pos: int) -> Decoded:
        """The shape at a position of *code*, and its numbers.

        :raise Truncated: the instruction is not complete.
        """
        try:
            word = self._struct.unpack_from(code, pos)[0]
            if word >> 11 >= FIRST_OF_TWO:
                word = word << 16 | self._struct.unpack_from(code, pos + 2)[0]
        except StructError:
            raise Truncated from None
        return self._words.get(word) or self.decode_word(word)

    def _find(self, word: int) -> Encoding | None:
        if self._plain and (word >> 16 or is_deprecated_behind_it(word)):
            return None
        return self._trees[word >> 16 != 0].find(word)

    def _shape(self, encoding: Encoding | None, word: int) -> Shape:
        stage = _undefined if encoding is None else stage_of(encoding, word)
        if self._plain and encoding is None:
            return Shape(4 if word >> 16 else 2, stage, "undefined")  # whatever the condition says
        if self._in_it_block and (encoding is None or encoding.name != BREAKPOINT):
            stage = partial(_in_it_block, stage)
        return Shape(4 if word >> 16 else 2, stage, "undefined" if encoding is None else encoding.name)


class ArmDecoders:
    """The decoders of one processor: one for each mode, with decision trees in common.

    :param has: tells whether the processor has a feature
    """

    def __init__(self, has: Callable[[str], bool]) -> None:
        from pyqemu.targets.arm import insns

        insns.load()
        self._a32 = A32.tree(has), A32_UNCONDITIONAL.tree(has)
        self._thumb = T16.tree(has), T32.tree(has)
        self._decoders: dict[int, A32Decoder | ThumbDecoder] = {}

    def decoder(self, mode: int) -> A32Decoder | ThumbDecoder:
        """The decoder for one mode; shapes belong to it, because what they mean depends on the mode."""
        found = self._decoders.get(mode)
        if found is None:
            if mode & M_THUMB:
                found = ThumbDecoder(self._thumb, in_it_block=bool(mode & M_IT), plain=bool(mode & M_PLAIN_IT))
            else:
                found = A32Decoder(self._a32)
            self._decoders[mode] = found
        return found
