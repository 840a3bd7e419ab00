"""Random programs from the patterns of the instruction set itself, and random states in which they make sense."""

from __future__ import annotations

from random import Random
from struct import Struct
from typing import Any

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.insns import load
from pyqemu.targets.arm import flags
from pyqemu.tcg.patterns import Encoding, Pattern
from tests.targets.aarch64.differential.layout import CODE, CODE_SIZE, DATA_HIGH, DATA_LOW, DATA_PAGES, State

DC_ZVA = 0xD50B7420
ALL_REGISTERS = Struct("<32Q")
M32, M64 = (1 << 32) - 1, (1 << 64) - 1
INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
               0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, M64 - 0x80, M64 - 1, M64)  # fmt: skip
BRANCHES = frozenset({"b", "bl", "br", "blr", "ret", "cbz", "tbz"})
ALONE = frozenset({"isb", "wfe", "wfi", "eret", "svc", "hvc", "smc", "brk", "hlt", "msr", "mrs", "sys", "yield"})
SYSTEM = {
    "mrs nzcv": "1101010100 1 11 011 0100 0010 000 Rt:5",
    "msr nzcv": "1101010100 0 11 011 0100 0010 000 Rt:5",
    "mrs tpidr_el0": "1101010100 1 11 011 1101 0000 010 Rt:5",
    "msr tpidr_el0": "1101010100 0 11 011 1101 0000 010 Rt:5",
    "mrs tpidr_el1": "1101010100 1 11 000 1101 0000 100 Rt:5",
    "msr tpidr_el1": "1101010100 0 11 000 1101 0000 100 Rt:5",
    "mrs sp_el0": "1101010100 1 11 000 0100 0001 000 Rt:5",
    "msr sp_el0": "1101010100 0 11 000 0100 0001 000 Rt:5",
    "mrs elr_el1": "1101010100 1 11 000 0100 0000 001 Rt:5",
    "msr elr_el1": "1101010100 0 11 000 0100 0000 001 Rt:5",
    "mrs currentel": "1101010100 1 11 000 0100 0010 010 Rt:5",
    "dc zva": "1101010100 0 01 011 0111 0100 001 Rt:5",
}
"""System registers that do the same on both sides, whatever else there is."""


def encodings(modules: tuple[str, ...]) -> list[Encoding]:
    """The encodings that instructions of these modules have, but those that are exceptions or system registers."""
    load()
    found = [each for each in A64.encodings if _module(each) in modules and each.name not in ALONE - {"isb"}]
    if "system" in modules:
        found += [Encoding(Pattern(text, 32), _no_stage, name, "") for name, text in SYSTEM.items()]
    return found


def _no_stage(t: Any, Rt: int) -> None:
    raise AssertionError("only the pattern is of interest")


def _module(encoding: Encoding) -> str:
    return encoding.stage.__module__.rpartition(".")[2]


def is_memory(word: int) -> bool:
    """Whether a word is among loads and stores (C4.1)."""
    return word >> 25 & 0b0101 == 0b0100


def is_exclusive_load(word: int) -> bool:
    """Whether a word is LDXR or one of its kind (C4.3)."""
    return word >> 22 & 0xFF == 0b00100001


