"""Stack instructions (SDM vol. 1, 5.1.1 and 6.2): PUSH, POP, PUSHA, POPA, ENTER, LEAVE.

The stack pointer is written last: if anything faults the instruction starts again. Segment registers are in
`segments.py`, PUSHF and POPF in the system instructions.
"""

from __future__ import annotations

from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

ENTER_LEVELS = 32


@op("50+r", "Zv", size="d64")
@op("FF /6", "Ev", size="d64")
@op("68", "Iz", size="d64")
@op("6A", "Ib", size="d64")
def push(t: X86Translator, src: Operand) -> None:
    """PUSH. ``push rsp`` pushes the old value."""
    t.push(src.source, t.opsize)


@op("58+r", "Zv", size="d64")
@op("8F /0", "Ev", size="d64")
def pop(t: X86Translator, dst: Operand) -> None:
    """POP. An address that uses rSP sees it incremented; ``pop rsp`` gives the popped value."""
    if isinstance(dst, MemoryOperand):
        t.stack_bias = t.opsize // 8
        value = t.stack_load(t.opsize)
        dst.set(value)
        t.move_stack(t.opsize // 8)
    else:
        dst.set(t.pop(t.opsize))


@op("60", no64=True)
def pusha(t: X86Translator) -> None:
    """PUSHA, PUSHAD: all general registers, SP as it was."""
    size = t.opsize // 8
    for number in (7, 6, 5, 4, 3, 2, 1, 0):  # lowest address first: faults there come before any write but these
        t.stack_store(t.reg(number, t.opsize), t.opsize, -size * (number + 1))
    t.move_stack(-8 * size)


@op("61", no64=True)
def popa(t: X86Translator) -> None:
    """POPA, POPAD: SP's image is skipped."""
    size = t.opsize // 8
    values = {number: t.stack_load(t.opsize, size * (7 - number)) for number in range(8) if number != 4}
    t.move_stack(8 * size)
    for number, value in values.items():
        t.reg(number, t.opsize).set(value)


@op("C9", size="d64")
def leave(t: X86Translator) -> None:
    """LEAVE: rSP = rBP, then pop rBP."""
    frame = t.rbp(t.stack_bits)
    value = t.stack_load(t.opsize, base=frame)
    t.add(frame, t.opsize // 8, out=t.rsp(t.stack_bits))
    t.rbp(t.opsize).set(value)


@op("C8", "Iw Ib", size="d64")
def enter(t: X86Translator, size: Operand, level: Operand) -> None:
    """ENTER (SDM vol. 1, 6.6.1): push rBP, copy `level` - 1 frame pointers, push the new one, make room."""
    fields = int(t.imm)
    room, depth = fields & 0xFFFF, fields >> 16 & (ENTER_LEVELS - 1)
    width = t.opsize // 8
    t.stack_store(t.rbp(t.opsize), t.opsize, -width)
    frame = _frame(t, width)
    for n in range(1, depth):
        display = t.stack_load(t.opsize, -width * n, base=t.rbp(t.stack_bits))
        t.stack_store(display, t.opsize, -width * (n + 1))
    if depth:
        t.stack_store(frame.low(t.opsize), t.opsize, -width * (depth + 1))
    bottom = -(room + width * (depth + 1 if depth else 1))
    _probe_top(t, bottom)
    t.move_stack(bottom)
    bits = 64 if t.mode == 64 else t.opsize
    t.rbp(bits).set(frame.low(bits))


def _frame(t: X86Translator, width: int) -> Value:
    """Return rSP as it is after a push of `width` bytes, in a slot of 64 bits."""
    frame = t.mov(t.temp(64), t.rsp())
    t.sub(frame.low(t.stack_bits), width, out=frame.low(t.stack_bits))
    return frame


def _probe_top(t: X86Translator, delta: int) -> None:
    """Fault if the new top of the stack could not be written (SDM vol. 2, ENTER)."""
    size = t.opsize // 8
    base, disp = t.stack_address(delta, size, write=True)
    t.probe_write(base, size, disp, addr_bits=64 if t.mode == 64 else 32)
