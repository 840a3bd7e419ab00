"""MMX instructions (SDM vol. 1, 5.4), with those that SSE and SSE2 added for MMX registers (5.5.2, 5.5.3, 5.6.3)."""

from __future__ import annotations

from pyqemu.targets.x86.insns.sse_integer import (
    SHIFTS,
    SSE2_VERTICAL,
    byte_hole,
    byte_of,
    selectors,
    word_of,
)
from pyqemu.targets.x86.layout import FPSTT, FPTAGS, HF_EM
from pyqemu.targets.x86.operands import ImmediateOperand, MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import Stage, check_x87_error, device_available, lane, mmx, named, write_mmx
from pyqemu.targets.x86.translator import X86Translator

ALL_EMPTY = 0x0101010101010101
#: Rows that came with SSE (and with AMD's extended MMX) or with SSE2; the other ones are MMX.
EXTENDED = ("pavgb", "pavgw", "pminub", "pmaxub", "pminsw", "pmaxsw", "pmulhuw", "psadbw")
SSE2_ONLY = ("paddq", "psubq", "pmuludq")
NOT_MMX = ("punpcklqdq", "punpckhqdq")


def vertical(row: str, module: str = __name__, bits: int = 64) -> Stage:
    """Return the instruction function of ``destination = row(destination, source)``."""

    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        t.vec("m_" + row, dst.get(), src.get(), out=dst.get())
        write_mmx(t, dst)

    return mmx(named(stage, "m_" + row, module))


def punpckl(row: str) -> Stage:
    """Return the function of an instruction that reads only half of its memory operand."""

    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        value = src.load(4, to=64) if isinstance(src, MemoryOperand) else src.get()
        t.vec("m_" + row, dst.get(), value, out=dst.get())
        write_mmx(t, dst)

    return mmx(named(stage, "m_" + row, __name__))


def _shift(row: str) -> Stage:
    def stage(t: X86Translator, dst: Operand, count: Operand) -> None:
        t.vec(f"m_{row}_imm", dst.get(), byte_hole(t), out=dst.get())
        write_mmx(t, dst)

    return mmx(named(stage, "m_" + row, __name__))


def _features(row: str) -> tuple[str, ...]:
    if row in EXTENDED:
        return "sse", "mmxext"
    return ("sse2",) if row in SSE2_ONLY else ("mmx",)


def _register() -> None:
    for row, code in SSE2_VERTICAL.items():
        if row in NOT_MMX:
            continue
        stage = punpckl(row) if row.startswith("punpckl") else vertical(row)
        for feature in _features(row):
            op(f"NP 0F{code:02X}", "Pq Qq", feature=feature)(stage)
    for (code, reg), row in SHIFTS.items():
        op(f"NP 0F{code:02X} /{reg}", "Nq Ib", feature="mmx")(_shift(row))


_register()


@op("NP 0F77", feature="mmx")
def emms(t: X86Translator) -> None:
    """EMMS: the x87 stack is empty."""
    if t.static.flags & HF_EM:
        t.raise_ud()
    elif device_available(t):
        check_x87_error(t)
        t.glob(FPSTT, 64).set(0)
        t.glob(FPTAGS, 64).set(ALL_EMPTY)


@op("NP 0F6F", "Pq Qq", feature="mmx")
@op("NP 0F7F", "Qq Pq", feature="mmx")
@op("NP 0FE7", "Mq Pq", feature="sse")
@op("NP 0FE7", "Mq Pq", feature="mmxext")
@mmx
def movq(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVQ and MOVNTQ."""
    dst.set(src.get())
    write_mmx(t, dst)


@op("NP 0F6E", "Pq Ey", feature="mmx")
@mmx
def movd_to_mmx(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVD and MOVQ from a general register or memory, zero-extended."""
    dst.set(src.get().zext(64))
    write_mmx(t, dst)


@op("NP 0F7E", "Ey Pq", feature="mmx")
@mmx
def movd_from_mmx(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVD and MOVQ to a general register or memory."""
    dst.set(src.get(dst.bits))


@op("NP 0F70", "Pq Qq Ib", feature="sse")
@op("NP 0F70", "Pq Qq Ib", feature="mmxext")
@mmx
def pshufw(t: X86Translator, dst: Operand, src: Operand, order: ImmediateOperand) -> None:
    """PSHUFW."""
    value = src.get()
    if isinstance(src, MemoryOperand):  # lanes of it are read, so it must lie in the environment
        dst.set(value)
        value = dst.get()
    t.vec("quad16", *(lane(t, value, n, 16) for n in selectors(byte_of(order))), out=dst.get())
    write_mmx(t, dst)


@op("NP 0FC4", "Pq Rd Ib", feature="sse")
@op("NP 0FC4", "Pq Rd Ib", feature="mmxext")
@op("NP 0FC4", "Pq Mw Ib", feature="sse")
@op("NP 0FC4", "Pq Mw Ib", feature="mmxext")
@mmx
def m_pinsrw(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PINSRW."""
    lane(t, dst.get(), byte_of(number) & 3, 16).set(word_of(src))
    write_mmx(t, dst)


@op("NP 0FC5", "Gd Nq Ib", feature="sse")
@op("NP 0FC5", "Gd Nq Ib", feature="mmxext")
@mmx
def m_pextrw(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PEXTRW to a general register, zero-extended."""
    t.extend(lane(t, src.get(), byte_of(number) & 3, 16), 32, signed=False, out=dst.get())


@op("NP 0FD7", "Gd Nq", feature="sse")
@op("NP 0FD7", "Gd Nq", feature="mmxext")
@mmx
def m_pmovmskb(t: X86Translator, dst: Operand, src: Operand) -> None:
    """PMOVMSKB: the sign bits of all bytes."""
    t.vec("m_pmovmskb", src.get(), out=dst.get())
