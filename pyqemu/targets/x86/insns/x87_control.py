"""x87 control (SDM vol. 1, 5.2.6): control, status and tag words, environment, whole state, WAIT.

The forms without "N" are WAIT and then these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.targets.x86 import fpu_state
from pyqemu.targets.x86.layout import EXC_NM, FPCS, FPDP, FPDS, FPIP, FPOP, FPSTT, FPTAGS, FPUC, FPUS, HF_MP, HF_TS, RAX
from pyqemu.targets.x86.operands import MemoryOperand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.targets.x86.x87 import control, place
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu
else:
    X86Cpu = Any


@op("9B")
def fwait(t: X86Translator) -> None:
    """WAIT: #NM with CR0.MP and CR0.TS both set; #MF."""
    if t.static.flags & HF_MP and t.static.flags & HF_TS:
        t.fault(EXC_NM)
        t.exit_loop()
    else:
        t.call(fpu_state.wait)


@op("DB E3")
@control
def fninit(t: X86Translator) -> None:
    """FNINIT."""
    for offset, value in ((FPUC, 0x37F), (FPUS, 0), (FPSTT, 0), (FPTAGS, fpu_state.ALL_EMPTY)):
        t.glob(offset, 64).set(value)
    for offset in (FPOP, FPIP, FPCS, FPDP, FPDS):
        t.glob(offset, 64).set(0)


@op("DB E2")
@control
def fnclex(t: X86Translator) -> None:
    """FNCLEX: exception flags, stack fault, summary and busy are cleared."""
    status = t.glob(FPUS, 64)
    t.and_(status, 0x7F00, out=status)


@op("DB E0")
@op("DB E1")
@op("DB E4")
@control
def fneni(t: X86Translator) -> None:
    """FNENI, FNDISI, FNSETPM of the 8087 and 80287: nothing."""


@op("D9 /5", "Mw")
@control
def fldcw(t: X86Translator, src: MemoryOperand) -> None:
    """FLDCW; unlike the storing forms it waits."""
    t.call(load_control_word, src.get())


def load_control_word(cpu: X86Cpu, value: int) -> None:
    """FLDCW."""
    fpu_state.wait(cpu)
    fpu_state.set_control_word(cpu, value)


@op("D9 /7", "Mw")
@control
def fnstcw(t: X86Translator, dst: MemoryOperand) -> None:
    """FNSTCW."""
    dst.set(t.glob(FPUC, 16))


@op("DD /7", "Mw")
@control
def fnstsw(t: X86Translator, dst: MemoryOperand) -> None:
    """FNSTSW."""
    dst.set(_status_word(t).low(16))


@op("DF E0")
@control
def fnstsw_ax(t: X86Translator) -> None:
    """FNSTSW AX."""
    t.glob(RAX, 16).set(_status_word(t).low(16))


def _status_word(t: X86Translator) -> Value:
    return (t.glob(FPUS, 64) & ~0x3800) | t.glob(FPSTT, 64).shl(11)


# --- images -----------------------------------------------------------------------------------------------------------


def store_environment(cpu: X86Cpu, address: int, bits: int) -> None:
    """FNSTENV: all exceptions are masked afterwards."""
    cpu.write(address, fpu_state.environment(cpu, bits))
    cpu.fpuc |= fpu_state.EXCEPTIONS
    fpu_state.update_summary(cpu)


def load_environment(cpu: X86Cpu, address: int, bits: int) -> None:
    """FLDENV."""
    fpu_state.wait(cpu)
    fpu_state.load_environment(cpu, cpu.read(address, 7 * bits // 8), bits)


def save(cpu: X86Cpu, address: int, bits: int) -> None:
    """FNSAVE: the unit is initialized afterwards."""
    cpu.write(address, fpu_state.environment(cpu, bits) + fpu_state.registers(cpu))
    fpu_state.initialize(cpu)


def restore(cpu: X86Cpu, address: int, bits: int) -> None:
    """FRSTOR."""
    fpu_state.wait(cpu)
    head = 7 * bits // 8
    image = cpu.read(address, head + 80)
    fpu_state.load_environment(cpu, image[:head], bits)
    fpu_state.load_registers(cpu, image[head:])


def _bits(t: X86Translator) -> int:
    """The size of an image's fields: 16 or 32, also in 64-bit mode."""
    return min(t.opsize, 32)


@op("D9 /4", "M")
@control
def fldenv(t: X86Translator, area: MemoryOperand) -> None:
    """FLDENV."""
    t.call(load_environment, place(t, area, 7 * _bits(t) // 8), _bits(t))


@op("D9 /6", "M")
@control
def fnstenv(t: X86Translator, area: MemoryOperand) -> None:
    """FNSTENV."""
    t.call(store_environment, place(t, area, 7 * _bits(t) // 8, write=True), _bits(t))


@op("DD /4", "M")
@control
def frstor(t: X86Translator, area: MemoryOperand) -> None:
    """FRSTOR."""
    t.call(restore, place(t, area, 7 * _bits(t) // 8 + 80), _bits(t))


@op("DD /6", "M")
@control
def fnsave(t: X86Translator, area: MemoryOperand) -> None:
    """FNSAVE."""
    t.call(save, place(t, area, 7 * _bits(t) // 8 + 80, write=True), _bits(t))
