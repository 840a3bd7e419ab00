"""PrimeCell DMA controllers PL080 (DDI 0196G) and PL081 (DDI 0218E): eight or two channels.

A channel copies from memory to memory as soon as it is enabled. No device here makes requests, so that one which waits
for a peripheral's waits on; requests by software (SoftBReq and others) are not there either.
"""

from __future__ import annotations

import struct

from pyqemu.hw.core.primecell import CELL_ID, identification
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.memory import AddressSpace
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U8, U32, Array, VMState
from pyqemu.system import Irq

MOST_CHANNELS = 8
# Tables 3-1 and 3-19.  fmt: off
INT_STATUS, TC_STATUS, TC_CLEAR, ERR_STATUS, ERR_CLEAR = 0x00, 0x04, 0x08, 0x0C, 0x10
RAW_TC, RAW_ERR, ENABLED, CONFIGURATION, SYNC = 0x14, 0x18, 0x1C, 0x30, 0x34
CHANNELS, CHANNELS_END, CHANNEL_SIZE = 0x100, 0x200, 0x20
SRC, DEST, LLI, CONTROL, CONFIG = 0x00, 0x04, 0x08, 0x0C, 0x10

CONTROL_INTERRUPT, CONTROL_DI, CONTROL_SI = 1 << 31, 1 << 27, 1 << 26  # table 3-25
CONTROL_DWIDTH, CONTROL_SWIDTH, CONTROL_SIZE = 21, 18, 0xFFF
CONFIG_HALT, CONFIG_ITC, CONFIG_IE, CONFIG_FLOW, CONFIG_E = 1 << 18, 1 << 15, 1 << 14, 11, 1 << 0  # table 3-27
# fmt: on
MEMORY_TO_MEMORY = 0
ITEM = struct.Struct("<4I")
LONGEST_CHAIN = 4096  #: items; a chain that is longer leads back to itself
WIDEST = 2  #: 32 bits, as a power of two


