"""The configuration interface in memory, as boards without ports have it."""

from __future__ import annotations

import pytest

from pyqemu.hw.nvram.fw_cfg import ID, SIGNATURE, FwCfgMem
from pyqemu.memory import AddressSpace, MemoryRegion
from tests.qtest_reference import QtestReference, needs_qemu_arm

BASE = 0x09020000
SELECTOR, DMA = 8, 16


@pytest.fixture
def space() -> AddressSpace:
    memory = MemoryRegion.container("memory")
    memory.add(0x40000000, MemoryRegion.ram("ram", 1 << 20))
    space = AddressSpace("memory", memory)
    FwCfgMem(space).map(memory, BASE)
    return space


def test_a_command_by_dma(space: AddressSpace) -> None:
    request = 0x40000100
    space.write(request, bytes.fromhex("0000000a 00000004 0000000040000200".replace(" ", "")))  # select 0, read
    space.store(BASE + DMA, 8, int.from_bytes(request.to_bytes(8, "big"), "little"))
    assert space.read(0x40000200, 4) == b"QEMU" and space.read(request, 4) == bytes(4)


@needs_qemu_arm
def test_registers_are_qemus(space: AddressSpace) -> None:
    """All widths; the selector is big-endian, and data comes in the order of memory."""
    with QtestReference("-M", "virt-2.6", "-cpu", "cortex-a15") as qemu:
        for key in (SIGNATURE, ID, 0x7777):
            swapped = key >> 8 | (key & 0xFF) << 8
            for size in (1, 2, 4, 8):
                space.store(BASE + SELECTOR, 2, swapped)
                qemu.write(BASE + SELECTOR, swapped, 2)
                assert space.load(BASE, size) == qemu.read(BASE, size)
        for size in (4, 8):
            assert space.load(BASE + DMA, size) == qemu.read(BASE + DMA, size)
