"""MXCSR, FXSAVE and FXRSTOR, fences and cache control (SDM vol. 1, 5.5.2, 5.5.4, 5.6.4)."""

from __future__ import annotations

from pyqemu.targets.x86 import fpu_state
from pyqemu.targets.x86 import fxsave as native
from pyqemu.targets.x86.layout import EXC_NM, HF_EM, HF_TS, MXCSR
from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import sse
from pyqemu.targets.x86.translator import X86Translator


@op("NP 0FAE /0", "M", feature="fxsr")
def fxsave(t: X86Translator, area: MemoryOperand) -> None:
    """FXSAVE."""
    if _available(t):
        native.save(t, area, bool(t.rex & 8))


@op("NP 0FAE /1", "M", feature="fxsr")
def fxrstor(t: X86Translator, area: MemoryOperand) -> None:
    """FXRSTOR."""
    if _available(t):
        native.restore(t, area, bool(t.rex & 8))


def _available(t: X86Translator) -> bool:
    """#NM with CR0.EM or CR0.TS (SDM vol. 2, FXSAVE)."""
    if t.static.flags & (HF_EM | HF_TS):
        t.fault(EXC_NM)
        t.exit_loop()
        return False
    return True


@op("NP 0FAE /2", "Md", feature="sse")
@sse
def ldmxcsr(t: X86Translator, src: MemoryOperand) -> None:
    """LDMXCSR."""
    t.call(fpu_state.ldmxcsr, src.get())


@op("NP 0FAE /3", "Md", feature="sse")
@sse
def stmxcsr(t: X86Translator, dst: MemoryOperand) -> None:
    """STMXCSR."""
    dst.set(t.glob(MXCSR, 32))


@op("NP 0FAE /5", "R", feature="sse2")
@op("NP 0FAE /6", "R", feature="sse2")
@op("NP 0FAE /7", "R", feature="sse")
def fence(t: X86Translator, register: Operand) -> None:
    """LFENCE, MFENCE, SFENCE: accesses are in order anyway."""


@op("NP 0FAE /7", "M", feature="clflush")
def clflush(t: X86Translator, line: MemoryOperand) -> None:
    """CLFLUSH: faults as a load of a byte would."""
    line.load(1)
