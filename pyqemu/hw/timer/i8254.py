"""Intel 8254 programmable interval timer (data sheet 231164-005).

Nothing runs per tick: counts and outputs are computed from the time that has passed since a count was
loaded. Only counter 0 drives an interrupt line, and it keeps one deadline: its next rising edge.

Edges lie at ``load time + ceil(k * count / frequency)``, so that a periodic counter never drifts. When the
host was late by whole periods, the edges that were missed are made up for at double rate, up to a bound;
where the period is so short that this would only be a storm they are dropped.
"""

from __future__ import annotations

from pyqemu.qom.vmstate import I32, I64, U8, U16, U32, Array, VMState
from pyqemu.system.clock import Clock
from pyqemu.system.irq import Irq

FREQUENCY = 1_193_182  # Hz
SECOND = 1_000_000_000

RW_LATCH, RW_LOW, RW_HIGH, RW_WORD = range(4)
WORD_SECOND = 4
"""State of a two-byte access whose first byte is done (``RW_WORD`` before)."""

CATCH_UP_MIN_PERIOD = 400_000  # ns; shorter periods drop missed edges
CATCH_UP_MAX_EDGES = 32
MIN_INTERVAL = 20_000  # ns between two timer events, whatever nonsense the guest programs


def ticks(nanoseconds: int) -> int:
    """Whole ticks of the input clock in a time."""
    return nanoseconds * FREQUENCY // SECOND


