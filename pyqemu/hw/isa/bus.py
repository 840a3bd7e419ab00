"""The ISA bus: 64 KiB of ports, the memory, 16 interrupt lines, 8 DMA channels.

The interrupt lines and DMA channels are there from the start; the board connects the controllers'
ends of them when these exist (:meth:`IsaBus.connect_irqs`, :meth:`IsaBus.connect_dma`), before or
after the devices took theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.memory import AddressSpace, MemoryRegion, MmioHandler
from pyqemu.qom import Device, DeviceError
from pyqemu.system import Clock, FakeClock, Irq, System

IO_SIZE = 0x10000
IRQS = 16
DMA_CHANNELS = 8

Transfer = Callable[[int, int, int], int]


class DmaChannel(Protocol):
    """A channel of the DMA controller, as a device sees it (pyqemu.hw.dma.i8257)."""

    def set_handler(self, transfer: Transfer) -> None:
        """``transfer(channel, position, size)`` moves bytes and returns the new position."""

    def hold_dreq(self) -> None:
        """Ask for service."""

    def release_dreq(self) -> None:
        """Ask no more."""

    def read_memory(self, pos: int, n: int) -> bytes:
        """Return what the guest has at ``pos`` of its buffer."""

    def write_memory(self, pos: int, data: bytes) -> None:
        """Put ``data`` at ``pos`` of its buffer."""


class IsaBus(DeviceBus["IsaDevice"]):
    """One ISA bus."""

    type_name = "ISA"

    def __init__(
        self,
        system: System,
        *,
        memory: MemoryRegion | None = None,
        io: MemoryRegion | None = None,
        address_space_memory: AddressSpace | None = None,
        address_space_io: AddressSpace | None = None,
        name: str = "isa.0",
    ) -> None:
        super().__init__(name, system)
        self.memory = memory or MemoryRegion.container("system")
        self.io = io or MemoryRegion.container("io", IO_SIZE)
        self.address_space_memory = address_space_memory or AddressSpace("memory", self.memory)
        self.address_space_io = address_space_io or AddressSpace("I/O", self.io)
        self._outputs: list[Irq | None] = [None] * IRQS
        self._irqs = [Irq(partial(self._drive, number)) for number in range(IRQS)]
        self._steered = [Irq(partial(self._drive, number)) for number in range(IRQS)]
        self._dma: list[DmaChannel | None] = [None] * DMA_CHANNELS

    @classmethod
    def standalone(cls, clock: Clock | None = None) -> IsaBus:
        """A bus of its own with nothing else on it, on a fake clock: for tests."""
        return cls(System(clock=clock if clock is not None else FakeClock()))

    @property
    def devices(self) -> list[IsaDevice]:
        """The devices on the bus."""
        return self.children

    def add(self, device: IsaDevice) -> IsaDevice:
        """Plug and realize ``device``."""
        return self.plug(device)

    # -- interrupts and DMA

    def irq(self, number: int) -> Irq:
        """Return line ``number``.

        :raise DeviceError: there is no such line.
        """
        if not 0 <= number < IRQS:
            raise DeviceError(f"Invalid ISA IRQ {number}", f"0 to {IRQS - 1}")
        return self._irqs[number]

    def steered_irq(self, number: int) -> Irq:
        """The other source of line ``number``: PCI interrupts that the bridge steers to it."""
        return self._steered[number]

    def connect_irqs(self, inputs: Sequence[Irq]) -> None:
        """Lead the lines to the interrupt controllers' inputs."""
        for number, (_, target) in enumerate(zip(self._irqs, inputs, strict=True)):
            self._outputs[number] = target
            self._drive(number)

    def _drive(self, number: int, _level: bool = False) -> None:
        output = self._outputs[number]
        if output is not None:
            output.set(self._irqs[number].level or self._steered[number].level)

    def dma(self, number: int) -> DmaChannel:
        """Return DMA channel ``number``.

        :raise DeviceError: there is none.
        """
        channel = self._dma[number] if 0 <= number < DMA_CHANNELS else None
        if channel is None:
            raise DeviceError(f"ISA DMA channel {number} does not exist", "0 to 3 and 5 to 7")
        return channel

    def connect_dma(self, channels: Sequence[DmaChannel | None]) -> None:
        """Set the eight channels; channel 4 is the cascade."""
        self._dma = [channels[number] if number < len(channels) else None for number in range(DMA_CHANNELS)]

    # -- ports

    def register_ports(
        self,
        base: int,
        length: int,
        handler: MmioHandler,
        name: str,
        *,
        access: tuple[int, int] = (1, 4),
        impl: tuple[int, int] | None = None,
        priority: int = 0,
    ) -> MemoryRegion:
        """Map ``length`` ports from ``base`` on to ``handler``, and return the region."""
        region = MemoryRegion.mmio(name, length, handler, access=access, impl=impl)
        self.io.add(base, region, priority)
        return region


class IsaDevice(Device):
    """A device on the ISA bus."""

    bus_type = "ISA"
    bus: IsaBus
