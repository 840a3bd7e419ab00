"""Scalar conversions (ARM DDI 0487A.f, C4.4.6: between formats, to and from integers and fixed-point numbers)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import OrElse, soft, write
from pyqemu.targets.arm.fp_convert import format_rows, from_integer, to_integer
from pyqemu.targets.arm.simd import Form

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator

DIRECTIONS = {0: ("n", Rounding.NEAREST_EVEN), 1: ("p", Rounding.UP), 2: ("m", Rounding.DOWN),
              3: ("z", Rounding.TOWARD_ZERO)}  # fmt: skip
"""By the field ``rmode``: the letter of the mnemonic, and the rounding."""
BITS = {0: 32, 1: 64, 3: 16}  #: by the field ``type``


# --- to integers ------------------------------------------------------------------------------------------------------


def _to_integer(rmode: int, signed: bool, opcode: str) -> None:
    mark, rounding = ("a", Rounding.NEAREST_AWAY) if opcode[:2] == "10" else DIRECTIONS[rmode]

    def instruction(t: A64Translator, sf: int, type: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            out = t.dest(Rd, 64 if sf else 32)
            to_integer(t, t.v(Rn, 32 << type), out, signed=signed, mark=mark, rounding=rounding)

    name = f"fcvt{mark}{'s' if signed else 'u'}"
    A64.insn(f"sf:1 00 11110 0 type:1 1 {rmode:02b} {opcode} 000000 Rn:5 Rd:5", name=name)(instruction)


for _rmode in range(4):
    _to_integer(_rmode, True, "000")
    _to_integer(_rmode, False, "001")
_to_integer(0, True, "100")
_to_integer(0, False, "101")


def _to_fixed(signed: bool) -> None:
    def instruction(t: A64Translator, sf: int, type: int, scale: int, Rn: int, Rd: int) -> None:
        size, bits = 64 if sf else 32, 32 << type
        if not sf and scale < 32:
            t.undefined()
        elif t.fp_enabled():
            to_integer(t, t.v(Rn, bits), t.dest(Rd, size), signed=signed, mark="z", rounding=Rounding.TOWARD_ZERO,
                       fraction=64 - scale)  # fmt: skip

    name = f"fcvtz{'s' if signed else 'u'}"
    opcode = f"11 {'000' if signed else '001'}"
    A64.insn(f"sf:1 00 11110 0 type:1 0 {opcode} scale:6 Rn:5 Rd:5", name=name)(instruction)


# --- from integers ----------------------------------------------------------------------------------------------------


def _from_integer(signed: bool) -> None:
    def instruction(t: A64Translator, sf: int, type: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            from_integer(t, t.reg(Rn, 64 if sf else 32), 32 << type, Rd, signed=signed)

    def fixed(t: A64Translator, sf: int, type: int, scale: int, Rn: int, Rd: int) -> None:
        if not sf and scale < 32:
            t.undefined()
        elif t.fp_enabled():
            from_integer(t, t.reg(Rn, 64 if sf else 32), 32 << type, Rd, signed=signed, fraction=64 - scale)

    name = "scvtf" if signed else "ucvtf"
    opcode = "010" if signed else "011"
    A64.insn(f"sf:1 00 11110 0 type:1 1 00 {opcode} 000000 Rn:5 Rd:5", name=name)(instruction)
    A64.insn(f"sf:1 00 11110 0 type:1 0 00 {opcode} scale:6 Rn:5 Rd:5", name=name)(fixed)


for _signed in (False, True):
    _to_fixed(_signed)
    _from_integer(_signed)


# --- between formats --------------------------------------------------------------------------------------------------


def _formats(source: int, target: int) -> None:
    before, after = BITS[source], BITS[target]

    def instruction(t: A64Translator, Rn: int, Rd: int) -> None:
        if not t.fp_enabled():
            return
        form = Form(after, False, Rd, Rn, scalar=True)
        helper = fp_soft.conversion(before, after, 0, 0, 1, 0)
        if not t.exact_fp or 16 in (before, after):
            soft(t, helper, form)
            return
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            write(t, form, format_rows(t, t.v(Rn, before), slow))

    A64.insn(f"0 00 11110 {source:02b} 1 0001 {target:02b} 10000 Rn:5 Rd:5", name="fcvt")(instruction)


for _source in BITS:
    for _target in BITS:
        if _source != _target:
            _formats(_source, _target)
