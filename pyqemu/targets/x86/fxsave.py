"""FXSAVE and FXRSTOR as native code, for the case that is nearly always there: TOP is 0, nothing is pending.

Kernels do both at every switch of tasks. In all other cases :mod:`pyqemu.targets.x86.fpu_state` does the work. The
ends of the area are touched before anything is changed, so the accesses between cannot fault.
"""

from __future__ import annotations

from pyqemu.targets.x86 import fpu_state, layout
from pyqemu.targets.x86.layout import FPCS, FPDP, FPDS, FPIP, FPOP, FPSTT, FPTAGS, FPUC, FPUS, MXCSR, fpst, xmm
from pyqemu.targets.x86.operands import MemoryOperand
from pyqemu.targets.x86.simd import require_aligned_area
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

ST_AREA, XMM_AREA = 32, 160
GATHER = 0x0102040810204080  #: times eight bytes of 0 or 1: their bits are in the upper byte
SPREAD, BITS, ONES = 0x0101010101010101, 0x8040201008040201, 0x7F7F7F7F7F7F7F7F


class Area:
    """The 512 bytes in memory; fields by their offset."""

    def __init__(self, t: X86Translator, operand: MemoryOperand, *, write: bool) -> None:
        self.t = t
        require_aligned_area(t, operand, layout_size(t), write=write)
        self.address = t.sum(*operand.address(layout_size(t), write=write))
        self.bits = t.linear_bits(operand)

    def load(self, at: int, size: int, to: int = 64) -> Value:
        """Load a field, zero-extended."""
        return self.t.ld(self.address, at, size=size, to=to, addr_bits=self.bits)

    def load_to(self, at: int, offset: int) -> None:
        """Load 16 bytes to a slot."""
        self.t.ld(self.address, at, size=16, out=self.t.glob(offset, 128), addr_bits=self.bits)

    def store(self, at: int, value: Value) -> None:
        """Store a field."""
        self.t.st(self.address, value, at, size=value.bits // 8, addr_bits=self.bits)


def layout_size(t: X86Translator) -> int:
    """Return how many bytes the instruction accesses."""
    return XMM_AREA + 16 * (16 if t.mode == 64 else 8)


def save(t: X86Translator, operand: MemoryOperand, wide: bool) -> None:
    """Stage FXSAVE."""
    area = Area(t, operand, write=True)
    slow, done = t.label(), t.label()
    t.brcond("ne", t.glob(FPSTT, 64), 0, slow)
    last = layout_size(t) - 16
    t.probe_write(area.address, 16, last, addr_bits=area.bits)
    t.probe_write(area.address, 16, 0, addr_bits=area.bits)
    valid = t.mul(t.glob(FPTAGS, 64), t.value(GATHER, 64)).shr(56) ^ 0xFF
    head = t.glob(FPUC, 64) | t.glob(FPUS, 64).shl(16) | valid.shl(32) | t.glob(FPOP, 64).shl(48)
    area.store(0, head)
    if wide:
        area.store(8, t.glob(FPIP, 64))
        area.store(16, t.glob(FPDP, 64))
    else:
        for at, offset, selector in ((8, FPIP, FPCS), (16, FPDP, FPDS)):
            area.store(at, t.glob(offset, 32))
            area.store(at + 4, t.glob(selector, 32))
    area.store(24, t.glob(MXCSR, 64) | 0xFFFF << 32)
    for n in range(8):
        area.store(ST_AREA + 16 * n, t.glob(fpst(n), 128))
    for n in range(16 if t.mode == 64 else 8):
        area.store(XMM_AREA + 16 * n, t.glob(xmm(n), 128))
    t.br(done)
    t.bind(slow)
    t.call(fpu_state.fxsave, area.address, int(wide))
    t.bind(done)


def restore(t: X86Translator, operand: MemoryOperand, wide: bool) -> None:
    """Stage FXRSTOR."""
    area = Area(t, operand, write=False)
    slow, done = t.label(), t.label()
    area.load(layout_size(t) - 8, 8)
    control, status = area.load(0, 2), area.load(2, 2)
    mxcsr = area.load(24, 4)
    pending = status & (control ^ fpu_state.EXCEPTIONS) & fpu_state.EXCEPTIONS
    unusual = pending | (status & fpu_state.TOP_MASK) | mxcsr.shr(16)
    t.brcond("ne", unusual, 0, slow)
    t.glob(FPUC, 64).set((control & 0x1F7F) | 0x40)
    t.glob(FPUS, 64).set(status & ~(fpu_state.ERROR_SUMMARY | fpu_state.BUSY) & layout.M16)
    t.glob(FPSTT, 64).set(0)
    t.glob(MXCSR, 64).set(mxcsr)
    empty = t.mul(area.load(4, 1) ^ 0xFF, t.value(SPREAD, 64)) & t.value(BITS, 64)
    carried = (empty & t.value(ONES, 64)) + t.value(ONES, 64)
    t.glob(FPTAGS, 64).set((carried | empty).shr(7) & t.value(SPREAD, 64))
    t.glob(FPOP, 64).set(area.load(6, 2) & 0x7FF)
    if wide:
        t.glob(FPIP, 64).set(area.load(8, 8))
        t.glob(FPDP, 64).set(area.load(16, 8))
    else:
        for at, offset, selector in ((8, FPIP, FPCS), (16, FPDP, FPDS)):
            t.glob(offset, 64).set(area.load(at, 4))
            t.glob(selector, 64).set(area.load(at + 4, 2))
    for n in range(8):
        t.glob(fpst(n), 64).set(area.load(ST_AREA + 16 * n, 8))
        t.glob(fpst(n) + 8, 64).set(area.load(ST_AREA + 16 * n + 8, 2))
    for n in range(16 if t.mode == 64 else 8):
        area.load_to(XMM_AREA + 16 * n, xmm(n))
    t.br(done)
    t.bind(slow)
    t.call(fpu_state.fxrstor, area.address, int(wide))
    t.bind(done)
