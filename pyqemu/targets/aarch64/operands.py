"""Operands of A64 instructions: widths, shifted and extended registers, immediates that stand for patterns of bits.

Functions that return None say that the encoding is unallocated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.flags import CARRY, kind

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.builder import Value

M32, M64 = (1 << 32) - 1, (1 << 64) - 1
UXTW, LSL_UXTX, SXTW, SXTX = 2, 3, 6, 7


def width(sf: int) -> int:
    """The width of an operation, by its bit ``sf``."""
    return 64 if sf else 32


def logical_immediate(sf: int, N: int, immr: int, imms: int) -> int | None:
    """The immediate of a logical operation: a rotated run of ones, repeated (J1.3, "DecodeBitMasks")."""
    if N and not sf:
        return None
    size = (N << 6 | ~imms & 0x3F).bit_length() - 1  # binary logarithm of an element's bits
    if size < 1:
        return None
    bits = 1 << size
    ones, turn = (imms & bits - 1) + 1, immr & bits - 1
    if ones == bits:
        return None
    run = (1 << ones) - 1
    element = (run >> turn | run << bits - turn) & (1 << bits) - 1
    return element * (M64 // ((1 << bits) - 1)) & (M64 if sf else M32)


def add_immediate(sh: int, imm12: int) -> int:
    """The immediate of an addition or subtraction."""
    return imm12 << 12 * sh


def move_wide(sf: int, hw: int, imm16: int) -> int | None:
    """The immediate of MOVZ and MOVK at its place."""
    return imm16 << 16 * hw if sf or hw < 2 else None


def move_wide_inverted(sf: int, hw: int, imm16: int) -> int | None:
    """The value that MOVN gives."""
    found = move_wide(sf, hw, imm16)
    return None if found is None else ~found & (M64 if sf else M32)


def shifted(t: A64Translator, sf: int, Rm: int, shift: int, amount: int) -> Value | None:
    """A register, shifted: LSL, LSR, ASR, ROR; None where the amount is too large."""
    if not sf and amount > 31:
        return None
    value = t.reg(Rm, width(sf))
    if not amount or Rm == 31:
        return value
    return (t.shl, t.shr, t.sar, t.rotr)[shift](value, amount)


def extended(t: A64Translator, bits: int, Rm: int, option: int, shift: int = 0) -> Value:
    """A register, extended from a part of it and shifted left (J1.3, "ExtendReg")."""
    narrow = 8 << (option & 3)
    value = t.reg(Rm, 64).low(min(narrow, bits))
    value = t.extend(value, bits, signed=bool(option & 4))
    return value.shl(shift) if shift else value


def carries(a: Value, b: Value, result: Value) -> Value:
    """The carry out of every bit position of ``a + b + carry = result``."""
    t = a.builder
    return (a & b) | t.and_(a | b, ~result)


def add_with_carry(t: A64Translator, a: Value, b: Value, out: Value, *, set_flags: bool) -> None:
    """``a + b + C``; who subtracts inverts *b*."""
    carry = t.flags.setcond(2, a.bits)
    if not set_flags:
        t.add(a + b, carry, out=out)
        return
    result = a + b + carry
    record = carries(a, b, result)
    t.cc_record(result, record, kind(CARRY, a.bits))
    t.mov(out, result)
