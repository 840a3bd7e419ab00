"""Lazy arithmetic flags (CF PF AF ZF SF OF).

Most instructions write all six flags and hardly anybody looks. So an instruction only records what it did:
its result (``cc_dst``), a second number (``cc_src``) and the *kind* of the operation (``cc_op``), and whoever
needs a flag computes it. A kind is ``operation * 4 + log2(bytes)``. Both numbers are of the operation's size;
bits above it mean nothing in ``cc_src`` and are zero in ``cc_dst``. That way **ZF is ``cc_dst == 0`` for
every kind**, known or not: a jump on ZF never has to ask.

==========  ===================================================================================================
operation   ``cc_src``, and the flags it gives (`r` is ``cc_dst``; ZF, SF, PF are those of `r` everywhere but in EFLAGS)
==========  ===================================================================================================
EFLAGS      the flags themselves, at their places in EFLAGS; ``cc_dst`` is 0 if ZF is set, else not 0
LOGIC       nothing. CF = OF = AF = 0
ADD         the second addend b. The first one is r - b
SUB         the subtrahend b. The minuend is r + b
CARRY       the carry (or borrow) out of every bit position: additions and subtractions with carry
SHL         the operand shifted by count - 1: CF is its top bit, OF = CF ^ SF (what a count of 1 gives)
SAR         the operand shifted by count - 1: CF is its low bit, OF is set if its top bit and r's differ
MUL         1 or 0: CF and OF
INC, DEC    1 or 0: CF, which these instructions leave alone
==========  ===================================================================================================

Kinds from MUL upwards have CF itself in ``cc_src``: that makes ``dec``/``jnz`` loops cheap whose kind is not known at
the head of the block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pyqemu.targets.x86.layout import AF, CC_DST, CC_MASK, CC_OP, CC_SRC, CF, OF, PF, SF, ZF
from pyqemu.tcg.ops import INVERSE

if TYPE_CHECKING:
    from pyqemu.targets.x86.translator import X86Translator
    from pyqemu.tcg.builder import Value

EFLAGS, LOGIC, ADD, SUB, CARRY, SHL, SAR, MUL, INC, DEC = range(10)
CC_OP_EFLAGS = 0
SIZE_LOG = {8: 0, 16: 1, 32: 2, 64: 3}
CONDITION_NAMES = ("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g")

Comparison = tuple[str, "Value", "Value | int"]  # condition of the IR, its two operands


class FlagsRecord(Protocol):
    """What holds a lazy-flags record: the CPU."""

    cc_op: int
    cc_dst: int
    cc_src: int


def kind(operation: int, bits: int) -> int:
    """Return the kind of `operation` on operands of `bits` bits."""
    return operation * 4 + SIZE_LOG[bits]


# --- in Python --------------------------------------------------------------------------------------------------------


def compute(cc_op: int, cc_dst: int, cc_src: int) -> int:
    """Return the six flags, at their places in EFLAGS, that a record stands for."""
    operation, bits = cc_op >> 2, 8 << (cc_op & 3)
    if operation == EFLAGS:
        return cc_src & CC_MASK
    mask, sign = (1 << bits) - 1, 1 << bits - 1
    result, source = cc_dst & mask, cc_src & mask
    carry, overflow, adjust = _carries(operation, result, source, mask, sign)
    parity = not (result & 0xFF).bit_count() & 1
    return (
        (carry and CF)
        | (parity and PF)
        | (adjust and AF)
        | (not result and ZF)
        | (result & sign and SF)
        | (overflow and OF)
    )


def _carries(operation: int, result: int, source: int, mask: int, sign: int) -> tuple[int, int, int]:
    """Return CF, OF and AF, each zero or not."""
    match operation:
        case 2:  # ADD
            first = result - source & mask
            return result < source, (first ^ result) & (source ^ result) & sign, (first ^ source ^ result) & 0x10
        case 3:  # SUB
            first = result + source & mask
            return first < source, (first ^ source) & (first ^ result) & sign, (first ^ source ^ result) & 0x10
        case 4:  # CARRY
            return source & sign, (source ^ source << 1) & sign, source & 8
        case 5:  # SHL
            return source & sign, (source ^ result) & sign, 0
        case 6:  # SAR
            return source & 1, (source ^ result) & sign, 0
        case 7:  # MUL
            return source, source, 0
        case 8:  # INC
            return source, result == sign, not result & 15
        case 9:  # DEC
            return source, result == sign - 1, result & 15 == 15
    return 0, 0, 0


def record(image: int) -> tuple[int, int, int]:
    """Return ``(cc_op, cc_dst, cc_src)`` for flags at their places in EFLAGS."""
    return CC_OP_EFLAGS, ~image & ZF, image & CC_MASK


def settle(cpu: FlagsRecord) -> None:
    """Turn the CPU's record into one of kind EFLAGS; a helper for translated code."""
    cpu.cc_op, cpu.cc_dst, cpu.cc_src = record(compute(cpu.cc_op, cpu.cc_dst, cpu.cc_src))


# --- in IR ------------------------------------------------------------------------------------------------------------


