"""SSE4.1 and SSE4.2 (SDM vol. 1, 5.10 and 5.11)."""

from __future__ import annotations

from pyqemu.targets.x86 import simd_soft, sse_soft
from pyqemu.targets.x86.insns.sse_float import halves, pair_of
from pyqemu.targets.x86.insns.sse_integer import byte_of, vertical
from pyqemu.targets.x86.insns.ssse3 import software
from pyqemu.targets.x86.operands import ImmediateOperand, MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import Stage, lane, named, sse, vector
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

#: Row → opcode byte after 66 0F38.
ROWS = {
    "pmuldq": 0x28, "pcmpeqq": 0x29, "pminsb": 0x38, "pminsd": 0x39, "pminuw": 0x3A, "pminud": 0x3B, "pmaxsb": 0x3C,
    "pmaxsd": 0x3D, "pmaxuw": 0x3E, "pmaxud": 0x3F, "pmulld": 0x40,
}  # fmt: skip
EXTENSIONS = {
    "bw": (0x20, "q"),
    "bd": (0x21, "d"),
    "bq": (0x22, "w"),
    "wd": (0x23, "q"),
    "wq": (0x24, "d"),
    "dq": (0x25, "q"),
}


def _extension(row: str) -> Stage:
    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        wide = t.temp(128)
        if isinstance(src, MemoryOperand):
            t.vec("widen128", src.load(src.bits // 8, to=64), out=wide)
        else:
            wide = src.get(128)
        t.vec(row, wide, out=dst.get())

    return sse(named(stage, row, __name__))


def _register() -> None:
    for row, code in ROWS.items():
        op(f"66 0F38{code:02X}", "Vx Wx", feature="sse4_1")(vertical(row, __name__))
    op("66 0F3837", "Vx Wx", feature="sse4_2")(vertical("pcmpgtq", __name__))
    op("66 0F382B", "Vx Wx", feature="sse4_1")(software("packusdw", __name__))
    op("66 0F3841", "Vx Wx", feature="sse4_1")(software("phminposuw", __name__))
    for lanes, (code, size) in EXTENSIONS.items():
        op(f"66 0F38{code:02X}", f"Vx W{size}", feature="sse4_1")(_extension("pmovsx" + lanes))
        op(f"66 0F38{code + 0x10:02X}", f"Vx W{size}", feature="sse4_1")(_extension("pmovzx" + lanes))


_register()


@op("66 0F3817", "Vx Wx", feature="sse4_1")
@sse
def ptest(t: X86Translator, dst: Operand, src: Operand) -> None:
    """PTEST: ZF = the AND is zero, CF = the AND with the complement is; the other flags are cleared."""
    t.set_flags(t.vec("ptest", dst.get(), vector(t, src), out=t.temp(32)))


@op("66 0F3810", "Vx Wx", feature="sse4_1")
@op("66 0F3814", "Vx Wx", feature="sse4_1")
@op("66 0F3815", "Vx Wx", feature="sse4_1")
@sse
def pblendvb(t: X86Translator, dst: Operand, src: Operand) -> None:
    """PBLENDVB, BLENDVPS, BLENDVPD."""
    bits = {0x10: 8, 0x14: 32, 0x15: 64}[t.insn.opcode]
    t.call(simd_soft.blend_variable, bits, dst.number, *halves(t, vector(t, src)))


@op("66 0F3A0C", "Vx Wx Ib", feature="sse4_1")
@op("66 0F3A0D", "Vx Wx Ib", feature="sse4_1")
@op("66 0F3A0E", "Vx Wx Ib", feature="sse4_1")
@sse
def pblendw(t: X86Translator, dst: Operand, src: Operand, control: ImmediateOperand) -> None:
    """BLENDPS, BLENDPD, PBLENDW: lanes of the source where the immediate has a one."""
    value, selected, register = vector(t, src), byte_of(control), dst.get()
    if t.insn.opcode == 0x0C:
        t.vec("quad32", *(lane(t, value if selected >> n & 1 else register, n, 32) for n in range(4)), out=register)
        return
    bits = 64 if t.insn.opcode == 0x0D else 16
    for n in range(128 // bits):
        if selected >> n & 1:
            lane(t, register, n, bits).set(lane(t, value, n, bits))


@op("66 0F3A21", "Vx Ux Ib", feature="sse4_1")
@op("66 0F3A21", "Vx Md Ib", feature="sse4_1")
@sse
def insertps(t: X86Translator, dst: Operand, src: Operand, control: ImmediateOperand) -> None:
    """INSERTPS: one lane of the source to one of the destination; some become zero."""
    number, register = byte_of(control), dst.get()
    value = src.get() if isinstance(src, MemoryOperand) else lane(t, src.get(), number >> 6, 32)
    zero = t.value(0, 32)
    lanes = [value if n == number >> 4 & 3 else lane(t, register, n, 32) for n in range(4)]
    t.vec("quad32", *(zero if number >> n & 1 else lanes[n] for n in range(4)), out=register)


@op("66 0F3A42", "Vx Wx Ib", feature="sse4_1")
@sse
def mpsadbw(t: X86Translator, dst: Operand, src: Operand, control: ImmediateOperand) -> None:
    """MPSADBW."""
    t.call(simd_soft.sum_differences, byte_of(control), dst.number, *halves(t, vector(t, src)))


# --- single lanes -----------------------------------------------------------------------------------------------------


def _extracted(t: X86Translator, src: Operand, number: ImmediateOperand, bits: int) -> Value:
    return lane(t, src.get(), byte_of(number) & 128 // bits - 1, bits)


@op("66 0F3A14", "Rd Vx Ib", feature="sse4_1")
@op("66 0F3A15", "Rd Vx Ib", feature="sse4_1")
@sse
def pextrb(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PEXTRB and PEXTRW to a general register, zero-extended."""
    value = _extracted(t, src, number, 16 if t.insn.opcode & 1 else 8)
    t.extend(value, 32, signed=False, out=dst.get())


@op("66 0F3A14", "Mb Vx Ib", feature="sse4_1")
@op("66 0F3A15", "Mw Vx Ib", feature="sse4_1")
@op("66 0F3A16", "Ey Vx Ib", feature="sse4_1")
@op("66 0F3A17", "Ed Vx Ib", feature="sse4_1")
@sse
def pextrd(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PEXTRB and PEXTRW to memory, PEXTRD, PEXTRQ, EXTRACTPS."""
    dst.set(_extracted(t, src, number, dst.bits))


@op("66 0F3A20", "Vx Rd Ib", feature="sse4_1")
@op("66 0F3A20", "Vx Mb Ib", feature="sse4_1")
@sse
def pinsrb(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PINSRB."""
    value = src.get() if isinstance(src, MemoryOperand) else src.get(8)
    lane(t, dst.get(), byte_of(number) & 15, 8).set(value)


@op("66 0F3A22", "Vx Ey Ib", feature="sse4_1")
@sse
def pinsrd(t: X86Translator, dst: Operand, src: Operand, number: ImmediateOperand) -> None:
    """PINSRD and PINSRQ."""
    value, n, register = src.get(), byte_of(number), dst.get()
    if src.bits == 64:
        lane(t, register, n & 1, 64).set(value)
        return
    lanes = [value if k == n & 3 else lane(t, register, k, 32) for k in range(4)]
    t.vec("quad32", *lanes, out=register)


# --- floating point ---------------------------------------------------------------------------------------------------


@op("66 0F3A08", "Vx Wx Ib", feature="sse4_1")
@op("66 0F3A09", "Vx Wx Ib", feature="sse4_1")
@op("66 0F3A0A", "Vss Wss Ib", feature="sse4_1")
@op("66 0F3A0B", "Vsd Wsd Ib", feature="sse4_1")
@sse
def roundps(t: X86Translator, dst: Operand, src: Operand, control: ImmediateOperand) -> None:
    """ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD."""
    kind = (2, 3, 0, 1)[t.insn.opcode & 3]
    _, value = pair_of(t, dst, src, sse_soft.SUFFIXES[kind])
    t.call(sse_soft.round_lanes, kind, byte_of(control), dst.number, *halves(t, value))


@op("66 0F3A40", "Vx Wx Ib", feature="sse4_1")
@op("66 0F3A41", "Vx Wx Ib", feature="sse4_1")
@sse
def dpps(t: X86Translator, dst: Operand, src: Operand, control: ImmediateOperand) -> None:
    """DPPS and DPPD."""
    kind = 3 if t.insn.opcode & 1 else 2
    t.call(sse_soft.dot_product, kind, byte_of(control), dst.number, *halves(t, vector(t, src)))


# --- SSE4.2 -----------------------------------------------------------------------------------------------------------


@op("66 0F3A60", "Vx Wx Ib", feature="sse4_2")
@op("66 0F3A61", "Vx Wx Ib", feature="sse4_2")
@op("66 0F3A62", "Vx Wx Ib", feature="sse4_2")
@op("66 0F3A63", "Vx Wx Ib", feature="sse4_2")
@sse
def pcmpstr(t: X86Translator, dst: Operand, src: Operand, control: ImmediateOperand) -> None:
    """PCMPESTRM, PCMPESTRI, PCMPISTRM, PCMPISTRI; their memory operand need not be aligned."""
    explicit, mask = not t.insn.opcode & 2, not t.insn.opcode & 1
    number = byte_of(control) | mask << 8 | explicit << 9
    lengths = [t.rax(64), t.rdx(64)]
    if not t.rex & 8:
        lengths = [value.low(32).sext(64) for value in lengths]
    result = t.temp(64)
    t.call(simd_soft.string, number, dst.number, *halves(t, src.get()), *lengths, out=result, returns=64)
    if not mask:
        t.rcx(32).set(result.low(32))
    t.set_flags(result.shr(32).low(32))


@op("F2 0F38F0", "Gy Eb", feature="sse4_2")
@op("F2 0F38F1", "Gy Ev", feature="sse4_2")
def crc32(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CRC32."""
    result = t.temp(32)
    t.call(simd_soft.crc32, dst.get(32), src.get(), src.bits // 8, out=result, returns=32)
    t.reg(dst.number, 32).set(result)
