"""The table of operations: the one place where the meaning of the IR is written.

Every row has a name, its operands, an LLVM text that defines ``%d`` (or branches), and a Python expression. All engines
are made from this table and from nothing else.

Operands are letters with a width in bits:

=====  ====================================================================================================
``d``  the slot that receives the result
``a``  ``b`` ``c`` ``e``: slots that are read
``i``  an immediate; in the emitted code a signed 32-bit or a full 64-bit field
``j``  a second immediate, a 64-bit field
``s``  the first of three consecutive slots, a lazy-flags record (result, source, kind)
``k``  a small immediate: the kind of a lazy-flags record
``m``  the environment offset of the software TLB of an mmu index
``l``  a label
=====  ====================================================================================================

Slots have 8 bytes (16 for 128-bit values). Operations of 8 and 16 bits write only their bytes of the destination,
operations of 32 bits clear its upper half.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyqemu.tcg.env import PAGE_FLAGS, POINTER, RAM_BASE, RAM_LIMIT, RAM_START, TLB_SIZE

WIDTHS = (8, 16, 32, 64)
CONDITIONS = {
    "eq": ("eq", "==", False), "ne": ("ne", "!=", False),
    "ltu": ("ult", "<", False), "leu": ("ule", "<=", False), "gtu": ("ugt", ">", False), "geu": ("uge", ">=", False),
    "lts": ("slt", "<", True), "les": ("sle", "<=", True), "gts": ("sgt", ">", True), "ges": ("sge", ">=", True),
}  # fmt: skip
INVERSE = {"eq": "ne", "ne": "eq", "ltu": "geu", "geu": "ltu", "leu": "gtu", "gtu": "leu",
           "lts": "ges", "ges": "lts", "les": "gts", "gts": "les"}  # fmt: skip


def mask(bits: int) -> int:
    """All ones of that many bits."""
    return (1 << bits) - 1


@dataclass(frozen=True, slots=True)
class Op:
    """One row. ``kind`` tells the engines what else the row does beside computing ``%d``.

    ``pure``: nothing. ``branch``: jumps to its label when ``%taken`` (LLVM) or the Python expression is true. ``load``,
    ``store``, ``probe``: a guest access of ``size`` bytes. ``flags``: ``pure`` that also writes a lazy-flags record.
    ``native``: a row of refill subroutines, which only native engines have. ``exit``: leaves the block or native code;
    known to the engines by name.
    """

    name: str
    operands: tuple[tuple[str, int], ...]
    llvm: str = ""
    py: str = ""
    kind: str = "pure"
    size: int = 0
    signed: bool = False
    address_bits: int = 64
    declare: tuple[str, ...] = ()  #: LLVM declarations (whole lines) that the text needs
    after: str = ""  #: LLVM text of a branch row for when it is not taken; it defines ``%d``
    scope: dict[str, Any] = field(default_factory=dict, compare=False)  #: names that the Python expression uses
    letters: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "letters", "".join(letter for letter, _ in self.operands))


def operands(text: str) -> tuple[tuple[str, int], ...]:
    """``"d32 a32 i32"`` as pairs of letter and width."""
    return tuple((word[0], int(word[1:] or 0)) for word in text.split())


def _row(name: str, text: str, llvm: str, py: str, kind: str = "pure") -> Op:
    return Op(name, operands(text), llvm, py, kind)


def _with_immediate(op: Op, letter: str = "b") -> Iterator[Op]:
    """The row and its twin ``<name>i``, whose operand *letter* is an immediate."""
    yield op
    swapped = tuple(("i" if name == letter else name, bits) for name, bits in op.operands)
    yield Op(op.name + "i", swapped, op.llvm.replace("%" + letter, "%i"), op.py.replace("{" + letter + "}", "{i}"),
             op.kind)  # fmt: skip


def signed(name: str, bits: int) -> str:
    """Python text of the two's complement value of the unsigned *name*."""
    half = 1 << bits - 1
    return f"(({name} ^ {half}) - {half})"


# --- arithmetic and logic ---------------------------------------------------------------------------------------------


