"""What floating-point instructions share: rows where the host does what the guest wants, software where it does not.

An instruction is a row that computes, a check of what the result signals, and a helper of `fp_soft.py` for where that
is more than "inexact", or "inexact" for the first time. Where FPCR is not zero (:data:`M_FPCR`) there is the helper
only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp_soft import IXC
from pyqemu.targets.arm.layout import FPSR, C, V
from pyqemu.targets.arm.simd import Form, constant, finish, target
from pyqemu.targets.arm.simd_soft import Helper, Lanes, Result
from pyqemu.tcg.builder import Label, Value
from pyqemu.tcg.float_lanes import NAN

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

SHAPES = {(32, True): "ss", (64, True): "sd", (32, False): "ps", (64, False): "pd"}  #: by width, and whether scalar
MASKED = 1 << 12  #: in the operand that is laid out as x86's MXCSR: "inexact" raises no exception
HALF = 0x3F000000  #: as a single
FpStage = Callable[["VectorTranslator", Form], None]


def soft(t: VectorTranslator, helper: Helper, form: Form) -> None:
    """Call a helper for the form's registers, with the controls that the instruction obeys."""
    t.call(fp_soft.standard(helper) if t.standard_fp else helper, form.d, form.n, form.m)


def suffix_of(form: Form) -> str:
    """The suffix of the rows for a form."""
    return SHAPES[form.bits, form.scalar]


def operand(t: VectorTranslator, form: Form, number: int, *, wide: bool = False) -> Value:
    """A source as rows take it; two singles are there twice, so that they signal what they do once.

    :param wide: scalars as 64 bits, which the rows of x86 take
    """
    if form.scalar:
        return t.scalar(number, form.bits, wide=wide)
    if form.whole:
        return t.v(number)
    return t.vec("pair64", t.v(number, 64), t.v(number, 64), out=t.temp(128))


def write(t: VectorTranslator, form: Form, value: Value) -> None:
    """Write a result, and zeros above it."""
    if form.scalar:
        t.set_scalar(form.d, value.low(form.bits))
    elif form.whole:
        t.mov(t.v(form.d), value)
    else:
        t.mov(t.v(form.d, 64), value.low(64))
        t.clear_high(form.d)


def branch_row(t: VectorTranslator, name: str, label: Label, *operands: Any) -> None:
    """Emit a branch row by its name, with *label* as its last operand."""
    t.refer(label)
    t.emit(name, *operands, label.number)


def sticky(t: VectorTranslator) -> Value:
    """The flags as the rows of :mod:`pyqemu.tcg.float_ops` look at them: "inexact" in bit 5, and masked."""
    return (t.glob(FPSR, 64).shl(1) | MASKED).low(32)


def unlike_host(t: VectorTranslator, form: Form, slow: Label, a: Value, b: Value) -> None:
    """Go to *slow* where the host may not compare operands, or make integers of them, as the guest wants it.

    That is where one is a NaN, or a denormal, if these are taken for zero.
    """
    branch_row(t, ("slow_cmp" if t.flushes else "bruno") + suffix_of(form), slow, a.offset, b.offset)


class OrElse:
    """Code with a second way: ``with OrElse(t, helper) as slow`` around the fast one, which branches to *slow*."""

    def __init__(self, t: VectorTranslator, otherwise: Callable[[], object]) -> None:
        self._t = t
        self._otherwise = otherwise
        self._slow, self._done = t.label(), t.label()

    def __enter__(self) -> Label:
        return self._slow

    def __exit__(self, *exc: object) -> None:
        t = self._t
        t.br(self._done)
        t.bind(self._slow)
        self._otherwise()
        t.bind(self._done)


def result_of(form: Form) -> Result:
    """Where a form's results go."""
    return Result(form.bits, form.count)


def _two(name: str, form: Form) -> Helper:
    sources = Lanes(1, form.bits), Lanes(2, form.bits)
    return fp_soft.lanewise(fp_soft.two(name, form.bits), sources, result_of(form))


def two_soft(name: str) -> FpStage:
    """A stage of two operands that is a helper only."""
    return lambda t, form: soft(t, _two(name, form), form)


