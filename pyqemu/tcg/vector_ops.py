"""Vector rows: integer operations on 64 and 128 bits, named after the x86 instructions that need them.

The rows of 64 bits (``m_`` before the name) are those of 128 bits on operands whose upper half is zero, where that
gives the right lower half. LLVM constants would become data behind the code, which cannot be aligned once a piece is
copied; so texts use operations that need none. Shuffles by an immediate are no rows: registers live in the
environment, and ``quad32`` and its like collect lanes from wherever they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyqemu.tcg import lanes
from pyqemu.tcg.float_ops import float_table
from pyqemu.tcg.ops import Op, operands

M64 = (1 << 64) - 1
Function = Callable[..., Any]


def vector_type(bits: int) -> str:
    """The LLVM type of 128 bits in lanes of *bits* bits."""
    return f"<{128 // bits} x i{bits}>"


def _row(
    name: str, text: str, llvm: str, function: Function, declare: tuple[str, ...] = (), cut: str = "", order: str = ""
) -> Op:
    """A row whose Python column is a call of *function* with the sources in order."""
    sources = ", ".join(f"{{{letter}}}" for letter in order or [word[0] for word in text.split()[1:]])
    called = f"v_{name}"
    return Op(name, operands(text), llvm, f"{called}({sources}){cut}", declare=declare, scope={called: function})


def _cast(bits: int, body: str, source: str = "i128") -> str:
    """*body* works on vectors ``%x`` and ``%y`` and defines ``%r``; all are cast from and to integers."""
    kind = vector_type(bits)
    return (
        f"%x = bitcast {source} %a to {kind}\n%y = bitcast {source} %b to {kind}\n"
        + body.replace("T", kind)
        + f"\n%d = bitcast {kind} %r to {source}"
    )


def _halved(op: Op, *, high: bool = False) -> Op:
    """The row on 64 bits: operands zero-extended, the lower (or upper) half of the result."""
    widen = "".join(f"%{letter}w = zext i64 %{letter} to i128\n" for letter in "ab" if letter in op.letters)
    body = op.llvm.replace("%a ", "%aw ").replace("%b ", "%bw ").replace("%a,", "%aw,").replace("%b\n", "%bw\n")
    narrow = "%dh = lshr i128 %dw, 64\n%d = trunc i128 %dh to i64" if high else "%d = trunc i128 %dw to i64"
    body = body.replace("%d =", "%dw =")
    text = [("i32" if letter == "i" else f"{letter}64") for letter in op.letters]
    py = f"({op.py} >> 64)" if high else f"{op.py} & {M64}"
    return Op(
        "m_" + op.name, operands(" ".join(text)), widen + body + "\n" + narrow, py, declare=op.declare, scope=op.scope
    )


def _intrinsic(name: str, bits: int, called: str, function: Function, result: int = 0, second: int = 0) -> Op:
    """A row that is one LLVM intrinsic of two vectors."""
    result, second = result or bits, second or bits
    kinds = vector_type(result), vector_type(bits), vector_type(second)
    llvm = (
        f"%x = bitcast i128 %a to {kinds[1]}\n%y = bitcast i128 %b to {kinds[2]}\n"
        f"%r = call {kinds[0]} @llvm.{called}({kinds[1]} %x, {kinds[2]} %y)\n%d = bitcast {kinds[0]} %r to i128"
    )
    declare = f"declare {kinds[0]} @llvm.{called}({kinds[1]}, {kinds[2]})\n"
    return _row(name, "d128 a128 b128", llvm, function, (declare,))


def _sums() -> Iterator[Op]:
    """Addition and subtraction, wrapping and saturating; averages."""
    for bits, letter in ((8, "b"), (16, "w"), (32, "d"), (64, "q")):
        for name, function in (("add", int.__add__), ("sub", int.__sub__)):
            yield _row(
                f"p{name}{letter}",
                "d128 a128 b128",
                _cast(bits, f"%r = {name} T %x, %y"),
                lanes.vertical(function, bits),
            )
            if bits > 16:
                continue
            for mark, is_signed, low, high in (
                ("us", False, 0, (1 << bits) - 1),
                ("s", True, -(1 << bits - 1), (1 << bits - 1) - 1),
            ):
                called = f"{'s' if is_signed else 'u'}{name}.sat.v{128 // bits}i{bits}"
                yield _intrinsic(
                    f"p{name}{mark}{letter}",
                    bits,
                    called,
                    lanes.vertical(lanes.saturating(function, low, high), bits, signed=is_signed),
                )
    for bits, letter in ((8, "b"), (16, "w")):
        yield _intrinsic(
            f"pavg{letter}", bits, f"x86.sse2.pavg.{letter}", lanes.vertical(lambda x, y: x + y + 1 >> 1, bits)
        )


def _choices() -> Iterator[Op]:
    """Comparisons, minima and maxima."""
    for bits, letter in ((8, "b"), (16, "w"), (32, "d"), (64, "q")):
        for name, cond, function in (("eq", "eq", lambda x, y: -(x == y)), ("gt", "sgt", lambda x, y: -(x > y))):
            body = f"%t = icmp {cond} T %x, %y\n%r = sext <{128 // bits} x i1> %t to T"
            yield _row(
                f"pcmp{name}{letter}", "d128 a128 b128", _cast(bits, body), lanes.vertical(function, bits, signed=True)
            )
        if bits == 64:
            continue
        for sign in "us":
            for name, choose in (("min", min), ("max", max)):
                yield _intrinsic(
                    f"p{name}{sign}{letter}",
                    bits,
                    f"{sign}{name}.v{128 // bits}i{bits}",
                    lanes.vertical(choose, bits, signed=sign == "s"),
                )


def _logic() -> Iterator[Op]:
    yield _row("pand", "d128 a128 b128", _cast(64, "%r = and T %x, %y"), int.__and__)
    yield _row("por", "d128 a128 b128", _cast(64, "%r = or T %x, %y"), int.__or__)
    yield _row("pxor", "d128 a128 b128", _cast(64, "%r = xor T %x, %y"), int.__xor__)
    ones = "%n = xor T %x, splat (i64 -1)\n"
    yield _row("pandn", "d128 a128 b128", _cast(64, ones + "%r = and T %n, %y"), lambda a, b: ~a & b)


def _products() -> Iterator[Op]:
    yield _row("pmullw", "d128 a128 b128", _cast(16, "%r = mul T %x, %y"), lanes.vertical(int.__mul__, 16))
    yield _row("pmulld", "d128 a128 b128", _cast(32, "%r = mul T %x, %y"), lanes.vertical(int.__mul__, 32))
    yield _intrinsic("pmulhw", 16, "x86.sse2.pmulh.w", lanes.vertical(lambda x, y: x * y >> 16, 16, signed=True))
    yield _intrinsic("pmulhuw", 16, "x86.sse2.pmulhu.w", lanes.vertical(lambda x, y: x * y >> 16, 16))
    yield _intrinsic("pmaddwd", 16, "x86.sse2.pmadd.wd", lanes.multiply_add, result=32)
    yield _intrinsic("psadbw", 8, "x86.sse2.psad.bw", lanes.absolute_differences, result=64)
    for name, is_signed, extend in (("pmuludq", False, "zext"), ("pmuldq", True, "sext")):
        low = (
            "%{0}l = shufflevector <4 x i32> %{0}, <4 x i32> poison, <2 x i32> <i32 0, i32 2>\n"
            f"%{{0}}e = {extend} <2 x i32> %{{0}}l to <2 x i64>\n"
        )
        llvm = (
            "%x = bitcast i128 %a to <4 x i32>\n%y = bitcast i128 %b to <4 x i32>\n"
            + low.format("x")
            + low.format("y")
            + "%r = mul <2 x i64> %xe, %ye\n%d = bitcast <2 x i64> %r to i128"
        )
        yield _row(name, "d128 a128 b128", llvm, lanes.even_products(32, signed=is_signed))


def _shifts() -> Iterator[Op]:
    """Lanes shifted by the low 64 bits of the second operand, or by an immediate (``_imm``)."""
    for bits, letter in ((16, "w"), (32, "d"), (64, "q")):
        for kind in ("sll", "srl", "sra"):
            if (kind, bits) == ("sra", 64):
                continue
            function = lanes.shifter(kind, bits)
            op = _intrinsic(f"p{kind}{letter}", bits, f"x86.sse2.p{kind}.{letter}", function)
            yield op
            yield _halved(op)
            widen = "%iw = zext i32 %i to i128\n"
            immediate = Op(
                op.name + "_imm",
                operands("d128 a128 i32"),
                widen + op.llvm.replace("%b ", "%iw "),
                op.py.replace("{b}", "{i}"),
                declare=op.declare,
                scope=op.scope,
            )
            yield immediate
            yield _halved(immediate)
    for name, text, function in (
        ("pslldq", "shl", lambda a, n: a << (n & 127) & (1 << 128) - 1),
        ("psrldq", "lshr", lambda a, n: a >> (n & 127)),
    ):
        llvm = f"%n = and i32 %i, 127\n%c = zext i32 %n to i128\n%d = {text} i128 %a, %c"
        yield _row(name + "_bits", "d128 a128 i32", llvm, function)
    llvm = (
        "%n = and i32 %i, 127\n%c = zext i32 %n to i128\n%m = sub i32 128, %n\n%e = and i32 %m, 127\n"
        "%f = zext i32 %e to i128\n%r = lshr i128 %b, %c\n%l = shl i128 %a, %f\n%d = or i128 %r, %l"
    )
    yield _row("palignr_bits", "d128 a128 b128 i32", llvm, _align)


def _align(a: int, b: int, count: int) -> int:
    """The vector that begins *count* bits above the lowest of ``a:b``; 0 < count < 128."""
    count &= 127
    return b >> count | a << (-count & 127) & (1 << 128) - 1


def _packs() -> Iterator[Op]:
    for name, bits, called, low, high in (
        ("packsswb", 16, "sse2.packsswb.128", -0x80, 0x7F),
        ("packuswb", 16, "sse2.packuswb.128", 0, 0xFF),
        ("packssdw", 32, "sse2.packssdw.128", -0x8000, 0x7FFF),
    ):
        op = _intrinsic(name, bits, "x86." + called, lanes.packer(bits, low, high), result=bits // 2)
        yield op
        both = "%al = zext i64 %a to i128\n%bl = zext i64 %b to i128\n%bh = shl i128 %bl, 64\n%p = or i128 %al, %bh\n"
        body = op.llvm.replace("%a ", "%p ").replace("%b ", "%p ").replace("%d =", "%dw =")
        py = f"v_{name}({{a}} | {{b}} << 64, 0) & {M64}"
        yield Op(
            "m_" + name,
            operands("d64 a64 b64"),
            both + body + "\n%d = trunc i128 %dw to i64",
            py,
            declare=op.declare,
            scope=op.scope,
        )
    for bits, letter in ((8, "bw"), (16, "wd"), (32, "dq"), (64, "qdq")):
        for high in (False, True):
            count = 64 // bits
            order = ", ".join(f"i32 {n + count * high}, i32 {n + count * high + 2 * count}" for n in range(count))
            body = f"%r = shufflevector T %x, T %y, <{2 * count} x i32> <{order}>"
            op = _row(
                f"punpck{'h' if high else 'l'}{letter}",
                "d128 a128 b128",
                _cast(bits, body),
                lanes.interleaver(bits, high=high),
            )
            yield op
            if bits < 64 and not high:
                yield _halved(op)
                upper = _halved(op, high=True)
                yield Op(f"m_punpckh{letter}", upper.operands, upper.llvm, upper.py, scope=upper.scope)


def _masks() -> Iterator[Op]:
    for name, bits, kind, called in (
        ("pmovmskb", 8, "<16 x i8>", "sse2.pmovmskb.128"),
        ("movmskps", 32, "<4 x float>", "sse.movmsk.ps"),
        ("movmskpd", 64, "<2 x double>", "sse2.movmsk.pd"),
    ):
        llvm = f"%x = bitcast i128 %a to {kind}\n%d = call i32 @llvm.x86.{called}({kind} %x)"
        yield _row(name, "d32 a128", llvm, lanes.sign_mask(bits), (f"declare i32 @llvm.x86.{called}({kind})\n",))
    llvm = "%w = zext i64 %a to i128\n%x = bitcast i128 %w to <16 x i8>\n"
    llvm += "%d = call i32 @llvm.x86.sse2.pmovmskb.128(<16 x i8> %x)"
    yield _row("m_pmovmskb", "d32 a64", llvm, lanes.sign_mask(8))


def _collect() -> Iterator[Op]:
    """Rows that put a vector together from lanes, wherever these lie."""
    parts = "".join(f"%{v}w = zext i32 %{v} to i64\n" for v in "abce")
    halves = parts + "".join(
        f"%{hi}s = shl i64 %{hi}w, 32\n%{lo}{hi} = or i64 %{lo}w, %{hi}s\n" for lo, hi in ("ab", "ce")
    )
    pair = "%v0 = insertelement <2 x i64> poison, i64 %{0}, i32 0\n%v1 = insertelement <2 x i64> %v0, i64 %{1}, i32 1\n"
    pair += "%d = bitcast <2 x i64> %v1 to i128"
    yield Op(
        "quad32",
        operands("d128 a32 b32 c32 e32"),
        halves + pair.format("ab", "ce"),
        "({a} | {b} << 32 | {c} << 64 | {e} << 96)",
    )
    splat = "%v = insertelement <2 x i64> poison, i64 %i, i32 0\n"
    splat += "%w = shufflevector <2 x i64> %v, <2 x i64> poison, <2 x i32> zeroinitializer\n"
    yield Op("splat64", operands("d128 i64"), splat + "%d = bitcast <2 x i64> %w to i128", "({i} | {i} << 64)")
    yield Op("pair64", operands("d128 a64 b64"), pair.format("a", "b"), "({a} | {b} << 64)")
    yield Op(
        "pair32",
        operands("d64 a32 b32"),
        "%aw = zext i32 %a to i64\n%bw = zext i32 %b to i64\n%bs = shl i64 %bw, 32\n%d = or i64 %aw, %bs",
        "({a} | {b} << 32)",
    )
    parts = "".join(f"%{v}w = zext i16 %{v} to i64\n" for v in "abce")
    parts += "".join(f"%{v}s = shl i64 %{v}w, {16 * n}\n" for n, v in enumerate("bce", 1))
    yield Op(
        "quad16",
        operands("d64 a16 b16 c16 e16"),
        parts + "%p = or i64 %aw, %bs\n%q = or i64 %cs, %es\n%d = or i64 %p, %q",
        "({a} | {b} << 16 | {c} << 32 | {e} << 48)",
    )
    yield Op("widen128", operands("d128 a64"), "%d = zext i64 %a to i128", "{a}")
    yield Op("zero128", operands("d128"), "%d = or i128 0, 0", "0")
    yield Op("zext32_128", operands("d128 a32"), "%d = zext i32 %a to i128", "{a}")


def _alignment() -> Iterator[Op]:
    """A branch to its label where an address is a multiple of 16."""
    llvm = "%s = trunc i32 %a to i4\n%j = trunc i64 %i to i4\n%t = add i4 %s, %j\n%taken = icmp eq i4 %t, 0"
    yield Op("braligned16", operands("a32 i64 l"), llvm, "not ({a} + {i}) & 15", "branch")


def _extensions() -> Iterator[Op]:
    """PMOVSX, PMOVZX, PTEST and PSHUFB (SSSE3, SSE4.1)."""
    letters = {8: "b", 16: "w", 32: "d", 64: "q"}
    for bits in (8, 16, 32):
        for wide in (w for w in (16, 32, 64) if w > bits):
            count = 128 // wide
            order = ", ".join(f"i32 {n}" for n in range(count))
            for sign, extend in (("s", "sext"), ("z", "zext")):
                llvm = (
                    f"%x = bitcast i128 %a to {vector_type(bits)}\n%l = shufflevector {vector_type(bits)} %x, "
                    f"{vector_type(bits)} poison, <{count} x i32> <{order}>\n%r = {extend} <{count} x i{bits}> %l to "
                    f"{vector_type(wide)}\n%d = bitcast {vector_type(wide)} %r to i128"
                )
                yield _row(
                    f"pmov{sign}x{letters[bits]}{letters[wide]}", "d128 a128", llvm, _extension(bits, wide, sign == "s")
                )
    llvm = (
        "%x = and i128 %a, %b\n%n = xor i128 %a, -1\n%y = and i128 %n, %b\n%z = icmp eq i128 %x, 0\n"
        "%c = icmp eq i128 %y, 0\n%zw = select i1 %z, i32 64, i32 0\n%cw = zext i1 %c to i32\n%d = or i32 %zw, %cw"
    )
    yield _row("ptest", "d32 a128 b128", llvm, lambda a, b: (64 if not a & b else 0) | (1 if not ~a & b else 0))
    yield _intrinsic("pshufb", 8, "x86.ssse3.pshuf.b.128", lanes.shuffle_bytes)


def _extension(bits: int, wide: int, is_signed: bool) -> Function:
    return lambda a: lanes.extend_lanes(a, bits, wide, signed=is_signed)


#: Vertical rows that MMX has, too.
MMX_ROWS = """
    paddb paddw paddd paddq paddsb paddsw paddusb paddusw psubb psubw psubd psubq psubsb psubsw psubusb psubusw
    pavgb pavgw pminub pmaxub pminsw pmaxsw pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pand por pxor pandn
    pmullw pmulhw pmulhuw pmaddwd psadbw pmuludq"""


def vector_table() -> Iterator[Op]:
    """All vector rows, and the rows of floating point."""
    mmx = MMX_ROWS.split()
    for family in (_sums, _choices, _logic, _products):
        for op in family():
            yield op
            if op.name in mmx:
                yield _halved(op)
    for family in (_shifts, _packs, _masks, _collect, _alignment, _extensions, float_table):
        yield from family()
