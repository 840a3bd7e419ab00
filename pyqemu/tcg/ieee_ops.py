"""Floating-point rows beside those of :mod:`pyqemu.tcg.float_ops`: fused multiply-add, and what x86 has no row for.

Suffixes and shapes are that module's; the scalars here work on 32 and 64 bits and leave nothing above their result.
A ``check_fma`` row says what a guest with cumulative exception flags must know of a result that the host computed: 0
if it is exact and signals nothing, 2 if all that may be to signal is that it is inexact, an odd number if the
operation must be done in software.

Fused rows are there only where the host has the instruction: LLVM would call a library instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pyqemu.tcg import ieee_lanes
from pyqemu.tcg.ops import Op, operands

SHAPES = {"ss": (32, 1), "sd": (64, 1), "ps": (32, 4), "pd": (64, 2)}  #: bits and number of lanes
LEAST = {32: 2 << 23, 64: 2 << 52}  #: twice the least normal number: below it a rounded result may have been tiny
INFINITY = {32: 0x7F800000, 64: 0x7FF << 52}
NAN = {32: 0xFFC00000, 64: 0xFFF8 << 48}
SAFE = (1023 - 900) << 52  #: of a product this large or larger the rounding error is a double
N, Z, C, V = 1 << 31, 1 << 30, 1 << 29, 1 << 28


@cache
def _host_features() -> frozenset[str]:
    """What Linux says of the first processor."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return frozenset(next((line for line in lines if line.startswith("flags")), "").split())
    except OSError:
        return frozenset()


def host_has(feature: str) -> bool:
    """Whether the host's processor has a feature, by Linux's name for it; False where that cannot be known."""
    return feature in _host_features()


class Kind:
    """The LLVM types of a shape, and pieces of text for it."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.bits, self.count = SHAPES[suffix]
        self.width = self.bits if self.count == 1 else 128
        scalar = "float" if self.bits == 32 else "double"
        self.floats = f"<{self.count} x {scalar}>"
        self.integers = f"<{self.count} x i{self.bits}>"
        self.truths = f"<{self.count} x i1>"
        self.wide = f"<{self.count} x double>"
        self.name = f"v{self.count}f{self.bits}"

    def operand(self, letter: str, name: str) -> str:
        """``%name``: an operand's lanes."""
        return f"%{name} = bitcast i{self.width} %{letter} to {self.floats}\n"

    def result(self, name: str, kind: str) -> str:
        """``%d`` from lanes."""
        return f"%d = bitcast {kind} %{name} to i{self.width}"

    def constant(self, name: str, value: int) -> str:
        """``%name``: an integer in all lanes, from an immediate."""
        text = f'%{name}i = call i64 asm "movabsq $${value}, $0", "=r"()\n'
        text += f"%{name}n = trunc i64 %{name}i to i32\n" if self.bits == 32 else f"%{name}n = or i64 %{name}i, 0\n"
        text += f"%{name}v = insertelement {self.integers} poison, i{self.bits} %{name}n, i32 0\n"
        return text + (
            f"%{name} = shufflevector {self.integers} %{name}v, {self.integers} poison, "
            f"<{self.count} x i32> zeroinitializer\n"
        )

    def some(self, name: str, out: str) -> str:
        """``%out``: whether ``%name`` holds in some lane."""
        if self.count == 1:
            return f"%{out} = extractelement <1 x i1> %{name}, i32 0\n"
        return f"%{out}c = bitcast {self.truths} %{name} to i{self.count}\n%{out} = icmp ne i{self.count} %{out}c, 0\n"

    def operation(self, name: str, text: str, body: str, called: object, declare: tuple[str, ...] = (),
                  *, branch: bool = False) -> Op:  # fmt: skip
        """A row of this shape whose Python column is a call."""
        letters = [word[0] for word in text.split() if word[0] in "abce"]
        call = f"{name}{self.suffix}({', '.join(f'{{{letter}}}' for letter in letters)})"
        scope = {name + self.suffix: called}
        return Op(name + self.suffix, operands(text), body, call, "branch" if branch else "pure", declare=declare,
                  scope=scope)  # fmt: skip


KINDS = tuple(map(Kind, SHAPES))