def _arithmetic() -> Iterator[Op]:
    plain = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
    for w in WIDTHS:
        m = mask(w)
        for name, sign in plain.items():
            wraps = f" & {m}" if name in ("add", "sub", "mul") else ""
            yield from _with_immediate(_row(f"{name}{w}", f"d{w} a{w} b{w}", f"%d = {name} i{w} %a, %b",
                                            f"({{a}} {sign} {{b}}){wraps}"))  # fmt: skip
        count = f"%n = and i{w} %b, {w - 1}\n"
        n = f"({{b}} & {w - 1})"
        shifts = (
            ("shl", count + f"%d = shl i{w} %a, %n", f"{{a}} << {n} & {m}"),
            ("shr", count + f"%d = lshr i{w} %a, %n", f"{{a}} >> {n}"),
            ("sar", count + f"%d = ashr i{w} %a, %n", f"{signed('{a}', w)} >> {n} & {m}"),
            ("rotl", f"%d = call i{w} @llvm.fshl.i{w}(i{w} %a, i{w} %a, i{w} %b)",
             f"({{a}} << {n} | {{a}} >> ({w} - {n})) & {m}"),
            ("rotr", f"%d = call i{w} @llvm.fshr.i{w}(i{w} %a, i{w} %a, i{w} %b)",
             f"({{a}} >> {n} | {{a}} << ({w} - {n})) & {m}"),
        )  # fmt: skip
        for name, llvm, py in shifts:
            yield from _with_immediate(_row(f"{name}{w}", f"d{w} a{w} b{w}", llvm, py))
        yield _row(f"neg{w}", f"d{w} a{w}", f"%d = sub i{w} 0, %a", f"-{{a}} & {m}")
        yield _row(f"not{w}", f"d{w} a{w}", f"%d = xor i{w} %a, -1", f"{{a}} ^ {m}")
        yield _row(f"mov{w}", f"d{w} a{w}", f"%d = or i{w} %a, 0", "{a}")
        yield _row(f"movi{w}", f"d{w} i{w}", f"%d = or i{w} %i, 0", "{i}")
        yield from _high_products(w)
        yield from _divisions(w)
        yield from _bits(w)
    yield _row("mov128", "d128 a128", "%d = or i128 %a, 0", "{a}")
    yield _row("low32", "d64 a64 b32", "%k = and i64 %a, -4294967296\n%w = zext i32 %b to i64\n%d = or i64 %k, %w",
               f"{{a}} & {mask(64) - mask(32)} | {{b}}")  # fmt: skip
    yield _row("high32", "d64 a64 b32",
               "%k = and i64 %a, 4294967295\n%w = zext i32 %b to i64\n%h = shl i64 %w, 32\n%d = or i64 %k, %h",
               f"{{a}} & {mask(32)} | {{b}} << 32")  # fmt: skip


def _high_products(w: int) -> Iterator[Op]:
    for name, extend, text in (("mulhu", "zext", "{x}"), ("mulhs", "sext", signed("{x}", w))):
        left, right = text.replace("{x}", "{a}"), text.replace("{x}", "{b}")
        yield _row(f"{name}{w}", f"d{w} a{w} b{w}",
                   f"%x = {extend} i{w} %a to i{2 * w}\n%y = {extend} i{w} %b to i{2 * w}\n%p = mul i{2 * w} %x, %y\n"
                   f"%h = lshr i{2 * w} %p, {w}\n%d = trunc i{2 * w} %h to i{w}",
                   f"({left} * {right} >> {w}) & {mask(w)}")  # fmt: skip


def _divisions(w: int) -> Iterator[Op]:
    """Quotients and remainders. The caller has excluded what traps on the host: zero divisors, the signed overflow."""
    if w < 32:
        return
    for name, llvm, py in (
        ("divu", "udiv", "{a} // {b}"),
        ("remu", "urem", "{a} % {b}"),
        ("divs", "sdiv", f"quotient({signed('{a}', w)}, {signed('{b}', w)}) & {mask(w)}"),
        ("rems", "srem", f"remainder({signed('{a}', w)}, {signed('{b}', w)}) & {mask(w)}"),
    ):
        yield _row(f"{name}{w}", f"d{w} a{w} b{w}", f"%d = {llvm} i{w} %a, %b", py)