def newton_step(name: str, minuend: int, *, halve: bool) -> FpStage:
    """VRECPS, VRSQRTS: a product, subtracted from the number with the pattern *minuend*; rounded in between.

    :param halve: the difference is halved, which is exact
    """

    def stage(t: VectorTranslator, form: Form) -> None:
        helper = _two(name, form)
        if not t.exact_fp:
            soft(t, helper, form)
            return
        a, b, first = operand(t, form, form.n), operand(t, form, form.m), constant(t, 32, minuend)
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            flags = sticky(t)
            product = t.vec("mulps", a, b, out=t.temp(128))
            branch_row(t, "slow_mulps", slow, a.offset, b.offset, product.offset, flags.offset)
            result = t.vec("subps", first, product, out=t.temp(128))
            branch_row(t, "slow_subps", slow, first.offset, product.offset, result.offset, flags.offset)
            write(t, form, t.vec("mulps", result, constant(t, 32, HALF), out=result) if halve else result)

    return stage


Change = Callable[["VectorTranslator", Form, Value], Value]


def arithmetic(name: str, *, special: str = "", change: Change | None = None) -> FpStage:
    """FADD, FSUB, FMUL, FDIV.

    :param special: an operation that does the same where the result is a number, and what *change* does to it
    """
    helper_name = special or name

    def stage(t: VectorTranslator, form: Form) -> None:
        helper = _two(helper_name, form)
        if not t.exact_fp:
            soft(t, helper, form)
            return
        wide = not is_silent(t, form, name)
        a, b = operand(t, form, form.n, wide=wide), operand(t, form, form.m, wide=wide)
        computed(t, form, name, (a, b), helper, change)

    return stage


def _row_of(t: VectorTranslator, form: Form, name: str) -> str:
    """The row of :mod:`pyqemu.tcg.silent_ops`."""
    return f"{'normal' if t.flushes else 'silent'}_{name}{suffix_of(form)}"


def is_silent(t: VectorTranslator, form: Form, name: str) -> bool:
    """Whether there is that row."""
    return _row_of(t, form, name) in t.table


def silent(t: VectorTranslator, form: Form, name: str, slow: Label, *operands: Value) -> Value:
    """That row, and a branch to *slow* where its result may not be taken."""
    result = t.vec(_row_of(t, form, name), *operands, t.glob(FPSR, 32), out=t.temp(operands[0].bits))
    t.brcond("eq", t.glob(result.offset, form.bits), NAN[form.bits], slow)
    return result


def _checked(t: VectorTranslator, form: Form, name: str, slow: Label, a: Value, b: Value) -> Value:
    """A row of :mod:`pyqemu.tcg.float_ops`, and the one that goes to *slow* where its result may not be taken."""
    suffix = suffix_of(form)
    result = t.vec(name + suffix, a, b, out=t.temp(a.bits))
    branch_row(t, f"slow_{name}{suffix}", slow, a.offset, b.offset, result.offset, sticky(t).offset)
    return result


def computed(t: VectorTranslator, form: Form, name: str, operands: tuple[Value, ...], helper: Helper,
             change: Change | None = None) -> None:  # fmt: skip
    """A row of :mod:`pyqemu.tcg.float_ops` with the row that checks it, or one that does both.

    :param operands: scalars as 64 bits unless :func:`is_silent`
    """
    with OrElse(t, lambda: soft(t, helper, form)) as slow:
        if is_silent(t, form, name):
            result = silent(t, form, name, slow, *operands)
        else:
            result = _checked(t, form, name, slow, operands[0], operands[-1])
        write(t, form, change(t, form, result) if change else result)


def square_root(t: VectorTranslator, form: Form) -> None:
    """FSQRT."""
    helper = _one("sqrt", form)
    if not t.exact_fp:
        soft(t, helper, form)
        return
    computed(t, form, "sqrt", (operand(t, form, form.n, wide=not is_silent(t, form, "sqrt")),), helper)


def _one(name: str, form: Form) -> Helper:
    return fp_soft.lanewise(fp_soft.one(name, form.bits), (Lanes(1, form.bits),), result_of(form))


def one_soft(name: str) -> FpStage:
    """A stage of one operand that is a helper only."""
    return lambda t, form: soft(t, _one(name, form), form)


def choice(name: str) -> FpStage:
    """FMAX, FMIN, FMAXNM, FMINNM: they differ for NaNs only."""
    row = "f" + name[:3]

    def stage(t: VectorTranslator, form: Form) -> None:
        helper = _two(name, form)
        if not t.exact_fp:
            soft(t, helper, form)
            return
        a, b = operand(t, form, form.n), operand(t, form, form.m)
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            unlike_host(t, form, slow, a, b)
            write(t, form, t.vec(row + suffix_of(form), a, b, out=t.temp(a.bits)))

    return stage


