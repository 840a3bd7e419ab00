"""From the table of operations to LLVM text: every row becomes one tiny function with holes.

A stencil is called with a pointer into the environment as its only argument and ends in a jump to ``NEXT``, which is
what follows it. Its holes are undefined symbols: ``HA`` … for slot offsets, ``HI`` for the immediate, ``TAKEN`` for
where a branch goes. A stencil finds its own address relative to the instruction pointer, so a piece of code may be
copied anywhere.

What is rarely run stands apart: a stencil goes to ``COLD``, which is placed far away from the block, so that hot code
is dense and has no jumps over code that does not run. A cold piece calls the op that it belongs to ``SELF``.
"""

from __future__ import annotations

from pyqemu.tcg.env import (
    BUDGET,
    EXIT_ACCESS,
    EXIT_ADDR,
    EXIT_CALL,
    EXIT_CHAIN,
    EXIT_HEAD,
    EXIT_JUMP,
    EXIT_LEAVE,
    EXIT_MEMORY,
    EXIT_PC,
    EXIT_REASON,
    EXIT_REQUEST,
    FETCH_TABLES,
    JUMP_CACHE,
    JUMP_CACHE_MULTIPLIER,
    JUMP_CACHE_SHIFT,
    JUMP_MODE,
    LOOKUP_AGAIN_VECTOR,
    LOOKUP_VECTOR,
    MISS_VECTOR,
    POINTER,
    REFILL_VECTOR,
    SUBROUTINE_LINK,
    TLB_SIZE,
)  # fmt: skip
from pyqemu.tcg.ops import WIDTHS, Op

HEADER = """
@NEXT_ADDRESS = external dso_local global i8
declare dso_local ghccc void @NEXT(ptr)
declare dso_local ghccc void @TAKEN(ptr)
declare dso_local ghccc void @COLD(ptr, i64)
@SELF = external dso_local global i8
"""
METADATA = """
!0 = !{!"branch_weights", i32 4000, i32 1}
!1 = !{i64 -1048576, i64 1048576}
!2 = !{i64 -2147483648, i64 2147483648}
attributes #0 = { nounwind optsize "no-jump-tables"="true" }
"""
NEXT = "musttail call ghccc void @NEXT(ptr %env)\nret void"
SLOT_LETTERS = "dabcesmnx"


def _declarations() -> str:
    slots = "@HI = external dso_local global i8, !absolute_symbol !2\n"
    slots += "".join(f"@H{name} = external dso_local global i8, !absolute_symbol !1\n" for name in SLOT_LETTERS.upper())
    intrinsics = "".join(f"declare i{w} @llvm.{n}.i{w}(i{w}, i{w}, i{w})\n" for n in ("fshl", "fshr") for w in WIDTHS)
    intrinsics += "".join(f"declare i{w} @llvm.{n}.i{w}(i{w}, i1)\n" for n in ("ctlz", "cttz") for w in WIDTHS)
    intrinsics += "".join(f"declare i{w} @llvm.{n}.i{w}(i{w})\n" for n in ("ctpop", "bswap") for w in WIDTHS
                          if n == "ctpop" or w > 8)  # fmt: skip
    return HEADER + slots + intrinsics


def _env_pointer(name: str, offset: int) -> str:
    return f"%{name} = getelementptr i8, ptr %env, i64 {offset - POINTER}\n"


def _store_env(offset: int, value: str, name: str) -> str:
    return _env_pointer(name, offset) + f"store {value}, ptr %{name}\n"


def leave(symbol: str, reason: int) -> str:
    """Store the exit record and return to Python."""
    return (_store_env(EXIT_PC, f"ptr @{symbol}", "xp") + _store_env(EXIT_REASON, f"i64 {reason}", "xr")) + "ret void"


MISSED = "miss:\ntail call ghccc void @COLD(ptr %env, i64 %addr)\nret void\n"


def cold_piece(op: Op) -> str:
    """The name of the cold piece that goes with an op; empty where there is none."""
    if op.size:
        return "cold_load" if op.kind == "load" else "cold_store"
    return "cold_head" if op.name.startswith("head") else ""


def _cold(symbol: str, body: str) -> str:
    text = f'define dso_local ghccc void @{symbol}(ptr noalias %env, i64 %addr) #0 section ".text.{symbol}" {{\n'
    return text + body + "}\n"


