"""Lazy condition flags (N Z C V) of both states.

An instruction that sets flags records what it did: its result, a second number (*source*) and the *kind* of operation.
Whoever needs a flag computes it. A kind is ``2 * operation``, plus 1 for 64 bits. Results are clean above their size.
**Z is** ``result == 0`` **for every kind**, known or not: a branch on Z never has to ask.

=========  ====================================================================================================
operation  ``source``, and the flags it gives (`r` is the result; N is its top bit everywhere but in IMAGE)
=========  ====================================================================================================
IMAGE      the flags themselves, at their places in PSTATE; the result is 0 if Z is set, else not 0
LOGIC      nothing. C = V = 0
ADD        the second addend b. The first one is r - b
SUB        the subtrahend b. The minuend is r + b. C is set where there is no borrow
CARRY      the carry out of every bit position: additions with carry, CCMP
SHIFTER    C and V at their places in PSTATE: AArch32's logical operations, whose carry is the shifter's (32 bits)
=========  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pyqemu.targets.arm.layout import CC_KIND, CC_RESULT, CC_SOURCE, NZCV, C, N, V, Z
from pyqemu.tcg.builder import Builder, Subroutine, Value
from pyqemu.tcg.ops import INVERSE

IMAGE, LOGIC, ADD, SUB, CARRY, SHIFTER = range(6)
KIND_IMAGE = 0
KINDS = 2 * SHIFTER + 1
AL = 14
CONDITION_NAMES = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv")

Comparison = tuple[str, Value, "Value | int"]  #: condition of the IR, its two operands


class FlagsRecord(Protocol):
    """What holds a lazy-flags record: the CPU."""

    cc_result: int
    cc_source: int
    cc_kind: int


def kind(operation: int, bits: int) -> int:
    """The kind of an operation on 32 or 64 bits."""
    return 2 * operation + (bits == 64)


# --- in Python --------------------------------------------------------------------------------------------------------


def compute(cc_kind: int, result: int, source: int) -> int:
    """N, Z, C and V, at their places in PSTATE, that a record stands for."""
    operation, bits = cc_kind >> 1, 64 if cc_kind & 1 else 32
    if operation == IMAGE:
        return source & NZCV
    mask, top = (1 << bits) - 1, 1 << bits - 1
    result, source = result & mask, source & mask
    carry = overflow = 0
    match operation:
        case 2:  # ADD
            first = result - source & mask
            carry, overflow = result < source, (first ^ result) & (source ^ result) & top
        case 3:  # SUB
            first = result + source & mask
            carry, overflow = first >= source, (first ^ source) & (first ^ result) & top
        case 4:  # CARRY
            carry, overflow = source & top, (source ^ source << 1) & top
        case 5:  # SHIFTER
            carry, overflow = source & C, source & V
    return (result & top and N) | (not result and Z) | (carry and C) | (overflow and V)


def record(image: int) -> tuple[int, int, int]:
    """Result, source and kind of the record that stands for flags at their places in PSTATE."""
    return ~image & Z, image & NZCV, KIND_IMAGE


def settle(cpu: FlagsRecord) -> None:
    """Turn the CPU's record into one of kind IMAGE."""
    cpu.cc_result, cpu.cc_source, cpu.cc_kind = record(compute(cpu.cc_kind, cpu.cc_result, cpu.cc_source))


def holds(condition: int, nzcv: int) -> bool:
    """Whether a condition (0 to 15, ARM DDI 0487A.f, C1.2.4) holds with flags at their places in PSTATE."""
    n, z, c, v = (bool(nzcv & bit) for bit in (N, Z, C, V))
    result = (z, c, n, v, c and not z, n == v, n == v and not z, True)[condition >> 1]
    return result if condition >= AL else result != bool(condition & 1)


# --- in IR ------------------------------------------------------------------------------------------------------------


