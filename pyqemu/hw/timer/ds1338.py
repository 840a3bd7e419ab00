"""DS1338, a real-time clock with 56 bytes of memory on the I2C bus (Maxim 19-4899; sections and tables are its).

Time is read from registers that are filled when a read begins, so that they belong together. As in QEMU the oscillator
is never stopped.
"""

from __future__ import annotations

import calendar
import time

from pyqemu.hw.i2c.bus import ADDRESS_VMSTATE, I2cDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, I64, U8, Array, Bool, Struct, VMState
from pyqemu.system.clock import RtcClock

SIZE = 64
SECONDS, MINUTES, HOURS, DAY, DATE, MONTH, YEAR, CONTROL = range(8)  # table 2
HOURS_12, HOURS_PM = 0x40, 0x20
CONTROL_BITS, CONTROL_OSF = 0xB3, 0x20
FIRST_YEAR = 2000
BROKEN_DOWN = {SECONDS: 5, MINUTES: 4, DATE: 2, MONTH: 1}
"""Where registers are in a time that is broken down (year, month, day, hour, minute, second)."""


def to_bcd(value: int) -> int:
    """Two decimal digits."""
    return value // 10 << 4 | value % 10


def from_bcd(value: int) -> int:
    """The number of two decimal digits."""
    return (value >> 4) * 10 + (value & 0xF)


@device_class("ds1338", bus="i2c-bus", user_creatable=False)
class Ds1338(I2cDevice):
    """The clock.

    :param rtc_clock: the date
    """

    vmstate = VMState(
        "ds1338",
        version=2,
        minimum_version=1,
        fields=(
            Struct("", ADDRESS_VMSTATE, wire="parent_obj"), I64("offset"), U8("wday_offset", since=2),
            Array("nvram", U8, SIZE), I32("ptr", minimum=0, maximum=SIZE - 1), Bool("addr_byte"),
        ),
    )  # fmt: skip

    def __init__(self, rtc_clock: RtcClock, **props: object) -> None:
        super().__init__(**props)
        self.rtc_clock = rtc_clock
        self.reset()

    def reset(self) -> None:
        """As QEMU's, which runs with the host's date after every reset."""
        self.offset = self.wday_offset = self.ptr = 0
        self.nvram = bytearray(SIZE)
        self.addr_byte = False

    @property
    def seconds(self) -> int:
        """What time it is, in seconds since the epoch."""
        return int(self.rtc_clock.time()) + self.offset

    # -- the bus

    def start(self, *, reading: bool) -> None:
        """A read takes the time; the first byte of a write says where."""
        if reading:
            self._capture()
        else:
            self.addr_byte = True

    def receive(self) -> int:
        """The next register."""
        value = self.nvram[self.ptr]
        self._advance()
        return value

    def send(self, value: int) -> bool:
        """A register's number, or what is written to the next one."""
        if self.addr_byte:
            self.ptr, self.addr_byte = value & SIZE - 1, False
            return True
        if self.ptr < CONTROL:
            self._set(self.ptr, value)
        elif self.ptr == CONTROL:
            kept = value & CONTROL_BITS & ~CONTROL_OSF
            self.nvram[CONTROL] = kept | value & self.nvram[CONTROL] & CONTROL_OSF  # can only be cleared
        else:
            self.nvram[self.ptr] = value
        self._advance()
        return True

    def _advance(self) -> None:
        self.ptr = (self.ptr + 1) % SIZE
        if not self.ptr:
            self._capture()

    # -- time

    def _capture(self) -> None:
        now = time.gmtime(self.seconds)
        self.nvram[SECONDS], self.nvram[MINUTES] = to_bcd(now.tm_sec), to_bcd(now.tm_min)
        if self.nvram[HOURS] & HOURS_12:
            half = HOURS_PM if now.tm_hour >= 12 else 0
            self.nvram[HOURS] = HOURS_12 | half | to_bcd(now.tm_hour % 12 or 12)
        else:
            self.nvram[HOURS] = to_bcd(now.tm_hour)
        self.nvram[DAY] = (self._weekday(now) + self.wday_offset) % 7 + 1
        self.nvram[DATE], self.nvram[MONTH] = to_bcd(now.tm_mday), to_bcd(now.tm_mon)
        self.nvram[YEAR] = to_bcd((now.tm_year - FIRST_YEAR) % 100)

    @staticmethod
    def _weekday(now: time.struct_time) -> int:
        """Since Sunday, from where QEMU counts."""
        return (now.tm_wday + 1) % 7

    def _set(self, register: int, value: int) -> None:
        """Set one register of the time: the others go on."""
        now = time.gmtime(self.seconds)
        if register == DAY:
            self.wday_offset = ((value & 7) - 1 - self._weekday(now)) % 7
            return
        parts = [*now[:6]]
        if register == HOURS:
            self.nvram[HOURS] = value & HOURS_12
            parts[3] = self._hour(value)
        elif register == YEAR:
            parts[0] = FIRST_YEAR + from_bcd(value)
        else:
            parts[BROKEN_DOWN[register]] = from_bcd(value & 0x7F)
        months = parts[0] * 12 + parts[1] - 1
        whole = calendar.timegm((months // 12, months % 12 + 1, *parts[2:]))
        self.offset += whole - calendar.timegm(now)

    @staticmethod
    def _hour(value: int) -> int:
        if value & HOURS_12:
            return from_bcd(value & HOURS_PM - 1) % 12 + (12 if value & HOURS_PM else 0)
        return from_bcd(value & HOURS_12 - 1)
