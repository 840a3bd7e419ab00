"""The opcode map: instructions registered in the notation of the manual (SDM vol. 2, 3.1.1 and appendix A.2).

An instruction is a function decorated with one :func:`op` for each of its encodings::

    @op("00", "Eb Gb", lock=True)
    @op("01", "Ev Gv", lock=True)
    @op("81 /0", "Ev Iz", lock=True)
    def add(t: X86Translator, dst: Operand, src: Operand) -> None: ...

**Encoding** (first argument), words separated by blanks:

=============  ===============================================================================================
``NP`` ``66``  mandatory prefix before the opcode: none of 66/F2/F3, or that one. Without a word any prefix is
``F3`` ``F2``  fine and means what it usually means (66: operand size). An entry with a matching mandatory
               prefix wins over one without; F2 and F3 win over 66, the later of F2 and F3 wins. If an opcode
               has only entries with mandatory prefixes and none matches: #UD.
``0FA2``       the opcode bytes, escapes included: one byte, ``0Fxx``, ``0F38xx``, ``0F3Axx``
``50+r``       eight opcodes, the low three bits name a register (operand ``Z``)
``70+cc``      sixteen opcodes, the low four bits are a condition
``/0``…``/7``  the reg field of ModRM extends the opcode
``/r``         there is a ModRM byte (only needed if no operand says so)
``C8``         after the opcode: the whole ModRM byte (``"0F01 C8"``), ``C0+i`` eight of them (``"D8 C0+i"``)
=============  ===============================================================================================

An encoding with a whole ModRM byte wins over ``/digit``, which wins over a plain one.

**Operands** (second argument), each gives one argument of the function, an
:class:`~pyqemu.targets.x86.operands.Operand`:

=========  ===================================================================================================
``E``      ModRM r/m: general register or memory; ``M`` memory only, ``R`` register only (else the encoding
           doesn't match)
``G``      ModRM reg: general register
``Z``      general register in the low three bits of the opcode
``I``      immediate; two of them (``Iw Ib``) and far pointers (``Ap``) share :attr:`t.imm`, first one lowest
``J``      relative jump, sign-extended in :attr:`t.imm`
``O``      memory at an absolute offset (in :attr:`t.imm`)
``X Y``    string elements at DS:rSI (or override) and ES:rDI
``S``      segment register in ModRM reg (``operand.number``); ``C D`` control and debug registers likewise
``V W U``  XMM register in reg; XMM register or memory in r/m; XMM register in r/m only
``P Q N``  MMX register in reg; MMX register or memory in r/m; MMX register in r/m only
``T``      x87 stack register ST(i) named by the ModRM r/m field (``operand.number``)
``AL`` …   that register: ``AL CL DX AX rAX`` (operand size), ``eAX`` (16 or 32); ``1`` the constant
=========  ===================================================================================================

Size letters: ``b w d q`` 1, 2, 4, 8 bytes; ``v`` operand size; ``z`` operand size, at most 4; ``y`` 4, or 8 with
REX.W; ``dq x ps pd`` 16; ``ss`` 4; ``sd`` 8; ``t`` 10; ``p`` far pointer (offset of operand size, then 16-bit
selector); none: no size (``M``).

**Keywords**: ``lock`` the LOCK prefix is legal with a memory destination (elsewhere #UD). ``no64`` /
``only64``: not valid in, or only in, 64-bit mode. ``size="d64"``: the operand size in 64-bit mode defaults to
64, 16 by prefix (push); ``"f64"``: it is always 64 (near branches). ``feature="sse2"``: no such instruction on
CPU models without that flag. ``mod_ignored``: ModRM's mod field is taken as 3 (MOV to and from CRn).
``literal``: the immediate is a part of the shape, because what the instruction does to the flags depends on it
(shifts by zero). Two entries may overlap only if one of the rules above decides; anything else is a
:exc:`ValueError` at import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

ESCAPES = ("0F38", "0F3A", "0F")
PREFIXES = {"NP": 0, "66": 0x66, "F2": 0xF2, "F3": 0xF3}
MODRM_LETTERS = frozenset("EGMRSVWUPQNCDT")
FIXED_REGISTERS = {"AL": (0, "b"), "CL": (1, "b"), "AX": (0, "w"), "DX": (2, "w"), "rAX": (0, "v"), "eAX": (0, "z")}
SIZES = {"": 0, "b": 1, "w": 2, "d": 4, "q": 8, "dq": 16, "x": 16, "ps": 16, "pd": 16, "ss": 4, "sd": 8, "t": 10}
VARIABLE_SIZES = ("v", "z", "y", "p")

Stage = TypeVar("Stage", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class OperandSpec:
    """One word of the operand list: addressing letter (or ``reg``/``const``), size letters, register number
    or constant."""

    letter: str
    size: str
    number: int = 0

    def bytes(self, opsize: int, rex_w: bool) -> int:
        """Return the operand's size in bytes for an operand size of `opsize` bits."""
        match self.size:
            case "v":
                return opsize >> 3
            case "z":
                return min(opsize >> 3, 4)
            case "y":
                return 8 if rex_w else 4
            case "p":
                return (opsize >> 3) + 2
            case _:
                return SIZES[self.size]


