"""The private timers, or watchdogs, of Arm's MPCore processors (DDI 0407I, 4.1 to 4.2.7): one each, at 100 MHz."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyqemu.hw.core.per_part import PerPart
from pyqemu.hw.core.ptimer import PTimer
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.vmstate import U32, Struct, VMState
from pyqemu.system import Clock, Irq

# fmt: off
LOAD, COUNTER, CONTROL, STATUS              = 0x00, 0x04, 0x08, 0x0C
ENABLE, AUTO_RELOAD, IRQ_ENABLE, PRESCALER  = 0x01, 0x02, 0x04, 0xFF00
# fmt: on
FREQUENCY = 100_000_000
MAX_CPUS = 4


def _first() -> int:
    return 0


class TimerBlock:
    """One counter."""

    vmstate = VMState(
        "arm_mptimer_timerblock",
        version=3,
        fields=(U32("control"), U32("status"), Struct("timer", PTimer.vmstate, since=1)),
        post_load=lambda block: block.update(),
    )

    def __init__(self, clock: Clock, irq: Irq) -> None:
        self.irq = irq
        self.timer = PTimer(clock, self._expired)
        self.reset()

    def reset(self) -> None:
        """4.1: everything is zero."""
        self.control = self.status = 0
        self.timer.stop()
        self.timer.limit = self.timer.delta = 0
        self.timer.set_frequency(FREQUENCY)
        self.update()

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.irq.set(bool(self.status and self.control & IRQ_ENABLE))

    def _expired(self) -> None:
        self.status = 1
        if not self.control & AUTO_RELOAD:
            self.timer.stop()
            self.timer.delta = 0
        self.update()

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0x00:
                return self.timer.limit
            case 0x04:
                return self.timer.count
            case 0x08:
                return self.control
            case 0x0C:
                return self.status
            case _:
                return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x00:
                self.timer.set_limit(value, reload=True)
                self._run()
            case 0x04:
                self.timer.set_count(value)
                self._run()
            case 0x08:
                self._write_control(value)
            case 0x0C:
                self.status &= ~value
        self.update()

    def _write_control(self, value: int) -> None:
        old, self.control = self.control, value & 0xFF07
        if (old ^ value) & PRESCALER:
            self.timer.set_frequency(FREQUENCY // ((value >> 8 & 0xFF) + 1))
        if not value & ENABLE:
            self.timer.stop()
        elif (old ^ value) & (ENABLE | AUTO_RELOAD):
            if value & AUTO_RELOAD and self.timer.count == 0:
                self.timer.set_count(self.timer.limit)
            self._run()

    def _run(self) -> None:
        """Count, if there is something to count: the event is that one becomes zero."""
        if self.control & ENABLE and self.timer.count:
            self.timer.run(once=not self.control & AUTO_RELOAD)


class _Current:
    """The counter of whoever accesses it."""

    def __init__(self, device: ArmMpTimer) -> None:
        self.device = device

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        return self.device.timerblock[self.device.requester()].read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        self.device.timerblock[self.device.requester()].write(offset, size, value)


@device_class("arm_mptimer", bus="sysbus", user_creatable=False)
class ArmMpTimer(SysBusDevice):
    """The counters. Regions: that of whoever accesses it, then each by itself.

    :param irqs: of each processor
    :param requester: the number of the processor that is accessing a register
    """

    num_cpu = Property.uint("num-cpu", 0)

    vmstate = VMState("arm_mptimer", version=3, fields=(PerPart("timerblock", TimerBlock.vmstate, since=3),))

    def __init__(
        self, clock: Clock, irqs: Sequence[Irq], *, requester: Callable[[], int] = _first, **props: object
    ) -> None:
        super().__init__(**props)
        self.requester = requester
        if not 1 <= self.num_cpu <= MAX_CPUS:
            raise DeviceError(f"num-cpu must be between 1 and {MAX_CPUS}")
        self.timerblock = [TimerBlock(clock, irq) for irq in irqs[: self.num_cpu]]
        self.add_registers("arm_mptimer_timer", 0x20, _Current(self), access=(4, 4), impl=(4, 4))
        for block in self.timerblock:
            self.add_registers("arm_mptimer_timerblock", 0x20, block, access=(4, 4), impl=(4, 4))

    def reset(self) -> None:
        """All of them stop."""
        for block in self.timerblock:
            block.reset()
