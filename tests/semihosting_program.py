"""Programs that do nothing but ask the host, for Arm's instruction sets: the same calls for QEMU and for us.

No assembler is needed: every call is a constant in each of two registers, and one instruction. Results go into a table,
which the program writes into a file before it ends.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

OPEN, CLOSE, WRITEC, WRITE0, WRITE, READ, READC, ISTTY = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x09
SEEK, FLEN, TMPNAM, REMOVE, RENAME, CLOCK, TIME, SYSTEM = 0x0A, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x12
ERRNO, GET_CMDLINE, HEAPINFO, EXIT, SYNCCACHE = 0x13, 0x15, 0x16, 0x18, 0x19
APPLICATION_EXIT = 0x20026
R, RW, W, W_PLUS, A, A_PLUS = 1, 3, 5, 7, 9, 11  #: modes of OPEN, in their forms with "b"

RESULTS, DATA, SIZE = 0x8000, 0x9000, 0x20000  #: of the image, from its start on
RESULTS_FILE = "results"


@dataclass(frozen=True)
class InstructionSet:
    """How it does what a program needs: encodings that are the same everywhere.

    :ivar load: of a constant into a register by number; the constant follows at a multiple of its own size
    :ivar store: of register 0 to where register 1 points, and *fetch* the opposite
    :ivar machine: the number of the architecture in ELF files
    :ivar entry: what is added to the address of the first instruction
    """

    word: int
    load: tuple[bytes, bytes]
    store: bytes
    fetch: bytes
    ask: bytes
    nothing: bytes
    machine: int
    entry: int = 0


def _arm(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


def _thumb(*halves: int) -> bytes:
    return struct.pack(f"<{len(halves)}H", *halves)


NOP_A32, NOP_T16, NOP_A64 = 0xE1A00000, 0x46C0, 0xD503201F
LOADS_A32 = _arm(0xE59F0000, 0xEA000000), _arm(0xE59F1000, 0xEA000000)
LOADS_T16 = _thumb(0x4800, 0xE001), _thumb(0x4900, 0xE001)
LOADS_A64 = _arm(0x58000040, 0x14000003), _arm(0x58000041, 0x14000003)
STORE_T16, FETCH_T16, NOTHING_T16 = _thumb(0x6008, NOP_T16), _thumb(0x6808, NOP_T16), _thumb(NOP_T16, NOP_T16)
STORE_A32, FETCH_A32, STORE_A64, FETCH_A64 = (_arm(word) for word in (0xE5810000, 0xE5910000, 0xF9000020, 0xF9400020))
# fmt: off
SETS = {
    "arm":     InstructionSet(4, LOADS_A32, STORE_A32, FETCH_A32, _arm(0xEF123456), _arm(NOP_A32), 40),
    "thumb":   InstructionSet(4, LOADS_T16, STORE_T16, FETCH_T16, _thumb(0xDFAB, NOP_T16), NOTHING_T16, 40, entry=1),
    "aarch64": InstructionSet(8, LOADS_A64, STORE_A64, FETCH_A64, _arm(0xD45E0000), _arm(NOP_A64), 183),
}
# fmt: on


@dataclass(frozen=True)
class Result:
    """What a call has returned, as a field of a later one."""

    number: int


@dataclass
class Program:
    """One program, which is to be at address *base*."""

    name: str
    base: int
    code: bytearray = field(default_factory=bytearray)
    data: bytearray = field(default_factory=bytearray)
    calls: int = 0
    calls_before_end: int = 0

    def __post_init__(self) -> None:
        self.set = SETS[self.name]

    @property
    def results(self) -> int:
        """Address of the table of results."""
        return self.base + RESULTS

    def room(self, data: bytes | int) -> int:
        """The address of bytes, or of so many bytes of zero."""
        self.data += bytes(-len(self.data) % 8)
        address = self.base + DATA + len(self.data)
        self.data += bytes(data) if isinstance(data, int) else data
        return address

    def text(self, text: str | bytes) -> int:
        """The address of a text."""
        return self.room((text.encode() if isinstance(text, str) else text) + b"\0")

    def block(self, *fields: int | Result) -> int:
        """The address of a parameter block."""
        word = self.set.word
        mask = (1 << 8 * word) - 1
        address = self.room(b"".join(
            (0 if isinstance(each, Result) else each & mask).to_bytes(word, "little") for each in fields
        ))  # fmt: skip
        for number, each in enumerate(fields):
            if isinstance(each, Result):
                self._load(1, self.results + each.number * word)
                self.code += self.set.fetch
                self._load(1, address + number * word)
                self.code += self.set.store
        return address

    def call(self, number: int, parameter: int = 0) -> Result:
        """Ask, with one parameter."""
        self._load(0, number)
        self._load(1, parameter)
        self.code += self.set.ask
        self._load(1, self.results + self.calls * self.set.word)
        self.code += self.set.store
        self.calls += 1
        return Result(self.calls - 1)

    def ask(self, number: int, *fields: int | Result) -> Result:
        """Ask, with a parameter block."""
        return self.call(number, self.block(*fields))

    def open(self, name: str, mode: int) -> Result:
        """Open a file."""
        return self.ask(OPEN, self.text(name), mode, len(name))

    def write(self, handle: int | Result, data: bytes) -> Result:
        """Write to it."""
        return self.ask(WRITE, handle, self.room(data), len(data))

    def end_with(self, status: int = 0, reason: int = APPLICATION_EXIT) -> None:
        """Write all results, and end."""
        self.calls_before_end = self.calls
        length = self.calls * self.set.word
        handle = self.open(RESULTS_FILE, W)
        self.ask(WRITE, handle, self.results, length)
        self.ask(CLOSE, handle)
        if self.set.word == 8:
            self.ask(EXIT, reason, status)
        else:
            self.call(EXIT, reason)

    def _load(self, register: int, value: int) -> None:
        word = self.set.word
        if len(self.code) % 8:
            self.code += self.set.nothing
        self.code += self.set.load[register] + (value & (1 << 8 * word) - 1).to_bytes(word, "little")

    def elf(self) -> bytes:
        """As a file."""
        assert len(self.code) <= RESULTS, "too many calls"
        image = bytes(self.code).ljust(DATA, b"\0") + self.data
        base, entry, start = self.base, self.base + self.set.entry, 0x1000
        if self.set.word == 4:
            ident = b"\x7fELF\1\1\1".ljust(16, b"\0")
            head = struct.pack("<16sHHIIIIIHHHHHH", ident, 2, self.set.machine, 1, entry, 52, 0, 0x5000200, 52, 32, 1,
                               40, 0, 0)  # fmt: skip
            head += struct.pack("<IIIIIIII", 1, start, base, base, len(image), SIZE, 7, 0x1000)
        else:
            ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
            head = struct.pack("<16sHHIQQQIHHHHHH", ident, 2, self.set.machine, 1, entry, 64, 0, 0, 64, 56, 1, 64, 0, 0)
            head += struct.pack("<IIQQQQQQ", 1, 7, start, base, base, len(image), SIZE, 0x1000)
        return head.ljust(start, b"\0") + image