def integral(mark: str) -> FpStage:
    """FRINTN, FRINTP, FRINTM, FRINTZ, FRINTA; FRINTI and FRINTX in the mode that FPCR has."""
    row = "rint" + {"i": "n", "x": "n"}.get(mark, mark)

    def stage(t: VectorTranslator, form: Form) -> None:
        helper = _one("rint" + mark, form)
        if not t.exact_fp:
            soft(t, helper, form)
            return
        a = operand(t, form, form.n)
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            unlike_host(t, form, slow, a, a)
            result = t.vec(row + suffix_of(form), a, out=t.temp(a.bits))
            if mark == "x":
                _inexact_unless_same(t, a, result, slow)
            write(t, form, result)

    return stage


def _inexact_unless_same(t: VectorTranslator, a: Value, b: Value, slow: Label) -> None:
    """Go to *slow* if two patterns differ and "inexact" is not set."""
    if a.bits < 128:
        difference = a ^ b
    else:
        vector = t.vec("pxor", a, b, out=t.temp(128))
        difference = t.glob(vector.offset, 64) | t.glob(vector.offset + 8, 64)
    with t.if_("ne", difference, 0):
        t.brcond("eq", t.glob(FPSR, 64) & IXC, 0, slow)


# --- pairs ------------------------------------------------------------------------------------------------------------


def neighbours(t: VectorTranslator, form: Form) -> tuple[Value, Value]:
    """The even and the odd lanes of both sources."""
    a, b = t.v(form.n), t.v(form.m)
    if not form.whole:
        a = b = t.vec("pair64", t.v(form.n, 64), t.v(form.m, 64), out=t.temp(128))
    rows = ("punpcklqdq", "punpckhqdq") if form.bits == 64 else ("v_uzp1_32", "v_uzp2_32")
    even, odd = (t.vec(row, a, b, out=t.temp(128)) for row in rows)
    return even, odd


def pairs(name: str) -> FpStage:
    """FADDP, FMAXP and so on: neighbours of both sources. With a scalar form those of the first one."""

    def stage(t: VectorTranslator, form: Form) -> None:
        count = 1 if form.scalar else form.count
        helper = fp_soft.pairwise(fp_soft.two(name, form.bits), form.bits, max(count, 2), count)
        if not t.exact_fp:
            soft(t, helper, form)
            return
        if not form.scalar:
            a, b = neighbours(t, form)
        else:
            a, b = (t.element(form.n, index, form.bits) for index in (0, 1))
        if name == "add":
            if form.scalar and form.bits == 32 and not is_silent(t, form, "add"):
                a, b = a.zext(64), b.zext(64)
            computed(t, form, "add", (a, b), helper)
            return
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            unlike_host(t, form, slow, a, b)
            write(t, form, t.vec(f"f{name[:3]}{suffix_of(form)}", a, b, out=t.temp(a.bits)))

    return stage


# --- fused ------------------------------------------------------------------------------------------------------------


def fused(t: VectorTranslator, form: Form, sources: tuple[int, int, int], signs: tuple[int, int],
          otherwise: Callable[[], object]) -> None:  # fmt: skip
    """``addend + a * b`` of the registers *sources* (a, b, addend).

    :param signs: whether the product, and whether the addend is negated
    """
    suffix = suffix_of(form)
    if not t.exact_fp or "fma" + suffix not in t.table:
        otherwise()
        return
    a, b, c = (operand(t, form, number) for number in sources)
    if signs[0]:
        a = flipped(t, form, a)
    if signs[1]:
        c = flipped(t, form, c)
    with OrElse(t, otherwise) as slow:
        if t.flushes:
            unlike_host(t, form, slow, a, b)
            unlike_host(t, form, slow, c, c)
        result = t.vec("fma" + suffix, a, b, c, out=t.temp(a.bits))
        found = t.vec("check_fma" + suffix, a, b, c, result, out=t.temp(32))
        allowed = t.glob(FPSR, 32).shr(3) & 2  # "inexact", if it is set already
        t.brcond("ne", found | allowed, allowed, slow)
        write(t, form, result)


def flipped(t: VectorTranslator, form: Form, value: Value) -> Value:
    """The lanes with the opposite signs."""
    sign = 1 << form.bits - 1
    return value ^ sign if form.scalar else t.vec("pxor", value, constant(t, form.bits, sign), out=t.temp(128))


def magnitude(t: VectorTranslator, form: Form, value: Value) -> Value:
    """The lanes without their signs."""
    keep = (1 << form.bits - 1) - 1
    return value & keep if form.scalar else t.vec("pand", value, constant(t, form.bits, keep), out=t.temp(128))


