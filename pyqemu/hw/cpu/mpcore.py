"""What is around the processors of a Cortex-A9 or Cortex-A15 MPCore: its private memory, with the interrupt controller.

Sources: DDI 0407I table 1-3 (A9), DDI 0438I table 8-1 (A15).
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.intc.arm_gic import ArmGic, Requester
from pyqemu.hw.misc.a9scu import A9Scu
from pyqemu.hw.timer.a9gtimer import A9GlobalTimer
from pyqemu.hw.timer.arm_mptimer import ArmMpTimer
from pyqemu.memory import MemoryRegion
from pyqemu.qom import Property, device_class
from pyqemu.system import Clock, Irq

GLOBAL_TIMER_IRQ, PRIVATE_TIMER_IRQ, WATCHDOG_IRQ = 27, 29, 30


def _first() -> tuple[int, bool]:
    return 0, False


class MpCore(SysBusDevice):
    """Private memory with a controller in it.

    :param outputs: IRQ and FIQ of each processor
    :param requester: tells who accesses a register
    :ivar inputs: the controller's shared inputs
    """

    num_cpu = Property.uint("num-cpu", 1)
    num_irq = Property.uint("num-irq", 96)

    def __init__(
        self, clock: Clock, outputs: Sequence[tuple[Irq, Irq]], requester: Requester = _first, **props: object
    ) -> None:
        super().__init__(**props)
        self.clock = clock
        self.requester = requester
        self.gic = ArmGic(
            outputs, requester=requester, num_cpu=self.num_cpu, num_irq=self.num_irq, revision=self.revision
        )
        self.inputs = self.gic.shared_inputs
        self._build()

    revision = 2
    """Of the interrupt controller."""

    def _build(self) -> None:
        """Put all into the private memory."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[SysBusDevice, ...]:
        """The devices in it."""
        return (self.gic,)

    def reset(self) -> None:
        """All parts of it."""
        for part in self.parts:
            part.reset()


@device_class("a9mpcore_priv", bus="sysbus", user_creatable=False)
class A9MpCore(MpCore):
    """The private memory of a Cortex-A9 MPCore: 8 KiB."""

    revision = 1

    def _build(self) -> None:
        number = self.num_cpu
        lines = self.gic.private_inputs

        def who() -> int:
            return self.requester()[0]

        self.scu = A9Scu(num_cpu=number)
        self.gtimer = A9GlobalTimer(
            self.clock, [each[GLOBAL_TIMER_IRQ] for each in lines], requester=who, num_cpu=number
        )
        self.mptimer = ArmMpTimer(
            self.clock, [each[PRIVATE_TIMER_IRQ] for each in lines], requester=who, num_cpu=number
        )
        self.wdt = ArmMpTimer(self.clock, [each[WATCHDOG_IRQ] for each in lines], requester=who, num_cpu=number)
        container = MemoryRegion.container("a9mp-priv-container", 0x2000)
        container.add(0x000, self.scu.region)
        container.add(0x100, self.gic.regions[1])
        container.add(0x200, self.gtimer.region)
        container.add(0x600, self.mptimer.region)
        container.add(0x620, self.wdt.region)
        container.add(0x1000, self.gic.regions[0])
        self.regions.append(container)

    @property
    def parts(self) -> tuple[SysBusDevice, ...]:
        """In the order in which QEMU saves them."""
        return (self.scu, self.gic, self.gtimer, self.mptimer, self.wdt)


@device_class("a15mpcore_priv", bus="sysbus", user_creatable=False)
class A15MpCore(MpCore):
    """The private memory of a Cortex-A15 MPCore: 32 KiB. Its timers are in the processors, whose outputs the board
    leads to ``gic.private_inputs``.
    """

    num_irq = Property.uint("num-irq", 160)

    def _build(self) -> None:
        container = MemoryRegion.container("a15mp-priv-container", 0x8000)
        container.add(0x1000, self.gic.regions[0])
        container.add(0x2000, self.gic.regions[1])
        self.regions.append(container)
