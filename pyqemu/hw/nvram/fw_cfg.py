"""The firmware configuration interface (QEMU ``docs/specs/fw_cfg.txt``).

The guest's firmware selects an item by its number and reads its bytes one by one or by DMA. Some
items have fixed numbers; the rest are files, found by name in the directory item. Files are kept
sorted by name, so an item's number is known only once all are there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import Device, DeviceError, Property, device_class
from pyqemu.qom.vmstate import U16, U32, U64, Scope, VMState
from pyqemu.util.trace_events import SILENT, TraceEvents

# fmt: off
SIGNATURE      = 0x00
ID             = 0x01
UUID           = 0x02
RAM_SIZE       = 0x03
NOGRAPHIC      = 0x04
NB_CPUS        = 0x05
MACHINE_ID     = 0x06
KERNEL_ADDR    = 0x07
KERNEL_SIZE    = 0x08
KERNEL_CMDLINE = 0x09
INITRD_ADDR    = 0x0A
INITRD_SIZE    = 0x0B
BOOT_DEVICE    = 0x0C
NUMA           = 0x0D
BOOT_MENU      = 0x0E
MAX_CPUS       = 0x0F
KERNEL_ENTRY   = 0x10
KERNEL_DATA    = 0x11
INITRD_DATA    = 0x12
CMDLINE_ADDR   = 0x13
CMDLINE_SIZE   = 0x14
CMDLINE_DATA   = 0x15
SETUP_ADDR     = 0x16
SETUP_SIZE     = 0x17
SETUP_DATA     = 0x18
FILE_DIR       = 0x19
FILE_FIRST     = 0x20
ARCH_LOCAL     = 0x8000
WRITE_CHANNEL  = 0x4000
INVALID        = 0xFFFF
# fmt: on

ACPI_TABLES = ARCH_LOCAL | 0
SMBIOS_ENTRIES = ARCH_LOCAL | 1
IRQ0_OVERRIDE = ARCH_LOCAL | 2
E820_TABLE = ARCH_LOCAL | 3
HPET = ARCH_LOCAL | 4

VERSION = 0x01
VERSION_DMA = 0x02
DMA_SIGNATURE = b"QEMU CFG"

DMA_ERROR = 0x01
DMA_READ = 0x02
DMA_SKIP = 0x04
DMA_SELECT = 0x08

MAX_FILE_NAME = 55
_BURST = 1 << 20  # zeros behind an item are written to guest memory in such pieces

Contents = bytes | Callable[[], bytes]


@dataclass
class Item:
    """Some bytes, or a function that makes them when the item is selected."""

    contents: Contents

    def resolve(self) -> bytes:
        """Return the bytes as of now."""
        if not isinstance(self.contents, bytes):
            return self.contents()
        return self.contents


class _OldPosition(U16):
    """The position in states of version 1 had 16 bits."""

    def exists(self, device: object) -> bool:
        return False

    def expected(self, scope: Scope) -> bool:
        return scope.version == 1

    def declare(self) -> dict[str, Any]:
        return {**super().declare(), "field_exists": True, "size": 4}


class FwCfg(Device):
    """The items and the guest's place in them; subclasses add the registers."""

    dma_enabled = Property.bool("dma_enabled", True)

    vmstate = VMState(
        "fw_cfg",
        version=2,
        minimum_version=1,
        fields=(
            U16("selected", wire="cur_entry"), _OldPosition("position", wire="cur_offset[0]"),
            U32("position", wire="cur_offset[1]", since=2),
        ),
        subsections=(
            VMState("fw_cfg/dma", version=0, fields=(U64("dma_address", wire="dma_addr"),),
                    needed=lambda device: bool(device.dma_enabled)),
        ),
        post_load=lambda device: device.reload(),
    )  # fmt: skip

    def __init__(
        self, memory: AddressSpace | None = None, file_slots: int = 0x20, *, trace: TraceEvents = SILENT,
        **props: object,
    ) -> None:  # fmt: skip
        super().__init__(**props)
        self.trace = trace
        self._memory = memory
        self._slots = file_slots
        self._items: dict[int, Item] = {}
        self._files: dict[str, Item] = {}
        self._by_key: dict[int, Item] = {}
        self.selected = 0
        self.position = 0
        self.dma_address = 0
        self._data: bytes | None = None  # of the selected item; None for an invalid one
        if memory is None:
            self.dma_enabled = False
        self.add_bytes(SIGNATURE, b"QEMU")
        self.add_i32(ID, VERSION | (VERSION_DMA if self.dma_enabled else 0))
        self._items[FILE_DIR] = Item(self._directory)
        self.select(SIGNATURE)

    # -- the host's side

    def add_bytes(self, key: int, data: Contents) -> None:
        """Set the item of a fixed number."""
        key &= ~WRITE_CHANNEL
        if FILE_FIRST <= key < FILE_FIRST + self._slots or key > ARCH_LOCAL + FILE_FIRST:
            raise ValueError(f"fw_cfg key {key:#x} is not for fixed items")
        self._items[key] = Item(data)

    def add_string(self, key: int, text: str) -> None:
        """Set an item to a text with its terminating zero."""
        self.add_bytes(key, text.encode() + b"\0")

    def add_i16(self, key: int, value: int) -> None:
        """Set an item to a 16-bit little-endian number."""
        self.add_bytes(key, struct.pack("<H", value))

    def add_i32(self, key: int, value: int) -> None:
        """Set an item to a 32-bit little-endian number."""
        self.add_bytes(key, struct.pack("<I", value))

    def add_i64(self, key: int, value: int) -> None:
        """Set an item to a 64-bit little-endian number."""
        self.add_bytes(key, struct.pack("<Q", value))

    modify_i16 = add_i16

    def add_file(self, name: str, data: Contents) -> None:
        """Add a file.

        :raise DeviceError: the name is too long or taken, or there is no number left.
        """
        if len(name.encode()) > MAX_FILE_NAME:
            raise DeviceError(f"fw_cfg: file name '{name}' is longer than {MAX_FILE_NAME} bytes")
        if name in self._files:
            raise DeviceError(f"duplicate fw_cfg file name: {name}")
        if len(self._files) >= self._slots:
            raise DeviceError(f"fw_cfg: no free slot for file '{name}'", f"there are {self._slots}")
        self._files[name] = Item(data)
        self._index()
        if event := self.trace.fw_cfg_add_file:
            event(s=id(self), index=len(self._files) - 1, name=name, len=len(self.file(name)))

    def modify_file(self, name: str, data: Contents) -> None:
        """Replace a file's contents, or add it."""
        if name in self._files:
            self._files[name].contents = data
        else:
            self.add_file(name, data)

    @property
    def file_names(self) -> list[str]:
        """The names of the files, in the directory's order."""
        return sorted(self._files, key=str.encode)

    def file(self, name: str) -> bytes:
        """A file's contents.

        :raise KeyError: there is none of that name.
        """
        return self._files[name].resolve()

    def item(self, key: int) -> bytes:
        """An item's bytes; empty if there is none."""
        found = self._find(key)
        return found.resolve() if found is not None else b""

    def key_of(self, name: str) -> int:
        """A file's number."""
        return FILE_FIRST + self.file_names.index(name)

    def _index(self) -> None:
        self._by_key = {FILE_FIRST + n: self._files[name] for n, name in enumerate(self.file_names)}

    def _directory(self) -> bytes:
        out = struct.pack(">I", len(self._files))
        for number, name in enumerate(self.file_names):
            size = len(self._files[name].resolve())
            out += struct.pack(">IHH56s", size, FILE_FIRST + number, 0, name.encode())
        return out.ljust(4 + 64 * self._slots, b"\0")

    # -- the guest's side

    def _find(self, key: int) -> Item | None:
        key &= ~WRITE_CHANNEL
        return self._items.get(key) or self._by_key.get(key)

    def select(self, key: int) -> None:
        """Select an item, and go to its begin."""
        self.position = 0
        item = self._find(key)
        self.selected = key if item is not None else INVALID
        self._data = item.resolve() if item is not None else None
        if event := self.trace.fw_cfg_select:
            event(s=id(self), key=key, ret=item is not None)

    def reload(self) -> None:
        """Fetch the selected item again, keeping the position."""
        item = self._find(self.selected)
        self._data = item.resolve() if item is not None else None

    def read_data(self, count: int) -> bytes:
        """Return the next bytes; behind the end there are zeros."""
        data = self._data or b""
        taken = data[self.position : self.position + count]
        self.position = min(self.position + count, len(data))
        taken = taken.ljust(count, b"\0")
        if event := self.trace.fw_cfg_read:
            event(s=id(self), ret=int.from_bytes(taken, "big"))
        return taken

    def dma_transfer(self) -> None:
        """Carry out the command at ``dma_address``: control, length, address, all big-endian."""
        memory, where = self._memory, self.dma_address
        self.dma_address = 0
        if memory is None:
            return
        control, length, address = struct.unpack(">IIQ", memory.read(where, 16))
        if control & DMA_SELECT:
            self.select(control >> 16)
        result = 0
        if control & DMA_READ:
            result = self._dma_read(memory, address, length)
        elif control & DMA_SKIP:
            self.read_data_skip(length)
        memory.write(where, struct.pack(">I", result))

    def read_data_skip(self, count: int) -> None:
        """Move on without reading."""
        self.position = min(self.position + count, len(self._data or b""))

    def _dma_read(self, memory: AddressSpace, address: int, length: int) -> int:
        data = self._data or b""
        part = memoryview(data)[self.position : self.position + length]
        self.position += len(part)
        memory.write(address, part)
        address += len(part)
        length -= len(part)
        while length:  # at most 4 GiB - 1, and nobody answers behind the RAM
            size = min(length, _BURST)
            section = memory.lookup(address)
            if not section.writable:
                return DMA_ERROR
            memory.write(address, bytes(size))
            address += size
            length -= size
        return 0

    def reset(self) -> None:
        """Select the signature."""
        self.select(SIGNATURE)
        self.dma_address = 0