def _bits(w: int) -> Iterator[Op]:
    for to in (t for t in WIDTHS if t > w):
        yield _row(f"zext{w}_{to}", f"d{to} a{w}", f"%d = zext i{w} %a to i{to}", "{a}")
        yield _row(f"sext{w}_{to}", f"d{to} a{w}", f"%d = sext i{w} %a to i{to}", f"{signed('{a}', w)} & {mask(to)}")
    if w > 8:
        yield _row(f"bswap{w}", f"d{w} a{w}", f"%d = call i{w} @llvm.bswap.i{w}(i{w} %a)",
                   f"from_bytes({{a}}.to_bytes({w // 8}, 'little'), 'big')")  # fmt: skip
    yield _row(f"clz{w}", f"d{w} a{w}", f"%d = call i{w} @llvm.ctlz.i{w}(i{w} %a, i1 false)",
               f"{w} - {{a}}.bit_length()")  # fmt: skip
    yield _row(f"ctz{w}", f"d{w} a{w}", f"%d = call i{w} @llvm.cttz.i{w}(i{w} %a, i1 false)",
               f"((({{a}} | {1 << w}) & -({{a}} | {1 << w})).bit_length() - 1)")  # fmt: skip
    yield _row(f"popcnt{w}", f"d{w} a{w}", f"%d = call i{w} @llvm.ctpop.i{w}(i{w} %a)", "{a}.bit_count()")
    if w >= 32:
        yield _row(f"brev{w}", f"d{w} a{w}", _reversed_bits(w), f"int(format({{a}}, '0{w}b')[::-1], 2)")


def _reversed_bits(w: int) -> str:
    """Bytes turned round, then nibbles, pairs and bits.

    Whatever LLVM can recognize as this, it does on some hosts with a constant in data (see `vector_ops.py`).
    """
    text, value = f"%s = call i{w} @llvm.bswap.i{w}(i{w} %a)\n", "%s"
    for count, pattern in ((4, 0x0F0F0F0F0F0F0F0F), (2, 0x3333333333333333), (1, 0x5555555555555555)):
        text += f'%i{count} = call i64 asm "movabsq $${pattern}, $0", "=r"()\n'
        text += f"%m{count} = trunc i64 %i{count} to i32\n" if w == 32 else f"%m{count} = or i64 %i{count}, 0\n"
        text += (
            f"%h{count} = lshr i{w} {value}, {count}\n%u{count} = and i{w} %h{count}, %m{count}\n"
            f"%l{count} = and i{w} {value}, %m{count}\n%v{count} = shl i{w} %l{count}, {count}\n"
            f"%r{count} = or i{w} %u{count}, %v{count}\n"
        )
        value = f"%r{count}"
    return text + f"%d = or i{w} {value}, 0"


def _addresses() -> Iterator[Op]:
    for w in (32, 64):
        for scale in range(4):
            yield _row(f"lea{1 << scale}_{w}", f"d{w} a{w} b{w} i{w}",
                       f"%x = shl i{w} %b, {scale}\n%y = add i{w} %a, %x\n%d = add i{w} %y, %i",
                       f"({{a}} + ({{b}} << {scale}) + {{i}}) & {mask(w)}")  # fmt: skip


def _checksums() -> Iterator[Op]:
    """``crc8``: a CRC of 32 bits goes over one more byte, low bit first; the immediate is the polynomial."""
    steps = ["%c0 = xor i32 %a, %byte"]
    for n in range(8):
        steps += [f"%o{n} = and i32 %c{n}, 1", f"%n{n} = sub i32 0, %o{n}", f"%p{n} = and i32 %n{n}, %i",
                  f"%s{n} = lshr i32 %c{n}, 1", f"%c{n + 1} = xor i32 %s{n}, %p{n}"]  # fmt: skip
    text = "%byte = and i32 %b, 255\n" + "\n".join(steps) + "\n%d = or i32 %c8, 0"
    yield Op("crc8", operands("d32 a32 b32 i32"), text, "crc8({a}, {b}, {i})", scope={"crc8": crc8})


def crc8(crc: int, data: int, polynomial: int) -> int:
    """A CRC of 32 bits after the low byte of *data*."""
    crc ^= data & 0xFF
    for _ in range(8):
        crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
    return crc


# --- comparisons ------------------------------------------------------------------------------------------------------


