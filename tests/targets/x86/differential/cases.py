"""Random instructions from the opcode map itself, and random states in which they make sense.

An instruction is an encoding of the map with random prefixes, operands and modes. It is run from several
states: registers are interesting numbers, those that address memory point into (or to the edge of) the data
pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pyqemu.targets.x86.decode import Instruction, Mode, Parser
from pyqemu.targets.x86.flags import LOGIC, kind
from pyqemu.targets.x86.insns import load
from pyqemu.targets.x86.layout import DS, ES, FS, HF_CS32, HF_CS64, HF_PE, HF_SS32, M64, SS
from pyqemu.targets.x86.opmap import OPCODES, Entry
from tests.targets.x86.differential.layout import DATA_HIGH, DATA_LOW, DATA_PAGES, State

MODE_FLAGS = {16: 0, 32: HF_PE | HF_CS32 | HF_SS32, 64: HF_PE | HF_CS32 | HF_SS32 | HF_CS64}
INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
               0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, M64 - 0x80, M64 - 1, M64)  # fmt: skip
CODE_BASE = 0x10000
SEGMENT_PREFIXES = {0: 0x26, 1: 0x2E, 2: 0x36, 3: 0x3E, 4: 0x64, 5: 0x65}


@dataclass(frozen=True)
class Template:
    """An instruction without displacement and immediate, as chosen for a mode."""

    mode: int
    entry: Entry
    head: bytes
    insn: Instruction
    imm: bytes
    kind: int | None  # of the flags' record, if all states have the same

    @property
    def repeats(self) -> bool:
        """Whether this is a string instruction with a repeat prefix."""
        return bool(self.insn.rep) and self.entry.stage.__module__.endswith("strings")


def entries(modules: tuple[str, ...]) -> list[Entry]:
    """Return the encodings that instructions of these modules have."""
    load()
    return [e for group in OPCODES.entries.values() for e in group if e.stage.__module__.rpartition(".")[2] in modules]


class Generator:
    """Draws instructions and states from a seeded source."""

    def __init__(self, seed: int, modules: tuple[str, ...], features: frozenset[str]) -> None:
        self.random = Random(seed)
        self.features = features
        self.entries = entries(modules)
        self._next = 0
        self.modes = {mode: Mode(flags, features) for mode, flags in MODE_FLAGS.items()}

    def template(self, entry: Entry, mode: int) -> Template | None:
        """Return `entry` with random prefixes and operands; None if they make it no instruction (or another one)."""
        head = self._prefixes(entry, mode) + bytes.fromhex(entry.escape) + bytes([entry.opcode])
        if entry.modrm:
            head += self._modrm(entry)
        try:
            parser = Parser(self.modes[mode], head + bytes(16), 0)
            insn = parser._instruction()
        except Exception:
            return None
        if insn.entry is not entry or (insn.rep and insn.escape == "0F38" and not entry.prefix):
            return None  # F2 0F38F0 is CRC32, not MOVBE
        known = self._kind() if self.random.random() < 0.5 else None
        return Template(mode, entry, head[: parser.at], insn, self._immediate(entry, insn), known)

    def _prefixes(self, entry: Entry, mode: int) -> bytes:
        r = self.random
        out = []
        if r.random() < 0.3:
            out.append(0x66)
        if r.random() < 0.2:
            out.append(0x67)
        if r.random() < 0.15:
            out.append(SEGMENT_PREFIXES[r.choice((4, 5)) if mode == 64 else r.choice((0, 1, 2, 3))])
        if (entry.lock and r.random() < 0.1) or r.random() < 0.01:
            out.append(0xF0)
        if entry.prefix in (0xF2, 0xF3):
            out.append(entry.prefix)
        elif r.random() < (0.6 if 0x6C <= entry.opcode < 0x70 or 0xA4 <= entry.opcode < 0xB0 else 0.02):
            out.append(r.choice((0xF2, 0xF3)))
        r.shuffle(out)
        if mode == 64 and r.random() < 0.6:
            out.append(0x40 | r.randrange(16))
        return bytes(out)

    def _modrm(self, entry: Entry) -> bytes:
        r = self.random
        modrm = r.randrange(256) if entry.byte is None else entry.byte
        if r.random() < 0.4:
            modrm |= 0xC0
        if entry.memory is not None:
            modrm = modrm & 0x3F | (r.randrange(3) << 6 if entry.memory else 0xC0)
        if entry.reg is not None:
            modrm = modrm & 0xC7 | entry.reg << 3
        return bytes([modrm, r.randrange(256)])  # the second byte is SIB if there is one

    # --- states ---------------------------------------------------------------------------------------------------

    def instance(self, template: Template, bases: tuple[int, ...]) -> tuple[bytes, State]:
        """Return the instruction's bytes, and a state for it."""
        r, insn = self.random, template.insn
        pc = self._slot()
        registers = [self._number() for _ in range(16)]
        registers[4] = self._address(template.mode, bases[2], 64) & -r.choice((1, 2, 8, 8))
        for n in (5, 6, 7):
            if r.random() < 0.5:
                registers[n] = self._address(template.mode, bases[3], 64)
        disp = self._place(template, registers, bases, pc)
        self._string(template, registers, bases)
        self._bit_index(template, registers)
        registers[1] = self._counter(template, registers[1])
        if template.entry.operands and "O" in {spec.letter for spec in template.entry.operands}:
            target = self._address(template.mode, self._segment_base(template, bases), insn.adsize)
            imm = (target & (1 << insn.adsize) - 1).to_bytes(insn.imm_size, "little")
        else:
            imm = template.imm if r.random() < 0.7 else self._immediate(template.entry, template.insn)
        body = disp.to_bytes(insn.disp_size, "little") + imm
        if template.mode != 64:
            registers = [value & 0xFFFFFFFF for value in registers[:8]] + [0] * 8
        linear = pc if template.mode == 16 else CODE_BASE + pc
        return template.head + body, State(tuple(registers), self._record(template.kind), r.random() < 0.3, linear)

    def _slot(self) -> int:
        """Return the next place for an instruction: Unicorn need not forget what it has translated until all are used.

        It runs nothing in the last bytes of a memory region.
        """
        self._next = (self._next + 16) % 0xFE00
        return self._next

    def _number(self) -> int:
        r = self.random
        match r.randrange(6):
            case 0:
                return r.choice(INTERESTING)
            case 1:
                return r.randrange(64)
            case 2:
                return -r.randrange(64) & M64
            case 3:
                return r.getrandbits(r.choice((8, 16, 32)))
            case _:
                return r.getrandbits(64)

    def _address(self, mode: int, base: int, width: int) -> int:
        """Return an offset that lies in the data pages, sometimes just before a page that is special."""
        r = self.random
        offset = r.randrange(DATA_PAGES * 4096)
        if r.random() < 0.05:
            offset = offset & ~0xFFF | 0x1000 - r.randrange(17)
        elif r.random() < 0.8:
            offset = offset % 0x5000  # no special page
        if mode == 16:
            return (DATA_LOW + offset - base) & 0xFFFF
        start = DATA_HIGH if mode == 64 and width == 64 and r.random() < 0.5 else DATA_LOW
        return start + offset - base & M64

    def _place(self, template: Template, registers: list[int], bases: tuple[int, ...], pc: int) -> int:
        """Let the memory operand lie in the data pages: set its registers, return its displacement (unsigned)."""
        r, insn = self.random, template.insn
        bits = 8 * insn.disp_size
        if not bits and insn.base < 0 and insn.index < 0:
            return 0
        target = self._address(template.mode, self._segment_base(template, bases), insn.adsize)
        disp = r.getrandbits(bits) if bits == 8 else r.randrange(-1024, 1024) if bits else 0
        signed = (disp ^ 0x80) - 0x80 if bits == 8 else disp
        rest = target - signed
        if insn.base >= 0 and insn.base == insn.index:
            registers[insn.base] = rest // (1 + (1 << insn.scale)) & M64
        elif insn.base >= 0:
            if insn.index >= 0:
                index = r.randrange(-64, 64)
                registers[insn.index] = index & M64
                rest -= index << insn.scale
            registers[insn.base] = rest & M64
        elif insn.index >= 0:
            registers[insn.index] = rest >> insn.scale & M64
        elif insn.rip_relative:
            disp = target - (CODE_BASE + pc + len(template.head) + 4 + insn.imm_size)
        else:
            disp = target & 0x7FFFFFFF if insn.adsize == 64 and bits == 32 else target
        if insn.adsize != 64 and template.mode == 64 and r.random() < 0.3:
            for n in {insn.base, insn.index} - {-1}:
                registers[n] = registers[n] & 0xFFFFFFFF | r.getrandbits(32) << 32
        return disp & (1 << bits) - 1

    @staticmethod
    def _segment_base(template: Template, bases: tuple[int, ...]) -> int:
        """Return the base of the segment that the memory operand lies in."""
        insn = template.insn
        on_stack = insn.base == 5 or (insn.base == 4 and insn.adsize != 16)
        segment = insn.segment if insn.segment >= 0 else SS if on_stack else DS
        return 0 if template.mode == 64 and segment < FS else bases[segment]

    def _string(self, template: Template, registers: list[int], bases: tuple[int, ...]) -> None:
        """Let rSI and rDI of string instructions lie in the data pages, most of the time."""
        if template.entry.stage.__module__.endswith("strings") and self.random.random() < 0.9:
            adsize = template.insn.adsize
            registers[6] = self._address(template.mode, self._segment_base(template, bases), adsize)
            registers[7] = self._address(template.mode, 0 if template.mode == 64 else bases[ES], adsize)

    def _bit_index(self, template: Template, registers: list[int]) -> None:
        """Let the index of BT and its kin stay near its memory operand."""
        insn = template.insn
        string = insn.escape == "0F" and insn.opcode in (0xA3, 0xAB, 0xB3, 0xBB) and insn.memory
        if string and insn.reg not in (insn.base, insn.index, 4):
            registers[insn.reg] = self.random.randrange(-0x4000, 0x4000) & M64

    def _counter(self, template: Template, value: int) -> int:
        """Return rCX: small if it counts elements."""
        insn = template.insn
        if 1 in (insn.base, insn.index):
            return value
        if template.repeats or self.random.random() < 0.3:
            return self.random.randrange(150 if self.random.random() < 0.1 else 12)
        return value

    def _immediate(self, entry: Entry, insn: Instruction) -> bytes:
        r, size = self.random, insn.imm_size
        if entry.operands and entry.operands[-1].letter == "J":
            return r.randrange(100).to_bytes(size, "little")  # not to itself: Unicorn would not stop
        if entry.mnemonic == "enter":
            return r.randrange(256).to_bytes(2, "little") + bytes([r.choice((0, 0, 1, 2, 3, 31, 32, 34))])
        return (self._number() & (1 << 8 * size) - 1).to_bytes(size, "little") if size else b""

    def _kind(self) -> int:
        """Return a random kind of lazy-flags record."""
        operation = self.random.randrange(10)
        return kind(operation, self.random.choice((8, 16, 32, 64))) if operation else 0

    def _record(self, known: int | None) -> tuple[int, int, int]:
        """Return a lazy-flags record: kind, result, source."""
        r = self.random
        which = self._kind() if known is None else known
        operation, bits = which >> 2, 8 << (which & 3)
        if operation == 0:
            image = r.getrandbits(12) & 0x8D5
            return 0, ~image & 0x40, image
        result, source = (self._number() & (1 << bits) - 1 for _ in range(2))
        if r.random() < 0.1:
            result = 0
        if operation >= 7:
            source &= 1
        return which, result, 0 if operation == LOGIC else source