class Flags:
    """Emits what computes flags from the record as it is at the start of the instruction.

    Conditions come as a comparison of the IR: ``t.brcond(*flags.condition(code), label)``. The instruction must not
    have written flags before.
    """

    def __init__(self, t: X86Translator) -> None:
        self._t = t
        self._settled = False

    def _known(self) -> int | None:
        return CC_OP_EFLAGS if self._settled else self._t.cc_in

    def _settle(self) -> None:
        """Make the kind EFLAGS where it is not known, which changes no flag."""
        if self._known() is None:
            self._t.settle_flags()
            self._settled = True

    def _record(self) -> tuple[int, Value, Value]:
        """Return operation, result and source of the record; its kind must be known."""
        cc_op = self._known() or 0
        bits = 8 << (cc_op & 3) if cc_op >> 2 else 32
        return cc_op >> 2, self._t.glob(CC_DST, bits), self._t.glob(CC_SRC, bits)

    def condition(self, code: int) -> Comparison:
        """Return the comparison that holds when condition `code` (0-15, SDM vol. 2, B.1.4.7) does."""
        cond, a, b = self._positive(code & 14)
        return (INVERSE[cond] if code & 1 else cond), a, b

    def _positive(self, code: int) -> Comparison:
        if code == 4:  # ZF: the same for all kinds
            self._t.cc_in  # noqa: B018 -- tells that flags are read
            return "eq", self._t.glob(CC_DST, 64), 0
        self._settle()
        return CONDITIONS[code](self)

    def setcond(self, code: int, bits: int = 32) -> Value:
        """Return 1 if condition `code` holds, else 0; `bits` is 32 or 64."""
        value = self._t.setcond(*self.condition(code))
        return self._t.glob(value.offset, bits)  # the upper half of a 32-bit result is zero

    def carry(self, bits: int = 32) -> Value:
        """Return CF as 1 or 0; `bits` may be any width."""
        t = self._t
        if self._known() is not None:
            return self.setcond(2).low(bits)
        out = t.temp(32)
        out.set(t.glob(CC_SRC, 32))
        with t.if_("ltu", t.glob(CC_OP, 32), MUL * 4):
            t.compute_carry(out)
        return t.glob(out.offset, bits)

    def image(self) -> Value:
        """Return all six flags at their places in EFLAGS (32 bits)."""
        t = self._t
        self._settle()
        operation, result, source = self._record()
        if operation == EFLAGS:
            return source & CC_MASK
        image = self.setcond(2)
        for code, shift in ((10, 2), (4, 6), (8, 7), (0, 11)):
            image = image | self.setcond(code).shl(shift)
        adjust = self._adjust(operation, result, source)
        return image if adjust is None else image | t.glob(adjust.offset, 32)

    def _adjust(self, operation: int, result: Value, source: Value) -> Value | None:
        """Return AF at its place, in a slot that is clean up to bit 31."""
        t = self._t
        match operation:
            case 2:  # ADD
                return self._byte(result ^ source ^ (result - source))
            case 3:  # SUB
                return self._byte(result ^ source ^ (result + source))
            case 4:  # CARRY
                return self._byte(source + source)
            case 8:  # INC
                return t.setcond("eq", result.low(8) & 15, 0).shl(4)
            case 9:  # DEC
                return t.setcond("eq", result.low(8) & 15, 15).shl(4)
        return None

    def _byte(self, value: Value) -> Value:
        return (value.low(8) & AF).zext(32)

    # The positive conditions. Each returns a comparison for the record's kind.

    def overflow(self) -> Comparison:
        """OF."""
        operation, r, s = self._record()
        sign = 1 << r.bits - 1
        match operation:
            case 0:
                return "ne", s & OF, 0
            case 2:
                first = r - s
                return "lts", (first ^ r) & (s ^ r), 0
            case 3:
                first = r + s
                return "lts", (first ^ s) & (first ^ r), 0
            case 4:
                return "lts", s ^ (s + s), 0
            case 5 | 6:
                return "lts", s ^ r, 0
            case 7:
                return "ne", s, 0
            case 8:
                return "eq", r, sign
            case 9:
                return "eq", r, sign - 1
        return _never(r)

    def below(self) -> Comparison:
        """CF."""
        operation, r, s = self._record()
        match operation:
            case 0:
                return "ne", s & CF, 0
            case 1:
                return _never(r)
            case 2:
                return "ltu", r, s
            case 3:
                return "ltu", r + s, s
            case 4 | 5:
                return "lts", s, 0
            case 6:
                return "ne", s & 1, 0
        return "ne", s, 0

    def below_equal(self) -> Comparison:
        """CF or ZF."""
        operation, r, s = self._record()
        match operation:
            case 0:
                return "ne", s & (CF | ZF), 0
            case 1:
                return "eq", r, 0
            case 3:
                return "leu", r + s, s
        return "ne", self._t.setcond(*self.below()) | self._t.setcond("eq", r, 0), 0

    def sign(self) -> Comparison:
        """SF."""
        operation, r, s = self._record()
        return ("ne", s & SF, 0) if operation == EFLAGS else ("lts", r, 0)

    def parity(self) -> Comparison:
        """PF."""
        operation, r, s = self._record()
        if operation == EFLAGS:
            return "ne", s & PF, 0
        return "eq", self._t.popcnt(r.low(8)) & 1, 0

    def less(self) -> Comparison:
        """SF differs from OF."""
        operation, r, s = self._record()
        match operation:
            case 0:
                return "ne", (s.shr(4) ^ s) & SF, 0
            case 1:
                return "lts", r, 0
            case 3:
                return "lts", r + s, s
        return "ne", self._t.setcond(*self.sign()) ^ self._t.setcond(*self.overflow()), 0

    def less_equal(self) -> Comparison:
        """ZF, or SF differs from OF."""
        operation, r, s = self._record()
        match operation:
            case 1:
                return "les", r, 0
            case 3:
                return "les", r + s, s
        return "ne", self._t.setcond(*self.less()) | self._t.setcond("eq", self._t.glob(CC_DST, 64), 0), 0


def _never(value: Value) -> Comparison:
    return "ltu", value, 0


CONDITIONS: dict[int, Callable[[Flags], Comparison]] = {
    0: Flags.overflow,
    2: Flags.below,
    6: Flags.below_equal,
    8: Flags.sign,
    10: Flags.parity,
    12: Flags.less,
    14: Flags.less_equal,
}