def _comparisons() -> Iterator[Op]:
    for w in WIDTHS:
        for cond, (llvm, py, is_signed) in CONDITIONS.items():
            left, right = (signed("{a}", w), signed("{b}", w)) if is_signed else ("{a}", "{b}")
            yield from _with_immediate(_row(f"setcond_{cond}{w}", f"d32 a{w} b{w}",
                                            f"%t = icmp {llvm} i{w} %a, %b\n%d = zext i1 %t to i32",
                                            f"(1 if {left} {py} {right} else 0)"))  # fmt: skip
            yield from _with_immediate(_row(f"brcond_{cond}{w}", f"a{w} b{w} l",
                                            f"%taken = icmp {llvm} i{w} %a, %b", f"{left} {py} {right}",
                                            "branch"))  # fmt: skip
        yield _row(f"movnz{w}", f"d{w} a32 b{w} c{w}",
                   f"%t = icmp ne i32 %a, 0\n%d = select i1 %t, i{w} %b, i{w} %c",
                   "({b} if {a} else {c})")  # fmt: skip
    yield _row("br", "l", "", "True", "branch")
    yield _row("guard", "a64 b64 i64 j64 l", "%x = xor i64 %a, %i\n%y = xor i64 %b, %j\n%z = or i64 %x, %y\n"
               "%taken = icmp ne i64 %z, 0", "{a} != {i} or {b} != {j}", "branch")  # fmt: skip


# --- lazy flags -------------------------------------------------------------------------------------------------------


def _record(result: str, w: int) -> str:
    """LLVM text of the two values that a record holds."""
    if w == 64:
        return f"%r = or i64 {result}, 0\n%f = or i64 %b, 0"
    return f"%r = zext i{w} {result} to i64\n%f = zext i{w} %b to i64"


def _lazy_flags() -> Iterator[Op]:
    """``X_cc``: do X and record result, second operand, kind in three slots; ``cmp`` and ``test`` only record."""
    for w in WIDTHS:
        m = mask(w)
        for name, (llvm, py) in {
            "add": ("add", "({a} + {b}) & " + str(m)), "sub": ("sub", "({a} - {b}) & " + str(m)),
            "and": ("and", "{a} & {b}"), "or": ("or", "{a} | {b}"), "xor": ("xor", "{a} ^ {b}"),
        }.items():  # fmt: skip
            text = f"%d = {llvm} i{w} %a, %b"
            text += "\n" + _record("%d", w)
            yield from _with_immediate(_row(f"{name}_cc{w}", f"d{w} a{w} b{w} s k", text, py, "flags"))
            if name in ("sub", "and"):
                bare = {"sub": "cmp", "and": "test"}[name]
                yield from _with_immediate(_row(f"{bare}_cc{w}", f"a{w} b{w} s k", text, py, "flags"))
        yield _row(f"record_cc{w}", f"a{w} b{w} s k", _record("%a", w), "{a}", "flags")


# --- guest memory -----------------------------------------------------------------------------------------------------

# The fast path of an access: the tag of the entry must be the page of the last byte. So an access that crosses a page,
# a page that is not present and a page that needs attention (tag with low bits set) all leave by the one branch.
_LOOKUP = f"""
%base = BASE
%sum = add i64 %base, %i
%addr = ADDRESS
%page = lshr i64 %addr, 7
%index = and i64 %page, {(TLB_SIZE - 1) << 5}
%place = getelementptr i8, ptr %env, i64 %index
%tagp = getelementptr i8, ptr %place, i64 add (i64 ptrtoint (ptr @HM to i64), i64 TAG)
%tag = load i64, ptr %tagp
%last = add i64 %addr, LAST
%want = and i64 %last, -4096
%ok = icmp eq i64 %tag, %want
br i1 %ok, label %hit, label %miss, !prof !0
hit:
%addendp = getelementptr i8, ptr %place, i64 ptrtoint (ptr @HN to i64)
%addend = load i64, ptr %addendp
%hostaddr = add i64 %addend, %addr
%host = inttoptr i64 %hostaddr to ptr
"""


def _lookup(size: int, address_bits: int, *, write: bool) -> str:
    address = "and i64 %sum, 4294967295" if address_bits == 32 else "or i64 %sum, 0"
    base = "zext i32 %a to i64" if address_bits == 32 else "or i64 %a, 0"
    text = _LOOKUP.replace("BASE", base).replace("ADDRESS", address)
    return text.replace("TAG", "8" if write else "0").replace("LAST", str(size - 1))


