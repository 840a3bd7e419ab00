"""INT 10h AH=1Ch and VBE 4F04h: save and restore the state of the adapter."""

from __future__ import annotations

from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import Bda

HARDWARE, DATA_AREA, DAC, VBE = 1, 2, 4, 8
_BLOCK = 64
_SEQUENCER, _CRTC, _GRAPHICS, _ATTRIBUTES = 5, 25, 9, 21
_HARDWARE_SIZE = 2 + _SEQUENCER + _CRTC + _GRAPHICS + _ATTRIBUTES
_AREAS = (
    (Bda.VIDEO_MODE, 30), (Bda.ROWS, 7), (Bda.VIDEO_SAVE_POINTER, 4), (Bda.VBE_MODE, 2), (4 * 0x1F, 4), (4 * 0x43, 4),
)  # fmt: skip
_DAC_SIZE = 3 + 768
_VBE_INDEX, _VBE_DATA, _VBE_REGISTERS = 0x1CE, 0x1D0, 10
_VBE_ENABLE = 4


class StateServices:
    """The parts that CX names: 1 hardware, 2 BIOS data area, 4 DAC, 8 the VBE registers."""

    def __init__(self, memory: LinearMemory, ports: Ports) -> None:
        self.memory = memory
        self.ports = ports

    def service(self, frame: Frame) -> None:
        """AL: 0 size in 64-byte blocks to BX, 1 save to ES:BX, 2 restore."""
        parts = frame.cx & 7
        if not parts or frame.al > 2:
            return
        if frame.al == 0:
            frame.bx = self.size(parts) // _BLOCK
        elif frame.al == 1:
            self.save(far(frame.es, frame.bx), parts)
        else:
            self.restore(far(frame.es, frame.bx), parts)
        frame.al = 0x1C

    @staticmethod
    def size(parts: int) -> int:
        """Bytes that saving takes, in whole blocks."""
        total = _HARDWARE_SIZE * (parts & HARDWARE) + sum(n for _, n in _AREAS) * bool(parts & DATA_AREA)
        total += _DAC_SIZE * bool(parts & DAC) + 2 * _VBE_REGISTERS * bool(parts & VBE)
        return -(-total // _BLOCK) * _BLOCK

    def save(self, address: int, parts: int) -> None:
        out = b""
        if parts & HARDWARE:
            out += self._save_hardware()
        if parts & DATA_AREA:
            out += b"".join(self.memory.read(at, size) for at, size in _AREAS)
        if parts & DAC:
            self.ports.outb(0x3C7, 0)
            out += bytes((self.ports.inb(0x3C6), 0, 0)) + bytes(self.ports.inb(0x3C9) for _ in range(768))
        if parts & VBE:
            out += b"".join(self._vbe(n).to_bytes(2, "little") for n in range(_VBE_REGISTERS))
        self.memory.write(address, out)

    def restore(self, address: int, parts: int) -> None:
        data = self.memory.read(address, self.size(parts))
        if parts & HARDWARE:
            hardware, data = data[:_HARDWARE_SIZE], data[_HARDWARE_SIZE:]
            self._restore_hardware(hardware)
        if parts & DATA_AREA:
            for at, size in _AREAS:
                self.memory.write(at, data[:size])
                data = data[size:]
        if parts & DAC:
            self.ports.outb(0x3C6, data[0])
            self.ports.outb(0x3C8, 0)
            for level in data[3:_DAC_SIZE]:
                self.ports.outb(0x3C9, level)
            data = data[_DAC_SIZE:]
        if parts & VBE:
            values = [int.from_bytes(data[2 * n : 2 * n + 2], "little") for n in range(_VBE_REGISTERS)]
            for n in (*range(1, _VBE_ENABLE), _VBE_ENABLE, *range(_VBE_ENABLE + 1, _VBE_REGISTERS)):
                self.ports.outw(_VBE_INDEX, n)
                self.ports.outw(_VBE_DATA, values[n] | (0x80 if n == _VBE_ENABLE else 0))

    def _vbe(self, register: int) -> int:
        self.ports.outw(_VBE_INDEX, register)
        return self.ports.inw(_VBE_DATA)

    def _indexed(self, port: int, count: int) -> bytes:
        out = bytearray()
        for index in range(count):
            self.ports.outb(port, index)
            out.append(self.ports.inb(port + 1))
        return bytes(out)

    def _save_hardware(self) -> bytes:
        crtc = self.memory.u16(Bda.CRTC_PORT)
        attributes = bytearray()
        for index in range(_ATTRIBUTES):
            self.ports.inb(crtc + 6)
            self.ports.outb(0x3C0, index)
            attributes.append(self.ports.inb(0x3C1))
        self.ports.inb(crtc + 6)
        self.ports.outb(0x3C0, 0x20)
        head = bytes((self.ports.inb(0x3CC), self.ports.inb(0x3CA)))
        return b"".join((head, self._indexed(0x3C4, _SEQUENCER), self._indexed(crtc, _CRTC),
                         self._indexed(0x3CE, _GRAPHICS), attributes))  # fmt: skip

    def _restore_hardware(self, data: bytes) -> None:
        outb = self.ports.outb
        misc, rest = data[0], data[2:]
        outb(0x3C2, misc)
        crtc = 0x3D4 if misc & 1 else 0x3B4
        outb(crtc, 0x11)
        outb(crtc + 1, 0)
        for port, count in ((0x3C4, _SEQUENCER), (crtc, _CRTC), (0x3CE, _GRAPHICS)):
            for index in range(count):
                outb(port, index)
                outb(port + 1, rest[index])
            rest = rest[count:]
        self.ports.inb(crtc + 6)
        for index in range(_ATTRIBUTES):
            outb(0x3C0, index)
            outb(0x3C0, rest[index])
        outb(0x3C0, 0x20)