def _missed(store: int) -> str:
    """The way out of a guest access: its address, its own code and its kind go to a routine that all accesses share."""
    return (
        f'%access = call i64 asm "movq $$HX+{store}, $0", "=r"()\n%self = ptrtoint ptr @SELF to i64\n'
        + _env_pointer("vectorp", MISS_VECTOR) + "%vector = load ptr, ptr %vectorp\n"
        + "tail call ghccc void %vector(ptr %env, i64 %addr, i64 %self, i64 %access)\nret void\n"
    )  # fmt: skip


COLD_PIECES = ("cold_load", "cold_store", "cold_head", "chain")


def _cold_pieces() -> str:
    return (_cold("cold_load", _missed(0)) + _cold("cold_store", _missed(1))
            + _cold("cold_head", leave("SELF", EXIT_HEAD)) + _cold("chain", leave("SELF", EXIT_CHAIN)))  # fmt: skip


def _miss_routine() -> str:
    """What a missed access does: store the exit record, then go where the refill vector says."""
    return (
        "define dso_local ghccc void @miss(ptr noalias %env, i64 %addr, i64 %self, i64 %access) #0 "
        + 'section ".text.miss" {\n' + _store_env(EXIT_PC, "i64 %self", "xp") + _store_env(EXIT_ADDR, "i64 %addr", "xa")
        + _store_env(EXIT_ACCESS, "i64 %access", "xs") + _store_env(EXIT_REASON, f"i64 {EXIT_MEMORY}", "xr")
        + _env_pointer("vectorp", REFILL_VECTOR) + "%vector = load ptr, ptr %vectorp\n"
        + "tail call ghccc void %vector(ptr %env)\nret void\n}\n"
    )  # fmt: skip


def _load_operand(letter: str, bits: int, wide: bool, displacement: bool = False) -> str:
    if letter == "i" and displacement and not wide:
        return "%i = ptrtoint ptr @HI to i64\n"  # only ever added, so that it becomes part of an address
    if letter == "i":
        move = "movabsq" if wide else "movq"
        text = f'%i64 = call i64 asm "{move} $$HI, $0", "=r"()\n'
        return text + (f"%i = trunc i64 %i64 to i{bits}\n" if bits < 64 else "%i = or i64 %i64, 0\n")
    if letter == "j":
        return '%j = call i64 asm "movabsq $$HJ, $0", "=r"()\n'
    if letter == "k":
        return '%k = call i64 asm "movq $$HK, $0", "=r"()\n'
    if letter in "ms":
        return f"%{letter} = ptrtoint ptr @H{letter.upper()} to i64\n"
    text = f"%{letter}p = getelementptr i8, ptr %env, i64 ptrtoint (ptr @H{letter.upper()} to i64)\n"
    return text if letter == "d" else text + f"%{letter} = load i{bits}, ptr %{letter}p, align 1\n"


def _store_result(op: Op) -> str:
    """Write ``%d``: 32-bit results clear the upper half of their slot."""
    if "d" not in op.letters:
        return ""
    bits = dict(op.operands)["d"]
    if bits == 32:
        return "%dz = zext i32 %d to i64\nstore i64 %dz, ptr %dp\n"
    return f"store i{bits} %d, ptr %dp, align 1\n"


