"""PrimeCell general purpose I/O PL061 (DDI 0190B, table 3-1): eight pins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pyqemu.hw.core.primecell import CELL_ID, identification
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U32, VMState
from pyqemu.system import Irq

PINS = 8
# fmt: off
DIR, IS, IBE, IEV, IE, RIS, MIS, IC, AFSEL = 0x400, 0x404, 0x408, 0x40C, 0x410, 0x414, 0x418, 0x41C, 0x420
# fmt: on
PERIPHERAL_ID = bytes((0, 0, 0, 0, 0x61, 0x10, 0x04, 0x00)) + CELL_ID


@device_class("pl061", bus="sysbus", user_creatable=False)
class Pl061(SysBusDevice):
    """The pins.

    :param outputs: the lines that pins drive while they are outputs; an input floats high
    :ivar inputs: the lines that drive pins while they are inputs
    """

    vmstate = VMState(
        "pl061",
        version=4,
        fields=(
            U32("locked"), U32("data"), U32("old_out_data"), U32("old_in_data"), U32("dir"), U32("isense"), U32("ibe"),
            U32("iev"), U32("im"), U32("istate"), U32("afsel"), U32("dr2r"), U32("dr4r"), U32("dr8r"), U32("odr"),
            U32("pur"), U32("pdr"), U32("slr"), U32("den"), U32("cr"), U32("amsel", since=2),
        ),
        post_load=lambda pins: pins.update(),
    )  # fmt: skip

    def __init__(self, irq: Irq, outputs: Sequence[Irq] = ()) -> None:
        super().__init__()
        self.irq = irq
        self.outputs = list(outputs) or [Irq() for _ in range(PINS)]
        self.inputs = [Irq(partial(self._input, pin)) for pin in range(PINS)]
        self.add_registers("pl061", 0x1000, self)
        self.reset()

    def reset(self) -> None:
        """Table 3-1: all pins are inputs. The registers of Luminary's variant are there for the saved state alone."""
        self.data = self.old_in_data = self.dir = self.isense = self.ibe = self.iev = self.im = self.istate = 0
        self.afsel = self.dr4r = self.dr8r = self.odr = self.pur = self.pdr = self.slr = self.den = self.amsel = 0
        self.locked, self.dr2r, self.cr = 1, 0xFF, 0xFF
        self.old_out_data = 0
        for pin, line in enumerate(self.inputs):
            self.data |= line.level << pin
        self.old_in_data = self.data
        self.update()

    def _input(self, pin: int, level: bool) -> None:
        if not self.dir >> pin & 1:
            self.data = self.data & ~(1 << pin) | level << pin
            self.update()

    def update(self) -> None:
        """Drive pins and interrupt from state, having looked for edges."""
        out = self.data & self.dir | ~self.dir & 0xFF
        self.old_out_data = out
        for pin, line in enumerate(self.outputs):
            line.set(out >> pin & 1)
        changed = (self.old_in_data ^ self.data) & ~self.dir
        if changed:  # also of pins that software drove while they were outputs
            self.old_in_data = self.data
        wanted = ~(self.data ^ self.iev)  # at the level, or after the edge, that IEV chooses
        self.istate |= changed & ~self.isense & (self.ibe | wanted)
        self.istate = (self.istate | wanted & self.isense) & 0xFF
        self.irq.set(bool(self.istate & self.im))

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        if offset < DIR:  # 3.3.1: address bits 9 to 2 choose the pins
            return self.data & offset >> 2
        match offset:
            case 0x400:
                return self.dir
            case 0x404:
                return self.isense
            case 0x408:
                return self.ibe
            case 0x40C:
                return self.iev
            case 0x410:
                return self.im
            case 0x414:
                return self.istate
            case 0x418:
                return self.istate & self.im
            case 0x420:
                return self.afsel
            case _:
                return identification(PERIPHERAL_ID, offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        value &= 0xFF
        if offset < DIR:
            mask = offset >> 2 & self.dir
            self.data = self.data & ~mask | value & mask
        match offset:
            case 0x400:
                self.dir = value
            case 0x404:
                self.isense = value
            case 0x408:
                self.ibe = value
            case 0x40C:
                self.iev = value
            case 0x410:
                self.im = value
            case 0x41C:
                self.istate &= ~value
            case 0x420:
                self.afsel = value
        self.update()
