"""What Broadcom put around the four processors of the BCM2836 ("ARM quad-core", QA7 revision 3.4): each processor's own
timers and mailboxes, the interrupts of the periphery, and a local timer, led to IRQ or FIQ of the processors.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U8, U32, Array, Timer64, VMState
from pyqemu.system import Clock, Irq

CPUS, MAILBOXES, TIMERS = 4, 4, 4
# bits of a processor's interrupt source, 4.10
SOURCE_MAILBOX0, SOURCE_GPU, SOURCE_LOCAL_TIMER = 4, 8, 11
# fmt: off
GPU_ROUTING, LOCAL_ROUTING, LOCAL_CONTROL, LOCAL_CLEAR      = 0x0C, 0x24, 0x34, 0x38
TIMER_CONTROL, MAILBOX_CONTROL, IRQ_SOURCE, FIQ_SOURCE      = 0x40, 0x50, 0x60, 0x70
MAILBOX_SET, MAILBOX_CLEAR                                  = 0x80, 0xC0
LOCAL_FLAG, LOCAL_INTERRUPT, LOCAL_ENABLE, LOCAL_RELOAD     = 1 << 31, 1 << 29, 1 << 28, (1 << 28) - 1  # 4.11
# fmt: on
LOCAL_FREQUENCY = 38_400_000
"""Both edges of 19.2 MHz count."""
SECOND = 1_000_000_000


@device_class("bcm2836-control", bus="sysbus", user_creatable=False)
class Bcm2836Control(SysBusDevice):
    """The controller.

    :param outputs: IRQ and FIQ of each processor
    :ivar timer_inputs: of each processor: secure and non-secure physical, hypervisor's and virtual timer
    :ivar gpu_irq: and *gpu_fiq*: what comes from the periphery's controller
    """

    vmstate = VMState(
        "bcm2836-control",
        version=2,
        minimum_version=1,
        fields=(
            Array("mailboxes", U32, CPUS * MAILBOXES), U8("route_gpu_irq", maximum=3), U8("route_gpu_fiq", maximum=3),
            Array("timercontrol", U32, CPUS), Array("mailboxcontrol", U32, CPUS), Timer64("timer", since=2),
            U32("local_timer_control", since=2), U8("route_localtimer", since=2, maximum=7),
        ),
        post_load=lambda control: control.update(),
    )  # fmt: skip

    def __init__(self, clock: Clock, outputs: Sequence[tuple[Irq, Irq]]) -> None:
        super().__init__()
        self.clock = clock
        self.outputs = list(outputs)
        self.timer = clock.timer(self._local_timer)
        self.timer_inputs = [[Irq(self._changed) for _ in range(TIMERS)] for _ in range(CPUS)]
        self.gpu_irq, self.gpu_fiq = Irq(self._changed), Irq(self._changed)
        self.irqsrc, self.fiqsrc = [0] * CPUS, [0] * CPUS
        self.add_registers("bcm2836-control", 0x100, self, access=(4, 4), impl=(4, 4))
        self.reset()

    def reset(self) -> None:
        """4: everything is zero, and led to the first processor."""
        self.route_gpu_irq = self.route_gpu_fiq = self.route_localtimer = 0
        self.timercontrol, self.mailboxcontrol = [0] * CPUS, [0] * CPUS
        self.mailboxes = [0] * (CPUS * MAILBOXES)
        self.local_timer_control = 0
        self.timer.cancel()
        self.update()

    def _changed(self, _level: bool) -> None:
        self.update()

    def update(self) -> None:
        """Find what asks each processor, and drive its IRQ and FIQ."""
        irqsrc, fiqsrc = [0] * CPUS, [0] * CPUS
        irqsrc[self.route_gpu_irq] |= self.gpu_irq.level << SOURCE_GPU
        fiqsrc[self.route_gpu_fiq] |= self.gpu_fiq.level << SOURCE_GPU
        local = LOCAL_FLAG | LOCAL_INTERRUPT
        if self.local_timer_control & local == local:
            sources = fiqsrc if self.route_localtimer & 4 else irqsrc
            sources[self.route_localtimer & 3] |= 1 << SOURCE_LOCAL_TIMER
        for cpu in range(CPUS):
            timers = sum(line.level << number for number, line in enumerate(self.timer_inputs[cpu]))
            boxes = self.mailboxes[cpu * MAILBOXES : (cpu + 1) * MAILBOXES]
            mail = sum(bool(value) << number for number, value in enumerate(boxes))
            for sources, wire, shift in ((irqsrc, 0, 0), (fiqsrc, 1, 4)):
                # A FIQ is asked for by the upper four bits, and then is no IRQ as well.
                timer_mask, mail_mask = self.timercontrol[cpu] >> shift, self.mailboxcontrol[cpu] >> shift
                if not shift:
                    timer_mask &= ~(self.timercontrol[cpu] >> 4)
                    mail_mask &= ~(self.mailboxcontrol[cpu] >> 4)
                sources[cpu] |= timers & timer_mask & 0xF | (mail & mail_mask & 0xF) << SOURCE_MAILBOX0
                if cpu < len(self.outputs):
                    self.outputs[cpu][wire].set(bool(sources[cpu]))
        self.irqsrc, self.fiqsrc = irqsrc, fiqsrc

    # -- registers, 4

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0x0C:
                return self.route_gpu_fiq << 2 | self.route_gpu_irq
            case 0x24:
                return self.route_localtimer
            case 0x34:
                return self.local_timer_control
        cpu = offset >> 2 & 3
        if TIMER_CONTROL <= offset < MAILBOX_CONTROL:
            return self.timercontrol[cpu]
        if MAILBOX_CONTROL <= offset < IRQ_SOURCE:
            return self.mailboxcontrol[cpu]
        if IRQ_SOURCE <= offset < FIQ_SOURCE:
            return self.irqsrc[cpu]
        if FIQ_SOURCE <= offset < MAILBOX_SET:
            return self.fiqsrc[cpu]
        if MAILBOX_CLEAR <= offset < 0x100:
            return self.mailboxes[offset - MAILBOX_CLEAR >> 2]
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        cpu = offset >> 2 & 3
        if offset == GPU_ROUTING:
            self.route_gpu_irq, self.route_gpu_fiq = value & 3, value >> 2 & 3
        elif offset == LOCAL_ROUTING:
            self.route_localtimer = value & 7
        elif offset == LOCAL_CONTROL:
            self._write_local_control(value)
        elif offset == LOCAL_CLEAR:
            self._clear_local(value)
        elif TIMER_CONTROL <= offset < MAILBOX_CONTROL:
            self.timercontrol[cpu] = value & 0xFF
        elif MAILBOX_CONTROL <= offset < IRQ_SOURCE:
            self.mailboxcontrol[cpu] = value & 0xFF
        elif MAILBOX_SET <= offset < MAILBOX_CLEAR:
            self.mailboxes[offset - MAILBOX_SET >> 2] |= value
        elif MAILBOX_CLEAR <= offset < 0x100:
            self.mailboxes[offset - MAILBOX_CLEAR >> 2] &= ~value
        self.update()

    # -- the local timer, 4.11

    def _write_local_control(self, value: int) -> None:
        self.local_timer_control = self.local_timer_control & LOCAL_FLAG | value & ~LOCAL_FLAG
        if value & LOCAL_ENABLE:
            self._start()
        else:
            self.timer.cancel()

    def _start(self) -> None:
        count = self.local_timer_control & LOCAL_RELOAD
        self.timer.set(self.clock.now() + max(count, 1) * SECOND // LOCAL_FREQUENCY)

    def _clear_local(self, value: int) -> None:
        if value & LOCAL_FLAG:
            self.local_timer_control &= ~LOCAL_FLAG
        if value & 1 << 30 and self.local_timer_control & LOCAL_ENABLE:
            self._start()

    def _local_timer(self) -> None:
        self.local_timer_control |= LOCAL_FLAG
        self._start()
        self.update()