_RECORD = """
%s0 = getelementptr i8, ptr %env, i64 %s
store i64 %r, ptr %s0
%s1 = getelementptr i8, ptr %s0, i64 8
store i64 %f, ptr %s1
%s2 = getelementptr i8, ptr %s0, i64 16
store i64 %k, ptr %s2
"""
_GOTO_PTR = (
    _env_pointer("lookupp", LOOKUP_VECTOR)
    + """
%lookup = load ptr, ptr %lookupp
tail call ghccc void %lookup(ptr %env, i64 %a, i64 %b)
ret void
"""
)
# A flush of the software TLB leaves the jump cache alone. So an entry counts only where the TLB has the target's page
# for fetches, and leads to the host page that the block was made from; a missed page is refilled as for a load.
_LOOKUP_ROUTINE = f"""
define dso_local ghccc void @lookup(ptr noalias %env, i64 %a, i64 %b) #0 section ".text.lookup" {{
%mixed = mul i64 %a, {JUMP_CACHE_MULTIPLIER}
%hash = lshr i64 %mixed, {JUMP_CACHE_SHIFT}
%scaled = shl i64 %hash, 6
%offset = add i64 %scaled, {JUMP_CACHE - POINTER}
%entry1 = getelementptr i8, ptr %env, i64 %offset
%pc1 = load i64, ptr %entry1
%flagsp1 = getelementptr i8, ptr %entry1, i64 8
%flags1 = load i64, ptr %flagsp1
%x1 = xor i64 %pc1, %a
%y1 = xor i64 %flags1, %b
%differ1 = or i64 %x1, %y1
%same1 = icmp eq i64 %differ1, 0
br i1 %same1, label %known, label %second, !prof !0
second:
%entry2 = getelementptr i8, ptr %entry1, i64 32
%pc2 = load i64, ptr %entry2
%flagsp2 = getelementptr i8, ptr %entry2, i64 8
%flags2 = load i64, ptr %flagsp2
%x2 = xor i64 %pc2, %a
%y2 = xor i64 %flags2, %b
%differ2 = or i64 %x2, %y2
%same2 = icmp eq i64 %differ2, 0
br i1 %same2, label %known, label %lost, !prof !0
known:
%entry = phi ptr [ %entry1, %0 ], [ %entry2, %second ]
%mode = and i64 %b, 3
%modes = shl i64 %mode, 3
%tablesp = getelementptr i8, ptr %env, i64 {FETCH_TABLES - POINTER}
%tablep = getelementptr i8, ptr %tablesp, i64 %modes
%tableoffset = load i64, ptr %tablep
%tablefrom = getelementptr i8, ptr %env, i64 {-POINTER}
%table = getelementptr i8, ptr %tablefrom, i64 %tableoffset
%page7 = lshr i64 %a, 7
%index = and i64 %page7, {(TLB_SIZE - 1) << 5}
%tlb = getelementptr i8, ptr %table, i64 %index
%tagp = getelementptr i8, ptr %tlb, i64 16
%tag = load i64, ptr %tagp
%want = and i64 %a, -4096
%mapped = icmp eq i64 %tag, %want
br i1 %mapped, label %there, label %miss, !prof !0
there:
%addendp = getelementptr i8, ptr %tlb, i64 24
%addend = load i64, ptr %addendp
%hostpage = add i64 %addend, %want
%fromp = getelementptr i8, ptr %entry, i64 24
%from = load i64, ptr %fromp
%unmoved = icmp eq i64 %from, %hostpage
br i1 %unmoved, label %found, label %lost, !prof !0
found:
%hostp = getelementptr i8, ptr %entry, i64 16
%host = load ptr, ptr %hostp
musttail call ghccc void %host(ptr %env)
ret void
"""


def _lookup_routines() -> str:
    """The look-up in the jump cache, and the way back to it after a refill."""
    return (
        _LOOKUP_ROUTINE.replace("musttail call ghccc void %host", "tail call ghccc void %host")
        + "miss:\n" + _env_pointer("againp", LOOKUP_AGAIN_VECTOR) + "%again = load ptr, ptr %againp\n"
        + _store_env(EXIT_PC, "ptr %again", "xmp") + _store_env(EXIT_ADDR, "i64 %a", "xma")
        + _store_env(JUMP_MODE, "i64 %b", "xmm") + "%access = or i64 %tableoffset, 2\n"
        + _store_env(EXIT_ACCESS, "i64 %access", "xms") + _store_env(EXIT_REASON, f"i64 {EXIT_JUMP}", "xmr")
        + _env_pointer("vectorp", REFILL_VECTOR) + "%vector = load ptr, ptr %vectorp\n"
        + "tail call ghccc void %vector(ptr %env)\nret void\nlost:\n"
        + _store_env(EXIT_REASON, f"i64 {EXIT_JUMP}", "xlr") + "ret void\n}\n"
        + 'define dso_local ghccc void @lookup_again(ptr noalias %env) #0 section ".text.lookup_again" {\n'
        + _env_pointer("ap", EXIT_ADDR) + "%a = load i64, ptr %ap\n"
        + _env_pointer("bp", JUMP_MODE) + "%b = load i64, ptr %bp\n" + _GOTO_PTR + "}\n"
    )  # fmt: skip


