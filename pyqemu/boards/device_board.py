"""What boards of devices at fixed places have in common: memory, a system bus, flash, places for virtio devices, and
the devices that an operator adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pyqemu.boards.arm_boot import read_file
from pyqemu.boards.buses import find_bus
from pyqemu.boards.config import MachineConfig
from pyqemu.boards.drives import settled_drives
from pyqemu.boards.objects import device_resource
from pyqemu.boards.virtio_slots import virtio_slots
from pyqemu.chardev import Chardev, ChardevError
from pyqemu.hw.block.pflash_cfi01 import PflashCfi01
from pyqemu.hw.core.sysbus import SysBusDevice, SystemBus
from pyqemu.hw.pci.bus import PciBus, parse_devfn
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.virtio.blk import VirtioBlk
from pyqemu.hw.virtio.mmio import VirtioMmio
from pyqemu.memory import AddressSpace, MemoryRegion, RamBlock
from pyqemu.qom import DEVICES, Device, DeviceError
from pyqemu.qom.plugging import Plugging
from pyqemu.system import Irq, System
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB, format_size

if TYPE_CHECKING:
    from pyqemu.block import DriveTable
    from pyqemu.chardev import Chardevs

FLASH_BANK = 64 * MIB
FLASH_SECTOR = 256 << 10
D = TypeVar("D", bound=SysBusDevice)


class DeviceBoard(Plugging):
    """The beginning of a board.

    :param drive_limits: how many drives of each interface there are places for
    :param gaps_read_zero: whether addresses where nothing is read as zero, instead of being an error
    """

    def __init__(self, config: MachineConfig, system: System, drives: DriveTable, chardevs: Chardevs, *,
                 drive_limits: dict[str, int], gaps_read_zero: bool = False) -> None:  # fmt: skip
        self.config, self.system, self.drives, self.chardevs = config, system, drives, chardevs
        drives.check_supported(drive_limits)
        self.sysbus = SystemBus(system)
        self.user_devices: list[Device] = []
        self.flash: list[PflashCfi01] = []
        self.virtio_slots: list[VirtioMmio] = []
        self.system_memory = MemoryRegion.container("system")
        self.memory_space = AddressSpace("memory", self.system_memory, gaps_read_zero=gaps_read_zero)
        self.io_space = AddressSpace("I/O", MemoryRegion.container("io", 0x10000))

    # --- devices ------------------------------------------------------------------------------------------------------

    def plug(self, device: D, *addresses: int, memory: MemoryRegion | None = None) -> D:
        """Map a device's regions and put it on the bus.

        :param memory: where to map them; None: where all see them
        """
        root = self.system_memory if memory is None else memory
        for region, address in zip(device.regions, addresses, strict=False):
            root.add(address, region)
        self.sysbus.plug(device)
        return device

    def open_serial(self, index: int) -> Chardev | None:
        """What is behind the serial line of that number."""
        texts = self.config.serials
        text = texts[index] if index < len(texts) else "none"
        if text == "none":
            return None
        try:
            return self.chardevs.open(text, f"serial{index}")
        except ChardevError as exc:
            raise UserError(f"-serial {text}: {exc.message}", exc.hint) from None

    def add_flash(self, name: str, address: int, *, device_width: int = 0,
                  memory: MemoryRegion | None = None) -> PflashCfi01:  # fmt: skip
        """64 MiB of flash memory: the next drive of ``if=pflash``, or empty."""
        drive = self.drives.by_index("pflash", len(self.flash))
        bank = PflashCfi01(num_blocks=FLASH_BANK // FLASH_SECTOR, sector_length=FLASH_SECTOR, width=4,
                           device_width=device_width, ident0=0x89, ident1=0x18, name_=name, drive=drive)  # fmt: skip
        bank.on_write.append(self._flash_written)
        self.flash.append(bank)
        return self.plug(bank, address, memory=memory)

    def _flash_written(self, block: RamBlock, offset: int, length: int) -> None:
        block.dirty.mark(offset, length)
        for listener in self.memory_space.write_listeners:
            listener(block, offset, length)

    def load_flash(self) -> None:
        """Put the file of ``-bios`` into the first bank of flash.

        :raise UserError: it does not fit, or the bank has a drive.
        """
        image, bank = read_file(self.config.bios, "-bios"), self.flash[0]
        if bank.drive is not None:
            raise UserError(f"-bios {self.config.bios}: the flash has a drive already", "-bios or -drive if=pflash")
        if len(image) > bank.size:
            raise UserError(f"-bios {self.config.bios}: too large for the flash", f"at most {format_size(bank.size)}")
        bank.data[: len(image)] = image

    def add_virtio(self, address: int, irqs: Sequence[Irq]) -> None:
        """Places for virtio devices."""
        self.virtio_slots = virtio_slots(self.system, self.memory_space, self.system_memory, address, irqs)

    # --- devices of the operator --------------------------------------------------------------------------------------

    def add_user_devices(self) -> None:
        """Those of ``-drive if=virtio`` and ``-device``."""
        DEVICES.look_in("pyqemu.hw")
        for drive in self.drives:
            if drive.interface == "virtio":
                self._plug_in(VirtioBlk(drive=drive))
        for options in self.config.devices:
            self.add_device(options)

    def pci_buses(self) -> list[PciBus]:
        """The board's own PCI buses."""
        return []

    @property
    def device_buses(self) -> list[Any]:
        """Where devices of the operator's may go; of places for virtio the last one comes first, as in QEMU."""
        return [
            *(slot.virtio_bus for slot in reversed(self.virtio_slots) if slot.virtio_bus is not None),
            *self.pci_buses(),
        ]

    def _plug_in(self, device: Device, name: str = "", address: str = "") -> None:
        bus = find_bus(self.device_buses, device, name)
        if isinstance(device, PciDevice):
            bus.add(device, parse_devfn(address) if address else None)
        elif address:
            raise DeviceError(f"Property '{device.type_name}.addr' not found", "PCI devices have it")
        else:
            bus.plug(device)

    def add_device(self, options: dict[str, str], *, hotplug: bool = False) -> Device:
        given = dict(options)
        bus_name, address = given.pop("bus", ""), given.pop("addr", "")
        if hotplug:
            raise DeviceError("this board's buses do not support hotplugging")
        device = DEVICES.from_options(given, self._resolve)
        with self.system.parked(), settled_drives(self.drives, device):
            self._plug_in(device, bus_name, address)
        self.user_devices.append(device)
        return device

    def request_unplug(self, device: Device) -> None:
        raise DeviceError(f"Device '{device.type_name}' does not support hotplugging")

    def _resolve(self, kind: str, name: str) -> Any:
        return device_resource(self.config, self.system, self.drives, self.chardevs, kind, name)
