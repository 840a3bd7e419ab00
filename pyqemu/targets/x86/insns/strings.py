"""String instructions (SDM vol. 1, 5.1.8 and 7.3.9).

With a repeat prefix some elements are processed and then the instruction jumps to itself, so that interrupts get in
between. A fault finds the registers as the manual wants them: counted down to the element that faulted.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.targets.x86 import ports
from pyqemu.targets.x86.exceptions import gp
from pyqemu.targets.x86.flags import SUB
from pyqemu.targets.x86.layout import DF, EFLAGS, HF_STEP
from pyqemu.targets.x86.operands import Operand, StringOperand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.targets.x86.tasks import io_permitted
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

Comparands = tuple[Value, Value]
TURN = 64  # elements in a row


def _repeated(t: X86Translator, bits: int, element: Callable[[Value], Comparands | None]) -> None:
    """Stage `element` once, or as often as rCX says and, if it returns two values, their being equal or not.

    :param element: gets what to add to the index registers.
    """
    step = _step(t, bits)
    if not t.rep:
        element(step)
        return
    counter = t.rcx(t.adsize)
    with t.if_("ne", counter, 0):
        left = t.value(1 if t.static.flags & HF_STEP else TURN, 32)
        again = t.label()
        t.br(again)
        t.bind(again)
        compared = element(step)
        t.sub(counter, 1, out=counter)
        if compared is not None:
            stop = "ne" if t.rep == 0xF3 else "eq"  # REPE stops when ZF is clear
            with t.if_(stop, *compared):
                t.goto(t.next_pc)
        with t.if_("ne", counter, 0):
            t.sub(left, 1, out=left)
            t.brcond("ne", left, 0, again)
            t.goto(t.pc)
    t.goto(t.next_pc)


def _step(t: X86Translator, bits: int) -> Value:
    """Return what to add to rSI and rDI, at the width of addresses: the element's size, negative if DF is set."""
    size = bits // 8
    twice = (t.glob(EFLAGS, 32) & DF).shr(11 - (2 * size).bit_length())  # 2 * size or 0
    step = -twice + size
    return step.sext(64) if t.adsize == 64 else step.low(t.adsize)


def _advance(t: X86Translator, step: Value, *operands: StringOperand) -> None:
    """Move the index registers to the next element."""
    for operand in operands:
        t.add(operand.register, step, out=operand.register)


@op("A4", "Yb Xb")
@op("A5", "Yv Xv")
def movs(t: X86Translator, dst: StringOperand, src: StringOperand) -> None:
    """MOVS."""

    def element(step: Value) -> None:
        dst.set(src.get())
        _advance(t, step, dst, src)

    _repeated(t, dst.bits, element)


@op("AA", "Yb AL")
@op("AB", "Yv rAX")
def stos(t: X86Translator, dst: StringOperand, src: Operand) -> None:
    """STOS."""

    def element(step: Value) -> None:
        dst.set(src.get())
        _advance(t, step, dst)

    _repeated(t, dst.bits, element)


@op("AC", "AL Xb")
@op("AD", "rAX Xv")
def lods(t: X86Translator, dst: Operand, src: StringOperand) -> None:
    """LODS."""

    def element(step: Value) -> None:
        dst.set(src.get())
        _advance(t, step, src)

    _repeated(t, src.bits, element)


@op("A6", "Xb Yb")
@op("A7", "Xv Yv")
def cmps(t: X86Translator, first: StringOperand, second: StringOperand) -> None:
    """CMPS: flags as of DS:[rSI] - ES:[rDI]."""

    def element(step: Value) -> Comparands:
        a, b = first.get(), second.get()
        _advance(t, step, first, second)
        t.cmp_cc(a, b, t.kind(SUB, a.bits))
        return a, b

    _repeated(t, first.bits, element)


@op("AE", "AL Yb")
@op("AF", "rAX Yv")
def scas(t: X86Translator, accumulator: Operand, element_at: StringOperand) -> None:
    """SCAS: flags as of rAX - ES:[rDI]."""

    def element(step: Value) -> Comparands:
        value = element_at.get()
        _advance(t, step, element_at)
        t.cmp_cc(accumulator.get(), value, t.kind(SUB, value.bits))
        return accumulator.get(), value

    _repeated(t, element_at.bits, element)


# --- ports ------------------------------------------------------------------------------------------------------------


def check_port(cpu: X86Cpu, port: int, size: int) -> None:
    """Check the right to access `size` bytes at `port` (SDM vol. 1, 19.5).

    :raise X86Exception: #GP(0).
    """
    if not io_permitted(cpu, port, size):
        raise gp()


def read_port(cpu: X86Cpu, port: int, size: int) -> int:
    """Read `size` bytes from `port`."""
    return cpu.io.load(port, size)


def write_port(cpu: X86Cpu, port: int, size: int, value: int) -> None:
    """Write `size` bytes to `port`."""
    cpu.io.store(port, size, value)


def _check_port(t: X86Translator, size: int) -> None:
    if not t.static.io_free:
        t.call(check_port, t.rdx(16), size)


def _in_bulk(t: X86Translator) -> bool:
    """Whether one helper call moves many elements: a disk's sector is 256 words through one port."""
    return bool(t.rep) and not t.static.flags & HF_STEP


def _repeated_by_helper(t: X86Translator, helper: Callable[..., None], *arguments: int) -> None:
    """Let `helper` do some of the elements; it moves the registers."""
    counter = t.rcx(t.adsize)
    with t.if_("ne", counter, 0):
        t.call(helper, *arguments)
    with t.if_("ne", counter, 0):
        t.goto(t.pc)
    t.goto(t.next_pc)


@op("6C", "Yb DX")
@op("6D", "Yz DX")
def ins(t: X86Translator, dst: StringOperand, port: Operand) -> None:
    """INS. A fault of the store comes before the port is read."""
    size = dst.bits // 8
    if _in_bulk(t):
        _repeated_by_helper(t, ports.repeat_in, size, t.adsize)
        return
    _check_port(t, size)

    def element(step: Value) -> None:
        dst.probe()
        value = t.call(read_port, port.get(), size, returns=dst.bits)
        assert value is not None
        dst.set(value)
        _advance(t, step, dst)

    _repeated(t, dst.bits, element)


@op("6E", "DX Xb")
@op("6F", "DX Xz")
def outs(t: X86Translator, port: Operand, src: StringOperand) -> None:
    """OUTS."""
    size = src.bits // 8
    if _in_bulk(t):
        _repeated_by_helper(t, ports.repeat_out, size, t.adsize, src.segment)
        return
    _check_port(t, size)

    def element(step: Value) -> None:
        t.call(write_port, port.get(), size, src.get())
        _advance(t, step, src)

    _repeated(t, src.bits, element)
