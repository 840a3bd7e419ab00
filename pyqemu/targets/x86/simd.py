"""What MMX and SSE instructions share: when they may run, and how they meet memory (SDM vol. 3, 2.5, 12.1, 13.1).

:func:`sse` and :func:`mmx` wrap an instruction function: they stage the faults that come before everything else. MMX
registers are the mantissas of the x87 registers, so an MMX instruction also leaves the x87 stack in a certain state.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from pyqemu.targets.x86.layout import (
    EXC_GP,
    EXC_MF,
    EXC_NM,
    FPST,
    FPSTT,
    FPTAGS,
    FPUS,
    HF_EM,
    HF_OSFXSR,
    HF_TS,
    M64,
)
from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.translator import X86Translator, raise_exception, raise_exception_code
from pyqemu.tcg.builder import Label, Value
from pyqemu.tcg.cpu import Cpu
from pyqemu.tcg.hole import Hole

Stage = Callable[..., None]
STATUS_ES = 0x80  # x87 status word: an unmasked exception is pending


def named(stage: Stage, name: str, module: str) -> Stage:
    """Give `stage`, which a factory made, the name of its instruction."""
    stage.__name__ = stage.__qualname__ = name
    stage.__module__ = module
    return stage


def sse_usable(t: X86Translator) -> bool:
    """Return whether SSE instructions may run; if not, the fault is staged."""
    if t.static.flags & HF_EM or not t.static.flags & HF_OSFXSR:
        t.raise_ud()
        return False
    return device_available(t)


def device_available(t: X86Translator) -> bool:
    """Return whether CR0.TS is clear; if not, #NM is staged."""
    if t.static.flags & HF_TS:
        t.fault(EXC_NM)
        t.exit_loop()
        return False
    return True


def sse(stage: Stage) -> Stage:
    """Wrap an SSE instruction: #UD with CR0.EM or without CR4.OSFXSR, #NM with CR0.TS (SDM vol. 3, table 13-1)."""

    @wraps(stage)
    def wrapped(t: X86Translator, *operands: Operand) -> None:
        if sse_usable(t):
            stage(t, *operands)

    return wrapped


def mmx(stage: Stage) -> Stage:
    """Wrap an MMX instruction: #UD with CR0.EM, #NM with CR0.TS, #MF; afterwards TOP = 0 and all tags are valid."""

    @wraps(stage)
    def wrapped(t: X86Translator, *operands: Operand) -> None:
        if t.static.flags & HF_EM:
            t.raise_ud()
        elif device_available(t):
            check_x87_error(t)
            stage(t, *operands)
            enter_mmx(t)

    return wrapped


def mixed(stage: Stage) -> Stage:
    """Wrap an SSE instruction that uses MMX registers."""

    @wraps(stage)
    def wrapped(t: X86Translator, *operands: Operand) -> None:
        if sse_usable(t):
            check_x87_error(t)
            stage(t, *operands)
            enter_mmx(t)

    return wrapped


def raise_pending(cpu: Cpu) -> None:
    """Report an x87 exception that is pending: #MF."""
    raise_exception(cpu, EXC_MF)


def check_x87_error(t: X86Translator) -> None:
    """#MF if an unmasked x87 exception is pending."""
    pending = t.glob(FPUS, 64) & STATUS_ES
    with t.if_("ne", pending, 0):
        t.call(raise_pending, noreturn=True)


def enter_mmx(t: X86Translator) -> None:
    """The x87 stack after an MMX instruction (SDM vol. 3, 12.2)."""
    t.glob(FPSTT, 64).set(0)
    t.glob(FPTAGS, 64).set(0)


def write_mmx(t: X86Translator, dst: Operand) -> None:
    """An MMX register has been written: sign and exponent of the x87 register become all ones."""
    if not isinstance(dst, MemoryOperand):
        offset = dst.get().offset
        assert FPST <= offset < FPSTT
        t.glob(offset + 8, 64).set(0xFFFF)


# --- operands ---------------------------------------------------------------------------------------------------------


def branch_row(t: X86Translator, name: str, label: Label, *operands: Any) -> None:
    """Emit a branch row by its name, with `label` as its last operand."""
    t.refer(label)
    t.emit(name, *operands, label.number)


def check_alignment(t: X86Translator, base: Value, disp: int | Hole) -> None:
    """#GP(0) if ``base + disp`` is not a multiple of 16."""
    aligned = t.label()
    branch_row(t, "braligned16", aligned, base.offset, disp & M64 if isinstance(disp, int) else disp)
    t.call(raise_exception_code, EXC_GP, 0, noreturn=True)
    t.bind(aligned)


def require_alignment(t: X86Translator, operand: Operand, *, write: bool = False) -> None:
    """#GP(0) if `operand` is 16 bytes of memory that are not aligned (SDM vol. 1, 4.1.1)."""
    if isinstance(operand, MemoryOperand) and operand.bits == 128:
        check_alignment(t, *operand.address(16, write=write))


def require_aligned_area(t: X86Translator, operand: MemoryOperand, size: int, *, write: bool) -> None:
    """#GP(0) if `size` bytes of memory do not begin at a multiple of 16."""
    check_alignment(t, *operand.address(size, write=write))


def vector(t: X86Translator, source: Operand) -> Value:
    """Return the value of `source`; 16 bytes of memory must be aligned."""
    require_alignment(t, source)
    return source.get()


def lane(t: X86Translator, value: Value, number: int, bits: int) -> Value:
    """Return lane `number` of a vector; no code."""
    return t.glob(value.offset + number * bits // 8, bits)


def upper(t: X86Translator, operand: Operand) -> Value:
    """Return the upper half of an XMM register."""
    return t.glob(operand.get().offset + 8, 64)


def helper_vector(t: X86Translator, operand: Operand) -> tuple[Value, Value]:
    """Return both halves of a 128-bit operand, as arguments of a helper."""
    value = vector(t, operand)
    return t.glob(value.offset, 64), t.glob(value.offset + 8, 64)
