"""SSSE3 (SDM vol. 1, 5.8), on MMX and XMM registers."""

from __future__ import annotations

from pyqemu.targets.x86 import simd_soft
from pyqemu.targets.x86.insns.sse_float import halves
from pyqemu.targets.x86.insns.sse_integer import byte_of, vertical
from pyqemu.targets.x86.operands import ImmediateOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import Stage, mmx, named, sse, vector, write_mmx
from pyqemu.targets.x86.translator import X86Translator

#: Instruction → opcode byte after 0F38.
IN_SOFTWARE = {
    "phaddw": 0x01, "phaddd": 0x02, "phaddsw": 0x03, "pmaddubsw": 0x04, "phsubw": 0x05, "phsubd": 0x06, "phsubsw": 0x07,
    "psignb": 0x08, "psignw": 0x09, "psignd": 0x0A, "pmulhrsw": 0x0B, "pabsb": 0x1C, "pabsw": 0x1D, "pabsd": 0x1E,
}  # fmt: skip


def software(name: str, module: str = __name__) -> Stage:
    """Return the function of an XMM instruction that `simd_soft.py` does."""
    number = simd_soft.NAMES.index(name)

    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        t.call(simd_soft.apply, number, dst.number, *halves(t, vector(t, src)))

    return sse(named(stage, name, module))


def _software_mmx(name: str) -> Stage:
    number = simd_soft.NAMES.index(name)

    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        t.call(simd_soft.apply_mmx, number, dst.get(), src.get(), out=dst.get(), returns=64)
        write_mmx(t, dst)

    return mmx(named(stage, "m_" + name, __name__))


for _name, _code in IN_SOFTWARE.items():
    op(f"66 0F38{_code:02X}", "Vx Wx", feature="ssse3")(software(_name))
    op(f"NP 0F38{_code:02X}", "Pq Qq", feature="ssse3")(_software_mmx(_name))
op("66 0F3800", "Vx Wx", feature="ssse3")(vertical("pshufb", __name__))


@op("NP 0F3800", "Pq Qq", feature="ssse3")
@mmx
def m_pshufb(t: X86Translator, dst: Operand, src: Operand) -> None:
    """PSHUFB."""
    t.call(simd_soft.shuffle_mmx, dst.get(), src.get(), out=dst.get(), returns=64)
    write_mmx(t, dst)


@op("66 0F3A0F", "Vx Wx Ib", feature="ssse3")
@sse
def palignr(t: X86Translator, dst: Operand, src: Operand, count: ImmediateOperand) -> None:
    """PALIGNR: 16 bytes of destination and source side by side."""
    value, distance, register = vector(t, src), byte_of(count), dst.get()
    if distance > 31:
        t.vec("zero128", out=register)
    elif distance > 16:
        t.vec("psrldq_bits", register, 8 * (distance - 16), out=register)
    elif distance == 0:
        register.set(value)
    elif distance < 16:
        t.vec("palignr_bits", register, value, 8 * distance, out=register)


@op("NP 0F3A0F", "Pq Qq Ib", feature="ssse3")
@mmx
def m_palignr(t: X86Translator, dst: Operand, src: Operand, count: ImmediateOperand) -> None:
    """PALIGNR on MMX registers."""
    t.call(simd_soft.align_mmx, byte_of(count), dst.get(), src.get(), out=dst.get(), returns=64)
    write_mmx(t, dst)
