"""The DMA controller of the BCM2835 ("BCM2835 ARM Peripherals", 4): sixteen channels that work through lists of control
blocks in memory. A transfer is over before the register write that started it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.memory import AddressSpace
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U32, Array, VMState
from pyqemu.system import Irq

CHANNELS = 16
# fmt: off
CS, CONBLK_AD, TI, SOURCE_AD, DEST_AD                                   = 0x00, 0x04, 0x08, 0x0C, 0x10
TXFR_LEN, STRIDE, NEXTCONBK, DEBUG                                      = 0x14, 0x18, 0x1C, 0x20
INT_STATUS, ENABLE                                                      = 0xFE0, 0xFF0
# 4.2.1.2, table of CS
CS_ACTIVE, CS_END, CS_INT, CS_PAUSED, CS_ERROR, CS_ABORT, CS_RESET      = 1, 2, 4, 1 << 4, 1 << 8, 1 << 30, 1 << 31
TI_INTEN, TI_2D, TI_D_INC, TI_D_IGNORE, TI_S_INC, TI_S_IGNORE           = 1, 2, 1 << 4, 1 << 7, 1 << 8, 1 << 11
# fmt: on
CS_KEPT = 0xF0FF_0001 & ~(CS_ABORT | CS_RESET)
BLOCK = struct.Struct("<6I8x")
MAX_BLOCKS = 0x10000
"""Control blocks that one start may go through: a list may lead back to itself."""
RAM_MASK = 0x3FFF_FFFF


class Channel:
    """One channel."""

    # fmt: off
    vmstate = VMState(
        "bcm2835-dma-chan",
        fields=(
            U32("cs"), U32("conblk_ad"), U32("ti"), U32("source_ad"), U32("dest_ad"), U32("txfr_len"), U32("stride"),
            U32("nextconbk"), U32("debug"),
        ),
    )
    # fmt: on

    def __init__(self, irq: Irq) -> None:
        self.irq = irq
        self.reset()

    def reset(self) -> None:
        """Idle."""
        self.cs = self.conblk_ad = self.ti = self.source_ad = self.dest_ad = 0
        self.txfr_len = self.stride = self.nextconbk = self.debug = 0


@device_class("bcm2835-dma", bus="sysbus", user_creatable=False)
class Bcm2835Dma(SysBusDevice):
    """The controller. Regions: channels 0 to 14 with what is common, and channel 15.

    :param memory: what it reads and writes: addresses of the graphics core
    """

    vmstate = VMState(
        "bcm2835-dma",
        fields=(Array("chan", Channel.vmstate, CHANNELS, since=1), U32("int_status"), U32("enable")),
        post_load=lambda dma: dma.update(),
    )

    def __init__(self, memory: AddressSpace, irqs: Sequence[Irq]) -> None:
        super().__init__()
        self.memory = memory
        self.chan = [Channel(irq) for irq in irqs[:CHANNELS]]
        self.add_registers("bcm2835-dma", 0x1000, _Low(self), access=(4, 4), impl=(4, 4))
        self.add_registers("bcm2835-dma-chan15", 0x100, _Fifteenth(self), access=(4, 4), impl=(4, 4))
        self.reset()

    def reset(self) -> None:
        """All idle."""
        self.enable = 0xFFFF
        self.int_status = 0
        for channel in self.chan:
            channel.reset()
        self.update()

    def update(self) -> None:
        """Drive the interrupts from state."""
        for number, channel in enumerate(self.chan):
            channel.irq.set(self.int_status >> number & 1)

    def read(self, number: int, offset: int) -> int:
        """Read a register of a channel."""
        channel = self.chan[number]
        values = (
            channel.cs, channel.conblk_ad, channel.ti, channel.source_ad, channel.dest_ad, channel.txfr_len,
            channel.stride, channel.nextconbk, channel.debug,
        )  # fmt: skip
        return values[offset >> 2] if offset >> 2 < len(values) else 0

    def write(self, number: int, offset: int, value: int) -> None:
        """Write a register of a channel; those of a control block are for reading alone."""
        channel = self.chan[number]
        match offset:
            case 0x00:
                self._write_control(number, value)
            case 0x04:
                channel.conblk_ad = value
            case 0x20:
                channel.debug = value
        self.update()

    def _write_control(self, number: int, value: int) -> None:
        channel = self.chan[number]
        was_active = channel.cs & CS_ACTIVE
        if value & CS_RESET:
            channel.cs |= CS_RESET
        if value & CS_ABORT:
            channel.cs |= CS_ABORT
        channel.cs &= ~(value & (CS_END | CS_INT))
        if value & CS_INT:
            self.int_status &= ~(1 << number)
        channel.cs = channel.cs & ~CS_KEPT | value & CS_KEPT
        if not was_active and value & CS_ACTIVE and self.enable >> number & 1:
            self._run(number)

    def _run(self, number: int) -> None:
        channel = self.chan[number]
        blocks = 0
        while channel.conblk_ad and blocks < MAX_BLOCKS:
            fields = BLOCK.unpack(self.memory.read(channel.conblk_ad & RAM_MASK, BLOCK.size))
            channel.ti, channel.source_ad, channel.dest_ad, channel.txfr_len, channel.stride, channel.nextconbk = fields
            self._transfer(channel)
            if channel.ti & TI_INTEN:
                channel.cs |= CS_INT
                self.int_status |= 1 << number
            channel.conblk_ad = channel.nextconbk
            blocks += 1
        channel.cs = channel.cs & ~CS_ACTIVE | CS_END | CS_PAUSED  # 4.2.1.2: paused is what is not active

    def _transfer(self, channel: Channel) -> None:
        """Rows of bytes; without 2D there is one (4.2.1.2, TXFR_LEN and STRIDE)."""
        rows, length = 1, channel.txfr_len & 0x3FFF_FFFF
        to_source = to_dest = 0
        if channel.ti & TI_2D:
            rows, length = (channel.txfr_len >> 16 & 0x3FFF) + 1, channel.txfr_len & 0xFFFF
            to_source, to_dest = _signed(channel.stride), _signed(channel.stride >> 16)
        for _ in range(rows):
            data = self._read(channel, length)
            self._write(channel, data)
            if channel.ti & TI_S_INC:
                channel.source_ad = channel.source_ad + length + to_source & 0xFFFF_FFFF
            if channel.ti & TI_D_INC:
                channel.dest_ad = channel.dest_ad + length + to_dest & 0xFFFF_FFFF
        channel.txfr_len = 0

    def _read(self, channel: Channel, length: int) -> bytes:
        if channel.ti & TI_S_IGNORE:
            return bytes(length)
        if channel.ti & TI_S_INC:
            return bytes(self.memory.read(channel.source_ad, length))
        words = (self.memory.load(channel.source_ad, 4).to_bytes(4, "little") for _ in range(0, length, 4))
        return b"".join(words)[:length]

    def _write(self, channel: Channel, data: bytes) -> None:
        if channel.ti & TI_D_IGNORE:
            return
        if channel.ti & TI_D_INC:
            self.memory.write(channel.dest_ad, data)
            return
        for position in range(0, len(data), 4):
            word = data[position : position + 4].ljust(4, b"\0")
            self.memory.store(channel.dest_ad, 4, int.from_bytes(word, "little"))


def _signed(value: int) -> int:
    """The lower 16 bits as a number with a sign."""
    return (value & 0xFFFF ^ 0x8000) - 0x8000


class _Low:
    """256 bytes of each channel but the last, then two common registers."""

    def __init__(self, dma: Bcm2835Dma) -> None:
        self.dma = dma

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        if offset < 0xF00:
            return self.dma.read(offset >> 8, offset & 0xFF)
        return {INT_STATUS: self.dma.int_status, ENABLE: self.dma.enable}.get(offset, 0)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if offset < 0xF00:
            self.dma.write(offset >> 8, offset & 0xFF, value)
        elif offset == ENABLE:
            self.dma.enable = value & 0xFFFF


class _Fifteenth:
    """The last channel."""

    def __init__(self, dma: Bcm2835Dma) -> None:
        self.dma = dma

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        return self.dma.read(15, offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        self.dma.write(15, offset, value)
