"""An I2C host whose two lines software drives by itself: what these mean (UM10204, 3.1.1 to 3.1.6).

Data changes while the clock is low; while it is high, a falling edge of data starts a transfer, a rising one ends it.
Each byte is nine clocks: eight bits, the highest one first, and the acknowledgement of who receives.
"""

from __future__ import annotations

from enum import Enum, auto

from pyqemu.hw.i2c.bus import I2cBus

BITS = 8


class Phase(Enum):
    """What the next clock is for."""

    IDLE = auto()
    TO_DEVICE = auto()
    DEVICE_ACKNOWLEDGES = auto()
    FROM_DEVICE = auto()
    HOST_ACKNOWLEDGES = auto()


class BitBang:
    """Both lines.

    :ivar data: what the data line is, since the host and the device can only pull it low
    """

    def __init__(self, bus: I2cBus) -> None:
        self._bus = bus
        self._scl = self._sda = self._device = 1
        self._phase = Phase.IDLE
        self._value = self._bits = 0
        self._has_address = self._reading = False

    @property
    def data(self) -> int:
        """The data line."""
        return self._sda & self._device

    def set(self, scl: int, sda: int) -> None:
        """The host drives its ends: the clock first."""
        self._set_clock(scl)
        self._set_data(sda)

    def _set_data(self, level: int) -> None:
        if level == self._sda:
            return
        self._sda = level
        if not self._scl:
            return
        self._device = 1
        if level:
            self._bus.end()
            self._phase = Phase.IDLE
        else:
            self._begin(Phase.TO_DEVICE)
            self._has_address = False

    def _begin(self, phase: Phase) -> None:
        self._phase, self._bits = phase, 0

    def _set_clock(self, level: int) -> None:
        if level == self._scl:
            return
        self._scl = level
        self._device = self._rose() if level else 1  # the device lets go of the line when the clock falls

    def _rose(self) -> int:
        """A clock begins; what the device drives meanwhile."""
        match self._phase:
            case Phase.TO_DEVICE:
                self._value = self._value << 1 & 0xFF | self._sda
                self._count(Phase.DEVICE_ACKNOWLEDGES)
                return 1
            case Phase.DEVICE_ACKNOWLEDGES:
                return 0 if self._take() else 1
            case Phase.FROM_DEVICE:
                if not self._bits:
                    self._value = self._bus.receive()
                bit = self._value >> (BITS - 1 - self._bits) & 1
                self._count(Phase.HOST_ACKNOWLEDGES)
                return bit
            case Phase.HOST_ACKNOWLEDGES:
                self._begin(Phase.IDLE if self._sda else Phase.FROM_DEVICE)
                return 1
            case _:
                return 1

    def _count(self, then: Phase) -> None:
        self._bits += 1
        if self._bits == BITS:
            self._phase = then

    def _take(self) -> bool:
        """A byte is complete: the first one of a transfer is the address, and whether the host will read."""
        if self._has_address:
            taken = self._bus.send(self._value)
        else:
            self._has_address, self._reading = True, bool(self._value & 1)
            taken = self._bus.start(self._value >> 1, reading=self._reading)
        self._begin(Phase.FROM_DEVICE if self._reading else Phase.TO_DEVICE)
        return taken
