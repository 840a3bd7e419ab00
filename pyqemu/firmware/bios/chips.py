"""Power-on initialization of the board's chips, by their ports."""

from __future__ import annotations

from pyqemu.firmware.bios.context import LinearMemory, Ports
from pyqemu.firmware.bios.layout import Bda

_TICKS_A_DAY = 0x1800B0
_POLLS = 1000


def init_pics(ports: Ports) -> None:
    """Interrupts 08h-0Fh and 70h-77h (8259A data sheet). Unmasked: timer, keyboard, cascade, floppy; clock, disks."""
    for command, data, vector, wiring in ((0x20, 0x21, 0x08, 4), (0xA0, 0xA1, 0x70, 2)):
        ports.outb(command, 0x11)  # edge-triggered, cascaded, ICW4 follows
        ports.outb(data, vector)
        ports.outb(data, wiring)
        ports.outb(data, 0x01)  # 8086 mode
    ports.outb(0x21, 0xFF & ~(1 << 0 | 1 << 1 | 1 << 2 | 1 << 6))
    ports.outb(0xA1, 0xFF & ~(1 << 0 | 1 << 5 | 1 << 6 | 1 << 7))


def init_timer(ports: Ports) -> None:
    """Channel 0 at 18.2 Hz, channel 1 for refresh, the speaker off."""
    ports.outb(0x43, 0x34)
    ports.outb(0x40, 0)
    ports.outb(0x40, 0)
    ports.outb(0x43, 0x54)
    ports.outb(0x41, 0x12)
    ports.outb(0x61, 0)


def init_dma(ports: Ports) -> None:
    """Both controllers reset; channel 4 cascades (8237A data sheet)."""
    ports.outb(0x0D, 0)
    ports.outb(0xDA, 0)
    ports.outb(0xD6, 0xC0)
    ports.outb(0xD4, 0x00)


def init_clock(ports: Ports, memory: LinearMemory) -> None:
    """32768 Hz time base; 24 hours in BCD; no interrupts. The day's ticks at 40:6Ch start at the clock's time."""
    ports.cmos_write(0x0A, 0x26)
    ports.cmos_write(0x0B, ports.cmos_read(0x0B) & 0x87 | 0x02)
    ports.cmos_read(0x0C)
    ports.cmos_read(0x0D)
    hours, minutes, seconds = (read_clock(ports, register) for register in (4, 2, 0))
    ticks = ((hours * 60 + minutes) * 60 + seconds) * _TICKS_A_DAY // 86400
    memory.set32(Bda.TICKS, ticks % _TICKS_A_DAY)
    memory.set8(Bda.MIDNIGHT, 0)


def read_clock(ports: Ports, register: int) -> int:
    """A time register as a number. The BIOS keeps the chip in BCD; an operating system may have left it in binary."""
    value = ports.cmos_read(register)
    return value if ports.cmos_read(0x0B) & 4 else (value >> 4) * 10 + (value & 15)


class KeyboardController:
    """The 8042: commands and answers, with every wait bounded."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    def command(self, value: int) -> None:
        """To the controller."""
        self._wait_writable()
        self.ports.outb(0x64, value)

    def send(self, value: int) -> None:
        """To the keyboard, or the argument of a command."""
        self._wait_writable()
        self.ports.outb(0x60, value)

    def receive(self) -> int | None:
        """A byte from the output buffer, or None if none comes."""
        for _ in range(_POLLS):
            if self.ports.inb(0x64) & 1:
                return self.ports.inb(0x60)
        return None

    def flush(self) -> None:
        """Throw away what is in the output buffer."""
        for _ in range(16):
            if not self.ports.inb(0x64) & 1:
                return
            self.ports.inb(0x60)

    def _wait_writable(self) -> None:
        for _ in range(_POLLS):
            if not self.ports.inb(0x64) & 2:
                return

    def mode(self) -> int:
        """The command byte."""
        self.command(0x20)
        return self.receive() or 0

    def set_mode(self, value: int) -> None:
        self.command(0x60)
        self.send(value)

    def init(self) -> bool:
        """Self-test, reset the keyboard, translate to set 1 and let IRQ 1 come. False if there is no keyboard."""
        self.flush()
        self.command(0xAA)
        if self.receive() != 0x55:
            return False
        self.command(0xAE)
        self.set_mode(0x30)  # no interrupts, mouse off
        self.send(0xFF)
        present = self.receive() == 0xFA and self.receive() == 0xAA
        if present:
            self.send(0xF4)
            self.receive()
        self.set_mode(0x61)
        return present

    def mouse(self, value: int) -> list[int]:
        """Send a byte to the mouse and return what it answers at once."""
        self.command(0xD4)
        self.send(value)
        first = self.receive()
        answers = [] if first is None else [first]
        while self.ports.inb(0x64) & 1:
            answers.append(self.ports.inb(0x60))
        return answers


def find_serial_ports(ports: Ports, memory: LinearMemory) -> int:
    """Note the UARTs that are there at 40:00h; return how many."""
    count = 0
    for base in (0x3F8, 0x2F8, 0x3E8, 0x2E8):
        ports.outb(base + 1, 0x02)
        if ports.inb(base + 1) == 0x02 and ports.inb(base + 2) & 0x3F == 0x02:
            ports.outb(base + 1, 0)
            memory.set16(Bda.SERIAL_PORTS + 2 * count, base)
            memory.set8(Bda.SERIAL_TIMEOUT + count, 10)
            count += 1
    return count


def find_parallel_ports(ports: Ports, memory: LinearMemory) -> int:
    """Note the printer ports that are there at 40:08h; return how many. The fourth place is the EBDA's segment."""
    count = 0
    for base in (0x378, 0x278, 0x3BC):
        ports.outb(base + 2, ports.inb(base + 2) & 0xDF)  # data lines are outputs
        ports.outb(base, 0xAA)
        if ports.inb(base) == 0xAA and count < 3:
            memory.set16(Bda.PARALLEL_PORTS + 2 * count, base)
            memory.set8(Bda.PRINTER_TIMEOUT + count, 20)
            count += 1
    return count
