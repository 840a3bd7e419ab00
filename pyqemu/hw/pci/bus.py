"""A PCI bus: 32 slots of 8 functions, configuration cycles, and the way of the interrupt pins."""

from __future__ import annotations

import re
from collections.abc import Callable

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.hw.pci import regs
from pyqemu.hw.pci.device import PciDevice
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import DeviceError
from pyqemu.system import FakeClock, System

SLOTS = 32
PINS = 4

MapIrq = Callable[[int, int], int]
"""``(devfn, pin)`` to the number of the bus's interrupt line."""
SetIrq = Callable[[int, bool], None]
"""``(line, level)``: the line changed."""


def swizzle(devfn: int, pin: int) -> int:
    """The usual rotation of pins by slot, without a board's offset (PCI-to-PCI bridge 1.2, 9.1)."""
    return (pin + (devfn >> 3)) % PINS


class PciBus(DeviceBus[PciDevice]):
    """One PCI bus. Its ``memory`` and ``io`` hold what BARs map; ``dma_space`` is what masters see.

    :param has_messages: whether somebody makes interrupts of messages: cards do not offer them otherwise
    """

    type_name = "PCI"

    def __init__(
        self,
        system: System,
        *,
        memory: MemoryRegion,
        io: MemoryRegion,
        dma_space: AddressSpace,
        name: str = "pci.0",
        number: int = 0,
        has_messages: bool = True,
    ) -> None:
        super().__init__(name, system)
        self.has_messages = has_messages
        self.memory = memory
        self.io = io
        self.dma_space = dma_space
        self.number = number
        self.devices: dict[int, PciDevice] = {}
        self.first_free_slot = 0
        self._map_irq: MapIrq = swizzle
        self._set_irq: SetIrq | None = None
        self._asserted: dict[int, int] = {}  # how many pins drive each line
        self._lines: dict[tuple[int, int], int] = {}  # (devfn, pin) -> line while driven

    @classmethod
    def standalone(cls, system: System | None = None) -> PciBus:
        """A bus of its own over 16 MiB of RAM at 0: for tests. ``dma_space`` is the memory."""
        system = system if system is not None else System(clock=FakeClock())
        memory = MemoryRegion.container("memory")
        memory.add(0, MemoryRegion.ram("ram", 16 << 20))
        return cls(
            system,
            memory=memory,
            io=MemoryRegion.container("io", 0x10000),
            dma_space=AddressSpace("memory", memory),
        )

    # -- devices

    def add(self, device: PciDevice, devfn: int | None = None) -> PciDevice:
        """Plug ``device`` at ``devfn``, at its ``addr`` property, or into the first free slot.

        :raise DeviceError: that place is taken, or there is none left.
        """
        if devfn is None:
            devfn = self._choose(device)
        if devfn in self.devices:
            raise DeviceError(
                f"PCI: slot {devfn >> 3} function {devfn & 7} not available for {device.type_name}, "
                f"in use by {self.devices[devfn].name}"
            )
        self._check_functions(device, devfn)
        device.devfn = devfn
        if device.multifunction:
            device.config[regs.HEADER_TYPE] |= regs.HEADER_MULTIFUNCTION
        self.devices[devfn] = device
        try:
            self.system.on_reset(device.pci_reset)
            self.plug(device)
        except BaseException:
            del self.devices[devfn]
            self.system.remove_reset(device.pci_reset)
            raise
        return device

    def _choose(self, device: PciDevice) -> int:
        if device.addr is not None:
            return parse_devfn(device.addr)
        for slot in range(self.first_free_slot, SLOTS):
            if not any(slot << 3 | function in self.devices for function in range(8)):
                return slot << 3
        raise DeviceError(f"PCI: no slot/function available for {device.type_name}, all in use")

    def _check_functions(self, device: PciDevice, devfn: int) -> None:
        """A device of several functions says so in the header of its function 0."""
        first = self.devices.get(devfn & ~7)
        if devfn & 7 and first is not None and not first.config[regs.HEADER_TYPE] & regs.HEADER_MULTIFUNCTION:
            raise DeviceError(
                f"PCI: single function device can't be populated in function {devfn >> 3:x}.{devfn & 7:x}"
            )

    def remove(self, device: PciDevice) -> None:
        """Unplug ``device``."""
        device.irq.set(False)
        device.set_word(regs.COMMAND, 0)
        device.update_mappings()
        self.system.remove_reset(device.pci_reset)
        del self.devices[device.devfn]
        self.unplug(device)

    # -- configuration cycles

    def find(self, bus_devfn: int) -> PciDevice | None:
        """Return the function of that bus, slot and function number (one number, as in 0xCF8)."""
        if bus_devfn >> 8 != self.number:
            return None
        return self.devices.get(bus_devfn & 0xFF)

    def config_read(self, bus_devfn: int, register: int, size: int) -> int:
        """A configuration read; nobody there reads as ones."""
        device = self.find(bus_devfn)
        if device is None:
            return (1 << 8 * size) - 1
        value = device.config_read(register, size)
        if event := self.system.trace.pci_cfg_read:
            event(dev=device.type_name, devid=device.devfn >> 3, fnid=device.devfn & 7, offs=register, val=value)
        return value

    def config_write(self, bus_devfn: int, register: int, size: int, value: int) -> None:
        """A configuration write."""
        device = self.find(bus_devfn)
        if device is not None:
            if event := self.system.trace.pci_cfg_write:
                event(dev=device.type_name, devid=device.devfn >> 3, fnid=device.devfn & 7, offs=register, val=value)
            device.config_write(register, size, value)

    # -- interrupts

    def route_irqs(self, set_irq: SetIrq, map_irq: MapIrq) -> None:
        """Say where the pins lead: ``map_irq`` to a line, ``set_irq`` when a line changes."""
        self._map_irq = map_irq
        self._set_irq = set_irq
        for line, count in self._asserted.items():
            set_irq(line, count > 0)

    def irq_line(self, devfn: int, pin: int) -> int:
        """The line that ``pin`` (0 is INTA#) of a function leads to."""
        return self._map_irq(devfn, pin)

    def line_level(self, line: int) -> bool:
        """Whether any pin drives ``line``."""
        return self._asserted.get(line, 0) > 0

    @property
    def nirq(self) -> int:
        """How many lines there are, for the saved state."""
        return PINS

    @property
    def irq_count(self) -> list[int]:
        """How many pins drive each line, for the saved state."""
        return [self._asserted.get(line, 0) for line in range(PINS)]

    def set_intx(self, devfn: int, pin: int, level: bool) -> None:
        """A pin changed. A line is high while any of its pins is."""
        if level:
            line = self._map_irq(devfn, pin)
            self._lines[devfn, pin] = line
        else:
            line = self._lines.pop((devfn, pin))
        before = self._asserted.get(line, 0)
        after = before + (1 if level else -1)
        self._asserted[line] = after
        if (before > 0) != (after > 0) and self._set_irq is not None:
            self._set_irq(line, after > 0)


def parse_devfn(text: str) -> int:
    """Return the number of a function from its ``SLOT`` or ``SLOT.FUNCTION``, in hexadecimal.

    :raise DeviceError: it is none.
    """
    match = re.fullmatch(r"([0-9a-fA-F]{1,2})(?:\.([0-7]))?", text)
    if match is None or int(match[1], 16) >= SLOTS:
        raise DeviceError(f"Property 'addr' doesn't take value '{text}'", "SLOT or SLOT.FUNCTION, up to 1f.7")
    return regs.devfn(int(match[1], 16), int(match[2] or "0"))
