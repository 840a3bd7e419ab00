"""Parallel NOR flash with Intel's command set (Intel StrataFlash J3 data sheet, 290667; CFI, AP-646).

It is memory until a command is written; from then on reads give status or identification. A bank may be made of
several chips side by side: each gets a part of the bus, and answers there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.block import BlockIOError, Drive
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.memory import MemoryRegion, RamBlock
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.vmstate import U8, U64, VMState

if TYPE_CHECKING:
    from pyqemu.memory.region import RomDeviceRegion

# fmt: off
READ_ARRAY, PROGRAM, PROGRAM_ALT, ERASE, CLEAR_STATUS   = 0x00, 0x40, 0x10, 0x20, 0x50
LOCK, READ_STATUS, READ_ID, QUERY, WRITE_BUFFER         = 0x60, 0x70, 0x90, 0x98, 0xE8
CONFIRM, LOCK_SET, READ_ARRAY_ALT, RESET                = 0xD0, 0x01, 0xF0, 0xFF

STATUS_READY, STATUS_ERASE_ERROR, STATUS_PROGRAM_ERROR  = 0x80, 0x20, 0x10
# fmt: on
BUFFER_BITS = 11  # of the length of the write buffer


@device_class("cfi.pflash01", bus="sysbus", category="storage", user_creatable=False)
class PflashCfi01(SysBusDevice):
    """A bank of flash.

    :raise DeviceError: the geometry makes no sense, or the drive's size is another one
    """

    drive: Property[Drive | None] = Property.link("drive", "drive")
    num_blocks = Property.uint("num-blocks", 0)
    sector_length = Property.uint("sector-length", 0, bits=64)
    width = Property.uint("width", 0, bits=8)
    device_width = Property.uint("device-width", 0, bits=8)
    max_device_width = Property.uint("max-device-width", 0, bits=8)
    big_endian = Property.bool("big-endian", False)
    ident0 = Property.uint("id0", 0, bits=16)
    ident1 = Property.uint("id1", 0, bits=16)
    ident2 = Property.uint("id2", 0, bits=16)
    ident3 = Property.uint("id3", 0, bits=16)
    name_ = Property.str("name")

    vmstate = VMState(
        "pflash_cfi01",
        version=1,
        fields=(U8("wcycle", maximum=3), U8("cmd"), U8("status"), U64("counter")),
        post_load=lambda flash: flash.loaded(),
    )

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self._check()
        self.size = self.num_blocks * self.sector_length
        self.is_unspecified = not self.device_width
        """Whether nobody said what chips the bank is made of: then it answers as QEMU's banks did before one could."""
        self.device_width = self.device_width or self.width
        self.max_device_width = self.max_device_width or self.device_width
        contents = self._contents()
        self.flash: RomDeviceRegion = MemoryRegion.rom_device(self.name_ or "pflash", contents, self)
        self.regions.append(self.flash)
        self.on_write: list[Callable[[RamBlock, int, int], None]] = []
        """Called with block, offset and length after each change: translated code that was there is stale."""
        self.data = self.flash.ram_block.data
        self.read_only = self.drive is not None and self.drive.read_only
        self.cfi = self._query_table()
        self.counter = 0
        self.reset()

    def _check(self) -> None:
        for name, value in (("sector-length", self.sector_length), ("num-blocks", self.num_blocks)):
            if not value:
                raise DeviceError(f'attribute "{name}" not specified or zero.')
        if self.name_ is None:
            raise DeviceError('attribute "name" not specified.')
        if self.width not in (1, 2, 4):
            raise DeviceError(f'attribute "width" is {self.width}', "1, 2 or 4")

    def _contents(self) -> bytes | int:
        if self.drive is None:
            return self.size
        if self.drive.size != self.size:
            raise DeviceError(f"device requires {self.size} bytes, block backend provides {self.drive.size} bytes")
        try:
            return self.drive.read(0, self.size)
        except BlockIOError as error:
            raise DeviceError(f"failed to read the initial flash content: {error}") from None

    def _query_table(self) -> bytes:
        """What a query answers: CFI 1.4 tables 5 to 8, and the vendor's own part at 0x31."""
        chips = self.width // self.device_width
        blocks, length = self.num_blocks, self.sector_length // chips
        size = self.size // chips
        buffer = BUFFER_BITS if self.width != 1 else 8
        table = bytearray(0x52)
        table[0x10:0x13] = b"QRY"
        table[0x13], table[0x15] = 0x01, 0x31  # Intel's command set, and where its own part is
        table[0x1B:0x1F] = bytes((0x45, 0x55, 0x00, 0x00))  # from 4.5 to 5.5 V, no programming voltage
        table[0x1F:0x27] = bytes((0x07, 0x07, 0x0A, 0x00, 0x04, 0x04, 0x04, 0x00))  # times as powers of two
        table[0x27] = size.bit_length() - 1
        table[0x28], table[0x2A] = 0x02, buffer
        table[0x2C] = 1  # all blocks alike
        table[0x2D:0x2F] = (blocks - 1 & 0xFFFF).to_bytes(2, "little")
        table[0x2F:0x31] = (length >> 8 & 0xFFFF).to_bytes(2, "little")
        table[0x31:0x36] = b"PRI10"
        table[0x3F] = 1  # protection registers
        return bytes(table)

    # -- life

    def reset(self) -> None:
        """Memory again."""
        self.status = STATUS_READY
        self._read_array()

    def _read_array(self) -> None:
        self.cmd, self.wcycle = READ_ARRAY, 0
        self.flash.romd_mode = True

    def loaded(self) -> None:
        """State was loaded."""
        self.flash.romd_mode = self.cmd == READ_ARRAY

    # -- reading while it is no memory

    def read(self, offset: int, size: int) -> int:
        """Status, identification or query; memory for what this program does not know."""
        match self.cmd:
            case 0x00:
                return self._memory(offset, size)
            case 0x90:
                if self.is_unspecified:
                    return self._answer(offset, size, (self.ident0 << 8 | self.ident1,))
                return self._answer(offset, size, (self.ident0, self.ident1))
            case 0x98:
                return self._answer(offset, size, self.cfi)
            case _:
                return self._side_by_side(self.status, size)

    def _memory(self, offset: int, size: int) -> int:
        order = "big" if self.big_endian else "little"
        return int.from_bytes(self.data[offset : offset + size], order)  # type: ignore[arg-type]

    def _side_by_side(self, value: int, size: int) -> int:
        """What each chip says, on its part of the bus."""
        if self.is_unspecified:
            return (value | value << 16) & (1 << 8 * size) - 1
        return sum(value << 8 * n for n in range(0, max(size, self.device_width), self.device_width)) & (
            (1 << 8 * size) - 1
        )

    def _answer(self, offset: int, size: int, table: bytes | tuple[int, ...]) -> int:
        """Entry by entry of a table, one for each word of the bank."""
        if self.is_unspecified:
            number = (offset & 0xFF) // self.width
            return table[number] & (1 << 8 * size) - 1 if number < len(table) else 0
        value = 0
        for position in range(0, size, self.width):
            index = (offset + position) // self.width * self.device_width // self.max_device_width & 0xFF
            entry = table[index] if index < len(table) else 0
            value |= self._side_by_side(entry, self.width) << 8 * position
        return value & (1 << 8 * size) - 1

    # -- commands

    def write(self, offset: int, size: int, value: int) -> None:
        """A command, or what one waits for."""
        command = value & 0xFF
        if self.wcycle == 0:
            self._command(command, value)
        elif self.wcycle == 1:
            self._second(offset, size, value, command)
        elif self.wcycle == 2:
            self._buffered(offset, size, value)
        elif command == CONFIRM:
            self.wcycle = 0
            self.status |= STATUS_READY
        else:
            self._fail(STATUS_PROGRAM_ERROR)

    def _command(self, command: int, value: int) -> None:
        if command in (READ_ARRAY, READ_ARRAY_ALT, RESET):
            self._read_array()
        elif command == CLEAR_STATUS:
            self.status = 0
            self._read_array()
        elif command in (READ_STATUS, READ_ID, QUERY):
            self._wait(command, 0)
        elif command in (PROGRAM, PROGRAM_ALT, ERASE, LOCK, WRITE_BUFFER):
            if command == WRITE_BUFFER:
                self.status |= STATUS_READY
            self._wait(command, 1)
        else:
            self._read_array()

    def _wait(self, command: int, cycle: int) -> None:
        self.cmd, self.wcycle = command, cycle
        self.flash.romd_mode = False

    def _fail(self, error: int) -> None:
        self.status |= error | STATUS_READY
        self._wait(READ_STATUS, 0)

    def _second(self, offset: int, size: int, value: int, command: int) -> None:
        """The cycle after a command of several."""
        match self.cmd:
            case 0x10 | 0x40:
                self._program(offset, size, value)
                self._store(offset, size)
                self.status |= STATUS_READY
                self.wcycle = 0
            case 0x20:
                if command == CONFIRM:
                    self._erase(offset)
                else:
                    self._refuse(command)
            case 0x60:  # blocks are never locked
                if command in (CONFIRM, LOCK_SET):
                    self.wcycle = 0
                    self.status |= STATUS_READY
                else:
                    self._refuse(command)
            case _:
                self.counter = value & 0xFFFF if self.device_width > 1 or self.is_unspecified else value & 0xFF
                self.wcycle = 2

    def _refuse(self, command: int) -> None:
        if command == RESET:
            self._read_array()
        else:
            self._fail(STATUS_PROGRAM_ERROR | STATUS_ERASE_ERROR)

    def _buffered(self, offset: int, size: int, value: int) -> None:
        """One word of the buffer. The whole of it is in one aligned piece, or the command fails."""
        self._program(offset, size, value)
        if self.counter == 0:
            mask = (1 << BUFFER_BITS) * (self.width // self.device_width) - 1
            self._store(offset & ~mask, mask + 1)
            self.wcycle = 3
            return
        self.counter -= 1

    # -- the memory

    def _program(self, offset: int, size: int, value: int) -> None:
        """Programming makes ones zero, never the other way round."""
        if self.read_only:
            self.status |= STATUS_PROGRAM_ERROR
            return
        order = "big" if self.big_endian else "little"
        new = value.to_bytes(size, order)  # type: ignore[arg-type]
        self._change(
            offset, bytes(old & byte for old, byte in zip(self.data[offset : offset + size], new, strict=True))
        )

    def _erase(self, offset: int) -> None:
        self.wcycle = 0
        self.status |= STATUS_READY
        if self.read_only:
            self.status |= STATUS_ERASE_ERROR
            return
        start = offset - offset % self.sector_length
        self._change(start, b"\xff" * self.sector_length)
        self._store(start, self.sector_length)

    def _change(self, offset: int, data: bytes) -> None:
        block = self.flash.ram_block
        block.write(offset, data)
        for listener in self.on_write:
            listener(block, offset, len(data))

    def _store(self, offset: int, length: int) -> None:
        """Write back to the drive, in its sectors."""
        if self.drive is None or self.read_only:
            return
        start, end = offset & -512, min(offset + length + 511 & -512, self.size)
        try:
            self.drive.write(start, bytes(self.data[start:end]))
        except BlockIOError:
            self.status |= STATUS_PROGRAM_ERROR
