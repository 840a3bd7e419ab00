"""Vectors of floating-point numbers, and their scalar forms (ARM DDI 0487A.f, C4.4.6).

Three same, two-register miscellaneous, pairwise, across lanes, by element. ``size`` is ``o1 sz``: sz is the width, o1
belongs to the opcode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.insns.simd_element import element
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import (
    FpStage,
    arithmetic,
    choice,
    comparison,
    integral,
    magnitude,
    multiply_add,
    one_soft,
    pairs,
    sign,
    soft,
    square_root,
    two_soft,
)
from pyqemu.targets.arm.fp_estimates import estimate
from pyqemu.targets.arm.simd import Form, splat
from pyqemu.targets.arm.simd_soft import SCRATCH

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.targets.arm.vectors import VectorTranslator


MULX = arithmetic("mul", special="mulx")  #: zero times infinity is two, and no number to the row


def _register(
    name: str, rest: str, stage: FpStage, *, vector: str = "", scalar: str = "", second: int = SCRATCH
) -> None:
    """Enter vector and scalar form: *rest* is what follows the head of the pattern."""
    if "Rm:5" in rest:

        def vector_two(t: A64Translator, Q: int, sz: int, Rm: int, Rn: int, Rd: int) -> None:
            _stage(t, stage, Q, sz, Form(32 << sz, bool(Q), Rd, Rn, Rm))

        def scalar_two(t: A64Translator, sz: int, Rm: int, Rn: int, Rd: int) -> None:
            _stage(t, stage, 1, sz, Form(32 << sz, False, Rd, Rn, Rm, scalar=True))

        if vector:
            A64.insn(vector + rest, name=name)(vector_two)
        if scalar:
            A64.insn(scalar + rest, name=name)(scalar_two)
        return

    def vector_one(t: A64Translator, Q: int, sz: int, Rn: int, Rd: int) -> None:
        _stage(t, stage, Q, sz, Form(32 << sz, bool(Q), Rd, Rn, second))

    def scalar_one(t: A64Translator, sz: int, Rn: int, Rd: int) -> None:
        _stage(t, stage, 1, sz, Form(32 << sz, False, Rd, Rn, second, scalar=True))

    if vector:
        A64.insn(vector + rest, name=name)(vector_one)
    if scalar:
        A64.insn(scalar + rest, name=name)(scalar_one)


def _stage(t: A64Translator, stage: FpStage, Q: int, sz: int, form: Form) -> None:
    if sz and not Q:
        t.undefined()
    elif t.fp_enabled():
        stage(t, form)


# --- three same -------------------------------------------------------------------------------------------------------


def _same(name: str, U: int, o1: int, opcode: str, stage: FpStage, *, scalar: bool = False) -> None:
    rest = f"01110 {o1} sz:1 1 Rm:5 {opcode} 1 Rn:5 Rd:5"
    _register(name, rest, stage, vector=f"0 Q:1 {U} ")
    if scalar:
        _register(name, rest.replace("01110", "11110", 1), stage, scalar=f"01 {U} ")


_same("fmaxnm", 0, 0, "11000", choice("maxnm"))
_same("fmla", 0, 0, "11001", multiply_add(0))
_same("fadd", 0, 0, "11010", arithmetic("add"))
_same("fmulx", 0, 0, "11011", MULX, scalar=True)
_same("fcmeq", 0, 0, "11100", comparison("cmeq"), scalar=True)
_same("fmax", 0, 0, "11110", choice("max"))
_same("frecps", 0, 0, "11111", two_soft("recps"), scalar=True)
_same("fminnm", 0, 1, "11000", choice("minnm"))
_same("fmls", 0, 1, "11001", multiply_add(1))
_same("fsub", 0, 1, "11010", arithmetic("sub"))
_same("fmin", 0, 1, "11110", choice("min"))
_same("frsqrts", 0, 1, "11111", two_soft("rsqrts"), scalar=True)
_same("fmaxnmp", 1, 0, "11000", pairs("maxnm"))
_same("faddp", 1, 0, "11010", pairs("add"))
_same("fmul", 1, 0, "11011", arithmetic("mul"))
_same("fcmge", 1, 0, "11100", comparison("cmge"), scalar=True)
_same("facge", 1, 0, "11101", comparison("acge"), scalar=True)
_same("fmaxp", 1, 0, "11110", pairs("max"))
_same("fdiv", 1, 0, "11111", arithmetic("div"))
_same("fminnmp", 1, 1, "11000", pairs("minnm"))
_same("fabd", 1, 1, "11010", arithmetic("sub", special="abd", change=magnitude), scalar=True)
_same("fcmgt", 1, 1, "11100", comparison("cmgt"), scalar=True)
_same("facgt", 1, 1, "11101", comparison("acgt"), scalar=True)
_same("fminp", 1, 1, "11110", pairs("min"))


# --- one source -------------------------------------------------------------------------------------------------------


def _misc(
    name: str, U: int, o1: int, opcode: str, stage: FpStage, *, scalar: bool = False, vector: bool = True
) -> None:
    rest = f"01110 {o1} sz:1 10000 {opcode} 10 Rn:5 Rd:5"
    if vector:
        _register(name, rest, stage, vector=f"0 Q:1 {U} ")
    if scalar:
        _register(name, rest.replace("01110", "11110", 1), stage, scalar=f"01 {U} ")


_misc("frintn", 0, 0, "11000", integral("n"))
_misc("frintm", 0, 0, "11001", integral("m"))
_misc("frintp", 0, 1, "11000", integral("p"))
_misc("frintz", 0, 1, "11001", integral("z"))
_misc("frinta", 1, 0, "11000", integral("a"))
_misc("frintx", 1, 0, "11001", integral("x"))
_misc("frinti", 1, 1, "11001", integral("i"))
_misc("fcmgt", 0, 1, "01100", comparison("cmgt", zero=True), scalar=True)
_misc("fcmge", 1, 1, "01100", comparison("cmge", zero=True), scalar=True)
_misc("fcmeq", 0, 1, "01101", comparison("cmeq", zero=True), scalar=True)
_misc("fcmle", 1, 1, "01101", comparison("cmge", zero=True, swap=True), scalar=True)
_misc("fcmlt", 0, 1, "01110", comparison("cmgt", zero=True, swap=True), scalar=True)
_misc("fabs", 0, 1, "01111", sign(keep=False))
_misc("fneg", 1, 1, "01111", sign(keep=True))
_misc("fsqrt", 1, 1, "11111", square_root)
_misc("frecpe", 0, 1, "11101", estimate("recpe"), scalar=True)
_misc("frsqrte", 1, 1, "11101", estimate("rsqrte"), scalar=True)
_misc("frecpx", 0, 1, "11111", one_soft("recpx"), scalar=True, vector=False)


# --- pairs and lanes made one -----------------------------------------------------------------------------------------


def _scalar_pair(name: str, o1: int, opcode: str, operation: str) -> None:
    stage = pairs(operation)

    def instruction(t: A64Translator, sz: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(32 << sz, False, Rd, Rn, scalar=True))

    A64.insn(f"01 1 11110 {o1} sz:1 11000 {opcode} 10 Rn:5 Rd:5", name=name)(instruction)


def _across(name: str, o1: int, opcode: str, operation: str) -> None:
    """FMAXV and so on: of four singles."""

    def instruction(t: A64Translator, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            soft(t, fp_soft.across(fp_soft.two(operation, 32), 32, 4), Form(32, True, Rd, Rn))

    A64.insn(f"0 1 1 01110 {o1} 0 11000 {opcode} 10 Rn:5 Rd:5", name=name)(instruction)


_scalar_pair("faddp", 0, "01101", "add")
for _o1, _name in enumerate(("max", "min")):
    _scalar_pair(f"f{_name}nmp", _o1, "01100", _name + "nm")
    _scalar_pair(f"f{_name}p", _o1, "01111", _name)
    _across(f"f{_name}nmv", _o1, "01100", _name + "nm")
    _across(f"f{_name}v", _o1, "01111", _name)


# --- by element -------------------------------------------------------------------------------------------------------


def _by_element(name: str, U: int, opcode: str, stage: FpStage) -> None:
    def operate(t: VectorTranslator, form: Form, L: int, M: int, Rm: int, H: int) -> None:
        if form.bits == 32:
            splat(t, *element(2, L, M, H, Rm), 32)
        else:
            splat(t, M << 4 | Rm, H, 64)
        stage(t, form)

    def vector(t: A64Translator, Q: int, sz: int, L: int, M: int, Rm: int, H: int, Rn: int, Rd: int) -> None:
        if sz and (L or not Q):
            t.undefined()
        elif t.fp_enabled():
            operate(t, Form(32 << sz, bool(Q), Rd, Rn, SCRATCH), L, M, Rm, H)

    def one(t: A64Translator, sz: int, L: int, M: int, Rm: int, H: int, Rn: int, Rd: int) -> None:
        if sz and L:
            t.undefined()
        elif t.fp_enabled():
            operate(t, Form(32 << sz, False, Rd, Rn, SCRATCH, scalar=True), L, M, Rm, H)

    A64.insn(f"0 Q:1 {U} 01111 1 sz:1 L:1 M:1 Rm:4 {opcode} H:1 0 Rn:5 Rd:5", name=name)(vector)
    A64.insn(f"01 {U} 11111 1 sz:1 L:1 M:1 Rm:4 {opcode} H:1 0 Rn:5 Rd:5", name=name)(one)


_by_element("fmla", 0, "0001", multiply_add(0))
_by_element("fmls", 0, "0101", multiply_add(1))
_by_element("fmul", 0, "1001", arithmetic("mul"))
_by_element("fmulx", 1, "1001", MULX)