class Flags:
    """Emits what computes flags from the record as it is at the start of the instruction.

    Conditions come as a comparison of the IR: ``t.brcond(*flags.condition(code), label)``. The instruction must not
    have written flags before, and must ask first outside of any part that is not always executed.
    """

    def __init__(self, t: Builder) -> None:
        self._t = t
        self._settled = False

    def known(self) -> int:
        """The kind of the record, which is made IMAGE where it is not known; that changes no flag."""
        if self._settled:
            return KIND_IMAGE
        found = self._t.cc_in
        if found is not None:
            return found
        t = self._t
        t.gosub(SETTLE)
        if t._conditional <= 0:
            t.cc_out = KIND_IMAGE
        self._settled = True
        return KIND_IMAGE

    def _record(self) -> tuple[int, Value, Value]:
        cc_kind = self.known()
        bits = 64 if cc_kind & 1 else 32
        return cc_kind >> 1, self._t.glob(CC_RESULT, bits), self._t.glob(CC_SOURCE, bits)

    def condition(self, code: int) -> Comparison:
        """The comparison that holds when a condition (0 to 13) does."""
        cond, a, b = self._positive(code >> 1)
        return (INVERSE[cond] if code & 1 else cond), a, b

    def _positive(self, number: int) -> Comparison:
        if number == 0:  # Z is the same for all kinds
            self._t.cc_in  # noqa: B018 -- tells that flags are read
            return "eq", self._t.glob(CC_RESULT, 64), 0
        return CONDITIONS[number](self)

    def setcond(self, code: int, bits: int = 32) -> Value:
        """1 where a condition holds, else 0; 32 or 64 bits."""
        value = self._t.setcond(*self.condition(code))
        return self._t.glob(value.offset, bits)  # the upper half of a 32-bit result is zero

    def image(self) -> Value:
        """All four flags at their places in PSTATE (32 bits)."""
        t = self._t
        operation, _, source = self._record()
        if operation == IMAGE:
            return source & NZCV
        image = self.setcond(4).shl(31) | self.setcond(0).shl(30)
        if operation == SHIFTER:
            return image | (source & (C | V))
        if operation != LOGIC:
            image = image | self.setcond(2).shl(29) | self.setcond(6).shl(28)
        return t.glob(image.offset, 32)

    # The positive conditions. Each returns a comparison for the record's kind.

    def carry(self) -> Comparison:
        """C."""
        operation, r, s = self._record()
        match operation:
            case 0 | 5:
                return "ne", s & C, 0
            case 2:
                return "ltu", r, s
            case 3:
                return "geu", r + s, s
            case 4:
                return "lts", s, 0
        return _never(r)

    def negative(self) -> Comparison:
        """N."""
        operation, r, s = self._record()
        return "lts", s if operation == IMAGE else r, 0

    def overflow(self) -> Comparison:
        """V."""
        operation, r, s = self._record()
        match operation:
            case 0 | 5:
                return "ne", s & V, 0
            case 2:
                return "lts", self._add_overflow(r, s), 0
            case 3:
                first = r + s
                return "lts", (first ^ s) & (first ^ r), 0
            case 4:
                return "lts", s ^ (s + s), 0
        return _never(r)

    @staticmethod
    def _add_overflow(r: Value, s: Value) -> Value:
        """V of an addition in the top bit."""
        first = r - s
        return (first ^ r) & (s ^ r)

    def higher(self) -> Comparison:
        """C and not Z."""
        operation, r, s = self._record()
        match operation:
            case 0:
                return "eq", s & (C | Z), C
            case 1:
                return _never(r)
            case 3:
                return "gtu", r + s, s
        return "ne", self._t.setcond(*self.carry()) & self._t.setcond("ne", r, 0), 0

    def greater_equal(self) -> Comparison:
        """N equals V."""
        operation, r, s = self._record()
        match operation:
            case 0:
                return "ges", s ^ s.shl(3), 0
            case 1:
                return "ges", r, 0
            case 2:
                return "ges", r ^ self._add_overflow(r, s), 0
            case 3:
                return "ges", r + s, s
            case 4:
                return "ges", r ^ s ^ (s + s), 0
        return "ges", r ^ s.shl(3), 0

    def greater(self) -> Comparison:
        """Not Z, and N equals V."""
        operation, r, s = self._record()
        match operation:
            case 0:
                return "eq", ((s ^ s.shl(3)) & N) | (s & Z), 0
            case 1:
                return "gts", r, 0
            case 3:
                return "gts", r + s, s
        return "ne", self._t.setcond(*self.greater_equal()) & self._t.setcond("ne", r, 0), 0


def _never(value: Value) -> Comparison:
    return "ltu", value, 0


CONDITIONS: dict[int, Callable[[Flags], Comparison]] = {
    1: Flags.carry,
    2: Flags.negative,
    3: Flags.overflow,
    4: Flags.higher,
    5: Flags.greater_equal,
    6: Flags.greater,
}


# --- records of unknown kind ------------------------------------------------------------------------------------------


def _settle_kind(t: Builder, cc_kind: int) -> None:
    t._cc_in = cc_kind
    image = Flags(t).image()
    t.mov(t.glob(CC_SOURCE, 32), image)
    t.mov(t.glob(CC_RESULT, 64), t.and_(t.not_(image), Z).zext(64))
    t.mov(t.glob(CC_KIND, 64), KIND_IMAGE)


def _search(t: Builder, kinds: range, done: Any, first_temporary: int) -> None:
    """Go to the code of the present kind, which is one of *kinds*."""
    if len(kinds) == 1:
        _settle_kind(t, kinds[0])
        t.br(done)
        return
    middle = len(kinds) // 2
    upper = t.label()
    t.brcond("geu", t.glob(CC_KIND, 64), kinds[middle], upper)
    _search(t, kinds[:middle], done, first_temporary)
    t.bind(upper)
    t._next = first_temporary  # the two halves never run both
    _search(t, kinds[middle:], done, first_temporary)


def _build_settle(t: Builder) -> None:
    done = t.label()
    kinds = range(kind(LOGIC, 32), KINDS)
    t.brcond("ltu", t.glob(CC_KIND, 64), kinds[0], done)
    _search(t, kinds, done, t._next)
    t.bind(done)


SETTLE = Subroutine(settle, _build_settle)
"""Makes a record one of kind IMAGE, whatever it is; this changes no flag."""
