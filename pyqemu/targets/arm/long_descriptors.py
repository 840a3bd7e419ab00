"""Long-descriptor translation tables (ARM DDI 0487A.f, D4 "The AArch64 Virtual Memory System Architecture", G4.5).

Pure functions on numbers: who walks says where the tables are and how memory is read. Addresses are what goes into a
stage and what comes out of it, in bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

READ, WRITE, EXECUTE = 1, 2, 4  #: permissions, as the software TLB has them
PAGE = 4096
OUTPUT_MASK = (1 << 48) - 1
OUTPUT_SIZES = (32, 36, 40, 42, 44, 48, 48, 48)  #: bits of an address, by the fields PS, IPS and PARange

VALID, TABLE = 1, 2
ATTR_AP_EL0, ATTR_AP_READ_ONLY, ATTR_AF = 1 << 6, 1 << 7, 1 << 10
ATTR_NS, ATTR_PXN, ATTR_UXN = 1 << 5, 1 << 53, 1 << 54
S2AP_READ, S2AP_WRITE, S2_XN = 1 << 6, 1 << 7, 1 << 54
PXN_TABLE, XN_TABLE, AP_TABLE_NO_EL0, AP_TABLE_READ_ONLY = 1 << 59, 1 << 60, 1 << 61, 1 << 62
NS_TABLE = 1 << 63


class FaultKind(enum.IntEnum):
    """Fault status codes for level 0 (D7.2.24, "DFSC")."""

    ADDRESS_SIZE = 0x00
    TRANSLATION = 0x04
    ACCESS_FLAG = 0x08
    PERMISSION = 0x0C
    EXTERNAL_ON_WALK = 0x14
    ALIGNMENT = 0x21


class TranslationFault(Exception):
    """A stage does not translate an address.

    :ivar address: what went into the stage
    :ivar stage2: whether it was the second stage
    :ivar of_walk: whether stage 2 did not translate the address of a table of stage 1
    """

    def __init__(self, kind: FaultKind, level: int, address: int, *, stage2: bool = False,
                 of_walk: bool = False) -> None:  # fmt: skip
        super().__init__(kind, level, address)
        self.kind, self.level, self.address = kind, level, address
        self.stage2, self.of_walk = stage2, of_walk

    @property
    def status(self) -> int:
        """The fault status code, long-descriptor format."""
        return self.kind | (self.level if self.kind < FaultKind.ALIGNMENT else 0)


@dataclass(frozen=True, slots=True)
class Table:
    """A tree of tables: what TTBR and TCR say of it.

    :ivar base: address of the first table
    :ivar input_bits: how many bits of an address it translates
    :ivar grain: bits of an address within a page: 12, 14, 16
    :ivar output_bits: how many bits an address may have that comes out
    :ivar start_level: the level of the first table; None: what follows from the input's size
    """

    base: int
    input_bits: int
    grain: int = 12
    output_bits: int = 48
    start_level: int | None = None

    @property
    def first_level(self) -> int:
        """The level at which a walk begins."""
        if self.start_level is not None:
            return self.start_level
        return 4 - -(-(self.input_bits - self.grain) // (self.grain - 3))


@dataclass(slots=True)
class Leaf:
    """The end of a walk.

    :ivar address: of the page or block, what comes out
    :ivar bits: binary logarithm of its size
    :ivar tables: the table attributes of all levels, OR of them
    """

    descriptor: int
    address: int
    bits: int
    level: int
    tables: int = 0
    path: list[tuple[int, int, int]] = field(default_factory=list)
    """Level, address and value of each descriptor on the way."""


def walk(table: Table, address: int, read: Callable[[int], int]) -> Leaf:
    """Follow the tables to the descriptor that translates *address*.

    :param read: reads 64 bits of the output address space; may raise for itself
    :raise TranslationFault: there is none, or the output has too many bits.
    """
    grain, stride = table.grain, table.grain - 3
    level = table.first_level
    base = table.base
    if base >> table.output_bits:
        raise TranslationFault(FaultKind.ADDRESS_SIZE, 0, address)
    leaf = Leaf(0, 0, 0, level)
    bits = table.input_bits  # those that are not translated yet
    while True:
        shift = grain + stride * (3 - level)
        index = address >> shift & (1 << bits - shift) - 1
        place = base + index * 8
        descriptor = read(place)
        leaf.path.append((level, place, descriptor))
        if not descriptor & VALID:
            raise TranslationFault(FaultKind.TRANSLATION, level, address)
        output = descriptor & OUTPUT_MASK & -(1 << grain)
        if output >> table.output_bits:
            raise TranslationFault(FaultKind.ADDRESS_SIZE, level, address)
        if level == 3 or not descriptor & TABLE:
            if not (descriptor & TABLE if level == 3 else _may_be_block(grain, level)):
                raise TranslationFault(FaultKind.TRANSLATION, level, address)
            if not descriptor & ATTR_AF:
                raise TranslationFault(FaultKind.ACCESS_FLAG, level, address)
            leaf.descriptor, leaf.level, leaf.bits = descriptor, level, shift
            leaf.address = output & -(1 << shift)
            return leaf
        leaf.tables |= descriptor
        base, bits = output, shift
        level += 1


def _may_be_block(grain: int, level: int) -> bool:
    return level == 2 or (level == 1 and grain == 12)


def stage1_permissions(leaf: Leaf, *, unprivileged: bool, write_is_never_execute: bool = False) -> int:
    """What the EL1&0 regime permits at EL0 (*unprivileged*) or EL1 (D4.4.4)."""
    read_only = bool(leaf.descriptor & ATTR_AP_READ_ONLY or leaf.tables & AP_TABLE_READ_ONLY)
    el0 = bool(leaf.descriptor & ATTR_AP_EL0) and not leaf.tables & AP_TABLE_NO_EL0
    uxn = bool(leaf.descriptor & ATTR_UXN or leaf.tables & XN_TABLE)
    pxn = bool(leaf.descriptor & ATTR_PXN or leaf.tables & PXN_TABLE) or (el0 and not read_only)
    if unprivileged:
        data = 0 if not el0 else READ if read_only else READ | WRITE
        never = uxn
    else:
        data = READ if read_only else READ | WRITE
        never = pxn
    if write_is_never_execute and data & WRITE:
        never = True
    return data | (0 if never else EXECUTE)


def stage1_permissions_single(leaf: Leaf, *, write_is_never_execute: bool = False) -> int:
    """What a regime with one exception level permits: EL2, EL3 (D4.4.4)."""
    read_only = bool(leaf.descriptor & ATTR_AP_READ_ONLY or leaf.tables & AP_TABLE_READ_ONLY)
    data = READ if read_only else READ | WRITE
    never = bool(leaf.descriptor & ATTR_UXN or leaf.tables & XN_TABLE)
    if write_is_never_execute and data & WRITE:
        never = True
    return data | (0 if never else EXECUTE)


def stage2_permissions(leaf: Leaf) -> int:
    """What stage 2 permits (D4.4.4, "S2AP")."""
    permissions = (READ if leaf.descriptor & S2AP_READ else 0) | (WRITE if leaf.descriptor & S2AP_WRITE else 0)
    return permissions | (EXECUTE if not leaf.descriptor & S2_XN and leaf.descriptor & S2AP_READ else 0)
