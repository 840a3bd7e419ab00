"""SSE2 integer and logical instructions on XMM registers (SDM vol. 1, 5.6.3, 5.5.1.3, 5.5.1.4), and shuffles.

Most of them are one row of the vector table, of the same name; so this module is mainly the opcode map (SDM vol. 2,
table A-3).
"""

from __future__ import annotations

from pyqemu.targets.x86.operands import ImmediateOperand, MemoryOperand, Operand, RegisterOperand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import Stage, lane, named, sse, upper, vector
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value
from pyqemu.tcg.hole import Hole

#: Row → opcode byte after 66 0F.
SSE2_VERTICAL = {
    "punpcklbw": 0x60, "punpcklwd": 0x61, "punpckldq": 0x62, "packsswb": 0x63, "pcmpgtb": 0x64, "pcmpgtw": 0x65,
    "pcmpgtd": 0x66, "packuswb": 0x67, "punpckhbw": 0x68, "punpckhwd": 0x69, "punpckhdq": 0x6A, "packssdw": 0x6B,
    "punpcklqdq": 0x6C, "punpckhqdq": 0x6D, "pcmpeqb": 0x74, "pcmpeqw": 0x75, "pcmpeqd": 0x76, "psrlw": 0xD1,
    "psrld": 0xD2, "psrlq": 0xD3, "paddq": 0xD4, "pmullw": 0xD5, "psubusb": 0xD8, "psubusw": 0xD9, "pminub": 0xDA,
    "pand": 0xDB, "paddusb": 0xDC, "paddusw": 0xDD, "pmaxub": 0xDE, "pandn": 0xDF, "pavgb": 0xE0, "psraw": 0xE1,
    "psrad": 0xE2, "pavgw": 0xE3, "pmulhuw": 0xE4, "pmulhw": 0xE5, "psubsb": 0xE8, "psubsw": 0xE9, "pminsw": 0xEA,
    "por": 0xEB, "paddsb": 0xEC, "paddsw": 0xED, "pmaxsw": 0xEE, "pxor": 0xEF, "psllw": 0xF1, "pslld": 0xF2,
    "psllq": 0xF3, "pmuludq": 0xF4, "pmaddwd": 0xF5, "psadbw": 0xF6, "psubb": 0xF8, "psubw": 0xF9, "psubd": 0xFA,
    "psubq": 0xFB, "paddb": 0xFC, "paddw": 0xFD, "paddd": 0xFE,
}  # fmt: skip
#: Instructions on floating-point vectors that only move bits: opcode byte after 0F and 66 0F → rows of the two.
BITWISE = {0x54: ("pand", "pand"), 0x55: ("pandn", "pandn"), 0x56: ("por", "por"), 0x57: ("pxor", "pxor"),
           0x14: ("punpckldq", "punpcklqdq"), 0x15: ("punpckhdq", "punpckhqdq")}  # fmt: skip
#: (opcode, reg field) → row of a shift by an immediate.
SHIFTS = {(0x71, 2): "psrlw", (0x71, 4): "psraw", (0x71, 6): "psllw", (0x72, 2): "psrld", (0x72, 4): "psrad",
          (0x72, 6): "pslld", (0x73, 2): "psrlq", (0x73, 6): "psllq"}  # fmt: skip


def vertical(row: str, module: str = __name__) -> Stage:
    """Return the instruction function of ``destination = row(destination, source)``."""

    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        register = dst.get()
        if row == "pxor" and not isinstance(src, MemoryOperand) and src.get().offset == register.offset:
            t.vec("zero128", out=register)
        else:
            t.vec(row, register, vector(t, src), out=register)

    return sse(named(stage, row, module))


def byte_of(immediate: ImmediateOperand) -> int:
    """Return an immediate byte as an unsigned number: the translation becomes special for it."""
    return int(immediate) & 0xFF


def byte_hole(t: X86Translator) -> Hole:
    """Return the immediate as an operand of a row that takes 32 bits."""
    return t.imm.masked(32)


def _shift(row: str) -> Stage:
    def stage(t: X86Translator, dst: Operand, count: Operand) -> None:
        t.vec(row + "_imm", dst.get(), byte_hole(t), out=dst.get())

    return sse(named(stage, row, __name__))


