"""INT 15h: system services (IBM PC/AT Technical Reference; ACPI 5.0, 15.1 for E820h)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pyqemu.firmware.bios.apm import ApmServices
from pyqemu.firmware.bios.context import BiosContext, LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import BIOS_SEGMENT, EBDA, Bda, Ebda, Verdict
from pyqemu.firmware.bios.mouse import MouseServices
from pyqemu.firmware.e820 import Range, bios_map

_UNSUPPORTED = 0x86
_SMAP = 0x534D4150
_TICK = 55_000_000  # nanoseconds; a longer rest of a wait is spent in HLT
_KIB_1M, _KIB_16M = 1024, 16 * 1024
_MOST_88 = 0xFC00  # 63 MiB
_CONFIGURATION = 0xE6F5


class SystemServices:
    """The services; ``service`` is INT 15h."""

    def __init__(self, context: BiosContext, memory: LinearMemory, ports: Ports, apm: ApmServices,
                 mouse: MouseServices) -> None:  # fmt: skip
        self.context = context
        self.memory = memory
        self.ports = ports
        self.map = bios_map(
            context.ram_below_4g,
            context.ram_above_4g,
            acpi_start=context.acpi_start if context.acpi_start < context.ram_below_4g else None,
        )
        self._functions: dict[int, Callable[[Frame], Verdict | None]] = {
            0x24: self._a20,
            0x53: apm.service,
            0x83: self._event_wait,
            0x86: self._wait,
            0x87: self._move,
            0x88: self._memory_size,
            0x90: self._nothing,
            0x91: self._nothing,
            0xC0: self._configuration,
            0xC1: self._ebda,
            0xC2: mouse.service,
            0xE8: self._memory_map,
        }

    def service(self, frame: Frame) -> Verdict | None:
        """Run function AH."""
        handler = self._functions.get(frame.ah)
        if handler is None:
            self._unsupported(frame)
            return None
        return handler(frame)

    @staticmethod
    def _unsupported(frame: Frame) -> None:
        frame.ah, frame.carry = _UNSUPPORTED, True

    def _nothing(self, frame: Frame) -> None:
        """Device busy and device ready: hooks for multitasking systems."""
        frame.ah, frame.carry = 0, False

    def _a20(self, frame: Frame) -> None:
        """Gate A20 by port 92h."""
        port = self.ports.inb(0x92)
        match frame.al:
            case 0x00 | 0x01:
                self.ports.outb(0x92, port & ~3 | frame.al << 1)
            case 0x02:
                frame.al = port >> 1 & 1
            case 0x03:
                frame.bx = 3  # by keyboard controller and port 92h
            case _:
                self._unsupported(frame)
                return
        frame.ah, frame.carry = 0, False

    # -- waiting --------------------------------------------------------------------------------------------

    def _wait(self, frame: Frame) -> Verdict | None:
        """86h: CX:DX microseconds. The deadline is kept in the EBDA from one asking to the next."""
        at = self.memory.ebda + Ebda.DEADLINE
        deadline = int.from_bytes(self.memory.read(at, 8), "little")
        now = self.context.now()
        if deadline == 0:
            deadline = now + ((frame.cx << 16) + frame.dx) * 1000
            self.memory.write(at, deadline.to_bytes(8, "little"))
        if now < deadline:
            return Verdict.WAIT if deadline - now > _TICK else Verdict.SPIN
        self.memory.write(at, bytes(8))
        frame.ah, frame.carry = 0, False
        return None

    def _event_wait(self, frame: Frame) -> None:
        """83h: set bit 7 of ES:BX after CX:DX microseconds, counted by the clock's periodic interrupt (INT 70h)."""
        memory = self.memory
        if frame.al == 1:
            memory.set8(Bda.WAIT_ACTIVE, 0)
            self.ports.cmos_write(0x0B, self.ports.cmos_read(0x0B) & ~0x40)
        elif memory.u8(Bda.WAIT_ACTIVE) & 1:
            frame.ah, frame.carry = 0, True
            return
        else:
            memory.write(Bda.WAIT_POINTER, struct.pack("<HHHH", frame.bx, frame.es, frame.dx, frame.cx))
            memory.set8(Bda.WAIT_ACTIVE, 1)
            self.ports.cmos_write(0x0B, self.ports.cmos_read(0x0B) | 0x40)
        frame.ah, frame.carry = 0, False

    # -- memory ---------------------------------------------------------------------------------------------

    def _move(self, frame: Frame) -> None:
        """87h: CX words between the segments that the descriptors at ES:SI+10h and +18h describe."""
        table = self.memory.read(far(frame.es, frame.si) + 0x10, 16)
        source, target = (_descriptor_base(table[at : at + 8]) for at in (0, 8))
        physical = self.context.memory
        if frame.cx > 0x8000:
            frame.ah, frame.carry = 2, True
            return
        physical.write(target, physical.read(source, frame.cx * 2))
        frame.ah, frame.carry, frame.zero = 0, False, True

    def _memory_size(self, frame: Frame) -> None:
        """88h: KiB above 1 MiB, up to 64 MiB."""
        frame.ax = min(self.context.acpi_start // 1024 - _KIB_1M, _MOST_88)
        frame.carry = False

    def _memory_map(self, frame: Frame) -> None:
        match frame.al:
            case 0x01:
                self._e801(frame)
            case 0x20:
                self._e820(frame)
            case _:
                self._unsupported(frame)

    def _e801(self, frame: Frame) -> None:
        """KiB between 1 and 16 MiB, and 64 KiB blocks above."""
        total = self.context.acpi_start // 1024
        low = max(0, min(total, _KIB_16M) - _KIB_1M)
        high = max(0, total - _KIB_16M) // 64
        frame.ax = frame.cx = low
        frame.bx = frame.dx = high
        frame.carry = False

    def _e820(self, frame: Frame) -> None:
        """Entry EBX of the map to ES:DI."""
        if frame.edx != _SMAP or frame.ebx >= len(self.map) or frame.ecx < 20:
            self._unsupported(frame)
            return
        entry = self._current(self.map[frame.ebx])
        self.memory.write(far(frame.es, frame.di), entry.pack())
        frame.eax, frame.ecx = _SMAP, 20
        frame.ebx = (frame.ebx + 1) % len(self.map)
        frame.carry = False

    def _current(self, entry: Range) -> Range:
        """Conventional memory ends where 40:13h says: option ROMs may have taken some of it."""
        end = min(self.memory.u16(Bda.MEMORY_KB) * 1024, EBDA)
        if entry.start == 0:
            return Range(0, end, entry.kind)
        if entry.start == EBDA:
            return Range(end, entry.end - end, entry.kind)
        return entry

    # -- configuration --------------------------------------------------------------------------------------

    def _configuration(self, frame: Frame) -> None:
        frame.es, frame.bx = BIOS_SEGMENT, _CONFIGURATION
        frame.ah, frame.carry = 0, False

    def _ebda(self, frame: Frame) -> None:
        frame.es = self.memory.u16(Bda.EBDA_SEGMENT)
        frame.carry = False


def _descriptor_base(descriptor: bytes) -> int:
    return int.from_bytes(descriptor[2:5], "little") | descriptor[7] << 24