class Generator:
    """Draws programs and states from a seeded source."""

    def __init__(self, seed: int, modules: tuple[str, ...]) -> None:
        self.random = Random(seed)
        self.encodings = encodings(modules)
        self._next = 0

    def word(self, encoding: Encoding) -> int:
        """A word of an encoding with random fields."""
        r = self.random
        word = encoding.pattern.value | r.getrandbits(32) & ~encoding.pattern.mask & M32
        if encoding.name in BRANCHES or (is_memory(word) and word >> 27 & 7 == 3):  # a literal is near, too
            word = self._near(encoding, word)
        if r.random() < 0.2:
            word = self._same_registers(encoding, word)
        return word

    def _near(self, encoding: Encoding, word: int) -> int:
        """Make a displacement small."""
        disp = encoding.pattern.fields.get("disp")
        if disp is None or self.random.random() < 0.1:
            return word
        return word & ~disp.mask | disp.write(self.random.randrange(-0x800, 0x800) * 4)

    def _same_registers(self, encoding: Encoding, word: int) -> int:
        """Make register fields the same, or 31."""
        fields = [each for name, each in encoding.pattern.fields.items() if name in ("Rd", "Rn", "Rm", "Rt", "Rt2")]
        number = self.random.choice((31, self.random.randrange(32)))
        for each in fields:
            if self.random.random() < 0.6:
                word = word & ~each.mask | each.write(number & (1 << each.bits) - 1)
        return word

    def program(self, first: Encoding, length: int) -> list[int]:
        """Words that begin with one of *first*; only the last may be a branch."""
        words = [self.word(first)]
        if is_exclusive_load(words[0]) and length > 1:
            words.append(self._exclusive_store(words[0]))
        while len(words) < length and first.name not in (*BRANCHES, "isb"):
            first = self.random.choice(self.encodings)
            words.append(self.word(first))
            if is_exclusive_load(words[-1]) and len(words) < length and self.random.random() < 0.8:
                words.append(self._exclusive_store(words[-1]))
        return words

    def _exclusive_store(self, load: int) -> int:
        """A store to where an exclusive load was from, of the same size: anything else is UNPREDICTABLE (B2.10)."""
        return load & ~(1 << 22 | 0x1F0000 | 0x1F) | self.random.getrandbits(5) << 16 | self.random.getrandbits(5)

    # --- states -------------------------------------------------------------------------------------------------------

    def state(self, words: list[int]) -> State:
        """A state for a program."""
        r = self.random
        registers = list(ALL_REGISTERS.unpack(r.randbytes(256)))
        for word in words:
            for shift in (0, 5, 10, 16):
                registers[word >> shift & 31] = self.number()
        for word in words:
            if is_memory(word):
                self._addresses(word, registers)
            elif word & ~31 == DC_ZVA:
                registers[word & 31] = self.address()
            elif word >> 25 & 0x7F == 0b1101011 and r.random() < 0.9:  # BR and its like
                registers[word >> 5 & 31] = CODE + r.randrange(0, CODE_SIZE, 4)
        return State(tuple(registers), self._record(), self._slot())

    def _addresses(self, word: int, registers: list[int]) -> None:
        """Let a load or store hit the data pages, mostly."""
        r = self.random
        base = self.address()
        scaled = word >> 24 & 0b111011 == 0b111001
        if scaled:
            size = word >> 30 | (word >> 21 & 4 if word >> 26 & 1 else 0)
            base -= (word >> 10 & 0xFFF) << size
        registers[word >> 5 & 31] = base & M64
        if word >> 24 & 0b111011 == 0b111000 and word >> 21 & 1 and r.random() < 0.9:
            registers[word >> 16 & 31] = r.choice((r.randrange(0x200), -r.randrange(0x200) & M64, r.randrange(0x80)))

    def address(self) -> int:
        """A place in the data pages: aligned or not, sometimes at a page's end."""
        r = self.random
        page = r.choice((DATA_LOW, DATA_HIGH)) + 4096 * r.randrange(DATA_PAGES)
        offset = r.choice(
            (r.randrange(4096), r.randrange(0, 4096, 16), r.randrange(0, 4096, 8), 4096 - r.randrange(17))
        )
        return page + offset

    def number(self) -> int:
        """A number that makes things happen, or any."""
        r = self.random
        choice = r.random()
        if choice < 0.4:
            return r.choice(INTERESTING)
        if choice < 0.5:
            return r.choice(INTERESTING) ^ M64
        if choice < 0.6:
            return 1 << r.randrange(64)
        return r.getrandbits(64) >> r.choice((0, 0, 0, 32, 48, 56))

    def _record(self) -> tuple[int, int, int]:
        """A lazy-flags record as instructions leave it."""
        r = self.random
        kind = r.choice((flags.IMAGE, flags.LOGIC, flags.ADD, flags.SUB, flags.CARRY)) * 2
        if kind == flags.KIND_IMAGE:
            result, source, _ = flags.record(r.getrandbits(4) << 28)
            return kind, result, source
        kind += r.randrange(2)
        mask = M64 if kind & 1 else M32
        return kind, self.number() & mask, self.number() & mask

    def _slot(self) -> int:
        """The next place for code; places are used in turn."""
        self._next = (self._next + 0x40) % CODE_SIZE
        return CODE + self._next
