"""Short-descriptor tables, by themselves and below a processor (ARM DDI 0406C.b, B3.5, B3.7, B3.13)."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.exceptions import ArmException, Kind
from pyqemu.targets.arm.short_descriptors import (
    EXECUTE,
    READ,
    WRITE,
    Regime,
    ShortFault,
    ShortLeaf,
    first_table,
    permissions,
    walk,
)
from tests.targets.arm.guest import CODE, DATA, Guest

TTB, TABLE = 0x4000, 0x9000
ALL = READ | WRITE | EXECUTE


def found(words: dict[int, int], address: int, **options: int) -> ShortLeaf:
    return walk(Regime(TTB, dacr=1, **options), address, lambda place: words.get(place, 0))  # type: ignore[arg-type]


def test_section() -> None:
    leaf = found({TTB + 4 * 0x123: 0x45600C02}, 0x12345678)
    assert (leaf.address, leaf.bits, leaf.ap, leaf.domain, leaf.xn) == (0x45600000, 20, 3, 0, False)


def test_supersection_has_40_bits() -> None:
    leaf = found({TTB + 4 * 0x123: 0x45250C02 | 1 << 18}, 0x12345678)
    assert (leaf.address, leaf.bits) == (0x45000000 | 2 << 32, 24)


def test_small_and_large_page() -> None:
    words = {
        TTB + 4 * 0x123: TABLE | 0x5 << 5 | 1,
        TABLE + 4 * 0x45: 0xABCDE232,
        TABLE + 4 * 0x50: 0x12340031 | 1 << 15,
    }
    small, large = found(words, 0x12345678), found(words, 0x12350004)
    assert (small.address, small.bits, small.ap, small.domain, small.xn) == (0xABCDE000, 12, 7, 5, False)
    assert (large.address, large.bits, large.ap, large.xn) == (0x12340000, 16, 3, True)


def test_subpages_of_armv5() -> None:
    words = {TTB: TABLE | 1, TABLE: 0x00005002 | 0b11_10_01_00 << 4}
    aps = [found(words, address, subpages=1, fine=1).ap for address in (0, 0x400, 0x800, 0xC00)]
    assert aps == [0, 1, 2, 3]


def test_tiny_pages_of_armv5() -> None:
    words = {TTB: TABLE | 3, TABLE + 4 * 5: 0x00006433}
    leaf = found(words, 5 * 1024 + 7, subpages=1, fine=1)
    assert (leaf.address, leaf.bits, leaf.ap) == (0x6400, 10, 3)
    with pytest.raises(ShortFault):
        found(words, 5 * 1024)


@pytest.mark.parametrize(
    ("ttbcr", "address", "expected"),
    [(0, 0xFFFFFFFF, (TTB, 0)), (1, 0x7FFFFFFF, (TTB, 1)), (1, 0x80000000, (0x8000, 0)), (7, 0x02000000, (0x8000, 0)),
     (7, 0x01FFFFFF, (TTB, 7))],
)  # fmt: skip
def test_which_table(ttbcr: int, address: int, expected: tuple[int, int]) -> None:
    assert first_table(Regime(TTB, 0x8000, ttbcr), address) == expected


def test_walks_can_be_disabled() -> None:
    with pytest.raises(ShortFault):
        first_table(Regime(TTB, 0x8000, 1 | 1 << 5), 0x80000000)


@pytest.mark.parametrize(
    ("ap", "privileged", "user"),
    [(0, 0, 0), (1, ALL, 0), (2, ALL, READ | EXECUTE), (3, ALL, ALL), (5, READ | EXECUTE, 0),
     (6, READ | EXECUTE, READ | EXECUTE), (7, READ | EXECUTE, READ | EXECUTE)],
)  # fmt: skip
def test_access_permissions(ap: int, privileged: int, user: int) -> None:
    regime, leaf = Regime(TTB, dacr=1), ShortLeaf(0, 12, ap, 0)
    assert (permissions(regime, leaf, user=False), permissions(regime, leaf, user=True)) == (privileged, user)


def test_domains() -> None:
    leaf = ShortLeaf(0, 20, 0, 2, xn=True)
    assert permissions(Regime(TTB, dacr=3 << 4), leaf, user=True) == ALL
    with pytest.raises(ShortFault) as fault:
        permissions(Regime(TTB, dacr=0), leaf, user=False)
    assert fault.value.status == 0x29


def test_access_flag() -> None:
    regime = Regime(TTB, dacr=1, access_flag=True)
    with pytest.raises(ShortFault) as fault:
        permissions(regime, ShortLeaf(0, 12, 2, 0), user=False)
    assert fault.value.status == 6
    assert permissions(regime, ShortLeaf(0, 12, 1, 0), user=True) == 0
    assert permissions(regime, ShortLeaf(0, 12, 3, 0), user=True) == ALL


# --- below a processor ------------------------------------------------------------------------------------------------


@pytest.fixture
def mapped(guest: Guest) -> Guest:
    """The first megabyte is itself, for privileged code; 0x400000 is the third one, by pages."""
    guest.put(TTB, 0x00000402)
    guest.put(TTB + 4 * 4, TABLE | 1)
    guest.put(TABLE, 0x00200032)  # all
    guest.put(TABLE + 4, 0x00201022)  # User mode only reads
    guest.put(TABLE + 8, 0x00202033)  # never executed
    for numbers, value in (((2, 0, 0), TTB), ((3, 0, 0), 1), ((1, 0, 0), guest.cpu.sys.sctlr_el1 | 1)):
        guest.cpu.write_coprocessor(15, 0, *numbers, value)
    return guest


def test_pages_are_where_the_table_says(mapped: Guest) -> None:
    mapped.put(0x200010, 0xCAFE)
    assert mapped.run("ldr r0, [r1]; str r0, [r1, #4]", r1=0x400010) is None
    assert (mapped.cpu.r[0], mapped.word(0x200014)) == (0xCAFE, 0xCAFE)


@pytest.mark.parametrize(
    ("text", "address", "status"),
    [("ldr r0, [r1]", 0x500000, 0x005), ("str r0, [r1]", 0x500000, 0x805), ("ldr r0, [r1]", 0x403000, 0x007),
     ("strt r0, [r1]", 0x401000, 0x80F), ("ldrt r0, [r1]", 0x8000, 0x00D)],
)  # fmt: skip
def test_faults(mapped: Guest, text: str, address: int, status: int) -> None:
    mapped.take(text, r1=address)
    cpu = mapped.cpu
    assert (cpu.read_coprocessor(15, 0, 5, 0, 0), cpu.read_coprocessor(15, 0, 6, 0, 0)) == (status, address)


def test_never_executed(mapped: Guest) -> None:
    found_ = mapped.run("bx r1", r1=0x402000)
    assert found_ is not None
    assert (found_.kind, found_.status, found_.address) == (Kind.PREFETCH_ABORT, 15, 0x402000)


def test_user_mode_sees_less(mapped: Guest) -> None:
    with pytest.raises(ArmException):
        mapped.cpu.fill(CODE, 0, 1)
    assert mapped.cpu.fill(0x401000, 0, 1)[1] == READ | EXECUTE
    assert mapped.cpu.fill(0x400000, 0, 1) == (0x200000, ALL, 4096)


def test_a_new_domain_register_is_seen_at_once(mapped: Guest) -> None:
    assert mapped.run("ldr r0, [r1]", r1=DATA) is None
    found_ = mapped.run("mcr p15, 0, r2, c3, c0, 0; ldr r0, [r1]", r1=DATA, r2=0)
    assert found_ is not None
    assert found_.kind in (Kind.DATA_ABORT, Kind.PREFETCH_ABORT)
    assert found_.status & 15 == 9


def test_invalidation_of_a_page(mapped: Guest) -> None:
    mapped.put(0x200000, 1)
    mapped.put(0x203000, 2)
    mapped.run("ldr r0, [r1]", r1=0x400000)
    mapped.put(TABLE, 0x00203032)
    mapped.run("mcr p15, 0, r1, c8, c7, 1; ldr r0, [r1]", r1=0x400000)
    assert mapped.cpu.r[0] == 2


def test_address_translation_by_hand(mapped: Guest) -> None:
    mapped.run("mcr p15, 0, r0, c7, c8, 0; mrc p15, 0, r1, c7, c4, 0", r0=0x401234)
    assert mapped.cpu.r[1] == 0x201000
    mapped.run("mcr p15, 0, r0, c7, c8, 0; mrc p15, 0, r1, c7, c4, 0", r0=0x500000)
    assert mapped.cpu.r[1] == 1 | 5 << 1


def test_fast_context_switch() -> None:
    """FCSE of ARMv5: addresses below 32 MiB are those of a process."""
    old = Guest("python", "arm926")
    old.put(TTB, 0x00000C12)
    old.put(TTB + 4 * 0x20, 0x00300C12)
    for numbers, value in (((2, 0, 0), TTB), ((3, 0, 0), 1), ((13, 0, 0), 0x02000000)):
        old.cpu.write_coprocessor(15, 0, *numbers, value)
    old.cpu.write_coprocessor(15, 0, 1, 0, 0, old.cpu.sys.sctlr_el1 | 1)
    assert old.cpu.debug_translate(0x1234) == 0x301234
