"""What x87 instruction functions share: when they may run, and the record of the last one (SDM vol. 1, 8.1.8)."""

from __future__ import annotations

from functools import wraps

from pyqemu.targets.x86.layout import (
    CS,
    EXC_NM,
    FPCS,
    FPDP,
    FPDS,
    FPIP,
    FPOP,
    HF_EM,
    HF_TS,
    SEG_SELECTOR,
)
from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.simd import Stage
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value


def usable(t: X86Translator) -> bool:
    """Return whether x87 instructions may run; if not, #NM is staged: CR0.EM or CR0.TS (SDM vol. 3, table 2-2)."""
    if t.static.flags & (HF_EM | HF_TS):
        t.fault(EXC_NM)
        t.exit_loop()
        return False
    return True


def control(stage: Stage) -> Stage:
    """Wrap an x87 instruction that controls the unit, and is not recorded as the last one."""

    @wraps(stage)
    def wrapped(t: X86Translator, *operands: Operand) -> None:
        if usable(t):
            stage(t, *operands)

    return wrapped


def x87(stage: Stage) -> Stage:
    """Wrap an x87 instruction that computes: afterwards it is recorded as the last one, with its memory operand."""

    @wraps(stage)
    def wrapped(t: X86Translator, *operands: Operand) -> None:
        if not usable(t):
            return
        stage(t, *operands)
        t.glob(FPIP, 64).set(t.pc)
        t.glob(FPCS, 64).set(t.glob(SEG_SELECTOR(CS), 64))
        modrm = t.insn.mod << 6 | (t.insn.reg & 7) << 3 | t.insn.rm & 7
        t.glob(FPOP, 64).set((t.insn.opcode & 7) << 8 | modrm)
        memory = next((operand for operand in operands if isinstance(operand, MemoryOperand)), None)
        if memory is not None:
            offset = t.sum(*memory.offset())
            t.glob(FPDP, 64).set(offset if offset.bits == 64 else offset.zext(64))
            t.glob(FPDS, 64).set(t.glob(SEG_SELECTOR(memory.segment), 64))

    return wrapped


def place(t: X86Translator, operand: MemoryOperand, size: int, *, write: bool = False) -> Value:
    """Return the linear address of a memory operand, checked, for a helper."""
    return t.sum(*operand.address(size, write=write))
