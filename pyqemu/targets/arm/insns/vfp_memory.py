"""Loads and stores of extension registers (ARM DDI 0406C.b, A7.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.extension import SINGLES
from pyqemu.targets.arm.modes import M_ALIGN
from pyqemu.targets.arm.vfp import number_of, usable, vfp

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.hole import Hole


def load_register(t: ArmTranslator, number: int, address: Value, disp: int | Hole) -> None:
    """Load an S or D register. It has words, and so has to be aligned as a word where that is asked for."""
    if t.mode & M_ALIGN:
        t.check_aligned(address, disp, 4, write=False)
    size = 4 if number >= SINGLES else 8
    if size == 8 and not t.big_endian:
        t.ld(address, disp, size=8, out=t.v(number, 64), addr_bits=32)
        return
    value = t.ld(address, disp, size=size, to=8 * size, addr_bits=32)
    t.set_scalar(number, t.bswap(value) if t.big_endian else value)


def store_register(t: ArmTranslator, number: int, address: Value, disp: int | Hole) -> None:
    """Store an S or D register."""
    if t.mode & M_ALIGN:
        t.check_aligned(address, disp, 4, write=True)
    size = 4 if number >= SINGLES else 8
    value = t.v(number, 8 * size)
    t.st(address, t.bswap(value) if t.big_endian else value, disp, size=size, addr_bits=32)


def offset(U: int, imm8: int) -> int:
    """What an immediate adds to the base."""
    return 4 * imm8 if U else -4 * imm8


def _base(t: ArmTranslator, Rn: int) -> Value:
    return t.value(t.pc_aligned, 32) if Rn == 15 else t.reg(Rn)


@vfp("1101 U:1 D:1 0 1 Rn:4 Vd:4 101 sz:1 imm8:8", name="vldr", disp=offset)
def vldr(t: ArmTranslator, D: int, Rn: int, Vd: int, sz: int, disp: Hole) -> None:
    """VLDR (A8.8.333)."""
    number = number_of(64 if sz else 32, D, Vd)
    if usable(t, number):
        load_register(t, number, _base(t, Rn), disp)


@vfp("1101 U:1 D:1 0 0 Rn:4 Vd:4 101 sz:1 imm8:8", name="vstr", disp=offset)
def vstr(t: ArmTranslator, D: int, Rn: int, Vd: int, sz: int, disp: Hole) -> None:
    """VSTR (A8.8.413)."""
    number = number_of(64 if sz else 32, D, Vd)
    if usable(t, number):
        store_register(t, number, _base(t, Rn), disp)


# --- many registers ---------------------------------------------------------------------------------------------------


def _multiple(t: ArmTranslator, first: int, count: int, words: int, Rn: int, *, down: int, back: int,
              load: int) -> None:  # fmt: skip
    """Load or store registers that follow each other; an odd number of words (FLDMX, FSTMX) counts for the base only.

    Lists that are too long are UNPREDICTABLE, and UNDEFINED here.
    """
    single, size = first >= SINGLES, 4 if first >= SINGLES else 8
    last = first + count - 1
    limit = SINGLES + 32 if single else 32
    if not count or last >= limit or (not single and count > 16) or (Rn == 15 and (back or (t.thumb and not load))):
        t.undefined()
        return
    if not usable(t, first, last):
        return
    base, disp = _base(t, Rn), -4 * words if down else 0
    for index in range(count):
        (load_register if load else store_register)(t, first + index, base, disp + size * index)
    if back:
        t.add(base, -4 * words if down else 4 * words, out=base)


def _enter(load: int) -> None:
    name = "vldm" if load else "vstm"

    def increment(t: ArmTranslator, D: int, W: int, Rn: int, Vd: int, sz: int, imm8: int) -> None:
        first = number_of(64 if sz else 32, D, Vd)
        _multiple(t, first, imm8 >> sz, imm8, Rn, down=0, back=W, load=load)

    def decrement(t: ArmTranslator, D: int, Rn: int, Vd: int, sz: int, imm8: int) -> None:
        first = number_of(64 if sz else 32, D, Vd)
        _multiple(t, first, imm8 >> sz, imm8, Rn, down=1, back=1, load=load)

    vfp(f"1100 1 D:1 W:1 {load} Rn:4 Vd:4 101 sz:1 imm8:8", name=name)(increment)
    vfp(f"1101 0 D:1 1 {load} Rn:4 Vd:4 101 sz:1 imm8:8", name=name)(decrement)


_enter(0)
_enter(1)
