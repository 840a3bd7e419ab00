"""Floating-point rows: the host's arithmetic, and the branches that tell when it is not enough.

A row computes what IEEE 754 says for round to nearest; a result that is a NaN is always the same one. Its ``slow_``
row branches to its label unless the guest's operation is that and has no effect on the guest's exception flags:
operands are normal or zero, the result is normal or an exact zero, and either the inexact flag is set already and
masked (bits 5 and 12 of the operand ``e``, laid out as x86's MXCSR) or the result is exact. Who emits the rows does
the operation in software there.

Vectors of one lane are scalars: ``ss`` and ``sd`` rows work on 64 bits and keep the bits of the first operand that
they do not compute. Constants are moved from immediates, see :mod:`pyqemu.tcg.vector_ops`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyqemu.tcg import float_lanes
from pyqemu.tcg.ops import Op, operands

STICKY, MODE_MASK, MODE_FAST = 1 << 5, 0x6000 | 1 << 12, 1 << 12  #: inexact; rounding and inexact mask; what is fast


@dataclass(frozen=True)
class Shape:
    """A kind of vector: its suffix, the width of its operands, the width and number of its lanes."""

    suffix: str
    width: int
    bits: int
    count: int

    @property
    def floats(self) -> str:
        return f"<{self.count} x {'double' if self.bits == 64 else 'float'}>"

    @property
    def integers(self) -> str:
        return f"<{self.count} x i{self.bits}>"

    @property
    def wide(self) -> str:
        return f"<{self.count} x double>"


SHAPES = (Shape("ss", 64, 32, 1), Shape("sd", 64, 64, 1), Shape("ps", 128, 32, 4), Shape("pd", 128, 64, 2))
LEAST_NORMAL = {32: 0x00800000, 64: 1 << 52}
INFINITY = {32: 0x7F800000, 64: 0x7FF << 52}
NAN = {32: 0xFFC00000, 64: 0xFFF8 << 48}


# --- pieces of LLVM text ----------------------------------------------------------------------------------------------


def _constant(shape: Shape, name: str, value: int) -> str:
    """``%name``: *value* in all lanes, as integers."""
    if shape.bits == 32 and shape.count > 1:
        value |= value << 32
    text = f'%{name}i = call i64 asm "movabsq $${value}, $0", "=r"()\n'
    if shape.count == 1:
        narrow = f"%{name}n = trunc i64 %{name}i to i32\n" if shape.bits == 32 else f"%{name}n = or i64 %{name}i, 0\n"
        return text + narrow + f"%{name} = bitcast i{shape.bits} %{name}n to {shape.integers}\n"
    return text + (
        f"%{name}v = insertelement <2 x i64> poison, i64 %{name}i, i32 0\n"
        f"%{name}w = shufflevector <2 x i64> %{name}v, <2 x i64> poison, <2 x i32> zeroinitializer\n"
        f"%{name} = bitcast <2 x i64> %{name}w to {shape.integers}\n"
    )


def _operand(shape: Shape, letter: str, name: str) -> str:
    """``%name``: the lanes of an operand as floats."""
    if shape.width == 64 and shape.bits == 32:
        return f"%{name}t = trunc i64 %{letter} to i32\n%{name} = bitcast i32 %{name}t to {shape.floats}\n"
    return f"%{name} = bitcast i{shape.width} %{letter} to {shape.floats}\n"


def _result(shape: Shape, name: str, kind: str) -> str:
    """``%d`` from the lanes ``%name`` of type *kind*."""
    if shape.width == 64 and shape.bits == 32:
        return (
            f"%dn = bitcast {kind} %{name} to i32\n%dl = zext i32 %dn to i64\n%dh = and i64 %a, -4294967296\n"
            "%d = or i64 %dh, %dl"
        )
    return f"%d = bitcast {kind} %{name} to i{shape.width}"


def _magnitude(shape: Shape, name: str) -> str:
    """``%{name}m``: the lanes without their signs."""
    f, n = shape.floats, shape.integers
    return (
        f"%{name}b = bitcast {f} %{name} to {n}\n%{name}e = and {n} %{name}b, %keep\n"
        f"%{name}m = bitcast {n} %{name}e to {f}\n"
    )


def _all(shape: Shape, name: str, out: str) -> str:
    """``%out``: whether the condition ``%name`` holds in some lane."""
    if shape.count == 1:
        return f"%{out} = extractelement <1 x i1> %{name}, i32 0\n"
    bits = f"i{shape.count}"
    return f"%{out}c = bitcast <{shape.count} x i1> %{name} to {bits}\n%{out} = icmp ne {bits} %{out}c, 0\n"


def _limits(shape: Shape) -> str:
    """``%least`` and ``%double``, the least normal number and twice that, ``%inf``, and ``%keep``, all but the sign."""
    least = LEAST_NORMAL[shape.bits]
    text = _constant(shape, "keep", (1 << shape.bits - 1) - 1)
    for name, value in (("least", least), ("double", 2 * least), ("inf", INFINITY[shape.bits])):
        text += _constant(shape, name + "x", value) + f"%{name} = bitcast {shape.integers} %{name}x to {shape.floats}\n"
    return text


def _denormal(shape: Shape, name: str) -> str:
    """``%{name}s``: lanes that are subnormal (or NaN), and ``%{name}z``: lanes that are zero."""
    f, c = shape.floats, f"<{shape.count} x i1>"
    return (
        _magnitude(shape, name)
        + f"%{name}u = fcmp ult {f} %{name}m, %least\n%{name}z = fcmp oeq {f} %{name}m, zeroinitializer\n"
        f"%{name}y = xor {c} %{name}z, splat (i1 true)\n%{name}s = and {c} %{name}u, %{name}y\n"
    )


def _out_of_range(shape: Shape, name: str) -> str:
    """``%{name}o``: lanes that are not clearly normal; ``%{name}z``: lanes that are zero."""
    f, c = shape.floats, f"<{shape.count} x i1>"
    return (
        _magnitude(shape, name) + f"%{name}p = fcmp ult {f} %{name}m, %double\n%{name}q = fcmp uge {f} %{name}m, %inf\n"
        f"%{name}o = or {c} %{name}p, %{name}q\n%{name}z = fcmp oeq {f} %{name}m, zeroinitializer\n"
    )


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _compute(name: str, shape: Shape) -> str:
    f = shape.floats
    if name == "sqrt":
        kind = f"v{shape.count}f{shape.bits}"
        return f"%r = call {f} @llvm.sqrt.{kind}({f} %y)\n"
    return f"%r = f{name} {f} %x, %y\n"


def _sqrt_declaration(shape: Shape) -> tuple[str, ...]:
    return (f"declare {shape.floats} @llvm.sqrt.v{shape.count}f{shape.bits}({shape.floats})\n",)


def _exact_zero(name: str, shape: Shape) -> str:
    """``%good``: lanes whose zero result is exact."""
    c = f"<{shape.count} x i1>"
    match name:
        case "mul":
            return f"%either = or {c} %xz, %yz\n%good = and {c} %rz, %either\n"
        case "div":
            return f"%good = and {c} %rz, %xz\n"
    return f"%good = or {c} %rz, %rz\n"


def _inexact(name: str, shape: Shape) -> str:
    """``%lost``: whether some lane's result may differ from the exact one; false only where it does not."""
    f = shape.floats
    if name in ("add", "sub"):
        back = "fadd" if name == "sub" else "fsub"
        text = {
            "add": f"%bb = fsub {f} %r, %x\n%aa = fsub {f} %r, %bb\n%ea = fsub {f} %x, %aa\n%eb = fsub {f} %y, %bb\n",
            "sub": f"%bb = fsub {f} %r, %x\n%aa = fsub {f} %r, %bb\n%ea = fsub {f} %x, %aa\n%eb = fadd {f} %y, %bb\n",
        }[name]
        text += f"%err = {'fsub' if back == 'fadd' else 'fadd'} {f} %ea, %eb\n"
        return text + f"%ne = fcmp une {f} %err, zeroinitializer\n" + _all(shape, "ne", "lost")
    if shape.bits == 32:
        w = shape.wide
        text = "".join(f"%{v}w = fpext {f} %{v} to {w}\n" for v in "xyr")
        product = {"mul": ("xw", "yw", "rw"), "div": ("rw", "yw", "xw"), "sqrt": ("rw", "rw", "yw")}[name]
        text += "%pw = fmul {3} %{0}, %{1}\n%ne = fcmp une {3} %pw, %{2}\n".format(*product, w)
        return text + _all(shape, "ne", "lost")
    return _inexact_doubles(name, shape)


