"""The decoder: instruction bytes to a shape (SDM vol. 2, chapter 2).

An instruction's *shape* is what is left of it when displacement and immediate are taken away: prefixes,
opcode, ModRM and SIB bytes. A :class:`Decoder` remembers the shapes it has met in a trie of dictionaries, one
level for each byte, so that the second meeting costs a few subscriptions and one ``struct`` call. There is
one decoder for each mode of the CPU (the `flags` half of a block's key), because the same bytes mean
different things in different modes.

The opcode map itself, and its notation, is in `opmap.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, Any

from pyqemu.targets.x86.insns import load
from pyqemu.targets.x86.layout import (
    CS,
    DS,
    ES,
    FS,
    GS,
    HF_CPL,
    HF_CS32,
    HF_CS64,
    HF_CS_FLAT,
    HF_DS_FLAT,
    HF_ES_FLAT,
    HF_IOPL,
    HF_LMA,
    HF_PE,
    HF_SS32,
    HF_SS_FLAT,
    HF_VM,
    SS,
)
from pyqemu.targets.x86.opmap import ESCAPES, OPCODES, Entry, op
from pyqemu.tcg.shape import Shape, Truncated

if TYPE_CHECKING:
    from pyqemu.targets.x86.translator import X86Translator

__all__ = ["Decoder", "Instruction", "Mode", "op"]

MAX_LENGTH = 15  # SDM vol. 2, 2.3.11
SEGMENT_PREFIXES = {0x26: ES, 0x2E: CS, 0x36: SS, 0x3E: DS, 0x64: FS, 0x65: GS}
MAX_SHAPES = 200_000  # a guest that runs random bytes must not eat the host's memory
SIGNED = {1: "b", 2: "h", 4: "i", 8: "q"}


class Mode:
    """The static part of the CPU's state, as hflags tells it."""

    def __init__(self, flags: int, features: frozenset[str] = frozenset()) -> None:
        self.flags = flags
        self.features = features
        self.code64 = bool(flags & HF_CS64)
        self.bits = 64 if self.code64 else 32 if flags & HF_CS32 else 16
        self.stack_bits = 64 if self.code64 else 32 if flags & HF_SS32 else 16
        self.cpl = flags & HF_CPL
        self.protected = bool(flags & HF_PE)  # virtual-8086 mode included
        self.vm86 = bool(flags & HF_VM)
        self.long = bool(flags & HF_LMA)  # 64-bit or compatibility mode
        self.io_free = bool(flags & HF_IOPL)
        flat = {CS: HF_CS_FLAT, SS: HF_SS_FLAT, DS: HF_DS_FLAT, ES: HF_ES_FLAT}
        self.flat = frozenset(seg for seg, bit in flat.items() if self.code64 or flags & bit)


@dataclass(slots=True)
class Instruction:
    """One decoded shape: what an instruction's bytes say, apart from the values of displacement and immediate."""

    mode: Mode
    entry: Entry = field(init=False)
    length: int = 0
    rex: int = 0  # the REX byte; 0 if there is none
    segment: int = -1  # override, -1 if there is none
    rep: int = 0  # 0xF2, 0xF3 or 0; the last one given
    lock: bool = False
    operand_prefix: bool = False
    address_prefix: bool = False
    escape: str = ""
    opcode: int = 0
    opsize: int = 32
    adsize: int = 32
    mod: int = 3
    reg: int = 0  # with REX.R
    rm: int = 0  # with REX.B
    base: int = -1
    index: int = -1
    scale: int = 0
    rip_relative: bool = False
    disp_size: int = 0
    imm_size: int = 0

    @property
    def memory(self) -> bool:
        """Whether ModRM names a memory operand."""
        return self.mod != 3

    @property
    def mandatory_prefix(self) -> int:
        """The prefix that selects an SSE instruction (SDM vol. 2, 2.1.2 and table A-3)."""
        return self.rep or (0x66 if self.operand_prefix else 0)


class Undefined(Exception):
    """The bytes so far are no instruction."""


class TooLong(Exception):
    """The instruction has more than 15 bytes."""


