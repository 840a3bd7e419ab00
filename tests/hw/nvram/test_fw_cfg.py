"""The firmware configuration interface, as a guest uses it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.hw.nvram import fw_cfg
from pyqemu.hw.nvram.fw_cfg import FwCfgIo, FwCfgMem
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import DeviceError


class Guest:
    """RAM, ports, and a firmware's routines."""

    def __init__(self, dma: bool = True) -> None:
        root = MemoryRegion.container("system")
        root.add(0, MemoryRegion.ram("ram", 4 << 20))
        self.memory = AddressSpace("memory", root)
        io = MemoryRegion.container("io", 0x10000)
        self.io = AddressSpace("I/O", io)
        self.device = FwCfgIo(self.memory, dma_enabled=dma)
        self.device.map(io)

    def read(self, count: int) -> bytes:
        return bytes(self.io.load(0x511, 1) for _ in range(count))

    def item(self, key: int, count: int) -> bytes:
        self.io.store(0x510, 2, key)
        return self.read(count)

    def dma(self, control: int, length: int, address: int, at: int = 0x1000) -> int:
        self.memory.write(at, struct.pack(">IIQ", control, length, address))
        self.io.store(0x514, 4, 0)
        self.io.store(0x518, 4, int.from_bytes(at.to_bytes(4, "big"), "little"))
        (result,) = struct.unpack(">I", self.memory.read(at, 4))
        return int(result)


@pytest.fixture
def guest() -> Guest:
    return Guest()


def test_signature_and_features(guest: Guest) -> None:
    assert guest.item(fw_cfg.SIGNATURE, 4) == b"QEMU"
    assert guest.item(fw_cfg.ID, 4) == b"\3\0\0\0"
    assert guest.io.load(0x514, 4) == int.from_bytes(b"QEMU", "little")
    assert guest.io.load(0x518, 4) == int.from_bytes(b" CFG", "little")


def test_without_dma_there_is_no_bit_and_no_register() -> None:
    guest = Guest(dma=False)
    assert guest.item(fw_cfg.ID, 4) == b"\1\0\0\0"
    assert guest.io.load(0x514, 4) == 0xFFFF_FFFF


def test_behind_the_end_and_unknown_items_are_zeros(guest: Guest) -> None:
    guest.device.add_i16(fw_cfg.NB_CPUS, 0x1234)
    assert guest.item(fw_cfg.NB_CPUS, 4) == b"\x34\x12\0\0"
    assert guest.item(0x1F, 2) == b"\0\0"
    assert guest.item(fw_cfg.NB_CPUS, 1) == b"\x34"


def test_directory_lists_files_by_name(guest: Guest) -> None:
    guest.device.add_file("etc/zeta", b"zz")
    guest.device.add_file("bootorder", lambda: b"late\0")
    directory = guest.item(fw_cfg.FILE_DIR, 4 + 2 * 64)
    assert struct.unpack_from(">I", directory) == (2,)
    entries = [struct.unpack_from(">IHH56s", directory, 4 + 64 * n) for n in range(2)]
    assert [(size, key, name.rstrip(b"\0")) for size, key, _, name in entries] == [
        (5, 0x20, b"bootorder"), (2, 0x21, b"etc/zeta"),
    ]  # fmt: skip
    assert guest.item(0x21, 2) == b"zz"
    assert guest.item(guest.device.key_of("bootorder"), 5) == b"late\0"
    guest.device.modify_file("etc/zeta", b"new")
    assert guest.item(0x21, 3) == b"new"


def test_dma_selects_reads_and_skips(guest: Guest) -> None:
    guest.device.add_file("data", bytes(range(100)))
    assert guest.dma(0x20 << 16 | fw_cfg.DMA_SELECT | fw_cfg.DMA_READ, 10, 0x2000) == 0
    assert guest.memory.read(0x2000, 10) == bytes(range(10))
    assert guest.dma(fw_cfg.DMA_SKIP, 80, 0) == 0
    guest.memory.write(0x2000, b"\xee" * 32)
    assert guest.dma(fw_cfg.DMA_READ, 20, 0x2000) == 0
    assert guest.memory.read(0x2000, 21) == bytes(range(90, 100)) + bytes(10) + b"\xee"