@dataclass(frozen=True, slots=True)
class Entry:
    """One encoding of an instruction: all that decoding needs to know about it."""

    stage: Callable[..., None]
    escape: str
    opcode: int
    prefix: int | None
    modrm: bool
    reg: int | None  # /digit
    byte: int | None  # whole ModRM byte
    memory: bool | None  # True: r/m must be memory, False: must be a register
    operands: tuple[OperandSpec, ...]
    lock: bool
    only64: bool
    no64: bool
    size: str
    feature: str
    mod_ignored: bool
    literal: bool

    @property
    def rank(self) -> int:
        """How specific the entry is; a more specific one wins."""
        return (
            (self.prefix is not None) * 32
            + (self.byte is not None) * 16
            + (self.reg is not None) * 8
            + (self.memory is not None) * 4
            + (self.only64 or self.no64) * 2
            + bool(self.feature)
        )

    @property
    def mnemonic(self) -> str:
        """The name for logs."""
        return self.stage.__name__.rstrip("_")

    def _contested(self, other: Entry) -> bool:
        """Whether some instruction matches both and no rule says which one wins."""

        def agree(a: object, b: object) -> bool:
            return a is None or b is None or a == b

        modes = not (self.only64 and other.no64) and not (self.no64 and other.only64)
        fields = all(agree(getattr(self, name), getattr(other, name)) for name in ("prefix", "reg", "byte", "memory"))
        return modes and fields and self.rank == other.rank and self.feature == other.feature


class OpcodeMap:
    """All encodings, by escape and opcode byte; the entries of one byte are ordered, the most specific first."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, int], list[Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Register `entry`.

        :raise ValueError: it is in conflict with another one.
        """
        same = self.entries.setdefault((entry.escape, entry.opcode), [])
        for other in same:
            if entry.modrm != other.modrm or entry._contested(other):
                raise ValueError(
                    f"opcode {entry.escape}{entry.opcode:02X}: {entry.mnemonic} is in conflict with {other.mnemonic}"
                )
        same.append(entry)
        same.sort(key=lambda e: -e.rank)


OPCODES = OpcodeMap()  # filled by the decorators when the modules of insns/ are imported


def op(
    encoding: str,
    operands: str = "",
    *,
    lock: bool = False,
    only64: bool = False,
    no64: bool = False,
    size: str = "",
    feature: str = "",
    mod_ignored: bool = False,
    literal: bool = False,
) -> Callable[[Stage], Stage]:
    """Register the decorated function under `encoding` (see the module's text)."""
    specs = tuple(parse_operand(word) for word in operands.split())
    keywords: dict[str, Any] = {
        "lock": lock, "only64": only64, "no64": no64, "size": size, "feature": feature, "mod_ignored": mod_ignored,
        "literal": literal,
    }  # fmt: skip

    def register(stage: Stage) -> Stage:
        for entry in _entries(stage, encoding, specs, keywords):
            OPCODES.add(entry)
        return stage

    return register


def parse_operand(word: str) -> OperandSpec:
    """Return the operand that `word` of an operand list stands for.

    :raise ValueError: there is no such operand.
    """
    if word in FIXED_REGISTERS:
        number, size = FIXED_REGISTERS[word]
        return OperandSpec("reg", size, number)
    if word.isdecimal():
        return OperandSpec("const", "b", int(word))
    letter, size = word[0], word[1:]
    if letter not in "EGMRZIJOXYSCDVWUPQNTA" or (size not in SIZES and size not in VARIABLE_SIZES):
        raise ValueError(f"{word!r} is no operand")
    return OperandSpec(letter, size)


def _entries(
    stage: Callable[..., None], encoding: str, specs: tuple[OperandSpec, ...], keywords: dict[str, Any]
) -> list[Entry]:
    """Return one entry, or eight for ``+r`` and ``+i``, sixteen for ``+cc``."""
    words = encoding.split()
    prefix = PREFIXES[words.pop(0)] if len(words) > 1 and words[0] in PREFIXES and words[1][0] != "/" else None
    code = words.pop(0)
    escape = next((e for e in ESCAPES if code.startswith(e) and len(code) > len(e)), "")
    opcode, _, plus = code[len(escape) :].partition("+")
    first = int(opcode, 16)
    reg, byte, plus_i, slash_r = _modrm_words(words)
    letters = {spec.letter for spec in specs}
    memory = True if "M" in letters else False if letters & set("RUNT") else None
    modrm = bool(letters & MODRM_LETTERS) or reg is not None or byte is not None or slash_r
    if byte is not None:
        memory = None  # the byte says it
    return [
        Entry(
            stage=stage, escape=escape, opcode=first + n if plus else first, prefix=prefix, modrm=modrm, reg=reg,
            byte=None if byte is None else byte + n, memory=memory, operands=specs, **keywords,
        )
        for n in range(16 if plus == "cc" else 8 if plus or plus_i else 1)
    ]  # fmt: skip


def _modrm_words(words: list[str]) -> tuple[int | None, int | None, bool, bool]:
    """Parse what follows the opcode: /digit, whole byte, whether that has ``+i``, whether there is ``/r``."""
    reg = byte = None
    plus_i = slash_r = False
    for word in words:
        if word == "/r":
            slash_r = True
        elif word[0] == "/":
            reg = int(word[1])
        else:
            text, _, plus = word.partition("+")
            byte, plus_i = int(text, 16), bool(plus)
    return reg, byte, plus_i, slash_r
