"""The mailboxes between processor and graphics core of Broadcom's BCM2835, as Linux and the firmware's wiki know
them: words whose low four bits tell a channel, and the value above. A channel is a device behind it that answers.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U32, Array, Bool, VMState
from pyqemu.system import Irq

SIZE = 32  # words that a mailbox holds
CHANNELS = 9
INVALID = 0xF
# fmt: off
STATUS_FULL, STATUS_EMPTY       = 1 << 31, 1 << 30
CONFIG_DATA_IRQ, CONFIG_CLEAR   = 1 << 0, 1 << 1
MBOX0_READ, MBOX0_PEEK, MBOX0_STATUS, MBOX0_CONFIG, MBOX1_WRITE, MBOX1_STATUS = 0x80, 0x90, 0x98, 0x9C, 0xA0, 0xB8
# fmt: on


class Channel(Protocol):
    """A device behind a channel."""

    def request(self, value: int) -> int:
        """Do what the word asks, and return the word to answer, both without their channel."""


class Mailbox:
    """A queue of words."""

    vmstate = VMState(
        "bcm2835-mbox_box",
        fields=(
            Array("saved_reg", U32, SIZE, wire="reg"), U32("count", maximum=SIZE), U32("status"), U32("config"),
        ),
        pre_save=lambda box: box.settle(),
        post_load=lambda box: box.loaded(),
    )  # fmt: skip

    def __init__(self) -> None:
        self.words: deque[int] = deque()
        self.config = 0
        self.saved_reg = [0] * SIZE
        self.count = 0

    @property
    def status(self) -> int:
        """Whether it is full or empty."""
        return STATUS_FULL * (len(self.words) == SIZE) | STATUS_EMPTY * (not self.words)

    @status.setter
    def status(self, value: int) -> None:
        """It follows from what is in it."""

    def settle(self) -> None:
        """Before saving."""
        self.saved_reg = [*self.words, *([0] * (SIZE - len(self.words)))]
        self.count = len(self.words)

    def loaded(self) -> None:
        """After loading."""
        self.words = deque(self.saved_reg[: self.count])


@device_class("bcm2835-mbox", bus="sysbus", user_creatable=False)
class Bcm2835Mbox(SysBusDevice):
    """Mailbox 0, from the graphics core, and 1, to it. A channel answers at once."""

    vmstate = VMState(
        "bcm2835-mbox",
        fields=(Array("available", Bool, CHANNELS), Array("mbox", Mailbox.vmstate, 2, since=1)),
        post_load=lambda box: box.update(),
    )

    def __init__(self, irq: Irq) -> None:
        super().__init__()
        self.irq = irq
        self.mbox = [Mailbox(), Mailbox()]
        self.available = [0] * CHANNELS
        self.channels: dict[int, Channel] = {}
        self.add_registers("bcm2835-mbox", 0x400, self, access=(4, 4), impl=(4, 4))

    def reset(self) -> None:
        """Empty."""
        for box in self.mbox:
            box.words.clear()
            box.config = 0
        self.update()

    def update(self) -> None:
        """Drive the interrupt from state: there is something to read."""
        box = self.mbox[0]
        self.irq.set(bool(box.config & CONFIG_DATA_IRQ and box.words))

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        box = self.mbox[0]
        match offset & 0xFF:
            case 0x80 | 0x84 | 0x88 | 0x8C:
                value = box.words.popleft() if box.words else INVALID
                self.update()
                return value
            case 0x90:
                return box.words[0] if box.words else INVALID
            case 0x94:
                return 0
            case 0x98:
                return box.status
            case 0x9C:
                return box.config | CONFIG_DATA_IRQ << 4 if self.irq.level else box.config
            case 0xB8:
                return self.mbox[1].status
            case _:
                return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset & 0xFF:
            case 0x9C:
                self.mbox[0].config = value & CONFIG_DATA_IRQ
            case 0xA0 | 0xA4 | 0xA8 | 0xAC:
                self._send(value)
        self.update()

    def _send(self, word: int) -> None:
        channel = self.channels.get(word & 0xF)
        if channel is not None and len(self.mbox[0].words) < SIZE:
            self.mbox[0].words.append(channel.request(word & ~0xF) | word & 0xF)
