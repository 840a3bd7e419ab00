"""The interrupt controller of Broadcom's BCM2835 ("BCM2835 ARM Peripherals", 7): 64 interrupts of the periphery and 8
of its own become one IRQ and one FIQ.
"""

from __future__ import annotations

from functools import partial

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U8, U64, Bool, VMState
from pyqemu.system import Irq

GPU_IRQS, ARM_IRQS = 64, 8
GPU_SHORTCUTS = (7, 9, 10, 18, 19, 53, 54, 55, 56, 57, 62)
"""Interrupts of the periphery that the basic register shows too, from bit 10 on."""
SHORTCUT_MASK = sum(1 << irq for irq in GPU_SHORTCUTS)
M32 = 0xFFFF_FFFF


@device_class("bcm2835-ic", bus="sysbus", user_creatable=False)
class Bcm2835Ic(SysBusDevice):
    """The periphery's controller.

    :ivar gpu_inputs: interrupts 0 to 63; :ivar arm_inputs: the eight of its own
    """

    vmstate = VMState(
        "bcm2835-ic",
        fields=(
            U64("gpu_irq_level"), U64("gpu_irq_enable"), U8("arm_irq_level"), U8("arm_irq_enable"), Bool("fiq_enable"),
            U8("fiq_select", maximum=127),
        ),
        post_load=lambda ic: ic.update(),
    )  # fmt: skip

    def __init__(self, irq: Irq, fiq: Irq) -> None:
        super().__init__()
        self.irq, self.fiq = irq, fiq
        self.gpu_inputs = [Irq(partial(self._gpu, number)) for number in range(GPU_IRQS)]
        self.arm_inputs = [Irq(partial(self._arm, number)) for number in range(ARM_IRQS)]
        self.gpu_irq_level = self.arm_irq_level = 0
        self.add_registers("bcm2835-ic", 0x200, self, access=(4, 4), impl=(4, 4))
        self.reset()

    def reset(self) -> None:
        """All disabled."""
        self.gpu_irq_enable = self.arm_irq_enable = self.fiq_select = 0
        self.fiq_enable = False
        self.update()

    def _gpu(self, number: int, level: bool) -> None:
        self.gpu_irq_level = self.gpu_irq_level & ~(1 << number) | level << number
        self.update()

    def _arm(self, number: int, level: bool) -> None:
        self.arm_irq_level = self.arm_irq_level & ~(1 << number) | level << number
        self.update()

    def update(self) -> None:
        """Drive both outputs from state: the FIQ is one chosen interrupt."""
        chosen = self.fiq_select
        if chosen < GPU_IRQS:
            level = self.gpu_irq_level >> chosen & 1
        else:
            level = self.arm_irq_level >> chosen - GPU_IRQS & 1 if chosen < GPU_IRQS + ARM_IRQS else 0
        self.fiq.set(bool(self.fiq_enable and level))
        self.irq.set(bool(self.gpu_irq_level & self.gpu_irq_enable or self.arm_irq_level & self.arm_irq_enable))

    def read(self, offset: int, size: int) -> int:
        """Read a register (7.5)."""
        pending = self.gpu_irq_level & self.gpu_irq_enable
        match offset:
            case 0x00:
                return self._basic_pending(pending)
            case 0x04:
                return pending & M32
            case 0x08:
                return pending >> 32
            case 0x0C:
                return self.fiq_enable << 7 | self.fiq_select
            case 0x10:
                return self.gpu_irq_enable & M32
            case 0x14:
                return self.gpu_irq_enable >> 32
            case 0x18:
                return self.arm_irq_enable
            case 0x1C:
                return ~self.gpu_irq_enable & M32
            case 0x20:
                return ~self.gpu_irq_enable >> 32 & M32
            case 0x24:
                return ~self.arm_irq_enable & M32
            case _:
                return 0

    def _basic_pending(self, pending: int) -> int:
        value = self.arm_irq_level & self.arm_irq_enable
        others = pending & ~SHORTCUT_MASK
        value |= bool(others & M32) << 8 | bool(others >> 32) << 9
        for bit, irq in enumerate(GPU_SHORTCUTS, 10):
            value |= (pending >> irq & 1) << bit
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x0C:
                self.fiq_select, self.fiq_enable = value & 0x7F, bool(value >> 7 & 1)
            case 0x10:
                self.gpu_irq_enable |= value
            case 0x14:
                self.gpu_irq_enable |= value << 32
            case 0x18:
                self.arm_irq_enable |= value & 0xFF
            case 0x1C:
                self.gpu_irq_enable &= ~value
            case 0x20:
                self.gpu_irq_enable &= ~(value << 32)
            case 0x24:
                self.arm_irq_enable &= ~value
        self.update()