def _inexact_doubles(name: str, shape: Shape) -> str:
    """A product is exact where its factors end in enough zeros; a quotient or root where the product back is."""
    left, right = {"mul": ("x", "y"), "div": ("r", "y"), "sqrt": ("r", "r")}[name]
    text = ""
    terms = []
    for lane in range(shape.count):
        counts = []
        for v in dict.fromkeys((left, right)):
            tag = f"{v}{lane}"
            text += (
                f"%{tag}f = extractelement {shape.floats} %{v}, i32 {lane}\n%{tag}i = bitcast double %{tag}f to i64\n"
                f"%{tag}j = or i64 %{tag}i, 4503599627370496\n%{tag}t = call i64 @llvm.cttz.i64(i64 %{tag}j, i1 true)\n"
            )
            counts.append(f"%{tag}t")
        text += f"%sum{lane} = add i64 {counts[0]}, {counts[-1]}\n%few{lane} = icmp ult i64 %sum{lane}, 53\n"
        terms.append(f"few{lane}")
        if name != "mul":
            back = {"div": "x", "sqrt": "y"}[name]
            text += (
                f"%back{lane} = fmul double %{left}{lane}f, %{right}{lane}f\n"
                f"%want{lane} = extractelement {shape.floats} %{back}, i32 {lane}\n"
                f"%differ{lane} = fcmp une double %back{lane}, %want{lane}\n"
            )
            terms.append(f"differ{lane}")
    total = terms[0]
    for n, term in enumerate(terms[1:]):
        text += f"%any{n} = or i1 %{total}, %{term}\n"
        total = f"any{n}"
    return text + f"%lost = or i1 %{total}, false\n"


