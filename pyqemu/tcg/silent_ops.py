"""Arithmetic that may be taken as it is, for guests with cumulative exception flags: a result, or NaN.

A row computes what IEEE 754 says for round to nearest. Where the operation has no effect on the guest's flags, that is
its result; else, and where there may be one, its lanes are default NaNs, and whoever emits the row does the operation
in software. No effect means: the result is clearly normal, or a zero that is exact, and it is exact, or the flag
"inexact" is set already (bit 4 of the operand ``e``, as in Arm's FPSR). Subnormal operands are numbers like others; for
those who flush them, rows that begin with ``normal_`` leave these to software, too.

So a row and a comparison are all that most instructions need. Suffixes and shapes are those of
:mod:`pyqemu.tcg.ieee_ops`. Of doubles, products, quotients and roots are there only where the host has fused
multiply-add, which tells what they lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu.tcg.float_lanes import NAN
from pyqemu.tcg.ieee_ops import SHAPES, host_has
from pyqemu.tcg.ops import Op, operands
from pyqemu.tcg.silent_lanes import INEXACT, INFINITY, LEAST, SAFE, Silent

NAMES = ("add", "sub", "mul", "div", "sqrt")
BACK = {"mul": ("x", "y", "r"), "div": ("r", "y", "x"), "sqrt": ("r", "r", "x")}
"""What is multiplied, and what the product is of an exact operation."""


class Types:
    """LLVM's types for a shape: plain ones for one lane, else vectors; and pieces of text for it."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.bits, self.count = SHAPES[suffix]
        self.width = self.bits if self.count == 1 else 128
        self.floats, self.integers, self.truths, self.wide = map(
            self._lanes, ("float" if self.bits == 32 else "double", f"i{self.bits}", "i1", "double")
        )
        self.name = f"f{self.bits}" if self.count == 1 else f"v{self.count}f{self.bits}"

    def _lanes(self, kind: str) -> str:
        return kind if self.count == 1 else f"<{self.count} x {kind}>"

    @property
    def zero(self) -> str:
        """Zero as a number."""
        return "0.0" if self.count == 1 else "zeroinitializer"

    @property
    def no_bits(self) -> str:
        """Zero as an integer."""
        return "0" if self.count == 1 else "zeroinitializer"

    @property
    def true(self) -> str:
        """Truth in all lanes."""
        return "true" if self.count == 1 else "splat (i1 true)"

    def constant(self, name: str, value: int) -> str:
        """``%name``: an integer in all lanes, from an immediate (see :mod:`pyqemu.tcg.vector_ops`)."""
        if self.count == 1:
            return f"%{name} = or i{self.bits} {value}, 0\n"
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
            return f"%{out} = or i1 %{name}, false\n"
        return f"%{out}c = bitcast {self.truths} %{name} to i{self.count}\n%{out} = icmp ne i{self.count} %{out}c, 0\n"


def _compute(name: str, k: Types) -> str:
    if name == "sqrt":
        return f"%r = call {k.floats} @llvm.sqrt.{k.name}({k.floats} %x)\n"
    return f"%r = f{name} {k.floats} %x, %y\n"


def _unfit(k: Types) -> str:
    """``%odd``: lanes of the result that are not clearly normal."""
    return (
        k.constant("keep", (1 << k.bits - 1) - 1) + k.constant("least", LEAST[k.bits])
        + k.constant("span", INFINITY[k.bits] - LEAST[k.bits])
        + f"%rb = bitcast {k.floats} %r to {k.integers}\n%rm = and {k.integers} %rb, %keep\n"
        f"%above = sub {k.integers} %rm, %least\n%odd = icmp uge {k.integers} %above, %span\n" + k.some("odd", "any")
    )  # fmt: skip


def _subnormal(name: str, k: Types) -> str:
    """``%flushed``: whether some operand is subnormal; ``%either``: that, or the result is not clearly normal."""
    i, t = k.integers, k.truths
    text = k.constant("first", 1) + k.constant("last", (LEAST[k.bits] >> 1) - 1)
    sources = "x" if name == "sqrt" else "xy"
    for v in sources:
        text += (
            f"%{v}b = bitcast {k.floats} %{v} to {i}\n%{v}m = and {i} %{v}b, %keep\n"
            f"%{v}l = sub {i} %{v}m, %first\n%{v}s = icmp ult {i} %{v}l, %last\n"
        )
    text += f"%xys = or {t} %xs, %{sources[-1]}s\n" + k.some("xys", "flushed") + f"%ods = or {t} %odd, %xys\n"
    return text + k.some("ods", "either")


