"""The walk of short descriptors as an IR subroutine: what a missed access runs before Python is asked.

It knows sections and small pages that permit the access and lead to plain RAM. Everything else, faults above all, it
gives up on; then `mmu.fill`, which knows all the rules, decides. What registers say is prepared in slots.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyqemu.targets.arm.layout import DOMAINS_PRIVILEGED, DOMAINS_USER, WALK32, WALK_DACR
from pyqemu.targets.arm.mmu import SCTLR_M, SCTLR_UWXN, SCTLR_WXN, is_long, regime_of
from pyqemu.targets.arm.refill_entry import enter, note_large
from pyqemu.targets.arm.short_descriptors import EXECUTE, PRIVILEGED, READ, USER
from pyqemu.tcg.builder import Builder, Value
from pyqemu.tcg.env import EXIT_ACCESS, EXIT_ADDR, TLB, TLB_TABLE

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

ENABLED, BASE0, BASE1, LIMIT = WALK32, WALK32 + 0x08, WALK32 + 0x10, WALK32 + 0x18
"""Whether anything is walked here; the two first tables; the lowest address of the second one."""
PXN, OF_PRIVILEGED, OF_USER = WALK32 + 0x28, WALK32 + 0x30, WALK32 + 0x38
"""Whether PXN is there; permissions by AP, four bits each."""
SUPERSECTION, CLIENT, MANAGER = 1 << 18, 1, 3


def prepare(cpu: ArmCpu) -> None:
    """A register has changed that the walk depends on."""
    q, regime, sctlr = cpu.q, regime_of(cpu), cpu.sys.sctlr_el1
    odd = regime.subpages or regime.system or regime.rom or cpu.fcse or is_long(cpu)
    walked = sctlr & SCTLR_M and not odd and not (regime.pxn and sctlr & (SCTLR_WXN | SCTLR_UWXN))
    n = regime.ttbcr & 7
    disabled = regime.ttbcr >> 4 & 3
    q[ENABLED >> 3] = int(bool(walked) and not disabled)
    q[LIMIT >> 3] = 1 << 32 - n if n else 1 << 32
    q[WALK_DACR >> 3], q[PXN >> 3] = regime.dacr, int(regime.pxn)
    cpu.privileged_dacr = cpu.user_dacr = regime.dacr
    prepare_tables(cpu)
    q[OF_PRIVILEGED >> 3] = _packed(PRIVILEGED, regime.access_flag)
    q[OF_USER >> 3] = _packed(USER, regime.access_flag)


def prepare_tables(cpu: ArmCpu) -> None:
    """TTBR0 or TTBR1 has changed."""
    q, sys = cpu.q, cpu.sys
    n = sys.tcr_el1 & 7 if cpu.model.has("v6") else 0
    q[BASE0 >> 3] = sys.ttbr0_el1 & 0xFFFFFFFF << 14 - n & 0xFFFFFFFF
    q[BASE1 >> 3] = sys.ttbr1_el1 & 0xFFFFC000


@cache
def _packed(data: tuple[int, ...], access_flag: bool) -> int:
    """Permissions by AP; none where an access flag is clear."""
    value = 0
    for ap, each in enumerate(data):
        if not access_flag or ap & 1:
            value |= (each | (EXECUTE if each & READ else 0)) << 4 * ap
    return value


class Refill:
    """Builds the subroutine."""

    def __init__(self, t: Builder) -> None:
        self.t = t
        self.give_up = t.label()
        self.vaddr, self.access = t.glob(EXIT_ADDR, 64), t.glob(EXIT_ACCESS, 64)
        self.entry, self.second = t.temp(64), t.temp(64)
        self.ap, self.xn, self.pxn, self.physical = t.temp(64), t.temp(64), t.temp(64), t.temp(64)
        self.permitted = t.temp(64)

    def build(self) -> None:
        """Emit everything."""
        t = self.t
        t.brcond("eq", t.glob(ENABLED, 64), 0, self.give_up)
        t.brcond("geu", self.access, TLB + 2 * TLB_TABLE, self.give_up)  # Hyp mode has a regime of its own
        t.brcond("gtu", self.vaddr, 0xFFFFFFFF, self.give_up)
        self._walk()
        self._permissions()
        need = t.value(1, 64).shl(self.access & 3)
        t.brcond("eq", self.permitted & need, 0, self.give_up)
        enter(t, self.physical, self.permitted.shr(1) & 1, self.give_up)
        t.emit("retry")
        t.bind(self.give_up)
        t.emit("give_up")

    def _walk(self) -> None:
        """Go to the descriptor of a section or page: access permission, XN, PXN, physical address."""
        t = self.t
        base = t.temp(64)
        t.movcond("ltu", self.vaddr, t.glob(LIMIT, 64), t.glob(BASE0, 64), t.glob(BASE1, 64), base)
        slot = base | self.vaddr.shr(20).shl(2)
        t.emit("ldram32", self.entry.low(32).offset, slot.offset, self.give_up.number)
        t.brcond("eq", self.entry & 3, 0, self.give_up)
        table, done = t.label(), t.label()
        t.brcond("eq", self.entry & 2, 0, table)
        self._section()
        t.br(done)
        t.bind(table)
        self._page()
        t.bind(done)

    def _section(self) -> None:
        t = self.t
        t.brcond("ne", self.entry & SUPERSECTION, 0, self.give_up)
        self.pxn.set(self.entry & 1)
        t.brcond("gtu", self.pxn, t.glob(PXN, 64), self.give_up)
        self.ap.set((self.entry.shr(10) & 3) | (self.entry.shr(13) & 4))
        self.xn.set(self.entry.shr(4) & 1)
        self.physical.set((self.entry & 0xFFF00000) | (self.vaddr & 0xFF000))
        note_large(t, self.vaddr & ~0xFFFFF, self.vaddr | 0xFFFFF)

    def _page(self) -> None:
        t = self.t
        slot = (self.entry & 0xFFFFFC00) | (self.vaddr.shr(10) & 0x3FC)
        t.emit("ldram32", self.second.low(32).offset, slot.offset, self.give_up.number)
        t.brcond("eq", self.second & 2, 0, self.give_up)
        self.pxn.set(self.entry.shr(2) & t.glob(PXN, 64))
        self.ap.set((self.second.shr(4) & 3) | (self.second.shr(7) & 4))
        self.xn.set(self.second & 1)
        self.physical.set(self.second & 0xFFFFF000)

    def _permissions(self) -> None:
        """What the domain and the access permission allow."""
        t = self.t
        domain = (self.entry.shr(5) & 15).shl(1)
        control = t.glob(WALK_DACR, 64).shr(domain) & 3
        self._note(t.value(1, 64).shl(domain))
        done, user, masked = t.label(), t.label(), t.label()
        self.permitted.set(7)
        t.brcond("eq", control, MANAGER, done)
        t.brcond("ne", control, CLIENT, self.give_up)
        never: Value = t.temp(64)
        t.brcond("geu", self.access, TLB + TLB_TABLE, user)
        self.permitted.set(t.glob(OF_PRIVILEGED, 64).shr(self.ap.shl(2)) & 7)
        never.set(self.xn | self.pxn)
        t.br(masked)
        t.bind(user)
        self.permitted.set(t.glob(OF_USER, 64).shr(self.ap.shl(2)) & 7)
        never.set(self.xn)
        t.bind(masked)
        t.brcond("eq", never, 0, done)
        t.and_(self.permitted, 3, out=self.permitted)
        t.bind(done)

    def _note(self, bit: Value) -> None:
        """The domain has a page in a table now (:func:`pyqemu.targets.arm.domains.note`)."""
        t = self.t
        user, done = t.label(), t.label()
        t.brcond("geu", self.access, TLB + TLB_TABLE, user)
        t.or_(t.glob(DOMAINS_PRIVILEGED, 64), bit, out=t.glob(DOMAINS_PRIVILEGED, 64))
        t.br(done)
        t.bind(user)
        t.or_(t.glob(DOMAINS_USER, 64), bit, out=t.glob(DOMAINS_USER, 64))
        t.bind(done)


def build_refill(t: Builder) -> None:
    """Emit the subroutine with *t*."""
    Refill(t).build()