def _when_not_sticky(bad: str, check: str) -> str:
    """``%taken``: the mode is not the fast one, or ``%bad``, or, while the inexact flag is clear, ``%lost``."""
    return (
        f"%mode = and i32 %e, {MODE_MASK}\n%strange = icmp ne i32 %mode, {MODE_FAST}\n%stop = or i1 %strange, {bad}\n"
        f"%flag = and i32 %e, {STICKY}\n%sticky = icmp ne i32 %flag, 0\nbr i1 %sticky, label %join, label %precise\n"
        f"precise:\n{check}br label %join\njoin:\n%inexact = phi i1 [ false, %0 ], [ %lost, %precise ]\n"
        "%taken = or i1 %stop, %inexact"
    )


def _arithmetic() -> Iterator[Op]:
    for shape in SHAPES:
        w = shape.width
        load = _operand(shape, "a", "x") + _operand(shape, "b", "y")
        for name in ("add", "sub", "mul", "div", "sqrt"):
            nan = _constant(shape, "nan", NAN[shape.bits])
            f, n, c = shape.floats, shape.integers, f"<{shape.count} x i1>"
            clean = f"%rb = bitcast {f} %r to {n}\n%is = fcmp uno {f} %r, %r\n%rc = select {c} %is, {n} %nan, {n} %rb\n"
            declare = _sqrt_declaration(shape) if name == "sqrt" else ()
            lanes = float_lanes.Arithmetic(name, shape.bits, shape.count)
            yield Op(
                name + shape.suffix,
                operands(f"d{w} a{w} b{w}"),
                load + _compute(name, shape) + nan + clean + _result(shape, "rc", n),
                f"f_{name}{shape.suffix}({{a}}, {{b}})",
                declare=declare,
                scope={f"f_{name}{shape.suffix}": lanes.result},
            )
            operand_checks = _limits(shape) + _denormal(shape, "y")
            operand_checks += "" if name == "sqrt" else _denormal(shape, "x")
            unfit = _out_of_range(shape, "r") + _exact_zero(name, shape)
            unfit += (
                f"%notgood = xor {c} %good, splat (i1 true)\n%badr = and {c} %ro, %notgood\n%bad0 = or {c} %badr, %ys\n"
            )
            unfit += f"%bad1 = or {c} %bad0, {'%ys' if name == 'sqrt' else '%xs'}\n" + _all(shape, "bad1", "bad")
            yield Op(
                f"slow_{name}{shape.suffix}",
                operands(f"a{w} b{w} c{w} e32 l"),
                load
                + _operand(shape, "c", "r")
                + operand_checks
                + unfit
                + _when_not_sticky("%bad", _inexact(name, shape)),
                f"s_{name}{shape.suffix}({{a}}, {{b}}, {{c}}, {{e}})",
                "branch",
                scope={f"s_{name}{shape.suffix}": lanes.slow},
            )


# --- comparisons ------------------------------------------------------------------------------------------------------

PREDICATES = ("oeq", "olt", "ole", "uno", "une", "uge", "ugt", "ord")  #: by the immediate of CMPPS


