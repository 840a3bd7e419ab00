"""SSE conversions (SDM vol. 1, 5.5.1.6, 5.6.1.6).

Scalars are converted by the host where that will do, vectors in software.
"""

from __future__ import annotations

from pyqemu.targets.x86 import sse_soft
from pyqemu.targets.x86.insns.sse_float import halves
from pyqemu.targets.x86.layout import MXCSR
from pyqemu.targets.x86.operands import Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import branch_row, lane, mixed, require_alignment, sse, write_mmx
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value


def _finish(t: X86Translator, dst: Operand, result: Value) -> None:
    """Write a scalar to the low lane of an XMM register."""
    if result.bits == 64:
        dst.get(64).set(result)
    else:
        t.vec("pair32", result, lane(t, dst.get(), 1, 32), out=dst.get(64))


@op("F3 0F2A", "Vss Ey", feature="sse")
@op("F2 0F2A", "Vsd Ey", feature="sse2")
@sse
def cvtsi2ss(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTSI2SS and CVTSI2SD."""
    value, row = src.get(), f"cvt{src.bits}_{dst.bits}"
    result = t.vec(row, value, out=t.temp(dst.bits))
    if (src.bits, dst.bits) != (32, 64):
        slow, done = t.label(), t.label()
        branch_row(t, "slow_" + row, slow, value.offset, MXCSR)
        t.br(done)
        t.bind(slow)
        t.call(sse_soft.int_to_float, src.bits, int(dst.bits == 64), value, out=result, returns=dst.bits)
        t.bind(done)
    _finish(t, dst, result)


@op("F3 0F2C", "Gy Wss", feature="sse")
@op("F3 0F2D", "Gy Wss", feature="sse")
@op("F2 0F2C", "Gy Wsd", feature="sse2")
@op("F2 0F2D", "Gy Wsd", feature="sse2")
@sse
def cvtss2si(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTSS2SI, CVTSD2SI and their truncating forms."""
    truncate = t.insn.opcode == 0x2C
    value = src.get()
    result = t.vec(f"cvt{'t' if truncate else ''}{src.bits}_i{dst.bits}", value, out=t.temp(dst.bits))
    slow, done = t.label(), t.label()
    branch_row(t, f"slow_cvt{src.bits}_i{dst.bits}", slow, value.offset, result.offset, MXCSR)
    t.br(done)
    t.bind(slow)
    t.call(sse_soft.float_to_int, int(src.bits == 64), dst.bits, int(truncate), value, out=result, returns=dst.bits)
    t.bind(done)
    dst.set(result)


@op("F3 0F5A", "Vsd Wss", feature="sse2")
@op("F2 0F5A", "Vss Wsd", feature="sse2")
@sse
def cvtss2sd(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTSS2SD and CVTSD2SS."""
    value, widen = src.get(), dst.bits == 64
    name = "single_double" if widen else "double_single"
    result = t.vec("cvt_" + name, value, out=t.temp(dst.bits))
    slow, done = t.label(), t.label()
    branch_row(t, "slow_" + name, slow, value.offset, *(() if widen else (result.offset, MXCSR)))
    t.br(done)
    t.bind(slow)
    t.call(sse_soft.float_to_float, int(not widen), value, out=result, returns=dst.bits)
    t.bind(done)
    _finish(t, dst, result)


# --- vectors ----------------------------------------------------------------------------------------------------------


@op("NP 0F5A", "Vx Wq", feature="sse2")
@op("66 0F5A", "Vx Wx", feature="sse2")
@sse
def cvtps2pd(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTPS2PD and CVTPD2PS."""
    require_alignment(t, src)
    t.call(sse_soft.packed_floats, int(src.bits == 64), dst.number, *halves(t, src.get()))


@op("NP 0F5B", "Vx Wx", feature="sse2")
@sse
def cvtdq2ps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTDQ2PS."""
    require_alignment(t, src)
    t.call(sse_soft.int_to_singles, 4, dst.number, *halves(t, src.get()))


@op("66 0F5B", "Vx Wx", feature="sse2")
@op("F3 0F5B", "Vx Wx", feature="sse2")
@sse
def cvtps2dq(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTPS2DQ and CVTTPS2DQ."""
    require_alignment(t, src)
    t.call(sse_soft.singles_to_int, int(t.rep == 0xF3), dst.number, *halves(t, src.get()))


@op("F2 0FE6", "Vx Wx", feature="sse2")
@op("66 0FE6", "Vx Wx", feature="sse2")
@sse
def cvtpd2dq(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTPD2DQ and CVTTPD2DQ: the upper half is cleared."""
    require_alignment(t, src)
    result = t.temp(64)
    t.call(sse_soft.packed_to_int, 1, int(not t.rep), *halves(t, src.get()), out=result, returns=64)
    t.vec("widen128", result, out=dst.get())


@op("F3 0FE6", "Vx Wq", feature="sse2")
@sse
def cvtdq2pd(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTDQ2PD, which is always exact."""
    _two_doubles(t, dst, src.get())


@op("66 0F2A", "Vx Qq", feature="sse2")
@mixed
def cvtpi2pd(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTPI2PD."""
    _two_doubles(t, dst, src.get())


def _two_doubles(t: X86Translator, dst: Operand, value: Value) -> None:
    first = t.vec("cvt32_64", value.low(32), out=t.temp(64))
    second = t.vec("cvt32_64", value.shr(32).low(32), out=t.temp(64))
    t.vec("pair64", first, second, out=dst.get())


@op("NP 0F2A", "Vx Qq", feature="sse")
@mixed
def cvtpi2ps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTPI2PS: two lanes, the upper half stays."""
    t.call(sse_soft.int_to_singles, 2, dst.number, src.get(), 0)


@op("NP 0F2C", "Pq Wq", feature="sse")
@op("NP 0F2D", "Pq Wq", feature="sse")
@op("66 0F2C", "Pq Wx", feature="sse2")
@op("66 0F2D", "Pq Wx", feature="sse2")
@mixed
def cvtps2pi(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CVTPS2PI, CVTPD2PI and their truncating forms."""
    require_alignment(t, src)
    value, truncate = src.get(), int(t.insn.opcode == 0x2C)
    result = t.temp(64)
    if src.bits == 128:
        t.call(sse_soft.packed_to_int, 1, truncate, *halves(t, value), out=result, returns=64)
    else:
        t.call(sse_soft.packed_to_int, 0, truncate, value.low(32), value.shr(32), out=result, returns=64)
    dst.set(result)
    write_mmx(t, dst)
