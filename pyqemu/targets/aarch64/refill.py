"""The page walk of the EL1&0 regime as an IR subroutine: what a missed access runs before Python is asked.

It knows 4 KiB granules without a second stage, in Non-secure state: pages and blocks that are valid, have their access
flag, permit the access, and lead to plain RAM. Everything else, faults above all, it gives up on; then `mmu.fill`,
which knows all the rules, decides. What registers say is prepared in slots, for the lower half of addresses and for the
upper one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.layout import M64, WALK
from pyqemu.targets.arm import refill as short_descriptors
from pyqemu.targets.arm.refill_entry import enter, note_large
from pyqemu.tcg.builder import Builder, Label
from pyqemu.tcg.env import EXIT_ACCESS, EXIT_ADDR, TLB, TLB_TABLE

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

HALF = 0x20  #: bytes between the slots of the two halves
BASE, SHIFT, INDEX_MASK, INVALID = WALK, WALK + 8, WALK + 16, WALK + 24
"""Address of the first table; the shift of its index; the mask of that; the bits of an address that must be those of
its half. All ones in INVALID: nothing is walked here."""
SCTLR_M, SCTLR_WXN, HCR_VM, HCR_DC, EPD0, EPD1 = 1, 1 << 19, 1, 1 << 12, 1 << 7, 1 << 23
ADDRESS = 0x0000_FFFF_FFFF_F000
VALID, TABLE, EL0, READ_ONLY, AF = 1, 2, 1 << 6, 1 << 7, 1 << 10
UXN_BIT, PXN_BIT = 54, 53
TABLE_NO_EL0, TABLE_READ_ONLY, TABLE_XN_BIT, TABLE_PXN_BIT = 1 << 61, 1 << 62, 60, 59


def prepare(cpu: Aarch64Cpu) -> None:
    """A register has changed that the walk depends on."""
    q, sys = cpu.q, cpu.sys
    elsewhere = (cpu.el2_enabled and sys.hcr_el2 & (HCR_VM | HCR_DC)) or cpu.space_of(1)
    q[short_descriptors.ENABLED >> 3] = 0
    if cpu.el1_is_aarch32:
        if not elsewhere and sys.sctlr_el1 & SCTLR_M:
            short_descriptors.prepare(cpu.aarch32)
        elsewhere = True
    for high in (0, 1):
        at = HALF * high
        q[BASE + at >> 3], q[SHIFT + at >> 3], q[INDEX_MASK + at >> 3], q[INVALID + at >> 3] = 0, 12, 0, M64
        grain = sys.tcr_el1 >> (30 if high else 14) & 3
        size = sys.tcr_el1 >> (16 if high else 0) & 63
        if not sys.sctlr_el1 & SCTLR_M or sys.sctlr_el1 & SCTLR_WXN or elsewhere or not 16 <= size <= 39:
            continue
        if sys.tcr_el1 & (EPD1 if high else EPD0) or grain != (2 if high else 0):
            continue
        bits = 64 - size
        shift = 12 + 9 * ((bits - 13) // 9)
        first = max(bits - shift + 3, 4)
        base = (sys.ttbr1_el1 if high else sys.ttbr0_el1) & (1 << 48) - 1 & -(1 << first)
        q[BASE + at >> 3], q[SHIFT + at >> 3] = base, shift
        q[INDEX_MASK + at >> 3] = (1 << bits - shift) - 1
        ignored = sys.tcr_el1 >> (38 if high else 37) & 1
        q[INVALID + at >> 3] = M64 >> bits << bits & (M64 >> 8 if ignored else M64)


class Refill:
    """Builds the subroutine."""

    def __init__(self, t: Builder) -> None:
        self.t = t
        self.give_up = t.label()
        self.vaddr = t.glob(EXIT_ADDR, 64)
        self.access = t.glob(EXIT_ACCESS, 64)
        self.is_store, self.is_fetch, self.is_user = t.temp(64), t.temp(64), t.temp(64)
        self.base, self.shift, self.mask, self.invalid = t.temp(64), t.temp(64), t.temp(64), t.temp(64)
        self.entry, self.tables = t.temp(64), t.temp(64)
        self.physical = t.temp(64)

    def build(self) -> None:
        """Emit everything."""
        t = self.t
        t.brcond("geu", self.access, TLB + 2 * TLB_TABLE, self.give_up)  # EL2 and EL3 have a regime each
        t.and_(self.access, 1, out=self.is_store)
        t.and_(self.access, 2, out=self.is_fetch)
        t.extend(t.setcond("geu", self.access, TLB + TLB_TABLE), 64, signed=False, out=self.is_user)
        self._choose_half()
        found = self._walk()
        t.bind(found)
        self._permissions()
        enter(t, self.physical, self.writable, self.give_up)
        t.emit("retry")
        t.bind(self.give_up)
        t.emit("give_up")

    def _choose_half(self) -> None:
        """What is known of the half that the address is in; give up where it is between the halves."""
        t = self.t
        upper = self.vaddr.shr(55) & 1
        wrong = t.temp(64)
        for out, slot in ((self.base, BASE), (self.shift, SHIFT), (self.mask, INDEX_MASK), (self.invalid, INVALID)):
            t.movcond("ne", upper, 0, t.glob(slot + HALF, 64), t.glob(slot, 64), out)
        t.movcond("ne", upper, 0, ~self.vaddr, self.vaddr, wrong)
        t.brcond("eq", self.invalid, M64, self.give_up)
        t.brcond("ne", wrong & self.invalid, 0, self.give_up)

    def _walk(self) -> Label:
        """Go down to the descriptor of a page or block."""
        t = self.t
        again, found = t.label(), t.label()
        self.tables.set(0)
        t.bind(again)
        slot = self.base + (self.vaddr.shr(self.shift) & self.mask).shl(3)
        t.emit("ldram64", self.entry.offset, slot.offset, self.give_up.number)
        t.brcond("eq", self.entry & VALID, 0, self.give_up)
        last, block = t.label(), t.label()
        t.brcond("eq", self.shift, 12, last)
        t.brcond("eq", self.entry & TABLE, 0, block)
        t.or_(self.tables, self.entry, out=self.tables)
        t.and_(self.entry, ADDRESS, out=self.base)
        t.sub(self.shift, 9, out=self.shift)
        self.mask.set(511)
        t.br(again)
        t.bind(block)
        t.brcond("gtu", self.shift, 30, self.give_up)
        t.br(found)
        t.bind(last)
        t.brcond("eq", self.entry & TABLE, 0, self.give_up)
        return found

    def _permissions(self) -> None:
        """Give up where the access is not permitted; leave in `entry` whether stores are."""
        t = self.t
        t.brcond("eq", self.entry & AF, 0, self.give_up)
        read_only = (self.entry & READ_ONLY) | (self.tables & TABLE_READ_ONLY)
        el0 = t.temp(64)
        el0.set(self.entry & EL0)
        with t.if_("ne", self.tables & TABLE_NO_EL0, 0):
            el0.set(0)
        self.writable = t.temp(64)
        t.extend(t.setcond("eq", read_only, 0), 64, signed=False, out=self.writable)
        privileged, done = t.label(), t.label()
        never = t.temp(64)
        t.brcond("eq", self.is_user, 0, privileged)
        t.brcond("eq", el0, 0, self.give_up)
        never.set((self.entry.shr(UXN_BIT) | self.tables.shr(TABLE_XN_BIT)) & 1)
        t.br(done)
        t.bind(privileged)
        never.set((self.entry.shr(PXN_BIT) | self.tables.shr(TABLE_PXN_BIT) | (el0.shr(6) & self.writable)) & 1)
        t.bind(done)
        t.brcond("ne", never & self.is_fetch.shr(1), 0, self.give_up)
        t.brcond("ne", self.is_store & (self.writable ^ 1), 0, self.give_up)
        self._address()

    def _address(self) -> None:
        """The physical page; a later TLBI anywhere in a block must find all its parts."""
        t = self.t
        inside = t.temp(64)
        inside.set(t.value(1, 64).shl(self.shift) - 1)
        self.physical.set((self.entry & ADDRESS & ~inside) | (self.vaddr & inside & ~0xFFF))
        over = t.label()
        t.brcond("eq", self.shift, 12, over)
        note_large(t, self.vaddr & ~inside, self.vaddr | inside)
        t.bind(over)


def build_refill(t: Builder) -> None:
    """Emit the subroutine with *t*: the one walk, and that of EL1 in AArch32 state."""
    short = t.label()
    t.brcond("ne", t.glob(short_descriptors.ENABLED, 64), 0, short)
    Refill(t).build()
    t.bind(short)
    short_descriptors.build_refill(t)
