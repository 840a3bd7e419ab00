"""Loads and stores of elements and structures (ARM DDI 0406C.b, A7.7; A8.8.320 to A8.8.331, A8.8.404 to A8.8.412).

Where memory is little-endian, whole vectors are moved and rearranged; where not, element for element. Lists of
registers that go beyond D31, and a base in R15, are UNPREDICTABLE; here they are UNDEFINED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyqemu.targets.arm import layout
from pyqemu.targets.arm.neon import memory
from pyqemu.targets.arm.simd_structures import deinterleave, interleave

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value


class Multiple(NamedTuple):
    """What the field ``type`` says.

    :ivar structure: elements of a structure
    :ivar step: from the register of one element to that of the next
    :ivar repeat: registers with the same element
    :ivar most: the largest value of the field ``align``
    """

    structure: int
    step: int
    repeat: int
    most: int


TYPES = {
    0b0111: Multiple(1, 1, 1, 1), 0b1010: Multiple(1, 1, 2, 2), 0b0110: Multiple(1, 1, 3, 1),
    0b0010: Multiple(1, 1, 4, 3), 0b1000: Multiple(2, 1, 1, 2), 0b1001: Multiple(2, 2, 1, 2),
    0b0011: Multiple(2, 2, 2, 3), 0b0100: Multiple(3, 1, 1, 1), 0b0101: Multiple(3, 2, 1, 1),
    0b0000: Multiple(4, 1, 1, 3), 0b0001: Multiple(4, 2, 1, 3),
}  # fmt: skip


def base_of(t: ArmTranslator, Rn: int, last: int, alignment: int, element: int, *, write: bool) -> Value | None:
    """The base, once an address that is not aligned as it should be has faulted; None: nothing may be done.

    :param last: the highest register
    :param alignment: what the instruction asks for, in bytes; 1: that of elements only, where SCTLR.A wants it
    """
    if Rn == 15 or last > 31:
        t.undefined()
        return None
    if not t.vfp_enabled():
        return None
    base = t.reg(Rn)
    if alignment == 1 and t.mode_aligns:
        alignment = element
    if alignment > 1:
        t.check_aligned(base, 0, alignment, write=write)
    return base


def advance(t: ArmTranslator, Rn: int, Rm: int, count: int) -> None:
    """Move the base on: by what was transferred (Rm is 13), by a register, or not at all (15)."""
    if Rm != 15:
        t.add(t.reg(Rn), count if Rm == 13 else t.reg(Rm), out=t.reg(Rn))


# --- whole registers --------------------------------------------------------------------------------------------------


def multiple(t: ArmTranslator, L: int, Rn: int, Vd: int, type: int, size: int, align: int, Rm: int) -> None:
    """VLD1 to VLD4, VST1 to VST4 (multiple structures)."""
    kind = TYPES.get(type)
    if kind is None or align > kind.most or (size == 3 and kind.structure > 1):
        t.undefined()
        return
    count = kind.structure * kind.repeat
    last = Vd + kind.step * (kind.structure - 1) + kind.repeat - 1
    base = base_of(t, Rn, last, 4 << align if align else 1, 1 << size, write=not L)
    if base is None:
        return
    if t.big_endian:
        _by_elements(t, L, base, kind, Vd, size)
    elif kind.structure == 1:
        for first in range(0, count, 2):
            _move(t, L, base, 8 * first, t.glob(layout.d(Vd + first), 128 if count - first > 1 else 64))
    else:
        _structures(t, L, base, kind, Vd, size)
    advance(t, Rn, Rm, 8 * count)


def _move(t: ArmTranslator, L: int, base: Value, disp: int, value: Value) -> Value:
    """Load or store a whole value, at whatever address."""
    if L:
        t.ld(base, disp, size=value.bits // 8, out=value, addr_bits=32)
    else:
        t.st(base, value, disp, size=value.bits // 8, addr_bits=32)
    return value


def _structures(t: ArmTranslator, L: int, base: Value, kind: Multiple, Vd: int, size: int) -> None:
    """Structures of two to four elements, as many as fill the registers."""
    length = 8 * kind.structure * kind.repeat
    places = [t.glob(layout.d(Vd + kind.step * n), 64 * kind.repeat) for n in range(kind.structure)]
    widths = [128 if length - at > 8 else 64 for at in range(0, length, 16)]
    if L:
        loaded = [_move(t, 1, base, 16 * n, t.temp(width)) for n, width in enumerate(widths)]
        for place, value in zip(places, deinterleave(t, 8 << size, kind.structure, loaded), strict=True):
            t.mov(place, value.low(place.bits))
    else:
        for n, value in enumerate(interleave(t, 8 << size, places)):
            _move(t, 0, base, 16 * n, value.low(widths[n]))


def _by_elements(t: ArmTranslator, L: int, base: Value, kind: Multiple, Vd: int, size: int) -> None:
    step, at = 1 << size, 0
    for register in range(kind.repeat):
        for index in range(8 // step):
            for n in range(kind.structure):
                number = Vd + register + kind.step * n
                _element(t, L, base, at, number, index, step)
                at += step


def _element(t: ArmTranslator, L: int, base: Value, disp: int, number: int, index: int, size: int) -> None:
    """Load or store one element of *size* bytes."""
    if L:
        t.set_element(number, index, 8 * size, t.load(base, disp, size=size))
    else:
        t.store(base, t.element(number, index, 8 * size), disp, size=size)


memory("vld1", "0 Vd[4:4] L:1 0 Rn:4 Vd[3:0] type:4 size:2 align:2 Rm:4", multiple)


# --- one element of each register -------------------------------------------------------------------------------------


class Lane(NamedTuple):
    """What the field ``index_align`` says."""

    element: int
    step: int
    alignment: int


def lane_of(count: int, size: int, field: int) -> Lane | None:
    """Table of A8.8.321, A8.8.324, A8.8.327, A8.8.330 and their like; None: UNDEFINED."""
    element, step = field >> size + 1, 1
    low = field & (2 << size) - 1  # what is below the number of the element
    if size and count > 1:
        step = 1 + (low >> size)
        low &= (1 << size) - 1
    whole = count << size
    if count == 1 and size == 2:
        alignment = {0b000: 1, 0b011: 4}.get(low)
    elif count == 4 and size == 2:
        alignment = {0b00: 1, 0b01: 8, 0b10: 16}.get(low)
    elif count == 3 or (count == 1 and size == 0):
        alignment = 1 if not low else None
    else:
        alignment = {0: 1, 1: whole}.get(low)
    return None if alignment is None else Lane(element, step, alignment)


def single(t: ArmTranslator, L: int, Rn: int, Vd: int, size: int, count: int, field: int, Rm: int) -> None:
    """VLD1 to VLD4, VST1 to VST4 (single element or structure, one lane)."""
    count += 1
    lane = lane_of(count, size, field)
    if lane is None:
        t.undefined()
        return
    base = base_of(t, Rn, Vd + lane.step * (count - 1), lane.alignment, 1 << size, write=not L)
    if base is None:
        return
    for n in range(count):
        _element(t, L, base, n << size, Vd + lane.step * n, lane.element, 1 << size)
    advance(t, Rn, Rm, count << size)


def _single(size: int) -> None:
    def instruction(t: ArmTranslator, L: int, Rn: int, Vd: int, count: int, field: int, Rm: int) -> None:
        single(t, L, Rn, Vd, size, count, field, Rm)

    memory("vld1", f"1 Vd[4:4] L:1 0 Rn:4 Vd[3:0] {size:02b} count:2 field:4 Rm:4", instruction)


for _size in range(3):
    _single(_size)


# --- one element to all lanes -----------------------------------------------------------------------------------------


def replicated(t: ArmTranslator, Rn: int, Vd: int, count: int, size: int, T: int, a: int, Rm: int) -> None:
    """VLD1 to VLD4 (single element or structure, to all lanes)."""
    count += 1
    no_hint = count == 3 or (count == 1 and size == 0)
    if (a and no_hint) or (size == 3 and not (count == 4 and a)):
        t.undefined()
        return
    alignment = 1
    if a:
        alignment = {2: 8, 3: 16}.get(size, 4 << size) if count == 4 else count << size
    size = min(size, 2)
    registers = 1 + T if count == 1 else 1
    step = 1 if count == 1 else 1 + T
    last = Vd + step * (count - 1) + registers - 1
    base = base_of(t, Rn, last, alignment, 1 << size, write=False)
    if base is None:
        return
    values = [t.load(base, n << size, size=1 << size).zext(64) for n in range(count)]
    for n, value in enumerate(values):
        for register in range(registers):
            t.replicate(Vd + step * n + register, 8 << size, value, whole=False)
    advance(t, Rn, Rm, count << size)


memory("vld1", "1 Vd[4:4] 1 0 Rn:4 Vd[3:0] 11 count:2 size:2 T:1 a:1 Rm:4", replicated)
