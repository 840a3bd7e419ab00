"""What both sides of the comparison share: where memory is, and what goes in and comes out of a case."""

from __future__ import annotations

from typing import NamedTuple

CODE = 0x10000
CODE_SIZE = 0x10000
DATA_LOW = 0x20000
DATA_HIGH = 0xE002_0000  # the same pages once more
DATA_PAGES = 16
HOLES = (7, 14)  # pages that are not mapped
READ_ONLY = (4, 11)
RAM_SIZE = CODE_SIZE + DATA_PAGES * 4096
END = 0xE7FFDEFE  # fills the pages of code: UNDEFINED in A32; in Thumb UNDEFINED, and a branch to the next of its kind
SVC_MODE = 0x1D3  # CPSR: Supervisor mode, A, I and F
T = 1 << 5


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

    :ivar registers: R0 to R14
    :ivar record: lazy-flags record: kind, result, source
    :ivar rest: Q, GE, E, T at their places in CPSR
    :ivar vectors: D0 to D31; empty: VFP and Advanced SIMD do not matter
    """

    registers: tuple[int, ...]
    record: tuple[int, int, int]
    pc: int
    rest: int
    vectors: tuple[int, ...] = ()
    fpscr: int = 0


class Outcome(NamedTuple):
    """What a case leaves.

    :ivar fault: name of the exception, or empty
    """

    fault: str
    registers: tuple[int, ...]
    pc: int
    cpsr: int
    vectors: tuple[int, ...] = ()
    fpscr: int = 0
