"""Vector rows of integers that Arm's Advanced SIMD needs beside those of :mod:`pyqemu.tcg.vector_ops`.

Names are Arm's mnemonics with the width of a lane in bits behind them, ``v_`` before them. Operands of 64 bits are
halves of registers, wherever these lie: instructions that widen take the lower or the upper half, those that narrow
write one of them. Constants are moved from immediates, see :mod:`pyqemu.tcg.vector_ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyqemu.tcg import lanes
from pyqemu.tcg.ieee_ops import host_has
from pyqemu.tcg.ops import Op, operands

Function = Callable[..., Any]
M64 = (1 << 64) - 1
PACKS = {8: "sse2.packuswb.128", 16: "sse41.packusdw"}


def kind(bits: int, width: int = 128) -> str:
    """The LLVM type of *width* bits in lanes of *bits* bits."""
    return f"<{width // bits} x i{bits}>"


def _row(name: str, text: str, llvm: str, function: Function, declare: tuple[str, ...] = ()) -> Op:
    sources = ", ".join(f"{{{word[0]}}}" for word in text.split()[1:])
    return Op("v_" + name, operands(text), llvm, f"v_{name}({sources})", declare=declare, scope={f"v_{name}": function})


def _constant(name: str, value: int, bits: int) -> str:
    """``%name``: 64 bits of a constant, twice, as lanes of *bits* bits."""
    return (
        f'%{name}i = call i64 asm "movabsq $${value}, $0", "=r"()\n'
        f"%{name}v = insertelement <2 x i64> poison, i64 %{name}i, i32 0\n"
        f"%{name}w = shufflevector <2 x i64> %{name}v, <2 x i64> poison, <2 x i32> zeroinitializer\n"
        f"%{name} = bitcast <2 x i64> %{name}w to {kind(bits)}\n"
    )


def _vertical(name: str, bits: int, body: str, function: lanes.Binary, *, signed: bool = False) -> Op:
    """*body* makes ``%r`` of ``%x`` and ``%y``, which have the type ``T``; ``B`` is that of their comparisons."""
    t = kind(bits)
    body = body.replace("T", t).replace("B", f"<{128 // bits} x i1>")
    llvm = f"%x = bitcast i128 %a to {t}\n%y = bitcast i128 %b to {t}\n{body}\n%d = bitcast {t} %r to i128"
    return _row(f"{name}{bits}", "d128 a128 b128", llvm, lanes.vertical(function, bits, signed=signed))


def _comparisons() -> Iterator[Op]:
    for bits in (8, 16, 32, 64):
        body = "%t = icmp sge T %x, %y\n%r = sext B %t to T"
        yield _vertical("cmge", bits, body, lambda x, y: -(x >= y), signed=True)
        body = "%n = and T %x, %y\n%t = icmp ne T %n, zeroinitializer\n%r = sext B %t to T"
        yield _vertical("cmtst", bits, body, lambda x, y: -(x & y != 0))
        if bits < 64:
            body = "%t = icmp ugt T %x, %y\n%r = sext B %t to T"
            yield _vertical("cmhi", bits, body, lambda x, y: -(x > y))
            body = "%t = icmp uge T %x, %y\n%r = sext B %t to T"
            yield _vertical("cmhs", bits, body, lambda x, y: -(x >= y))


def _limited_sums() -> Iterator[Op]:
    """SQADD, UQADD, SQSUB, UQSUB of 32 and 64 bits; :mod:`pyqemu.tcg.vector_ops` has those of less."""
    for bits in (32, 64):
        for name, function in (("add", int.__add__), ("sub", int.__sub__)):
            turned = "%q = xor T %y, %s" if name == "add" else "%q = xor T %x, %y"
            body = (
                f"%s = {name} T %x, %y\n%p = xor T %x, %s\n{turned}\n%o = and T %p, %q\n"
                "%c = icmp slt T %o, zeroinitializer\n%n = icmp slt T %x, zeroinitializer\n%g = sext B %n to T\n"
                + _constant("m", M64 // ((1 << bits) - 1) * ((1 << bits - 1) - 1), bits)
                + "%l = xor T %g, %m\n%r = select B %c, T %l, T %s"
            )
            limited = lanes.saturating(function, -(1 << bits - 1), (1 << bits - 1) - 1)
            yield _vertical("sq" + name, bits, body, limited, signed=True)
            body = f"%s = {name} T %x, %y\n" + _went_round(name, bits) + "%c = sext B %t to T\n"
            body += "%r = or T %s, %c" if name == "add" else "%n = xor T %c, splat (iW -1)\n%r = and T %s, %n"
            limited = lanes.saturating(function, 0, (1 << bits) - 1)
            yield _vertical("uq" + name, bits, body.replace("iW", f"i{bits}"), limited)


def _went_round(name: str, bits: int) -> str:
    """``%t``: unsigned sums that are less than their first operand, or subtrahends that are greater than theirs."""
    less, greater = ("%s", "%x") if name == "add" else ("%x", "%y")
    if bits < 64:
        return f"%t = icmp ult T {less}, {greater}\n"
    flipped = f"%a1 = xor T {less}, %m\n%b1 = xor T {greater}, %m\n%t = icmp slt T %a1, %b1\n"
    return _constant("m", 1 << 63, 64) + flipped


def _logic() -> Iterator[Op]:
    yield _row("not", "d128 a128", "%d = xor i128 %a, -1", lambda a: a ^ (1 << 128) - 1)
    llvm = "%n = xor i128 %b, -1\n%d = or i128 %a, %n"
    yield _row("orn", "d128 a128 b128", llvm, lambda a, b: a | b ^ (1 << 128) - 1)
    llvm = "%x = xor i128 %b, %c\n%y = and i128 %x, %a\n%d = xor i128 %y, %c"
    yield _row("bsl", "d128 a128 b128 c128", llvm, lambda a, b, c: (b ^ c) & a ^ c)


def _absolute() -> Iterator[Op]:
    for bits in (8, 16, 32):
        t, called = kind(bits), f"@llvm.abs.v{128 // bits}i{bits}"
        llvm = f"%x = bitcast i128 %a to {t}\n%r = call {t} {called}({t} %x, i1 false)\n%d = bitcast {t} %r to i128"
        yield _row(f"abs{bits}", "d128 a128", llvm, _unary(abs, bits), (f"declare {t} {called}({t}, i1)\n",))


def _unary(function: Callable[[int], int], bits: int) -> Callable[[int], int]:
    return lambda a: lanes.join(map(function, lanes.signed_lanes(a, bits)), bits)


# --- narrower and wider -----------------------------------------------------------------------------------------------


def _parts(bits: int, *, odd: bool) -> str:
    """``%r``: the even (or odd) lanes of *bits* bits of ``%a``, then those of ``%b``."""
    wide = kind(2 * bits)
    text = f"%x = bitcast i128 %a to {wide}\n%y = bitcast i128 %b to {wide}\n"
    if odd:
        text += f"%xl = lshr {wide} %x, splat (i{2 * bits} {bits})\n%yl = lshr {wide} %y, splat (i{2 * bits} {bits})\n"
    else:
        text += _constant("m", M64 // ((1 << 2 * bits) - 1) * ((1 << bits) - 1), 2 * bits)
        text += f"%xl = and {wide} %x, %m\n%yl = and {wide} %y, %m\n"
    return text + f"%r = call {kind(bits)} @llvm.x86.{PACKS[bits]}({wide} %xl, {wide} %yl)\n"


def _unzips() -> Iterator[Op]:
    """UZP1, UZP2 and XTN."""
    for bits in (8, 16, 32):
        for odd in (0, 1):
            declare: tuple[str, ...] = ()
            if bits < 32:
                text = _parts(bits, odd=bool(odd))
                declare = (f"declare {kind(bits)} @llvm.x86.{PACKS[bits]}({kind(2 * bits)}, {kind(2 * bits)})\n",)
            else:
                text = "%x = bitcast i128 %a to <4 x i32>\n%y = bitcast i128 %b to <4 x i32>\n%r = shufflevector "
                text += "<4 x i32> %x, <4 x i32> %y, <4 x i32> <"
                text += ", ".join(f"i32 {n + odd}" for n in (0, 2, 4, 6)) + ">\n"
            done = f"%d = bitcast {kind(bits)} %r to i128"
            yield _row(f"uzp{odd + 1}_{bits}", "d128 a128 b128", text + done, _unzip(bits, odd), declare)
            if not odd:
                text = text.replace("%b ", "%a ") + done.replace("%d", "%w") + "\n%d = trunc i128 %w to i64"
                yield _row(f"xtn{bits}", "d64 a128", text, _narrow(bits), declare)


def _unzip(bits: int, odd: int) -> lanes.Binary:
    def apply(a: int, b: int) -> int:
        return lanes.join((lanes.unsigned_lanes(a, bits) + lanes.unsigned_lanes(b, bits))[odd::2], bits)

    return apply


def _narrow(bits: int) -> Callable[[int], int]:
    return lambda a: lanes.join(lanes.unsigned_lanes(a, 2 * bits), bits)


def _extensions() -> Iterator[Op]:
    """UXTL, SXTL; sums of neighbours (UADDLP, SADDLP)."""
    for bits in (8, 16, 32):
        small, wide = kind(bits, 64), kind(2 * bits)
        for sign, extend in (("u", "zext"), ("s", "sext")):
            llvm = f"%x = bitcast i64 %a to {small}\n%r = {extend} {small} %x to {wide}\n%d = bitcast {wide} %r to i128"
            yield _row(f"{sign}xtl{bits}", "d128 a64", llvm, _extension(bits, sign == "s"))
        n = f"splat (i{2 * bits} {bits})"
        start, end = f"%x = bitcast i128 %a to {wide}\n", f"%r = add {wide} %l, %h\n%d = bitcast {wide} %r to i128"
        mask = _constant("m", M64 // ((1 << 2 * bits) - 1) * ((1 << bits) - 1), 2 * bits)
        llvm = start + mask + f"%l = and {wide} %x, %m\n%h = lshr {wide} %x, {n}\n" + end
        yield _row(f"uaddlp{bits}", "d128 a128", llvm, _neighbours(bits, False))
        llvm = start + f"%s = shl {wide} %x, {n}\n%l = ashr {wide} %s, {n}\n%h = ashr {wide} %x, {n}\n" + end
        yield _row(f"saddlp{bits}", "d128 a128", llvm, _neighbours(bits, True))


def _extension(bits: int, signed: bool) -> Callable[[int], int]:
    return lambda a: lanes.extend_lanes(a, bits, 2 * bits, signed=signed)


def _neighbours(bits: int, signed: bool) -> Callable[[int], int]:
    split = lanes.signed_lanes if signed else lanes.unsigned_lanes

    def apply(a: int) -> int:
        values = split(a, bits)
        return lanes.join(map(int.__add__, values[::2], values[1::2]), 2 * bits)

    return apply


# --- across lanes, and tables -----------------------------------------------------------------------------------------


def _across() -> Iterator[Op]:
    """ADDV, SMAXV and so on: all lanes of 128 bits made one, zero-extended to 64 bits."""
    choices: tuple[tuple[str, str, Function, bool], ...] = (
        ("add", "add", sum, False), ("smax", "umax", max, True), ("smin", "umin", min, True),
        ("umax", "umax", max, False), ("umin", "umin", min, False),
    )  # fmt: skip
    for bits in (8, 16, 32):
        for name, reduce, function, signed in choices:
            t = kind(bits)
            called = f"@llvm.vector.reduce.{reduce}.v{128 // bits}i{bits}"
            llvm = f"%x = bitcast i128 %a to {t}\n"
            if signed:  # as unsigned numbers whose sign is turned, as LLVM does it with a constant in data
                half = 1 << bits - 1
                llvm += _constant("m", M64 // ((1 << bits) - 1) * half, bits) + f"%y = xor {t} %x, %m\n"
                llvm += f"%u = call i{bits} {called}({t} %y)\n%r = xor i{bits} %u, {half}\n"
            else:
                llvm += f"%r = call i{bits} {called}({t} %x)\n"
            llvm += f"%d = zext i{bits} %r to i64"
            yield _row(f"{name}v{bits}", "d64 a128", llvm, _reduction(function, bits, signed),
                       (f"declare i{bits} {called}({t})\n",))  # fmt: skip


def _reduction(function: Function, bits: int, signed: bool) -> Callable[[int], int]:
    split = lanes.signed_lanes if signed else lanes.unsigned_lanes
    return lambda a: function(split(a, bits)) & (1 << bits) - 1


def _bytes() -> Iterator[Op]:
    """CNT of 64 bits, and TBL: the bytes of a table whose first one has the number *i*; zero for all others."""
    llvm = (
        "%a1 = lshr i64 %a, 1\n%b1 = and i64 %a1, 6148914691236517205\n%c1 = sub i64 %a, %b1\n"
        "%a2 = lshr i64 %c1, 2\n%b2 = and i64 %a2, 3689348814741910323\n%c2 = and i64 %c1, 3689348814741910323\n"
        "%d2 = add i64 %b2, %c2\n%a3 = lshr i64 %d2, 4\n%b3 = add i64 %d2, %a3\n%d = and i64 %b3, 1085102592571150095"
    )
    yield _row("cnt8", "d64 a64", llvm, lambda a: lanes.join(map(int.bit_count, lanes.unsigned_lanes(a, 8)[:8]), 8))
    called = ("@llvm.x86.ssse3.pshuf.b.128", "@llvm.uadd.sat.v16i8")
    t = "<16 x i8>"
    llvm = (
        f"%x = bitcast i128 %a to {t}\n%y = bitcast i128 %b to {t}\n%it = trunc i32 %i to i8\n"
        f"%iv = insertelement {t} poison, i8 %it, i32 0\n"
        f"%iw = shufflevector {t} %iv, {t} poison, <16 x i32> zeroinitializer\n"
        f"%z = sub {t} %y, %iw\n"
        + _constant("m", 0x7070707070707070, 8)
        + f"%c = call {t} {called[1]}({t} %z, {t} %m)\n"
        f"%r = call {t} {called[0]}({t} %x, {t} %c)\n%d = bitcast {t} %r to i128"
    )
    yield _row("tbl", "d128 a128 b128 i32", llvm, _table, tuple(f"declare {t} {each}({t}, {t})\n" for each in called))


def _table(table: int, indexes: int, first: int) -> int:
    values = lanes.unsigned_lanes(table, 8)
    places = (index - first & 0xFF for index in lanes.unsigned_lanes(indexes, 8))
    return lanes.join((values[place] if place < 16 else 0 for place in places), 8)


def _shifts() -> Iterator[Op]:
    """USHL, SSHL: lanes shifted by the signed low bytes of others; where the host shifts lanes by different counts.

    A host's count that is negative or large leaves nothing; so of the shifts to both sides one does.
    """
    if not host_has("avx2"):
        return
    for bits, letter in ((32, "d"), (64, "q")):
        t = kind(bits)
        called = {name: f"@llvm.x86.avx2.ps{name}v.{letter}" for name in ("ll", "rl")}
        declare = tuple(f"declare {t} {each}({t}, {t})\n" for each in called.values())
        start = f"%x = bitcast i128 %a to {t}\n%y = bitcast i128 %b to {t}\n"
        start += f"%s = shl {t} %y, splat (i{bits} {bits - 8})\n%c = ashr {t} %s, splat (i{bits} {bits - 8})\n"
        start += f"%n = sub {t} zeroinitializer, %c\n"
        end = f"%d = bitcast {t} %r to i128"
        llvm = start + f"%l = call {t} {called['ll']}({t} %x, {t} %c)\n%h = call {t} {called['rl']}({t} %x, {t} %n)\n"
        yield _row(
            f"ushl{bits}", "d128 a128 b128", llvm + f"%r = or {t} %l, %h\n" + end, _shifted(bits, False), declare
        )
        llvm = start + f"%l = call {t} {called['ll']}({t} %x, {t} %c)\n%g = ashr {t} %x, splat (i{bits} {bits - 1})\n"
        llvm += f"%f = xor {t} %x, %g\n%o = call {t} {called['rl']}({t} %f, {t} %n)\n%h = xor {t} %o, %g\n"
        llvm += f"%z = icmp slt {t} %c, zeroinitializer\n%r = select <{128 // bits} x i1> %z, {t} %h, {t} %l\n"
        yield _row(f"sshl{bits}", "d128 a128 b128", llvm + end, _shifted(bits, True), declare)


def _shifted(bits: int, signed: bool) -> lanes.Binary:
    split = lanes.signed_lanes if signed else lanes.unsigned_lanes

    def shift(value: int, count: int) -> int:
        count = (count & 0xFF ^ 0x80) - 0x80
        return value << count if count >= 0 else value >> -count

    return lambda a, b: lanes.join(map(shift, split(a, bits), lanes.unsigned_lanes(b, bits)), bits)


def simd_table() -> Iterator[Op]:
    """All these rows."""
    for family in (_comparisons, _limited_sums, _logic, _absolute, _unzips, _extensions, _across, _bytes, _shifts):
        yield from family()
