"""A card of a board alone: on a bus of its own, with a cable to a far end that remembers what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu.hw.core.sysbus import SystemBus
from pyqemu.hw.net.sysbus_card import SysBusCard
from pyqemu.net import NetClient, Network
from pyqemu.system import Clock, FakeClock, Irq, System

ADDRESS = bytes.fromhex("525400123456")
OTHER = bytes.fromhex("020000000001")
BROADCAST = b"\xff" * 6


class CardRig:
    """The card, made by *make* from a clock and its interrupt.

    :ivar sent: frames that came to the far end
    """

    def __init__(self, make: Callable[[Clock, Irq], SysBusCard], **props: Any) -> None:
        self.clock = FakeClock()
        self.system = System(clock=self.clock)
        self.irq = Irq()
        self.card = make(self.clock, self.irq, **props)
        self.sent: list[bytes] = []
        SystemBus(self.system).plug(self.card)
        self.far = NetClient("far", "test", receive=self._take)
        self.card.client.connect(self.far)

    def _take(self, frame: bytes) -> bool:
        self.sent.append(frame)
        return True

    @property
    def network(self) -> Network:
        return Network.of(self.system)

    def read(self, offset: int, size: int = 4) -> int:
        return self.card.region.load(offset, size)

    def write(self, offset: int, value: int, size: int = 4) -> None:
        self.card.region.store(offset, size, value)

    def wait(self, nanoseconds: int) -> None:
        """Let time pass."""
        self.clock.advance(nanoseconds)
        self.clock.run_due()

    def arrive(self, frame: bytes) -> bool:
        """A frame comes over the cable."""
        return self.far.send(frame)


def frame_to(address: bytes, length: int = 60) -> bytes:
    """A frame with recognizable contents."""
    head = address + OTHER + b"\x88\xb5"
    return head + bytes(index & 0xFF for index in range(length - len(head)))
