"""The fixed hardware registers of ACPI (ACPI specification 1.0b, section 4.7): PM1 event and control, the power
management timer, general purpose events. Chipsets put them where they like; they all work alike.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.qom.vmstate import U16, VMState
from pyqemu.system.clock import Clock
from pyqemu.system.irq import Irq

PM_TIMER_FREQUENCY = 3_579_545  # Hz
PM_TIMER_BITS = 24
HALF_ROUND = 1 << PM_TIMER_BITS - 1
"""TMR_STS is set whenever the top bit of the timer changes."""
SECOND = 1_000_000_000

# PM1 status and enable, tables 4-12 and 4-13
TMR, BUS_MASTER, GLOBAL, POWER_BUTTON, SLEEP_BUTTON, RTC, WAKE = 1, 0x10, 0x20, 0x100, 0x200, 0x400, 0x8000
SCI_SOURCES = TMR | GLOBAL | POWER_BUTTON | RTC
# PM1 control, table 4-14
SCI_EN, SLP_EN = 0x0001, 0x2000
SLP_TYP_SHIFT, SLP_TYP_MASK = 10, 7

PM1_STS, PM1_EN, PM1_CNT, PM_TMR = 0, 2, 4, 8


class Gpe:
    """One block of general purpose events: as many status as enable bytes (section 4.7.4.3)."""

    vmstate = VMState("gpe", version=1, fields=(U16("sts"), U16("en")))

    def __init__(self, length: int, changed: Callable[[], None]) -> None:
        self.half = length // 2
        self.changed = changed
        self.sts = 0
        self.en = 0

    def reset(self) -> None:
        self.sts = self.en = 0
        self.changed()

    @property
    def pending(self) -> bool:
        """Whether it asks for an SCI."""
        return bool(self.sts & self.en)

    def set_event(self, number: int) -> None:
        """Something has happened."""
        self.sts |= 1 << number
        self.changed()

    def read(self, offset: int, size: int) -> int:
        """Bytes of status, then of enable."""
        return (self.sts | self.en << 8 * self.half) >> 8 * offset & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """Writing one clears a status bit."""
        full = (1 << 8 * self.half) - 1
        written = (value & (1 << 8 * size) - 1) << 8 * offset
        touched = (1 << 8 * size) - 1 << 8 * offset
        self.sts &= ~(written & full)
        enable = touched >> 8 * self.half
        self.en = self.en & ~enable | written >> 8 * self.half
        self.changed()


class Pm1:
    """PM1a event and control blocks and the timer, 12 bytes.

    ``sci`` is a function of them and of the general purpose events in ``gpe``. ``sleep`` is called with SLP_TYP
    when the guest sets SLP_EN.
    """

    def __init__(self, clock: Clock, sci: Irq, gpe_length: int, sleep: Callable[[int], None]) -> None:
        self.clock = clock
        self.sci = sci
        self.sleep = sleep
        self.timer = clock.timer(self.update)
        self.gpe = Gpe(gpe_length, self.update)
        self.status = 0
        self.en = 0
        self.cnt = 0
        self.overflow_ticks = HALF_ROUND

    def reset(self) -> None:
        """All off."""
        self.status = self.en = self.cnt = 0
        self.overflow_ticks = self._next_overflow()
        self.gpe.reset()

    # ---- timer ----

    def ticks(self) -> int:
        """Ticks since the guest's time began."""
        return self.clock.now() * PM_TIMER_FREQUENCY // SECOND

    def _next_overflow(self) -> int:
        return (self.ticks() // HALF_ROUND + 1) * HALF_ROUND

    @property
    def overflow_time(self) -> int:
        """When the top bit changes next, in ns."""
        return -(-self.overflow_ticks * SECOND // PM_TIMER_FREQUENCY)

    @overflow_time.setter
    def overflow_time(self, value: int) -> None:
        half = value * PM_TIMER_FREQUENCY // SECOND + HALF_ROUND // 2
        self.overflow_ticks = half // HALF_ROUND * HALF_ROUND

    # ---- events ----

    @property
    def sts(self) -> int:
        """The status register."""
        if not self.status & TMR and self.ticks() >= self.overflow_ticks:
            self.status |= TMR
        return self.status

    @sts.setter
    def sts(self, value: int) -> None:
        self.status = value

    def update(self) -> None:
        """Drive the SCI, and wait for the timer to overflow if that may raise it."""
        if self.en & TMR and not self.sts & TMR:
            self.timer.set(self.overflow_time)
        else:
            self.timer.cancel()
        self.sci.set(bool(self.status & self.en & SCI_SOURCES) or self.gpe.pending)

    def set_event(self, bits: int) -> None:
        """Set status bits."""
        self.status |= bits
        self.update()

    def press_power_button(self) -> None:
        """The power button, if the guest listens to it."""
        if self.en & POWER_BUTTON:
            self.set_event(POWER_BUTTON)

    def enable_acpi(self, on: bool) -> None:
        """SCI_EN, which the guest changes through the SMI command port."""
        self.cnt = self.cnt | SCI_EN if on else self.cnt & ~SCI_EN

    # ---- registers ----

    def read(self, offset: int, size: int) -> int:
        """Read bytes of the block."""
        if offset >= PM_TMR:
            value = self.ticks() & (1 << PM_TIMER_BITS) - 1 if offset < PM_TMR + 4 else 0
            return value >> 8 * (offset & 3) & (1 << 8 * size) - 1
        block = self.en << 16 | self.cnt << 32
        if offset < 2:
            block |= self.sts
        return block >> 8 * offset & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """Write bytes of the block."""
        end = offset + size
        if offset < PM1_EN:
            self._clear_status(value << 8 * offset & 0xFFFF)
        if offset < PM1_CNT and end > PM1_EN:
            self.en = _merge(self.en, offset - PM1_EN, size, value)
            self.update()
        elif PM1_CNT <= offset < PM1_CNT + 2:
            self._write_control(_merge(self.cnt, offset - PM1_CNT, size, value))

    def _clear_status(self, bits: int) -> None:
        if bits & self.sts & TMR:
            self.overflow_ticks = self._next_overflow()
        self.status &= ~bits
        self.update()

    def _write_control(self, value: int) -> None:
        self.cnt = value & ~SLP_EN
        if value & SLP_EN:
            self.sleep(value >> SLP_TYP_SHIFT & SLP_TYP_MASK)


def _merge(old: int, offset: int, size: int, value: int) -> int:
    """``old``, 16 bits, after ``size`` bytes of ``value`` were written at byte ``offset`` (may be negative)."""
    mask = (1 << 8 * size) - 1
    value &= mask
    if offset < 0:
        mask, value = mask >> -8 * offset, value >> -8 * offset
    else:
        mask, value = mask << 8 * offset, value << 8 * offset
    return (old & ~mask | value) & 0xFFFF
