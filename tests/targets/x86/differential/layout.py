"""What both sides of the comparison share: where memory is, and what goes in and comes out of an instruction."""

from __future__ import annotations

from typing import NamedTuple

CODE = 0x10000
DATA_LOW = 0x20000  # 16 pages; in real mode segments begin here
DATA_HIGH = 0x0000_1234_5002_0000  # the same pages once more, for 64-bit addresses
DATA_PAGES = 32
HOLES = (13, 22, 30)  # pages that are not mapped
READ_ONLY = (6, 19)
CODE_SIZE = 0x10000
HLT = b"\xf4"  # fills the pages of code
RAM_SIZE = CODE_SIZE + DATA_PAGES * 4096


class Page(NamedTuple):
    """Where a page of the guest lies in RAM."""

    physical: int
    writable: bool


PAGES: dict[int, Page] = {(CODE >> 12) + n: Page(n << 12, False) for n in range(CODE_SIZE >> 12)}
for _n in range(DATA_PAGES):
    if _n not in HOLES:
        for _base in (DATA_LOW, DATA_HIGH):
            PAGES[(_base >> 12) + _n] = Page(CODE_SIZE + _n * 4096, _n not in READ_ONLY)


class State(NamedTuple):
    """What an instruction starts from: registers, lazy-flags record (kind, result, source), DF, program counter."""

    registers: tuple[int, ...]
    record: tuple[int, int, int]
    backwards: bool
    pc: int


class Outcome(NamedTuple):
    """What an instruction leaves: fault vector or -1, registers, program counter, flags (the six and DF)."""

    vector: int
    registers: tuple[int, ...]
    pc: int
    flags: int


def port_value(port: int, size: int) -> int:
    """Return what a read of a port gives."""
    return (port * 0x01010101 + 0x12345678 + size) & (1 << 8 * size) - 1