class _SelectorAndData:
    """Ports 0x510 and 0x511: a word to the first selects, bytes from the second are the data."""

    def __init__(self, device: FwCfg) -> None:
        self._device = device

    def read(self, offset: int, size: int) -> int:
        """Only byte reads make sense; QEMU answers them on both ports."""
        return self._device.read_data(1)[0]

    def write(self, offset: int, size: int, value: int) -> None:
        """A word selects. Bytes were a write channel once, and are ignored."""
        if size == 2 and offset == 0:
            self._device.select(value)


class DmaRegister:
    """The 64-bit address of the DMA command, big-endian; its low half starts the transfer."""

    def __init__(self, device: FwCfg) -> None:
        self._device = device

    def read(self, offset: int, size: int) -> int:
        """Reads as a signature, so that a guest can tell that DMA is there."""
        return int.from_bytes(DMA_SIGNATURE[offset : offset + size].ljust(size, b"\0"), "little")

    def write(self, offset: int, size: int, value: int) -> None:
        """Set a half, or both at once."""
        value = int.from_bytes(value.to_bytes(size, "little"), "big")
        device = self._device
        if size == 8 and offset == 0:
            device.dma_address = value
            device.dma_transfer()
        elif size == 4 and offset == 0:
            device.dma_address = value << 32
        elif size == 4 and offset == 4:
            device.dma_address |= value
            device.dma_transfer()


