"""Shadow RAM under the ROM area: the i440FX's PAM registers, and the allocation of segment F000h.

PAM (82441FX data sheet, section 3.2.13): each half register opens 16 KiB for reads (bit 0) and writes (bit 1) from
RAM instead of ROM; the upper half of register 59h is for F0000h-FFFFFh.
"""

from __future__ import annotations

from pyqemu.firmware.bios.pci_setup import HOST_440FX, PciConfig
from pyqemu.memory import AddressSpace

_PAM0 = 0x59
_READ, _READ_WRITE = 1, 3
_HOLE_START, _STEP = 0xC0000, 0x4000


class Shadow:
    """Opens and closes the RAM between C0000h and FFFFFh."""

    def __init__(self, config: PciConfig) -> None:
        self.config = config

    @property
    def present(self) -> bool:
        """Whether the host bridge is one that we know."""
        return self.config.identity(0) == HOST_440FX

    @property
    def in_use(self) -> bool:
        """Whether POST has been here since the machine was reset, which closes the shadow."""
        return self.present and bool(self.config.read(0, _PAM0, 1) & _READ << 4)

    def open(self) -> None:
        """RAM everywhere, writable."""
        if self.present:
            self.config.write(0, _PAM0, 1, _READ_WRITE << 4)
            for register in range(1, 7):
                self.config.write(0, _PAM0 + register, 1, _READ_WRITE << 4 | _READ_WRITE)

    def protect(self, rom_end: int) -> None:
        """Make the BIOS and option ROMs up to *rom_end* read-only; what is between stays RAM."""
        if not self.present:
            return
        self.config.write(0, _PAM0, 1, _READ << 4)
        for register in range(1, 7):
            value = 0
            for half in range(2):
                start = _HOLE_START + _STEP * (2 * (register - 1) + half)
                value |= (_READ if start + _STEP <= rom_end else _READ_WRITE) << 4 * half
            self.config.write(0, _PAM0 + register, 1, value)


class FSegment:
    """Hands out the free bytes of segment F000h during POST."""

    def __init__(self, memory: AddressSpace, start: int, end: int) -> None:
        self.memory = memory
        self.next, self.end = start, end

    def place(self, data: bytes, align: int = 16) -> int:
        """Copy *data* to a free, aligned place and return its address.

        :raise MemoryError: there is no room left.
        """
        address = -(-self.next // align) * align
        if address + len(data) > self.end:
            raise MemoryError("the BIOS segment is full")
        self.memory.write(address, data)
        self.next = address + len(data)
        return address
