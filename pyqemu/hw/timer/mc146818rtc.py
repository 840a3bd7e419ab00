"""Motorola MC146818 real-time clock with 128 bytes of CMOS RAM (data sheet ADI-1026; Intel PIIX3 RTC).

The time is not counted: it is a difference to the machine's wall clock, looked at when the guest reads it. While
the guest holds the clock (SET, or a divider in reset) the time registers are plain memory.

Interrupt flags are also worked out when they are looked at. A timer runs only for an enabled interrupt whose
flag is clear; what happens while a flag is set cannot be seen from outside until the guest has read register C.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from pyqemu.qom.vmstate import I64, U8, U16, U32, U64, Buffer, LoadError, Timer64, Unused, Values, VMState
from pyqemu.system.clock import Clock
from pyqemu.system.irq import Irq

SECOND = 1_000_000_000
CRYSTAL = 32_768  # Hz
UPDATE_TIME = 244_141  # ns that UIP is up before an update

SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM = range(6)
WEEKDAY, DAY, MONTH, YEAR = range(6, 10)
REG_A, REG_B, REG_C, REG_D = range(10, 14)
CENTURY, CENTURY_PS2 = 0x32, 0x37
TIME_REGISTERS = frozenset({SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY})
ALARM_REGISTERS = frozenset({SECONDS_ALARM, MINUTES_ALARM, HOURS_ALARM})

A_UIP = 0x80
B_SET, B_PIE, B_AIE, B_UIE, B_SQWE, B_BINARY, B_24H = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02
C_IRQF, C_PF, C_AF, C_UF = 0x80, 0x40, 0x20, 0x10
D_VALID = 0x80
DONT_CARE = 0xC0
FIRST_DATE, LAST_DATE = -62_135_596_800, 253_402_300_799  # the years 1 to 9999


class WallClock(Protocol):
    """Where the date comes from."""

    def time(self) -> float:
        """Seconds since the epoch."""


def days_since_epoch(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the Gregorian calendar; takes months and days out of range as well."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if month <= 2:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719_469


class HostTimer(Timer64):
    """A timer of the chip. QEMU's are on the clock that the date comes from; ours follow from the registers."""

    def encode(self, value: Any) -> bytes:
        return self.packer.pack(value)

    def fetch(self, device: Any) -> int:
        deadline = super().fetch(device).deadline
        return -1 if deadline is None else device.host_time(deadline)

    def apply(self, device: object, value: Any) -> None:
        """The chip arms it anew."""


def _sane_date(rtc: Mc146818Rtc, values: Values) -> None:
    """A date that cannot be shown must not get in."""
    if values.version < 3:
        return
    ahead = values["offset"] - values["last_update"]
    now = values["base_rtc"] * SECOND + int(rtc.rtc_clock.time() * SECOND) + ahead
    if not FIRST_DATE <= now // SECOND <= LAST_DATE:
        raise LoadError(f"base_rtc, last_update and offset make {now // SECOND} seconds since 1970")


