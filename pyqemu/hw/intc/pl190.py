"""PrimeCell vectored interrupt controller PL190 (DDI 0181E), and the secondary one of the Versatile boards.

Sixteen slots name an interrupt and the address of its handler each; lower slots are more urgent, and interrupts in no
slot come last, with the default handler. Reading the vector address register enters a level, writing it leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pyqemu.hw.core.primecell import identification, peripheral_id
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U8, U32, Array, VMState
from pyqemu.system import Irq

SLOTS = 16
LEVELS = SLOTS + 1  # with that of interrupts in no slot
LINES = 32
M32 = 0xFFFF_FFFF
SLOT_ENABLE = 0x20
IDS = peripheral_id(0x190)
# fmt: off
IRQSTATUS, FIQSTATUS, RAWINTR, INTSELECT, INTENABLE, INTENCLEAR     = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
SOFTINT, SOFTINTCLEAR, PROTECTION, VECTADDR, DEFVECTADDR            = 0x18, 0x1C, 0x20, 0x30, 0x34
VECTADDR0, VECTCNTL0                                                = 0x100, 0x200
# fmt: on


@device_class("pl190", bus="sysbus", user_creatable=False)
class Pl190(SysBusDevice):
    """The controller, with its 32 ``inputs``."""

    vmstate = VMState(
        "pl190",
        version=1,
        fields=(
            U32("level"), U32("soft_level"), U32("irq_enable"), U32("fiq_select"), Array("vect_control", U8, SLOTS),
            Array("vect_addr", U32, LEVELS), Array("prio_mask", U32, LEVELS + 1), I32("protected"),
            I32("priority", minimum=0, maximum=LEVELS), Array("prev_prio", I32, LEVELS, minimum=0, maximum=LEVELS),
        ),
        post_load=lambda vic: vic.loaded(),
    )  # fmt: skip

    def __init__(self, irq: Irq, fiq: Irq) -> None:
        super().__init__()
        self.irq, self.fiq = irq, fiq
        self.inputs = [Irq(partial(self._input, number)) for number in range(LINES)]
        self.level = 0
        self.add_registers("pl190", 0x1000, self)
        self.reset()

    def reset(self) -> None:
        """Table 3-1."""
        self.soft_level = self.irq_enable = self.fiq_select = self.protected = 0
        self.vect_control = [0] * SLOTS
        self.vect_addr = [0] * LEVELS
        self.priority = LEVELS
        self.prev_prio = [0] * LEVELS
        self.loaded()

    def loaded(self) -> None:
        """The masks follow from the slots."""
        self.prio_mask = [0] * (LEVELS + 1)
        mask = 0
        for slot, control in enumerate(self.vect_control):
            self.prio_mask[slot] = mask  # what may interrupt somebody at this level
            if control & SLOT_ENABLE:
                mask |= 1 << (control & 0x1F)
        self.prio_mask[SLOTS] = mask
        self.prio_mask[LEVELS] = M32
        self.update()

    def _input(self, number: int, level: bool) -> None:
        self.level = self.level & ~(1 << number) | level << number
        self.update()

    @property
    def requests(self) -> int:
        """Lines that are high, and interrupts that software made."""
        return self.level | self.soft_level

    @property
    def irq_status(self) -> int:
        """2.2.2: what asks for an IRQ."""
        return self.requests & self.irq_enable & ~self.fiq_select

    def update(self) -> None:
        """Drive the outputs from state."""
        self.irq.set(bool(self.irq_status & self.prio_mask[self.priority]))
        self.fiq.set(bool(self.requests & self.irq_enable & self.fiq_select))

    def _enter(self) -> int:
        """VECTADDR read: the level of the most urgent request begins, and that is its handler."""
        status = self.irq_status
        for level in range(self.priority):
            if status & self.prio_mask[level + 1]:
                self.prev_prio[level] = self.priority
                self.priority = level
                self.update()
                return self.vect_addr[level]
        return self.vect_addr[min(self.priority, SLOTS)]

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        if VECTADDR0 <= offset < VECTADDR0 + 4 * SLOTS:
            return self.vect_addr[offset - VECTADDR0 >> 2]
        if VECTCNTL0 <= offset < VECTCNTL0 + 4 * SLOTS:
            return self.vect_control[offset - VECTCNTL0 >> 2]
        match offset:
            case 0x00:
                return self.irq_status
            case 0x04:
                return self.requests & self.irq_enable & self.fiq_select
            case 0x08:
                return self.requests
            case 0x0C:
                return self.fiq_select
            case 0x10:
                return self.irq_enable
            case 0x18:
                return self.soft_level
            case 0x20:
                return self.protected
            case 0x30:
                return self._enter()
            case 0x34:
                return self.vect_addr[SLOTS]
            case _:
                return identification(IDS, offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if VECTADDR0 <= offset < VECTADDR0 + 4 * SLOTS:
            self.vect_addr[offset - VECTADDR0 >> 2] = value
        elif VECTCNTL0 <= offset < VECTCNTL0 + 4 * SLOTS:
            self.vect_control[offset - VECTCNTL0 >> 2] = value & 0x3F
            self.loaded()
        match offset:
            case 0x0C:
                self.fiq_select = value
            case 0x10:
                self.irq_enable |= value
            case 0x14:
                self.irq_enable &= ~value
            case 0x18:
                self.soft_level |= value
            case 0x1C:
                self.soft_level &= ~value
            case 0x20:
                self.protected = value & 1
            case 0x30 if self.priority < LEVELS:
                self.priority = self.prev_prio[self.priority]
            case 0x34:
                self.vect_addr[SLOTS] = value
        self.update()


@device_class("versatilepb_sic", bus="sysbus", user_creatable=False)
class VersatileSic(SysBusDevice):
    """The secondary controller of the Versatile boards (DUI 0225D 4.7.4): 32 inputs, of which those that are enabled
    drive one interrupt of the primary controller, and 21 to 30 may go straight through to it.

    :param outputs: the 32 inputs of the primary controller
    :param output: the one of them that all drive together
    """

    PASS_THROUGH = 0x7FE0_0000

    vmstate = VMState(
        "versatilepb_sic",
        version=1,
        fields=(U32("level"), U32("mask"), U32("pic_enable")),
        post_load=lambda sic: sic.update(),
    )

    def __init__(self, outputs: Sequence[Irq], output: int = 31) -> None:
        super().__init__()
        self.outputs, self.output = list(outputs), output
        self.inputs = [Irq(partial(self._input, number)) for number in range(LINES)]
        self.level = self.mask = self.pic_enable = 0
        self.add_registers("vpb-sic", 0x1000, self)

    def _input(self, number: int, level: bool) -> None:
        self.level = self.level & ~(1 << number) | level << number
        self.update()

    def update(self) -> None:
        """Drive the outputs from state."""
        self.outputs[self.output].set(bool(self.level & self.mask))
        for number in range(21, 31):
            if self.pic_enable >> number & 1:
                self.outputs[number].set(self.level >> number & 1)

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0x00:
                return self.level & self.mask
            case 0x04:
                return self.level
            case 0x08:
                return self.mask
            case 0x10:
                return self.level & 1
            case 0x20:
                return self.pic_enable
            case _:
                return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x08:
                self.mask |= value
            case 0x0C:
                self.mask &= ~value
            case 0x10:
                self.level |= value & 1
            case 0x14:
                self.level &= ~(value & 1)
            case 0x20 | 0x24:
                self._route(value, bool(offset == 0x20))
        self.update()

    def _route(self, value: int, on: bool) -> None:
        value &= self.PASS_THROUGH
        self.pic_enable = self.pic_enable | value if on else self.pic_enable & ~value
        for number in range(21, 31):
            if not self.pic_enable >> number & 1:
                self.outputs[number].set(False)
