"""Dual timer SP804 (DDI 0271D): two counters of 32 or 16 bits that count down, each at 1 MHz on Arm's boards."""

from __future__ import annotations

from functools import partial

from pyqemu.hw.core.primecell import CELL_ID, identification
from pyqemu.hw.core.ptimer import PTimer
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import I32, U32, Array, Struct, VMState
from pyqemu.system import Clock, Irq

# fmt: off
LOAD, VALUE, CONTROL, INTCLR, RIS, MIS, BGLOAD  = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
ONE_SHOT, WIDE, PRESCALE, INT_ENABLE            = 0x01, 0x02, 0x0C, 0x20  # table 3-3
PERIODIC, ENABLE                                = 0x40, 0x80
# fmt: on
M16, M32 = 0xFFFF, 0xFFFF_FFFF
IDS = bytes((0x04, 0x18, 0x14, 0x00)) + CELL_ID


class ArmTimer:
    """One counter. Its state is a section of its own in QEMU's stream."""

    vmstate = VMState(
        "arm_timer",
        version=1,
        fields=(U32("control"), U32("limit"), I32("int_level"), Struct("timer", PTimer.vmstate)),
        post_load=lambda timer: timer.update(),
    )

    def __init__(self, clock: Clock, irq: Irq, frequency: int) -> None:
        self.irq = irq
        self.frequency = frequency
        self.timer = PTimer(clock, self._expired)
        self.reset()

    def reset(self) -> None:
        """Table 3-1."""
        self.control = INT_ENABLE
        self.limit = 0
        self.int_level = 0
        self.timer.stop()
        self.timer.delta = self.timer.limit = M32
        self.timer.set_frequency(self.frequency)
        self.update()

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.irq.set(bool(self.int_level and self.control & INT_ENABLE))

    def _expired(self) -> None:
        self.int_level = 1
        self.update()

    def _recalculate(self, *, reload: bool) -> None:
        """What the counter begins with again: its whole range while it runs freely."""
        if self.control & (PERIODIC | ONE_SHOT):
            limit = self.limit if self.control & WIDE else self.limit & M16
        else:
            limit = M32 if self.control & WIDE else M16
        self.timer.set_limit(limit, reload=reload)

    def read(self, offset: int) -> int:
        """Read a register."""
        match offset:
            case 0x00 | 0x18:
                return self.limit
            case 0x04:
                return self.timer.count
            case 0x08:
                return self.control
            case 0x10:
                return self.int_level
            case 0x14:
                return self.int_level if self.control & INT_ENABLE else 0
            case _:
                return 0

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x00:
                self.limit = value
                self._recalculate(reload=False)
                self.timer.set_count(value if self.control & WIDE else value & M16)
            case 0x08:
                self._write_control(value)
            case 0x0C:
                self.int_level = 0
            case 0x18:
                self.limit = value
                self._recalculate(reload=False)
        self.update()

    def _write_control(self, value: int) -> None:
        if self.control & ENABLE:
            self.timer.stop()
        self.control = value
        self.timer.set_frequency(self.frequency >> (0, 4, 8, 8)[(value & PRESCALE) >> 2])
        free = not value & (PERIODIC | ONE_SHOT)
        self._recalculate(reload=bool(value & ENABLE) and not free)
        if value & ENABLE:
            self.timer.run(once=bool(value & ONE_SHOT))


@device_class("sp804", bus="sysbus", user_creatable=False)
class Sp804(SysBusDevice):
    """Both counters, with one interrupt."""

    freq0 = Property.uint("freq0", 1_000_000)
    freq1 = Property.uint("freq1", 1_000_000)

    vmstate = VMState("sp804", version=1, fields=(Array("level", I32, 2),), post_load=lambda timer: timer.update())

    def __init__(self, clock: Clock, irq: Irq, **props: object) -> None:
        super().__init__(**props)
        self.irq = irq
        self.level = [0, 0]
        lines = [Irq(partial(self._line, number)) for number in range(2)]
        self.timers = [ArmTimer(clock, line, rate) for line, rate in zip(lines, (self.freq0, self.freq1), strict=True)]
        self.add_registers("sp804", 0x1000, self)

    def reset(self) -> None:
        """Both stop."""
        for timer in self.timers:
            timer.reset()

    def _line(self, number: int, level: bool) -> None:
        self.level[number] = int(level)
        self.update()

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.irq.set(any(self.level))

    def read(self, offset: int, size: int) -> int:
        """Read a register: 32 bytes of the one, 32 of the other."""
        if offset < 0x40:
            return self.timers[offset >> 5].read(offset & 0x1F)
        return identification(IDS, offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if offset < 0x40:
            self.timers[offset >> 5].write(offset & 0x1F, value)
