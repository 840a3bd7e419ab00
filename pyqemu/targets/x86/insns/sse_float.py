"""SSE and SSE2 floating-point arithmetic and comparison (SDM vol. 1, 5.5.1, 5.6.1).

Each instruction is a row that computes, a row that branches where the result or the exception flags may not be right,
and a helper of `sse_soft.py` for that case; see `pyqemu/tcg/float_ops.py`.
"""

from __future__ import annotations

from pyqemu.targets.x86 import sse_soft
from pyqemu.targets.x86.insns.sse_integer import byte_of
from pyqemu.targets.x86.layout import MXCSR
from pyqemu.targets.x86.operands import ImmediateOperand, MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import Stage, branch_row, named, require_alignment, sse
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

#: Suffix → prefix, operands, feature.
ENCODINGS = {"ss": ("F3", "Vss Wss", "sse"), "sd": ("F2", "Vsd Wsd", "sse2"), "ps": ("NP", "Vx Wx", "sse"),
             "pd": ("66", "Vx Wx", "sse2")}  # fmt: skip
ARITHMETIC = {"sqrt": 0x51, "add": 0x58, "mul": 0x59, "sub": 0x5C, "div": 0x5E}
CHOICES = {"min": 0x5D, "max": 0x5F}
APPROXIMATE = {"rsqrt": 0x52, "rcp": 0x53}


def pair_of(t: X86Translator, dst: Operand, src: Operand, suffix: str) -> tuple[Value, Value]:
    """Return both operands in slots as wide as the rows of `suffix` take them."""
    if suffix in ("ps", "pd"):
        require_alignment(t, src)
        return dst.get(), src.get()
    if isinstance(src, MemoryOperand):
        return dst.get(64), src.load(src.bits // 8, to=64)
    return dst.get(64), src.get(64)


def halves(t: X86Translator, value: Value) -> tuple[Value, Value | int]:
    """Return the halves of a vector as arguments of a helper."""
    low = t.glob(value.offset, 64)
    return low, t.glob(value.offset + 8, 64) if value.bits == 128 else 0


def _arithmetic(name: str, suffix: str) -> Stage:
    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        a, b = pair_of(t, dst, src, suffix)
        result = t.vec(name + suffix, a, b, out=t.temp(a.bits))
        slow, done = t.label(), t.label()
        branch_row(t, f"slow_{name}{suffix}", slow, a.offset, b.offset, result.offset, MXCSR)
        t.mov(a, result)
        t.br(done)
        t.bind(slow)
        t.call(sse_soft.arithmetic, *_selectors(name, suffix, dst), *halves(t, b))
        t.bind(done)

    return sse(named(stage, name + suffix, __name__))


def _selectors(name: str, suffix: str, dst: Operand) -> tuple[int, int, int]:
    return sse_soft.OPERATIONS.index(name), sse_soft.SUFFIXES.index(suffix), dst.number


def _choice(name: str, suffix: str) -> Stage:
    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        a, b = pair_of(t, dst, src, suffix)
        slow, done = t.label(), t.label()
        branch_row(t, "slow_cmp" + suffix, slow, a.offset, b.offset)
        t.vec(name + suffix, a, b, out=a)
        t.br(done)
        t.bind(slow)
        t.call(sse_soft.arithmetic, *_selectors(name, suffix, dst), *halves(t, b))
        t.bind(done)

    return sse(named(stage, name + suffix, __name__))


def _comparison(suffix: str) -> Stage:
    def stage(t: X86Translator, dst: Operand, src: Operand, order: ImmediateOperand) -> None:
        a, b = pair_of(t, dst, src, suffix)
        predicate = byte_of(order) & 7
        slow, done = t.label(), t.label()
        branch_row(t, "slow_cmp" + suffix, slow, a.offset, b.offset)
        t.vec(f"cmp{suffix}_{predicate}", a, b, out=a)
        t.br(done)
        t.bind(slow)
        t.call(sse_soft.compare, predicate, sse_soft.SUFFIXES.index(suffix), dst.number, *halves(t, b))
        t.bind(done)

    return sse(named(stage, "cmp" + suffix, __name__))


def _approximation(name: str, suffix: str) -> Stage:
    def stage(t: X86Translator, dst: Operand, src: Operand) -> None:
        _, b = pair_of(t, dst, src, suffix)
        t.call(sse_soft.arithmetic, *_selectors(name, suffix, dst), *halves(t, b))

    return sse(named(stage, name + suffix, __name__))


def _register() -> None:
    for suffix, (prefix, operands, feature) in ENCODINGS.items():
        for names, factory in ((ARITHMETIC, _arithmetic), (CHOICES, _choice)):
            for name, code in names.items():
                op(f"{prefix} 0F{code:02X}", operands, feature=feature)(factory(name, suffix))
        op(f"{prefix} 0FC2", operands + " Ib", feature=feature)(_comparison(suffix))
    for suffix in ("ss", "ps"):
        prefix, operands, feature = ENCODINGS[suffix]
        for name, code in APPROXIMATE.items():
            op(f"{prefix} 0F{code:02X}", operands, feature=feature)(_approximation(name, suffix))


_register()


def _compare_flags(t: X86Translator, dst: Operand, src: Operand, suffix: str) -> None:
    """ZF, PF and CF; OF, SF and AF are cleared."""
    bits, quiet = dst.bits, t.insn.opcode == 0x2E
    a, b = dst.get(), src.get()
    image = t.vec("comi" + suffix, a, b, out=t.temp(32))
    if bits == 32:
        wide_a, wide_b = a.zext(64), b.zext(64)
    else:
        wide_a, wide_b = a, b
    slow, done = t.label(), t.label()
    branch_row(t, "slow_cmp" + suffix, slow, wide_a.offset, wide_b.offset)
    t.br(done)
    t.bind(slow)
    t.call(sse_soft.compare_flags, sse_soft.SUFFIXES.index(suffix), int(quiet), a, b, out=image, returns=32)
    t.bind(done)
    t.set_flags(image)


@op("NP 0F2E", "Vss Wss", feature="sse")
@op("NP 0F2F", "Vss Wss", feature="sse")
@sse
def comiss(t: X86Translator, dst: Operand, src: Operand) -> None:
    """COMISS and UCOMISS."""
    _compare_flags(t, dst, src, "ss")


@op("66 0F2E", "Vsd Wsd", feature="sse2")
@op("66 0F2F", "Vsd Wsd", feature="sse2")
@sse
def comisd(t: X86Translator, dst: Operand, src: Operand) -> None:
    """COMISD and UCOMISD."""
    _compare_flags(t, dst, src, "sd")


# --- SSE3 -------------------------------------------------------------------------------------------------------------


def _in_software(t: X86Translator, src: Operand) -> tuple[Value, Value | int]:
    require_alignment(t, src)
    return halves(t, src.get())


@op("66 0F7C", "Vx Wx", feature="pni")
@op("F2 0F7C", "Vx Wx", feature="pni")
@op("66 0F7D", "Vx Wx", feature="pni")
@op("F2 0F7D", "Vx Wx", feature="pni")
@sse
def haddps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """HADDPD, HADDPS, HSUBPD, HSUBPS."""
    kind = 2 if t.rep else 3
    t.call(sse_soft.horizontal, t.insn.opcode & 1, kind, dst.number, *_in_software(t, src))


@op("66 0FD0", "Vx Wx", feature="pni")
@op("F2 0FD0", "Vx Wx", feature="pni")
@sse
def addsubps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """ADDSUBPD, ADDSUBPS."""
    t.call(sse_soft.alternate, 2 if t.rep else 3, dst.number, *_in_software(t, src))
