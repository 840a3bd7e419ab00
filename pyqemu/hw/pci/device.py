"""A PCI function: its configuration space, base address registers, interrupt pin, bus mastering.

A model sets the class attributes, declares its BARs in ``realize`` with :meth:`PciDevice.register_bar`,
drives ``irq`` and reads and writes guest memory through ``dma``. Configuration bytes that the guest
may write are the set bits of ``wmask``; those where writing one clears, of ``w1cmask``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyqemu.hw.pci import monitor, regs
from pyqemu.hw.pci.master import BusMasterSpace
from pyqemu.memory import AddressSpace, MemoryRegion, memory_transaction
from pyqemu.qom import Device, DeviceError, Property
from pyqemu.system import Irq

if TYPE_CHECKING:
    from pyqemu.hw.pci.bus import PciBus

ROM_BAR = 6
UNMAPPED = None

_BAR_KINDS = {"io": regs.BAR_IO, "mem": 0, "mem32": 0, "mem64": regs.BAR_MEM_64}
_WRITABLE_COMMAND = (
    regs.COMMAND_IO | regs.COMMAND_MEMORY | regs.COMMAND_MASTER | regs.COMMAND_SPECIAL
    | regs.COMMAND_INVALIDATE | regs.COMMAND_PARITY | regs.COMMAND_SERR | regs.COMMAND_INTX_DISABLE
)  # fmt: skip


@dataclass
class Bar:
    """A base address register and the region that it maps."""

    number: int
    region: MemoryRegion
    register: int
    """Where it is in the configuration space."""
    flags: int
    size: int
    address: int | None = None
    """Where the region is mapped now."""

    @property
    def is_io(self) -> bool:
        """Whether it decodes ports."""
        return self.number != ROM_BAR and bool(self.flags & regs.BAR_IO)

    @property
    def wide(self) -> bool:
        """Whether it takes two registers."""
        return self.number != ROM_BAR and not self.is_io and bool(self.flags & regs.BAR_MEM_64)


class PciDevice(Device):
    """One function of a PCI device."""

    bus_type = "PCI"

    vendor_id = 0xFFFF
    device_id = 0xFFFF
    revision = 0
    class_id = 0
    """Base class and subclass, as 0x0200 for Ethernet."""
    prog_if = 0
    subsystem_vendor_id = regs.VENDOR_REDHAT_QUMRANET
    subsystem_id = regs.SUBSYSTEM_QEMU
    interrupt_pin = 0
    """0: none, 1 to 4: INTA# to INTD#."""
    status = 0

    addr = Property.str("addr", description="Slot and optional function number, example: 06.0 or 06")
    romfile = Property.str("romfile")
    rombar = Property.uint("rombar", 1)
    multifunction = Property.bool("multifunction", False)

    bus: PciBus

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.devfn = -1
        self.config = bytearray(256)
        self.wmask = bytearray(256)
        self.w1cmask = bytearray(256)
        self.bars: dict[int, Bar] = {}
        self.irq = Irq(self._irq_changed)
        self.dma: AddressSpace = BusMasterSpace(self)
        self._intx = False  # what the pin drives
        self._used_capabilities = bytearray(256)
        self._init_config()

    def _init_config(self) -> None:
        self.set_word(regs.VENDOR_ID, self.vendor_id)
        self.set_word(regs.DEVICE_ID, self.device_id)
        self.set_word(regs.STATUS, self.status)
        self.config[regs.REVISION_ID] = self.revision
        self.config[regs.CLASS_PROG] = self.prog_if
        self.set_word(regs.CLASS_DEVICE, self.class_id)
        self.set_word(regs.SUBSYSTEM_VENDOR_ID, self.subsystem_vendor_id)
        self.set_word(regs.SUBSYSTEM_ID, self.subsystem_id)
        self.config[regs.INTERRUPT_PIN] = self.interrupt_pin
        self.wmask[regs.CACHE_LINE_SIZE] = 0xFF
        self.wmask[regs.INTERRUPT_LINE] = 0xFF
        self.wmask[regs.COMMAND : regs.COMMAND + 2] = _WRITABLE_COMMAND.to_bytes(2, "little")
        self.w1cmask[regs.STATUS : regs.STATUS + 2] = regs.STATUS_W1C.to_bytes(2, "little")
        # What lies behind the header is the device's; QEMU lets the guest write it by default.
        self.wmask[regs.HEADER_SIZE :] = b"\xff" * (256 - regs.HEADER_SIZE)

    # -- configuration space

    def word(self, register: int) -> int:
        """The 16 bits at ``register``."""
        return int.from_bytes(self.config[register : register + 2], "little")

    def set_word(self, register: int, value: int) -> None:
        """Set the 16 bits at ``register``, whatever the guest may write."""
        self.config[register : register + 2] = value.to_bytes(2, "little")

    def long(self, register: int) -> int:
        """The 32 bits at ``register``."""
        return int.from_bytes(self.config[register : register + 4], "little")

    def set_long(self, register: int, value: int) -> None:
        """Set the 32 bits at ``register``, whatever the guest may write."""
        self.config[register : register + 4] = value.to_bytes(4, "little")

    @property
    def command(self) -> int:
        """The command register."""
        return self.word(regs.COMMAND)

    def config_read(self, addr: int, size: int) -> int:
        """The guest reads ``size`` bytes at ``addr``. A model may override it."""
        return int.from_bytes(self.config[addr : addr + size], "little")

    def config_write(self, addr: int, size: int, value: int) -> None:
        """The guest writes. A model that does something then overrides this and calls it first."""
        old_command = self.command
        for index, byte in enumerate((value & ((1 << 8 * size) - 1)).to_bytes(size, "little"), addr):
            if index >= len(self.config):
                break
            mask = self.wmask[index]
            self.config[index] = (self.config[index] & ~mask | byte & mask) & ~(byte & self.w1cmask[index])
        end = addr + size
        moved = addr < regs.BASE_ADDRESS_0 + 24 and end > regs.BASE_ADDRESS_0
        moved = moved or (addr < regs.ROM_ADDRESS + 4 and end > regs.ROM_ADDRESS)
        if moved or (self.command ^ old_command) & (regs.COMMAND_IO | regs.COMMAND_MEMORY):
            self.update_mappings()
        if (self.command ^ old_command) & regs.COMMAND_INTX_DISABLE:
            self._update_intx()

    def add_capability(self, cap_id: int, size: int, offset: int = 0) -> int:
        """Link a capability of ``size`` bytes into the list and return where it is.

        Its bytes are read-only for the guest until the model sets ``wmask``.
        """
        offset = offset or self._free_capability(size)
        self.config[offset] = cap_id
        self.config[offset + 1] = self.config[regs.CAPABILITY_LIST]
        self.config[regs.CAPABILITY_LIST] = offset
        self.set_word(regs.STATUS, self.word(regs.STATUS) | regs.STATUS_CAP_LIST)
        self._used_capabilities[offset : offset + size] = b"\1" * size
        self.wmask[offset : offset + size] = bytes(size)
        return offset

    def _free_capability(self, size: int) -> int:
        for offset in range(regs.HEADER_SIZE, 256 - size + 1, 4):
            if not any(self._used_capabilities[offset : offset + size]):
                return offset
        raise DeviceError(f"no room for a PCI capability of {size} bytes in '{self.name}'")

    # -- base address registers

    def register_bar(self, number: int, region: MemoryRegion, kind: str = "mem", prefetch: bool = False) -> None:
        """Let BAR ``number`` map ``region``. ``kind`` is "io", "mem" or "mem64"; 6 is the ROM."""
        size = region.size
        if size & (size - 1) or not size:
            raise ValueError(f"BAR {number} of {self.name}: {size:#x} is no power of two")
        flags = _BAR_KINDS[kind] | (regs.BAR_MEM_PREFETCH if prefetch else 0)
        register = regs.ROM_ADDRESS if number == ROM_BAR else regs.BASE_ADDRESS_0 + 4 * number
        if number == ROM_BAR:
            flags = 0
        bar = Bar(number, region, register, flags, size)
        self.bars[number] = bar
        mask = -size | (regs.ROM_ENABLE if number == ROM_BAR else 0)
        width = 8 if bar.wide else 4
        self.wmask[register : register + width] = (mask & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        self.config[register : register + width] = flags.to_bytes(width, "little")

    def bar_address(self, number: int) -> int | None:
        """Where the guest has put BAR ``number``; None while it does not decode."""
        bar = self.bars[number]
        enable = regs.COMMAND_IO if bar.is_io else regs.COMMAND_MEMORY
        if not self.command & enable:
            return UNMAPPED
        value = self.long(bar.register)
        if bar.number == ROM_BAR and not value & regs.ROM_ENABLE:
            return UNMAPPED
        if bar.wide:
            value |= self.long(bar.register + 4) << 32
        address = value & -bar.size
        last = address + bar.size - 1
        # Zero is where BARs are before they are set, and all ones (in the low half, of a wide one)
        # while their size is asked for: a region at one of these would hide what belongs there.
        limit = 0xFFFF if bar.is_io else (0xFFFF_FFFF_FFFF_FFFE if bar.wide else 0xFFFF_FFFE)
        return UNMAPPED if address == 0 or last > limit or last == 0xFFFF_FFFF else address

    def update_mappings(self) -> None:
        """Put the regions where the registers say."""
        with memory_transaction():
            for bar in self.bars.values():
                address = self.bar_address(bar.number)
                if address == bar.address:
                    continue
                space = self.bus.io if bar.is_io else self.bus.memory
                trace = self.bus.system.trace
                if bar.address is not None:
                    if event := trace.pci_update_mappings_del:
                        event(**self._mapping(bar, bar.address))
                    space.remove(bar.region)
                if address is not None:
                    if event := trace.pci_update_mappings_add:
                        event(**self._mapping(bar, address))
                    space.add(address, bar.region, 1)
                bar.address = address

    def _mapping(self, bar: Bar, address: int) -> dict[str, int]:
        """What the trace events about a BAR tell."""
        place = {"bus": self.bus.number, "slot": self.devfn >> 3, "func": self.devfn & 7}
        return {"d": id(self), **place, "bar": bar.number, "addr": address, "size": bar.size}

    def register_rom(self, contents: bytes, name: str = "") -> None:
        """Give the device an expansion ROM; its size is rounded up to a power of two."""
        size = 1 << max(len(contents) - 1, 0x7FF).bit_length()
        region = MemoryRegion.rom(name or f"{self.type_name}.rom", contents.ljust(size, b"\0"))
        self.register_bar(ROM_BAR, region)

    def load_romfile(self, path: Path) -> None:
        """Take the expansion ROM from a file.

        :raise DeviceError: it cannot be read or is empty.
        """
        try:
            contents = path.read_bytes()
        except OSError as error:
            raise DeviceError(f'failed to load romfile "{path}": {error.strerror}') from None
        if not contents:
            raise DeviceError(f'romfile "{path}" is empty')
        self.register_rom(contents)

    # -- for people

    def tree_lines(self) -> list[str]:
        """Class, place, identity and BARs."""
        return monitor.tree_lines(self)

    def get_option(self, name: str) -> str:
        """As the base; the address is the one that it has been given."""
        if name == "addr" and self.devfn >= 0:
            return f"{self.devfn >> 3:02x}.{self.devfn & 7:x}"
        return super().get_option(name)

    # -- interrupts

    def _irq_changed(self, level: bool) -> None:
        status = self.word(regs.STATUS) & ~regs.STATUS_INTERRUPT
        self.set_word(regs.STATUS, status | (regs.STATUS_INTERRUPT if level else 0))
        self._update_intx()

    def _update_intx(self) -> None:
        driven = self.irq.level and not self.command & regs.COMMAND_INTX_DISABLE
        if driven != self._intx and self.config[regs.INTERRUPT_PIN]:
            self._intx = driven
            if self.bus is not None:
                self.bus.set_intx(self.devfn, self.config[regs.INTERRUPT_PIN] - 1, driven)

    @property
    def irq_state(self) -> list[int]:
        """The levels that the device drives on INTA# to INTD#."""
        pin = self.config[regs.INTERRUPT_PIN]
        return [int(self.irq.level and number == pin) for number in range(1, 5)]

    # -- the saved state

    def fixed_bits(self, index: int) -> int:
        """The bits of a byte behind the header that are the same in all devices of the model: capabilities."""
        if not self._used_capabilities[index]:
            return 0
        return 0xFF & ~self.wmask[index] & ~self.w1cmask[index]

    def load_config(self, data: bytes) -> None:
        """Take a whole configuration space, with all that follows from it."""
        self.config[:] = data
        for bar in self.bars.values():  # the type bits are hard-wired
            self.config[bar.register] = data[bar.register] & self.wmask[bar.register] | bar.flags
        self.update_mappings()
        self._update_intx()

    # -- life

    def pci_reset(self) -> None:
        """Reset what is PCI's: command, interrupt line, BARs. The bus does it before ``reset``."""
        self.irq.set(False)
        self.set_word(regs.COMMAND, self.command & ~int.from_bytes(self.wmask[4:6], "little"))
        self.set_word(regs.STATUS, self.word(regs.STATUS) & ~regs.STATUS_W1C)
        self.config[regs.CACHE_LINE_SIZE] = 0
        self.config[regs.INTERRUPT_LINE] = 0
        for bar in self.bars.values():
            width = 8 if bar.wide else 4
            self.config[bar.register : bar.register + width] = bar.flags.to_bytes(width, "little")
        self.update_mappings()