def _fused() -> Iterator[Op]:
    if not host_has("fma"):
        return
    for k in KINDS:
        f, w = k.floats, k.width
        fma = f"@llvm.fma.{k.name}"
        load = k.operand("a", "x") + k.operand("b", "y") + k.operand("c", "z")
        body = load + f"%r = call {f} {fma}({f} %x, {f} %y, {f} %z)\n" + k.constant("nan", NAN[k.bits])
        body += f"%rb = bitcast {f} %r to {k.integers}\n%is = fcmp uno {f} %r, zeroinitializer\n"
        body += f"%q = select {k.truths} %is, {k.integers} %nan, {k.integers} %rb\n" + k.result("q", k.integers)
        lanes = ieee_lanes.Fused(k.bits, k.count)
        declare = (f"declare {f} {fma}({f}, {f}, {f})\n",)
        yield k.operation("fma", f"d{w} a{w} b{w} c{w}", body, lanes.result, declare)
        body = load + k.operand("e", "r") + _unfit(k) + (_lost_single(k) if k.bits == 32 else _lost_double(k, fma))
        body += k.some("unfit", "bad") + k.some("lost", "cut")
        body += "%bw = zext i1 %bad to i32\n%cw = select i1 %cut, i32 2, i32 0\n%d = or i32 %bw, %cw"
        yield k.operation("check_fma", f"d32 a{w} b{w} c{w} e{w}", body, lanes.check, declare)


def _unfit(k: Kind) -> str:
    """``%unfit``: results that are not clearly normal, and not zero because a factor and the addend are.

    ``%zero``: lanes with a factor that is zero.
    """
    i, f, t = k.integers, k.floats, k.truths
    return (
        k.constant("keep", (1 << k.bits - 1) - 1) + k.constant("least", LEAST[k.bits])
        + k.constant("inf", INFINITY[k.bits])
        + f"%rb = bitcast {f} %r to {i}\n%rm = and {i} %rb, %keep\n%small = icmp slt {i} %rm, %least\n"
        f"%large = icmp sge {i} %rm, %inf\n%odd = or {t} %small, %large\n"
        f"%xz = fcmp oeq {f} %x, zeroinitializer\n%yz = fcmp oeq {f} %y, zeroinitializer\n%zero = or {t} %xz, %yz\n"
        f"%rz = icmp eq {i} %rm, zeroinitializer\n%fine = and {t} %rz, %zero\n"
        f"%unfit0 = xor {t} %fine, splat (i1 true)\n%unfit = and {t} %unfit0, %odd\n"
    )  # fmt: skip


def _two_sum(kind: str, p: str, c: str) -> str:
    """``%s`` and ``%err``: a sum and what it lost (D. Knuth, TAOCP vol. 2, 4.2.2, theorem B)."""
    return (
        f"%s = fadd {kind} {p}, {c}\n%bb = fsub {kind} %s, {p}\n%aa = fsub {kind} %s, %bb\n"
        f"%ea = fsub {kind} {p}, %aa\n%eb = fsub {kind} {c}, %bb\n%err = fadd {kind} %ea, %eb\n"
        f"%le = fcmp une {kind} %err, zeroinitializer\n"
    )


def _lost_single(k: Kind) -> str:
    """``%lost``: the product of singles is exact as a double."""
    w = k.wide
    text = "".join(f"%{v}w = fpext {k.floats} %{v} to {w}\n" for v in "xyzr")
    text += f"%pw = fmul {w} %xw, %yw\n" + _two_sum(w, "%pw", "%zw")
    return text + f"%ls = fcmp une {w} %s, %rw\n%lost = or {k.truths} %le, %ls\n"


def _lost_double(k: Kind, fma: str) -> str:
    """``%lost``: a product's rounding error is a double, unless the product is small."""
    f, t = k.floats, k.truths
    return (
        f"%p = fmul {f} %x, %y\n%np = fneg {f} %p\n%e1 = call {f} {fma}({f} %x, {f} %y, {f} %np)\n"
        f"%lp = fcmp une {f} %e1, zeroinitializer\n" + _two_sum(f, "%p", "%z") + k.constant("safe", SAFE)
        + f"%pb = bitcast {f} %p to {k.integers}\n%pm = and {k.integers} %pb, %keep\n"
        f"%ps = icmp slt {k.integers} %pm, %safe\n%nonzero = xor {t} %zero, splat (i1 true)\n"
        f"%lq = and {t} %ps, %nonzero\n%l0 = or {t} %lp, %le\n%lost = or {t} %l0, %lq\n"
    )  # fmt: skip


