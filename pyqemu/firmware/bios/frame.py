"""The registers of the program that called a service, as the ROM's stub has saved them on its stack."""

from __future__ import annotations

import struct

_LAYOUT = struct.Struct("<HHHIIIIIIIIHHH")
FRAME_SIZE = _LAYOUT.size

CF, ZF = 0x0001, 0x0040


class _Part:
    """A part of a 32-bit register: *mask* shifted left by *shift*."""

    def __init__(self, register: str, shift: int, mask: int) -> None:
        self.register, self.shift, self.mask = register, shift, mask
        self.keep = 0xFFFFFFFF & ~(mask << shift)

    def __get__(self, frame: Frame, owner: type[Frame]) -> int:
        value: int = getattr(frame, self.register)
        return value >> self.shift & self.mask

    def __set__(self, frame: Frame, value: int) -> None:
        old: int = getattr(frame, self.register)
        setattr(frame, self.register, old & self.keep | (value & self.mask) << self.shift)


def _word(register: str) -> _Part:
    return _Part(register, 0, 0xFFFF)


def _low(register: str) -> _Part:
    return _Part(register, 0, 0xFF)


def _high(register: str) -> _Part:
    return _Part(register, 8, 0xFF)


class Frame:
    """Registers by their names, each readable and writable in all its parts.

    The layout on the stack, upwards from SP: the stub's return address, ES, DS, what ``pushad`` pushes, and the
    interrupt's IP, CS and FLAGS. The FLAGS are the image that IRET restores.
    """

    __slots__ = ("_before", "address", "cs", "ds", "eax", "ebp", "ebx", "ecx", "edi", "edx", "es", "esi", "esp",
                 "flags", "ip", "ret")  # fmt: skip

    def __init__(self, image: bytes = bytes(FRAME_SIZE), address: int = 0) -> None:
        self._before = image
        self.address = address
        (self.ret, self.es, self.ds, self.edi, self.esi, self.ebp, self.esp, self.ebx, self.edx, self.ecx, self.eax,
         self.ip, self.cs, self.flags) = _LAYOUT.unpack(image)  # fmt: skip

    @property
    def arguments(self) -> int:
        """Address of a far call's first argument, which lies where an interrupt has FLAGS."""
        return self.address + FRAME_SIZE - 2

    def image(self) -> bytes | None:
        """The bytes to write back, or None if nothing has changed."""
        after = _LAYOUT.pack(self.ret, self.es, self.ds, self.edi, self.esi, self.ebp, self.esp, self.ebx, self.edx,
                             self.ecx, self.eax, self.ip, self.cs, self.flags)  # fmt: skip
        return after if after != self._before else None

    ax, bx, cx, dx = _word("eax"), _word("ebx"), _word("ecx"), _word("edx")
    si, di, bp = _word("esi"), _word("edi"), _word("ebp")
    al, bl, cl, dl = _low("eax"), _low("ebx"), _low("ecx"), _low("edx")
    ah, bh, ch, dh = _high("eax"), _high("ebx"), _high("ecx"), _high("edx")

    @property
    def carry(self) -> bool:
        return bool(self.flags & CF)

    @carry.setter
    def carry(self, value: bool) -> None:
        self.flags = self.flags | CF if value else self.flags & ~CF

    @property
    def zero(self) -> bool:
        return bool(self.flags & ZF)

    @zero.setter
    def zero(self, value: bool) -> None:
        self.flags = self.flags | ZF if value else self.flags & ~ZF


_FLAT_LAYOUT = struct.Struct("<9I")


class FlatFrame(Frame):
    """The same for a 32-bit stub, which saves the general registers and EFLAGS."""

    __slots__ = ()
    SIZE = _FLAT_LAYOUT.size

    def __init__(self, image: bytes) -> None:
        super().__init__()
        self._before = image
        (self.edi, self.esi, self.ebp, self.esp, self.ebx, self.edx, self.ecx, self.eax, self.flags) = (
            _FLAT_LAYOUT.unpack(image)
        )

    def image(self) -> bytes | None:
        after = _FLAT_LAYOUT.pack(self.edi, self.esi, self.ebp, self.esp, self.ebx, self.edx, self.ecx, self.eax,
                                  self.flags)  # fmt: skip
        return after if after != self._before else None
