"""What instructions of VFP share: encodings for both instruction sets, operands, short vectors.

ARM DDI 0406C.b, A7.2.3 has the operands' encodings; short vectors, which VFPv2 has and later versions only allow, are
in appendix D11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, T32
from pyqemu.targets.arm.extension import single
from pyqemu.targets.arm.modes import M_LEN, M_LEN_SHIFT, M_STRIDE
from pyqemu.targets.arm.simd import Form

if TYPE_CHECKING:
    from pyqemu.targets.arm.fp import FpStage
    from pyqemu.targets.arm.translator import ArmTranslator

Stage = Callable[..., None]
SCALAR_BANK = {32: 8, 64: 4}  #: so many registers are in a bank, by width


def vfp(pattern: str, *, feature: str = "vfp", name: str, **computed: Any) -> Callable[[Stage], Stage]:
    """Register a function for a conditional pattern of 28 bits, which is the same in A32 and in Thumb."""

    def register(function: Stage) -> Stage:
        A32.insn(pattern, feature=feature, name=name, **computed)(function)
        thumb = "thumb2" if feature == "vfp" else feature  # no processor has the others without Thumb-2
        T32.insn("1110 " + pattern, feature=thumb, name=name, **computed)(function)
        return function

    return register


def vfp8(pattern: str, *, name: str) -> Callable[[Stage], Stage]:
    """The same for instructions of ARMv8, which have no condition."""

    def register(function: Stage) -> Stage:
        A32_UNCONDITIONAL.insn(pattern, feature="v8", name=name)(function)
        T32.insn("1111 " + pattern, feature="v8", name=name)(function)
        return function

    return register


def double_number(high: int, low: int) -> int:
    """The number of a D register from the field of one bit and the one of four."""
    return high << 4 | low


def single_number(high: int, low: int) -> int:
    """The number of an S register from the same two fields."""
    return single(low << 1 | high)


def number_of(bits: int, high: int, low: int) -> int:
    """The number of a register of *bits* bits."""
    return double_number(high, low) if bits == 64 else single_number(high, low)


def usable(t: ArmTranslator, *numbers: int) -> bool:
    """Whether VFP is on and has these registers; if not, the instruction is UNDEFINED, and nothing else."""
    if "d32" not in t.features and any(16 <= number < 32 for number in numbers):
        t.undefined()
        return False
    return t.vfp_enabled()


# --- short vectors ----------------------------------------------------------------------------------------------------


def _next(number: int, step: int, bits: int) -> int:
    """The register *step* further on in its bank."""
    size = SCALAR_BANK[bits]
    return number & ~(size - 1) | (number + step) & size - 1


def _in_first_bank(number: int, bits: int) -> bool:
    """Whether a register stands for a scalar: in the first bank, and, of D registers, in the fifth (D16 to D19)."""
    number &= 31
    return not number & (0x18 if bits == 32 else 0xC)


def elements(mode: int, form: Form, sources: int) -> Iterator[Form]:
    """The scalar operations that an operation is, with the vector length and stride that FPSCR has.

    :param sources: how many operands there are: none, ``n``, or ``n`` and ``m``
    """
    yield form
    length, bits = (mode & M_LEN) >> M_LEN_SHIFT, form.bits
    if not length or _in_first_bank(form.d, bits):
        return
    step = 2 if mode & M_STRIDE else 1
    d, n, m = form.d, form.n, form.m
    n_stays = not sources or (sources == 1 and _in_first_bank(n, bits))
    m_stays = sources < 2 or _in_first_bank(m, bits)
    for _ in range(length):
        d = _next(d, step, bits)
        n = n if n_stays else _next(n, step, bits)
        m = m if m_stays else _next(m, step, bits)
        yield Form(bits, False, d, n, m, scalar=True)


def data_processing(t: ArmTranslator, form: Form, stage: FpStage, *, sources: int) -> None:
    """Stage an operation, or one after the other for short vectors; see :func:`elements`."""
    if t.mode & (M_LEN | M_STRIDE) and "short_vectors" not in t.features:
        t.undefined()
    elif usable(t, *(form.d, form.n, form.m)[: 1 + sources]):
        for each in elements(t.mode, form, sources):
            stage(t, each)
