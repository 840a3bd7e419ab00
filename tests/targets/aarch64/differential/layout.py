"""What both sides of the comparison share: where memory is, and what goes in and comes out of a case."""

from __future__ import annotations

from typing import NamedTuple

CODE = 0x10000
CODE_SIZE = 0x10000
DATA_LOW = 0x20000
DATA_HIGH = 0x0000_1234_5002_0000  # the same pages once more
DATA_PAGES = 16
HOLES = (7, 14)  # pages that are not mapped
READ_ONLY = (4, 11)
RAM_SIZE = CODE_SIZE + DATA_PAGES * 4096
END = 0xD4400000  # HLT #0 fills the pages of code: UNDEFINED, and nothing of a case


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
    """What a case starts from.

    :ivar registers: X0 to X30, SP
    :ivar record: lazy-flags record: kind, result, source
    :ivar vectors: V0 to V31, if they matter
    """

    registers: tuple[int, ...]
    record: tuple[int, int, int]
    pc: int
    vectors: tuple[int, ...] = ()
    fpcr: int = 0
    fpsr: int = 0


class Outcome(NamedTuple):
    """What a case leaves.

    :ivar fault: name of the exception, or empty
    :ivar nzcv: the flags at their places in PSTATE
    """

    fault: str
    registers: tuple[int, ...]
    pc: int
    nzcv: int
    vectors: tuple[int, ...] = ()
    fpsr: int = 0
