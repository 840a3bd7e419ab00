"""SMBus host controller of the PIIX4 (data sheet 290562, section 7.3) and later Intel south bridges.

A transaction is done when the guest starts it: it never sees the host busy.
"""

from __future__ import annotations

from typing import Protocol

from pyqemu.qom.vmstate import U8, VMState

STATUS, SLAVE_STATUS, CONTROL, COMMAND, ADDRESS, DATA0, DATA1, BLOCK = range(8)
STATUS_INTERRUPT, STATUS_DEVICE_ERROR = 0x02, 0x04
CONTROL_START = 0x40
QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK_DATA = 0, 1, 2, 3, 5
BLOCK_MAX = 32


class SmbusDevice(Protocol):
    """What sits at an address."""

    def read(self, command: int | None, length: int) -> bytes:
        """Return up to ``length`` bytes from register ``command``, or from where it is (None)."""

    def write(self, command: int, data: bytes) -> None:
        """Write ``data`` to register ``command``."""


class SmbusEeprom:
    """A serial presence detect EEPROM of 256 bytes."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data.ljust(256, b"\0")[:256]
        self.offset = 0

    def read(self, command: int | None, length: int) -> bytes:
        start = self.offset if command is None else command
        self.offset = start + length & 0xFF
        return bytes(self.data[(start + n) & 0xFF] for n in range(length))

    def write(self, command: int, data: bytes) -> None:
        self.offset = command  # write protected: only the address counter moves


class PmSmbus:
    """The host's registers, 64 ports; ``devices`` are by seven-bit address."""

    vmstate = VMState("i2c_bus", version=1, fields=(U8("saved_address"),))

    def __init__(self) -> None:
        self.devices: dict[int, SmbusDevice] = {}
        self.saved_address = 0xFF  # of the device that is talked to: none, as transactions are done at once
        self.reset()

    def reset(self) -> None:
        """Idle."""
        self.status = self.control = self.command = self.address = self.data0 = self.data1 = 0
        self.block = bytearray(BLOCK_MAX)
        self.index = 0

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0:
                return self.status
            case 2:
                self.index = 0
                return self.control & 0x1F
            case 3:
                return self.command
            case 4:
                return self.address
            case 5:
                return self.data0
            case 6:
                return self.data1
            case 7:
                value = self.block[self.index]
                self.index = (self.index + 1) % BLOCK_MAX
                return value
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        value &= 0xFF
        match offset:
            case 0:
                self.status &= ~value
            case 2:
                self.control = value & ~CONTROL_START
                if value & CONTROL_START:
                    self._transact(value >> 2 & 7)
            case 3:
                self.command = value
            case 4:
                self.address = value
            case 5:
                self.data0 = value
            case 6:
                self.data1 = value
            case 7:
                self.block[self.index] = value
                self.index = (self.index + 1) % BLOCK_MAX

    def _transact(self, protocol: int) -> None:
        device = self.devices.get(self.address >> 1)
        if device is None or protocol not in (QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK_DATA):
            self.status = STATUS_DEVICE_ERROR
            return
        if self.address & 1:
            self._receive(device, protocol)
        elif protocol:
            self._send(device, protocol)
        self.status = STATUS_INTERRUPT

    def _receive(self, device: SmbusDevice, protocol: int) -> None:
        match protocol:
            case 1:
                self.data0 = device.read(None, 1)[0]
            case 2:
                self.data0 = device.read(self.command, 1)[0]
            case 3:
                self.data0, self.data1 = device.read(self.command, 2)
            case 5:
                length = min(device.read(self.command, 1)[0], BLOCK_MAX)
                self.block[:length] = device.read(self.command + 1 & 0xFF, length)
                self.data0, self.index = length, 0

    def _send(self, device: SmbusDevice, protocol: int) -> None:
        match protocol:
            case 1:
                device.write(self.command, b"")
            case 2:
                device.write(self.command, bytes((self.data0,)))
            case 3:
                device.write(self.command, bytes((self.data0, self.data1)))
            case 5:
                length = min(self.data0, BLOCK_MAX)
                device.write(self.command, bytes((length,)) + bytes(self.block[:length]))
                self.index = 0
