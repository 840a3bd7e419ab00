"""Intel 8259A programmable interrupt controller, as a cascaded pair with edge/level registers.

Sources: Intel 8259A data sheet (231468-003), PIIX3 data sheet (290550, section 2.5 "interrupt controller
registers"; ELCR at 4d0h/4d1h).

The PIIX ignores the LTIM bit of ICW1 and always runs in 8086 mode: the edge/level choice is made per line by
the ELCR. An edge that was seen stays latched until it is acknowledged, even when its line falls in the
meantime. (A real chip would answer the acknowledge with the spurious vector; software cannot tell a late
interrupt from a spurious one, so that the latch loses nothing.)

The output is a function of the state: every change ends in ``update``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pyqemu.qom.vmstate import U8, VMState
from pyqemu.system.irq import Irq
from pyqemu.util.trace_events import SILENT, TraceEvents

LOWEST_BIT = bytes([8] + [(n & -n).bit_length() - 1 for n in range(1, 256)])
"""Position of the lowest bit set of a byte; 8 for none."""

CASCADE = 2
"""Input of the master that the slave's output drives."""


class I8259:
    """One chip. ``master`` decides about the cascade rule of the special fully nested mode."""

    # fmt: off
    vmstate = VMState(
        "i8259",
        version=1,
        fields=(
            U8("last_irr"), U8("irr"), U8("imr"), U8("isr"), U8("priority_add", maximum=7), U8("irq_base"),
            U8("read_reg_select"), U8("poll"), U8("special_mask"), U8("init_state", maximum=3), U8("auto_eoi"),
            U8("rotate_on_auto_eoi"), U8("special_fully_nested_mode"), U8("init4"), U8("single_mode"), U8("elcr"),
        ),
        post_load=lambda chip: chip.loaded(),
    )
    # fmt: on

    auto_eoi: int
    rotate_on_auto_eoi: int

    def __init__(
        self, output: Callable[[bool], None], *, master: bool, elcr_mask: int, trace: TraceEvents = SILENT
    ) -> None:
        self.trace = trace
        self.output = output
        self.master = master
        self.elcr_mask = elcr_mask
        self.level = False
        self.inputs: Sequence[Irq] = ()
        self.elcr = 0
        self.last_irr = 0  # input levels, for edge detection
        self.irr = 0
        self._initialize()

    # ---- inputs ----

    def set_input(self, line: int, level: bool) -> None:
        """Level of one interrupt request input."""
        if event := self.trace.pic_set_irq:
            event(master=self.master, irq=line, level=level)
        mask = 1 << line
        if level:
            if self.elcr & mask or not self.last_irr & mask:
                self.irr |= mask
            self.last_irr |= mask
        else:
            if self.elcr & mask:
                self.irr &= ~mask
            self.last_irr &= ~mask
        self.update()

    # ---- priority resolver ----

    def pending(self) -> int:
        """Line that would be acknowledged now, or -1."""
        requests = self.irr & ~self.imr
        if not requests:
            return -1
        rank = self._rank(requests)
        in_service = self.isr
        if in_service:
            if self.special_mask:
                in_service &= ~self.imr
            if self.special_fully_nested_mode and self.master:
                in_service &= ~(1 << CASCADE)  # the slave may interrupt its own service
            if rank >= self._rank(in_service):
                return -1
        return (rank + self.priority_add) & 7

    def acknowledge(self, line: int) -> None:
        """An INTA cycle took ``line``."""
        mask = 1 << line
        if not self.auto_eoi:
            self.isr |= mask
        elif self.rotate_on_auto_eoi:
            self.priority_add = (line + 1) & 7
        if not self.elcr & mask:
            self.irr &= ~mask
        if self.level:  # INT falls during INTA, so that a master sees an edge for what is still pending
            self.level = False
            self.output(False)
        self.update()

    def _rank(self, lines: int) -> int:
        """Rank 0 (highest) to 7 of the most urgent of ``lines``; 8 for none."""
        add = self.priority_add
        return LOWEST_BIT[(lines >> add | lines << (8 - add)) & 0xFF] if add else LOWEST_BIT[lines]

    def update(self) -> None:
        """Drive the output from the state."""
        level = self.pending() >= 0
        if level != self.level:
            self.level = level
            self.output(level)

    def loaded(self) -> None:
        """State was loaded, after that of the devices: a line that none of them drives is low, or its next edge would
        be missed."""
        for line, irq in enumerate(self.inputs):
            if not irq.level and not (self.master and line == CASCADE):
                self.last_irr &= ~(1 << line)
        self.update()

    # ---- registers ----

    def read(self, offset: int, size: int) -> int:
        """Port 20h/a0h: IRR, ISR or poll; port 21h/a1h: IMR."""
        if self.poll:
            value = self._poll()
        elif offset & 1:
            value = self.imr
        else:
            value = self.isr if self.read_reg_select else self.irr
        if event := self.trace.pic_ioport_read:
            event(master=self.master, addr=offset, val=value)
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """ICW1 to ICW4, OCW1 to OCW3."""
        if event := self.trace.pic_ioport_write:
            event(master=self.master, addr=offset, val=value)
        if offset & 1:
            self._write_data(value & 0xFF)
        elif value & 0x10:
            self._icw1(value)
        elif value & 0x08:
            self._ocw3(value)
        else:
            self._ocw2(value)

    def _poll(self) -> int:
        """The read after a poll command is an acknowledge (data sheet, "poll command")."""
        self.poll = 0
        line = self.pending()
        if line < 0:
            return 0
        self.acknowledge(line)
        return 0x80 | line

    def _icw1(self, value: int) -> None:
        self._initialize()
        self.init_state = 1
        self.init4 = value & 1
        self.single_mode = value >> 1 & 1
        self.update()

    def _initialize(self) -> None:
        """State after ICW1 (data sheet, "initialization command words"): the edge sense circuit is reset."""
        self.last_irr = 0
        self.irr &= self.elcr
        self.imr = 0
        self.isr = 0
        self.priority_add = 0
        self.irq_base = 0
        self.read_reg_select = 0
        self.poll = 0
        self.special_mask = 0
        self.init_state = 0
        self.auto_eoi = 0
        self.rotate_on_auto_eoi = 0
        self.special_fully_nested_mode = 0
        self.init4 = 0
        self.single_mode = 0

    def _write_data(self, value: int) -> None:
        match self.init_state:
            case 0:  # OCW1
                self.imr = value
                self.update()
            case 1:  # ICW2
                self.irq_base = value & 0xF8
                self.init_state = 2 if not self.single_mode else 3 if self.init4 else 0
            case 2:  # ICW3: the wiring is fixed
                self.init_state = 3 if self.init4 else 0
            case _:  # ICW4
                self.special_fully_nested_mode = value >> 4 & 1
                self.auto_eoi = value >> 1 & 1
                self.init_state = 0

    def _ocw3(self, value: int) -> None:
        if value & 0x04:
            self.poll = 1
        if value & 0x02:
            self.read_reg_select = value & 1
        if value & 0x40:
            self.special_mask = value >> 5 & 1
            self.update()

    def _ocw2(self, value: int) -> None:
        command = value >> 5 & 7
        line = value & 7
        if command in (1, 5):  # non-specific EOI, never of a line masked in special mask mode
            in_service = self.isr & ~self.imr if self.special_mask else self.isr
            if not in_service:
                return
            line = (self._rank(in_service) + self.priority_add) & 7
        elif command in (0, 4):
            self.rotate_on_auto_eoi = command >> 2
            return
        if command & 1:  # an end of interrupt
            self.isr &= ~(1 << line)
        if command & 4:  # rotate or set priority
            self.priority_add = (line + 1) & 7
        self.update()  # command 2 is no operation

    def write_elcr(self, value: int) -> None:
        """Edge/level control: a set bit makes the line level sensitive."""
        self.elcr = value & self.elcr_mask

    def reset(self) -> None:
        """Hardware reset: everything, the edge/level register too."""
        self.elcr = 0
        self.irr = 0
        self._initialize()
        self.update()