def time_of(count: int) -> int:
    """The first nanosecond at which ``count`` ticks have passed."""
    return -(-count * SECOND // FREQUENCY)


def to_bcd(value: int) -> int:
    """Four binary coded digits."""
    return int(str(value % 10000), 16)


def from_bcd(value: int) -> int:
    """Value of four binary coded digits."""
    return (value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 + (value & 15)


class Counter:
    """One of the three counters: count register, status, latches."""

    # fmt: off
    vmstate = VMState(
        "pit channel",
        version=2,
        fields=(
            I32("count", minimum=1, maximum=0x10000), U16("latched_count"), U8("count_latched", maximum=4),
            U8("status_latched"), U8("status"), U8("read_state", maximum=4), U8("write_state", maximum=4),
            U8("write_latch"), U8("rw_mode", maximum=3), U8("mode", maximum=5), U8("bcd"), U8("gate", maximum=1),
            I64("count_load_time"), I64("next_transition_time"),
        ),
        pre_save=lambda counter: counter.settle_at_once(),
        post_load=lambda counter: counter.loaded(),
    )
    # fmt: on

    def __init__(self, clock: Clock, gate: int) -> None:
        self.clock = clock
        self.reset(gate)

    def reset(self, gate: int) -> None:
        """Mode 3, the longest count: what QEMU's firmware finds, and close to what a BIOS sets up."""
        self.count = 0x10000
        self.latched_count = 0
        self.count_latched = 0  # how the latched count is to be read: 0 not latched, or an RW_ value
        self.status_latched = 0
        self.status = 0
        self.read_state = RW_WORD
        self.write_state = RW_WORD
        self.write_latch = 0
        self.rw_mode = RW_WORD
        self.mode = 3
        self.bcd = 0
        self.gate = gate
        self.count_load_time = self.clock.now()
        self.next_transition_time = -1
        self.loaded()

    def loaded(self) -> None:
        """State that the migration stream does not have: nothing is under way."""
        self.next_count = 0  # written, takes effect at next_count_time; 0: none
        self.next_count_time = 0
        self.triggered = True  # modes 1 and 5 wait for the gate's edge
        self.null_count = False  # control word written, no count yet
        self.stopped_at = -1 if self.gate else 0  # ticks counted when the gate stopped it, or -1

    # ---- the counting element ----

    @property
    def periodic(self) -> bool:
        """Modes 2 and 3."""
        return self.mode in (2, 3)

    def settle(self, now: int) -> None:
        """Take over a count that was written during a period, once that period is over."""
        if self.next_count and now >= self.next_count_time:
            self.count_load_time = self.next_count_time
            self.count = self.next_count
            self.next_count = 0

    def settle_at_once(self) -> None:
        """Take over a new count now: the saved state has only one."""
        self.settle(self.clock.now())
        if self.next_count:
            self.count, self.next_count = self.next_count, 0
            self.count_load_time = self.clock.now()

    def elapsed(self, now: int) -> int:
        """Ticks counted since the count was loaded."""
        if self.stopped_at >= 0:
            return self.stopped_at
        return (now - self.count_load_time) * FREQUENCY // SECOND

    def current(self) -> int:
        """What a read of the counter sees, before BCD."""
        now = self.clock.now()
        if self.next_count:
            self.settle(now)
        passed = self.elapsed(now)
        if self.mode == 2:
            value = self.count - passed % self.count
        elif self.mode == 3:  # counts down by two, twice a period
            value = (self.count & ~1) - 2 * (passed % self.count % ((self.count + 1) >> 1))
        elif self.mode in (1, 5) and not self.triggered:
            value = self.count
        else:
            value = self.count - passed
        return to_bcd(value) if self.bcd else value & 0xFFFF

    def output(self) -> bool:
        """Level of OUT."""
        if self.null_count:
            return self.mode != 0
        now = self.clock.now()
        if self.next_count:
            self.settle(now)
        passed = self.elapsed(now)
        match self.mode:
            case 0:
                return passed >= self.count
            case 1:
                return not self.triggered or passed >= self.count
            case 2:
                return self.stopped_at >= 0 or passed % self.count != self.count - 1
            case 3:
                return self.stopped_at >= 0 or passed % self.count < (self.count + 1) >> 1
        return not self.triggered or passed != self.count

    def next_edge(self, now: int) -> int:
        """When OUT rises next, after ``now``; -1 for never."""
        if self.stopped_at >= 0 or self.null_count:
            return -1
        self.settle(now)
        count = self.count
        if self.periodic:
            if self.next_count:
                return self.next_count_time
            number = (now - self.count_load_time) * FREQUENCY // SECOND // count + 1
            return self.count_load_time + time_of(number * count)
        if self.mode in (1, 4, 5) and not self.triggered:
            return -1
        end = self.count_load_time + time_of(count + (self.mode >= 4))
        return end if end > now else -1

    def set_gate(self, level: int) -> None:
        """Drive GATE (data sheet, figure 21: "gate pin operations summary")."""
        if level == self.gate:
            return
        now = self.clock.now()
        self.settle(now)
        self.gate = level
        if self.mode in (0, 4):  # a low gate suspends counting
            if level:
                self.count_load_time = now - time_of(max(self.stopped_at, 0))
                self.stopped_at = -1
            else:
                self.stopped_at = self.elapsed(now)
        elif level:  # a rising edge starts anew
            self.count_load_time = now
            self.stopped_at = -1
            self.triggered = True
            if self.next_count:
                self.count, self.next_count = self.next_count, 0
        elif self.periodic:
            self.stopped_at = 0

    # ---- registers ----

    def control(self, value: int) -> None:
        """Control word for this counter."""
        access = value >> 4 & 3
        if access == RW_LATCH:
            self.latch_count()
            return
        self.settle(self.clock.now())
        self.rw_mode = self.read_state = self.write_state = access
        mode = value >> 1 & 7
        self.mode = mode & 3 if mode > 5 else mode
        self.bcd = value & 1
        self.count_latched = 0
        self.next_count = 0
        self.null_count = True
        self.triggered = False
        self.stopped_at = -1 if self.gate else 0

    def load(self, value: int) -> None:
        """A complete count was written."""
        count = from_bcd(value) or 10000 if self.bcd else value or 0x10000
        now = self.clock.now()
        self.settle(now)
        if self.periodic and not self.null_count and self.stopped_at < 0:  # the running period is finished first
            edge = self.next_count_time if self.next_count else self.next_edge(now)
            self.next_count, self.next_count_time = count, edge
            return
        if self.mode in (1, 5) and self.triggered:
            self.next_count, self.next_count_time = count, 1 << 63  # loaded by the next trigger
            return
        self.count = count
        self.count_load_time = now
        self.null_count = False
        if self.mode in (0, 4):
            self.triggered = True
            self.stopped_at = -1 if self.gate else 0

    def write(self, value: int) -> None:
        """Data port."""
        match self.write_state:
            case 1:
                self.load(value)
            case 2:
                self.load(value << 8)
            case 3:
                self.write_latch = value
                self.write_state = WORD_SECOND
                if self.mode == 0:  # the first byte stops counting, OUT is low
                    self.null_count = True
            case _:
                self.write_state = RW_WORD
                self.load(self.write_latch | value << 8)

    def read(self) -> int:
        """Data port: latched status, then latched count, then the live count."""
        if self.status_latched:
            self.status_latched = 0
            return self.status
        if self.count_latched:
            access, value = self.count_latched, self.latched_count
            self.count_latched = WORD_SECOND if access == RW_WORD else 0
        else:
            access, value = self.read_state, self.current()
            if access >= RW_WORD:
                self.read_state = WORD_SECOND if access == RW_WORD else RW_WORD
        return value & 0xFF if access in (RW_LOW, RW_WORD) else value >> 8

    def latch_count(self) -> None:
        """Counter latch command; a second one is ignored until the first has been read."""
        if not self.count_latched:
            self.latched_count = self.current()
            self.count_latched = self.rw_mode

    def latch_status(self) -> None:
        """Read-back command for the status (data sheet, figure 12)."""
        if not self.status_latched:
            null = self.null_count or self.next_count
            self.status = self.output() << 7 | (0x40 if null else 0) | self.rw_mode << 4 | self.mode << 1 | self.bcd
            self.status_latched = 1


class I8254:
    """Three counters; ``read``/``write`` serve ports 40h to 43h.

    Counter 0 drives ``irq`` (ISA IRQ 0), counter 2 the speaker through ``Pcspk``. ``irq_enable`` is an input:
    low while the HPET has taken over IRQ 0 (legacy replacement).
    """

    vmstate = VMState(
        "i8254",
        version=3,
        minimum_version=2,
        fields=(
            U32("irq_disabled", wire="channels[0].irq_disabled", since=3),
            Array("channels", Counter.vmstate, 3, since=2),
            I64("next_transition_time", wire="channels[0].next_transition_time"),
        ),
        post_load=lambda pit: pit.loaded(),
    )

    def __init__(self, clock: Clock, irq: Irq) -> None:
        self.clock = clock
        self.irq = irq
        self.timer = clock.timer(self._edge)
        self.channels = [Counter(clock, gate) for gate in (1, 1, 0)]
        self.irq_disabled = 0
        self.due = -1  # the edge that the timer waits for (its deadline may be a made up one)
        self.missed = 0  # edges still to be made up for
        self.irq_enable = Irq(self._set_irq_enable)
        self.irq_enable.level = True
        self.reset()

    def reset(self) -> None:
        """All counters as after power-up."""
        for counter, gate in zip(self.channels, (1, 1, 0), strict=True):
            counter.reset(gate)
        self.missed = 0
        self._update()

    def loaded(self) -> None:
        """Drive the line, and wait for the next edge of the state that was loaded; one that is due is not lost."""
        counter, now = self.channels[0], self.clock.now()
        self.missed = 0
        self.irq.set(not self.irq_disabled and (counter.periodic or counter.output()))
        overdue = 0 <= self.due <= now
        self._arm(-1 if self.irq_disabled else self.due if overdue else counter.next_edge(now))

    @property
    def next_transition_time(self) -> int:
        """The edge waited for, as the migration stream has it."""
        return self.due

    @next_transition_time.setter
    def next_transition_time(self, value: int) -> None:
        self.due = value

    # ---- ports ----

    def read(self, offset: int, size: int) -> int:
        """Ports 40h to 42h; the control word cannot be read."""
        return self.channels[offset].read() if offset < 3 else 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Counts and control words."""
        if offset < 3:
            self.channels[offset].write(value)
            if offset == 0:
                self._update()
        elif value >> 6 == 3:
            self._read_back(value)
        else:
            self.channels[value >> 6].control(value)
            if not value >> 6 and value & 0x30:
                self._update()

    def _read_back(self, value: int) -> None:
        for number, counter in enumerate(self.channels):
            if value & 2 << number:
                if not value & 0x20:
                    counter.latch_count()
                if not value & 0x10:
                    counter.latch_status()

    # ---- IRQ 0 ----

    def _set_irq_enable(self, level: bool) -> None:
        self.irq_disabled = not level
        self._update()

    def _update(self) -> None:
        """Counter 0 was programmed: drive its output and wait for the next edge."""
        counter = self.channels[0]
        self.missed = 0
        if self.irq_disabled:
            self.timer.cancel()
            self.irq.set(False)
            return
        self.irq.set(counter.output())
        self._arm(counter.next_edge(self.clock.now()))

    def _arm(self, edge: int) -> None:
        self.due = edge
        if edge < 0:
            self.timer.cancel()
        else:
            self.timer.set(edge)

    def _edge(self) -> None:
        """OUT rises. The low time before (a tick in mode 2, half a period in mode 3) is not waited for."""
        irq = self.irq
        irq.set(False)
        irq.set(True)
        counter = self.channels[0]
        if not counter.periodic:
            self._arm(counter.next_edge(self.clock.now()))
            return
        now = self.clock.now()
        if now >= self.due:
            edge = counter.next_edge(now)
            period = time_of(counter.count)
            late = (edge - self.due + (period >> 1)) // period - 1
            if late > 0 and period >= CATCH_UP_MIN_PERIOD:
                self.missed = min(self.missed + late, CATCH_UP_MAX_EDGES)
            self.due = edge
        else:  # this was one of those made up for
            self.missed -= 1
        if self.missed > 0:
            self.timer.set(min(self.due, now + (time_of(counter.count) >> 1)))
        else:
            self.timer.set(max(self.due, now + MIN_INTERVAL))


class Pcspk:
    """Port 61h: gate and output of counter 2, the speaker's data bit, the refresh toggle."""

    vmstate = VMState("pcspk", version=1, fields=(U8("data_on"), U8("dummy_refresh_clock")))

    REFRESH = 15_085  # ns between two toggles of bit 4, which old software takes as a delay

    def __init__(self, pit: I8254) -> None:
        self.pit = pit
        self.data_on = 0
        self.dummy_refresh_clock = 0  # only for the migration stream

    @property
    def frequency(self) -> float:
        """The tone that sounds now in Hz; 0 for silence."""
        counter = self.pit.channels[2]
        return FREQUENCY / counter.count if self.data_on and counter.gate and counter.periodic else 0.0

    def reset(self) -> None:
        self.data_on = 0

    def read(self, offset: int, size: int) -> int:
        """NMI status and control register (PIIX3 data sheet, "NMISC")."""
        counter = self.pit.channels[2]
        refresh = self.pit.clock.now() // self.REFRESH & 1
        return counter.gate | self.data_on << 1 | refresh << 4 | counter.output() << 5

    def write(self, offset: int, size: int, value: int) -> None:
        self.data_on = value >> 1 & 1
        self.pit.channels[2].set_gate(value & 1)