class Decoder:
    """Finds the shape of the instruction at a position of some bytes, in one mode and for one set of CPU features."""

    def __init__(self, flags: int, features: frozenset[str]) -> None:
        load()
        self.mode = Mode(flags, features)
        self._trie: dict[int, Any] = {}
        self._shapes = 0

    def decode(self, code: bytes | memoryview, pos: int) -> tuple[Shape, int, int]:
        """Return shape, displacement and immediate (both sign-extended).

        :raise Truncated: the instruction goes on after the end of `code`.
        """
        node: Any = self._trie
        at = pos
        try:
            while node.__class__ is dict:
                node = node[code[at]]
                at += 1
            shape, fields, unpack = node
            if fields == 0:
                return shape, 0, 0
            if fields == 1:
                return shape, unpack(code, at)[0], 0
            if fields == 2:
                return shape, 0, unpack(code, at)[0]
            if fields == 3:
                disp, imm = unpack(code, at)
                return shape, disp, imm
            *displacement, imm = unpack(code, at)
            return shape[imm], displacement[0] if displacement else 0, imm
        except KeyError:
            self._learn(code, pos)
            return self.decode(code, pos)
        except (IndexError, StructError):
            raise Truncated from None

    def _learn(self, code: bytes | memoryview, pos: int) -> None:
        """Add the shape of the instruction at `pos` to the trie.

        :raise IndexError: the shape is not complete.
        """
        parser = Parser(self.mode, code, pos)
        leaf = parser.leaf()
        if self._shapes >= MAX_SHAPES:
            self._trie.clear()
            self._shapes = 0
        self._shapes += 1
        node = self._trie
        for byte in code[pos : parser.at - 1]:
            node = node.setdefault(byte, {})
        node[code[parser.at - 1]] = leaf


class LiteralShapes(dict[int, Shape]):
    """The shapes of an instruction that is another one for each value of its immediate."""

    def __init__(self, insn: Instruction) -> None:
        super().__init__()
        self._insn = insn

    def __missing__(self, imm: int) -> Shape:
        insn = self._insn
        shape = self[imm] = Shape(insn.length, partial(_stage, insn), insn.entry.mnemonic)
        return shape


