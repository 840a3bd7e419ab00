"""Long-descriptor tables: walks, what they permit, and where they end in a fault."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.long_descriptors import (
    AP_TABLE_NO_EL0,
    AP_TABLE_READ_ONLY,
    ATTR_AF,
    ATTR_AP_EL0,
    ATTR_AP_READ_ONLY,
    ATTR_PXN,
    ATTR_UXN,
    EXECUTE,
    PXN_TABLE,
    READ,
    WRITE,
    XN_TABLE,
    FaultKind,
    Leaf,
    Table,
    TranslationFault,
    stage1_permissions,
    stage1_permissions_single,
    stage2_permissions,
    walk,
)

PAGE, BLOCK, NEXT = 3 | ATTR_AF, 1 | ATTR_AF, 3
ALL = READ | WRITE | EXECUTE


class Tables(dict[int, int]):
    """Memory that has descriptors only."""

    def read(self, address: int) -> int:
        return self.get(address, 0)


def test_four_levels_of_4_kib() -> None:
    tables = Tables({
        0x1000 + 8 * 1: 0x2000 | NEXT, 0x2000 + 8 * 2: 0x3000 | NEXT | AP_TABLE_READ_ONLY,
        0x3000 + 8 * 3: 0x4000 | NEXT, 0x4000 + 8 * 4: 0x7654_3000 | PAGE,
    })  # fmt: skip
    address = 1 << 39 | 2 << 30 | 3 << 21 | 4 << 12 | 0x567
    leaf = walk(Table(0x1000, 48), address, tables.read)
    assert (leaf.address, leaf.bits, leaf.level) == (0x7654_3000, 12, 3)
    assert leaf.tables & AP_TABLE_READ_ONLY
    assert [(level, place) for level, place, _ in leaf.path] == [(0, 0x1008), (1, 0x2010), (2, 0x3018), (3, 0x4020)]


@pytest.mark.parametrize(("bits", "first"), [(48, 0), (40, 0), (39, 1), (32, 1), (30, 2), (25, 2)])
def test_fewer_bits_begin_further_down(bits: int, first: int) -> None:
    assert Table(0, bits).first_level == first


@pytest.mark.parametrize(
    ("grain", "level", "bits"), [(12, 1, 30), (12, 2, 21), (14, 2, 25), (16, 2, 29), (14, 3, 14), (16, 3, 16)]
)
def test_blocks_and_pages_of_each_granule(grain: int, level: int, bits: int) -> None:
    start = {12: 48, 14: 47, 16: 42}[grain]
    table = Table(0x10000, start, grain)
    tables, base = Tables(), 0x10000
    for step in range(table.first_level, level):
        tables[base] = 0x100000 * (step + 1) | NEXT
        base = 0x100000 * (step + 1)
    tables[base] = 0x7 << 40 | (PAGE if level == 3 else BLOCK)
    leaf = walk(table, 0x123, tables.read)
    assert (leaf.address, leaf.bits) == (0x7 << 40, bits)


@pytest.mark.parametrize(
    ("tables", "kind", "level"),
    [
        ({}, FaultKind.TRANSLATION, 0),
        ({0x1000: 0x2000 | NEXT}, FaultKind.TRANSLATION, 1),
        ({0x1000: BLOCK}, FaultKind.TRANSLATION, 0),  # no blocks of 512 GiB
        ({0x1000: 0x2000 | NEXT, 0x2000: 1}, FaultKind.ACCESS_FLAG, 1),
        ({0x1000: 0x2000 | NEXT, 0x2000: 1 << 47 | NEXT}, FaultKind.ADDRESS_SIZE, 1),
        (
            {0x1000: 0x2000 | NEXT, 0x2000: 0x3000 | NEXT, 0x3000: 0x4000 | NEXT, 0x4000: BLOCK},
            FaultKind.TRANSLATION,
            3,
        ),
    ],
)
def test_faults_tell_the_level(tables: dict[int, int], kind: FaultKind, level: int) -> None:
    with pytest.raises(TranslationFault) as caught:
        walk(Table(0x1000, 48, output_bits=44), 0, Tables(tables).read)
    assert (caught.value.kind, caught.value.level) == (kind, level)
    assert caught.value.status == kind | level


def leaf_of(descriptor: int, tables: int = 0) -> Leaf:
    return Leaf(descriptor, 0, 12, 3, tables)


@pytest.mark.parametrize(
    ("descriptor", "tables", "at_el1", "at_el0"),
    [
        (0, 0, ALL, EXECUTE),
        (ATTR_AP_READ_ONLY, 0, READ | EXECUTE, EXECUTE),
        (ATTR_AP_EL0, 0, READ | WRITE, ALL),  # what EL0 may write, EL1 never executes
        (ATTR_AP_EL0 | ATTR_AP_READ_ONLY, 0, READ | EXECUTE, READ | EXECUTE),
        (ATTR_AP_EL0 | ATTR_UXN, 0, READ | WRITE, READ | WRITE),
        (ATTR_PXN, 0, READ | WRITE, EXECUTE),
        (ATTR_AP_EL0, AP_TABLE_NO_EL0, ALL, EXECUTE),
        (ATTR_AP_EL0, AP_TABLE_READ_ONLY, READ | EXECUTE, READ | EXECUTE),
        (0, XN_TABLE | PXN_TABLE, READ | WRITE, 0),
    ],
)
def test_what_stage_1_permits(descriptor: int, tables: int, at_el1: int, at_el0: int) -> None:
    leaf = leaf_of(descriptor, tables)
    assert stage1_permissions(leaf, unprivileged=False) == at_el1
    assert stage1_permissions(leaf, unprivileged=True) == at_el0
    expected = at_el1 & ~EXECUTE if at_el1 & WRITE else at_el1
    assert stage1_permissions(leaf, unprivileged=False, write_is_never_execute=True) == expected


def test_what_a_regime_of_one_level_permits() -> None:
    assert stage1_permissions_single(leaf_of(0)) == ALL
    assert stage1_permissions_single(leaf_of(ATTR_AP_READ_ONLY | ATTR_UXN)) == READ
    assert stage1_permissions_single(leaf_of(0), write_is_never_execute=True) == READ | WRITE


@pytest.mark.parametrize(("access", "expected"), [(0, 0), (1, READ | EXECUTE), (2, WRITE), (3, ALL)])
def test_what_stage_2_permits(access: int, expected: int) -> None:
    assert stage2_permissions(leaf_of(access << 6)) == expected
    assert stage2_permissions(leaf_of(access << 6 | ATTR_UXN)) == expected & ~EXECUTE
