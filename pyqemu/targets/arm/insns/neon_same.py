"""Three registers of the same length (ARM DDI 0406C.b, A7.4.1): integers; ARMv8's SHA instructions (DDI 0487, F4.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyqemu.targets.arm.neon import data, run
from pyqemu.targets.arm.simd import Form, Stage, lettered, numbered, saturating, vertical
from pyqemu.targets.arm.simd_crypto import crypto
from pyqemu.targets.arm.simd_same import (
    ADD,
    ALL,
    SMALL,
    SUB,
    average,
    difference,
    doubling_high,
    equal,
    greater,
    greater_or_equal,
    half_difference,
    logic,
    multiply,
    multiply_add,
    multiply_subtract,
    pairwise,
    polynomial,
    shifted,
    unsigned_greater,
)

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.targets.arm.vectors import VectorTranslator

REST = "0 Vd[4:4] {size} Vn[3:0] Vd[3:0] {A} Vn[4:4] Q:1 Vm[4:4] {B} Vm[3:0]"


def _register(name: str, U: int, A: str, B: int, stage: Stage, widths: tuple[int, ...] = SMALL,
              *, doubles: bool = False) -> None:  # fmt: skip
    """Enter an instruction.

    :param doubles: it has D registers only
    """

    def instruction(t: ArmTranslator, size: int, Vn: int, Vd: int, Q: int, Vm: int) -> None:
        bits = 8 << size
        if bits not in widths or (Q and doubles):
            t.undefined()
        else:
            run(t, stage, bits, Q, Vd, Vn, Vm)

    data(name, U, REST.format(size="size:2", A=A, B=B), instruction)


def _turned(stage: Stage) -> Stage:
    """What is shifted is the second operand, and the first one has the counts (A8.8.396)."""

    def turned(t: VectorTranslator, form: Form) -> None:
        stage(t, replace(form, n=form.m, m=form.n))

    return turned


def _signed_and_unsigned() -> None:
    for U, sign in enumerate("su"):
        signed, kind = not U, "srl" if U else "sra"
        least, most = (lettered(f"p{name}{sign}", SMALL) for name in ("min", "max"))
        entries: tuple[tuple[str, str, int, Stage, tuple[int, ...]], ...] = (
            ("vhadd", "0000", 0, average(kind, 0), SMALL),
            ("vqadd", "0000", 1, saturating("add", sign), ALL),
            ("vrhadd", "0001", 0, average(kind, 1), SMALL),
            ("vhsub", "0010", 0, half_difference(signed=signed), SMALL),
            ("vqsub", "0010", 1, saturating("sub", sign), ALL),
            ("vcgt", "0011", 0, unsigned_greater("v_cmhi") if U else greater, SMALL),
            ("vcge", "0011", 1, unsigned_greater("v_cmhs") if U else greater_or_equal, SMALL),
            ("vshl", "0100", 0, _turned(shifted(signed=signed, rounded=False, saturated=False)), ALL),
            ("vqshl", "0100", 1, _turned(shifted(signed=signed, rounded=False, saturated=True)), ALL),
            ("vrshl", "0101", 0, _turned(shifted(signed=signed, rounded=True, saturated=False)), ALL),
            ("vqrshl", "0101", 1, _turned(shifted(signed=signed, rounded=True, saturated=True)), ALL),
            ("vmax", "0110", 0, vertical(most), SMALL),
            ("vmin", "0110", 1, vertical(least), SMALL),
            ("vabd", "0111", 0, difference(signed=signed, accumulate=False), SMALL),
            ("vaba", "0111", 1, difference(signed=signed, accumulate=True), SMALL),
        )
        for name, A, B, stage, widths in entries:
            _register(name, U, A, B, stage, widths)
        _register("vpmax", U, "1010", 0, pairwise(most), doubles=True)
        _register("vpmin", U, "1010", 1, pairwise(least), doubles=True)


def _others() -> None:
    _register("vadd", 0, "1000", 0, vertical(ADD), ALL)
    _register("vsub", 1, "1000", 0, vertical(SUB), ALL)
    _register("vtst", 0, "1000", 1, vertical(numbered("v_cmtst")))
    _register("vceq", 1, "1000", 1, equal)
    _register("vmla", 0, "1001", 0, multiply_add)
    _register("vmls", 1, "1001", 0, multiply_subtract)
    _register("vmul", 0, "1001", 1, multiply)
    _register("vmul", 1, "1001", 1, polynomial, (8,))
    _register("vqdmulh", 0, "1011", 0, doubling_high(0), (16, 32))
    _register("vqrdmulh", 1, "1011", 0, doubling_high(1), (16, 32))
    _register("vpadd", 0, "1011", 1, pairwise(ADD), doubles=True)


def _logical() -> None:
    names = {(0, 0): ("vand", "pand", "nm"), (0, 1): ("vbic", "pandn", "mn"), (0, 2): ("vorr", "por", "nm"),
             (0, 3): ("vorn", "v_orn", "nm"), (1, 0): ("veor", "pxor", "nm"), (1, 1): ("vbsl", "v_bsl", "dnm"),
             (1, 2): ("vbit", "v_bsl", "mnd"), (1, 3): ("vbif", "v_bsl", "mdn")}  # fmt: skip
    for (U, size), (name, row, order) in names.items():
        stage = logic(row, order)

        def instruction(t: ArmTranslator, Vn: int, Vd: int, Q: int, Vm: int, stage: Stage = stage) -> None:
            run(t, stage, 8, Q, Vd, Vn, Vm)

        data(name, U, REST.format(size=f"{size:02b}", A="0001", B=1), instruction)


def _hashes() -> None:
    names = {(0, 0): "sha1c", (0, 1): "sha1p", (0, 2): "sha1m", (0, 3): "sha1su0", (1, 0): "sha256h",
             (1, 1): "sha256h2", (1, 2): "sha256su1"}  # fmt: skip
    for (U, size), name in names.items():
        stage = crypto(name, "dnm")

        def instruction(t: ArmTranslator, Vn: int, Vd: int, Q: int, Vm: int, stage: Stage = stage) -> None:
            if not Q:
                t.undefined()
            else:
                run(t, stage, 32, Q, Vd, Vn, Vm)

        rest = REST.format(size=f"{size:02b}", A="1100", B=0)
        data(name, U, rest, instruction, feature="sha2" if U else "sha1")


_signed_and_unsigned()
_others()
_logical()
_hashes()