_REQUESTED = (
    _env_pointer("requestp", EXIT_REQUEST)
    + """
%request = load atomic i32, ptr %requestp monotonic, align 4
%quiet = icmp eq i32 %request, 0
"""
)
_BUDGET = (
    _env_pointer("budgetp", BUDGET)
    + """
%budget = load i64, ptr %budgetp
%left = sub i64 %budget, %i
store i64 %left, ptr %budgetp
%enough = icmp sge i64 %left, 0
%go = and i1 %enough, %quiet
"""
)


def _head(condition: str) -> str:
    return (f"br i1 %{condition}, label %run, label %stop, !prof !0\nstop:\n"
            f"tail call ghccc void @COLD(ptr %env, i64 undef)\nret void\nrun:\n{NEXT}\n")  # fmt: skip


def _go_to(pointer: str) -> str:
    """Go on at the host address in a slot."""
    return f"%target = load ptr, ptr %{pointer}\nmusttail call ghccc void %target(ptr %env)\nret void\n"


def _exit_body(symbol: str, name: str) -> str:
    match name:
        case "head":
            return _REQUESTED + _head("quiet")
        case "head_icount":
            return _REQUESTED + _BUDGET + _head("go")
        case "goto_tb":
            return "musttail call ghccc void @TAKEN(ptr %env)\nret void\n"
        case "goto_ptr":
            return _GOTO_PTR
        case "call":
            return leave(symbol, EXIT_CALL)
        case "gosub":
            slot = "%slot = getelementptr i8, ptr %env, i64 %m\n"
            return _store_env(SUBROUTINE_LINK, "ptr @NEXT", "xl") + slot + _go_to("slot")
        case "return":
            return _env_pointer("xl", SUBROUTINE_LINK) + _go_to("xl")
        case "retry":
            return _env_pointer("xp", EXIT_PC) + _go_to("xp")
        case "give_up":
            return "ret void\n"
        case "leave":
            return leave(symbol, EXIT_LEAVE)
    raise ValueError(f"no way out is called {name!r}")


def stencil(symbol: str, op: Op, *, wide: bool = False) -> str:
    """The LLVM text of one row; *wide* takes the immediate as a full 64-bit field."""
    lines = [f'define dso_local ghccc void @{symbol}(ptr noalias %env) #0 section ".text.{symbol}" {{']
    takes_immediate = op.name == "head_icount" or op.kind != "exit"
    lines += [_load_operand(letter, bits, wide, op.size > 0) for letter, bits in op.operands
              if letter != "l" and (takes_immediate or letter != "i")]  # fmt: skip
    if op.kind == "exit":
        return "\n".join([*lines, _exit_body(symbol, op.name), "}\n"])
    lines.append(op.llvm)
    if op.kind == "branch":
        taken = "musttail call ghccc void @TAKEN(ptr %env)\nret void\n"
        lines.append(f"br i1 %taken, label %yes, label %no\nyes:\n{taken}no:" if op.llvm else taken + "}\n")
        if not op.llvm:
            return "\n".join(lines)
        lines.append(op.after)
    if op.kind == "store":
        pass
    elif op.kind == "flags":
        lines.append(_RECORD)
    lines.append(_store_result(op) + NEXT)
    if op.size:
        lines.append(MISSED)
    return "\n".join([*lines, "}\n"])


RUN = f"""
define dso_local void @run(ptr %base, ptr %entry) #0 section ".text.run" {{
%env = getelementptr i8, ptr %base, i64 {POINTER}
call ghccc void %entry(ptr %env)
ret void
}}
define dso_local ghccc void @refill_none(ptr %env) #0 section ".text.refill_none" {{
ret void
}}
"""


def module_source(table: dict[str, Op]) -> tuple[str, list[tuple[str, str]]]:
    """The whole module, and the names of its stencils: pairs of row name (``.q`` for 64-bit immediates) and symbol."""
    names: list[tuple[str, str]] = []
    parts = [_declarations()]
    for op in table.values():
        symbol = f"op_{op.name}"
        names.append((op.name, symbol))
        parts.append(stencil(symbol, op))
        if any(letter == "i" and bits == 64 for letter, bits in op.operands) and op.kind != "exit":
            names.append((op.name + ".q", symbol + "_q"))
            parts.append(stencil(symbol + "_q", op, wide=True))
    extra = "".join(sorted({line for op in table.values() for line in op.declare}))
    shared = [_cold_pieces(), _lookup_routines(), _miss_routine(), RUN, METADATA]
    return "".join([*parts[:1], extra, *parts[1:], *shared]), names
