"""Three registers of the same shape: integers (ARM DDI 0487A.f, C4.4.6: three same, scalar three same)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm.simd import Form, Stage, lettered, numbered, saturating, vertical
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
    from pyqemu.targets.aarch64.translator import A64Translator


def _register(name: str, U: int, opcode: str, stage: Stage, widths: tuple[int, ...], scalar: tuple[int, ...]) -> None:
    """Enter an instruction with its vector form and, for some widths, its scalar one."""

    def vector(t: A64Translator, Q: int, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in widths or (bits == 64 and not Q):
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, bool(Q), Rd, Rn, Rm))

    def one(t: A64Translator, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in scalar:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, False, Rd, Rn, Rm, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 size:2 1 Rm:5 {opcode} 1 Rn:5 Rd:5", name=name)(vector)
    if scalar:
        A64.insn(f"01 {U} 11110 size:2 1 Rm:5 {opcode} 1 Rn:5 Rd:5", name=name)(one)


def _logical() -> None:
    names = {(0, 0): ("and", "pand", "nm"), (0, 1): ("bic", "pandn", "mn"), (0, 2): ("orr", "por", "nm"),
             (0, 3): ("orn", "v_orn", "nm"), (1, 0): ("eor", "pxor", "nm"), (1, 1): ("bsl", "v_bsl", "dnm"),
             (1, 2): ("bit", "v_bsl", "mnd"), (1, 3): ("bif", "v_bsl", "mdn")}  # fmt: skip
    for (U, size), (name, row, order) in names.items():
        stage = logic(row, order)

        def logical(t: A64Translator, Q: int, Rm: int, Rn: int, Rd: int, stage: Stage = stage) -> None:
            if t.fp_enabled():
                stage(t, Form(8, bool(Q), Rd, Rn, Rm))

        A64.insn(f"0 Q:1 {U} 01110 {size:02b} 1 Rm:5 00011 1 Rn:5 Rd:5", name=name)(logical)


def _signed_and_unsigned() -> None:
    for U, sign in enumerate("su"):
        signed = not U
        kind = "srl" if U else "sra"
        entries: tuple[tuple[str, str, Stage, tuple[int, ...], tuple[int, ...]], ...] = (
            ("hadd", "00000", average(kind, 0), SMALL, ()),
            ("qadd", "00001", saturating("add", sign), ALL, ALL),
            ("rhadd", "00010", average(kind, 1), SMALL, ()),
            ("hsub", "00100", half_difference(signed=signed), SMALL, ()),
            ("qsub", "00101", saturating("sub", sign), ALL, ALL),
            ("shl", "01000", shifted(signed=signed, rounded=False, saturated=False), ALL, (64,)),
            ("qshl", "01001", shifted(signed=signed, rounded=False, saturated=True), ALL, ALL),
            ("rshl", "01010", shifted(signed=signed, rounded=True, saturated=False), ALL, (64,)),
            ("qrshl", "01011", shifted(signed=signed, rounded=True, saturated=True), ALL, ALL),
            ("max", "01100", vertical(lettered(f"pmax{sign}", SMALL)), SMALL, ()),
            ("min", "01101", vertical(lettered(f"pmin{sign}", SMALL)), SMALL, ()),
            ("abd", "01110", difference(signed=signed, accumulate=False), SMALL, ()),
            ("aba", "01111", difference(signed=signed, accumulate=True), SMALL, ()),
            ("maxp", "10100", pairwise(lettered(f"pmax{sign}", SMALL)), SMALL, ()),
            ("minp", "10101", pairwise(lettered(f"pmin{sign}", SMALL)), SMALL, ()),
        )
        for name, opcode, stage, widths, scalar in entries:
            _register(sign + name, U, opcode, stage, widths, scalar)


def _others() -> None:
    entries: tuple[tuple[str, int, str, Stage, tuple[int, ...], tuple[int, ...]], ...] = (
        ("cmgt", 0, "00110", greater, ALL, (64,)),
        ("cmhi", 1, "00110", unsigned_greater("v_cmhi"), ALL, (64,)),
        ("cmge", 0, "00111", greater_or_equal, ALL, (64,)),
        ("cmhs", 1, "00111", unsigned_greater("v_cmhs"), ALL, (64,)),
        ("add", 0, "10000", vertical(ADD), ALL, (64,)),
        ("sub", 1, "10000", vertical(SUB), ALL, (64,)),
        ("cmtst", 0, "10001", vertical(numbered("v_cmtst")), ALL, (64,)),
        ("cmeq", 1, "10001", equal, ALL, (64,)),
        ("mla", 0, "10010", multiply_add, SMALL, ()),
        ("mls", 1, "10010", multiply_subtract, SMALL, ()),
        ("mul", 0, "10011", multiply, SMALL, ()),
        ("pmul", 1, "10011", polynomial, (8,), ()),
        ("sqdmulh", 0, "10110", doubling_high(0), (16, 32), (16, 32)),
        ("sqrdmulh", 1, "10110", doubling_high(1), (16, 32), (16, 32)),
        ("addp", 0, "10111", pairwise(ADD), ALL, ()),
    )
    for entry in entries:
        _register(*entry)


_logical()
_signed_and_unsigned()
_others()