class ElcrPorts:
    """Ports 4d0h and 4d1h."""

    def __init__(self, master: I8259, slave: I8259) -> None:
        self.chips = (master, slave)

    def read(self, offset: int, size: int) -> int:
        return self.chips[offset & 1].elcr

    def write(self, offset: int, size: int, value: int) -> None:
        self.chips[offset & 1].write_elcr(value)


class Pic:
    """The PC's pair of 8259s: sixteen inputs, one output, one acknowledge.

    Port handlers: ``master`` (20h, 2 ports), ``slave`` (a0h, 2 ports), ``elcr`` (4d0h, 2 ports).
    ``inputs[2]`` is the cascade and goes nowhere.
    """

    def __init__(self, output: Irq, *, trace: TraceEvents = SILENT) -> None:
        self.output = output
        self.trace = trace
        self.master = I8259(output.set, master=True, elcr_mask=0xF8, trace=trace)
        self.slave = I8259(self._cascade, master=False, elcr_mask=0xDE, trace=trace)
        self.elcr = ElcrPorts(self.master, self.slave)
        self.inputs = [Irq(partial(chip.set_input, line)) for chip in (self.master, self.slave) for line in range(8)]
        self.inputs[CASCADE] = Irq.none()
        self.master.inputs, self.slave.inputs = self.inputs[:8], self.inputs[8:]

    def _cascade(self, level: bool) -> None:
        if not level:  # polled or masked at the slave: the master has nothing to ask for any more
            self.master.irr &= ~(1 << CASCADE)
        self.master.set_input(CASCADE, level)

    def acknowledge(self) -> int:
        """Answer an interrupt acknowledge cycle of the CPU: the vector (spurious: line 7 of the chip)."""
        line, vector = self._acknowledge()
        if event := self.trace.pic_interrupt:
            event(irq=line, intno=vector)
        return vector

    def _acknowledge(self) -> tuple[int, int]:
        """Line and vector."""
        master = self.master
        line = master.pending()
        if line < 0:
            return 7, master.irq_base + 7
        if line != CASCADE:
            master.acknowledge(line)
            return line, master.irq_base + line
        slave = self.slave
        # The master first: the edge of what the slave has pending afterwards must find it ready.
        master.acknowledge(CASCADE)
        line = slave.pending()
        if line < 0:
            return 15, slave.irq_base + 7
        slave.acknowledge(line)
        return 8 + line, slave.irq_base + line

    def reset(self) -> None:
        """Hardware reset of both chips."""
        self.master.reset()
        self.slave.reset()
