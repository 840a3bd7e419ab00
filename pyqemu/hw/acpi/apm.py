"""APM control and status, ports b2h and b3h (PIIX3 data sheet, section 2.9): how software reaches SMM."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.qom.vmstate import U8, VMState


class Apm:
    """``command(value)`` is called after each write to the control port."""

    vmstate = VMState("APM State", version=1, fields=(U8("apmc"), U8("apms")))

    def __init__(self, command: Callable[[int], None]) -> None:
        self.command = command
        self.apmc = 0
        self.apms = 0

    def reset(self) -> None:
        self.apmc = self.apms = 0

    def read(self, offset: int, size: int) -> int:
        return self.apms if offset & 1 else self.apmc

    def write(self, offset: int, size: int, value: int) -> None:
        if offset & 1:
            self.apms = value & 0xFF
        else:
            self.apmc = value & 0xFF
            self.command(self.apmc)
