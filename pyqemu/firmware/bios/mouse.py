"""INT 74h and INT 15h AH=C2h: the PS/2 mouse (PS/2 and PC BIOS Interface Technical Reference, pointing device).

The handler that a driver installs is called with four words on the stack: status, X, Y and Z as they are in the
packet.
"""

from __future__ import annotations

import struct

from pyqemu.firmware.bios.chips import KeyboardController
from pyqemu.firmware.bios.context import LinearMemory, Ports
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import Ebda, Verdict

_OK, _BAD_FUNCTION, _BAD_INPUT, _INTERFACE_ERROR, _NO_HANDLER = 0, 1, 2, 3, 5
_RATES = (10, 20, 40, 60, 80, 100, 200)
_ACKNOWLEDGE = 0xFA
_ENABLE, _DISABLE, _RESET, _DEFAULTS = 0xF4, 0xF5, 0xFF, 0xF6
_SET_RATE, _SET_RESOLUTION, _STATUS, _ID, _SCALE_1, _SCALE_2 = 0xF3, 0xE8, 0xE9, 0xF2, 0xE6, 0xE7
_MODE_MOUSE_IRQ, _MODE_MOUSE_OFF, _MODE_KEYBOARD_IRQ = 0x02, 0x20, 0x01
_HANDLER_SET = 0x80


class MouseServices:
    """The mouse services and their interrupt."""

    def __init__(self, memory: LinearMemory, ports: Ports) -> None:
        self.memory = memory
        self.ports = ports
        self.controller = KeyboardController(ports)

    def service(self, frame: Frame) -> None:
        """Run function AL of AH=C2h."""
        match frame.al:
            case 0x00:
                status = self._enable(frame.bh)
            case 0x01:
                status = self._reset(frame)
            case 0x02:
                status = self._simple(_SET_RATE, _RATES[frame.bh]) if frame.bh < len(_RATES) else _BAD_INPUT
            case 0x03:
                status = self._simple(_SET_RESOLUTION, frame.bh) if frame.bh < 4 else _BAD_INPUT
            case 0x04:
                status = self._identify(frame)
            case 0x05:
                status = self._initialize(frame.bh)
            case 0x06:
                status = self._extended(frame)
            case 0x07:
                status = self._install(frame)
            case _:
                status = _BAD_FUNCTION
        frame.ah, frame.carry = status, status != _OK

    def _send(self, *values: int) -> list[int] | None:
        """Send bytes with interrupts off; what the last one brought after its acknowledgement, None for an error."""
        mode = self.controller.mode()
        self.controller.set_mode((mode | 0x30) & ~(_MODE_MOUSE_IRQ | _MODE_KEYBOARD_IRQ) & ~_MODE_MOUSE_OFF)
        answers: list[int] = []
        for value in values:
            answers = self.controller.mouse(value)
            if answers[:1] != [_ACKNOWLEDGE]:
                break
        self.controller.set_mode(mode)
        return answers[1:] if answers[:1] == [_ACKNOWLEDGE] else None

    def _simple(self, *values: int) -> int:
        return _INTERFACE_ERROR if self._send(*values) is None else _OK

    def _enable(self, on: int) -> int:
        if on > 1:
            return _BAD_INPUT
        memory = self.memory
        if on and not memory.u8(memory.ebda + Ebda.MOUSE_FLAGS2) & _HANDLER_SET:
            return _NO_HANDLER
        memory.set8(memory.ebda + Ebda.MOUSE_FLAGS1, 0)
        if not on:
            status = self._simple(_DISABLE)
            self._interrupts(False)
            return status
        self._interrupts(True)
        return self._simple(_ENABLE)

    def _interrupts(self, on: bool) -> None:
        mode = self.controller.mode() & ~(_MODE_MOUSE_IRQ | _MODE_MOUSE_OFF)
        self.controller.set_mode(mode | (_MODE_MOUSE_IRQ if on else _MODE_MOUSE_OFF))
        mask = self.ports.inb(0xA1)
        self.ports.outb(0xA1, mask & ~0x10 if on else mask | 0x10)

    def _reset(self, frame: Frame) -> int:
        answer = self._send(_RESET)
        if answer is None or len(answer) < 2:
            return _INTERFACE_ERROR
        frame.bl, frame.bh = answer[0], answer[1]
        self.memory.set8(self.memory.ebda + Ebda.MOUSE_FLAGS1, 0)
        return _OK

    def _identify(self, frame: Frame) -> int:
        answer = self._send(_ID)
        if not answer:
            return _INTERFACE_ERROR
        frame.bh = answer[0]
        return _OK

    def _initialize(self, size: int) -> int:
        if not 1 <= size <= 8:
            return _BAD_INPUT
        memory = self.memory
        at = memory.ebda + Ebda.MOUSE_FLAGS2
        memory.set8(at, memory.u8(at) & ~7 | size - 1)
        memory.set8(memory.ebda + Ebda.MOUSE_FLAGS1, 0)
        self.controller.command(0xA8)
        return self._simple(_DEFAULTS)

    def _extended(self, frame: Frame) -> int:
        """BH=0: status in BL, resolution in CL, rate in DL; 1 and 2: scaling 1:1 and 2:1."""
        if frame.bh == 0:
            answer = self._send(_STATUS)
            if answer is None or len(answer) < 3:
                return _INTERFACE_ERROR
            frame.bl, frame.cl, frame.dl = answer[:3]
            return _OK
        if frame.bh in (1, 2):
            return self._simple(_SCALE_1 if frame.bh == 1 else _SCALE_2)
        return _BAD_INPUT

    def _install(self, frame: Frame) -> int:
        """The handler is ES:BX; 0:0 removes it."""
        memory, ebda = self.memory, self.memory.ebda
        memory.write(ebda + Ebda.MOUSE_HANDLER, struct.pack("<HH", frame.bx, frame.es))
        flags = memory.u8(ebda + Ebda.MOUSE_FLAGS2)
        here = bool(frame.es or frame.bx)
        memory.set8(ebda + Ebda.MOUSE_FLAGS2, flags | _HANDLER_SET if here else flags & ~_HANDLER_SET)
        return _OK

    # -- INT 74h --------------------------------------------------------------------------------------------

    def interrupt(self, frame: Frame) -> Verdict | None:
        """A byte has come; a whole packet goes to the handler."""
        if self.ports.inb(0x64) & 0x21 != 0x21:
            return None
        byte = self.ports.inb(0x60)
        memory, ebda = self.memory, self.memory.ebda
        flags = memory.u8(ebda + Ebda.MOUSE_FLAGS2)
        if not flags & _HANDLER_SET:
            return None
        count, size = memory.u8(ebda + Ebda.MOUSE_FLAGS1) & 7, (flags & 7) + 1
        memory.set8(ebda + Ebda.MOUSE_DATA + count, byte)
        count += 1
        if count < size:
            memory.set8(ebda + Ebda.MOUSE_FLAGS1, count)
            return None
        memory.set8(ebda + Ebda.MOUSE_FLAGS1, 0)
        packet = memory.read(ebda + Ebda.MOUSE_DATA, 4)
        x, y, z = packet[1], packet[2], packet[3] if size == 4 else 0
        memory.write(ebda + Ebda.MOUSE_WORDS, struct.pack("<4H", packet[0], x, y, z))
        return Verdict.MOUSE
