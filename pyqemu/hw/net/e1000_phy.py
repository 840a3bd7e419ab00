"""The transceiver: an M88E1000 behind the register MDIC, its registers (IEEE 802.3 clause 22), and auto-negotiation."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.hw.net.e1000_registers import (
    MDIC_DATA,
    MDIC_ERROR,
    MDIC_PHY,
    MDIC_READ,
    MDIC_READY,
    MDIC_REGISTER,
    MDIC_WRITE,
    STATUS,
    STATUS_LU,
    MacRegisters,
)
from pyqemu.net import NetClient
from pyqemu.system.clock import MILLISECOND, Clock

ADDRESS = 1  # of the transceiver on its bus
NEGOTIATION_TIME = 500 * MILLISECOND

# fmt: off
CONTROL, PHY_STATUS, ID1, ID2, ADVERTISE, PARTNER, EXPANSION = range(7)
CONTROL_1000, STATUS_1000                                    = 9, 10
SPECIFIC_CONTROL, SPECIFIC_STATUS, EXTENDED, ERRORS          = 16, 17, 20, 21
# fmt: on

CONTROL_RESERVED, CONTROL_RESTART = 0x3F, 1 << 9
CONTROL_NEGOTIATE, CONTROL_LOOPBACK, CONTROL_RESET = 1 << 12, 1 << 14, 1 << 15
STATUS_LINK, STATUS_NEGOTIATED = 1 << 2, 1 << 5
PARTNER_ACKNOWLEDGED = 1 << 14

RESET_VALUES = {
    CONTROL: 0x1140, PHY_STATUS: 0x794D, ID1: 0x0141, ID2: 0x0C20, ADVERTISE: 0x0DE1, PARTNER: 0x01E0,
    CONTROL_1000: 0x0E00, STATUS_1000: 0x3C00, SPECIFIC_CONTROL: 0x0360, SPECIFIC_STATUS: 0xAC00, EXTENDED: 0x0D60,
}  # fmt: skip
"""After power-on the link is up, and no negotiation has taken place."""

READABLE = frozenset((*RESET_VALUES, EXPANSION, ERRORS))
WRITABLE = frozenset((CONTROL, ADVERTISE, CONTROL_1000, SPECIFIC_CONTROL, EXTENDED))


class Phy:
    """The transceiver.

    :param autonegotiation: whether negotiation takes time; without it the link is simply up
    :param negotiated: called when a negotiation has ended: the link is up
    :ivar reg: its 32 registers
    """

    def __init__(
        self,
        mac: MacRegisters,
        client: NetClient,
        clock: Clock,
        *,
        autonegotiation: bool,
        negotiated: Callable[[], None],
    ) -> None:
        self.reg = [0] * 32
        self._mac = mac
        self._client = client
        self._clock = clock
        self._autonegotiation = autonegotiation
        self._negotiated = negotiated
        self._negotiation = clock.timer(self._finish)

    def reset(self) -> None:
        """As after power-on; whether the cable is plugged stays as it is."""
        self._negotiation.cancel()
        self.reg[:] = (RESET_VALUES.get(number, 0) for number in range(32))
        if self._client.link_down:
            self.link_went_down()

    @property
    def loopback(self) -> bool:
        """Whether what is sent comes back from here."""
        return bool(self.reg[CONTROL] & CONTROL_LOOPBACK)

    @property
    def negotiates(self) -> bool:
        """Whether the guest wants the link to be negotiated."""
        return self._autonegotiation and bool(self.reg[CONTROL] & CONTROL_NEGOTIATE)

    # -- the management interface

    def access(self, value: int, before: int) -> int:
        """The guest writes *value* to MDIC, which was *before*. Return what the register is then.

        Accesses take no time here; those to registers that are not there end with the error bit.
        """
        number = value >> MDIC_REGISTER & 31
        if value >> MDIC_PHY & 31 != ADDRESS:
            value = before | MDIC_ERROR
        elif value & MDIC_READ:
            value = value & ~MDIC_DATA | self.reg[number] if number in READABLE else value | MDIC_ERROR
        elif value & MDIC_WRITE:
            if number in WRITABLE:
                self._write(number, value & MDIC_DATA)
            else:
                value |= MDIC_ERROR
        return value | MDIC_READY

    def _write(self, number: int, value: int) -> None:
        if number != CONTROL:
            self.reg[number] = value
            return
        self.reg[CONTROL] = value & ~(CONTROL_RESERVED | CONTROL_RESET | CONTROL_RESTART)
        if value & CONTROL_RESTART and self.negotiates:
            self.link_went_down()
            self.negotiate()

    # -- the link

    def negotiate(self) -> None:
        """Begin to agree with the other end; the link comes up when that is done."""
        self._negotiation.set(self._clock.now() + NEGOTIATION_TIME)

    def _finish(self) -> None:
        if not self._client.link_down:
            self.link_came_up()
            self.reg[PARTNER] |= PARTNER_ACKNOWLEDGED
            self.reg[PHY_STATUS] |= STATUS_NEGOTIATED
            self._negotiated()

    def link_went_down(self) -> None:
        """Say so in both chips' registers."""
        self._mac[STATUS] &= ~STATUS_LU
        self.reg[PHY_STATUS] &= ~(STATUS_LINK | STATUS_NEGOTIATED)
        self.reg[PARTNER] &= ~PARTNER_ACKNOWLEDGED

    def link_came_up(self) -> None:
        """Likewise."""
        self._mac[STATUS] |= STATUS_LU
        self.reg[PHY_STATUS] |= STATUS_LINK

    def cable_changed(self) -> bool:
        """The cable was plugged in or pulled out. Return whether the link is up or down by that already."""
        before = self._mac[STATUS]
        if self._client.link_down:
            self.link_went_down()
        elif self.negotiates and not self.reg[PHY_STATUS] & STATUS_NEGOTIATED:
            self.negotiate()
        else:
            self.link_came_up()
        return self._mac[STATUS] != before

    # -- the saved state

    def before_save(self) -> None:
        """An unplugged cable looks like a negotiation under way; QEMU tells them apart by this bit."""
        if self._client.link_down and self.negotiates:
            self.reg[PHY_STATUS] |= STATUS_NEGOTIATED

    def loaded(self) -> None:
        """The cable is as the registers say; a negotiation begins anew."""
        self._negotiation.cancel()
        self._client.link_down = not self._mac[STATUS] & STATUS_LU
        if self.negotiates and not self.reg[PHY_STATUS] & STATUS_NEGOTIATED:
            self._client.link_down = False
            self.negotiate()
