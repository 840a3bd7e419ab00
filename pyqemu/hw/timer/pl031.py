"""PrimeCell real-time clock PL031 (DDI 0224C, table 3-1): seconds, and one alarm."""

from __future__ import annotations

from pyqemu.hw.core.primecell import identification, peripheral_id
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U32, VMState
from pyqemu.system import Clock, Irq
from pyqemu.system.clock import SECOND, RtcClock

# fmt: off
DR, MR, LR, CR, IMSC, RIS, MIS, ICR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C
# fmt: on
M32 = 0xFFFF_FFFF
IDS = peripheral_id(0x031, 0x0014)


@device_class("pl031", bus="sysbus", user_creatable=False)
class Pl031(SysBusDevice):
    """The clock. It runs from the start; the date in it survives a reset.

    :param clock: guest time, for the alarm
    :param rtc_clock: the date
    """

    vmstate = VMState(
        "pl031",
        version=1,
        fields=(U32("tick_offset_vmstate"), U32("mr"), U32("lr"), U32("cr"), U32("im"), U32("is_", wire="is")),
        subsections=(
            # Newer versions of QEMU tell the same once more, by the host's date.
            VMState("pl031/tick-offset", fields=(U32("tick_offset"),), needed=lambda rtc: False),
        ),
        post_load=lambda rtc: rtc.loaded(),
    )

    def __init__(self, clock: Clock, rtc_clock: RtcClock, irq: Irq) -> None:
        super().__init__()
        self.clock, self.rtc_clock, self.irq = clock, rtc_clock, irq
        self.timer = clock.timer(self._ring)
        self.offset = 0  # seconds that the guest has set it ahead
        self.tick_offset = 0
        self.mr = self.lr = self.cr = self.im = self.is_ = 0
        self.add_registers("pl031", 0x1000, self)

    @property
    def count(self) -> int:
        """The seconds that it shows."""
        return int(self.rtc_clock.time()) + self.offset & M32

    @property
    def tick_offset_vmstate(self) -> int:
        """Seconds that it was ahead of guest time, as QEMU saves it."""
        return self.count - self.clock.now() // SECOND & M32

    @tick_offset_vmstate.setter
    def tick_offset_vmstate(self, value: int) -> None:
        self.offset = self.offset + value + self.clock.now() // SECOND - self.count & M32

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.irq.set(bool(self.is_ & self.im))

    def loaded(self) -> None:
        """State was loaded."""
        self._set_alarm()
        self.update()

    def _set_alarm(self) -> None:
        """Wait for the count to reach the match register, at most once around."""
        seconds = self.mr - self.count & M32
        if seconds:
            self.timer.set(self.clock.now() + seconds * SECOND)
        else:
            self.timer.cancel()
            self.is_ = 1

    def _ring(self) -> None:
        self.is_ = 1
        self.update()

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0x00:
                return self.count
            case 0x04:
                return self.mr
            case 0x08:
                return self.lr
            case 0x0C:
                return 1  # it is always running
            case 0x10:
                return self.im
            case 0x14:
                return self.is_
            case 0x18:
                return self.is_ & self.im
            case _:
                return identification(IDS, offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x04:
                self.mr = value
                self._set_alarm()
            case 0x08:
                self.lr = value
                self.offset = self.offset + value - self.count & M32
                self._set_alarm()
            case 0x10:
                self.im = value & 1
            case 0x1C:
                self.is_ = 0  # DDI 0287B 2.9: by any value
        self.update()