def _comparisons() -> Iterator[Op]:
    """Minimum, maximum, comparison masks; and a row that tells when these signal: for NaNs and subnormal operands."""
    for shape in SHAPES:
        w, f, n, c = shape.width, shape.floats, shape.integers, f"<{shape.count} x i1>"
        load = _operand(shape, "a", "x") + _operand(shape, "b", "y")
        lanes = float_lanes.Comparison(shape.bits, shape.count)
        for name, cond in (("min", "olt"), ("max", "ogt")):
            text = load + f"%t = fcmp {cond} {f} %x, %y\n%r = select {c} %t, {f} %x, {f} %y\n" + _result(shape, "r", f)
            function = lanes.minimum if name == "min" else lanes.maximum
            yield Op(
                name + shape.suffix,
                operands(f"d{w} a{w} b{w}"),
                text,
                f"f_{name}{shape.suffix}({{a}}, {{b}})",
                scope={f"f_{name}{shape.suffix}": function},
            )
        for number, cond in enumerate(PREDICATES):
            text = load + f"%t = fcmp {cond} {f} %x, %y\n%r = sext {c} %t to {n}\n" + _result(shape, "r", n)
            yield Op(
                f"cmp{shape.suffix}_{number}",
                operands(f"d{w} a{w} b{w}"),
                text,
                f"f_cmp{shape.suffix}({{a}}, {{b}}, {number})",
                scope={f"f_cmp{shape.suffix}": lanes.mask},
            )
        text = load + _limits(shape) + _denormal(shape, "x") + _denormal(shape, "y") + f"%s = or {c} %xs, %ys\n"
        yield Op(
            f"slow_cmp{shape.suffix}",
            operands(f"a{w} b{w} l"),
            text + _all(shape, "s", "taken"),
            f"s_cmp{shape.suffix}({{a}}, {{b}})",
            "branch",
            scope={f"s_cmp{shape.suffix}": lanes.slow},
        )


def _flags() -> Iterator[Op]:
    """COMISS, COMISD: ZF, PF and CF as an image of the flags."""
    for bits, kind, suffix in ((32, "float", "ss"), (64, "double", "sd")):
        text = "".join(f"%{v} = bitcast i{bits} %{o} to {kind}\n" for v, o in (("x", "a"), ("y", "b")))
        text += (
            f"%lt = fcmp ult {kind} %x, %y\n%eq = fcmp ueq {kind} %x, %y\n%un = fcmp uno {kind} %x, %y\n"
            "%cf = zext i1 %lt to i32\n%zf = select i1 %eq, i32 64, i32 0\n%pf = select i1 %un, i32 4, i32 0\n"
            "%cz = or i32 %cf, %zf\n%d = or i32 %cz, %pf"
        )
        yield Op(
            f"comi{suffix}",
            operands(f"d32 a{bits} b{bits}"),
            text,
            f"f_comi{suffix}({{a}}, {{b}})",
            scope={f"f_comi{suffix}": float_lanes.Comparison(bits, 1).flags},
        )


# --- conversions ------------------------------------------------------------------------------------------------------


def _to_float() -> Iterator[Op]:
    """Integers to scalars; inexact results need the flag."""
    for source in (32, 64):
        for bits, kind, precision in ((32, "float", 24), (64, "double", 53)):
            name = f"cvt{source}_{bits}"
            text = f"%r = sitofp i{source} %a to {kind}\n%d = bitcast {kind} %r to i{bits}"
            yield Op(
                name,
                operands(f"d{bits} a{source}"),
                text,
                f"f_{name}({{a}})",
                scope={f"f_{name}": float_lanes.from_int(source, bits)},
            )
            if source == 32 and bits == 64:
                continue
            limit = 1 << precision
            check = f"%p = add i{source} %a, {limit}\n%lost = icmp ugt i{source} %p, {2 * limit}\n"
            yield Op(
                "slow_" + name,
                operands(f"a{source} e32 l"),
                _when_not_sticky("false", check),
                f"s_{name}({{a}}, {{e}})",
                "branch",
                scope={f"s_{name}": float_lanes.from_int_slow(source, precision)},
            )