class Channel:
    """One channel."""

    vmstate = VMState(
        "pl080_channel", version=1, fields=(U32("src"), U32("dest"), U32("lli"), U32("ctrl"), U32("conf"))
    )

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Off."""
        self.src = self.dest = self.lli = self.ctrl = self.conf = 0


class _Dma(SysBusDevice):
    """What both have in common.

    :param memory: what the controller reads and writes
    """

    count = MOST_CHANNELS
    ids = bytes((0x80, 0x10, 0x04, 0x0A)) + CELL_ID

    vmstate = VMState(
        "pl080",
        version=1,
        fields=(
            U8("tc_int", wire="tc_int[0]"), U8("tc_mask"), U8("err_int"), U8("err_mask"), U32("conf"), U32("sync"),
            U32("req_single"), U32("req_burst"), *(U8("tc_int", wire=f"tc_int[{number}]") for number in (1, 2, 3)),
            Array("chan", Channel.vmstate, MOST_CHANNELS, since=1), I32("running"),
        ),
        post_load=lambda dma: dma.update(),
    )  # fmt: skip

    def __init__(self, irq: Irq, memory: AddressSpace) -> None:
        super().__init__()
        self.irq, self.memory = irq, memory
        self.chan = [Channel() for _ in range(MOST_CHANNELS)]
        self.add_registers("pl080", 0x1000, self)
        self.reset()

    def reset(self) -> None:
        """Table 3-1."""
        self.tc_int = self.tc_mask = self.err_int = self.err_mask = self.conf = self.sync = 0
        self.req_single = self.req_burst = self.running = 0
        for channel in self.chan:
            channel.reset()
        self.update()

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.irq.set(bool(self.tc_int & self.tc_mask or self.err_int & self.err_mask))

    # -- registers

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        if CHANNELS <= offset < CHANNELS_END:
            channel = self._channel(offset)
            names = ("src", "dest", "lli", "ctrl", "conf")
            number = offset % CHANNEL_SIZE >> 2
            return int(getattr(channel, names[number])) if channel is not None and number < len(names) else 0
        enabled = sum(bool(channel.conf & CONFIG_E) << number for number, channel in enumerate(self.chan))
        done, failed = self.tc_int & self.tc_mask, self.err_int & self.err_mask
        plain = {
            INT_STATUS: done | failed, TC_STATUS: done, ERR_STATUS: failed, RAW_TC: self.tc_int, RAW_ERR: self.err_int,
            ENABLED: enabled, CONFIGURATION: self.conf, SYNC: self.sync,
        }  # fmt: skip
        return plain[offset] if offset in plain else identification(self.ids, offset)

    def _channel(self, offset: int) -> Channel | None:
        number = (offset - CHANNELS) // CHANNEL_SIZE
        return self.chan[number] if number < self.count else None

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if CHANNELS <= offset < CHANNELS_END:
            channel = self._channel(offset)
            if channel is not None:
                self._write_channel(channel, offset % CHANNEL_SIZE, value)
        elif offset == TC_CLEAR:
            self.tc_int &= ~value
        elif offset == ERR_CLEAR:
            self.err_int &= ~value
        elif offset == CONFIGURATION:
            self.conf = value
            self._run()
        elif offset == SYNC:
            self.sync = value
        self.update()

    def _write_channel(self, channel: Channel, register: int, value: int) -> None:
        if register == SRC:
            channel.src = value
        elif register == DEST:
            channel.dest = value
        elif register == LLI:
            channel.lli = value
        elif register == CONTROL:
            channel.ctrl = value
        elif register == CONFIG:
            channel.conf = value
            self._run()

    # -- transfers

    def _run(self) -> None:
        """Let all channels that may, copy: the first one is the most urgent."""
        self.tc_mask = sum(bool(channel.conf & CONFIG_ITC) << number for number, channel in enumerate(self.chan))
        self.err_mask = sum(bool(channel.conf & CONFIG_IE) << number for number, channel in enumerate(self.chan))
        if not self.conf & CONFIG_E or self.running:
            return
        self.running = 1  # a copy may end in these registers
        for number, channel in enumerate(self.chan[: self.count]):
            is_on = channel.conf & (CONFIG_HALT | CONFIG_E) == CONFIG_E
            if is_on and channel.conf >> CONFIG_FLOW & 7 == MEMORY_TO_MEMORY:
                self._copy_chain(number, channel)
        self.running = 0

    def _copy_chain(self, number: int, channel: Channel) -> None:
        for _ in range(LONGEST_CHAIN):
            if not channel.ctrl & CONTROL_SIZE:
                return
            if channel.ctrl >> CONTROL_SWIDTH & 7 > WIDEST or channel.ctrl >> CONTROL_DWIDTH & 7 > WIDEST:
                break  # reserved
            self._copy(channel)
            tells = channel.ctrl & CONTROL_INTERRUPT
            more = channel.lli & ~3
            if more:
                item = self.memory.read(more, ITEM.size)
                channel.src, channel.dest, channel.lli, channel.ctrl = ITEM.unpack(item)
            else:
                channel.conf &= ~CONFIG_E
            if tells:
                self.tc_int |= 1 << number
            if not more:
                return
        channel.conf &= ~CONFIG_E
        self.err_int |= 1 << number

    def _copy(self, channel: Channel) -> None:
        """One item: so many units of the source's width."""
        width, out = 1 << (channel.ctrl >> CONTROL_SWIDTH & 7), 1 << (channel.ctrl >> CONTROL_DWIDTH & 7)
        data = bytearray()
        for _ in range(channel.ctrl & CONTROL_SIZE):
            data += self.memory.load(channel.src, width).to_bytes(width, "little")
            channel.src = channel.src + (width if channel.ctrl & CONTROL_SI else 0) & 0xFFFF_FFFF
        for start in range(0, len(data), out):
            self.memory.write(channel.dest, bytes(data[start : start + out]))
            channel.dest = channel.dest + (out if channel.ctrl & CONTROL_DI else 0) & 0xFFFF_FFFF
        channel.ctrl &= ~CONTROL_SIZE


@device_class("pl080", bus="sysbus", user_creatable=False)
class Pl080(_Dma):
    """With eight channels."""


@device_class("pl081", bus="sysbus", user_creatable=False)
class Pl081(_Dma):
    """With two."""

    count = 2
    ids = bytes((0x81, 0x10, 0x04, 0x0A)) + CELL_ID
