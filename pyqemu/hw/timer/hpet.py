"""High precision event timers (IA-PC HPET specification, revision 1.0a).

One counter of 64 bits at 100 MHz, three comparators. The counter is computed from the guest's clock when it is
read, so that it runs for nothing; each enabled comparator keeps one deadline.

A comparator that is set to a value which the counter has already passed fires at once, instead of one round
of the counter (minutes, or centuries) later: a guest on a slow host often programs deadlines that are over.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.qom.vmstate import U8, U64, Array, Equal8, Timer64, VMState
from pyqemu.system.clock import Clock
from pyqemu.system.irq import Irq

TICK = 10  # ns
TIMERS = 3
LEGACY_IRQ = (0, 8)
"""Lines of timers 0 and 1 in legacy replacement mode."""

# registers, table 2 ("memory-mapped registers")
ID, CONFIG, STATUS, COUNTER, TIMER_BASE = 0x000, 0x010, 0x020, 0x0F0, 0x100
CONFIG_ENABLE, CONFIG_LEGACY = 1, 2

# comparator configuration, section 2.3.8
TN_LEVEL, TN_ENABLE, TN_PERIODIC, TN_PERIODIC_CAP, TN_SIZE_CAP = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
TN_SETVAL, TN_32BIT, TN_FSB_ENABLE, TN_FSB_CAP = 1 << 6, 1 << 8, 1 << 14, 1 << 15
TN_WRITABLE = 0x7F4E
TN_ROUTE_SHIFT, TN_ROUTE_MASK = 9, 31

MIN_PERIOD = 20_000  # ns between two events of a comparator, whatever nonsense the guest programs
M32, M64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


class _OwnNumber(Equal8):
    """QEMU declares it as any number."""

    kind = "uint8"


class Comparator:
    """One timer of the block."""

    vmstate = VMState(
        "hpet_timer",
        version=1,
        fields=(
            _OwnNumber("tn"), U64("config"), U64("cmp"), U64("fsb"), U64("period"), U8("wrap_flag"),
            Timer64("timer", wire="qemu_timer"),
        ),
    )  # fmt: skip

    def __init__(self, hpet: Hpet, number: int, capabilities: int) -> None:
        self.hpet = hpet
        self.tn = number
        self.capabilities = capabilities
        self.timer = hpet.clock.timer(self._expired)
        self.wrap_flag = 0  # only for the migration stream
        self.driven: Irq | None = None  # the line that a level interrupt holds
        self.reset()

    def reset(self) -> None:
        """Disabled, never due."""
        self.timer.cancel()
        self.config = self.capabilities
        self.cmp = M64
        self.period = 0
        self.fsb = 0

    @property
    def mask(self) -> int:
        """Width of the comparator as a mask."""
        return M32 if self.config & TN_32BIT else M64

    @property
    def periodic(self) -> bool:
        return bool(self.config & TN_PERIODIC)

    def arm(self) -> None:
        """Wait for the counter to reach the comparator, if that can have an effect."""
        hpet = self.hpet
        if not (hpet.enabled and self.config & TN_ENABLE):
            self.timer.cancel()
            return
        now = hpet.counter()
        distance = self.cmp - now & self.mask
        if distance > self.mask >> 1:
            distance = 0  # passed already
        deadline = (now + distance) * TICK - hpet.offset
        if self.periodic:
            deadline = max(deadline, hpet.last_fired[self.tn] + MIN_PERIOD)
        self.timer.set(deadline)

    def write_config(self, value: int) -> None:
        """The low half of the configuration; the high half says where the interrupt may go, and is fixed."""
        old = self.config
        self.config = old & ~TN_WRITABLE | value & TN_WRITABLE
        self.cmp &= self.mask
        self.period &= self.mask
        if old & TN_LEVEL and not value & TN_LEVEL:
            self.hpet.clear_status(self.tn)
        if not value & TN_ENABLE:
            self.hpet.drive(self.tn, False)
        self.arm()

    def write_cmp(self, value: int, mask: int) -> None:
        """The comparator: its value, or with a periodic timer its period, or both (section 2.3.9.2.2)."""
        if not self.periodic or self.config & TN_SETVAL:
            self.cmp = (self.cmp & ~mask | value) & self.mask
        if self.periodic:
            self.period = (self.period & ~mask | value) & self.mask
        self.config &= ~TN_SETVAL
        self.arm()

    def _expired(self) -> None:
        hpet = self.hpet
        hpet.last_fired[self.tn] = hpet.clock.now()
        if self.periodic and self.period:
            late = hpet.counter() - self.cmp & self.mask
            if late > self.mask >> 1:
                late = 0
            self.cmp = self.cmp + (late // self.period + 1) * self.period & self.mask
            self.arm()
        hpet.drive(self.tn, True)


class Hpet:
    """The timer block; ``read``/``write`` serve 1 KiB at 0xfed00000.

    :param irqs: the interrupt lines by number (global system interrupts).
    :param pit_enable: driven low while timer 0 stands in for the PIT (legacy replacement).
    :param route_capabilities: lines that timers may be routed to; 4 on the i440FX board.

    ``rtc_irq`` is where the RTC's interrupt goes in; it gets out on line 8 unless timer 1 has replaced it.
    """

    vmstate = VMState(
        "hpet",
        version=2,
        minimum_version=1,
        fields=(
            U64("config"), U64("isr"), U64("hpet_counter"),
            U8("num_timers", since=2, minimum=TIMERS, maximum=TIMERS),
            Array("timers", Comparator.vmstate, TIMERS, wire="timer"),
        ),
        subsections=(
            VMState("hpet/rtc_irq_level", fields=(U8("rtc_level", wire="rtc_irq_level"),),
                    needed=lambda hpet: hpet.rtc_level),
            VMState("hpet/offset", fields=(U64("saved_offset", wire="hpet_offset"),), needed=lambda _: False),
        ),
        pre_save=lambda hpet: hpet.freeze(),
        post_load=lambda hpet: hpet.loaded(),
    )  # fmt: skip

    def __init__(
        self, clock: Clock, irqs: Sequence[Irq], pit_enable: Irq | None = None, *, route_capabilities: int = 4
    ) -> None:
        self.clock = clock
        self.irqs = irqs
        self.pit_enable = pit_enable or Irq.none()
        self.num_timers = TIMERS
        self.offset = 0  # counter in ns minus the guest's clock, while enabled
        self.config = self.isr = self.hpet_counter = 0
        self.saved_offset = 0  # of newer machine types; the counter says the same
        self.last_fired = [-MIN_PERIOD] * TIMERS
        capabilities = TN_PERIODIC_CAP | TN_SIZE_CAP | route_capabilities << 32
        self.timers = [Comparator(self, number, capabilities) for number in range(TIMERS)]
        self.rtc_irq = Irq(self._rtc_changed)

    def reset(self) -> None:
        """Stopped, counter 0, legacy replacement off."""
        for timer in self.timers:
            self.drive(timer.tn, False)
            timer.reset()
        self.config = self.isr = self.hpet_counter = 0
        self.pit_enable.set(True)

    @property
    def enabled(self) -> bool:
        """Whether the counter runs and interrupts are allowed."""
        return bool(self.config & CONFIG_ENABLE)

    @property
    def legacy(self) -> bool:
        """Legacy replacement: timers 0 and 1 take the lines of PIT and RTC."""
        return bool(self.config & CONFIG_LEGACY)

    @property
    def capabilities(self) -> int:
        """General capabilities and id: period in fs, vendor, 64 bits, legacy capable."""
        return TICK * 1_000_000 << 32 | 0x8086_A001 | self.num_timers - 1 << 8

    def counter(self) -> int:
        """The main counter."""
        if self.config & CONFIG_ENABLE:
            return (self.clock.now() + self.offset) // TICK & M64
        return self.hpet_counter

    def freeze(self) -> None:
        """Before saving: note the counter."""
        self.hpet_counter = self.counter()

    def loaded(self) -> None:
        """After loading: count on from the saved value."""
        self.offset = self.hpet_counter * TICK - self.clock.now()
        self.last_fired = [self.clock.now() - MIN_PERIOD] * TIMERS
        self.pit_enable.set(not self.legacy)
        for number, timer in enumerate(self.timers):
            timer.driven = None
            if timer.config & TN_LEVEL and self.isr >> number & 1:
                self.drive(number, True)

    @property
    def rtc_level(self) -> int:
        """What the RTC drives, for the saved state; loading it changes nothing, as the RTC drives it then, too."""
        return int(self.rtc_irq.level)

    @rtc_level.setter
    def rtc_level(self, value: int) -> None:
        pass

    # ---- interrupts ----

    def drive(self, number: int, level: bool) -> None:
        """Timer ``number`` asks for its interrupt, or takes it back."""
        timer = self.timers[number]
        if not level:
            self.isr &= ~(1 << number)
            if timer.driven is not None:
                timer.driven.set(False)
                timer.driven = None
            return
        config = timer.config
        if config & TN_LEVEL:
            self.isr |= 1 << number  # set even if the interrupt is disabled (section 2.3.6)
        line = self._line(number)
        if line is None or not config & TN_ENABLE or not self.enabled:
            return
        line.set(True)
        if config & TN_LEVEL:
            timer.driven = line
        else:
            line.set(False)

    def _line(self, number: int) -> Irq | None:
        if number < 2 and self.legacy:
            return self.irqs[LEGACY_IRQ[number]]
        route = self.timers[number].config >> TN_ROUTE_SHIFT & TN_ROUTE_MASK
        return self.irqs[route] if route < len(self.irqs) else None

    def clear_status(self, number: int) -> None:
        """Acknowledge a level interrupt."""
        if self.isr >> number & 1:
            self.drive(number, False)

    def _rtc_changed(self, level: bool) -> None:
        if not self.legacy:
            self.irqs[8].set(level)

    def _write_general(self, value: int) -> None:
        old = self.config
        if (old ^ value) & CONFIG_ENABLE:
            counter = self.counter()
            self.config ^= CONFIG_ENABLE
            self.hpet_counter = counter
            self.offset = counter * TICK - self.clock.now()
            for timer in self.timers:
                timer.arm()
        if (old ^ value) & CONFIG_LEGACY:
            self.config ^= CONFIG_LEGACY
            self.pit_enable.set(not self.legacy)
            self.irqs[8].set(False if self.legacy else self.rtc_irq.level)

    # ---- registers; 32-bit accesses see halves ----

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        value = self._read64(offset & ~7)
        if offset & 4:
            value >>= 32
        return value if size == 8 else value & M32

    def _read64(self, offset: int) -> int:
        if offset == COUNTER:
            return self.counter()
        if offset >= TIMER_BASE:
            number, register = divmod(offset - TIMER_BASE, 0x20)
            if number >= self.num_timers:
                return 0
            timer = self.timers[number]
            return (timer.config, timer.cmp, timer.fsb, 0)[register >> 3]
        match offset:
            case 0x000:
                return self.capabilities
            case 0x010:
                return self.config
            case 0x020:
                return self.isr
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        mask = M64 if size == 8 else M32
        if offset & 4:
            value <<= 32
            mask <<= 32
        register = offset & ~7
        if register >= TIMER_BASE:
            number, register = divmod(register - TIMER_BASE, 0x20)
            if number < self.num_timers:
                self._write_timer(self.timers[number], register, value, mask)
        elif register == CONFIG and not offset & 4:
            self._write_general(value)
        elif register == STATUS:
            for number in range(self.num_timers):
                if value >> number & 1:
                    self.clear_status(number)
        elif register == COUNTER and not self.enabled:
            self.hpet_counter = self.hpet_counter & ~mask | value

    def _write_timer(self, timer: Comparator, register: int, value: int, mask: int) -> None:
        match register:
            case 0x00 if mask & 1:
                timer.write_config(value & M32)
            case 0x08:
                timer.write_cmp(value, mask)
            case 0x10:
                timer.fsb = timer.fsb & ~mask | value
