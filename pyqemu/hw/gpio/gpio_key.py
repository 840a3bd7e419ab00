"""``gpio-key``: a key that is pressed for a moment, on a pin of a GPIO controller; as the power button of ``virt``."""

from __future__ import annotations

from pyqemu.qom.vmstate import Timer64, VMState
from pyqemu.system import Irq
from pyqemu.system.clock import Clock

LATENCY = 100_000_000  #: ns of guest time for which it stays pressed


class GpioKey:
    """The key.

    :param pin: what it drives
    """

    vmstate = VMState("gpio-key", version=1, fields=(Timer64("timer"),), post_load=lambda key: key.drive())

    def __init__(self, clock: Clock, pin: Irq) -> None:
        self.clock, self.pin = clock, pin
        self.timer = clock.timer(self.drive)

    def press(self) -> None:
        """Press it; it comes up by itself."""
        self.timer.set(self.clock.now() + LATENCY)
        self.drive()

    def drive(self) -> None:
        """Drive the pin: it is pressed while the timer runs."""
        self.pin.set(self.timer.deadline is not None)

    def reset(self) -> None:
        """Up."""
        self.timer.cancel()
        self.drive()
