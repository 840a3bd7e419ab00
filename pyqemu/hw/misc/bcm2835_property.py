"""The property channel of the BCM2835's firmware (github.com/raspberrypi/firmware/wiki/Mailbox-property-interface):
software asks for facts and settings by tags in a buffer in memory, and finds the answers there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.memory import AddressSpace
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U32, Bool, Buffer, VMState

CODE_SUCCESS, CODE_ERROR = 0x8000_0000, 0x8000_0001
TAG_ANSWERED = 0x8000_0000
CHANNEL = 8
MAX_BUFFER = 0x10000
FIRMWARE_REVISION = 346337
DEFAULT_MAC = bytes.fromhex("b827eb000000")
# fmt: off
CLOCK_EMMC, CLOCK_UART, CLOCK_DEFAULT       = 50_000_000, 3_000_000, 700_000_000
EMMC, UART                                  = 1, 2
# fmt: on


@device_class("bcm2835-property", bus="sysbus", user_creatable=False)
class Bcm2835Property(SysBusDevice):
    """The channel.

    :param memory: what the graphics core sees
    :param picture: what answers to the tags that are about the picture, by tag
    :param ram_size: bytes of RAM that are the processor's; behind them are the graphics core's
    """

    board_rev = Property.uint("board-rev", 0)

    vmstate = VMState(
        "bcm2835-property",
        fields=(Buffer("macaddr", 6), U32("addr"), Bool("pending")),
    )

    def __init__(
        self,
        memory: AddressSpace,
        ram_size: int,
        *,
        gpu_size: int = 64 << 20,
        mac: bytes = DEFAULT_MAC,
        picture: Mapping[int, Callable[[bytes], bytes]] = MappingProxyType({}),
        **props: object,
    ) -> None:
        super().__init__(**props)
        self.memory = memory
        self.ram_size = ram_size
        self.gpu_size = gpu_size
        self.macaddr = mac
        self.addr = 0
        self.pending = False
        self._answers: dict[int, Callable[[bytes], bytes]] = {
            0x00000001: lambda asked: _words(FIRMWARE_REVISION),
            0x00010001: lambda asked: _words(0),
            0x00010002: lambda asked: _words(self.board_rev),
            0x00010003: lambda asked: self.macaddr,
            0x00010004: lambda asked: bytes(8),
            0x00010005: lambda asked: _words(0, self.ram_size),
            0x00010006: lambda asked: _words(self.ram_size, self.gpu_size),
            0x00020001: lambda asked: _words(_word(asked, 0), 1),
            0x00028001: lambda asked: _words(_word(asked, 0), _word(asked, 1) & 1),
            0x00030001: lambda asked: _words(_word(asked, 0), 1),
            0x00038001: lambda asked: _words(_word(asked, 0), _word(asked, 1) & 1),
            0x00030002: _clock_rate, 0x00030004: _clock_rate, 0x00030007: _clock_rate,
            0x00038002: lambda asked: asked[:8],
            0x00030006: lambda asked: _words(_word(asked, 0), 25_000),
            0x0003000A: lambda asked: _words(_word(asked, 0), 99_000),
            0x00050001: lambda asked: b"",
            0x00060001: lambda asked: _words(0x003C), **picture,
        }  # fmt: skip

    def request(self, value: int) -> int:
        """Answer the tags of the buffer at an address; the low four bits of which are not the address's."""
        address = value & 0x3FFF_FFFF  # the graphics core's view of RAM, without its kinds of caching
        (total,) = struct.unpack("<I", self.memory.read(address, 4))
        if total > MAX_BUFFER:
            self.memory.write(address + 4, _words(CODE_ERROR))
            return value
        position = 8
        while position + 12 <= total:
            tag, room, _length = struct.unpack("<III", self.memory.read(address + position, 12))
            if tag == 0:
                break
            asked = self.memory.read(address + position + 12, min(room, total - position - 12))
            self._answer(address + position, tag, room, asked)
            position += 12 + (room + 3 & ~3)
        self.memory.write(address + 4, _words(CODE_SUCCESS))
        return value

    def _answer(self, where: int, tag: int, room: int, asked: bytes) -> None:
        """Write an answer as far as there is room; its length tells all of it. Unknown tags have an empty one."""
        answer = self._answers.get(tag, _nothing)(asked)
        self.memory.write(where + 8, _words(TAG_ANSWERED | len(answer)))
        self.memory.write(where + 12, answer[:room])


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _nothing(asked: bytes) -> bytes:
    return b""


def _word(data: bytes, index: int) -> int:
    return int.from_bytes(data[4 * index : 4 * index + 4], "little")


def _clock_rate(asked: bytes) -> bytes:
    """Rates are what they are, whatever is asked for."""
    clock = _word(asked, 0)
    return _words(clock, {EMMC: CLOCK_EMMC, UART: CLOCK_UART}.get(clock, CLOCK_DEFAULT))
