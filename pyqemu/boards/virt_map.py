"""Where the devices of a ``virt`` board are, and their interrupts (QEMU 2.6, hw/arm/virt.c)."""

from __future__ import annotations

from typing import NamedTuple

from pyqemu.util.units import GIB, MIB


class Range(NamedTuple):
    """Address and length, in bytes."""

    base: int
    size: int


FLASH = Range(0x0000_0000, 128 * MIB)
GIC_DISTRIBUTOR = Range(0x0800_0000, 0x10000)
GIC_CPU = Range(0x0801_0000, 0x10000)
GIC_HYPERVISOR = Range(0x0803_0000, 0x10000)  #: as QEMU has it from 2.9 on
GIC_GUEST = Range(0x0804_0000, 0x10000)
GIC_V2M = Range(0x0802_0000, 0x1000)
GIC_REDISTRIBUTORS = Range(0x080A_0000, 0xF6_0000)
UART = Range(0x0900_0000, 0x1000)
RTC = Range(0x0901_0000, 0x1000)
FW_CFG = Range(0x0902_0000, 0x18)
GPIO = Range(0x0903_0000, 0x1000)
SECURE_UART = Range(0x0904_0000, 0x1000)
VIRTIO = Range(0x0A00_0000, 0x200)
SECURE_RAM = Range(0x0E00_0000, 16 * MIB)
PCIE_MMIO = Range(0x1000_0000, 0x2EFF_0000)
PCIE_PIO = Range(0x3EFF_0000, 0x1_0000)
PCIE_ECAM = Range(0x3F00_0000, 0x0100_0000)
PCIE_HIGH = Range(0x80_0000_0000, 512 * GIB)
RAM = Range(0x4000_0000, 255 * GIB)

FLASH_BANKS = 2
VIRTIO_SLOTS = 32
V2M_IRQS = 64
GIC_IRQS = 256
SPI = 32  #: number of the first shared interrupt
IRQ_UART, IRQ_RTC, IRQ_PCIE, IRQ_GPIO, IRQ_VIRTIO, IRQ_V2M = 1, 2, 3, 7, 16, 48  # shared ones, counted from SPI
IRQ_SECURE_UART = 8
PPI_MAINTENANCE = 25
PPI_HYPERVISOR, PPI_VIRTUAL, PPI_SECURE, PPI_PHYSICAL = 26, 27, 29, 30
POWER_BUTTON = 3  #: the pin
CLOCK_HZ = 24_000_000