class Mc146818Rtc:
    """Ports 70h (index) and 71h (data); ``irq`` is ISA IRQ 8.

    ``cmos_data`` is the memory: firmware and board put the configuration there.
    """

    vmstate = VMState(
        "mc146818rtc",
        version=3,
        minimum_version=1,
        fields=(
            Buffer("cmos_data", 128), U8("cmos_index", maximum=127), Unused(28, wire="unused[0]"),
            HostTimer("periodic_timer"), I64("next_periodic_time"), Unused(24, wire="unused[1]"),
            U32("irq_coalesced", since=2), U32("period", since=2),
            U64("base_rtc", since=3), U64("last_update", since=3), I64("offset", since=3),
            HostTimer("update_timer", since=3), U64("next_alarm_time", since=3),
        ),
        subsections=(
            VMState("mc146818rtc/irq_reinject_on_ack_count", fields=(U16("irq_reinject_on_ack_count"),),
                    needed=lambda rtc: rtc.irq_reinject_on_ack_count),
        ),
        check=_sane_date,
        pre_save=lambda rtc: rtc.save_time(),
        post_load=lambda rtc: rtc.loaded(),
    )  # fmt: skip

    def __init__(self, clock: Clock, rtc_clock: WallClock, irq: Irq) -> None:
        self.clock = clock
        self.rtc_clock = rtc_clock
        self.irq = irq
        self.on_change: Callable[[int], None] = lambda offset: None
        """The guest has set the date: seconds by which it is ahead of the machine's wall clock."""
        self.cmos_data = bytearray(128)
        self.cmos_index = 0
        self.periodic_timer = clock.timer(self._timer_expired)
        self.update_timer = clock.timer(self._timer_expired)
        self.next_periodic_time = 0
        self.next_alarm_time = 0  # this and the next two are only for the migration stream
        self.irq_coalesced = 0
        self.irq_reinject_on_ack_count = 0
        self.period = 0
        self.cmos_data[REG_A] = 0x26  # 32 768 Hz crystal, 1024 Hz rate
        self.cmos_data[REG_B] = B_24H
        self.cmos_data[REG_D] = D_VALID
        self.base_rtc = int(rtc_clock.time())
        self.last_update = self._wall()
        self.offset = self.last_update % SECOND
        self.seen = 0  # guest time up to which update and alarm flags are known
        self.seen_period = 0
        self.loaded()
        self._store_time(self.base_rtc)

    def reset(self) -> None:
        """RESET: interrupts off, flags clear; the time goes on."""
        self.cmos_data[REG_B] &= ~(B_PIE | B_AIE | B_UIE | B_SQWE)
        self.cmos_data[REG_C] = 0
        self.loaded()

    def loaded(self) -> None:
        """Flags are known up to now; drive outputs."""
        self.seen = self._guest_time()
        self.seen_period = self._period_number()
        self._update()

    def save_time(self) -> None:
        """Before saving: bring registers up to date."""
        self._sync()
        if self.running:
            self._store_time(self._guest_time() // SECOND)

    # ---- time ----

    @property
    def running(self) -> bool:
        """Neither SET nor divider reset."""
        return not self.cmos_data[REG_B] & B_SET and self.cmos_data[REG_A] & 0x70 <= 0x20

    def _wall(self) -> int:
        return int(self.rtc_clock.time() * SECOND)

    def _guest_time(self) -> int:
        """The guest's date in ns since the epoch."""
        return self.base_rtc * SECOND + self._wall() - self.last_update + self.offset

    def host_time(self, deadline: int) -> int:
        """The moment on the wall clock that a deadline on the guest's is."""
        return deadline - self.clock.now() + self._wall()

    def set_time(self, seconds: int) -> None:
        """Set the guest's date (seconds since the epoch)."""
        self._start(seconds, 0)
        self._store_time(seconds)
        self._update()

    def _start(self, seconds: int, fraction: int) -> None:
        """Run from ``seconds`` and ``fraction`` ns."""
        self.base_rtc, self.offset, self.last_update = seconds, fraction, self._wall()
        self.seen = self._guest_time()

    def _encode(self, value: int) -> int:
        if self.cmos_data[REG_B] & B_BINARY:
            return value
        return value // 10 << 4 | value % 10

    def _decode(self, value: int) -> int:
        if self.cmos_data[REG_B] & B_BINARY:
            return value
        return (value >> 4) * 10 + (value & 15)

    def _decode_hour(self, value: int) -> int:
        if self.cmos_data[REG_B] & B_24H:
            return self._decode(value)
        hour = self._decode(value & 0x7F) % 12
        return hour + 12 if value & 0x80 else hour

    def _encode_hour(self, hour: int) -> int:
        if self.cmos_data[REG_B] & B_24H:
            return self._encode(hour)
        return self._encode(hour % 12 or 12) | (0x80 if hour >= 12 else 0)

    def _store_time(self, seconds: int) -> None:
        """Fill the time registers."""
        date = time.gmtime(seconds)
        cmos = self.cmos_data
        cmos[SECONDS] = self._encode(date.tm_sec)
        cmos[MINUTES] = self._encode(date.tm_min)
        cmos[HOURS] = self._encode_hour(date.tm_hour)
        cmos[WEEKDAY] = self._encode((date.tm_wday + 1) % 7 + 1)  # Sunday is 1
        cmos[DAY] = self._encode(date.tm_mday)
        cmos[MONTH] = self._encode(date.tm_mon)
        cmos[YEAR] = self._encode(date.tm_year % 100)
        cmos[CENTURY] = self._encode(date.tm_year // 100 % 100)

    def _load_time(self) -> int:
        """Seconds since the epoch that the time registers say."""
        cmos = self.cmos_data
        year = self._decode(cmos[CENTURY]) * 100 + self._decode(cmos[YEAR])
        days = days_since_epoch(year, self._decode(cmos[MONTH]), self._decode(cmos[DAY]))
        clock = self._decode_hour(cmos[HOURS]) * 60 + self._decode(cmos[MINUTES])
        return max(days * 86400 + clock * 60 + self._decode(cmos[SECONDS]), 0)

    # ---- flags and interrupts ----

    def _period(self) -> int:
        """Crystal ticks of the periodic interrupt's period (data sheet, table 5); 0: off."""
        rate = self.cmos_data[REG_A] & 15
        if not rate or self.cmos_data[REG_A] & 0x70 > 0x20:
            return 0
        return 1 << rate - 1 if rate > 2 else 1 << rate + 6

    def _period_number(self) -> int:
        period = self._period()
        return self.clock.now() * CRYSTAL // (period * SECOND) if period else 0

    def _sync(self) -> None:
        """Set the flags of all that has happened since the last time."""
        period = self._period_number()
        if period > self.seen_period:
            self.cmos_data[REG_C] |= C_PF
        self.seen_period = period
        if not self.running:
            return
        now = self._guest_time()
        if now // SECOND > self.seen // SECOND:
            self.cmos_data[REG_C] |= C_UF
            if self._next_alarm(self.seen // SECOND) <= now // SECOND:
                self.cmos_data[REG_C] |= C_AF
        self.seen = now

    def _next_alarm(self, seconds: int) -> int:
        """The first second after ``seconds`` at which the alarm registers match; far away if they never do."""
        cmos = self.cmos_data
        spec = (
            -1 if cmos[HOURS_ALARM] & DONT_CARE == DONT_CARE else self._decode_hour(cmos[HOURS_ALARM]),
            -1 if cmos[MINUTES_ALARM] & DONT_CARE == DONT_CARE else self._decode(cmos[MINUTES_ALARM]),
            -1 if cmos[SECONDS_ALARM] & DONT_CARE == DONT_CARE else self._decode(cmos[SECONDS_ALARM]),
        )
        if spec[0] > 23 or spec[1] > 59 or spec[2] > 59:
            return 1 << 62
        hour, minute, second = spec
        at = seconds + 1
        if second >= 0:
            at += (second - at) % 60
        while minute >= 0 and at // 60 % 60 != minute:
            at += 60 if second >= 0 else 60 - at % 60
        while hour >= 0 and at // 3600 % 24 != hour:
            # to the start of what the finer registers allow in the next hour
            at += 3600 if minute >= 0 else 3600 - at // 60 % 60 * 60
            if second < 0:
                at -= at % 60
        return at

    def _update(self) -> None:
        """Drive the interrupt line, and wait for what may raise it next."""
        cmos = self.cmos_data
        pending = cmos[REG_C] & cmos[REG_B] & (C_PF | C_AF | C_UF)
        cmos[REG_C] = cmos[REG_C] & 0x70 | (C_IRQF if pending else 0)
        self._arm_periodic(cmos[REG_B] & ~cmos[REG_C])
        self._arm_update(cmos[REG_B] & ~cmos[REG_C])
        self.irq.set(bool(pending))

    def _arm_periodic(self, wanted: int) -> None:
        period = self._period()
        self.period = period
        if wanted & B_PIE and period:
            crystal = (self.clock.now() * CRYSTAL // (period * SECOND) + 1) * period
            self.next_periodic_time = -(-crystal * SECOND // CRYSTAL)
            self.periodic_timer.set(self.next_periodic_time)
        else:
            self.periodic_timer.cancel()

    def _arm_update(self, wanted: int) -> None:
        now = self.seen
        if not wanted & (B_UIE | B_AIE) or not self.running:
            self.update_timer.cancel()
            return
        due = now // SECOND + 1 if wanted & B_UIE else self._next_alarm(now // SECOND)
        self.next_alarm_time = due * SECOND
        wait = min(due * SECOND - now, 86_400 * SECOND)
        self.update_timer.set(self.clock.now() + wait + 1000)  # the wall clock is no finer than that

    def _timer_expired(self) -> None:
        self._sync()
        self._update()

    # ---- registers ----

    def read(self, offset: int, size: int) -> int:
        """Index port (write-only) and data port."""
        if not offset & 1:
            return 0xFF
        index = self.cmos_index
        cmos = self.cmos_data
        if index in TIME_REGISTERS:
            if self.running:
                self._store_time(self._guest_time() // SECOND)
        elif index == REG_A:
            uip = self.running and self._guest_time() % SECOND >= SECOND - UPDATE_TIME
            return cmos[REG_A] & ~A_UIP | (A_UIP if uip else 0)
        elif index == REG_C:
            return self._read_flags()
        return cmos[index]

    def _read_flags(self) -> int:
        """Reading register C clears it."""
        self._sync()
        cmos = self.cmos_data
        if cmos[REG_C] & cmos[REG_B] & 0x70:
            cmos[REG_C] |= C_IRQF
        value = cmos[REG_C]
        cmos[REG_C] = 0
        self._update()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Index port (bit 7, the NMI mask, is ignored) and data port."""
        if not offset & 1:
            index = value & 0x7F
            self.cmos_index = CENTURY if index == CENTURY_PS2 else index
            return
        index = self.cmos_index
        if index in TIME_REGISTERS:
            self._write_time(index, value)
        elif index in ALARM_REGISTERS:
            self._sync()
            self.cmos_data[index] = value
            self._update()
        elif index == REG_A:
            self._write_control(REG_A, value & 0x7F)
        elif index == REG_B:
            self._write_control(REG_B, value & ~B_UIE if value & B_SET else value)
        elif index not in (REG_C, REG_D):
            self.cmos_data[index] = value & 0xFF

    def _write_time(self, index: int, value: int) -> None:
        if not self.running:
            self.cmos_data[index] = value
            return
        self._sync()
        self._store_time(self.seen // SECOND)
        self.cmos_data[index] = value
        self._set_by_guest(self.seen % SECOND)
        self._update()

    def _set_by_guest(self, fraction: int) -> None:
        """Run from what the guest has written."""
        self._start(self._load_time(), fraction)
        self.on_change(self.base_rtc - int(self.rtc_clock.time()))

    def date(self) -> time.struct_time:
        """What the guest's clock shows."""
        return time.gmtime(self._guest_time() // SECOND if self.running else self._load_time())

    def _write_control(self, register: int, value: int) -> None:
        """Register A or B: may stop the clock or let it run again."""
        self._sync()
        was_running = self.running
        in_reset = self.cmos_data[REG_A] & 0x70 > 0x20
        now = self._guest_time()
        if was_running:
            self._store_time(now // SECOND)
            self.offset = now % SECOND  # the fraction goes on when SET falls
        self.cmos_data[register] = value
        if not was_running and self.running:
            # the first update comes half a second after a divider reset (data sheet, "divider control")
            self._set_by_guest(SECOND // 2 if in_reset else self.offset % SECOND)
        elif was_running:
            self._start(now // SECOND, now % SECOND)
        self.seen_period = self._period_number()
        self._update()
