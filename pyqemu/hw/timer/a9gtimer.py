"""The global timer of the Cortex-A9 MPCore (DDI 0407I, 4.4): a 64-bit counter, a comparator for each processor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pyqemu.hw.core.per_part import PerPart
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.vmstate import U32, U64, Timer64, VMState
from pyqemu.system import Clock, Irq

# fmt: off
COUNTER_LO, COUNTER_HI, CONTROL, STATUS         = 0x00, 0x04, 0x08, 0x0C
COMPARE_LO, COMPARE_HI, AUTO_INCREMENT          = 0x10, 0x14, 0x18
ENABLE, COMPARE_ENABLE, IRQ_ENABLE, AUTO_INC    = 0x01, 0x02, 0x04, 0x08
PRESCALER, BANKED                               = 0xFF00, 0x0E
# fmt: on
PERIOD = 10  # ns
MAX_CPUS = 4
M32, M64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


class Comparator:
    """What each processor has by itself."""

    vmstate = VMState(
        "arm.cortex-a9-global-timer.percpu",
        fields=(U32("control"), U64("compare"), U32("status"), U32("inc")),
    )

    def __init__(self, irq: Irq) -> None:
        self.irq = irq
        self.control = self.compare = self.status = self.inc = 0


@device_class("arm.cortex-a9-global-timer", bus="sysbus", user_creatable=False)
class A9GlobalTimer(SysBusDevice):
    """The timer. Regions: as whoever accesses it sees it, then as each processor does.

    :param irqs: of each processor
    :param requester: the number of the processor that is accessing a register
    """

    num_cpu = Property.uint("num-cpu", 0)

    vmstate = VMState(
        "arm.cortex-a9-global-timer",
        fields=(
            Timer64("timer"), U64("counter"), U64("ref_counter"), U64("cpu_ref_time"),
            PerPart("per_cpu", Comparator.vmstate, since=1),
        ),
        subsections=(
            VMState("arm.cortex-a9-global-timer.control", fields=(U32("control"),),
                    needed=lambda timer: timer.control != 0),
        ),
        pre_save=lambda timer: timer.update(),
        post_load=lambda timer: timer.update(),
    )  # fmt: skip

    def __init__(
        self, clock: Clock, irqs: Sequence[Irq], *, requester: Callable[[], int] = lambda: 0, **props: object
    ) -> None:
        super().__init__(**props)
        if not 1 <= self.num_cpu <= MAX_CPUS:
            raise DeviceError(f"num-cpu must be between 1 and {MAX_CPUS}")
        self.clock = clock
        self.requester = requester
        self.timer = clock.timer(self.update)
        self.per_cpu = [Comparator(irq) for irq in irqs[: self.num_cpu]]
        self.add_registers("a9gtimer shared", 0x20, _View(self, requester), access=(4, 4), impl=(4, 4))
        for number in range(self.num_cpu):
            view = _View(self, partial(int, number))
            self.add_registers("a9gtimer per cpu", 0x20, view, access=(4, 4), impl=(4, 4))
        self.reset()

    def reset(self) -> None:
        """4.4.1: everything is zero."""
        self.control = 0
        self.counter = self.ref_counter = self.cpu_ref_time = 0
        for each in self.per_cpu:
            each.control = each.compare = each.status = each.inc = 0
        self.update()

    @property
    def period(self) -> int:
        """Nanoseconds of one count."""
        return ((self.control >> 8 & 0xFF) + 1) * PERIOD

    @property
    def now(self) -> int:
        """The count."""
        if not self.control & ENABLE:
            return self.counter
        return self.ref_counter + (self.clock.now() - self.cpu_ref_time) // self.period & M64

    def update(self) -> None:
        """Look which comparators the count has passed, drive their interrupts, and wait for the next."""
        self.counter = self.now
        self.ref_counter, self.cpu_ref_time = self.counter, self.clock.now()
        nearest: int | None = None
        for each in self.per_cpu:
            if self.control & ENABLE and each.control & COMPARE_ENABLE:
                if each.compare <= self.counter:
                    each.status = 1
                    if each.control & AUTO_INC and each.inc:
                        missed = (self.counter - each.compare) // each.inc + 1
                        each.compare = each.compare + missed * each.inc & M64
                if each.compare > self.counter:
                    distance = each.compare - self.counter
                    nearest = distance if nearest is None else min(nearest, distance)
            each.irq.set(bool(each.status and each.control & IRQ_ENABLE))
        if nearest is None:
            self.timer.cancel()
        else:
            self.timer.set(self.clock.now() + nearest * self.period)

    def read(self, cpu: int, offset: int) -> int:
        """Read a register as a processor sees it."""
        own = self.per_cpu[cpu]
        match offset:
            case 0x00:
                return self.now & M32
            case 0x04:
                return self.now >> 32
            case 0x08:
                return self.control | own.control
            case 0x0C:
                return own.status
            case 0x10:
                return own.compare & M32
            case 0x14:
                return own.compare >> 32
            case 0x18:
                return own.inc
            case _:
                return 0

    def write(self, cpu: int, offset: int, value: int) -> None:
        """Write a register as a processor."""
        own = self.per_cpu[cpu]
        self.update()
        match offset:
            case 0x00:
                self._set_counter(self.counter & ~M32 | value)
            case 0x04:
                self._set_counter(self.counter & M32 | value << 32)
            case 0x08:
                self.control = value & (PRESCALER | ENABLE)
                own.control = value & BANKED
            case 0x0C:
                own.status &= ~value
            case 0x10:
                own.compare = own.compare & ~M32 | value
            case 0x14:
                own.compare = own.compare & M32 | value << 32
            case 0x18:
                own.inc = value
        self.update()

    def _set_counter(self, value: int) -> None:
        """4.4.1: to be done while it stands."""
        if not self.control & ENABLE:
            self.counter = self.ref_counter = value


class _View:
    """The registers as one processor sees them."""

    def __init__(self, timer: A9GlobalTimer, cpu: Callable[[], int]) -> None:
        self.timer = timer
        self.cpu = cpu

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        return self.timer.read(self.cpu(), offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        self.timer.write(self.cpu(), offset, value)
