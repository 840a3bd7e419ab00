"""Scalar floating-point arithmetic (ARM DDI 0487A.f, C4.4.6: floating-point data-processing, 1, 2 and 3 sources)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import (
    FpStage,
    arithmetic,
    choice,
    flipped,
    fused,
    integral,
    square_root,
)
from pyqemu.targets.arm.simd import Form

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


def _two_sources(name: str, opcode: str, stage: FpStage) -> None:
    def instruction(t: A64Translator, type: int, Rm: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(32 << type, False, Rd, Rn, Rm, scalar=True))

    A64.insn(f"0 00 11110 0 type:1 1 Rm:5 {opcode} 10 Rn:5 Rd:5", name=name)(instruction)


def _one_source(name: str, opcode: str, stage: FpStage) -> None:
    def instruction(t: A64Translator, type: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(32 << type, False, Rd, Rn, scalar=True))

    A64.insn(f"0 00 11110 0 type:1 1 {opcode} 10000 Rn:5 Rd:5", name=name)(instruction)


def _three_sources(name: str, o1: int, o0: int) -> None:
    """FMADD; FMSUB negates the product, FNMADD both, FNMSUB the addend."""
    signs = (o1 ^ o0, o1)

    def instruction(t: A64Translator, type: int, Rm: int, Ra: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            bits = 32 << type
            form = Form(bits, False, Rd, Rn, Rm, scalar=True)
            helper = fp_soft.scalar_fused(bits, *signs)
            fused(t, form, (Rn, Rm, Ra), signs, lambda: t.call(helper, Rd, Rn, Rm, Ra))

    A64.insn(f"0 00 11111 0 type:1 {o1} Rm:5 {o0} Ra:5 Rn:5 Rd:5", name=name)(instruction)


for _opcode, _name in enumerate(("mul", "div", "add", "sub")):
    _two_sources("f" + _name, f"{_opcode:04b}", arithmetic(_name))
for _opcode, _name in enumerate(("max", "min", "maxnm", "minnm"), 4):
    _two_sources("f" + _name, f"{_opcode:04b}", choice(_name))
_two_sources("fnmul", "1000", arithmetic("mul", special="nmul", change=flipped))
_one_source("fsqrt", "000011", square_root)
for _opcode, _mark in ((0b1000, "n"), (0b1001, "p"), (0b1010, "m"), (0b1011, "z"), (0b1100, "a"), (0b1110, "x"),
                       (0b1111, "i")):  # fmt: skip
    _one_source("frint" + _mark, f"{_opcode:06b}", integral(_mark))
for _number, _name in enumerate(("fmadd", "fmsub", "fnmadd", "fnmsub")):
    _three_sources(_name, _number >> 1, _number & 1)
