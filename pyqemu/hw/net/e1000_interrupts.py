"""Interrupt causes, their mask, and mitigation: a busy card interrupts the processor less often (Intel 317453, 3.2.7).

As in QEMU, only the absolute timers count (RADV if RDTR is set, TADV, and ITR): the line rises at once, and then not
again before the time is over.
"""

from __future__ import annotations

from pyqemu.hw.net.e1000_registers import (
    ICR,
    ICR_RXT0,
    ICR_TXDW,
    ICR_TXQE,
    ICS,
    IMS,
    ITR,
    MITIGATION_MASKS,
    RADV,
    RDTR,
    TADV,
    MacRegisters,
)
from pyqemu.system import Irq
from pyqemu.system.clock import Clock

UNIT = 256  # ns, of ITR
ABSOLUTE = 4  # such units are one of RADV and TADV
SHORTEST = 500  # units: the card never interrupts more often than 7813 times a second


class Interrupts:
    """What leads to the card's interrupt pin.

    :param mitigation: whether the line may stay low for a while although a cause is pending
    :ivar level: of the line
    :ivar delay_transmit: whether a descriptor was processed whose completion may be told late (IDE)
    """

    def __init__(self, mac: MacRegisters, irq: Irq, clock: Clock, *, mitigation: bool) -> None:
        self.level = False
        self.delay_transmit = False
        self._mac = mac
        self._irq = irq
        self._clock = clock
        self._mitigation = mitigation
        self._pause = clock.timer(self.update)

    def reset(self) -> None:
        """The line is low; the mask is a register of the card."""
        self._pause.cancel()
        self.level = self.delay_transmit = False

    def raise_(self, causes: int) -> None:
        """Something happened."""
        self.set_causes(self._mac[ICR] | causes)

    def set_causes(self, causes: int) -> None:
        """All that has happened and was not acknowledged. ICS reads as ICR does, without clearing it."""
        self._mac[ICR] = self._mac[ICS] = causes
        self.update()

    def update(self) -> None:
        """Drive the line."""
        pending = self._mac[ICR] & self._mac[IMS]
        if pending and not self.level:
            if self._pause.pending:
                return
            if self._mitigation:
                self._pause.set(self._clock.now() + self._delay(pending) * UNIT)
                self.delay_transmit = False
        self.level = bool(pending)
        self._irq.set(self.level)

    def _delay(self, pending: int) -> int:
        """For how many units the line will not rise again."""
        mac = self._mac
        delays = [mac[ITR]]
        if self.delay_transmit and pending & (ICR_TXQE | ICR_TXDW):
            delays.append(mac[TADV] * ABSOLUTE)
        if mac[RDTR] and pending & ICR_RXT0:
            delays.append(mac[RADV] * ABSOLUTE)
        return max(SHORTEST, min((delay for delay in delays if delay), default=0))

    # -- the saved state

    def end_pause(self) -> None:
        """Nothing is held back any more: there is no place for a pause in a saved state."""
        if self._pause.pending:
            self._pause.cancel()
            self.update()

    def loaded(self) -> None:
        """A line that was held back elsewhere rises very soon."""
        self.delay_transmit = False
        self._pause.cancel()
        if self._mitigation:
            self._pause.set(self._clock.now() + 1)
            return
        self.level = False
        for offset in MITIGATION_MASKS:
            self._mac[offset] = 0