class Parser:
    """Parses one instruction the long way; `at` is behind the last byte that belongs to the shape."""

    def __init__(self, mode: Mode, code: bytes | memoryview, pos: int) -> None:
        self.mode = mode
        self._code = code
        self._start = pos
        self.at = pos

    def leaf(self) -> tuple[Shape | LiteralShapes, int, Callable[..., tuple[int, ...]] | None]:
        """Return the trie's leaf for this instruction: shape, which fields follow, what reads them.

        Fields are 1 for a displacement, 2 for an immediate, 3 for both; 4 if the immediate chooses the shape.

        :raise Truncated: the shape is not complete.
        """
        try:
            insn = self._instruction()
        except Undefined:
            return Shape(self._length(), partial(_undefined, self.mode), "undefined"), 0, None
        except TooLong:
            return Shape(self._length(), partial(_too_long, self.mode), "too_long"), 0, None
        except IndexError:
            raise Truncated from None
        sizes = insn.disp_size, insn.imm_size
        if insn.entry.literal:
            return LiteralShapes(insn), 4, _field_reader(*sizes)
        shape = Shape(insn.length, partial(_stage, insn), insn.entry.mnemonic)
        return shape, bool(sizes[0]) + 2 * bool(sizes[1]), _field_reader(*sizes)

    def _length(self) -> int:
        return self.at - self._start

    def _byte(self) -> int:
        if self._length() >= MAX_LENGTH:
            raise TooLong
        byte = self._code[self.at]
        self.at += 1
        return byte

    def _instruction(self) -> Instruction:
        insn = Instruction(self.mode)
        self._opcode(insn, self._prefixes(insn))
        entries = OPCODES.entries.get((insn.escape, insn.opcode))
        if not entries:
            raise Undefined
        modrm = None
        if entries[0].modrm:
            modrm = self._byte()
            insn.mod, insn.reg, insn.rm = modrm >> 6, modrm >> 3 & 7, modrm & 7
        insn.entry = self._choose(insn, entries, modrm)
        self._sizes(insn)
        if modrm is not None:
            self._modrm(insn)
        self._immediates(insn)
        insn.length = self._length() + insn.disp_size + insn.imm_size
        if insn.length > MAX_LENGTH:
            self.at = self._start + MAX_LENGTH
            self._code[self.at - 1]
            raise TooLong
        if insn.lock and not (insn.entry.lock and insn.memory):
            raise Undefined
        return insn

    def _prefixes(self, insn: Instruction) -> int:
        """Parse the prefixes; return the first byte that is none."""
        while True:
            byte = self._byte()
            if self.mode.code64 and byte & 0xF0 == 0x40:
                insn.rex = byte
                continue
            if byte in SEGMENT_PREFIXES:
                if not self.mode.code64 or byte >= 0x64:  # ES CS SS DS: null prefixes in 64-bit mode
                    insn.segment = SEGMENT_PREFIXES[byte]
            elif byte == 0x66:
                insn.operand_prefix = True
            elif byte == 0x67:
                insn.address_prefix = True
            elif byte == 0xF0:
                insn.lock = True
            elif byte in (0xF2, 0xF3):
                insn.rep = byte
            else:
                return byte
            insn.rex = 0  # REX counts only directly before the opcode (SDM vol. 2, 2.2.1)

    def _opcode(self, insn: Instruction, byte: int) -> None:
        insn.opcode = byte
        if byte == 0x0F:
            insn.escape, insn.opcode = "0F", self._byte()
            longer = f"0F{insn.opcode:02X}"
            if longer in ESCAPES:
                insn.escape, insn.opcode = longer, self._byte()

    def _choose(self, insn: Instruction, entries: list[Entry], modrm: int | None) -> Entry:
        """Return the most specific entry that matches."""
        for entry in entries:
            if (
                entry.prefix in (None, insn.mandatory_prefix)
                and entry.reg in (None, insn.reg)
                and entry.byte in (None, modrm)
                and entry.memory in (None, insn.memory and not entry.mod_ignored)
                and not (entry.no64 if self.mode.code64 else entry.only64)
                and (not entry.feature or entry.feature in self.mode.features)
            ):
                return entry
        raise Undefined

    def _sizes(self, insn: Instruction) -> None:
        """Operand and address size (SDM vol. 1, 3.6; tables 3-3 and 3-4)."""
        bits, size = self.mode.bits, insn.entry.size
        if bits == 64:
            wide = insn.rex & 8 or size == "f64" or (size == "d64" and not insn.operand_prefix)
            insn.opsize = 64 if wide else 16 if insn.operand_prefix else 32
            insn.adsize = 32 if insn.address_prefix else 64
        else:
            insn.opsize = 48 - bits if insn.operand_prefix else bits
            insn.adsize = 48 - bits if insn.address_prefix else bits

    def _modrm(self, insn: Instruction) -> None:
        if insn.entry.mod_ignored:
            insn.mod = 3
        if insn.mod != 3:
            if insn.adsize == 16:
                self._memory16(insn)
            else:
                self._memory32(insn)
        insn.reg |= insn.rex << 1 & 8
        if insn.mod == 3:
            insn.rm |= insn.rex << 3 & 8

    def _memory16(self, insn: Instruction) -> None:
        """SDM vol. 2, table 2-1."""
        bx, bp, si, di = 3, 5, 6, 7
        insn.base, insn.index = ((bx, si), (bx, di), (bp, si), (bp, di), (si, -1), (di, -1), (bp, -1), (bx, -1))[
            insn.rm
        ]
        insn.disp_size = insn.mod
        if insn.mod == 0 and insn.rm == 6:
            insn.base, insn.disp_size = -1, 2

    def _memory32(self, insn: Instruction) -> None:
        """SDM vol. 2, tables 2-2, 2-3 and 2-5, and 2.2.1.6 (RIP-relative)."""
        insn.base = insn.rm
        insn.disp_size = (0, 1, 4)[insn.mod]
        if insn.rm == 4:
            sib = self._byte()
            insn.base, insn.scale = sib & 7, sib >> 6
            index = sib >> 3 & 7 | insn.rex << 2 & 8
            insn.index = index if index != 4 else -1
        if insn.base == 5 and insn.mod == 0:
            insn.rip_relative = self.mode.code64 and insn.rm == 5
            insn.base, insn.disp_size = -1, 4
        else:
            insn.base |= insn.rex << 3 & 8

    def _immediates(self, insn: Instruction) -> None:
        for spec in insn.entry.operands:
            if spec.letter == "O":
                insn.imm_size = insn.adsize >> 3
            elif spec.letter == "J" and spec.size == "z" and insn.mode.code64:
                insn.imm_size += 4  # near branches ignore the operand size prefix in 64-bit mode
            elif spec.letter in "IJA":
                insn.imm_size += spec.bytes(insn.opsize, bool(insn.rex & 8))


def _field_reader(disp: int, imm: int) -> Callable[..., tuple[int, ...]] | None:
    """Return a function that reads displacement and immediate from a position of a buffer."""
    if imm in (3, 6):  # ENTER, far pointers
        return partial(_read_odd, disp, imm)
    text = "<" + SIGNED.get(disp, "") + SIGNED.get(imm, "")
    return Struct(text).unpack_from if disp or imm else None


def _read_odd(disp: int, imm: int, code: bytes | memoryview, at: int) -> tuple[int, ...]:
    if at + disp + imm > len(code):
        raise IndexError
    middle = at + disp
    value = int.from_bytes(code[middle : middle + imm], "little", signed=True)
    return (int.from_bytes(code[at:middle], "little", signed=True), value) if disp else (value,)


def _stage(insn: Instruction, t: X86Translator) -> None:
    """Stage the semantics of `insn`: the body of its shape."""
    t.begin(insn)
    insn.entry.stage(t, *t.operands())


def _undefined(mode: Mode, t: X86Translator) -> None:
    """#UD (SDM vol. 3, 6.15)."""
    t.begin(Instruction(mode))
    t.raise_ud()


def _too_long(mode: Mode, t: X86Translator) -> None:
    """#GP(0): more than 15 bytes."""
    t.begin(Instruction(mode))
    t.raise_gp()
