"""A CD-ROM drive's answer that was saved while its blocks go through the data port: nothing is lost unnoticed."""

from __future__ import annotations

import struct

import pytest
from ide_rig import SECONDARY, Rig, cd_image

from pyqemu.hw.ide.state import IO_BUFFER_SIZE, ide_pci_vmstate, unit_vmstate
from pyqemu.qom.vmstate import LoadError

BLOCKS_THAT_FIT = IO_BUFFER_SIZE // 2048
ABORTED = (0xB, 8)


def made() -> Rig:
    rig = Rig(cd=cd_image())
    rig.base = SECONDARY
    return rig


def begin(rig: Rig, count: int, limit: int) -> None:
    """READ (10) of blocks from the third on; the first block of its answer is there then."""
    rig.outb(6, 0xA0)
    rig.outb(1, 0)
    rig.outb(4, limit & 0xFF)
    rig.outb(5, limit >> 8)
    rig.outb(7, 0xA0)
    assert rig.wait() & 0x89 == 0x08
    for word in (0x28, 0, 0x0300, 0, count, 0):
        rig.io.store(rig.base, 2, word)
    assert rig.wait() & 0x89 == 0x08


def take(rig: Rig, count: int) -> bytes:
    return b"".join(rig.io.load(rig.base, 2).to_bytes(2, "little") for _ in range(count // 2))


def rest(rig: Rig, left_of_block: int) -> bytes:
    """All that comes from here on."""
    data = take(rig, left_of_block)
    while rig.wait() & 0x88 == 0x08:
        data += take(rig, rig.inb(4) | rig.inb(5) << 8)
    return data


@pytest.mark.parametrize(("count", "limit", "taken"), [(4, 2048, 100), (4, 0xFFFE, 0), (40, 3000, 2998), (64, 512, 2)])
def test_it_goes_on(count: int, limit: int, taken: int) -> None:
    source, copy = made(), made()
    begin(source, count, limit)
    first = take(source, taken)
    state = ide_pci_vmstate.save(source.ide)
    assert all(ide_pci_vmstate.save(source.ide) == state for _ in range(3))
    ide_pci_vmstate.load(copy.ide, state)
    size = min(limit, 2048 * count)
    expected = source.drives["cd"].read(3 * 2048, count * 2048)
    assert first + rest(copy, size - taken) == expected
    assert copy.altstatus == 0x50
    assert first + rest(source, size - taken) == expected, "the source goes on, if nothing comes of it"


def test_what_does_not_fit_makes_the_command_fail() -> None:
    source, copy = made(), made()
    begin(source, BLOCKS_THAT_FIT + 36, 2048)
    ide_pci_vmstate.load(copy.ide, ide_pci_vmstate.save(source.ide))
    data = rest(copy, 2048)
    assert data == source.drives["cd"].read(3 * 2048, len(data))
    assert len(data) == BLOCKS_THAT_FIT * 2048
    assert copy.altstatus & 1
    assert copy.sense() == ABORTED


def test_an_answer_in_one_block_says_that_nothing_follows() -> None:
    """QEMU would send the block again otherwise."""
    rig = made()
    begin(rig, 1, 2048)
    state = unit_vmstate.save(rig.ide.secondary_units[0])
    *_, ahead, left = struct.unpack(">iiBii", state[state.index(b"pio_state") + 13 + 4 + IO_BUFFER_SIZE :][:17])
    assert (ahead, left) == (0, 0)


@pytest.mark.parametrize("what", [(-1, 0), (0, -1)])
def test_impossible_amounts_are_refused(what: tuple[int, int]) -> None:
    rig = made()
    begin(rig, 1, 2048)
    unit = rig.ide.secondary_units[0]
    state = bytearray(unit_vmstate.save(unit))
    at = state.index(b"pio_state") + 13 + 4 + IO_BUFFER_SIZE + 9
    state[at : at + 8] = struct.pack(">ii", *what)
    with pytest.raises(LoadError, match="what is left of an answer"):
        unit_vmstate.load(made().ide.secondary_units[0], bytes(state))