def test_dma_tells_translated_code(guest: Guest) -> None:
    guest.device.add_file("data", b"code")
    heard: list[tuple[int, int]] = []
    guest.memory.write_listeners.append(lambda block, offset, length: heard.append((offset, length)))
    guest.dma(0x20 << 16 | fw_cfg.DMA_SELECT | fw_cfg.DMA_READ, 4, 0x2000)
    assert (0x2000, 4) in heard


def test_one_64_bit_write_starts_dma_too(guest: Guest) -> None:
    guest.memory.write(0x1000, struct.pack(">IIQ", fw_cfg.DMA_SELECT | fw_cfg.DMA_READ, 4, 0x2000))
    guest.io.store(0x514, 8, int.from_bytes((0x1000).to_bytes(8, "big"), "little"))
    assert guest.memory.read(0x2000, 4) == b"QEMU"


def test_endless_read_beyond_the_ram_ends_with_an_error(guest: Guest) -> None:
    assert guest.dma(fw_cfg.DMA_SELECT | fw_cfg.DMA_READ, 0xFFFF_FFFF, 0x8000_0000) == fw_cfg.DMA_ERROR


@given(st.integers(0, 15), st.integers(0, 40), st.integers(0, 40))
def test_dma_and_port_reads_are_one_stream(skip: int, by_dma: int, by_port: int) -> None:
    guest = Guest()
    data = bytes(range(1, 50))
    guest.device.add_file("data", data)
    guest.dma(0x20 << 16 | fw_cfg.DMA_SELECT | fw_cfg.DMA_SKIP, skip, 0)
    guest.dma(fw_cfg.DMA_READ, by_dma, 0x2000)
    got = guest.memory.read(0x2000, by_dma) + guest.read(by_port)
    assert got == data[skip : skip + by_dma + by_port].ljust(by_dma + by_port, b"\0")


def test_names_and_slots_have_limits(guest: Guest) -> None:
    guest.device.add_file("a", b"")
    with pytest.raises(DeviceError, match="duplicate fw_cfg file name: a"):
        guest.device.add_file("a", b"")
    with pytest.raises(DeviceError, match="longer than 55"):
        guest.device.add_file("n" * 56, b"")
    for number in range(31):
        guest.device.add_file(f"f{number}", b"")
    with pytest.raises(DeviceError, match="no free slot for file 'b'"):
        guest.device.add_file("b", b"")
    with pytest.raises(ValueError, match="not for fixed items"):
        guest.device.add_bytes(0x20, b"")


def test_reset_selects_the_signature(guest: Guest) -> None:
    guest.item(fw_cfg.ID, 1)
    guest.device.reset()
    assert guest.read(4) == b"QEMU"


def test_state_bytes(guest: Guest) -> None:
    guest.item(fw_cfg.ID, 2)
    assert guest.device.vmstate is not None
    state = guest.device.vmstate.save(guest.device)
    assert state == b"\0\1\0\0\0\2\5\x0afw_cfg/dma\0\0\0\0" + bytes(8)
    guest.device.reset()
    guest.device.vmstate.load(guest.device, state)
    assert guest.read(2) == b"\0\0"
    assert guest.device.position == 4


def test_memory_mapped_form() -> None:
    root = MemoryRegion.container("system")
    root.add(0, MemoryRegion.ram("ram", 1 << 20))
    memory = AddressSpace("memory", root)
    device = FwCfgMem(memory)
    device.map(root, 0x0902_0000)
    memory.store(0x0902_0008, 2, 0x1900)  # big-endian: item 0x19
    assert memory.load(0x0902_0000, 4) == 0
    memory.store(0x0902_0008, 2, 0)
    assert memory.load(0x0902_0000, 4) == int.from_bytes(b"QEMU", "little")
    memory.write(0x1000, struct.pack(">IIQ", fw_cfg.DMA_SELECT | fw_cfg.DMA_READ, 4, 0x2000))
    memory.store(0x0902_0010, 8, int.from_bytes((0x1000).to_bytes(8, "big"), "little"))
    assert memory.read(0x2000, 4) == b"QEMU"