def _choices() -> Iterator[Op]:
    """The lesser and the greater, where -0 is less than +0; and a branch where lanes are unordered."""
    for k in KINDS:
        f, i, w = k.floats, k.integers, k.width
        load = k.operand("a", "x") + k.operand("b", "y")
        bits = "".join(f"%{v}b = bitcast {f} %{v} to {i}\n" for v in "xy")
        lanes = ieee_lanes.Choice(k.bits, k.count)
        for name, cond, both, function in (("fmin", "olt", "or", lanes.minimum), ("fmax", "ogt", "and", lanes.maximum)):
            body = load + bits + f"%t = fcmp {cond} {f} %x, %y\n%e = fcmp oeq {f} %x, %y\n%same = {both} {i} %xb, %yb\n"
            body += f"%q = select {k.truths} %t, {i} %xb, {i} %yb\n%r = select {k.truths} %e, {i} %same, {i} %q\n"
            yield k.operation(name, f"d{w} a{w} b{w}", body + k.result("r", i), function)
        body = load + f"%u = fcmp uno {f} %x, %y\n" + k.some("u", "taken")
        yield k.operation("bruno", f"a{w} b{w} l", body, lanes.unordered, branch=True)


def _integral() -> Iterator[Op]:
    """Integral values in a fixed direction: nearest, down, up, towards zero, nearest with ties away from zero.

    NaNs are for software.
    """
    for k in KINDS:
        f, w = k.floats, k.width
        for mark, called in (("n", "roundeven"), ("m", "floor"), ("p", "ceil"), ("z", "trunc"), ("a", "trunc")):
            result = "q" if mark == "a" else "r"
            body = k.operand("a", "x") + f"%{result} = call {f} @llvm.{called}.{k.name}({f} %x)\n"
            if mark == "a":
                body += _away(k)
            body += k.constant("nan", NAN[k.bits])
            body += f"%rb = bitcast {f} %r to {k.integers}\n%is = fcmp uno {f} %x, zeroinitializer\n"
            body += f"%rc = select {k.truths} %is, {k.integers} %nan, {k.integers} %rb\n" + k.result("rc", k.integers)
            lanes = ieee_lanes.Integral(k.bits, k.count, mark)
            yield k.operation("rint" + mark, f"d{w} a{w}", body, lanes.result,
                              (f"declare {f} @llvm.{called}.{k.name}({f})\n",))  # fmt: skip


def _away(k: Kind) -> str:
    """``%r``: the truncated ``%q``, and one more where a half or more was cut off."""
    i, f = k.integers, k.floats
    one = {32: 0x3F800000, 64: 0x3FF << 52}[k.bits]
    half = {32: 0x3F000000, 64: 0x3FE << 52}[k.bits]
    return (
        k.constant("keep", (1 << k.bits - 1) - 1) + k.constant("one", one) + k.constant("half", half)
        + f"%rest = fsub {f} %x, %q\n%ri = bitcast {f} %rest to {i}\n%rm = and {i} %ri, %keep\n"
        f"%rf = bitcast {i} %rm to {f}\n%hf = bitcast {i} %half to {f}\n%more = fcmp oge {f} %rf, %hf\n"
        f"%step = select {k.truths} %more, {i} %one, {i} zeroinitializer\n%xi = bitcast {f} %x to {i}\n"
        f"%xm = and {i} %xi, %keep\n%xs = xor {i} %xi, %xm\n%signed = or {i} %step, %xs\n"
        f"%sf = bitcast {i} %signed to {f}\n%r = fadd {f} %q, %sf\n"
    )  # fmt: skip


def _flags() -> Iterator[Op]:
    """A comparison as Arm's flags (N, Z, C, V at the places of PSTATE)."""
    for bits, kind in ((32, "float"), (64, "double")):
        text = "".join(f"%{v} = bitcast i{bits} %{o} to {kind}\n" for v, o in (("x", "a"), ("y", "b")))
        text += (
            f"%lt = fcmp olt {kind} %x, %y\n%eq = fcmp oeq {kind} %x, %y\n%un = fcmp uno {kind} %x, %y\n"
            f"%f = select i1 %lt, i32 {N - (1 << 32)}, i32 {C}\n%g = select i1 %eq, i32 {Z | C}, i32 %f\n"
            f"%d = select i1 %un, i32 {C | V}, i32 %g"
        )
        name = f"fcmp_nzcv{bits}"
        yield Op(name, operands(f"d32 a{bits} b{bits}"), text, f"{name}({{a}}, {{b}})",
                 scope={name: ieee_lanes.Choice(bits, 1).flags})  # fmt: skip


def ieee_table() -> Iterator[Op]:
    """All these rows."""
    for family in (_fused, _choices, _integral, _flags):
        yield from family()