def _register() -> None:
    for row, code in SSE2_VERTICAL.items():
        op(f"66 0F{code:02X}", "Vx Wx", feature="sse2")(vertical(row))
    for code, (single, double) in BITWISE.items():
        op(f"NP 0F{code:02X}", "Vx Wx", feature="sse")(vertical(single))
        op(f"66 0F{code:02X}", "Vx Wx", feature="sse2")(vertical(double))
    for (code, reg), row in SHIFTS.items():
        op(f"66 0F{code:02X} /{reg}", "Ux Ib", feature="sse2")(_shift(row))


_register()


@op("66 0F73 /3", "Ux Ib", feature="sse2")
@op("66 0F73 /7", "Ux Ib", feature="sse2")
@sse
def pslldq(t: X86Translator, dst: Operand, count: ImmediateOperand) -> None:
    """PSLLDQ and PSRLDQ: a shift by bytes."""
    distance = byte_of(count)
    if distance > 15:
        t.vec("zero128", out=dst.get())
    elif distance:
        t.vec("pslldq_bits" if t.insn.reg & 4 else "psrldq_bits", dst.get(), 8 * distance, out=dst.get())


@op("66 0F70", "Vx Wx Ib", feature="sse2")
@sse
def pshufd(t: X86Translator, dst: Operand, src: Operand, order: ImmediateOperand) -> None:
    """PSHUFD."""
    value = vector(t, src)
    t.vec("quad32", *(lane(t, value, n, 32) for n in selectors(byte_of(order))), out=dst.get())


def selectors(order: int) -> tuple[int, int, int, int]:
    """Return the four lane numbers of an immediate byte."""
    return order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6


@op("F2 0F70", "Vx Wx Ib", feature="sse2")
@op("F3 0F70", "Vx Wx Ib", feature="sse2")
@sse
def pshuflw(t: X86Translator, dst: Operand, src: Operand, order: ImmediateOperand) -> None:
    """PSHUFLW and PSHUFHW: the words of one half shuffled, the other half copied."""
    value, half = vector(t, src), t.rep == 0xF3
    words = (lane(t, value, 4 * half + n, 16) for n in selectors(byte_of(order)))
    shuffled, kept = (upper(t, dst), dst.get(64)) if half else (dst.get(64), upper(t, dst))
    t.vec("quad16", *words, out=shuffled)
    if value.offset != dst.get().offset:
        kept.set(lane(t, value, not half, 64))


@op("NP 0FC6", "Vx Wx Ib", feature="sse")
@sse
def shufps(t: X86Translator, dst: Operand, src: Operand, order: ImmediateOperand) -> None:
    """SHUFPS: two lanes of the destination, then two of the source."""
    value, numbers = vector(t, src), selectors(byte_of(order))
    low = [lane(t, dst.get(), n, 32) for n in numbers[:2]]
    t.vec("quad32", *low, *(lane(t, value, n, 32) for n in numbers[2:]), out=dst.get())


@op("66 0FC6", "Vx Wx Ib", feature="sse2")
@sse
def shufpd(t: X86Translator, dst: Operand, src: Operand, order: ImmediateOperand) -> None:
    """SHUFPD: one lane of the destination, then one of the source."""
    value, number = vector(t, src), byte_of(order)
    t.vec("pair64", lane(t, dst.get(), number & 1, 64), lane(t, value, number >> 1 & 1, 64), out=dst.get())


@op("66 0FC4", "Vx Rd Ib", feature="sse2")
@op("66 0FC4", "Vx Mw Ib", feature="sse2")
@sse
def pinsrw(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PINSRW."""
    lane(t, dst.get(), byte_of(number) & 7, 16).set(word_of(src))


def word_of(src: Operand) -> Value:
    """Return the low word of a general register, or a word of memory."""
    return src.get(16) if isinstance(src, RegisterOperand) else src.get()


@op("66 0FC5", "Gd Ux Ib", feature="sse2")
@sse
def pextrw(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PEXTRW to a general register, zero-extended."""
    t.extend(lane(t, src.get(), byte_of(number) & 7, 16), 32, signed=False, out=dst.get())
