"""What a guest points at, for those who serve it outside of its instructions: every address is checked.

An instruction's access may fault, and a guest may well read a device's registers. A service of the host (semihosting,
simulator calls) must do neither for a pointer that it was handed, nor work for ever on a length that it was told.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from pyqemu.tcg.cpu import GuestException
from pyqemu.tcg.softmmu import PAGE_SIZE, READ, WRITE

if TYPE_CHECKING:
    from pyqemu.tcg.cpu import Cpu

LARGEST = 64 << 20  #: bytes of one transfer at most


def fault() -> OSError:
    """The error of a pointer to nothing."""
    return OSError(errno.EFAULT, os.strerror(errno.EFAULT))


class Pointers:
    """The virtual memory of *cpu* at its present privilege level; addresses have *bits* bits."""

    def __init__(self, cpu: Cpu, bits: int) -> None:
        self.cpu = cpu
        self.end = 1 << bits

    def check(self, address: int, length: int, access: int = READ) -> None:
        """See that memory may be read (or written) and is memory.

        :raise OSError: it is not (EFAULT), or it is more than :data:`LARGEST` (EINVAL).
        """
        if length > LARGEST:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if address + length > self.end:
            raise fault()
        mmu = self.cpu.mmu
        assert mmu is not None
        index = self.cpu.mmu_index()
        try:
            for place in range(address & -PAGE_SIZE, address + length, PAGE_SIZE):
                page = mmu.page(max(place, address), access, index)
                if page.view is None or (access == WRITE and not page.writable):
                    raise fault()
        except GuestException:
            raise fault() from None

    def read(self, address: int, length: int) -> bytes:
        """So many bytes.

        :raise OSError: as :meth:`check`.
        """
        self.check(address, length)
        return self.cpu.read(address, length)

    def write(self, address: int, data: bytes) -> None:
        """Write all of it, or nothing.

        :raise OSError: as :meth:`check`.
        """
        self.check(address, len(data), WRITE)
        self.cpu.write(address, data)

    def string(self, address: int, limit: int) -> bytes:
        """What is before a byte of zero.

        :raise OSError: as :meth:`check`, or there is none among that many bytes (ENAMETOOLONG).
        """
        found = b""
        while len(found) < limit:
            place = address + len(found)
            part, zero, _ = self.read(place, min(PAGE_SIZE - place % PAGE_SIZE, limit - len(found))).partition(b"\0")
            found += part
            if zero:
                return found
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