def multiply_add(minus: int, negate_addend: int = 0) -> FpStage:
    """FMLA, FMLS; VFMA, VFMS, VFNMA, VFNMS: the addend is the destination.

    :param minus: whether the product is negated
    """

    def stage(t: VectorTranslator, form: Form) -> None:
        sources = Lanes(0, form.bits), Lanes(1, form.bits), Lanes(2, form.bits)
        helper = fp_soft.lanewise(fp_soft.fused(form.bits, minus, negate_addend), sources, result_of(form))
        fused(t, form, (form.n, form.m, form.d), (minus, negate_addend), lambda: soft(t, helper, form))

    return stage


def multiply_then_add(minus: int, negate_addend: int = 0) -> FpStage:
    """VMLA, VMLS, VNMLA, VNMLS: the product is rounded before it is added to the destination."""

    def stage(t: VectorTranslator, form: Form) -> None:
        sources = Lanes(0, form.bits), Lanes(1, form.bits), Lanes(2, form.bits)
        helper = fp_soft.lanewise(fp_soft.chained(form.bits, minus, negate_addend), sources, result_of(form))
        if not t.exact_fp:
            soft(t, helper, form)
            return
        checked = is_silent(t, form, "mul")
        a, b, c = (operand(t, form, number, wide=not checked) for number in (form.n, form.m, form.d))
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            step = partial(silent if checked else _checked, t, form)
            product = step("mul", slow, a, b)
            if minus:
                product = flipped(t, form, product)
            if negate_addend:
                c = flipped(t, form, c)
            write(t, form, step("add", slow, c, product))

    return stage


# --- signs ------------------------------------------------------------------------------------------------------------


def sign(*, keep: bool) -> FpStage:
    """FABS (*keep* is false) and FNEG, which are no arithmetic: nothing is signaled."""

    def stage(t: VectorTranslator, form: Form) -> None:
        top = 1 << form.bits - 1
        row, pattern = ("pxor", top) if keep else ("pand", top - 1)
        finish(t, form, t.vec(row, t.v(form.n), constant(t, form.bits, pattern), out=target(t, form)))

    return stage


# --- comparisons ------------------------------------------------------------------------------------------------------


def compared(t: VectorTranslator, a: Value, b: Value, *, signaling: int) -> Value:
    """The flags of a comparison at their places in PSTATE (FCMP, FCMPE; VCMP, VCMPE).

    :param signaling: whether quiet NaNs, too, are an invalid operation
    """
    image = t.temp(32)

    def otherwise() -> None:
        t.call(fp_soft.compare, a.bits, 1 - signaling, a, b, returns=32, out=image)

    if not t.exact_fp:
        otherwise()
        return image
    with OrElse(t, otherwise) as slow:
        if t.flushes:
            branch_row(t, "slow_cmp" + SHAPES[a.bits, True], slow, a.offset, b.offset)
        t.vec(f"fcmp_nzcv{a.bits}", a, b, out=image)
        t.brcond("eq", image, C | V, slow)
    return image


PREDICATES = {"cmeq": (0, False), "cmge": (2, True), "cmgt": (1, True), "acge": (2, True), "acgt": (1, True)}
"""Of the rows named after CMPPS, and whether their operands are swapped."""


def comparison(name: str, *, zero: bool = False, swap: bool = False) -> FpStage:
    """FCMEQ, FCMGE, FCMGT, FACGE, FACGT: all ones where it holds.

    :param zero: the second operand is zero (the scratch register has it)
    :param swap: zero is the first one (FCMLE, FCMLT)
    """
    predicate, turned = PREDICATES[name]

    def stage(t: VectorTranslator, form: Form) -> None:
        if zero:
            lane, sources = fp_soft.with_zero(name, form.bits, int(swap)), (Lanes(1, form.bits),)
            helper = fp_soft.lanewise(lane, sources, result_of(form))
        else:
            helper = _two(name, form)
        if not t.exact_fp:
            soft(t, helper, form)
            return
        if zero:
            t.emit("zero128", t.vector(form.m))
        a, b = operand(t, form, form.n, wide=True), operand(t, form, form.m, wide=True)
        if swap != turned:
            a, b = b, a
        if name.startswith("ac"):
            a, b = magnitude(t, form, a), magnitude(t, form, b)
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            unlike_host(t, form, slow, a, b)
            write(t, form, t.vec(f"cmp{suffix_of(form)}_{predicate}", a, b, out=t.temp(a.bits)))

    return stage
