"""What instructions of Advanced SIMD share: encodings for both instruction sets, and operands.

ARM DDI 0406C.b, A7.4 and A7.7. A32 and T32 have the same 24 lower bits; the upper ones hold one more bit, U, in
different places. Registers are numbers of D registers, whose highest bit stands apart; a Q register is named by the
D register that is its lower half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import A32_UNCONDITIONAL, T32
from pyqemu.targets.arm.extension import quad
from pyqemu.targets.arm.simd import Form
from pyqemu.targets.arm.simd_soft import SCRATCH

if TYPE_CHECKING:
    from pyqemu.targets.arm.simd import Stage
    from pyqemu.targets.arm.translator import ArmTranslator

Function = Callable[..., None]


def data(name: str, U: str | int, rest: str, function: Function, *, feature: str = "neon") -> None:
    """Enter a data-processing instruction.

    :param U: this bit, or the field that it is
    :param rest: the pattern of the 24 lower bits
    """
    A32_UNCONDITIONAL.insn(f"001 {U} {rest}", name=name, feature=feature)(function)
    T32.insn(f"111 {U} 1111 {rest}", name=name, feature=feature)(function)


def memory(name: str, rest: str, function: Function) -> None:
    """Enter a load or store of elements or structures."""
    A32_UNCONDITIONAL.insn(f"0100 {rest}", name=name, feature="neon")(function)
    T32.insn(f"1111 1001 {rest}", name=name, feature="neon")(function)


def registers(t: ArmTranslator, Q: int, *numbers: int) -> tuple[int, ...]:
    """Numbers of registers as stages want them.

    None are returned where one is no Q register, or nothing may be done at all; then the instruction is UNDEFINED.
    """
    if Q and any(number & 1 for number in numbers):
        t.undefined()
        return ()
    if not t.vfp_enabled():
        return ()
    return tuple(quad(number >> 1) for number in numbers) if Q else numbers


def form(bits: int, Q: int, numbers: Sequence[int]) -> Form:
    """The form with a destination and one or two sources."""
    return Form(bits, bool(Q), numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else SCRATCH)


def run(t: ArmTranslator, stage: Stage, bits: int, Q: int, *numbers: int) -> None:
    """Run a stage for registers of one size: the destination, then the sources."""
    found = registers(t, Q, *numbers)
    if found:
        stage(t, form(bits, Q, found))


def run_mixed(t: ArmTranslator, stage: Stage, bits: int, wide: str, *numbers: int) -> None:
    """Run a stage for registers of different sizes.

    :param wide: those that are Q registers: letters of ``dnm``
    """
    are_wide = [letter in wide for letter in "dnm"[: len(numbers)]]
    if any(number & 1 for number, is_wide in zip(numbers, are_wide, strict=True) if is_wide):
        t.undefined()
    elif t.vfp_enabled():
        found = [quad(number >> 1) if is_wide else number for number, is_wide in zip(numbers, are_wide, strict=True)]
        stage(t, form(bits, 0, found))
