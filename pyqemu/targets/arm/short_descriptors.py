"""Short-descriptor translation tables (ARM DDI 0406C.b, B3.5, B3.7; for ARMv5 and subpages D15.6).

Pure functions on numbers: who walks says what the registers hold and how memory is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

READ, WRITE, EXECUTE = 1, 2, 4  #: permissions, as the software TLB has them
SECTION_BITS, SUPERSECTION_BITS, LARGE_BITS, PAGE_BITS = 20, 24, 16, 12
TABLE, SECTION, FINE_TABLE = 1, 2, 3  #: types of first-level descriptors
LARGE, SMALL, TINY = 1, 2, 3  #: types of second-level descriptors of ARMv5
NO_ACCESS, CLIENT, MANAGER = 0, 1, 3  #: of DACR

TRANSLATION, ACCESS_FLAG, DOMAIN, PERMISSION = 0x05, 0x03, 0x09, 0x0D  #: fault status for sections (B3.13.3)
ON_PAGE = {TRANSLATION: 0x07, ACCESS_FLAG: 0x06, DOMAIN: 0x0B, PERMISSION: 0x0F}  #: the same for pages
LONG_STATUS = {0x05: 0x05, 0x07: 0x06, 0x03: 0x09, 0x06: 0x0A, 0x09: 0x3D, 0x0B: 0x3E, 0x0D: 0x0D, 0x0F: 0x0E}


class ShortFault(Exception):
    """An address is not translated, or not for that access.

    :ivar status: FS of DFSR and IFSR, with the domain at its place
    """

    def __init__(self, status: int, domain: int, *, page: bool) -> None:
        super().__init__(status, domain, page)
        self.status = (ON_PAGE[status] if page else status) | domain << 4

    @property
    def long_status(self) -> int:
        """The same fault as status codes of long descriptors have it (ARM DDI 0487A.f, table G4-32)."""
        return LONG_STATUS[self.status & 15]


@dataclass(frozen=True, slots=True)
class Regime:
    """What the registers say.

    :ivar subpages: descriptors are those of ARMv5: four access permissions for each page, and nothing is never executed
    :ivar fine: fine tables with pages of 1 KiB exist (ARMv5)
    :ivar access_flag: AP[0] is an access flag (SCTLR.AFE)
    :ivar pxn: bit 0 of sections, bit 2 of tables mean that privileged code does not execute
    """

    ttbr0: int
    ttbr1: int = 0
    ttbcr: int = 0
    dacr: int = 0
    subpages: bool = False
    fine: bool = False
    access_flag: bool = False
    pxn: bool = False
    system: bool = False
    rom: bool = False


@dataclass(slots=True)
class ShortLeaf:
    """The end of a walk.

    :ivar bits: binary logarithm of the size of the page or section
    :ivar ap: access permission, three bits
    :ivar ns: whether it leads out of the Secure state
    """

    address: int
    bits: int
    ap: int
    domain: int
    xn: bool = False
    pxn: bool = False
    ns: bool = False
    descriptor: int = 0


def first_table(regime: Regime, address: int) -> tuple[int, int]:
    """Base of the first table for an address, and N of it (B3.5.4).

    :raise ShortFault: walks with that table are disabled.
    """
    n = regime.ttbcr & 7
    upper = bool(n and address >> 32 - n)
    if regime.ttbcr >> (5 if upper else 4) & 1:
        raise ShortFault(TRANSLATION, 0, page=False)
    if upper:
        n = 0
    return (regime.ttbr1 if upper else regime.ttbr0) & 0xFFFFFFFF << 14 - n & 0xFFFFFFFF, n


def walk(regime: Regime, address: int, read: Callable[[int], int]) -> ShortLeaf:
    """Follow the tables to the descriptor that translates *address*.

    :param read: reads 32 bits of physical memory
    :raise ShortFault: there is none.
    """
    base, n = first_table(regime, address)
    first = read(base | (address >> 20 & (1 << 12 - n) - 1) << 2)
    kind, domain = first & 3, first >> 5 & 15
    if kind == SECTION or (kind == 3 and regime.pxn):
        return _section(regime, first, address)
    if kind == TABLE:
        second = read(first & ~0x3FF | (address >> 12 & 0xFF) << 2)
        if regime.subpages:
            return _old_page(regime, second, address, domain, fine=False)
        return _page(second, domain, pxn=regime.pxn and bool(first & 4), ns=bool(first & 1 << 3))
    if kind == FINE_TABLE and regime.fine:
        return _old_page(regime, read(first & ~0xFFF | (address >> 10 & 0x3FF) << 2), address, domain, fine=True)
    raise ShortFault(TRANSLATION, 0, page=False)


def _section(regime: Regime, first: int, address: int) -> ShortLeaf:
    ap, domain = first >> 10 & 3, first >> 5 & 15
    if regime.subpages:
        return ShortLeaf(first & 0xFFF00000, SECTION_BITS, ap, domain, descriptor=first)
    ap |= first >> 13 & 4
    xn, pxn, ns = bool(first & 1 << 4), regime.pxn and bool(first & 1), bool(first & 1 << 19)
    if first & 1 << 18:
        high = (first >> 20 & 15) << 32 | (first >> 5 & 15) << 36
        return ShortLeaf(first & 0xFF000000 | high, SUPERSECTION_BITS, ap, 0, xn, pxn, ns, first)
    return ShortLeaf(first & 0xFFF00000, SECTION_BITS, ap, domain, xn, pxn, ns, first)


def _page(second: int, domain: int, *, pxn: bool, ns: bool) -> ShortLeaf:
    ap = second >> 4 & 3 | second >> 7 & 4
    if second & 2:
        return ShortLeaf(second & ~0xFFF, PAGE_BITS, ap, domain, bool(second & 1), pxn, ns, second)
    if second & 1:
        return ShortLeaf(second & ~0xFFFF, LARGE_BITS, ap, domain, bool(second & 1 << 15), pxn, ns, second)
    raise ShortFault(TRANSLATION, domain, page=True)


def _old_page(regime: Regime, second: int, address: int, domain: int, *, fine: bool) -> ShortLeaf:
    """A page with subpages, or a tiny page; the software TLB takes what its first user sees for all of 4 KiB."""
    kind = second & 3
    if kind == LARGE:
        ap = second >> 4 + (address >> 13 & 6) & 3
        return ShortLeaf(second & ~0xFFFF, LARGE_BITS, ap, domain, descriptor=second)
    if kind == SMALL:
        ap = second >> 4 + (address >> 9 & 6) & 3
        return ShortLeaf(second & ~0xFFF, PAGE_BITS, ap, domain, descriptor=second)
    if kind == TINY and fine:
        return ShortLeaf(second & ~0x3FF, 10, second >> 4 & 3, domain, descriptor=second)
    if kind == TINY and not regime.fine:  # ARMv6: an extended small page
        return ShortLeaf(second & ~0xFFF, PAGE_BITS, second >> 4 & 3, domain, descriptor=second)
    raise ShortFault(TRANSLATION, domain, page=True)


# --- permissions (B3.7) -----------------------------------------------------------------------------------------------

PRIVILEGED = (0, READ | WRITE, READ | WRITE, READ | WRITE, 0, READ, READ, READ)  #: by AP[2:0]
USER = (0, 0, READ, READ | WRITE, 0, 0, READ, READ)


def permissions(regime: Regime, leaf: ShortLeaf, *, user: bool) -> int:
    """What a descriptor permits.

    :raise ShortFault: its domain permits nothing, or its access flag is clear.
    """
    page = leaf.bits < SECTION_BITS
    control = regime.dacr >> 2 * leaf.domain & 3
    if control == MANAGER:
        return READ | WRITE | EXECUTE
    if control != CLIENT:
        raise ShortFault(DOMAIN, leaf.domain, page=page)
    ap = leaf.ap
    if regime.access_flag:
        if not ap & 1:
            raise ShortFault(ACCESS_FLAG, leaf.domain, page=page)
        ap |= 1  # the two bits that are left are those of AP = 1, 3, 5, 7
    data = (USER if user else PRIVILEGED)[ap]
    if not ap:
        data = READ if regime.rom or (regime.system and not user) else 0
    never = leaf.xn or (leaf.pxn and not user) or not data & READ
    return data | (0 if never else EXECUTE)
