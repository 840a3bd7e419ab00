"""The transceiver in a LAN9118 (SMSC LAN9118 data sheet, Rev. 1.5, 5.5): registers, which tell of the cable."""

from __future__ import annotations

from collections.abc import Callable

# fmt: off
CONTROL, STATUS, ID1, ID2, ADVERTISE, PARTNER, EXPANSION    = range(7)
INT_SOURCE, INT_MASK                                        = 29, 30

CONTROL_RESET, CONTROL_LOOPBACK, CONTROL_AUTONEG            = 0x8000, 0x4000, 0x1000
CONTROL_WRITABLE                                            = 0x7980
STATUS_AUTONEG_DONE, STATUS_LINK                            = 0x0020, 0x0004
INT_ENERGYON, INT_AUTONEG_DONE, INT_DOWN                    = 0x80, 0x40, 0x10
# fmt: on
FIXED = {ID1: 0x0007, ID2: 0xC0D1, PARTNER: 0x0F71, EXPANSION: 1}


class Phy:
    """The registers. Negotiation ends at once, with whatever the cable's other end can do.

    :param plugged_in: whether there is a cable
    :param changed: called when the interrupt may have changed
    """

    def __init__(self, plugged_in: Callable[[], bool], changed: Callable[[], None]) -> None:
        self._plugged_in, self._changed = plugged_in, changed
        self.status, self.control, self.advertise, self.int_mask, self.int_source = 0x7809, 0x3000, 0x01E1, 0, 0

    @property
    def interrupt(self) -> bool:
        """Whether it asks for one."""
        return bool(self.int_source & self.int_mask)

    @property
    def loopback(self) -> bool:
        """Whether frames come back instead of leaving."""
        return bool(self.control & CONTROL_LOOPBACK)

    def reset(self) -> None:
        """5.5: as after power-on; then the link comes up."""
        self.status, self.control, self.advertise, self.int_mask, self.int_source = 0x7809, 0x3000, 0x01E1, 0, 0
        self.cable_changed()

    def cable_changed(self) -> None:
        """Look at the cable."""
        if self._plugged_in():
            self.status |= STATUS_AUTONEG_DONE | STATUS_LINK
            self.int_source |= INT_ENERGYON | INT_AUTONEG_DONE
        else:
            self.status &= ~(STATUS_AUTONEG_DONE | STATUS_LINK)
            self.int_source |= INT_DOWN
        self._changed()

    def read(self, number: int) -> int:
        """Read a register."""
        if number == INT_SOURCE:
            value, self.int_source = self.int_source, 0
            self._changed()
            return value
        plain = {CONTROL: self.control, STATUS: self.status, ADVERTISE: self.advertise, INT_MASK: self.int_mask}
        return plain.get(number, FIXED.get(number, 0))

    def write(self, number: int, value: int) -> None:
        """Write a register."""
        if number == CONTROL and value & CONTROL_RESET:
            self.reset()
        elif number == CONTROL:
            self.control = value & CONTROL_WRITABLE
            if value & CONTROL_AUTONEG:
                self.status |= STATUS_AUTONEG_DONE
        elif number == ADVERTISE:
            self.advertise = value & 0x2D7F | 0x80
        elif number == INT_MASK:
            self.int_mask = value & 0xFF
            self._changed()
