"""The 440FX: configuration ports, shadow RAM, SMRAM."""

from __future__ import annotations

import pytest

from pyqemu.hw.pci_host.i440fx import PAM_SEGMENTS, I440fxHost
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import FakeClock, System


class Board:
    """16 MiB of RAM, ROM from 0xC0000 to 0xFFFFF and a VGA window in PCI memory."""

    def __init__(self) -> None:
        self.system = System(clock=FakeClock())
        root = MemoryRegion.container("system")
        self.ram = MemoryRegion.ram("pc.ram", 16 << 20)
        root.add(0, MemoryRegion.alias("ram-below-4g", self.ram, 0, 16 << 20))
        io = MemoryRegion.container("io", 0x10000)
        self.memory = AddressSpace("memory", root)
        self.io = AddressSpace("I/O", io)
        self.host = I440fxHost(self.system, system_memory=root, io=io, address_space=self.memory, ram=self.ram)
        self.host.pci_memory.add(0xC0000, MemoryRegion.rom("pc.rom", b"\x5a" * 0x40000))
        self.host.pci_memory.add(0xA0000, MemoryRegion.rom("vga", b"\x76" * 0x20000))
        self.system.reset()
        smm = MemoryRegion.container("smm view")
        smm.add(0, MemoryRegion.alias("memory", root, 0, 1 << 32))
        smm.add(0, self.host.smram, 1)
        self.smm = AddressSpace("smm", smm)

    def select(self, register: int, devfn: int = 0) -> None:
        self.io.store(0xCF8, 4, 0x8000_0000 | devfn << 8 | register & 0xFC)

    def read(self, register: int, size: int = 1) -> int:
        self.select(register)
        return self.io.load(0xCFC + (register & 3), size)

    def write(self, register: int, value: int, size: int = 1) -> None:
        self.select(register)
        self.io.store(0xCFC + (register & 3), size, value)


@pytest.fixture
def board() -> Board:
    return Board()


def test_identity_through_the_ports(board: Board) -> None:
    assert board.read(0, 4) == 0x12378086
    assert board.read(8, 4) == 0x06000002
    assert board.read(4, 2) == 0x0006
    board.select(0x50, 0x20)
    assert board.io.load(0xCFC, 4) == 0xFFFF_FFFF
    assert board.io.load(0xCF8, 4) == 0x8000_2050


def test_without_the_enable_bit_nobody_answers(board: Board) -> None:
    board.io.store(0xCF8, 4, 0)
    assert board.io.load(0xCFC, 4) == 0xFFFF_FFFF


def test_the_address_port_is_a_long(board: Board) -> None:
    board.io.store(0xCF8, 4, 0x8000_0000)
    board.io.store(0xCF8, 1, 0x40)
    assert board.io.load(0xCF8, 4) == 0x8000_0000


def test_after_reset_all_is_rom(board: Board) -> None:
    for _, _, address, size in PAM_SEGMENTS:
        board.memory.store(address, 1, 0)
        assert board.memory.load(address, 1) == 0x5A
        assert board.memory.load(address + size - 1, 1) == 0x5A
    assert board.memory.load(0x9FFFF, 1) == 0
    assert board.memory.load(0x100000, 1) == 0


@pytest.mark.parametrize(("register", "shift", "address", "size"), PAM_SEGMENTS)
def test_each_segment_has_two_attributes(board: Board, register: int, shift: int, address: int, size: int) -> None:
    block = board.ram.ram_block
    assert block is not None
    last = address + size - 1
    board.write(register, 3 << shift)
    assert board.memory.load(address, 1) == 0  # RAM
    board.memory.store(address, 1, 0x11)
    board.memory.store(last, 1, 0x22)
    assert (block.data[address], block.data[last]) == (0x11, 0x22)
    board.write(register, 1 << shift)  # reads from RAM, writes lost
    board.memory.store(address, 1, 0x33)
    assert board.memory.load(address, 1) == 0x11
    assert board.memory.load(last, 1) == 0x22
    board.write(register, 0)
    assert board.memory.load(address, 1) == 0x5A
    others = [entry for entry in PAM_SEGMENTS if entry[2] != address]
    assert all(board.memory.load(entry[2], 1) == 0x5A for entry in others)


def test_one_long_write_sets_four_registers(board: Board) -> None:
    changes: list[int] = []
    board.memory.topology_listeners.append(lambda: changes.append(1))
    board.memory.lookup(0)
    board.write(0x5C, 0x33333333, 4)
    assert [board.memory.load(at, 1) for at in (0xC0000, 0xD0000, 0xEC000, 0xF0000)] == [0x5A, 0, 0, 0x5A]
    assert changes == [1]


def test_smram_is_hidden_until_opened(board: Board) -> None:
    assert board.memory.load(0xA0000, 1) == 0x76
    board.write(0x72, 0x4A)
    board.memory.store(0xA0000, 1, 0x99)
    board.write(0x72, 0x0A)
    assert board.memory.load(0xA0000, 1) == 0x76
    assert board.smm.load(0xA0000, 1) == 0x99
    board.write(0x72, 0x02)
    assert board.smm.load(0xA0000, 1) == 0x76


def test_locked_smram_stays_closed(board: Board) -> None:
    board.write(0x72, 0x5A)
    assert board.read(0x72) == 0x1A
    board.write(0x72, 0x4A)
    assert board.read(0x72) == 0x1A
    board.system.reset()
    assert board.read(0x72) == 0x02


def test_reset_restores_rom(board: Board) -> None:
    board.write(0x59, 0x30)
    board.memory.store(0xFFFF0, 1, 0)
    board.system.reset()
    assert board.memory.load(0xFFFF0, 1) == 0x5A


def test_state_is_as_long_as_qemus(board: Board) -> None:
    bridge = board.host.bridge
    assert bridge.vmstate is not None
    state = bridge.vmstate.save(bridge)
    assert len(state) == 277
    assert state[:8].hex() == "0000000286803712"
