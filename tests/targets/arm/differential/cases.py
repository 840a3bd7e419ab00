"""Random programs from the patterns of the instruction sets themselves, and random states in which they make sense."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from pyqemu.targets.arm import flags
from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, T16, T32
from pyqemu.targets.arm.insns import load
from pyqemu.tcg.patterns import Encoding, InstructionSet
from tests.targets.arm.differential.layout import CODE, CODE_SIZE, DATA_HIGH, DATA_LOW, DATA_PAGES, State, T
from tests.targets.arm.differential.rules import fields_of, is_unpredictable, should_be

Has = Callable[[str], bool]
M32 = (1 << 32) - 1
INTERESTING = (0, 1, 2, 0x1F, 0x20, 0x21, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFF7FFF,
               0x7F7F7F7F, 0x80808080, 0x80008000, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, M32 - 1,
               M32)  # fmt: skip
MODULES = ("data", "data_thumb", "multiply", "media", "branches", "memory", "memory_thumb", "memory_multiple",
           "exclusive", "status")  # fmt: skip
ALONE = frozenset(("srs", "rfe", "cps", "bxj", "mrs", "msr", "setend"))
USER = ("stm_user", "ldm_user")
ENDS = frozenset(("b", "bl", "blx", "bx", "cbz", "tbb", "pop", "ldm", "it"))
BEFORE_A_CONDITION = 0xE


class Word(NamedTuple):
    """An instruction.

    :ivar length: in bytes
    """

    value: int
    length: int
    encoding: Encoding

    @property
    def code(self) -> bytes:
        """As it is in memory."""
        if self.length == 4 and self.encoding in T32.encodings:
            return (self.value >> 16).to_bytes(2, "little") + (self.value & 0xFFFF).to_bytes(2, "little")
        return self.value.to_bytes(self.length, "little")

    @property
    def module(self) -> str:
        """The module that has it."""
        return self.encoding.stage.__module__.rpartition(".")[2]


def every(feature: str) -> bool:
    """Whether a processor with all features has one."""
    return True


def encodings(thumb: bool, modules: tuple[str, ...] = MODULES, has: Has = every) -> list[Encoding]:
    """The encodings that are compared."""
    load()
    sets = (T16, T32) if thumb else (A32, A32_UNCONDITIONAL)
    return [
        each
        for group in sets
        for each in group.encodings
        if each.stage.__module__.rpartition(".")[2] in modules
        and (not each.feature or has(each.feature))
        and each.name not in ALONE
        and each.stage.__name__ not in USER
    ]


def _writes_pc(word: Word) -> bool:
    """Whether an instruction may be a branch though its kind is not."""
    fields = fields_of(word.encoding, word.value)
    return 15 in (fields.get("Rd"), fields.get("Rt"))


def _mixes_exclusives(words: list[Word]) -> bool:
    """Whether loads and stores are exclusive for different sizes: that is UNPREDICTABLE (A3.4.5)."""
    return len({word.encoding.name[5:] for word in words if word.encoding.name[2:5] in ("rex", "aex", "lex")}) > 1


class Generator:
    """Draws programs and states from a seeded source.

    :param has: tells whether the processor has a feature
    """

    def __init__(self, seed: int, *, thumb: bool, modules: tuple[str, ...] = MODULES, has: Has = every) -> None:
        self.random = Random(seed)
        self.thumb = thumb
        self.encodings = encodings(thumb, modules, has)
        self.middle = [each for each in self.encodings if each.name not in ENDS]
        self._next = 0
        self._trees = {id(group): group.tree(has) for group in (A32, A32_UNCONDITIONAL, T16, T32)}
        self._home = {id(each): group for group in (A32, A32_UNCONDITIONAL, T16, T32) for each in group.encodings}

    @property
    def sets(self) -> tuple[InstructionSet, ...]:
        """All instruction sets."""
        return A32, A32_UNCONDITIONAL, T16, T32

    def home(self, encoding: Encoding) -> InstructionSet:
        """The set that an encoding belongs to."""
        return self._home[id(encoding)]

    def word(self, encoding: Encoding) -> Word | None:
        """A word of an encoding with random fields; None where none was found that may be compared."""
        for _ in range(20):
            word = self._draw(encoding)
            if word is not None:
                return word
        return None

    def _draw(self, encoding: Encoding) -> Word | None:
        r = self.random
        group = self._home[id(encoding)]
        bits = group.bits
        every = (1 << bits) - 1
        named = 0
        for field in encoding.pattern.fields.values():
            named |= field.mask
        word = encoding.pattern.value | r.getrandbits(bits) & named
        word |= should_be(encoding) & every & ~named & ~encoding.pattern.mask
        if r.random() < 0.2:
            word = self._same_registers(encoding, word)
        word = self._near(encoding, word)
        module = encoding.stage.__module__.rpartition(".")[2]
        if self._trees[id(group)].find(word) is not encoding or is_unpredictable(encoding, word, module):
            return None
        for number in (encoding.disp, encoding.imm):
            if number is not None and number.read(word) is None:
                return None
        if group is A32:
            cond = BEFORE_A_CONDITION if r.random() < 0.7 else r.randrange(15)
            return Word(word | cond << 28, 4, encoding)
        if group is A32_UNCONDITIONAL:
            return Word(word | 15 << 28, 4, encoding)
        return Word(word, bits // 8, encoding)

    def _near(self, encoding: Encoding, word: int) -> int:
        """Make the offsets of branches small, mostly."""
        if encoding.name not in ENDS or self.random.random() < 0.1:
            return word
        disp = encoding.pattern.fields.get("disp")
        if disp is None or not disp.signed:
            return word
        reach = min(0x200, disp.factor << disp.bits - 1)
        step = max(4, disp.factor) if self.thumb or encoding.name != "blx" else 2
        return word & ~disp.mask | disp.write(self.random.randrange(-reach, reach, step))

    def _same_registers(self, encoding: Encoding, word: int) -> int:
        """Make register fields the same, or 15."""
        fields = [each for name, each in encoding.pattern.fields.items() if name[0] == "R"]
        number = self.random.choice((15, 13, self.random.randrange(16)))
        for each in fields:
            if self.random.random() < 0.6:
                word = word & ~each.mask | each.write(number & (1 << each.bits) - 1)
        return word

    def program(self, first: Encoding, length: int) -> list[Word]:
        """Words that begin with one of *first*; only the last may be a branch."""
        found = self.word(first)
        if found is None:
            return []
        words = [found]
        if found.encoding.name == "it":
            mask = found.value & 15
            length = 1 + 4 - ((mask & -mask).bit_length() - 1)
        elif found.encoding.name in ENDS or _writes_pc(found):
            return words
        while len(words) < length:
            pool = self.encodings if len(words) + 1 == length else self.middle
            found = self.word(self.random.choice(pool))
            if found is None or found.encoding.name in ("it", "cbz") or self._is_conditional_branch(found):
                continue
            if _mixes_exclusives([*words, found]):
                continue
            if len(words) + 1 == length or not _writes_pc(found):
                words.append(found)
        return words

    def _is_conditional_branch(self, word: Word) -> bool:
        return self.thumb and word.encoding.name == "b" and "cond" in word.encoding.pattern.fields

    # --- states -------------------------------------------------------------------------------------------------------

    def state(self, words: list[Word]) -> State:
        """A state for a program."""
        r = self.random
        registers = [self.number() for _ in range(15)]
        for word in words:
            if word.module.startswith(("memory", "exclusive")) or word.encoding.name == "tbb":
                self._addresses(word, registers)
            elif word.encoding.name in ("bx", "blx") and "Rm" in word.encoding.pattern.fields:
                number = fields_of(word.encoding, word.value)["Rm"]
                if number < 15 and r.random() < 0.9:
                    registers[number] = CODE + r.randrange(0, CODE_SIZE, 4) + r.choice((0, 1, 1, 3))
        rest = (T if self.thumb else 0) | r.getrandbits(4) << 16 | (1 << 27 if r.random() < 0.2 else 0)
        return State(tuple(registers), self._record(), self._slot(), rest)

    def _addresses(self, word: Word, registers: list[int]) -> None:
        """Let a load or store hit the data pages, mostly."""
        r, f = self.random, fields_of(word.encoding, word.value)
        base = f.get("Rn", 13)
        if base == 15:
            return
        address = self.address()
        if r.random() < 0.6:
            address &= ~3
        if word.encoding.disp is not None and f.get("P", 1):
            address -= word.encoding.disp.read(word.value) or 0
        index = f.get("Rm")
        if index is not None and index < 15 and r.random() < 0.9:
            registers[index] = r.choice((r.randrange(0x100), r.randrange(0x10), -r.randrange(0x100) & M32))
        registers[base] = address & M32

    def address(self) -> int:
        """A place in the data pages: aligned or not, sometimes at a page's end."""
        r = self.random
        page = r.choice((DATA_LOW, DATA_HIGH)) + 4096 * r.randrange(DATA_PAGES)
        return page + r.choice((r.randrange(4096), r.randrange(0, 4096, 8), 4096 - r.randrange(17)))

    def number(self) -> int:
        """A number that makes things happen, or any."""
        r = self.random
        choice = r.random()
        if choice < 0.4:
            return r.choice(INTERESTING)
        if choice < 0.5:
            return r.choice(INTERESTING) ^ M32
        if choice < 0.6:
            return 1 << r.randrange(32)
        return r.getrandbits(32) >> r.choice((0, 0, 0, 16, 24))

    def _record(self) -> tuple[int, int, int]:
        """A lazy-flags record as instructions leave it."""
        r = self.random
        operation = r.choice((flags.IMAGE, flags.LOGIC, flags.ADD, flags.SUB, flags.CARRY, flags.SHIFTER))
        if operation == flags.IMAGE:
            result, source, _ = flags.record(r.getrandbits(4) << 28)
            return flags.KIND_IMAGE, result, source
        source = r.getrandbits(2) << 28 if operation == flags.SHIFTER else self.number()
        return flags.kind(operation, 32), self.number(), source

    def _slot(self) -> int:
        """The next place for code; places are used in turn."""
        self._next = (self._next + 0x40) % CODE_SIZE
        return CODE + self._next