def _to_int() -> Iterator[Op]:
    """Scalars to integers, truncated (``t``) or rounded to nearest; out of range: the integer indefinite."""
    for bits, kind, suffix, set_name in ((32, "<4 x float>", "ss", "sse"), (64, "<2 x double>", "sd", "sse2")):
        scalar = "float" if bits == 32 else "double"
        for size in (32, 64):
            for mark in ("", "t"):
                name = f"cvt{mark}{bits}_i{size}"
                called = f"@llvm.x86.{set_name}.cvt{mark}{suffix}2si{'64' if size == 64 else ''}"
                text = (
                    f"%x = bitcast i{bits} %a to {scalar}\n"
                    f"%v = insertelement {kind} zeroinitializer, {scalar} %x, i32 0\n"
                    f"%d = call i{size} {called}({kind} %v)"
                )
                yield Op(
                    name,
                    operands(f"d{size} a{bits}"),
                    text,
                    f"f_{name}({{a}})",
                    declare=(f"declare i{size} {called}({kind})\n",),
                    scope={f"f_{name}": float_lanes.to_int(bits, size, truncate=bool(mark))},
                )
            exponent = (127 if bits == 32 else 1023) + size - 1
            limit = exponent << (23 if bits == 32 else 52)
            text = f"%s = shl i{bits} %a, 1\n%m = lshr i{bits} %s, 1\n%far = icmp uge i{bits} %m, {limit}\n"
            text += f"%none = icmp eq i{size} %b, {1 << size - 1}\n%big = or i1 %far, %none\n"
            name = f"slow_cvt{bits}_i{size}"
            check = f"%x = bitcast i{bits} %a to {scalar}\n%g = sitofp i{size} %b to {scalar}\n"
            check += f"%lost = fcmp une {scalar} %x, %g\n"
            yield Op(
                name,
                operands(f"a{bits} b{size} e32 l"),
                text + _when_not_sticky("%big", check),
                f"s_{name}({{a}}, {{b}}, {{e}})",
                "branch",
                scope={f"s_{name}": float_lanes.to_int_slow(bits, size)},
            )


def _widening() -> Iterator[Op]:
    """Single to double."""
    nan64 = _constant(SHAPES[1], "nan", NAN[64])
    text = "%x = bitcast i32 %a to float\n%r = fpext float %x to double\n%rb = bitcast double %r to i64\n" + nan64
    text += (
        "%n = extractelement <1 x i64> %nan, i32 0\n%is = fcmp uno double %r, %r\n%d = select i1 %is, i64 %n, i64 %rb"
    )
    yield Op(
        "cvt_single_double",
        operands("d64 a32"),
        text,
        "f_single_double({a})",
        scope={"f_single_double": float_lanes.widen},
    )
    text = "%m = and i32 %a, 2147483647\n%n = sub i32 %m, 8388608\n%big = icmp uge i32 %n, 2130706432\n"
    text += "%some = icmp ne i32 %m, 0\n%taken = and i1 %big, %some"
    yield Op(
        "slow_single_double",
        operands("a32 l"),
        text,
        "s_single_double({a})",
        "branch",
        scope={"s_single_double": float_lanes.widen_slow},
    )


def _narrowing() -> Iterator[Op]:
    """Double to single."""
    nan32 = _constant(SHAPES[0], "nan", NAN[32])
    text = "%x = bitcast i64 %a to double\n%r = fptrunc double %x to float\n%rb = bitcast float %r to i32\n" + nan32
    text += (
        "%n = extractelement <1 x i32> %nan, i32 0\n%is = fcmp uno float %r, %r\n%d = select i1 %is, i32 %n, i32 %rb"
    )
    yield Op(
        "cvt_double_single",
        operands("d32 a64"),
        text,
        "f_double_single({a})",
        scope={"f_double_single": float_lanes.narrow},
    )
    text = "%m = and i32 %b, 2147483647\n%n = sub i32 %m, 16777216\n%big = icmp uge i32 %n, 2122317824\n"
    text += "%am = shl i64 %a, 1\n%some = icmp ne i64 %am, 0\n%bad = and i1 %big, %some\n"
    check = "%x = bitcast i64 %a to double\n%r = bitcast i32 %b to float\n%g = fpext float %r to double\n"
    check += "%lost = fcmp une double %x, %g\n"
    yield Op(
        "slow_double_single",
        operands("a64 b32 e32 l"),
        text + _when_not_sticky("%bad", check),
        "s_double_single({a}, {b}, {e})",
        "branch",
        scope={"s_double_single": float_lanes.narrow_slow},
    )


def float_table() -> Iterator[Op]:
    """All rows of floating point."""
    for family in (_arithmetic, _comparisons, _flags, _to_float, _to_int, _widening, _narrowing):
        yield from family()