def _accesses() -> Iterator[Op]:
    loads = (
        ("ld8", 8, 1, False), ("ld16", 16, 2, False), ("ld8u", 64, 1, False), ("ld16u", 64, 2, False),
        ("ld32u", 64, 4, False), ("ld64", 64, 8, False), ("ld8s32", 32, 1, True), ("ld16s32", 32, 2, True),
        ("ld8s64", 64, 1, True), ("ld16s64", 64, 2, True), ("ld32s64", 64, 4, True), ("ld128", 128, 16, False),
    )  # fmt: skip
    for bits in (64, 32):
        for name, to, size, is_signed in loads:
            extend = "sext" if is_signed else "zext"
            value = f"%v = load i{8 * size}, ptr %host, align 1\n"
            value += f"%d = {extend} i{8 * size} %v to i{to}" if to > 8 * size else f"%d = or i{to} %v, 0"
            yield Op(f"{name}_a{bits}", operands(f"d{to} a{bits} i64 m"), _lookup(size, bits, write=False) + value,
                     "", "load", size, is_signed, bits)  # fmt: skip
        for size in (1, 2, 4, 8, 16):
            w = 8 * size
            yield Op(f"st{w}_a{bits}", operands(f"b{w} a{bits} i64 m"),
                     _lookup(size, bits, write=True) + f"store i{w} %b, ptr %host, align 1", "", "store", size,
                     False, bits)  # fmt: skip
            yield Op(f"probe{w}_a{bits}", operands(f"a{bits} i64 m"), _lookup(size, bits, write=True), "", "probe",
                     size, False, bits)  # fmt: skip


def _physical() -> Iterator[Op]:
    """Rows of refill subroutines: guest-physical RAM, the flags of its pages, the environment by computed offset.

    A refill subroutine is native code only (the python engine walks page tables in Python), so these have no Python
    column. ``ldram`` and ``ldpageflags`` branch where the address is not in the window of RAM.
    """
    limit = f"%limitp = getelementptr i8, ptr %env, i64 {RAM_LIMIT - POINTER}\n%limit = load i64, ptr %limitp\n"
    limit += f"%startp = getelementptr i8, ptr %env, i64 {RAM_START - POINTER}\n%start = load i64, ptr %startp\n"
    limit += "%inside = sub i64 %a, %start\n%taken = icmp uge i64 %inside, %limit"
    base = f"%basep = getelementptr i8, ptr %env, i64 {RAM_BASE - POINTER}\n%base = load i64, ptr %basep\n"
    base += "%hosta = add i64 %base, %a\n%host = inttoptr i64 %hosta to ptr\n"
    for w in (32, 64):
        yield Op(f"ldram{w}", operands(f"d{w} a64 l"), limit, "", "branch", after=base + f"%d = load i{w}, ptr %host\n")
        yield Op(f"stram{w}", operands(f"b{w} a64"), base + f"store i{w} %b, ptr %host", "", "native")
    flags = f"%flagsp = getelementptr i8, ptr %env, i64 {PAGE_FLAGS - POINTER}\n%flags = load ptr, ptr %flagsp\n"
    flags += "%page = lshr i64 %inside, 12\n%bytep = getelementptr i8, ptr %flags, i64 %page\n"
    flags += "%byte = load i8, ptr %bytep\n%d = zext i8 %byte to i64\n"
    yield Op("ldpageflags", operands("d64 a64 l"), limit, "", "branch", after=flags)
    place = f"%start = getelementptr i8, ptr %env, i64 {-POINTER}\n%place = getelementptr i8, ptr %start, i64 %a\n"
    yield Op("ldenv64", operands("d64 a64"), place + "%d = load i64, ptr %place", "", "native")
    yield Op("stenv64", operands("b64 a64"), place + "store i64 %b, ptr %place", "", "native")


def _exits() -> Iterator[Op]:
    """Rows that the engines know by name: the head of a block and the ways out of it.

    ``gosub`` goes to the IR subroutine whose address is in the slot at that offset, ``return`` comes back from it.
    ``retry`` and ``give_up`` end a refill subroutine: once more the access that missed, or over to Python.
    """
    for name, text in (("head", "i64"), ("head_icount", "i64"), ("goto_tb", "i64"), ("goto_ptr", "a64 b64"),
                       ("call", "i64"), ("leave", ""), ("gosub", "m"), ("return", ""), ("retry", ""),
                       ("give_up", "")):  # fmt: skip
        yield Op(name, operands(text), kind="exit")


def base_table() -> dict[str, Op]:
    """The rows that every target may use."""
    table: dict[str, Op] = {}
    for family in (_arithmetic, _addresses, _checksums, _comparisons, _lazy_flags, _accesses, _physical, _exits):
        for op in family():
            if op.name in table:
                raise ValueError(f"the operation {op.name!r} has two rows")
            table[op.name] = op
    return table
