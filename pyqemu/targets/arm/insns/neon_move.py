"""Moved and rearranged registers (ARM DDI 0406C.b, A7.4.2, A7.4.5, A7.4.6): VDUP, VEXT, VTBL, VTRN, VMOV and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.arm import layout
from pyqemu.targets.arm.neon import data, registers, run
from pyqemu.targets.arm.simd import Form, write
from pyqemu.targets.arm.simd_move import (
    element_of,
    extract,
    look_up,
    modified_immediate,
    transposed,
    unzipped,
    wide_element,
    zipped,
)

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.targets.arm.vectors import VectorTranslator
    from pyqemu.tcg.builder import Value

Permute = Callable[["VectorTranslator", Form, int], "Value"]


def vmov_immediate(t: ArmTranslator, a: int, b: int, Vd: int, cmode: int, Q: int, op: int, c: int) -> None:
    """VMOV, VMVN, VORR, VBIC (immediate) (A7.4.6)."""
    if op and cmode == 15:
        t.undefined()
        return
    found = registers(t, Q, Vd)
    if found:
        modified_immediate(t, Form(64, bool(Q), found[0], found[0]), op, cmode, a << 7 | b << 4 | c)


data("vmov", "a:1", "1 Vd[4:4] 000 b:3 Vd[3:0] cmode:4 0 Q:1 op:1 1 c:4", vmov_immediate)


def vdup_scalar(t: ArmTranslator, imm4: int, Vd: int, Q: int, Vm: int) -> None:
    """VDUP (scalar) (A8.8.314)."""
    place = element_of(imm4) if imm4 & 7 else None
    if place is None or (Q and Vd & 1):
        t.undefined()
    elif t.vfp_enabled():
        (number,) = registers(t, Q, Vd)
        t.replicate(number, place[1], wide_element(t, Vm, *place), whole=bool(Q))


data("vdup", 1, "1 Vd[4:4] 11 imm4:4 Vd[3:0] 1100 0 Q:1 Vm[4:4] 0 Vm[3:0]", vdup_scalar)


def vext(t: ArmTranslator, Vn: int, Vd: int, imm4: int, Q: int, Vm: int) -> None:
    """VEXT (A8.8.316)."""
    if not Q and imm4 & 8:
        t.undefined()
        return
    found = registers(t, Q, Vd, Vn, Vm)
    if found:
        extract(t, Form(8, bool(Q), found[0], found[1], found[2]), imm4)


data("vext", 0, "1 Vd[4:4] 11 Vn[3:0] Vd[3:0] imm4:4 Vn[4:4] Q:1 Vm[4:4] 0 Vm[3:0]", vext)


def vtbl(t: ArmTranslator, Vn: int, Vd: int, len: int, op: int, Vm: int) -> None:
    """VTBL, VTBX (A8.8.419)."""
    if Vn + len > 31:  # UNPREDICTABLE
        t.undefined()
    elif t.vfp_enabled():
        table = [t.glob(layout.d(number), 128) for number in range(Vn, Vn + len, 2)]
        if not len & 1:
            table.append(t.vec("widen128", t.v(Vn + len, 64), out=t.temp(128)))
        look_up(t, Form(8, False, Vd, Vn, Vm), table, 8 * (len + 1), keep=bool(op))


data("vtbl", 1, "1 Vd[4:4] 11 Vn[3:0] Vd[3:0] 10 len:2 Vn[4:4] op:1 Vm[4:4] 0 Vm[3:0]", vtbl)


# --- two registers exchanged ------------------------------------------------------------------------------------------

REST = "1 Vd[4:4] 11 {size} 10 Vd[3:0] 0 {B} Q:1 Vm[4:4] 0 Vm[3:0]"


def vswp(t: ArmTranslator, Vd: int, Q: int, Vm: int) -> None:
    """VSWP (A8.8.418)."""

    def stage(t: VectorTranslator, form: Form) -> None:
        bits = 128 if form.whole else 64
        kept = t.mov(t.temp(bits), t.v(form.d, bits))
        t.mov(t.v(form.d, bits), t.v(form.n, bits))
        t.mov(t.v(form.n, bits), kept)

    run(t, stage, 8, Q, Vd, Vm)


def _permute(name: str, B: str, permute: Permute, *, pairs: bool) -> None:
    """VTRN, VUZP, VZIP.

    :param pairs: two elements of a D register can be rearranged
    """

    def stage(t: VectorTranslator, form: Form) -> None:
        both = Form(form.bits, form.whole, form.d, form.d, form.n)
        first, second = permute(t, both, 0), permute(t, both, 1)
        write(t, both, first)
        write(t, Form(form.bits, form.whole, form.n, form.n), second)

    def instruction(t: ArmTranslator, size: int, Vd: int, Q: int, Vm: int) -> None:
        if size == 3 or (size == 2 and not Q and not pairs):
            t.undefined()
        else:
            run(t, stage, 8 << size, Q, Vd, Vm)

    data(name, 1, REST.format(size="size:2", B=B), instruction)


data("vswp", 1, REST.format(size="00", B="0000"), vswp)
_permute("vtrn", "0001", transposed, pairs=True)
_permute("vuzp", "0010", unzipped, pairs=False)
_permute("vzip", "0011", zipped, pairs=False)
