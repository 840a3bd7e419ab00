"""The instruction forms of the assembler, in the notation of the Intel SDM volume 2.

A row is ``mnemonic operands | encoding``. Operand kinds:

======== ==================================================================
r8..r64   a register, encoded in ModRM.reg (or in the opcode with ``+r``)
rm8..     a register or memory, in ModRM.rm; memory may be written without a size
RM8..     the same, but memory needs a written size (``word [x]``)
g32, g64  a register in ModRM.rm, never memory
m, m16..  memory; ``m`` takes any size
imm8 ..   an immediate of that many bits; ``imm8s`` is one that is sign-extended;
          ``u32`` an immediate that fits unsigned 32 bits
rel8 relv a jump target; ``ptr`` a far pointer ``seg:offset``; ``moff`` an absolute address
======== ==================================================================

A ``v`` stands for 16, 32 or 64: the row is expanded to three. The encoding has opcode bytes in hex and
``/r`` or ``/0``..``/7`` for the ModRM byte, ``+r``, and the flags ``o16 o32 o64`` (operand size),
``d64`` (64-bit by default in long mode), ``no64``, ``only64``.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

_ROWS = """
mov al,moff | a0
mov av,moff | a1
mov moff,al | a2
mov moff,av | a3
mov rm8,r8 | 88 /r
mov rmv,rv | 89 /r
mov r8,rm8 | 8a /r
mov rv,rmv | 8b /r
mov RM16,sreg | 8c /r
mov g32,sreg | o32 8c /r
mov g64,sreg | o64 8c /r
mov sreg,RM16 | 8e /r
mov sreg,g32 | 8e /r
mov sreg,m | 8e /r
mov m,sreg | 8c /r
mov r8,imm8 | b0 +r
mov r16,imm16 | o16 b8 +r
mov r32,imm32 | o32 b8 +r
mov r64,u32 | o32 b8 +r
mov RM64,imm32s | o64 c7 /0
mov r64,imm64 | o64 b8 +r
mov RM8,imm8 | c6 /0
mov RM16,imm16 | o16 c7 /0
mov RM32,imm32 | o32 c7 /0
mov g32,cr | no64 0f 20 /r
mov cr,g32 | no64 0f 22 /r
mov g32,dr | no64 0f 21 /r
mov dr,g32 | no64 0f 23 /r
mov g64,cr | only64 0f 20 /r
mov cr,g64 | only64 0f 22 /r
mov g64,dr | only64 0f 21 /r
mov dr,g64 | only64 0f 23 /r
movzx r16,RM8 | o16 0f b6 /r
movzx r32,RM8 | o32 0f b6 /r
movzx r64,RM8 | o64 0f b6 /r
movzx r32,RM16 | o32 0f b7 /r
movzx r64,RM16 | o64 0f b7 /r
movsx r16,RM8 | o16 0f be /r
movsx r32,RM8 | o32 0f be /r
movsx r64,RM8 | o64 0f be /r
movsx r32,RM16 | o32 0f bf /r
movsx r64,RM16 | o64 0f bf /r
movsxd r64,rm32 | o64 63 /r
xchg av,rv | 90 +r
xchg rv,av | 90 +r
xchg rm8,r8 | 86 /r
xchg r8,rm8 | 86 /r
xchg rmv,rv | 87 /r
xchg rv,rmv | 87 /r
lea rv,m | 8d /r
lds r16,m | no64 o16 c5 /r
lds r32,m | no64 o32 c5 /r
les r16,m | no64 o16 c4 /r
les r32,m | no64 o32 c4 /r
lss rv,m | 0f b2 /r
lfs rv,m | 0f b4 /r
lgs rv,m | 0f b5 /r
push r16 | o16 50 +r
push r32 | no64 o32 50 +r
push r64 | d64 50 +r
push imm8d | 6a
push imm16d | o16 68
push imm32d | o32 68
push imm64d | d64 68
push RM16 | o16 ff /6
push RM32 | no64 o32 ff /6
push RM64 | d64 ff /6
push es | no64 06
push cs | no64 0e
push ss | no64 16
push ds | no64 1e
push fs | 0f a0
push gs | 0f a8
pop r16 | o16 58 +r
pop r32 | no64 o32 58 +r
pop r64 | d64 58 +r
pop RM16 | o16 8f /0
pop RM32 | no64 o32 8f /0
pop RM64 | d64 8f /0
pop es | no64 07
pop ss | no64 17
pop ds | no64 1f
pop fs | 0f a1
pop gs | 0f a9
inc r16 | no64 o16 40 +r
inc r32 | no64 o32 40 +r
inc RM8 | fe /0
inc RMv | ff /0
dec r16 | no64 o16 48 +r
dec r32 | no64 o32 48 +r
dec RM8 | fe /1
dec RMv | ff /1
test al,imm8 | a8
test av,immv | a9
test rm8,r8 | 84 /r
test rmv,rv | 85 /r
test r8,m | 84 /r
test rv,m | 85 /r
test RM8,imm8 | f6 /0
test RMv,immv | f7 /0
not RM8 | f6 /2
not RMv | f7 /2
neg RM8 | f6 /3
neg RMv | f7 /3
mul RM8 | f6 /4
mul RMv | f7 /4
imul RM8 | f6 /5
imul RMv | f7 /5
imul rv,rmv | 0f af /r
imul rv,rmv,imm8s | 6b /r
imul rv,rmv,immv | 69 /r
div RM8 | f6 /6
div RMv | f7 /6
idiv RM8 | f6 /7
idiv RMv | f7 /7
shld rmv,rv,imm8 | 0f a4 /r
shld rmv,rv,cl | 0f a5 /r
shrd rmv,rv,imm8 | 0f ac /r
shrd rmv,rv,cl | 0f ad /r
bsf rv,rmv | 0f bc /r
bsr rv,rmv | 0f bd /r
bswap r32 | o32 0f c8 +r
bswap r64 | o64 0f c8 +r
popcnt rv,rmv | f3 0f b8 /r
xadd rm8,r8 | 0f c0 /r
xadd rmv,rv | 0f c1 /r
cmpxchg rm8,r8 | 0f b0 /r
cmpxchg rmv,rv | 0f b1 /r
cmpxchg8b m | 0f c7 /1
cmpxchg16b m | o64 0f c7 /1
bound r16,m | no64 o16 62 /r
bound r32,m | no64 o32 62 /r
arpl rm16,r16 | no64 63 /r
lar rv,rm16 | 0f 02 /r
lsl rv,rm16 | 0f 03 /r
lgdt m | 0f 01 /2
lidt m | 0f 01 /3
sgdt m | 0f 01 /0
sidt m | 0f 01 /1
invlpg m | 0f 01 /7
smsw g16 | o16 0f 01 /4
smsw g32 | o32 0f 01 /4
lmsw rm16 | 0f 01 /6
lldt rm16 | 0f 00 /2
ltr rm16 | 0f 00 /3
sldt g16 | o16 0f 00 /0
str g16 | o16 0f 00 /1
verr rm16 | 0f 00 /4
verw rm16 | 0f 00 /5
in al,imm8 | e4
in ax,imm8 | o16 e5
in eax,imm8 | o32 e5
in al,dx | ec
in ax,dx | o16 ed
in eax,dx | o32 ed
out imm8,al | e6
out imm8,ax | o16 e7
out imm8,eax | o32 e7
out dx,al | ee
out dx,ax | o16 ef
out dx,eax | o32 ef
int imm8 | cd
enter imm16,imm8 | c8
ret | c3
ret imm16 | c2
retf | cb
retf imm16 | ca
retfd | o32 cb
retfq | o64 cb
call relv | e8
call RM16 | o16 ff /2
call RM32 | no64 o32 ff /2
call RM64 | d64 ff /2
call m | dflt ff /2
call far m | ff /3
call ptr | 9a
jmp rel8 | eb
jmp relv | e9
jmp RM16 | o16 ff /4
jmp RM32 | no64 o32 ff /4
jmp RM64 | d64 ff /4
jmp m | dflt ff /4
jmp far m | ff /5
jmp ptr | ea
loop rel8 | e2
loope rel8 | e1
loopz rel8 | e1
loopne rel8 | e0
loopnz rel8 | e0
jcxz rel8 | a16 e3
jecxz rel8 | a32 e3
jrcxz rel8 | only64 e3
aam imm8 | d4
aad imm8 | d5
fld m32 | d9 /0
fld m64 | dd /0
fld m80 | db /5
fld sti | d9 c0 +r
fst m32 | d9 /2
fst m64 | dd /2
fst sti | dd d0 +r
fstp m32 | d9 /3
fstp m64 | dd /3
fstp m80 | db /7
fstp sti | dd d8 +r
fild m16 | df /0
fild m32 | db /0
fild m64 | df /5
fist m16 | df /2
fist m32 | db /2
fistp m16 | df /3
fistp m32 | db /3
fistp m64 | df /7
fbstp m80 | df /6
fbld m80 | df /4
fadd m32 | d8 /0
fadd m64 | dc /0
fmul m32 | d8 /1
fmul m64 | dc /1
fcom m32 | d8 /2
fcom m64 | dc /2
fcomp m32 | d8 /3
fcomp m64 | dc /3
fsub m32 | d8 /4
fsub m64 | dc /4
fsubr m32 | d8 /5
fsubr m64 | dc /5
fdiv m32 | d8 /6
fdiv m64 | dc /6
fdivr m32 | d8 /7
fdivr m64 | dc /7
fadd st0,sti | d8 c0 +r
fmul st0,sti | d8 c8 +r
fsub st0,sti | d8 e0 +r
fsubr st0,sti | d8 e8 +r
fdiv st0,sti | d8 f0 +r
fdivr st0,sti | d8 f8 +r
fadd sti,st0 | dc c0 +r
fmul sti,st0 | dc c8 +r
faddp | de c1
fmulp | de c9
fsubrp | de e1
fsubp | de e9
fdivrp | de f1
fdivp | de f9
faddp sti,st0 | de c0 +r
fmulp sti,st0 | de c8 +r
fsubrp sti,st0 | de e0 +r
fsubp sti,st0 | de e8 +r
fdivrp sti,st0 | de f0 +r
fdivp sti,st0 | de f8 +r
fxch | d9 c9
fxch sti | d9 c8 +r
ffree sti | dd c0 +r
fcomi st0,sti | db f0 +r
fcomip st0,sti | df f0 +r
fucomi st0,sti | db e8 +r
fucomip st0,sti | df e8 +r
fldcw m | d9 /5
fnstcw m | d9 /7
fnstsw ax | df e0
fnstsw m | dd /7
fnsave m | dd /6
frstor m | dd /4
fnstenv m | d9 /6
fldenv m | d9 /4
fxsave m | 0f ae /0
fxrstor m | 0f ae /1
ldmxcsr m | 0f ae /2
stmxcsr m | 0f ae /3
clflush m | 0f ae /7
prefetchnta m | 0f 18 /0
prefetcht0 m | 0f 18 /1
movd x,rm32 | 66 0f 6e /r
movd rm32,x | 66 0f 7e /r
movq x,rm64 | o64 66 0f 6e /r
movq rm64,x | o64 66 0f 7e /r
movups xm,x | 0f 11 /r
movaps xm,x | 0f 29 /r
movdqa xm,x | 66 0f 7f /r
movdqu xm,x | f3 0f 7f /r
movss xm,x | f3 0f 11 /r
movsd xm,x | f2 0f 11 /r
movntdq m,x | 66 0f e7 /r
movnti m,r32 | 0f c3 /r
pshufd x,xm,imm8 | 66 0f 70 /r
shufps x,xm,imm8 | 0f c6 /r
psrldq x,imm8 | 66 0f 73 /3
pslldq x,imm8 | 66 0f 73 /7
psrld x,imm8 | 66 0f 72 /2
pslld x,imm8 | 66 0f 72 /6
cvtsi2sd x,RM32 | f2 0f 2a /r
cvtsi2sd x,RM64 | o64 f2 0f 2a /r
cvttsd2si r32,xm | f2 0f 2c /r
cvttsd2si r64,xm | o64 f2 0f 2c /r
pmovmskb r32,xx | 66 0f d7 /r
"""

# Instructions without operands.
_PLAIN = {
    "nop": "90", "cwde": "o32 98", "cbw": "o16 98", "cdqe": "o64 98", "cwd": "o16 99", "cdq": "o32 99",
    "cqo": "o64 99", "pushf": "dfl 9c", "pushfw": "o16 9c", "pushfd": "no64 o32 9c", "pushfq": "d64 9c",
    "popf": "dfl 9d", "popfw": "o16 9d", "popfd": "no64 o32 9d", "popfq": "d64 9d", "sahf": "9e", "lahf": "9f",
    "pusha": "no64 dfl 60", "pushaw": "no64 o16 60", "pushad": "no64 o32 60", "popa": "no64 dfl 61",
    "popaw": "no64 o16 61", "popad": "no64 o32 61", "movsb": "a4", "movsw": "o16 a5", "movsd": "o32 a5",
    "movsq": "o64 a5", "cmpsb": "a6", "cmpsw": "o16 a7", "cmpsd": "o32 a7", "cmpsq": "o64 a7", "stosb": "aa",
    "stosw": "o16 ab", "stosd": "o32 ab", "stosq": "o64 ab", "lodsb": "ac", "lodsw": "o16 ad",
    "lodsd": "o32 ad", "lodsq": "o64 ad", "scasb": "ae", "scasw": "o16 af", "scasd": "o32 af",
    "scasq": "o64 af", "insb": "6c", "insw": "o16 6d", "insd": "o32 6d", "outsb": "6e", "outsw": "o16 6f",
    "outsd": "o32 6f", "leave": "c9", "int3": "cc", "into": "no64 ce", "iret": "cf", "iretw": "o16 cf",
    "iretd": "o32 cf", "iretq": "o64 cf", "hlt": "f4", "cmc": "f5", "clc": "f8", "stc": "f9", "cli": "fa",
    "sti": "fb", "cld": "fc", "std": "fd", "daa": "no64 27", "das": "no64 2f", "aaa": "no64 37",
    "aas": "no64 3f", "aam": "no64 d4 0a", "aad": "no64 d5 0a", "xlatb": "d7", "xlat": "d7", "salc": "no64 d6",
    "clts": "0f 06", "invd": "0f 08", "wbinvd": "0f 09", "ud2": "0f 0b", "wrmsr": "0f 30", "rdtsc": "0f 31",
    "rdmsr": "0f 32", "rdpmc": "0f 33", "sysenter": "0f 34", "sysexit": "0f 35", "syscall": "0f 05",
    "sysret": "0f 07", "rsm": "0f aa", "cpuid": "0f a2", "swapgs": "0f 01 f8", "pause": "f3 90", "mfence": "0f ae f0",
    "lfence": "0f ae e8", "sfence": "0f ae f8", "emms": "0f 77", "monitor": "0f 01 c8", "mwait": "0f 01 c9",
    "wait": "9b", "fninit": "db e3", "finit": "9b db e3", "fnclex": "db e2", "fld1": "d9 e8", "fldl2t": "d9 e9",
    "fldl2e": "d9 ea", "fldpi": "d9 eb", "fldlg2": "d9 ec", "fldln2": "d9 ed", "fldz": "d9 ee", "fsqrt": "d9 fa",
    "fsin": "d9 fe", "fcos": "d9 ff", "fsincos": "d9 fb", "fptan": "d9 f2", "fpatan": "d9 f3", "fchs": "d9 e0",
    "fabs": "d9 e1", "ftst": "d9 e4", "fxam": "d9 e5", "frndint": "d9 fc", "fscale": "d9 fd", "f2xm1": "d9 f0",
    "fyl2x": "d9 f1", "fprem": "d9 f8", "fincstp": "d9 f7", "fdecstp": "d9 f6", "fnop": "d9 d0",
    "fcompp": "de d9", "fucompp": "da e9",
}  # fmt: skip

_CONDITIONS = ("o", "no", "b c nae", "ae nb nc", "e z", "ne nz", "be na", "a nbe",
               "s", "ns", "p pe", "np po", "l nge", "ge nl", "le ng", "g nle")  # fmt: skip

# x <- x op xm, with mandatory prefix (none, 66, f3, f2) and opcode.
_SSE = {
    "movups": "0f 10", "movaps": "0f 28", "movdqa": "66 0f 6f", "movdqu": "f3 0f 6f", "movss": "f3 0f 10",
    "movsd": "f2 0f 10", "addps": "0f 58", "addpd": "66 0f 58", "addss": "f3 0f 58", "addsd": "f2 0f 58",
    "mulps": "0f 59", "mulpd": "66 0f 59", "mulss": "f3 0f 59", "mulsd": "f2 0f 59", "subps": "0f 5c",
    "subpd": "66 0f 5c", "subss": "f3 0f 5c", "subsd": "f2 0f 5c", "divps": "0f 5e", "divpd": "66 0f 5e",
    "divss": "f3 0f 5e", "divsd": "f2 0f 5e", "sqrtps": "0f 51", "sqrtpd": "66 0f 51", "sqrtsd": "f2 0f 51",
    "andps": "0f 54", "orps": "0f 56", "xorps": "0f 57", "pxor": "66 0f ef", "por": "66 0f eb",
    "pand": "66 0f db", "pandn": "66 0f df", "paddb": "66 0f fc", "paddw": "66 0f fd", "paddd": "66 0f fe",
    "paddq": "66 0f d4", "psubb": "66 0f f8", "psubw": "66 0f f9", "psubd": "66 0f fa", "psubq": "66 0f fb",
    "pcmpeqb": "66 0f 74", "pcmpeqw": "66 0f 75", "pcmpeqd": "66 0f 76", "pmuludq": "66 0f f4",
    "pmullw": "66 0f d5", "punpcklbw": "66 0f 60", "punpckldq": "66 0f 62", "punpcklqdq": "66 0f 6c",
    "movq": "f3 0f 7e", "comisd": "66 0f 2f", "ucomisd": "66 0f 2e", "pshufb": "66 0f 38 00",
    "unpcklps": "0f 14", "movhlps": "0f 12", "cvtdq2pd": "f3 0f e6", "cvtdq2ps": "0f 5b",
}  # fmt: skip


class Form(NamedTuple):
    """One encodable shape of an instruction."""

    operands: tuple[str, ...]
    size: int  # operand size that the form selects: 0 (none), 16, 32, 64
    flags: frozenset[str]
    opcode: bytes
    modrm: int | None  # -1: /r, 0..7: a digit, None: no ModRM byte
    plus: bool
    prefixes: bytes  # mandatory prefixes


_FLAGS = frozenset(("d64", "no64", "only64", "dfl", "dflt", "a16", "a32"))


def _compile(operands: str, encoding: str, size: int) -> Form:
    flags: set[str] = set()
    opcode = bytearray()
    prefixes = bytearray()
    modrm: int | None = None
    plus = False
    words = encoding.split()
    for n, word in enumerate(words):
        if word in _FLAGS:
            flags.add(word)
        elif word[0] == "o" and word[1:].isdigit():
            size = int(word[1:])
        elif word[0] == "/":
            modrm = -1 if word == "/r" else int(word[1:])
        elif word == "+r":
            plus = True
        elif word in ("66", "f2", "f3") and not opcode and n + 1 < len(words):
            prefixes.append(int(word, 16))
        else:
            opcode.append(int(word, 16))
    kinds = tuple(k for k in operands.split(",") if k)
    return Form(kinds, size, frozenset(flags), bytes(opcode), modrm, plus, bytes(prefixes))


def _expand(operands: str, encoding: str) -> list[Form]:
    """The forms of a row: one, or three when a kind ends in ``v``."""
    kinds = operands.split(",")
    if not any(k in ("rv", "rmv", "RMv", "av", "immv", "gv") for k in kinds):
        return [_compile(operands, encoding, 0)]
    forms = []
    for size in (16, 32, 64):
        accumulator = {16: "ax", 32: "eax", 64: "rax"}[size]
        names = {"rv": f"r{size}", "rmv": f"rm{size}", "RMv": f"RM{size}", "gv": f"g{size}", "av": accumulator,
                 "immv": "imm32s" if size == 64 else f"imm{size}", "imm8s": f"imm8s{size}"}  # fmt: skip
        forms.append(_compile(",".join(names.get(k, k) for k in kinds), encoding, size))
    return forms


@lru_cache(maxsize=1)
def _rows() -> dict[str, list[tuple[str, str]]]:
    """All rows by mnemonic; families (ALU, shifts, bit tests, conditions) are spelled out here."""
    rows: dict[str, list[tuple[str, str]]] = {}

    def add(mnemonic: str, operands: str, encoding: str) -> None:
        rows.setdefault(mnemonic, []).append((operands, encoding))

    for line in _ROWS.strip().splitlines():
        left, encoding = line.split(" | ")
        mnemonic, _, operands = left.partition(" ")
        if operands.startswith("far "):
            mnemonic, operands = f"{mnemonic} far", operands[4:]
        add(mnemonic, operands, encoding)
    for n, name in enumerate(("add", "or", "adc", "sbb", "and", "sub", "xor", "cmp")):
        add(name, "rm8,r8", f"{8 * n:02x} /r")
        add(name, "rmv,rv", f"{8 * n + 1:02x} /r")
        add(name, "r8,rm8", f"{8 * n + 2:02x} /r")
        add(name, "rv,rmv", f"{8 * n + 3:02x} /r")
        add(name, "al,imm8", f"{8 * n + 4:02x}")
        add(name, "RM8,imm8", f"80 /{n}")
        add(name, "RMv,imm8s", f"83 /{n}")
        add(name, "av,immv", f"{8 * n + 5:02x}")
        add(name, "RMv,immv", f"81 /{n}")
    for n, name in enumerate(("rol", "ror", "rcl", "rcr", "shl", "shr", "sal", "sar")):
        digit = 4 if name == "sal" else n
        for kind, low in (("RM8", 0), ("RMv", 1)):
            add(name, f"{kind},one", f"{0xD0 + low:02x} /{digit}")
            add(name, f"{kind},cl", f"{0xD2 + low:02x} /{digit}")
            add(name, f"{kind},imm8", f"{0xC0 + low:02x} /{digit}")
    for n, name in enumerate(("bt", "bts", "btr", "btc")):
        add(name, "rmv,rv", f"0f {0xA3 + 8 * n:02x} /r")
        add(name, "RMv,imm8", f"0f ba /{4 + n}")
    for n, names in enumerate(_CONDITIONS):
        for cc in names.split():
            add(f"j{cc}", "rel8", f"{0x70 + n:02x}")
            add(f"j{cc}", "relv", f"0f {0x80 + n:02x}")
            add(f"set{cc}", "rm8", f"0f {0x90 + n:02x} /0")
            add(f"cmov{cc}", "rv,rmv", f"0f {0x40 + n:02x} /r")
    for name, encoding in _SSE.items():
        rows.setdefault(name, []).insert(0, ("x,xm", f"{encoding} /r"))
    for name, encoding in _PLAIN.items():
        add(name, "", encoding)
    return rows


@cache
def forms(mnemonic: str) -> tuple[Form, ...]:
    """The forms of *mnemonic* in the order in which they are tried; empty if there is no such instruction."""
    return tuple(form for operands, encoding in _rows().get(mnemonic, ()) for form in _expand(operands, encoding))