@device_class("fw_cfg_io", description="firmware configuration, by ports", user_creatable=False)
class FwCfgIo(FwCfg):
    """The interface of the pc: ports 0x510, 0x511 and, for DMA, 0x514 to 0x51B."""

    iobase = Property.uint("iobase", 0x510)
    dma_iobase = Property.uint("dma_iobase", 0x514)

    def map(self, io: MemoryRegion) -> None:
        """Map the registers into the ports."""
        io.add(self.iobase, MemoryRegion.mmio("fwcfg", 2, _SelectorAndData(self), access=(1, 2)))
        if self.dma_enabled:
            register = MemoryRegion.mmio("fwcfg.dma", 8, DmaRegister(self), access=(1, 8))
            io.add(self.dma_iobase, register)


class _MemData:
    """The data register of the memory-mapped form: bytes in the order of the item."""

    def __init__(self, device: FwCfg) -> None:
        self._device = device

    def read(self, offset: int, size: int) -> int:
        """Return the next ``size`` bytes."""
        return int.from_bytes(self._device.read_data(size), "little")

    def write(self, offset: int, size: int, value: int) -> None:
        """Ignored."""


class _MemSelector:
    """The selector of the memory-mapped form, big-endian."""

    def __init__(self, device: FwCfg) -> None:
        self._device = device

    def read(self, offset: int, size: int) -> int:
        """Write-only."""
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Select."""
        self._device.select(value >> 8 & 0xFF | (value & 0xFF) << 8)


@device_class("fw_cfg_mem", description="firmware configuration, memory-mapped", user_creatable=False)
class FwCfgMem(FwCfg):
    """The interface of boards without ports: data at 0, selector at 8, DMA at 16."""

    def map(self, memory: MemoryRegion, base: int) -> None:
        """Map the registers into memory."""
        memory.add(base, MemoryRegion.mmio("fwcfg.data", 8, _MemData(self), access=(1, 8)))
        memory.add(base + 8, MemoryRegion.mmio("fwcfg.ctl", 2, _MemSelector(self), access=(2, 2)))
        if self.dma_enabled:
            memory.add(base + 16, MemoryRegion.mmio("fwcfg.dma", 8, DmaRegister(self), access=(4, 8)))
