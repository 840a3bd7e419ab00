"""Scalar conversions (ARM DDI 0487A.f, C4.4.6: between formats, to and from integers and fixed-point numbers)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import OrElse, branch_row, sticky, write
from pyqemu.targets.arm.simd import Form, soft
from pyqemu.tcg.builder import Label, Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.targets.arm.vectors import VectorTranslator

DIRECTIONS = {0: ("n", Rounding.NEAREST_EVEN), 1: ("p", Rounding.UP), 2: ("m", Rounding.DOWN),
              3: ("z", Rounding.TOWARD_ZERO)}  # fmt: skip
"""By the field ``rmode``: the letter of the mnemonic, and the rounding."""
BITS = {0: 32, 1: 64, 3: 16}  #: by the field ``type``


# --- to integers ------------------------------------------------------------------------------------------------------


def scaled(t: VectorTranslator, a: Value, exponent: int) -> Value:
    """*a* times a power of two, which is exact unless it overflows."""
    if not exponent:
        return a
    bias, fraction = (127, 23) if a.bits == 32 else (1023, 52)
    wide, factor = a.zext(64) if a.bits == 32 else a, t.value(bias + exponent << fraction, 64)
    return t.vec("mulss" if a.bits == 32 else "mulsd", wide, factor, out=t.temp(64)).low(a.bits)


def to_integer(t: A64Translator, a: Value, out: Value, *, signed: bool, mark: str, rounding: Rounding,
               fraction: int = 0) -> None:  # fmt: skip
    """*a* as an integer in *out*; unsigned ones of 32 bits are signed ones of 64 bits that do not get too large.

    :param fraction: so many of its bits are behind the point
    """
    size = out.bits

    def otherwise() -> None:
        t.call(fp_soft.register_to_integer, a.bits, size, int(signed), rounding + 1, fraction, a, returns=size,
               out=out)  # fmt: skip

    if not t.exact_fp:
        otherwise()
        return
    with OrElse(t, otherwise) as slow:
        t.mov(out, integer_rows(t, scaled(t, a, fraction), size, slow, signed=signed, mark=mark))


def integer_rows(t: VectorTranslator, a: Value, size: int, slow: Label, *, signed: bool, mark: str) -> Value:
    """The rows for it, which go to *slow* where there is more to signal than what is known."""
    scalar = "ss" if a.bits == 32 else "sd"
    whole = a if mark == "z" else t.vec(f"rint{mark}{scalar}", a, out=t.temp(a.bits))
    wide = size if signed else 64
    value = t.vec(f"cvtt{a.bits}_i{wide}", whole, out=t.temp(wide))
    branch_row(t, f"slow_cvt{a.bits}_i{wide}", slow, a.offset, value.offset, sticky(t).offset)
    if not signed:
        t.brcond("gtu", value, (1 << 32) - 1 if size == 32 else (1 << 63) - 1, slow)
    return value.low(size)


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


def from_integer(t: A64Translator, value: Value, bits: int, number: int, *, signed: bool, fraction: int = 0) -> None:
    """An integer or fixed-point number as a scalar of *bits* bits in a vector register."""
    form = Form(bits, False, number, 0, scalar=True)
    size = value.bits

    def otherwise() -> None:
        result = t.temp(64)
        t.call(fp_soft.integer_to_register, bits, size, int(signed), fraction, value, returns=64, out=result)
        write(t, form, result)

    if not t.exact_fp:
        otherwise()
        return
    with OrElse(t, otherwise) as slow:
        write(t, form, scaled(t, float_rows(t, value, bits, slow, signed=signed), -fraction))


def float_rows(t: VectorTranslator, value: Value, bits: int, slow: Label, *, signed: bool) -> Value:
    """The rows for it, which go to *slow* where there is more to signal than what is known."""
    wide = value if signed or value.bits == 64 else t.extend(value, 64, signed=False)
    if not signed and value.bits == 64:
        t.brcond("lts", value, 0, slow)
    row = f"cvt{wide.bits}_{bits}"
    if "slow_" + row in t.table:
        branch_row(t, "slow_" + row, slow, wide.offset, sticky(t).offset)
    return t.vec(row, wide, out=t.temp(bits))


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


def format_rows(t: A64Translator, a: Value, slow: Label) -> Value:
    """A single as a double or the other way, with rows that go to *slow* where there is more to signal."""
    if a.bits == 32:
        branch_row(t, "slow_single_double", slow, a.offset)
        return t.vec("cvt_single_double", a, out=t.temp(64))
    value = t.vec("cvt_double_single", a, out=t.temp(32))
    branch_row(t, "slow_double_single", slow, a.offset, value.offset, sticky(t).offset)
    return value


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
