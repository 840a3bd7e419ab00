"""Scalar comparisons (ARM DDI 0487A.f, C4.4.6: floating-point compare, conditional compare)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm.flags import AL
from pyqemu.targets.arm.fp import compared
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


def _compared(t: A64Translator, bits: int, Rn: int, Rm: int | None, *, signaling: int) -> Value:
    """The flags of a comparison of two registers, or with zero."""
    b = t.value(0, bits) if Rm is None else t.v(Rm, bits)
    return compared(t, t.v(Rn, bits), b, signaling=signaling)


@A64.insn("0 00 11110 0 type:1 1 Rm:5 00 1000 Rn:5 e:1 0 000")
def fcmp(t: A64Translator, type: int, Rm: int, Rn: int, e: int) -> None:
    """FCMP, FCMPE (C6.3.50)."""
    if t.fp_enabled():
        t.set_nzcv(_compared(t, 32 << type, Rn, Rm, signaling=e))


@A64.insn("0 00 11110 0 type:1 1 xxxxx 00 1000 Rn:5 e:1 1 000", name="fcmp")
def fcmp_zero(t: A64Translator, type: int, Rn: int, e: int) -> None:
    """FCMP, FCMPE with zero (C6.3.50)."""
    if t.fp_enabled():
        t.set_nzcv(_compared(t, 32 << type, Rn, None, signaling=e))


@A64.insn("0 00 11110 0 type:1 1 Rm:5 cond:4 01 Rn:5 e:1 nzcv:4")
def fccmp(t: A64Translator, type: int, Rm: int, cond: int, Rn: int, e: int, nzcv: int) -> None:
    """FCCMP, FCCMPE (C6.3.48)."""
    if not t.fp_enabled():
        return
    if cond >= AL:
        t.set_nzcv(_compared(t, 32 << type, Rn, Rm, signaling=e))
        return
    holds = t.flags.setcond(cond)
    image = t.value(nzcv << 28, 32)
    with t.if_("ne", holds, 0):
        t.mov(image, _compared(t, 32 << type, Rn, Rm, signaling=e))
    t.set_nzcv(image)
