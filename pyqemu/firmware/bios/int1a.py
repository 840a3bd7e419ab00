"""INT 1Ah: time of day and the real-time clock; INT 70h: the clock's interrupt. AH=B1h is in ``pci_bios.py``."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.firmware.bios.calls import Calls
from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import Bda, Verdict
from pyqemu.firmware.bios.pci_bios import PciBios

# Registers of the MC146818A
_SECONDS, _SECONDS_ALARM, _MINUTES, _MINUTES_ALARM, _HOURS, _HOURS_ALARM = range(6)
_DAY, _MONTH, _YEAR, _REG_A, _REG_B, _REG_C, _CENTURY = 7, 8, 9, 0x0A, 0x0B, 0x0C, 0x32
_SET, _PERIODIC, _ALARM, _DAYLIGHT = 0x80, 0x40, 0x20, 0x01
_PERIOD = 976  # microseconds between periodic interrupts at the default rate


class TimeServices:
    """The services; ``service`` is INT 1Ah, ``interrupt`` INT 70h."""

    def __init__(self, memory: LinearMemory, ports: Ports, calls: Calls, pci: PciBios) -> None:
        self.memory = memory
        self.ports = ports
        self.calls = calls
        self._functions: dict[int, Callable[[Frame], None]] = {
            0x00: self._get_ticks,
            0x01: self._set_ticks,
            0x02: self._get_time,
            0x03: self._set_time,
            0x04: self._get_date,
            0x05: self._set_date,
            0x06: self._set_alarm,
            0x07: self._reset_alarm,
            0xB1: pci.service,
        }

    def service(self, frame: Frame) -> None:
        """Run function AH."""
        handler = self._functions.get(frame.ah)
        if handler is None:
            frame.carry = True
            return
        frame.carry = False
        handler(frame)

    def _get_ticks(self, frame: Frame) -> None:
        """AL tells, once, that midnight has passed."""
        ticks = self.memory.u32(Bda.TICKS)
        frame.cx, frame.dx = ticks >> 16, ticks
        frame.al = self.memory.u8(Bda.MIDNIGHT)
        frame.ah = 0
        self.memory.set8(Bda.MIDNIGHT, 0)

    def _set_ticks(self, frame: Frame) -> None:
        self.memory.set32(Bda.TICKS, frame.cx << 16 | frame.dx)
        self.memory.set8(Bda.MIDNIGHT, 0)
        frame.ah = 0

    def _get_time(self, frame: Frame) -> None:
        cmos = self.ports.cmos_read
        frame.ch, frame.cl, frame.dh = cmos(_HOURS), cmos(_MINUTES), cmos(_SECONDS)
        frame.dl = cmos(_REG_B) & _DAYLIGHT
        frame.ah, frame.al = 0, frame.ch

    def _set_time(self, frame: Frame) -> None:
        cmos_write = self.ports.cmos_write
        control = self._stop()
        cmos_write(_HOURS, frame.ch)
        cmos_write(_MINUTES, frame.cl)
        cmos_write(_SECONDS, frame.dh)
        cmos_write(_REG_B, control & ~_DAYLIGHT | frame.dl & _DAYLIGHT)
        frame.ah = 0

    def _stop(self) -> int:
        """Halt the clock for setting; the control register to write back afterwards."""
        control = self.ports.cmos_read(_REG_B) & 0x7F
        self.ports.cmos_write(_REG_B, control | _SET)
        return control

    def _get_date(self, frame: Frame) -> None:
        cmos = self.ports.cmos_read
        frame.ch, frame.cl, frame.dh, frame.dl = cmos(_CENTURY), cmos(_YEAR), cmos(_MONTH), cmos(_DAY)
        frame.ah, frame.al = 0, frame.ch

    def _set_date(self, frame: Frame) -> None:
        cmos_write = self.ports.cmos_write
        control = self._stop()
        for register, value in ((_CENTURY, frame.ch), (_YEAR, frame.cl), (_MONTH, frame.dh), (_DAY, frame.dl)):
            cmos_write(register, value)
        cmos_write(_REG_B, control)
        frame.ah = 0

    def _set_alarm(self, frame: Frame) -> None:
        """INT 4Ah will be called at CH:CL:DH."""
        control = self.ports.cmos_read(_REG_B)
        frame.ax = 0
        if control & _ALARM:
            frame.carry = True
            return
        for register, value in ((_HOURS_ALARM, frame.ch), (_MINUTES_ALARM, frame.cl), (_SECONDS_ALARM, frame.dh)):
            self.ports.cmos_write(register, value)
        self.ports.outb(0xA1, self.ports.inb(0xA1) & ~1)
        self.ports.cmos_write(_REG_B, control & ~_SET | _ALARM)

    def _reset_alarm(self, frame: Frame) -> None:
        self.ports.cmos_write(_REG_B, self.ports.cmos_read(_REG_B) & ~(_SET | _ALARM))
        frame.ax = 0

    # -- INT 70h --------------------------------------------------------------------------------------------

    def interrupt(self, frame: Frame) -> Verdict | None:
        """Periodic: INT 15h AH=83h counts down. Alarm: INT 4Ah."""
        causes = self.ports.cmos_read(_REG_C) & self.ports.cmos_read(_REG_B)
        if causes & _PERIODIC:
            self._count_down()
        return self.calls.interrupt(0x4A) if causes & _ALARM else None

    def _count_down(self) -> None:
        memory = self.memory
        if not memory.u8(Bda.WAIT_ACTIVE) & 1:
            return
        left = memory.u32(Bda.WAIT_COUNT)
        if left > _PERIOD:
            memory.set32(Bda.WAIT_COUNT, left - _PERIOD)
            return
        memory.set8(Bda.WAIT_ACTIVE, 0)
        self.ports.cmos_write(_REG_B, self.ports.cmos_read(_REG_B) & ~_PERIODIC)
        flag = far(memory.u16(Bda.WAIT_POINTER + 2), memory.u16(Bda.WAIT_POINTER))
        memory.set8(flag, memory.u8(flag) | 0x80)