def _bad(name: str, k: Types) -> str:
    """``%bad``: whether one of those is no exact zero either."""
    f, t = k.floats, k.truths
    text = f"%rz = icmp eq {k.integers} %rm, {k.no_bits}\n"
    if name in ("mul", "div"):
        text += f"%xz = fcmp oeq {f} %x, {k.zero}\n"
    if name == "mul":
        text += f"%yz = fcmp oeq {f} %y, {k.zero}\n%ez = or {t} %xz, %yz\n%fine = and {t} %rz, %ez\n"
    elif name == "div":
        text += f"%fine = and {t} %rz, %xz\n"
    else:
        text += f"%fine = or {t} %rz, %rz\n"
    return text + f"%rest = xor {t} %fine, {k.true}\n%worse = and {t} %odd, %rest\n" + k.some("worse", "bad")


def _lost(name: str, k: Types) -> str:
    """``%lost``: whether some lane is not seen to be exact."""
    f = k.floats
    if name in ("add", "sub"):
        signs = ("fsub", "fadd") if name == "add" else ("fadd", "fsub")
        text = (
            f"%bb = fsub {f} %r, %x\n%aa = fsub {f} %r, %bb\n%ea = fsub {f} %x, %aa\n%eb = {signs[0]} {f} %y, %bb\n"
            f"%err = {signs[1]} {f} %ea, %eb\n%le = fcmp une {f} %err, {k.zero}\n"
        )
        return text + k.some("le", "lost")
    if k.bits == 32:
        w = k.wide
        text = "".join(f"%{v}w = fpext {f} %{v} to {w}\n" for v in ("xr" if name == "sqrt" else "xyr"))
        one, other, whole = BACK[name]
        return text + f"%pw = fmul {w} %{one}w, %{other}w\n%le = fcmp une {w} %pw, %{whole}w\n" + k.some("le", "lost")
    return _lost_double(name, k)


def _lost_double(name: str, k: Types) -> str:
    """A fused multiply-add has the rounding error, unless that may be too small for a double."""
    f, i = k.floats, k.integers
    one, other, whole = BACK[name]
    text = f"%nw = fneg {f} %{whole}\n%err = call {f} @llvm.fma.{k.name}({f} %{one}, {f} %{other}, {f} %nw)\n"
    text += f"%le = fcmp une {f} %err, {k.zero}\n" + k.constant("one", 1) + k.constant("safe", SAFE - 1)
    number = "rm"
    if whole == "x":
        number, text = "wm", text + f"%wb = bitcast {f} %x to {i}\n%wm = and {i} %wb, %keep\n"
    text += f"%less = sub {i} %{number}, %one\n%small = icmp ult {i} %less, %safe\n"
    return text + f"%ls = or {k.truths} %le, %small\n" + k.some("ls", "lost")


def _row(name: str, k: Types, *, normal: bool = False) -> Op:
    w, f = k.width, k.floats
    text = f"%x = bitcast i{w} %a to {f}\n" + ("" if name == "sqrt" else f"%y = bitcast i{w} %b to {f}\n")
    text += _compute(name, k) + _unfit(k) + (_subnormal(name, k) if normal else "")
    text += f"br i1 %{'either' if normal else 'any'}, label %strange, label %usual\nstrange:\n" + _bad(name, k)
    text += f"%stop = or i1 %bad, {'%flushed' if normal else 'false'}\n"
    text += f"br i1 %stop, label %join, label %usual\nusual:\n%flag = and i32 %e, {INEXACT}\n"
    text += "%sticky = icmp ne i32 %flag, 0\nbr i1 %sticky, label %join, label %precise\nprecise:\n" + _lost(name, k)
    text += "br label %join\njoin:\n%no = phi i1 [ true, %strange ], [ false, %usual ], [ %lost, %precise ]\n"
    text += k.constant("nan", NAN[k.bits]) + f"%rs = bitcast {f} %r to i{w}\n%ns = bitcast {k.integers} %nan to i{w}\n"
    text += f"%d = select i1 %no, i{w} %ns, i{w} %rs"
    row = f"{'normal' if normal else 'silent'}_{name}{k.suffix}"
    declare = (f"declare {f} @llvm.sqrt.{k.name}({f})\n", f"declare {f} @llvm.fma.{k.name}({f}, {f}, {f})\n")
    lanes = Silent(name, k.bits, k.count, normal=normal)
    if name == "sqrt":
        return Op(row, operands(f"d{w} a{w} e32"), text, f"{row}({{a}}, {{e}})", declare=declare,
                  scope={row: lanes.root})  # fmt: skip
    return Op(row, operands(f"d{w} a{w} b{w} e32"), text, f"{row}({{a}}, {{b}}, {{e}})", declare=declare,
              scope={row: lanes.result})  # fmt: skip


def silent_table() -> Iterator[Op]:
    """All these rows."""
    for k in map(Types, SHAPES):
        for name in NAMES:
            if k.bits == 32 or name in ("add", "sub") or host_has("fma"):
                yield _row(name, k)
                yield _row(name, k, normal=True)
