"""The page walk as an IR subroutine: what a missed access runs before Python is asked.

It knows the plain cases only: paging off, 4-level, PAE and 2-level tables in RAM, pages that are present and permit the
access, and lead to plain RAM. It sets accessed and dirty bits as the processor does (SDM vol. 3, 4.8). Everything else,
faults above all, it gives up on; then `mmu.fill`, which knows all the rules, decides.
"""

from __future__ import annotations

from pyqemu.targets.x86.layout import A20_MASK, CR0, CR3, CR4, EFER
from pyqemu.tcg.builder import Builder, Label, Value
from pyqemu.tcg.env import EXIT_ACCESS, EXIT_ADDR, LARGE_HIGH, LARGE_LOW, RAM_BASE, TLB, TLB_SIZE, TLB_TABLE
from pyqemu.tcg.ramwindow import STORES
from pyqemu.tcg.softmmu import NO_TAG

P, RW, US, A, D, PS = 1, 2, 4, 0x20, 0x40, 0x80
CR0_PG, CR4_PSE, CR4_PAE, CR4_SMEP, EFER_LMA = 1 << 31, 1 << 4, 1 << 5, 1 << 20, 1 << 10
ADDRESS = 0x000F_FFFF_FFFF_F000
M64 = (1 << 64) - 1


