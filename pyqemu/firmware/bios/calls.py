"""How a service lets the ROM run guest code or print: it fills the blocks in the EBDA that the ROM reads."""

from __future__ import annotations

import struct

from pyqemu.firmware.bios.context import LinearMemory
from pyqemu.firmware.bios.layout import EBDA_SIZE, Ebda, Verdict


class Calls:
    """Prepares what a verdict other than DONE needs."""

    def __init__(self, memory: LinearMemory) -> None:
        self.memory = memory

    def print(self, text: str) -> Verdict:
        """Show *text* by INT 10h, so that whoever hooks it (a serial console ROM) sees it too."""
        data = text.replace("\n", "\r\n").encode("cp437", "replace") + b"\x00"
        if len(data) > EBDA_SIZE - Ebda.PRINT_TEXT:
            raise ValueError(f"text of {len(data)} bytes is too long for the BIOS to print")
        self.memory.write(self.memory.ebda + Ebda.PRINT_TEXT, data)
        return Verdict.PRINT

    def prepare(self, segment: int, offset: int, *, ax: int = 0, bx: int = 0, cx: int = 0, dx: int = 0,
                si: int = 0, di: int = 0, es: int = 0, ds: int = 0) -> None:  # fmt: skip
        """Fill the call block."""
        block = struct.pack("<10H", offset, segment, ax, bx, cx, dx, si, di, es, ds)
        self.memory.write(self.memory.ebda + Ebda.CALL_TARGET, block)

    def interrupt(self, number: int, ax: int = 0) -> Verdict:
        """Let the ROM call the handler of interrupt *number* and be done."""
        vector = self.memory.u32(4 * number)
        self.prepare(vector >> 16, vector & 0xFFFF, ax=ax)
        return Verdict.INTERRUPT
