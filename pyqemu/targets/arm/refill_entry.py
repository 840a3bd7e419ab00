"""The end of a page walk in IR, whatever the format of the tables: the entry of the software TLB is written.

See :mod:`pyqemu.tcg.softmmu` for what an entry is, and :mod:`pyqemu.tcg.ramwindow` for the flags of pages.
"""

from __future__ import annotations

from pyqemu.tcg.builder import Builder, Label, Value
from pyqemu.tcg.env import EXIT_ACCESS, EXIT_ADDR, LARGE_HIGH, LARGE_LOW, RAM_BASE, TLB_SIZE
from pyqemu.tcg.ramwindow import STORES
from pyqemu.tcg.softmmu import NO_TAG

READ_TAG, WRITE_TAG, FETCH_TAG, ADDEND = 0, 8, 16, 24  #: offsets in an entry


def note_large(t: Builder, first: Value, last: Value) -> None:
    """Remember the addresses of a large page: a later invalidation anywhere in it must find all its parts."""
    low, high = t.glob(LARGE_LOW, 64), t.glob(LARGE_HIGH, 64)
    t.movcond("ltu", first, low, first, low, low)
    t.movcond("gtu", last, high, last, high, high)


def enter(t: Builder, physical: Value, writable: Value, give_up: Label) -> None:
    """Write the entry for the access that missed.

    It is given up where the page is no plain RAM, and where the entry is there already: then the access crosses a page,
    or the page is watched.

    :param physical: address of the page
    :param writable: 1 where stores are permitted, else 0; 64 bits
    """
    vaddr, access = t.glob(EXIT_ADDR, 64), t.glob(EXIT_ACCESS, 64)
    page = vaddr & ~0xFFF
    slot = (access & ~3) + (vaddr.shr(12) & (TLB_SIZE - 1)).shl(5)
    flags, present = t.temp(64), t.temp(64)
    t.emit("ldpageflags", flags.offset, physical.offset, give_up.number)
    t.brcond("gtu", flags, STORES, give_up)
    t.emit("ldenv64", present.offset, (slot + (access & 3).shl(3)).offset)
    t.brcond("eq", present, page, give_up)
    kept, fetched, read_only, done = t.label(), t.label(), t.label(), t.label()
    t.emit("ldenv64", present.offset, slot.offset)
    t.brcond("eq", present, page, kept)
    t.emit("stenv64", t.value(NO_TAG, 64).offset, (slot + FETCH_TAG).offset)
    t.bind(kept)
    t.brcond("eq", access & 2, 0, fetched)
    t.emit("stenv64", page.offset, (slot + FETCH_TAG).offset)
    t.bind(fetched)
    t.emit("stenv64", page.offset, slot.offset)
    t.emit("stenv64", ((t.glob(RAM_BASE, 64) + physical) - page).offset, (slot + ADDEND).offset)
    t.brcond("eq", writable, 0, read_only)
    t.brcond("ne", flags, 0, read_only)
    t.emit("stenv64", page.offset, (slot + WRITE_TAG).offset)
    t.br(done)
    t.bind(read_only)
    t.emit("stenv64", t.value(NO_TAG, 64).offset, (slot + WRITE_TAG).offset)
    t.brcond("ne", access & 1, 0, give_up)
    t.bind(done)