class Refill:
    """Builds the subroutine."""

    def __init__(self, t: Builder) -> None:
        self.t = t
        self.give_up = t.label()
        self.found = t.label()
        self.vaddr = t.glob(EXIT_ADDR, 64)
        self.access = t.glob(EXIT_ACCESS, 64)
        self.physical = t.temp(64)  # of the page
        self.permissions = t.temp(64)  # the last entry, RW cleared where a level forbids writes
        self.is_store = t.temp(64)
        self.is_fetch = t.temp(64)  # 2 or 0
        self.is_user = t.temp(64)
        self.entry = t.temp(64)
        self.table = t.temp(64)
        self.all_levels = t.temp(64)  # AND of the entries so far

    def build(self) -> None:
        """Emit everything."""
        t = self.t
        t.and_(self.access, 1, out=self.is_store)
        t.and_(self.access, 2, out=self.is_fetch)
        user = t.sub(t.and_(self.access, ~3), TLB + TLB_TABLE)
        t.extend(t.setcond("eq", user, 0), 64, signed=False, out=self.is_user)
        t.brcond("geu", self.access, TLB + 2 * TLB_TABLE, self.give_up)
        paged, pae, long_mode = t.label(), t.label(), t.label()
        t.brcond("ne", t.glob(CR0, 64) & CR0_PG, 0, paged)
        self.physical.set((self.vaddr & t.glob(A20_MASK, 64)) & ~0xFFF)
        self.permissions.set(RW | D)
        t.br(self.found)
        t.bind(paged)
        t.brcond("ne", t.glob(EFER, 64) & EFER_LMA, 0, long_mode)
        t.brcond("ne", t.glob(CR4, 64) & CR4_PAE, 0, pae)
        self._two_levels()
        t.bind(long_mode)
        self._four_levels()
        t.bind(self.found)
        self._enter()
        t.emit("retry")
        t.bind(pae)
        t.bind(self.give_up)
        t.emit("give_up")

    def _masked(self, value: Value) -> Value:
        return value & self.t.glob(A20_MASK, 64)

    def _four_levels(self) -> None:
        t = self.t
        # a non-canonical address is a fault
        t.brcond("ne", self.vaddr.shl(16).sar(16), self.vaddr, self.give_up)
        self.table.set(t.glob(CR3, 64) & ADDRESS)
        self.all_levels.set(M64)
        for shift in (39, 30, 21, 12):
            index = (self.vaddr.shr(shift) & 511).shl(3)
            slot = self._masked(self.table + index)
            self._read_entry(slot, 64)
            if shift == 21:
                self._large_page(slot, 21, 0x1FE000)
            elif shift == 30:
                t.brcond("ne", self.entry & PS, 0, self.give_up)  # 1 GiB pages are rare
            if shift == 12:
                self._last_level(slot, 64)
                self.physical.set(self.entry & ADDRESS)
            else:
                self._mark(slot, self.entry, A, 64)
                self.table.set(self.entry & ADDRESS)

        t.br(self.found)

    def _two_levels(self) -> None:
        t = self.t
        self.table.set(t.glob(CR3, 64) & 0xFFFFF000)
        self.all_levels.set(M64)
        slot = self._masked(self.table + (self.vaddr.shr(22) & 1023).shl(2))
        self._read_entry(slot, 32)
        small = t.label()
        t.brcond("eq", t.glob(CR4, 64) & CR4_PSE, 0, small)
        self._large_page(slot, 22, 0x3FE000, small)
        t.bind(small)
        self._mark(slot, self.entry, A, 32)
        self.table.set(self.entry & 0xFFFFF000)
        slot = self._masked(self.table + (self.vaddr.shr(12) & 1023).shl(2))
        self._read_entry(slot, 32)
        self._last_level(slot, 32)
        self.physical.set(self.entry & 0xFFFFF000)
        t.br(self.found)

    def _read_entry(self, slot: Value, bits: int) -> None:
        """Load a table entry; give up unless it is present, and collect what it forbids."""
        t = self.t
        self._load(self.entry, slot, bits)
        t.brcond("eq", self.entry & P, 0, self.give_up)
        if bits == 64:
            self._check_nx()
        t.and_(self.all_levels, self.entry, out=self.all_levels)

    def _check_nx(self) -> None:
        """XD is reserved without EFER.NXE; with it, it forbids fetches."""
        t = self.t
        fine = t.label()
        t.brcond("ges", self.entry, 0, fine)
        t.brcond("ne", self.is_fetch, 0, self.give_up)
        t.brcond("eq", t.glob(EFER, 64) & (1 << 11), 0, self.give_up)
        t.bind(fine)

    def _load(self, out: Value, address: Value, bits: int) -> None:
        self.t.emit(f"ldram{bits}", out.offset, address.offset, self.give_up.number)

    def _check(self) -> None:
        """Give up where user mode or a store is not permitted by all levels."""
        t = self.t
        forbidden = t.and_(~self.all_levels, (self.is_user.shl(2)) | (self.is_store.shl(1)))
        t.brcond("ne", forbidden, 0, self.give_up)
        smep = t.label()
        t.brcond("eq", self.is_fetch, 0, smep)
        t.brcond("ne", t.glob(CR4, 64) & CR4_SMEP, 0, self.give_up)
        t.bind(smep)

    def _mark(self, slot: Value, entry: Value, bits: int | Value, width: int) -> None:
        """Set accessed (and dirty) where it is not set, unless somebody watches the table's page."""
        t = self.t
        done = t.label()
        missing = t.and_(~entry, bits)
        t.brcond("eq", missing, 0, done)
        flags = t.temp(64)
        t.emit("ldpageflags", flags.offset, slot.offset, self.give_up.number)
        t.brcond("ne", flags, 0, self.give_up)
        t.or_(entry, missing, out=entry)
        t.emit(f"stram{width}", entry.offset, slot.offset)
        t.bind(done)

    def _last_level(self, slot: Value, width: int) -> None:
        t = self.t
        self._check()
        self._mark(slot, self.entry, t.or_(self.is_store.shl(6), A), width)
        self.permissions.set((self.all_levels & RW) | (self.entry & D))

    def _large_page(self, slot: Value, shift: int, reserved: int, small: Label | None = None) -> None:
        """A page of 2 or 4 MiB, where PS says so; go on after it where not."""
        t = self.t
        over = small if small is not None else t.label()
        t.brcond("eq", self.entry & PS, 0, over)
        t.brcond("ne", self.entry & reserved, 0, self.give_up)
        self._last_level(slot, 64 if shift == 21 else 32)
        frame = self.entry & (ADDRESS if shift == 21 else 0xFFFFF000) & ~((1 << shift) - 1)
        self.physical.set(frame | (self.vaddr & ((1 << shift) - 1) & ~0xFFF))
        # a later INVLPG anywhere in the page must find all its parts
        first, last = self.vaddr & ~((1 << shift) - 1), self.vaddr | ((1 << shift) - 1)
        low, high = t.glob(LARGE_LOW, 64), t.glob(LARGE_HIGH, 64)
        t.movcond("ltu", first, low, first, low, low)
        t.movcond("gtu", last, high, last, high, high)
        t.br(self.found)
        if small is None:
            t.bind(over)

    def _enter(self) -> None:
        """Write the TLB entry, unless it is there already: then the access crosses a page, or the page is watched."""
        t = self.t
        self.physical.set(self._masked(self.physical))
        page = self.vaddr & ~0xFFF
        slot = (self.access & ~3) + (self.vaddr.shr(12) & (TLB_SIZE - 1)).shl(5)
        flags, present = t.temp(64), t.temp(64)
        t.emit("ldpageflags", flags.offset, self.physical.offset, self.give_up.number)
        writable = t.label()
        read_only = t.label()
        done = t.label()
        t.emit("ldenv64", present.offset, (slot + (self.access & 3).shl(3)).offset)
        t.brcond("eq", present, page, self.give_up)
        t.brcond("gtu", flags, STORES, self.give_up)  # not plain RAM
        kept = t.label()
        t.emit("ldenv64", present.offset, slot.offset)
        t.brcond("eq", present, page, kept)
        t.emit("stenv64", t.value(NO_TAG, 64).offset, (slot + 16).offset)
        t.bind(kept)
        fetched = t.label()
        t.brcond("eq", self.is_fetch, 0, fetched)
        t.emit("stenv64", page.offset, (slot + 16).offset)
        t.bind(fetched)
        t.emit("stenv64", page.offset, slot.offset)
        t.emit("stenv64", ((t.glob(RAM_BASE, 64) + self.physical) - page).offset, (slot + 24).offset)
        t.brcond("ne", self.permissions, RW | D, read_only)
        t.brcond("eq", flags, 0, writable)
        t.bind(read_only)
        t.emit("stenv64", t.value(NO_TAG, 64).offset, (slot + 8).offset)
        t.brcond("ne", self.is_store, 0, self.give_up)
        t.br(done)
        t.bind(writable)
        t.emit("stenv64", page.offset, (slot + 8).offset)
        t.bind(done)


def build_refill(t: Builder) -> None:
    """Emit the subroutine with *t*."""
    Refill(t).build()
