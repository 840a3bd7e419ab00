"""x87 data transfer, arithmetic and comparison (SDM vol. 1, 5.2; opcodes: SDM vol. 2, tables A-7 to A-22).

All work is done by the Python helpers of `fpu_ops.py` and `fpu_functions.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.fpu import EXTENDED
from pyqemu.targets.x86 import fpu_functions, fpu_ops, fpu_state
from pyqemu.targets.x86.layout import FPSTT, FPTAGS, FPUS, fpst
from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import named
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.targets.x86.x87 import place, x87
from pyqemu.tcg.builder import Value

ARITHMETIC = {0: "fadd", 1: "fmul", 4: "fsub", 5: "fsubr", 6: "fdiv", 7: "fdivr"}  #: reg field → instruction


def _arithmetic(operation: int) -> None:
    """Register the encodings of one operation."""
    name = ARITHMETIC[operation]

    def memory_float(t: X86Translator, src: MemoryOperand) -> None:
        t.call(fpu_ops.arith_float, operation, src.get(), src.bits // 8)

    def memory_integer(t: X86Translator, src: MemoryOperand) -> None:
        t.call(fpu_ops.arith_integer, operation, src.get(), src.bits // 8)

    def registers(t: X86Translator, other: Operand) -> None:
        to_other, pops = t.insn.opcode != 0xD8, t.insn.opcode == 0xDE
        t.call(fpu_ops.arith_register, operation, other.number, other.number if to_other else 0, int(pops))

    for code, size in ((0xD8, "d"), (0xDC, "q")):
        op(f"{code:02X} /{operation}", f"M{size}")(x87(named(memory_float, name, __name__)))
    for code, size in ((0xDA, "d"), (0xDE, "w")):
        op(f"{code:02X} /{operation}", f"M{size}")(x87(named(memory_integer, "fi" + name[1:], __name__)))
    for code in (0xD8, 0xDC, 0xDE):
        op(f"{code:02X} /{operation}", "T")(x87(named(registers, name, __name__)))


for _operation in ARITHMETIC:
    _arithmetic(_operation)


# --- comparison -------------------------------------------------------------------------------------------------------


@op("D8 /2", "Md")
@op("D8 /3", "Md")
@op("DC /2", "Mq")
@op("DC /3", "Mq")
@x87
def fcom_memory(t: X86Translator, src: MemoryOperand) -> None:
    """FCOM and FCOMP with a single or double."""
    t.call(fpu_ops.compare_float, src.get(), src.bits // 8, t.insn.reg & 1)


@op("DA /2", "Md")
@op("DA /3", "Md")
@op("DE /2", "Mw")
@op("DE /3", "Mw")
@x87
def ficom(t: X86Translator, src: MemoryOperand) -> None:
    """FICOM and FICOMP."""
    t.call(fpu_ops.compare_integer, src.get(), src.bits // 8, t.insn.reg & 1)


@op("D8 /2", "T")
@op("D8 /3", "T")
@op("DC /2", "T")
@op("DC /3", "T")
@op("DE /2", "T")
@x87
def fcom(t: X86Translator, other: Operand) -> None:
    """FCOM and FCOMP; DC and DE D0+i are their undocumented aliases."""
    t.call(fpu_ops.compare_register, other.number, 0, int(t.insn.reg & 1 or t.insn.opcode == 0xDE))


@op("DE D9")
@x87
def fcompp(t: X86Translator) -> None:
    """FCOMPP."""
    t.call(fpu_ops.compare_register, 1, 0, 2)


@op("DD /4", "T")
@op("DD /5", "T")
@x87
def fucom(t: X86Translator, other: Operand) -> None:
    """FUCOM and FUCOMP."""
    t.call(fpu_ops.compare_register, other.number, 1, t.insn.reg & 1)


@op("DA E9")
@x87
def fucompp(t: X86Translator) -> None:
    """FUCOMPP."""
    t.call(fpu_ops.compare_register, 1, 1, 2)


@op("DB /5", "T", feature="cmov")
@op("DB /6", "T", feature="cmov")
@op("DF /5", "T", feature="cmov")
@op("DF /6", "T", feature="cmov")
@x87
def fcomi(t: X86Translator, other: Operand) -> None:
    """FCOMI, FCOMIP, FUCOMI, FUCOMIP."""
    before = t.flags.image()
    quiet, pops = t.insn.reg & 7 == 5, t.insn.opcode == 0xDF
    image = t.call(fpu_ops.compare_eflags, other.number, int(quiet), int(pops), before, returns=32)
    assert image is not None
    t.set_flags(image)


@op("D9 E4")
@x87
def ftst(t: X86Translator) -> None:
    """FTST."""
    t.call(fpu_ops.test_zero)


@op("D9 E5")
@x87
def fxam(t: X86Translator) -> None:
    """FXAM."""
    t.call(fpu_ops.examine)


# --- data transfer ----------------------------------------------------------------------------------------------------


@op("D9 /0", "Md")
@op("DD /0", "Mq")
@x87
def fld(t: X86Translator, src: MemoryOperand) -> None:
    """FLD of a single or double."""
    t.call(fpu_ops.load_float, src.get(), src.bits // 8)


@op("DB /5", "Mt")
@x87
def fld_extended(t: X86Translator, src: MemoryOperand) -> None:
    """FLD of an extended number."""
    t.call(fpu_ops.load_extended, *_ten_bytes(src))


@op("DF /4", "Mt")
@x87
def fbld(t: X86Translator, src: MemoryOperand) -> None:
    """FBLD."""
    t.call(fpu_ops.load_bcd, *_ten_bytes(src))


def _ten_bytes(src: MemoryOperand) -> tuple[Value, Value]:
    src.address(10)  # one check of the segment for both
    return src.load(8), src.load(2, to=64, skip=8)


@op("DB /0", "Md")
@op("DF /0", "Mw")
@op("DF /5", "Mq")
@x87
def fild(t: X86Translator, src: MemoryOperand) -> None:
    """FILD.

    To an empty stack it is native code: kernels do that at every switch of tasks, to forget the last instruction of the
    task that was left.
    """
    value = src.get()
    slow, done = t.label(), t.label()
    busy = t.glob(FPSTT, 64) | t.glob(FPUS, 64) & fpu_state.ERROR_SUMMARY | ~t.glob(FPTAGS, 64).shr(56) & 1
    t.brcond("ne", busy, 0, slow)
    wide = value if src.bits == 64 else value.sext(64)
    sign = wide.sar(63)
    magnitude = (wide ^ sign) - sign
    zeros = t.clz(magnitude)
    top = fpst(7)
    t.shl(magnitude, zeros, out=t.glob(top, 64))
    exponent = t.value(EXTENDED.bias + 63, 64) - zeros | sign & 0x8000
    t.movcond("ne", magnitude, 0, exponent, 0, t.glob(top + 8, 64))
    t.glob(FPSTT, 64).set(7)
    t.and_(t.glob(FPTAGS, 64), (1 << 56) - 1, out=t.glob(FPTAGS, 64))
    t.and_(t.glob(FPUS, 64), ~fpu_state.C1, out=t.glob(FPUS, 64))
    t.br(done)
    t.bind(slow)
    t.call(fpu_ops.load_integer, value, src.bits // 8)
    t.bind(done)


@op("D9 /0", "T")
@x87
def fld_register(t: X86Translator, src: Operand) -> None:
    """FLD ST(i)."""
    t.call(fpu_ops.load_register, src.number)


@op("D9 /2", "Md")
@op("D9 /3", "Md")
@op("DD /2", "Mq")
@op("DD /3", "Mq")
@x87
def fst(t: X86Translator, dst: MemoryOperand) -> None:
    """FST and FSTP to a single or double."""
    size = dst.bits // 8
    t.call(fpu_ops.store_float, place(t, dst, size, write=True), size, t.insn.reg & 1)


@op("DB /7", "Mt")
@x87
def fstp_extended(t: X86Translator, dst: MemoryOperand) -> None:
    """FSTP to an extended number."""
    t.call(fpu_ops.store_extended, place(t, dst, 10, write=True))


@op("DF /6", "Mt")
@x87
def fbstp(t: X86Translator, dst: MemoryOperand) -> None:
    """FBSTP."""
    t.call(fpu_ops.store_bcd, place(t, dst, 10, write=True))


@op("DB /2", "Md")
@op("DB /3", "Md")
@op("DF /2", "Mw")
@op("DF /3", "Mw")
@op("DF /7", "Mq")
@x87
def fist(t: X86Translator, dst: MemoryOperand) -> None:
    """FIST and FISTP."""
    size = dst.bits // 8
    t.call(fpu_ops.store_integer, place(t, dst, size, write=True), size, t.insn.reg & 1, 0)


@op("DB /1", "Md", feature="pni")
@op("DD /1", "Mq", feature="pni")
@op("DF /1", "Mw", feature="pni")
@x87
def fisttp(t: X86Translator, dst: MemoryOperand) -> None:
    """FISTTP."""
    size = dst.bits // 8
    t.call(fpu_ops.store_integer, place(t, dst, size, write=True), size, 1, 1)


@op("DD /2", "T")
@op("DD /3", "T")
@op("DF /2", "T")
@op("DF /3", "T")
@op("D9 /3", "T")
@x87
def fst_register(t: X86Translator, dst: Operand) -> None:
    """FST and FSTP ST(i); D9 D8+i, DF D0+i and DF D8+i are undocumented aliases of FSTP."""
    pops = t.insn.reg & 1 or t.insn.opcode != 0xDD
    t.call(fpu_ops.store_register, dst.number, int(pops))


@op("D9 /1", "T")
@op("DD /1", "T")
@op("DF /1", "T")
@x87
def fxch(t: X86Translator, other: Operand) -> None:
    """FXCH; DD and DF C8+i are its undocumented aliases."""
    t.call(fpu_ops.exchange, other.number)


@op("DA /0", "T", feature="cmov")
@op("DA /1", "T", feature="cmov")
@op("DA /2", "T", feature="cmov")
@op("DA /3", "T", feature="cmov")
@op("DB /0", "T", feature="cmov")
@op("DB /1", "T", feature="cmov")
@op("DB /2", "T", feature="cmov")
@op("DB /3", "T", feature="cmov")
@x87
def fcmov(t: X86Translator, src: Operand) -> None:
    """FCMOVB, FCMOVE, FCMOVBE, FCMOVU and their opposites."""
    condition = (2, 4, 6, 10)[t.insn.reg & 3] | (t.insn.opcode == 0xDB)
    t.call(fpu_ops.move_if, src.number, t.setcond(*t.flags.condition(condition)))


# --- one or two registers ---------------------------------------------------------------------------------------------


def _simple(byte: int, name: str, helper: Callable[..., None], *arguments: int) -> None:
    """Register an instruction D9 `byte` that is one call of a helper."""

    def stage(t: X86Translator) -> None:
        t.call(helper, *arguments)

    op(f"D9 {byte:02X}")(x87(named(stage, name, __name__)))


for _number, _name in enumerate(("fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz")):
    _simple(0xE8 + _number, _name, fpu_ops.load_constant, _number)
_simple(0xE0, "fchs", fpu_functions.change_sign, 0)
_simple(0xE1, "fabs", fpu_functions.change_sign, 1)
_simple(0xF0, "f2xm1", fpu_functions.exponential)
_simple(0xF1, "fyl2x", fpu_functions.logarithm, 0)
_simple(0xF2, "fptan", fpu_functions.trigonometric, 2)
_simple(0xF3, "fpatan", fpu_functions.arctangent)
_simple(0xF4, "fxtract", fpu_functions.extract)
_simple(0xF5, "fprem1", fpu_functions.partial_remainder, 1)
_simple(0xF8, "fprem", fpu_functions.partial_remainder, 0)
_simple(0xF9, "fyl2xp1", fpu_functions.logarithm, 1)
_simple(0xFA, "fsqrt", fpu_functions.square_root)
_simple(0xFB, "fsincos", fpu_functions.trigonometric, 3)
_simple(0xFC, "frndint", fpu_functions.round_to_int)
_simple(0xFD, "fscale", fpu_functions.scale)
_simple(0xFE, "fsin", fpu_functions.trigonometric, 0)
_simple(0xFF, "fcos", fpu_functions.trigonometric, 1)
_simple(0xD0, "fnop", fpu_ops.nothing)


@op("D9 F6")
@op("D9 F7")
@x87
def fincstp(t: X86Translator) -> None:
    """FDECSTP and FINCSTP: TOP alone moves, C1 is cleared."""
    t.call(fpu_ops.nothing)
    top = t.glob(FPSTT, 64)
    top.set((top + (1 if t.insn.rm & 1 else -1)) & 7)
    t.and_(t.glob(FPUS, 64), ~0x200, out=t.glob(FPUS, 64))


@op("DD /0", "T")
@op("DF /0", "T")
@x87
def ffree(t: X86Translator, register: Operand) -> None:
    """FFREE; DF C0+i (FFREEP, undocumented) pops as well."""
    t.call(fpu_ops.free, register.number, int(t.insn.opcode == 0xDF))
